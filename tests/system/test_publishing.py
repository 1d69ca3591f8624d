"""What ``--osc`` and ``--lsl`` send, as their own clients receive it."""

from __future__ import annotations

import errno
import math
import os
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import live_ser
from live_ser.audio.blocks import Voice
from live_ser.audio.capture_clock import host_clock
from live_ser.audio.sources import microphone
from live_ser.inference.labelling import Label
from live_ser.inference.monitor import Monitor
from live_ser.inference.prosody import MEASURES
from live_ser.inference.results import Prediction
from live_ser.live.session import Session
from live_ser.server.osc import OscSink, address_of, bundle, messages
from tests.support.command import LIVE_SER, live_ser_process
from tests.support.command import live_ser as command
from tests.support.scripted_microphone import ScriptedMicrophone, Step, in_random_blocks

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
        for name in MEASURES:
            value = getattr(prediction.prosody, name, None)
            assert (f"/live-ser/{name}" in received) == (value is not None)
            if value is not None:
                assert received[f"/live-ser/{name}"] == [pytest.approx(value, abs=0.06)]
    assert any("/live-ser/pitch" in received for received in windows)


def test_each_voice_has_osc_addresses_of_its_own(
    model: live_ser.Model, speech: Path, tmp_path: Path
) -> None:
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle")
    call, expected = two_voices(model, speech, tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        words = ("--each-channel", "--names", "agent,caller", "--speed", "0", "--osc", address)
        done = command("listen", "--from", call, *words, "--model", model.network.path)
        assert done.returncode == 0, done.stderr
        bundles: list[dict[str, list[Any]]] = []
        while not bundles or bundles[-1].get("/live-ser/state") != ["end"]:
            content = osc_bundle.OscBundle(receiver.recv(65536))
            bundles.append({one.address: one.params for one in content})
    _, *windows, _ = bundles
    assert len(windows) == len(expected)
    for received, prediction in zip(windows, expected, strict=True):
        prefix = f"/live-ser/{prediction.channel}"
        assert all(address.startswith(f"{prefix}/") for address in received)
        assert received[f"{prefix}/speaker"] == [prediction.speaker]
        assert received[f"{prefix}/state"] == [prediction.state]
        assert received[f"{prefix}/label"] == [prediction.label or ""]
    assert {prediction.channel for prediction in expected} == {1, 2}


def two_voices(
    model: live_ser.Model, speech: Path, folder: Path
) -> tuple[Path, Sequence[live_ser.Prediction]]:
    """A call of two voices, and its predictions."""
    samples, rate = soundfile.read(speech, dtype="float32")
    path = folder / "call.wav"
    soundfile.write(path, np.stack([samples, np.roll(samples[::-1], 30_000)], axis=1), rate)
    return path, model.timeline(path, each_channel=True, names=["agent", "caller"])


@pytest.mark.slow
def test_each_voice_has_an_lsl_stream_and_markers_say_who_speaks_and_what_was_done(
    model: live_ser.Model, speech: Path, tmp_path: Path
) -> None:
    pylsl = pytest.importorskip("pylsl")
    from live_ser.server.lsl import LslSink

    _, expected = two_voices(model, speech, tmp_path)
    name, voices = f"test-{uuid.uuid4().hex}", [Voice(1, "agent"), Voice(2, "caller")]
    sink = LslSink(name, model.info, 0.5, lambda: 0.0, voices)
    inlets = {}
    for ending in ("agent", "caller", "markers"):
        (found,) = pylsl.resolve_byprop("name", f"{name}-{ending}", timeout=60)
        inlets[ending] = pylsl.StreamInlet(found)
        inlets[ending].open_stream(timeout=60)
    for prediction in expected:
        sink.window(prediction)
    sink.mark(1.0)
    sink.label(Label(start=0.5, end=1.0, label="happy", guess="sad"))
    sink.label(Label(start=0.5, end=1.0, label=None, guess="sad"))
    sink.key("7")
    sink.key("\x1b")  # a key of the terminal, and no text
    sink.end({})
    texts: list[str] = []
    while not texts or texts[-1] != "end":
        (text,), _ = inlets["markers"].pull_sample(timeout=60)
        texts.append(text)
    assert texts[-5:] == ["mark", "said:happy", "said:nothing", "key:7", "end"]
    for voice in ("agent", "caller"):
        mine = [prediction for prediction in expected if prediction.speaker == voice]
        labels = inlets[voice].info().get_channel_labels()
        for prediction in mine:
            sample, _ = inlets[voice].pull_sample(timeout=60)
            told = dict(zip(labels, sample, strict=True))
            assert told["level_db"] == pytest.approx(prediction.level_db, abs=0.1)
        changes = [f"{voice}:{one.state}" + f":{one.label}" * bool(one.label) for one in mine]
        assert [text for text in texts if text.startswith(voice)] == [
            one for number, one in enumerate(changes) if [one] != changes[number - 1 : number]
        ]


def test_the_server_s_microphone_is_sent_as_well(model: live_ser.Model, speech: Path) -> None:
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle")
    pytest.importorskip("uvicorn")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        words = ["serve", "--port", "0", "--listen", "--from", str(speech), "--osc", address]
        process = subprocess.Popen(
            [*LIVE_SER, *words, "--model", str(model.network.path)], stderr=subprocess.DEVNULL
        )
        with process:
            received = [osc_bundle.OscBundle(receiver.recv(65536)) for _ in range(2)]
            process.terminate()
    labels, window = ([one.address for one in bundle] for bundle in received)
    assert labels == ["/live-ser/labels"]
    assert "/live-ser/state" in window


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


@pytest.mark.parametrize("host", ["x" * 300, "a b", "nowhere.invalid"])
def test_a_host_that_there_is_not_is_refused_in_a_line(host: str) -> None:
    with pytest.raises(live_ser.LiveSerError, match="no host "):
        OscSink((host, 9000))


@pytest.mark.parametrize("name", ["", " "])
def test_a_stream_of_lsl_needs_a_name(model: live_ser.Model, name: str) -> None:
    pytest.importorskip("pylsl")
    from live_ser.server.lsl import LslSink

    with pytest.raises(live_ser.LiveSerError, match="needs a name"):
        LslSink(name, model.info, 0.5, lambda: 0.0)


def test_strings_are_filled_up_to_four_bytes() -> None:
    pythonosc = pytest.importorskip("pythonosc.osc_bundle")
    for text in ("", "a", "abc", "abcd", "schön"):
        (message,) = pythonosc.OscBundle(bundle([("/x", (text, 3, 0.5))]))
        assert message.params == [text, 3, 0.5]


def test_no_label_acts_as_a_pattern() -> None:
    probabilities = {"very happy": 0.5, "a/b?": 0.25, "\u00e4rgerlich": 0.25}
    prediction = Prediction(
        state="speech",
        label="very happy",
        confidence=0.5,
        probabilities=probabilities,
        activation=0.5,
        evidence=1.0,
        start=0.0,
        end=1.0,
        speech=1.0,
        since_speech=0.0,
        level_db=-20.0,
        latency_ms=1.0,
    )
    addresses = [address for address, _ in messages(prediction) if "/p/" in address]
    assert addresses == [f"/live-ser/p/{p}" for p in ("very_happy", "a_b_", "\u00e4rgerlich")]


def test_a_whole_network_can_be_sent_to() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.bind(("", 0))
        sink = OscSink(("127.255.255.255", receiver.getsockname()[1]))
        sink.mark(1.0)  # not refused, whether or not the system passes it on
        sink.close()


@pytest.mark.parametrize("number", ["ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "ENETDOWN"])
def test_a_network_that_is_gone_for_a_while_is_no_reason_to_end(
    number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []

    class Network(socket.socket):
        def sendto(self, data: bytes, *to: Any) -> int:  # type: ignore[override]
            if not sent:
                sent.append(b"")
                raise OSError(getattr(errno, number), os.strerror(getattr(errno, number)))
            sent.append(data)
            return len(data)

    monkeypatch.setattr(socket, "socket", Network)
    sink = OscSink(("127.0.0.1", 9000))
    sink.mark(1.0)
    sink.mark(2.0)
    sink.close()
    assert len(sent) == 2


def test_a_name_with_addresses_of_both_kinds_is_sent_to_by_the_usual_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        port = receiver.getsockname()[1]
        both = [
            (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        sink = OscSink(("localhost", port))
        sink.mark(1.0)
        assert receiver.recv(65536).startswith(b"#bundle")
        sink.close()


@pytest.mark.slow
@pytest.mark.real_time
@pytest.mark.parametrize("onset", [1.23, 1.41])
def test_the_times_of_lsl_are_those_of_the_sound(
    model: live_ser.Model, onset: float, tmp_path: Path
) -> None:
    """Where a tone begins within a hop, its level tells; so its moment is known to milliseconds.

    What is looked at is the file that a recorder of LSL streams wrote.
    """
    pylsl, pyxdf = pytest.importorskip("pylsl"), pytest.importorskip("pyxdf")
    from live_ser.server.lsl import LslSink
    from tests.support.xdf import Recorder

    name, hop, path = f"test-{uuid.uuid4().hex}", 0.1, tmp_path / "recording.xdf"
    tone = np.sin(2 * np.pi * 500 * np.arange(10 * RATE) / RATE).astype(np.float32)
    tone[: round(onset * RATE)] = 0
    began: list[float] = []
    script: list[Step] = [lambda: began.append(device.time.now), *in_random_blocks([tone], 1600)]
    device = ScriptedMicrophone(RATE, script, real_time=True)
    with microphone(None, RATE, opener=device) as source:
        end = time.monotonic() + 6
        session = Session(source, RATE, duration=3.0, ending=lambda: time.monotonic() > end)
        sink = LslSink(name, model.info, hop, lambda: source.behind)
        with Recorder(path, [name, f"{name}-markers"]), session:
            session.sinks.attach(sink)
            session.run(Monitor(model.network, session, hop=hop))
    since = pylsl.local_clock() - host_clock()  # one clock counts from another moment
    (numbers, markers), _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    about = numbers["info"]
    assert float(about["nominal_srate"][0]) == pytest.approx(10)
    channels = about["desc"][0]["channels"][0]["channel"]
    labels = [channel["label"][0] for channel in channels]
    assert labels[-len(model.info.labels) :] == [f"p_{label}" for label in model.info.labels]
    assert channels[labels.index("level_db")]["unit"] == ["dB"]
    levels = numbers["time_series"][:, labels.index("level_db")]
    loud = int(np.flatnonzero(levels > -60)[0])
    share = min(1.0, 10 ** ((levels[loud] - levels[loud + 2]) / 10))
    sounded = began[0] + onset + since
    assert numbers["time_stamps"][loud] - share * hop == pytest.approx(sounded, abs=0.02)
    texts = [text for (text,) in markers["time_series"]]
    assert (texts[0], texts[-1]) == ("silence", "end")


@pytest.mark.slow
def test_lsl_has_the_numbers_of_each_prediction(model: live_ser.Model, speech: Path) -> None:
    pylsl = pytest.importorskip("pylsl")
    from live_ser.server.lsl import LslSink

    name = f"test-{uuid.uuid4().hex}"
    sink = LslSink(name, model.info, 0.5, lambda: 0.0)
    inlet = pylsl.StreamInlet(pylsl.resolve_byprop("name", name, timeout=60)[0])
    inlet.open_stream(timeout=60)
    expected = model.timeline(speech)
    for prediction in expected:
        sink.window(prediction)
    samples: list[Any] = []
    while len(samples) < len(expected):
        sample, _ = inlet.pull_sample(timeout=60)
        samples.append(dict(zip(inlet.info().get_channel_labels(), sample, strict=True)))
    assert any(not math.isnan(sample["pitch"]) for sample in samples)
    for sample, prediction in zip(samples, expected, strict=True):
        for name in ("pitch", "loudness", "rate", "pauses", "pitch_change"):
            value = getattr(prediction.prosody, name, None)
            wanted = math.nan if value is None else value
            assert sample[name] == pytest.approx(wanted, abs=0.06, nan_ok=True)
        for label, probability in (prediction.probabilities or {}).items():
            assert sample[f"p_{label}"] == pytest.approx(probability, abs=1e-4)


@pytest.mark.slow
def test_listen_publishes_in_lsl(model: live_ser.Model, speech: Path) -> None:
    pylsl = pytest.importorskip("pylsl")
    name = f"test-{uuid.uuid4().hex}"
    thread = threading.Thread(
        target=live_ser_process,
        args=("listen", "--from", speech, "--lsl", name, "--model", model.network.path),
    )
    thread.start()
    (found,) = pylsl.resolve_byprop("name", name, timeout=60)
    inlet = pylsl.StreamInlet(found)
    sample, _ = inlet.pull_sample(timeout=60)
    thread.join()
    assert found.type() == "Emotion"
    assert len(sample) == found.channel_count()
