"""Real-time speech emotion monitor: how a voice sounds, live in the terminal."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from live_ser.api import Model, listen, load
    from live_ser.errors import LiveSerError
    from live_ser.inference.results import Prediction, Segment, Verdict
    from live_ser.inference.stream import Stream

# ONNX Runtime 1.31 and later report to their makers, unless this is set before they are imported,
# by whatever: a model, the package of the speech detector, an exporter of networks.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
__all__ = [
    "LiveSerError",
    "Model",
    "Prediction",
    "Segment",
    "Stream",
    "Verdict",
    "__version__",
    "listen",
    "load",
]

# Imported when they are asked for, so that the command line starts at once.
_HOMES = {
    "LiveSerError": "errors",
    "Model": "api",
    "Prediction": "inference.results",
    "Segment": "inference.results",
    "Stream": "inference.stream",
    "Verdict": "inference.results",
    "listen": "api",
    "load": "api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
