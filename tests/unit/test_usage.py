"""What the command line says of wrong usage, which defaults it takes, and what shells complete."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from live_ser.cli.commands.serve import origin_of
from live_ser.cli.completion import SHELLS
from live_ser.cli.defaults import config_path, defaults
from live_ser.cli.main import main
from live_ser.cli.parser import parser
from live_ser.errors import AudioError, LiveSerError, unreadable, unwritable


@pytest.fixture
def config() -> Path:
    """The path of the user's configuration, which nobody has written yet."""
    path = config_path()
    assert path is not None
    path.parent.mkdir(parents=True)
    return path


def test_what_the_developer_has_set_reaches_no_test(
    developer: dict[str, str], home: Path, config: Path
) -> None:
    assert defaults() == {}
    assert home in config.parents
    assert developer.get("HOME") != str(home)


@pytest.mark.parametrize(
    ("words", "problem", "usage"),
    [
        ("lisen", "no command lisen; did you mean listen?", "live-ser COMMAND"),
        ("file a.wav --fromat csv", "no option --fromat; did you mean --format?", "live-ser file"),
        ("file --from=", "--from: it is empty", "live-ser file"),
        ("listen --record=", "--record: it is empty", "live-ser listen"),
        ("listen --enrol=3", "no option --enrol; did you mean --enroll?", "live-ser listen"),
        ("file a.wav --format cvs", "no choice cvs; did you mean csv?", "live-ser file"),
        (
            "completion tcsh",
            "completion: there is no choice tcsh; choose from bash",
            "live-ser comp",
        ),
        (__file__, f"did you mean live-ser file {__file__}?", "live-ser COMMAND"),
        ("x" * 300, "there is no command xxx", "live-ser COMMAND"),
        ("info a b", "b is one argument too many", "live-ser info"),
    ],
)
def test_wrong_words_are_answered_with_what_was_meant(
    words: str, problem: str, usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    first, second = capsys.readouterr().err.splitlines()
    assert problem in first
    assert second.startswith(f"  usage: {usage}")


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        ("teach --profile a --from x --emotions happy", "for the guided session", "--from"),
        ("teach --profile a --from x --rounds 3", "for the guided session", "--from"),
        ("serve --allow-origin example.org", "'example.org' is not an origin", "https://"),
        ("serve --allow-origin https://a.org/page", "is not an origin", "without a path"),
        ("serve --allow-origin *", "'*' is not an origin", "https://"),
        ("profiles delete", "delete takes 1 name", "live-ser profiles delete NAME"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    words: str, problem: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert problem in first
    assert hint in second


def test_a_recording_that_is_not_there_is_refused_before_it_is_served(
    tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--model", str(tiny_model), "--from", "missing.wav"]) == 1
    assert "there is no file missing.wav" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("https://Example.org/", "https://example.org"),
        ("https://example.org:443", "https://example.org"),
        ("http://localhost:3000", "http://localhost:3000"),
    ],
)
def test_an_origin_is_taken_as_browsers_send_it(typed: str, sent: str) -> None:
    assert origin_of(typed) == sent


def test_without_a_command_all_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr().err
    assert all(f"\n    {name}" in shown for name in parser().commands())


def test_help_is_there_for_whoever_has_set_what_cannot_be(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('palette = "rainbow"')
    assert main(["listen"]) == 1
    assert "config.toml sets palette" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["listen", "--help"])
    assert ended.value.code == 0
    assert "--palette" in capsys.readouterr().out


def test_a_command_blames_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report"])
    assert capsys.readouterr().err.startswith("live-ser report: ")


def test_the_command_line_overrides_the_environment_and_that_the_file(
    config: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config.write_text(f'hop = 0.25\nsmoothing = 3\nmodel = "{tiny_model}"\n')
    monkeypatch.setenv("LIVE_SER_HOP", "0.5")
    seen: dict[str, Any] = {}
    monkeypatch.setattr(
        "live_ser.cli.commands.file.run", lambda arguments: bool(seen.update(vars(arguments)))
    )
    assert main(["file", "x.wav", "--smoothing", "0"]) == 0
    assert (seen["model"], seen["hop"], seen["smoothing"]) == (str(tiny_model), 0.5, 0.0)
    monkeypatch.setenv("LIVE_SER_HOP", "")
    assert main(["file", "x.wav"]) == 0
    assert (seen["hop"], seen["smoothing"]) == (None, 3.0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hop = ", "is not TOML"),
        ("hip = 1", "sets 'hip'"),
        ("hop = [1]", "hop is [1]"),
        ('hop = "abc"', "config.toml sets hop to 'abc': abc is no number"),
        ('palette = "rainbow"', "config.toml sets palette to 'rainbow': "),
    ],
)
def test_a_broken_configuration_is_one_line(
    config: Path, text: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(text)
    assert main(["listen", "--from", "x.wav"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert problem in first
    assert second.startswith("  try: ")


@pytest.mark.parametrize("text", ["hop = -1", 'palette = "rainbow"', 'hop = "abc"'])
def test_a_broken_default_costs_only_the_commands_that_use_it(
    config: Path, text: str, tiny_model: Path, speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(text)
    assert main(["info", str(tiny_model)]) == 0
    name = text.partition(" ")[0]
    typed = {"hop": ["--hop", "0.5"], "palette": ["--palette", "none"]}[name]
    words = ["listen", "--from", str(speech), "--speed", "0", "--model", str(tiny_model)]
    assert main([*words, *typed]) == 0
    capsys.readouterr()
    assert main(words) in (1, 2)
    said = capsys.readouterr().err
    assert f"config.toml sets {name} to" in said


def test_a_default_that_names_what_is_not_there_says_where_it_was_set(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["listen", "--from", "x.wav"]
    config.write_text('model = "nowhere.onnx"\n')
    assert main(words) == 1
    assert "config.toml sets model to nowhere.onnx" in capsys.readouterr().err
    monkeypatch.setenv("LIVE_SER_MODEL", "elsewhere.onnx")
    assert main(words) == 1
    assert "LIVE_SER_MODEL sets model to elsewhere.onnx" in capsys.readouterr().err


@pytest.mark.parametrize("shell", SHELLS)
def test_a_completion_script_is_one_that_its_shell_reads(shell: str) -> None:
    script = SHELLS[shell](parser())
    assert "listen" in script
    assert "profile" in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=script, text=True, check=True, timeout=60)


def test_bash_completes_commands_options_and_choices() -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")

    def completed(*words: str) -> set[str]:
        line = " ".join(f"'{word}'" for word in ("live-ser", *words))
        ask = f"COMP_WORDS=({line}); COMP_CWORD={len(words)}; _live_ser; echo ${{COMPREPLY[@]}}"
        script = SHELLS["bash"](parser()) + ask
        command = ["bash", "--norc"]
        run = subprocess.run(command, input=script, capture_output=True, text=True, check=True)
        return set(run.stdout.split())

    assert completed("li") == {"listen"}
    assert completed("listen", "--pro") == {"--profile"}
    assert {"csv", "srt"} < completed("file", "--format", "")
    assert completed("file", "inter") == set()


@pytest.mark.parametrize("words", [["file", ""], ["file", "a.wav", "-o", ""], ["report", ""]])
def test_an_empty_path_is_not_the_working_folder(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "it is empty; is a variable of the shell not set?" in capsys.readouterr().err


def test_a_configuration_in_the_folder_of_somebody_else_is_none(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under sudo -u with the HOME of the user before."""

    def refuse(*_: object) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(LiveSerError, match="Permission denied") as caught:
        defaults()  # the file may be there, and say what is not followed
    assert caught.value.hint == "check its rights"
    monkeypatch.setattr("os.access", lambda path, mode: path != config.parent)
    assert defaults() == {}


@pytest.mark.parametrize(
    ("number", "to_read", "to_write"),
    [
        (errno.EACCES, "check its rights", "take a folder that exists and is yours"),
        (errno.ENOENT, "check the name", "take a folder that exists and is yours"),
        (errno.ENOSPC, "check the name", "make room"),
        (errno.ENAMETOOLONG, "check the name", "take a shorter name"),
    ],
)
def test_what_to_try_fits_the_reason(number: int, to_read: str, to_write: str) -> None:
    error = OSError(number, os.strerror(number))
    assert unreadable("a.wav", error, AudioError).hint == to_read
    assert unwritable("a.csv", error).hint == to_write


def test_a_library_s_reason_fits_into_one_line() -> None:
    error = unreadable("a.parquet", OSError("Couldn't deserialize:\nInvalid data\n"), AudioError)
    assert error.message == "cannot read a.parquet: Couldn't deserialize: Invalid data"
    assert error.hint == "check that it is complete"
