"""``live-ser listen``: data on standard output, everything else on standard error."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from live_ser.audio.demo import DEMO
from live_ser.records.reader import read_records
from live_ser.records.schema import check_record
from tests.support.command import (
    LIVE_SER,
    live_ser,
    live_ser_closed_early,
    live_ser_process,
    records,
)


def test_into_a_pipe_it_writes_only_json_lines(tiny_model: Path, speech: Path) -> None:
    run = live_ser("listen", "--model", tiny_model, "--from", speech, "--speed", "0")
    assert run.returncode == 0
    session, *windows, end = records(run.stdout)
    for record in records(run.stdout):
        check_record(record)
    assert session["type"] == "session"
    assert session["source"] == speech.name
    assert {w["type"] for w in windows} == {"window"}
    assert end["type"] == "end"
    assert end["windows"] == len(windows)
    assert end["skipped"] == end["overflows"] == 0
    assert "\x1b" not in run.stdout + run.stderr


def test_a_replay_is_classified_as_the_file_is(tiny_model: Path, speech: Path) -> None:
    options = ["--model", tiny_model, "--format", "jsonl"]
    live = live_ser("listen", *options, "--from", speech, "--speed", "0")
    file = live_ser("file", *options, "--timeline", speech)
    for record in (heard := records(live.stdout)[1:-1]) + (read := records(file.stdout)[:-1]):
        record.pop("latency_ms")
        record.pop("source", None)
        record.pop("key", None)
    assert heard == read


def test_a_replay_in_real_time_is_classified_as_one_at_full_speed(
    tiny_model: Path, speech: Path
) -> None:
    words = ["listen", "--model", tiny_model, "--from", speech, "--duration", "3"]
    real_time, fast = live_ser(*words), live_ser(*words, "--speed", "0")
    one, other = records(real_time.stdout)[1:], records(fast.stdout)[1:]
    for record in one + other:
        record.pop("latency_ms", None)
    assert one == other


def test_duration_ends_it(tiny_model: Path, speech: Path) -> None:
    words = ["listen", "--model", tiny_model, "--from", speech, "--speed", "0"]
    end = records(live_ser(*words, "--duration", "2.25").stdout)[-1]
    assert end["seconds"] == 2.25
    assert end["windows"] == 5


def test_the_output_file_holds_the_session(tiny_model: Path, speech: Path, tmp_path: Path) -> None:
    out = tmp_path / "session.jsonl"
    words = ["listen", "--model", tiny_model, "--from", speech, "--speed", "0", "-o", out]
    run = live_ser(*words)
    assert (run.returncode, run.stdout) == (0, "")
    assert next(r["type"] for r in read_records(out)) == "session"
    again = live_ser(*words)
    assert again.returncode == 1
    assert "--force" in again.stderr


def test_a_table_has_a_line_for_each_window(tiny_model: Path, speech: Path) -> None:
    words = ["listen", "--model", tiny_model, "--from", speech, "--speed", "0"]
    run = live_ser(*words, "--format", "table", "--duration", "2")
    lines = run.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["0.5", "1.0", "1.5", "2.0"]


def test_quiet_says_nothing_beside_the_data(tiny_model: Path, speech: Path) -> None:
    run = live_ser("listen", "-q", "--model", tiny_model, "--from", speech, "--speed", "0")
    assert run.stderr == ""
    assert records(run.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_in_order(tiny_model: Path, speech: Path, name: str) -> None:
    words = ["listen", "--model", str(tiny_model), "--from", str(speech), "--speed", "0.5"]
    with subprocess.Popen(
        [*LIVE_SER, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(3)]
        process.send_signal(getattr(signal, name))
        rest, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert records("".join(first) + rest)[-1]["type"] == "end"
    assert "Traceback" not in said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no broken pipes of this kind")
def test_a_reader_that_has_enough_ends_it_quietly(tiny_model: Path, speech: Path) -> None:
    words = ["listen", "-q", "--model", tiny_model, "--from", speech, "--speed", "4"]
    run = live_ser_closed_early(*words)
    assert (run.returncode, run.stderr) == (0, "")


def test_without_a_microphone_it_says_so_and_what_to_try(
    tiny_model: Path, no_microphone: dict[str, str]
) -> None:
    run = live_ser_process("listen", "--model", tiny_model, env=no_microphone)
    assert run.returncode == 1
    why, what = run.stderr.splitlines()
    assert "microphone" in why
    assert "--from FILE" in what


def test_or_demo_replays_a_recording_when_there_is_no_microphone(
    tiny_model: Path, no_microphone: dict[str, str]
) -> None:
    run = live_ser_process(
        "listen", "--or-demo", "--duration", "2", "--model", tiny_model, env=no_microphone
    )
    assert run.returncode == 0
    assert "no microphone was found; a bundled recording is replayed" in run.stderr
    assert "this was a synthesised voice: people are recognised far less well" in run.stderr
    session, *windows, _ = records(run.stdout)
    assert session["source"] == "demo.flac (no microphone)"
    assert len(windows) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--speed", "-1"], "less than 0"),
        (["--speed", "nan"], "--speed: nan is no number"),
        (["--enroll", "ten"], "--enroll: ten is no number"),
        (["--channels", "1.5"], "--channels: 1.5 is no whole number"),
        (["--duration", "0"], "not more than 0"),
        (["--duration", "1e305"], "1e305 is more than 1e+09"),
        (["--channels", "2"], "channels: it says"),
        (["--raw", "s16le"], "without its rate"),
        (["--channels", "0"], "less than 1"),
        (["--hop", "9"], "hop of 9 s"),
        (["--smoothing", "-1"], "smoothing of -1 s"),
    ],
)
def test_options_that_cannot_be_are_wrong_usage(
    tiny_model: Path, speech: Path, words: list[str], said: str
) -> None:
    run = live_ser("listen", "--model", tiny_model, "--from", speech, "--speed", "0", *words)
    assert run.returncode == 2
    assert said in run.stderr
    assert run.stdout == ""


def test_a_replay_of_a_bad_file_is_one_line(tiny_model: Path, tmp_path: Path) -> None:
    run = live_ser("listen", "--model", tiny_model, "--from", tmp_path / "missing.wav")
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 2
    assert "Traceback" not in run.stderr


def test_verbose_shows_where_an_error_came_from(tiny_model: Path, tmp_path: Path) -> None:
    run = live_ser("listen", "-v", "--model", tiny_model, "--from", tmp_path / "missing.wav")
    assert run.returncode == 1
    assert "Traceback" in run.stderr


_WATCHED = """
import sys
sys.addaudithook(lambda event, _: event.startswith("socket.") and sys.exit(f"it used {event}"))
from live_ser.cli.main import main
sys.exit(main())
"""


def test_no_socket_is_opened(tiny_model: Path, speech: Path, tmp_path: Path) -> None:
    words = ["--model", tiny_model, "--from", speech, "--speed", "0", "-o", tmp_path / "it.jsonl"]
    run = subprocess.run(
        [sys.executable, "-c", _WATCHED, "listen", *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert records((tmp_path / "it.jsonl").read_text("utf-8"))[-1]["type"] == "end"


def test_with_lines_standard_output_has_a_line_for_each_change_of_the_verdict(
    tiny_model: Path, speech: Path, tmp_path: Path
) -> None:
    words = ["listen", "--model", tiny_model, "--from", speech, "--speed", "0", "--lines"]
    kept = tmp_path / "kept.jsonl"
    run = live_ser(*words, "-o", kept)
    assert run.returncode == 0
    lines = run.stdout.splitlines()
    assert all(re.fullmatch(r"\d+:\d\d:\d\d  [a-z ]+( \d+ %)?", line) for line in lines)
    assert 1 < len(lines) < 15
    assert all(a[9:] != b[9:] for a, b in itertools.pairwise(lines))
    assert records(kept.read_text("utf-8"))[0]["type"] == "session"  # records go on as ever
    refused = live_ser(*words, "--format", "csv")
    assert refused.returncode == 2
    assert "--lines and --format" in refused.stderr


@pytest.mark.skipif(shutil.which("script") is None, reason="script makes the terminal")
def test_a_terminal_without_a_screen_gets_lines_and_no_records(
    tiny_model: Path, speech: Path
) -> None:
    words = [*LIVE_SER, "listen", "--model", tiny_model, "--from", speech, "--speed", "0"]
    command = ["script", "-qec", shlex.join(map(str, words)), "/dev/null"]
    shown = subprocess.run(
        command, check=True, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "dumb"},
    ).stdout  # fmt: skip
    assert re.search(r"^0:00:0\d  \w+", shown, re.MULTILINE)
    assert "{" not in shown
    assert "\x1b" not in shown


def test_the_end_tells_what_was_heard_where_it_lies_and_what_comes_next(
    tiny_model: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVE_SER_COMMAND", "./live-ser")  # as the script of a checkout sets it
    kept, sound = tmp_path / "a session.jsonl", tmp_path / "a.flac"
    words = ["listen", "--model", tiny_model, "--from", speech, "--speed", "0"]
    said = live_ser(*words, "-o", kept, "--record", sound).stderr.splitlines()
    assert re.fullmatch(r"[\d.]+ s heard, [\d.]+ s of it speech", said[1])
    assert re.fullmatch(r"of the speech: .* \d+ %; activation 0\.\d\d on average", said[2])
    assert said[3:] == [
        f"sound: {sound}",
        f"record: {kept}",
        f"next: ./live-ser report {shlex.quote(str(kept))} --audio {sound}",
    ]


def test_the_end_and_the_report_of_a_session_tell_the_same_shares(tmp_path: Path) -> None:
    kept, page = tmp_path / "session.jsonl", tmp_path / "page.html"
    said = live_ser("listen", "--from", DEMO, "--speed", "0", "-o", kept).stderr.splitlines()
    assert live_ser("report", kept, "-o", page).returncode == 0
    table = page.read_text("utf-8").split('id="shares"')[1].split("</table>")[0]
    number = r'</td><td class="number">'
    rows = re.findall(rf"(\w+){number}[\d:]+{number}\d+ %{number}(\d+) %", table)
    assert len(rows) > 3
    told = ", ".join(f"{name} {share} %" for name, share in rows if share != "0")
    assert said[2].startswith(f"of the speech: {told};")
