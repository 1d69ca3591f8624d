"""Checks of the installation and the microphone, with advice."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Literal

import numpy as np

from live_ser import __version__
from live_ser.audio.blocks import Gap, Samples, Source
from live_ser.audio.clipping import CLIPPED, FULL_SCALE
from live_ser.audio.devices import accepted_rates, find_device, input_devices, portaudio
from live_ser.audio.sources import microphone
from live_ser.cli.errors import in_options
from live_ser.errors import LiveSerError
from live_ser.frontend.dc_blocker import block_dc
from live_ser.frontend.features import log_mel
from live_ser.frontend.gate import CHUNK_SECONDS, SpeechGate, speech_mask
from live_ser.frontend.stream import level_db
from live_ser.model.onnx_model import EmotionModel, load

_SECONDS = 3.0  # of sound from the microphone
_SPEECH_SECONDS = 0.3  # of speech, at least
_TOO_LOUD = 1e-3  # share of clipped samples
_SILENCE = -119.0  # dB re full scale, of digital silence
_TOO_QUIET = -60.0  # dB re full scale, of speech
_TOO_NOISY = -35.0  # dB re full scale, between words
_CLEAR = 15.0  # dB of speech above that
_OFFSET = 0.05  # of full scale
# The band of a telephone ends at 3.4 kHz; that of a wireless headset in a call, below 4 kHz.
_TELEPHONE_INSIDE = (2400.0, 3200.0)
_TELEPHONE_OUTSIDE = (4400.0, 5600.0)
_TELEPHONE_EDGE = 30.0  # dB between them
_HEARABLE = -100.0  # dB re full scale below which a band is not evaluated
_RUNS = 20  # of the model, to measure its time

Verdict = Literal["ok", "note", "fail"]


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    Attributes:
        verdict: ``ok``, ``note`` (it works, but could be better) or ``fail`` (``listen`` would not
            work).
        text: the result.
        advice: what to do; empty if nothing.
    """

    verdict: Verdict
    text: str
    advice: str = ""


def examine(
    model: str | None,
    device: int | str | None,
    *,
    channels: int | None = None,
    channel: int | None = None,
) -> Iterator[Finding]:
    """Check everything that ``live-ser listen`` needs, and yield the results.

    Args:
        model: name or path, as for ``listen``.
        device: index or part of a name, as for ``listen``.
        channels: number of channels to record, as for ``listen``.
        channel: the channel to use, as for ``listen``.
    """
    yield from _installation()
    emotion_model: EmotionModel | None = None
    try:
        emotion_model = load(model)
        yield from _model_at_work(emotion_model)
    except LiveSerError as error:
        yield failure(error)
    try:
        yield from _devices(device)
    except LiveSerError as error:
        yield failure(error)
        return
    if emotion_model is None:
        return
    spec = emotion_model.info.features
    try:
        with microphone(
            device, spec.sample_rate, channels=channels, channel=channel, reconnect=False
        ) as source:
            yield Finding("ok", f"{source.name} opens at {source.native_rate} Hz")
            samples = _record(source, round(_SECONDS * spec.sample_rate))
            yield from _losses(source)
            for note in source.notes:
                if not note.endswith(CLIPPED):  # that is examined below
                    yield Finding("note", note, "choose one with --channel, or mend its wiring")
    except LiveSerError as error:
        yield failure(error)
        return
    yield from examine_sound(samples, emotion_model)


def examine_sound(samples: Samples, model: EmotionModel) -> Iterator[Finding]:
    """Check the sound of a microphone.

    Args:
        samples: float32 ``[n]``, mono at the model's rate.
        model: the model that would be used.
    """
    rate = model.info.features.sample_rate
    moving = block_dc(samples, rate)
    if level_db(moving) < _SILENCE:
        yield Finding(
            "fail",
            "the microphone gives digital silence",
            "unmute it; allow the terminal to use it in the system's privacy settings; "
            "or take another one: live-ser devices",
        )
        return
    levels = [level_db(part) for part in np.array_split(moving, 60)]
    loud, floor = float(np.percentile(levels, 95)), float(np.percentile(levels, 10))
    mask = speech_mask(samples, rate, model.info.gate)
    spoken = float(np.count_nonzero(mask)) * CHUNK_SECONDS
    yield Finding("ok", f"level {loud:.0f} dB where it is loudest, re full scale")
    yield _noise(floor, loud if spoken >= _SPEECH_SECONDS else None)
    yield _clipping(samples)
    yield _offset(samples)
    yield _bandwidth(samples, rate)
    yield _speech(spoken, loud)


def _installation() -> Iterator[Finding]:
    yield Finding(
        "ok",
        f"live-ser {__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}",
    )
    found = {name: _version(name) for name in _needed_packages()}
    there = [f"{name} {number}" for name, number in found.items() if number]
    if there:
        yield Finding("ok", ", ".join(there))
    missing = [name for name, number in found.items() if not number]
    if missing:
        names = " ".join(missing)
        yield Finding("fail", f"missing: {names}", f"python -m pip install {names}")


