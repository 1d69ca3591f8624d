"""Broken files of every kind that live-ser reads, made from seeds."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
import soundfile

Mutation = Callable[[random.Random], tuple[bytes, str]]

_HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 1, 0.5, -0.0, 1e-308, 1e308, 2**31, 2**63, 10**400, float("nan"),
    float("inf"), -float("inf"), "", "x", "\x00", "\ud800", "\x1b[2J", "</script><img src=x>",
    "A" * 100_000, [], {}, [[]], [None], {"": {}}, [1, 2], ["a", "a"], {"neutral": "much"},
)  # fmt: skip
_LABELS = ["neutral", "happy", "sad", "angry"]
_WORDS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

# What libsndfile writes: container, subtype, suffix.
_FORMATS = (
    ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"), ("WAV", "ULAW"),
    ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAVEX", "PCM_16"), ("RF64", "PCM_16"),
    ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"),
    ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AU", "PCM_16"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"),
    ("W64", "PCM_16"), ("VOC", "PCM_16"), ("SVX", "PCM_16"), ("NIST", "PCM_16"),
    ("IRCAM", "PCM_16"), ("PAF", "PCM_16"), ("AVR", "PCM_16"), ("MAT4", "PCM_16"),
    ("MAT5", "PCM_16"), ("SDS", "PCM_16"), ("HTK", "PCM_16"), ("MPC2K", "PCM_16"),
    ("PVF", "PCM_16"), ("XI", "DPCM_16"),
)  # fmt: skip


def audio(rng: random.Random) -> tuple[bytes, str]:
    """A sound file with errors, mostly in its header."""
    sounds = _sounds()
    content, suffix = sounds[rng.randrange(len(sounds))]
    return _spoil(content, rng, head=96), suffix


def model(rng: random.Random) -> tuple[bytes, str]:
    """A model file with errors in its bytes, metadata or graph."""
    kind = rng.random()
    if kind < 0.4:
        return _spoil(_model(), rng, head=200), ".onnx"
    if kind < 0.9:
        return _with_metadata(_hostile_metadata(rng)), ".onnx"
    if kind < 0.95:
        return _other_graph(rng), ".onnx"
    if kind < 0.97:
        return pickle.dumps(_Trap()), ".onnx"
    text = "".join(chr(rng.randrange(32, 0x2FF)) for _ in range(rng.randrange(2000)))
    return text.encode(), ".onnx"


def session(rng: random.Random) -> tuple[bytes, str]:
    """Records of a session: truncated, out of order, or with wrong values."""
    lines = [json.dumps(record) for record in _records(rng)]
    for _ in range(rng.randrange(1, 6)):
        _MANGLE[rng.randrange(len(_MANGLE))](lines, rng)
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    if rng.random() < 0.2:
        content = _spoil(content, rng, head=len(content) or 1)
    return content, ".jsonl"


def table(rng: random.Random) -> tuple[bytes, str]:
    """The same records as CSV or as Parquet, broken."""
    from live_ser.records.csv import Csv
    from live_ser.records.parquet import Parquet

    records = _records(rng)
    if rng.random() < 0.5:
        file = io.BytesIO()
        writer = Parquet(file, _LABELS)
        for record in records:
            writer.write(record)
        writer.close()
        # At the end stands what says where everything else is.
        content = file.getvalue()
        if rng.random() < 0.5:
            return _spoil(content[::-1], rng, head=400)[::-1], ".parquet"
        return _spoil(content, rng, head=400), ".parquet"
    text = io.StringIO()
    rows = Csv(text, _LABELS)
    for record in records:
        rows.write(record)
    lines = text.getvalue().split("\n")
    for _ in range(rng.randrange(3)):
        rng.choice((_shuffle, _repeat, _drop, _cut))(lines, rng)
    content = "\n".join(lines).encode()
    return _spoil(content, rng, head=len(content) or 1), ".csv"


PROBE = [-1.0] * 16
"""What the model that the profiles are of makes of a fixed sound."""


def profile(rng: random.Random) -> tuple[bytes, str]:
    """A speaker's profile with invalid numbers."""
    kept = {
        "schema": 4, "model": "fuzz", "probe": PROBE, "what": "", "updated": "",
        "seconds": 9.0, "weight": 9.0, "mean": [-40.0] * 16,
    }  # fmt: skip
    lines = [json.dumps(kept)]
    for _ in range(rng.randrange(4)):
        _replace(lines, rng)
    content = "".join(lines).encode("utf-8", "surrogatepass")
    return (_spoil(content, rng, head=len(content)) if rng.random() < 0.5 else content), ".json"


