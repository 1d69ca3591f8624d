"""Real-time speech emotion recognition: how a voice sounds, live or in recordings."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from live_ser.api.listen import listen, load
    from live_ser.api.model import Model
    from live_ser.audio.raw_sound import RawFormat
    from live_ser.audio.sources import replay
    from live_ser.errors import (
        AudioError,
        DeviceError,
        InvalidArgument,
        LiveSerError,
        MissingExtra,
        ModelError,
        OutputError,
    )
    from live_ser.frontend.dc_blocker import block_dc
    from live_ser.frontend.features import log_mel
    from live_ser.frontend.gate import speech_mask
    from live_ser.inference.monitor import Monitor
    from live_ser.inference.results import Prediction, Results, Segment, Verdict
    from live_ser.inference.stream import Stream
    from live_ser.report.page import write_report
    from live_ser.report.session_log import longest_intervals, read_session, shares

# ONNX Runtime 1.31 and later send telemetry unless this is set before their first import, here or
# in another package.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
__all__ = [
    "AudioError",
    "DeviceError",
    "InvalidArgument",
    "LiveSerError",
    "MissingExtra",
    "Model",
    "ModelError",
    "Monitor",
    "OutputError",
    "Prediction",
    "RawFormat",
    "Results",
    "Segment",
    "Stream",
    "Verdict",
    "__version__",
    "block_dc",
    "listen",
    "load",
    "log_mel",
    "longest_intervals",
    "read_session",
    "replay",
    "shares",
    "speech_mask",
    "write_report",
]

# Imported on first access, so that the command line starts quickly.
_HOMES = {
    "OutputError": "errors",
    "ModelError": "errors",
    "MissingExtra": "errors",
    "InvalidArgument": "errors",
    "DeviceError": "errors",
    "AudioError": "errors",
    "LiveSerError": "errors",
    "Model": "api.model",
    "Monitor": "inference.monitor",
    "Prediction": "inference.results",
    "RawFormat": "audio.raw_sound",
    "Results": "inference.results",
    "Segment": "inference.results",
    "Stream": "inference.stream",
    "Verdict": "inference.results",
    "block_dc": "frontend.dc_blocker",
    "listen": "api.listen",
    "load": "api.listen",
    "log_mel": "frontend.features",
    "longest_intervals": "report.session_log",
    "read_session": "report.session_log",
    "replay": "audio.sources",
    "shares": "report.session_log",
    "speech_mask": "frontend.gate",
    "write_report": "report.page",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        from live_ser.extras import missing_package  # only then: it would slow down the start

        missing = missing_package(error)
        missing.add_note(f"try: {missing.hint}")  # a traceback shows no hint
        raise missing from error


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