def _needed_packages() -> list[str]:
    try:
        wanted = requires("live-ser") or []
    except PackageNotFoundError:  # a checkout that is not installed
        return []
    # A requirement begins with the name: "numpy>=1.26"; those of extras end with "; extra == ...".
    return [re.split(r"[^\w.-]", each)[0] for each in wanted if "extra ==" not in each]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _model_at_work(model: EmotionModel) -> Iterator[Finding]:
    info = model.info
    yield Finding("ok", f"model {info.name}: {', '.join(info.labels)}")
    rate = info.features.sample_rate
    noise = np.random.default_rng(0).normal(0, 0.1, round(info.window * rate)).astype(np.float32)
    window = log_mel(noise, info.features)
    gate = SpeechGate(rate, info.gate.floor_db)
    hop = noise[: round(info.hop * rate)]
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        gate.push(hop)
        log_mel(hop, info.features)
        model.predict(window)
        times.append(1000 * (time.perf_counter() - start))
    middle, worst = np.percentile(times, [50, 95])
    text = f"compute latency {middle:.1f} ms, {worst:.1f} ms at worst, of {1000 * info.hop:.0f} ms"
    if worst < 1000 * info.hop:
        yield Finding("ok", text)
    else:
        yield Finding("note", text, "close what keeps the processor busy, or take a longer --hop")


def _devices(device: int | str | None) -> Iterator[Finding]:
    yield Finding("ok", str(portaudio().get_portaudio_version()[1]).split(",")[0])
    chosen = find_device(device)
    for each in input_devices():
        rates = accepted_rates(each)
        mark = ", listened to" if each.index == chosen.index else ""
        name = f"input {each.index} {each.name} ({each.host}){mark}"
        if rates:
            yield Finding("ok", f"{name}: {', '.join(map(str, rates))} Hz")
        else:
            yield Finding(
                "note", f"{name}: opens at no rate", "close the program that is using it, if it is"
            )


def _record(source: Source, samples: int) -> Samples:
    """The first samples of a source."""
    blocks: list[Samples] = []
    for block in source:
        if not isinstance(block, Gap):
            blocks.append(block)
            samples -= len(block)
        if samples <= 0:
            break
    return np.concatenate(blocks)


def _losses(source: Source) -> Iterator[Finding]:
    if source.overflows:
        yield Finding(
            "note",
            f"sound was lost {source.overflows} times",
            "close what keeps the processor busy",
        )


def _noise(floor: float, speech: float | None) -> Finding:
    """The noise between words.

    Args:
        floor: its level in dB re full scale.
        speech: level of the speech; None if there is none.
    """
    advice = "turn down the input gain, or move away from fans and music"
    if floor > _TOO_NOISY:
        text = f"noise floor {floor:.0f} dB: little is left between words"
        return Finding("note", text, advice)
    if speech is not None and speech - floor < _CLEAR:
        text = f"noise floor {floor:.0f} dB: speech is only {speech - floor:.0f} dB louder"
        advice = "come closer, and look for what hums: fans, music, a cable, a power supply"
        return Finding("note", text, advice)
    return Finding("ok", f"noise floor {floor:.0f} dB")


def _clipping(samples: Samples) -> Finding:
    share = float(np.mean(np.abs(samples) >= FULL_SCALE))
    if share > _TOO_LOUD:
        return Finding("note", f"{100 * share:.1f} % of it clips", "turn down the input gain")
    return Finding("ok", "no clipping")


def _offset(samples: Samples) -> Finding:
    offset = float(np.mean(samples, dtype=np.float64))
    if abs(offset) > _OFFSET:
        return Finding(
            "note",
            f"DC offset of {100 * offset:.1f} % of full scale: it is removed; speech clips sooner",
            "turn down the input gain, or take another microphone or sound card",
        )
    return Finding("ok", f"DC offset {100 * offset:.2f} %")


def _bandwidth(samples: Samples, rate: int) -> Finding:
    if rate < 2 * _TELEPHONE_OUTSIDE[1]:
        return Finding("ok", f"bandwidth not examined at {rate} Hz")
    inside = _band_db(samples, rate, _TELEPHONE_INSIDE)
    outside = _band_db(samples, rate, _TELEPHONE_OUTSIDE)
    if inside < _HEARABLE:
        return Finding("ok", "bandwidth not told: too quiet")
    if inside - outside > _TELEPHONE_EDGE:
        return Finding(
            "note",
            "nothing above 4 kHz: the band of a telephone, as wireless headsets have it in calls",
            "take another microphone; how aroused a voice sounds shows in the high band too",
        )
    return Finding("ok", "bandwidth beyond that of a telephone")


def _band_db(samples: Samples, rate: int, band: tuple[float, float]) -> float:
    """The level of a band in dB re full scale."""
    spectrum = np.fft.rfft(samples * np.hanning(len(samples)))
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    within = (frequencies >= band[0]) & (frequencies < band[1])
    # The Hann window keeps 3/8 of the power; negative frequencies double the sum.
    power = 2 * np.sum(np.abs(spectrum[within]) ** 2) / (3 / 8 * len(samples) ** 2)
    return 10 * float(np.log10(max(power, 1e-20)))


def _speech(seconds: float, loud: float) -> Finding:
    if seconds < _SPEECH_SECONDS:
        return Finding("note", "no speech found", "run this again, and speak while it listens")
    if loud < _TOO_QUIET:
        return Finding(
            "note", f"speech found, but quiet: {seconds:.1f} s", "turn up the input gain"
        )
    return Finding("ok", f"speech found: {seconds:.1f} s")


def failure(error: LiveSerError, origin: str = "") -> Finding:
    """An error as a finding.

    Args:
        error: the error.
        origin: text after its message: where the value comes from.
    """
    return Finding("fail", f"{error.message}{origin}", in_options(error.hint))
