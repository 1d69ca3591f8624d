"""``live-ser serve``: sound in, records out, and nobody who has no business here."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import live_ser
from live_ser.audio.blocks import Samples
from live_ser.audio.sources import replay
from live_ser.model.profile import Profile
from live_ser.records.record import window_record
from live_ser.records.schema import check_record
from live_ser.server.access import Rules
from live_ser.server.live import Microphone
from live_ser.server.pages import description
from live_ser.server.service import Limits
from tests.support.command import LIVE_SER
from tests.support.command import live_ser as command
from tests.support.served import Record, Served, encoded, received, served
from tests.support.tiny_model import tiny_baseline, tiny_info, write_model

TOKEN = "a-token-of-some-length"
FLOATS = '{"type": "start", "rate": 16000, "encoding": "f32le"}'


@pytest.fixture(scope="module")
def model(against_model: Path) -> live_ser.Model:
    return live_ser.load(against_model)


@pytest.fixture(scope="module")
def sound(speech: Path) -> Samples:
    samples, rate = soundfile.read(speech, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, 16000), np.float32)


@pytest.fixture(scope="module")
def server(model: live_ser.Model, speech: Path) -> Iterator[Served]:
    rate = model.info.features.sample_rate
    with served(model, Microphone(lambda: replay(speech, rate, 8.0))) as running:
        yield running


def spoken(server: Served, data: bytes, /, **start: Any) -> list[Record]:
    """The records of a stream that is fed in blocks of ``size`` bytes."""
    size = start.pop("size", 3001)
    with server.stream(**start) as socket:
        for at in range(0, len(data), size):
            socket.send(data[at : at + size])
        socket.send('{"type": "stop"}')
        return received(socket)


def refused(server: Served, *messages: str | bytes) -> tuple[Record, int]:
    """The error that messages are answered with, and the close code."""
    with server.stream() as socket:
        for message in messages:
            socket.send(message)
        records = received(socket, "error")
        return records[-1], closed(socket)


def closed(socket: ClientConnection) -> int:
    """The code that a connection is closed with, whatever comes before."""
    with suppress(ConnectionClosed):
        for _ in socket:
            pass
    return socket.close_code or 0


class TestStream:
    @pytest.mark.parametrize(("encoding", "size"), [("f32le", 3001), ("s16le", 100_000)])
    def test_its_records_are_those_of_file(
        self, server: Served, model: live_ser.Model, sound: Samples, encoding: str, size: int
    ) -> None:
        heard = sound if encoding == "f32le" else np.round(sound * 32767) / 32768
        records = spoken(server, encoded(sound, encoding), size=size, encoding=encoding, rate=16000)
        assert [record["type"] for record in (records[0], records[-1])] == ["session", "end"]
        windows = [record for record in records if record["type"] == "window"]
        expected = model.timeline(np.asarray(heard, np.float32), 16000)
        assert len(windows) == len(expected) == records[-1]["windows"]
        for record, prediction in zip(windows, expected, strict=True):
            check_record(record)
            assert (record["state"], record["label"]) == (prediction.state, prediction.label)
            for name in ("start", "end", "activation", "speech", "evidence"):
                assert record[name] == pytest.approx(getattr(prediction, name), abs=1e-3)
            assert (record["probabilities"] or {}) == pytest.approx(
                prediction.probabilities or {}, abs=1e-4
            )

    def test_a_telephone_in_stereo_is_a_file_of_it(
        self, server: Served, model: live_ser.Model, sound: Samples, tmp_path: Path
    ) -> None:
        calls = np.stack([soxr.resample(sound, 16000, 8000), np.zeros(len(sound) // 2)], axis=1)
        path = tmp_path / "call.wav"
        soundfile.write(path, calls, 8000, subtype="ULAW", format="WAV")
        data = path.read_bytes()
        data = data[data.index(b"data") + 8 :]
        start = {"encoding": "mulaw", "channels": 2, "channel": 1, "turns": True}
        (*_, clip, end) = spoken(server, data, **start)
        expected = model.predict(path, channel=1)
        assert clip["type"] == "clip"
        assert clip["channel"] == 1
        assert clip["probabilities"] == pytest.approx(expected.probabilities, abs=1e-4)
        assert end["seconds"] == pytest.approx(expected.duration, abs=1e-3)

    def test_each_channel_is_classified_separately(
        self, server: Served, model: live_ser.Model, sound: Samples
    ) -> None:
        call = np.stack([sound, np.roll(sound, 20_000)], axis=1)
        start = {"encoding": "f32le", "rate": 16000, "channels": 2, "each_channel": True}
        records = spoken(
            server, call.tobytes(), **start, names=["agent", "caller"], hop=1.0, turns=True
        )
        assert (records[0]["channels"], records[0]["names"]) == (2, ["agent", "caller"])
        expected = model.timeline(call, 16000, hop=1.0, each_channel=True)
        windows = [record for record in records if record["type"] == "window"]
        assert [(one["channel"], one["end"], one["label"]) for one in windows] == [
            (one.channel, pytest.approx(one.end, abs=1e-3), one.label) for one in expected
        ]
        clips = [record for record in records if record["type"] == "clip"]
        assert [(one["speaker"], one["part"], one["parts"]) for one in clips] == [
            ("agent", 1, 2),
            ("caller", 2, 2),
        ]

    def test_there_is_nothing_to_label_before_anybody_spoke(self, server: Served) -> None:
        with server.stream(encoding="s16le", rate=16000) as socket:
            for message in ({"type": "label", "label": "happy"}, {"type": "undo"}):
                socket.send(json.dumps(message))
            socket.send(bytes(16000))
            socket.send(json.dumps({"type": "stop"}))
            records = received(socket)
        kinds = [record["type"] for record in records]
        assert kinds == ["session", "note", "note", "window", "end"]
        assert [record["message"] for record in records[1:3]] == [
            "not labelled: nobody has spoken yet",
            "no label to take back",
        ]

    def test_a_label_counts_although_the_profile_cannot_be_stored(
        self, sound: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        info = tiny_info(baseline=tiny_baseline())
        model = live_ser.load(write_model(tmp_path / "tiny.onnx", info, embedding=1.0))
        with (
            served(model) as server,
            server.stream(encoding="s16le", rate=16000, profile="anna") as socket,
        ):
            socket.send(encoded(sound[:48000], "s16le"))
            assert received(socket, "window")
            (tmp_path / "live-ser").write_text("a file where the folder of profiles should be")
            socket.send(json.dumps({"type": "label", "label": "happy"}))
            label, note = received(socket, "note")[-2:]
            assert (label["type"], label["label"]) == ("label", "happy")
            assert "profile" in note["message"]
            socket.send(json.dumps({"type": "stop"}))
            assert received(socket)[-1]["type"] == "end"

    def test_a_label_is_kept_in_the_profile_and_undone(
        self, sound: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        info = tiny_info(baseline=tiny_baseline())
        model = live_ser.load(write_model(tmp_path / "tiny.onnx", info, embedding=1.0))
        messages = [{"type": "label", "label": "happy"}, {"type": "undo"}]
        messages += [{"type": "label", "label": "sad"}, {"type": "stop"}]
        with (
            served(model) as server,
            server.stream(encoding="s16le", rate=16000, profile="anna") as socket,
        ):
            socket.send(encoded(sound[:48000], "s16le"))
            for message in messages:
                socket.send(json.dumps(message))
            labels = [record for record in received(socket) if record["type"] == "label"]
        assert [label["label"] for label in labels] == ["happy", None, "sad"]
        kept = Profile.named("anna", model.network).read()
        assert kept is not None
        assert [take.emotion for take in kept[1]] == ["sad"]

    def test_marks_labels_gaps_and_turns_are_records(self, server: Served, sound: Samples) -> None:
        with server.stream(encoding="s16le", rate=16000, turns=True, hop=1.0) as socket:
            socket.send(encoded(sound[:48000], "s16le"))
            for message in (
                {"type": "mark"},
                {"type": "label", "label": "happy"},
                {"type": "ping"},
                {"type": "turn"},
                {"type": "gap", "seconds": 2.5, "reason": "paused"},
                {"type": "stop"},
            ):
                socket.send(json.dumps(message))
            records = {record["type"]: record for record in received(socket)}
        assert records["mark"]["time"] == 3.0
        check_record(records["label"])
        assert records["label"]["label"] == "happy"
        assert 0 <= records["label"]["start"] < records["label"]["end"] <= 3.0
        assert records["session"]["hop"] == 1.0
        assert (records["gap"]["start"], records["gap"]["end"]) == (3.0, 5.5)
        assert records["end"]["seconds"] == 5.5

    @pytest.mark.parametrize(
        ("code", "messages"),
        [
            ("not_started", [b"\x00\x00"]),
            ("bad_message", ["no JSON"]),
            ("bad_message", ["[]"]),
            ("bad_message", ['{"type": "go"}']),
            ("bad_start", ['{"type": "start"}']),
            ("bad_start", ['{"type": "start", "encoding": "s16le", "rate": null}']),
            ("bad_start", ['{"type": "start", "rate": 7999}']),
            ("bad_start", ['{"type": "start", "rate": 48001}']),
            ("bad_start", ['{"type": "start", "rate": 1e999}']),
            ("bad_start", ['{"type": "start", "rate": 16000, "encoding": "mp3"}']),
            ("bad_start", ['{"type": "start", "rate": 16000, "channels": 9}']),
            ("bad_start", ['{"type": "start", "rate": 16000, "channels": 2, "channel": 3}']),
            ("bad_start", ['{"type": "start", "rate": 16000, "hop": 100}']),
            ("bad_start", ['{"type": "start", "rate": 16000, "profile": "../x"}']),
            ("bad_start", ['{"type": "start", "rate": 16000, "typo": 1}']),
            (
                "bad_sound",
                [
                    '{"type":"start","rate":16000,"encoding":"f32le"}',
                    b"\xff" * 8,
                    '{"type":"stop"}',
                ],
            ),
            ("bad_sound", ['{"type":"start","rate":16000,"encoding":"f32le"}', b"\xff" * 32000]),
            ("bad_message", ['{"type": "start", "rate": 16000}', '{"type": "gap"}']),
            ("bad_message", ['{"type": "start", "rate": 16000}', '{"type": "turn"}']),
            ("bad_message", ['{"type": "start", "rate": 16000}', "x" * 5000]),
        ],
    )
    def test_what_cannot_be_used_is_an_error_with_a_code(
        self, server: Served, code: str, messages: list[str | bytes]
    ) -> None:
        error, close = refused(server, *messages)
        assert (error["code"], close) == (code, 4400)
        assert error["message"]

    def test_a_message_that_is_too_long_is_not_taken(self, server: Served) -> None:
        with server.stream(rate=16000) as socket:
            socket.send(bytes((1 << 20) + 2))
            assert closed(socket) == 1009

    def test_there_are_bounds_on_sessions_and_idle_time(self, model: live_ser.Model) -> None:
        with served(model, limits=Limits(sessions=1, idle=0.3)) as server:
            with server.stream(rate=16000) as first:
                assert json.loads(first.recv(60))["type"] == "session"
                assert server.get("/readyz")[0] == 503
                error, code = refused(server)
                assert (error["code"], code) == ("busy", 1013)
                assert [record["type"] for record in received(first)] == ["error", "end"]
                assert closed(first) == 4408
            with server.stream(rate=16000) as second:
                assert json.loads(second.recv(60))["type"] == "session"

    def test_no_more_streams_are_taken_than_there_is_time_for(self, model: live_ser.Model) -> None:
        with served(model, limits=Limits(late=-1.0)) as server:  # any delay is too long
            error, code = refused(server)
            assert (error["code"], code) == ("busy", 1013)
            assert server.get("/readyz") == (503, b"full\n")

    def test_who_sends_faster_than_is_allowed_has_to_wait(self, model: live_ser.Model) -> None:
        limits = Limits(speed=4.0, ahead=1.0)
        with served(model, limits=limits) as server:
            with server.stream(rate=8000) as socket:
                for _ in range(5):
                    socket.send(bytes(16000))
                socket.send('{"type": "stop"}')
                received(socket)
            sessions = server.server.service.metrics
            assert sessions.value("sound_seconds_total") == pytest.approx(5, abs=0.1)

    def test_the_others_have_their_records_while_some_misbehave(
        self, server: Served, model: live_ser.Model, sound: Samples
    ) -> None:
        """One stalls, one floods, one sends garbage, one lies about its rate, one hangs up."""
        expected = [prediction.label for prediction in model.timeline(sound, 16000)]
        with ExitStack() as stack:
            stalled = stack.enter_context(server.stream(rate=16000))
            flooding = stack.enter_context(server.stream(rate=48000))
            lying = stack.enter_context(server.stream(rate=8000, encoding="f32le"))
            done = threading.Event()

            def flood() -> None:
                while not done.is_set():
                    try:
                        flooding.send(bytes(1 << 19))
                    except ConnectionClosed:
                        return

            thread = threading.Thread(target=flood)
            thread.start()
            stalled.send(bytes(3))
            lying.send(encoded(sound, "f32le"))
            gone = stack.enter_context(server.stream(rate=16000))
            gone.send(bytes(16000))
            gone.socket.close()
            garbage = np.random.default_rng(0).bytes(100_001)
            spoken(server, garbage, rate=44100)
            records = spoken(server, encoded(sound, "f32le"), encoding="f32le", rate=16000)
            done.set()
            flooding.socket.close()
            thread.join(60)
        assert [r["label"] for r in records if r["type"] == "window"] == expected

    def test_any_messages_end_in_records_or_an_error(self, server: Served) -> None:
        fuzz(server, 200, seed=1)

    @pytest.mark.slow
    def test_ten_thousand_messages_end_in_records_or_an_error(self, server: Served) -> None:
        fuzz(server, 10_000, seed=2)

    def test_a_profile_is_begun_with_and_kept(
        self, server: Served, sound: Samples, home: Path
    ) -> None:
        start = {"encoding": "f32le", "rate": 16000, "profile": "anna"}
        spoken(server, encoded(sound, "f32le"), **start)
        assert [path.name for path in home.rglob("profiles/*.json")] == ["anna.json"]
        records = spoken(server, encoded(sound, "f32le"), **start)
        first = next(record for record in records if record.get("label"))
        assert first["baseline"] > 3


def fuzz(server: Served, count: int, seed: int) -> None:
    """Send messages that are made up; each stream ends in order, and the server goes on."""
    rng = random.Random(seed)
    left = count
    while left > 0:
        with server.stream() as socket:
            try:
                for message in made_up(rng):
                    left -= 1
                    socket.send(message)
                socket.send('{"type": "stop"}')
                records = received(socket)
                assert records[-1]["type"] in ("end", "error")
            except ConnectionClosed:
                pass
    assert server.get("/healthz") == (200, b"ok\n")
    assert server.server.service.metrics.value("errors_total", "internal") == 0


def made_up(rng: random.Random) -> Iterator[str | bytes]:
    """A few messages, most of them nearly right."""
    if rng.random() < 0.8:
        rate = rng.choice([8000, 16000, 44100, 48000, 16000.5, -1, None, "16000"])
        start: dict[str, Any] = {
            "type": "start",
            "rate": rate,
            "encoding": rng.choice(["s16le", "f32le", "mulaw"]),
        }
        extras: list[dict[str, Any]] = [
            {},
            {"hop": 0.05},
            {"channels": 3},
            {"turns": True},
            {"x": []},
        ]
        start |= rng.choice(extras)
        yield json.dumps(start)
    for _ in range(rng.randrange(1, 12)):
        value: Any = rng.choice([0, 1, -1, 1e308, "x", None, [], {}, True, "happy"])
        kind = rng.choice(["mark", "gap", "label", "turn", "ping", "start", "?", value])
        text = json.dumps({"type": kind, "seconds": value, "label": value, "reason": "paused"})
        messages: list[str | bytes] = [
            rng.randbytes(rng.randrange(0, 9000)),
            bytes(rng.randrange(0, 9000)),
            text,
            text[: rng.randrange(len(text))],
            "\x00\ud7ff\U0001f600" * rng.randrange(9),
            "[" * rng.randrange(3000),
        ]
        yield rng.choice(messages)


class TestLive:
    def test_a_reader_starts_marks_and_stops_the_microphone(self, server: Served) -> None:
        with server.live() as socket:
            assert json.loads(socket.recv(60))["state"] == "off"
            socket.send('{"type": "start"}')
            received(socket, "window")
            socket.send('{"type": "mark"}')
            received(socket, "mark")
            socket.send('{"type": "stop"}')
            assert received(socket)[-1]["windows"] > 0

    def test_events_are_the_same_records(self, server: Served) -> None:
        import urllib.request

        with (
            urllib.request.urlopen(f"{server.url}/v1/events", timeout=60) as events,
            server.live() as socket,
        ):
            socket.send('{"type": "start"}')
            records = received(socket)
            lines = (json.loads(line[6:]) for line in events if line.startswith(b"data: "))
            seen = []
            for record in lines:
                seen.append(record)
                if record["type"] == "end":
                    break
        session = [record["type"] for record in records].index("session")
        assert seen[-len(records[session:]) :] == records[session:]

    def test_a_late_reader_gets_the_session_and_the_newest_records(
        self, model: live_ser.Model, speech: Path
    ) -> None:
        microphone = Microphone(lambda: replay(speech, 16000, 8.0, endless=True))
        with served(model, microphone, listening=True) as server:
            with server.live() as first:
                received(first, "window")
                received(first, "window")
                with server.live(history=2) as second:
                    kinds = [json.loads(second.recv(60))["type"] for _ in range(4)]
                assert kinds == ["live", "session", "window", "window"]
            assert server.get("/metrics")[1].count(b"live_ser_listening 1") == 1

    def test_a_reader_who_does_not_read_is_dropped_and_the_others_go_on(
        self, server: Served
    ) -> None:
        from live_ser.server.readers import Broadcast

        broadcast = Broadcast(server.server.service)
        slow, quick = broadcast.join(), broadcast.join()
        for number in range(1000):
            broadcast.publish({"type": "window", "end": number})
            if number == 200:  # the quick one takes what came
                quick._waiting.clear()
            if number % 100 == 0:
                quick._waiting.clear()
        assert slow.close == 4409
        assert quick.close == 0
        for reader in (slow, quick):
            broadcast.part(reader)

    def test_a_microphone_that_cannot_be_opened_is_an_error(self, model: live_ser.Model) -> None:
        def missing() -> Any:
            raise live_ser.LiveSerError("no microphone was found", "plug one in")

        with served(model, Microphone(missing)) as server, server.live() as socket:
            socket.send('{"type": "start"}')
            error = received(socket, "error")[-1]
            assert (error["code"], error["hint"]) == ("microphone", "plug one in")


class TestFile:
    def test_a_posted_recording_has_the_records_of_file(
        self, server: Served, model: live_ser.Model, speech: Path
    ) -> None:
        status, body = server.get(
            "/v1/file?timeline=1&segments=true&name=a.flac", data=speech.read_bytes()
        )
        assert status == 200
        records = [json.loads(line) for line in body.splitlines()]
        done = command(
            *("file", speech, "--timeline", "--segments", "--format", "jsonl"),
            *("--model", model.network.path),
        )
        expected = [json.loads(line) for line in done.stdout.splitlines()]
        for record in (*records, *expected):
            for name in ("key", "latency_ms", "source"):
                record.pop(name, None)
        assert records == expected

    def test_each_channel_has_the_records_of_file(
        self, server: Served, model: live_ser.Model, sound: Samples, tmp_path: Path
    ) -> None:
        path = tmp_path / "call.wav"
        soundfile.write(path, np.stack([sound, np.roll(sound[::-1], 9000)], axis=1), 16000)
        query = "each_channel=true&names=agent,caller&segments=1&name=call.wav"
        status, body = server.get(f"/v1/file?{query}", data=path.read_bytes())
        assert status == 200
        found = [json.loads(line) for line in body.splitlines()]
        done = command(
            *("file", path, "--each-channel", "--names", "agent,caller", "--segments"),
            *("--format", "jsonl", "--model", model.network.path),
        )
        expected = [json.loads(line) for line in done.stdout.splitlines()]
        for record in expected:
            record["source"] = "call.wav"
            del record["key"]
        assert found == expected
        assert {(one["channel"], one["speaker"]) for one in found} == {(1, "agent"), (2, "caller")}
        status, body = server.get("/v1/file?names=agent,caller", data=path.read_bytes())
        assert (status, json.loads(body)["hint"]) == (400, "each_channel=true")
        query = "each_channel=true&names=agent,caller,third"
        status, body = server.get(f"/v1/file?{query}", data=path.read_bytes())
        assert (status, json.loads(body)["code"]) == (422, "bad_sound")

    def test_a_recording_that_is_not_done_when_the_server_ends_says_so(
        self, model: live_ser.Model, speech: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("live_ser.batch.jobs._REPORT_EVERY", 0.0)
        with served(model) as server:
            service = server.server.service
            record = window_record

            def end(prediction: live_ser.Prediction) -> dict[str, Any]:
                service.ending = True
                return record(prediction)

            monkeypatch.setattr("live_ser.batch.jobs.window_record", end)  # half way
            status, body = server.get("/v1/file?timeline=1", data=speech.read_bytes())
            assert (status, json.loads(body)["code"]) == (503, "ending")

    def test_what_is_no_recording_is_an_error_that_tells_no_path(self, server: Served) -> None:
        status, body = server.get("/v1/file?name=x.wav", data=b"no sound at all")
        error = json.loads(body)
        assert (status, error["code"]) == (422, "bad_sound")
        assert "x.wav" in error["message"]
        assert "/sound" not in error["message"]

    def test_a_form_is_refused_with_what_to_send_instead(self, server: Served) -> None:
        form = {"Content-Type": "multipart/form-data; boundary=x"}
        status, body = server.get("/v1/file", form, b"--x\r\n\r\nRIFF\r\n--x--\r\n")
        error = json.loads(body)
        assert (status, error["code"]) == (400, "bad_request")
        assert "--data-binary @FILE" in error["hint"]

    def test_what_one_should_know_of_it_comes_first(self, server: Served, sound: Samples) -> None:
        stereo = np.stack([sound, -sound], axis=1)
        query = "raw=f32le&rate=16000&channels=2&name=call"
        status, body = server.get(f"/v1/file?{query}", data=stereo.astype("<f4").tobytes())
        note, clip = (json.loads(line) for line in body.splitlines())
        assert (status, note["type"], clip["type"]) == (200, "note", "clip")
        assert "cancel each other out" in note["message"]

    @pytest.mark.parametrize(
        ("query", "hint"),
        [
            ("x=1", "each_channel"),
            ("timeline=maybe", "timeline=true"),
            ("channel=two", "channel=1"),
            ("channel=-1", "count from 1"),
            ("rate=8000", "as in raw=s16le&rate=8000&channels=1"),
            ("raw=s16le", "as in raw=s16le&rate=8000&channels=1"),
            ("each_channel=1&channel=2", "leave one out"),
            ("raw=s16le&rate=0", ""),
            ("raw=s16le&rate=8000&channels=0", ""),
            ("raw=s16le&rate=-1", ""),
        ],
    )
    def test_parameters_are_checked_and_hints_speak_of_them(
        self, server: Served, query: str, hint: str
    ) -> None:
        status, body = server.get(f"/v1/file?{query}", data=b"x")
        error = json.loads(body)
        assert (status, error["code"]) == (400, "bad_request")
        assert hint in error["hint"]
        assert error["hint"]
        assert "`" not in error["hint"]

    def test_a_file_that_is_too_large_is_not_taken(self, model: live_ser.Model) -> None:
        with served(model, limits=Limits(file_bytes=1000)) as server:
            assert server.get("/v1/file", data=bytes(5000))[0] == 413


class TestAccess:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Host": "evil.example"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        ],
    )
    def test_another_host_or_origin_gets_nothing(
        self, server: Served, headers: dict[str, str]
    ) -> None:
        for path in ("/", "/v1/info", "/v1/events", "/metrics", "/healthz"):
            status, body = server.get(path, headers)
            error = json.loads(body)
            assert (status, error["code"], bool(error["hint"])) == (403, "refused", True)
        assert server.get("/v1/file", headers, data=b"x")[0] == 403
        if "Origin" in headers:
            url = f"ws://127.0.0.1:{server.port}/v1/stream"
            with (
                pytest.raises(InvalidStatus) as error,
                connect(url, additional_headers=headers),
            ):
                pass
            assert error.value.response.status_code == 403

    def test_its_own_page_and_programs_get_in(self, server: Served) -> None:
        assert server.get("/v1/info")[0] == 200
        assert server.get("/v1/info", {"Origin": server.url})[0] == 200
        assert server.get("/v1/info", {"Host": f"localhost:{server.port}"})[0] == 200
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert server.get("/", {**link, "Sec-Fetch-Dest": "document"})[0] == 200
        assert server.get("/", {**link, "Sec-Fetch-Dest": "iframe"})[0] == 403

    def test_an_origin_that_is_allowed_gets_in(self, model: live_ser.Model) -> None:
        rules = Rules(origins=("https://good.example",))
        with served(model, rules=rules) as server:
            assert server.get("/v1/info", {"Origin": "https://good.example"})[0] == 200
            assert server.get("/v1/info", {"Origin": "https://good.example.evil"})[0] == 403

    def test_without_the_token_nobody_gets_in(self, model: live_ser.Model) -> None:
        with served(model, rules=Rules(token=TOKEN)) as server:
            assert server.get("/v1/info")[0] == 403
            assert server.get("/v1/info", {"Authorization": "Bearer wrong"})[0] == 403
            assert server.get("/v1/info", {"Authorization": f"Bearer {TOKEN}"})[0] == 200
            assert server.get("/v1/info", {"Cookie": f"live_ser_token={TOKEN}"})[0] == 200
            assert server.get(f"/v1/info?token={TOKEN}")[0] == 200
            assert server.get("/healthz")[0] == 200
            with pytest.raises(InvalidStatus), server.stream(rate=16000):
                pass
            with connect(f"ws://127.0.0.1:{server.port}/v1/live?token={TOKEN}") as socket:
                assert json.loads(socket.recv(60))["type"] == "live"

    def test_others_can_reach_it_with_a_token_only(self, model: live_ser.Model) -> None:
        done = command("serve", "--host", "0.0.0.0", "--model", model.network.path)
        assert done.returncode == 2
        assert "--token" in done.stderr
        done = command("serve", "--token", "short", "--model", model.network.path)
        assert done.returncode == 2


def test_a_path_that_there_is_not_is_an_error_like_any_other(server: Served) -> None:
    status, body = server.get("/v1/nothing")
    assert (status, json.loads(body)["code"]) == (404, "http")
    with (
        pytest.raises(InvalidStatus) as error,
        connect(f"ws://127.0.0.1:{server.port}/v1/nothing"),
    ):
        pass
    assert error.value.response.status_code == 404


def test_who_asks_for_a_stream_without_a_websocket_is_told_so(server: Served) -> None:
    for path in ("/v1/stream", "/v1/live"):
        status, body = server.get(path)
        assert (status, json.loads(body)["message"]) == (426, f"{path} takes WebSockets")


def test_the_policy_of_the_pages_lets_them_ask_nobody_else(server: Served) -> None:
    import urllib.request

    for path in ("/", "/overlay", "/docs"):
        with urllib.request.urlopen(server.url + path) as answer:
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            text = answer.read().decode()
        assert "http://" not in text
        assert "https://" not in text
    assert server.get("/page/secret.py")[0] == 404


def test_the_description_names_every_endpoint(server: Served, model: live_ser.Model) -> None:
    routes = {route.path for route in server.server.app.routes if "{" not in route.path}  # type: ignore[attr-defined]
    found = description(model.info)
    assert set(found["paths"]) == routes
    assert json.loads(server.get("/openapi.json")[1])["openapi"].startswith("3.1")
    assert b"/v1/stream" in server.get("/docs")[1]


def test_the_metrics_are_those_of_prometheus(server: Served) -> None:
    lines = server.get("/metrics")[1].decode().splitlines()
    values = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    assert all(name.startswith("live_ser_") for name, _, _ in values)
    assert all(float(value) >= 0 for _, _, value in values)


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_a_signal_ends_every_session_with_its_end(
    model: live_ser.Model, speech: Path, tmp_path: Path
) -> None:
    home = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    words = ["serve", "--port", "0", "--model", str(model.network.path), "--from", str(speech)]
    with subprocess.Popen(
        [*LIVE_SER, *words, "--listen"], stderr=subprocess.PIPE, text=True, env=home
    ) as process:
        assert process.stderr is not None
        url = process.stderr.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        port = int(url.rstrip("/").rpartition(":")[2])
        hint = process.stderr.readline()
        assert all(word in hint for word in ("/overlay", "/docs", "Ctrl-C"))
        with pytest.raises(InvalidStatus), connect(f"ws://127.0.0.1:{port}/v1/nothing"):
            pass  # and no log of it: see below
        with connect(f"ws://127.0.0.1:{port}/v1/stream") as garbage:
            garbage.send(b"\xff\xfe", text=True)
            assert closed(garbage) == 1007  # and no log of it
        with (
            connect(f"ws://127.0.0.1:{port}/v1/stream") as stream,
            connect(f"ws://127.0.0.1:{port}/v1/live") as live,
        ):
            stream.send('{"type": "start", "rate": 16000}')
            stream.send(bytes(16000))
            received(stream, "window")
            received(live, "window")
            process.send_signal(signal.SIGTERM)
            assert received(stream)[-1]["type"] == "end"
            assert received(live)[-1]["type"] == "end"
            assert closed(stream) == 1001
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []  # sound is kept nowhere