KINDS: dict[str, Mutation] = {
    "audio": audio,
    "model": model,
    "session": session,
    "table": table,
    "profile": profile,
}
TRAP = "fuzz-trap"  # the name of the file that exists if loading a model ran code


def made(kind: str, seed: int) -> tuple[bytes, str]:
    """The broken file of a seed, and its suffix."""
    return KINDS[kind](random.Random(f"{kind} {seed}"))


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (TRAP,)


def _spoil(content: bytes, rng: random.Random, head: int) -> bytes:
    data = bytearray(content)
    for _ in range(rng.randrange(1, 9)):
        if not data:
            break
        # Most of what can go wrong stands at the beginning.
        within = min(head, len(data)) if rng.random() < 0.7 else len(data)
        at = rng.randrange(within)
        match rng.randrange(7):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at] = rng.randrange(256)
            case 2 | 3:
                order = rng.choice("<>")
                word = struct.pack(f"{order}I", rng.choice(_WORDS))
                data[at : at + 4] = word
            case 4:
                del data[at : at + rng.randrange(1, 64)]
            case 5:
                data[at:at] = data[at : at + rng.randrange(1, 64)]
            case 6 if rng.random() < 0.3:
                del data[at:]
    return bytes(data)


@cache
def _sounds() -> list[tuple[bytes, str]]:
    rate = 16000
    time = np.arange(rate // 3) / rate
    voice = 0.3 * np.sign(np.sin(2 * np.pi * 120 * time)) * np.hanning(len(time))
    sounds = []
    for container, subtype in _FORMATS:
        for channels in (1, 2):
            file = io.BytesIO()
            frames = np.stack([voice] * channels, axis=1)
            try:
                soundfile.write(file, frames, rate, subtype, format=container)
            except (soundfile.LibsndfileError, ValueError, TypeError):
                continue  # not by this build, or not of so many channels
            sounds.append((file.getvalue(), f".{container.lower()}"))
    return sounds


@cache
def _model() -> bytes:
    import tempfile
    from pathlib import Path

    from tests.support.tiny_model import tiny_info, write_model

    with tempfile.TemporaryDirectory() as folder:
        return write_model(Path(folder) / "tiny.onnx", tiny_info()).read_bytes()


def _with_metadata(text: str) -> bytes:
    import onnx

    from live_ser.spec import METADATA_KEY

    parsed = onnx.load_from_string(_model())
    del parsed.metadata_props[:]
    # Text that is no text cannot be put into protocol buffers.
    onnx.helper.set_model_props(parsed, {METADATA_KEY: text.encode("utf-8", "replace").decode()})
    return bytes(parsed.SerializeToString())


def _hostile_metadata(rng: random.Random) -> str:
    from tests.support.tiny_model import tiny_info

    data = json.loads(tiny_info().to_json())
    for _ in range(rng.randrange(1, 4)):
        place = rng.choice([data, data, data.get("features"), data.get("gate")])
        if not isinstance(place, dict) or not place:
            continue
        key = rng.choice(sorted(place))
        match rng.randrange(4):
            case 0:
                del place[key]
            case 1 if isinstance(place[key], int | float):
                factor = rng.choice((-1, 0, 1e-9, 2, 3, 1e3, 1e9))
                with suppress(OverflowError):
                    place[key] *= factor
            case _:
                place[key] = rng.choice(_HOSTILE)
    if rng.random() < 0.05:
        data["provenance"] = _nested(rng.randrange(10, 100_000))
        return json.dumps(data | {"provenance": None}).replace("null", data["provenance"], 1)
    try:
        return json.dumps(data)
    except ValueError:  # a number too long to be written
        return json.dumps({key: value for key, value in data.items() if key != "features"})


def _nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def _other_graph(rng: random.Random) -> bytes:
    """A graph that needs much memory, has other shapes, or refers to other files."""
    import onnx
    from onnx import TensorProto, helper

    parsed = onnx.load_from_string(_model())
    match rng.randrange(5):
        case 0:  # two gigabytes out of a few bytes
            size = helper.make_tensor("size", TensorProto.INT64, [1], [2**29])
            parsed.graph.initializer.append(size)
            parsed.graph.node.append(helper.make_node("ConstantOfShape", ["size"], ["much"]))
            parsed.graph.output.append(
                helper.make_tensor_value_info("much", TensorProto.FLOAT, None)
            )
        case 1:
            tensor = parsed.graph.initializer[rng.randrange(2)]
            tensor.data_location = TensorProto.EXTERNAL
            tensor.ClearField("raw_data")
            tensor.external_data.add(key="location", value="/etc/passwd")
        case 2:
            parsed.graph.initializer[0].dims[rng.randrange(2)] = rng.choice((0, 1, 7, 2**31, 2**62))
        case 3:
            info = rng.choice([*parsed.graph.input, *parsed.graph.output])
            info.type.tensor_type.elem_type = rng.choice((0, 2, 7, 8, 11))
        case 4:
            node = parsed.graph.node[rng.randrange(len(parsed.graph.node))]
            node.op_type = rng.choice(("Loop", "If", "Abs", "LSTM", "NoSuchThing", ""))
    return bytes(parsed.SerializeToString())


def _records(rng: random.Random) -> list[dict[str, Any]]:
    labels = _LABELS
    head = {
        "type": "session", "schema": 1, "source": "Microphone", "model": "tiny", "labels": labels,
        "sample_rate": 16000, "window": 3.5, "hop": 0.5, "started": "2026-01-31T12:00:00+00:00",
    }  # fmt: skip
    windows = []
    for i in range(1, rng.randrange(2, 20)):
        label = rng.choice([*labels, None])
        share = {x: 0.7 if x == label else 0.1 for x in labels} if label else None
        windows.append({
            "type": "window", "start": max(0.0, i / 2 - 3.5), "end": i / 2,
            "state": rng.choice(("speech", "uncertain")) if label else "silence", "label": label,
            "confidence": 0.7 if label else None, "probabilities": share,
            "activation": 0.5 if label else None, "speech": 0.6, "evidence": 2.0,
            "since_speech": 0.1, "level_db": -23.0, "latency_ms": 3.0,
        })  # fmt: skip
    return [
        head,
        *windows,
        {"type": "gap", "start": 2.0, "end": 3.0, "reason": "microphone gone"},
        {"type": "mark", "time": 1.25},
        {"type": "end", "windows": len(windows), "skipped": 0, "overflows": 0, "seconds": 10.0},
    ]


def _shuffle(lines: list[str], rng: random.Random) -> None:
    rng.shuffle(lines)


def _repeat(lines: list[str], rng: random.Random) -> None:
    if lines:
        lines.insert(rng.randrange(len(lines)), rng.choice(lines))


def _drop(lines: list[str], rng: random.Random) -> None:
    if lines:
        del lines[rng.randrange(len(lines))]


def _cut(lines: list[str], rng: random.Random) -> None:
    if lines:
        place = rng.randrange(len(lines))
        lines[place] = lines[place][: rng.randrange(len(lines[place]) + 1)]


def _replace(lines: list[str], rng: random.Random) -> None:
    """Another value somewhere, perhaps of another kind."""
    place = rng.randrange(len(lines)) if lines else 0
    try:
        record = json.loads(lines[place])
        where = record
        key = rng.choice(sorted(where))
        if isinstance(where[key], dict) and where[key] and rng.random() < 0.5:
            where = where[key]
            key = rng.choice(sorted(where))
        where[key] = rng.choice(_HOSTILE)
        lines[place] = json.dumps(record)
    except (ValueError, IndexError, TypeError, KeyError, RecursionError):
        return


def _deepen(lines: list[str], rng: random.Random) -> None:
    lines.append(_nested(rng.randrange(1, 200_000)))


_MANGLE: Sequence[Callable[[list[str], random.Random], None]] = (
    _shuffle, _repeat, _drop, _cut, _replace, _replace, _replace, _deepen,
)  # fmt: skip
