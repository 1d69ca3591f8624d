"""What ``--osc`` and ``--lsl`` send, as their own clients receive it."""

from __future__ import annotations

import math
import socket
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import live_ser
from live_ser.audio.capture_clock import host_clock
from live_ser.audio.devices import Callback, Times
from live_ser.audio.sources import microphone
from live_ser.inference.monitor import Monitor
from live_ser.live.session import Session
from live_ser.server.osc import OscSink, address_of, bundle
from tests.support.command import live_ser as command
from tests.support.command import live_ser_process

RATE = 16000


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> live_ser.Model:
    return live_ser.load(tiny_model)


def test_an_osc_receiver_gets_a_bundle_for_each_prediction(
    model: live_ser.Model, speech: Path
) -> None:
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        words = ("--speed", "0", "--osc", address, "--model", model.network.path)
        assert command("listen", "--from", speech, *words).returncode == 0
        bundles: list[dict[str, list[Any]]] = []
        while not bundles or bundles[-1].get("/live-ser/state") != ["end"]:
            data = receiver.recv(65536)
            assert osc_bundle.OscBundle.dgram_is_bundle(data)
            bundles.append({one.address: one.params for one in osc_bundle.OscBundle(data)})
    first, *windows, _ = bundles
    assert first == {"/live-ser/labels": list(model.info.labels)}
    expected = model.timeline(speech)
    assert len(windows) == len(expected)
    for received, prediction in zip(windows, expected, strict=True):
        assert received["/live-ser/state"] == [prediction.state]
        assert received["/live-ser/label"] == [prediction.label or ""]
        assert received["/live-ser/level"] == [pytest.approx(prediction.level_db, abs=0.1)]
        for label, probability in (prediction.probabilities or {}).items():
            assert received[f"/live-ser/p/{label}"] == [pytest.approx(probability, abs=1e-5)]
        assert ("/live-ser/activation" in received) == (prediction.activation is not None)


def test_nobody_who_receives_is_no_reason_to_end(model: live_ser.Model) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    sink = OscSink(("127.0.0.1", port))
    for _ in range(3):
        sink.mark(1.0)
    sink.close()


@pytest.mark.parametrize("text", ["", "host", "host:0", "host:99999", "host:x"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(live_ser.LiveSerError, match="OSC"):
        address_of(text)


def test_strings_are_filled_up_to_four_bytes() -> None:
    pythonosc = pytest.importorskip("pythonosc.osc_bundle")
    for text in ("", "a", "abc", "abcd", "schön"):
        (message,) = pythonosc.OscBundle(bundle([("/x", (text, 3, 0.5))]))
        assert message.params == [text.encode("ascii", "replace").decode(), 3, 0.5]


class Clicking:
    """A device that is silent until a moment that it notes, and loud from then on."""

    name, rate = "clicking", RATE

    def __init__(self, onset: float, clock: Any) -> None:
        self.onset, self.clock = onset, clock
        self.at = math.nan  # by the clock, when the first loud sample was captured
        self._closed = threading.Event()

    def __call__(self, device: Any, rate: int, channels: Any, callback: Callback, **_: Any) -> Any:
        threading.Thread(target=self._play, args=[callback], daemon=True).start()
        return self

    def close(self) -> None:
        self._closed.set()

    def _play(self, callback: Callback) -> None:
        began, clock = host_clock(), self.clock()
        self.at = clock + self.onset
        sizes = np.random.default_rng(0)
        done = 0
        tone = np.sin(2 * np.pi * 500 * np.arange(10 * RATE) / RATE).astype(np.float32)
        tone[: round(self.onset * RATE)] = 0
        while not self._closed.is_set() and done < len(tone):
            block = tone[done : done + int(sizes.integers(100, 1600))]
            captured = began + done / RATE
            done += len(block)
            self._closed.wait(max(0.0, began + done / RATE - host_clock()))
            callback(block[:, np.newaxis], Times(captured, host_clock()), False)


@pytest.mark.slow
@pytest.mark.parametrize("onset", [1.23, 1.41])
def test_the_times_of_lsl_are_those_of_the_sound(model: live_ser.Model, onset: float) -> None:
    """Where a tone begins within a hop, its level tells; so its moment is known to milliseconds."""
    pylsl = pytest.importorskip("pylsl")
    from live_ser.server.lsl import LslSink

    name, hop = f"test-{uuid.uuid4().hex}", 0.1
    device = Clicking(onset, pylsl.local_clock)
    with microphone(None, RATE, opener=device) as source:
        end = time.monotonic() + 6
        session = Session(source, RATE, duration=3.0, ending=lambda: time.monotonic() > end)
        sink = LslSink(name, model.info, hop, lambda: source.behind)
        numbers, markers = (
            pylsl.StreamInlet(pylsl.resolve_byprop("name", one, timeout=20)[0])
            for one in (name, f"{name}-markers")
        )
        numbers.open_stream(timeout=10)
        markers.open_stream(timeout=10)
        with session:
            session.sinks.attach(sink)
            session.run(Monitor(model.network, session, hop=hop))
        samples, stamps = numbers.pull_chunk(timeout=1.0, max_samples=100)
        texts, _ = markers.pull_chunk(timeout=1.0, max_samples=100)
    about = numbers.info()
    labels = about.get_channel_labels()
    assert about.nominal_srate() == pytest.approx(10)
    assert labels[-len(model.info.labels) :] == [f"p_{label}" for label in model.info.labels]
    levels = np.array(samples)[:, labels.index("level_db")]
    loud = int(np.flatnonzero(levels > -60)[0])
    share = min(1.0, 10 ** ((levels[loud] - levels[loud + 2]) / 10))
    assert stamps[loud] - share * hop == pytest.approx(device.at, abs=0.02)
    assert texts[0] == ["silence"]
    assert texts[-1] == ["end"]


@pytest.mark.slow
def test_listen_publishes_in_lsl(model: live_ser.Model, speech: Path) -> None:
    pylsl = pytest.importorskip("pylsl")
    name = f"test-{uuid.uuid4().hex}"
    thread = threading.Thread(
        target=live_ser_process,
        args=("listen", "--from", speech, "--lsl", name, "--model", model.network.path),
    )
    thread.start()
    (found,) = pylsl.resolve_byprop("name", name, timeout=30)
    inlet = pylsl.StreamInlet(found)
    sample, _ = inlet.pull_sample(timeout=20)
    thread.join()
    assert found.type() == "Emotion"
    assert len(sample) == found.channel_count()
