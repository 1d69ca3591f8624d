"""What the documents say is so: examples run, commands work, links lead somewhere."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from live_ser.cli.parser import parser
from tests.support.command import live_ser

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
EXAMPLES = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text("utf-8"), re.S
)
COMMANDS = sorted(
    {
        line.split("#")[0].strip()
        for path in (ROOT / "README.md", ROOT / "docs" / "command-line.md")
        for line in path.read_text("utf-8").splitlines()
        if re.match(r"    live-ser [a-z]", line)
    }
)


@pytest.fixture
def folder(speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the documents speak of; the place where everything runs."""
    if not (ROOT / "models" / "live_ser.onnx").is_file():
        pytest.skip("the default model is not there")
    sound, rate = soundfile.read(speech, dtype="float32")
    for name in ("clip.wav", "interview.wav", "interview.flac", "clips.flac"):
        soundfile.write(tmp_path / name, soxr.resample(sound, rate, 16000), 16000)
    stereo = np.stack([sound[::3], np.roll(sound[::3], 16000)], axis=1)
    soundfile.write(tmp_path / "call.wav", stereo, 16000)
    (tmp_path / "labels").mkdir()
    for path in (tmp_path / "call.rttm", tmp_path / "labels" / "clip.rttm"):
        path.write_text("SPEAKER call 1 0.4 2.5 <NA> <NA> anna <NA> <NA>\n", "utf-8")
    (tmp_path / "calls").mkdir()
    shutil.copy(tmp_path / "clip.wav", tmp_path / "calls")
    monkeypatch.chdir(tmp_path)
    words = ["--speed", "0", "-o", "session.jsonl", "--record", "session.flac"]
    result = live_ser("listen", "--from", "clip.wav", *words)
    assert result.returncode == 0, result.stderr
    return tmp_path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n", 1)[0])
@pytest.mark.usefixtures("folder")
def test_examples_run(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example, "example", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_work(command: str, folder: Path) -> None:
    words = shlex.split(command)[1:]
    if words[0] in ("devices", "doctor"):
        assert live_ser(*words).returncode in (0, 1)  # 1 where there is no microphone
        return
    if words[0] == "serve":  # until a signal comes: test_serve.py
        words.append("--help")
    if words[0] == "listen":
        words = ["listen", *words[1 + 2 * ("-d" in words) :]]  # no microphone here
        words += ["--speed", "0", *([] if "--from" in words else ["--from", "clip.wav"])]
    if "session.jsonl" in words and words[0] == "listen":
        words.append("--force")
    if "classified.jsonl" in words and words[0] == "report":
        live_ser("file", "clip.wav", "interview.flac", "--timeline", "-o", "classified.jsonl")
    result = live_ser(*words)
    assert result.returncode == 0, result.stderr


COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## live-ser (\w+)\n(.*?)(?=^## |\Z)", COMMAND_LINE, re.M | re.S))


def test_every_command_is_documented() -> None:
    listed = re.findall(r"^    (\w+) ", live_ser("--help").stdout, re.M)
    assert set(listed) - {"COMMAND"} == set(SECTIONS)


@pytest.mark.parametrize("command", SECTIONS)
def test_every_option_is_documented_and_no_other(command: str) -> None:
    option = r"(?<![\w-])--[a-z][a-z-]+"
    offered = set(re.findall(option, live_ser(command, "--help").stdout))
    told = set(re.findall(option, SECTIONS[command]))
    everywhere = {"--help", "--verbose", "--quiet", "--force"}
    assert offered - everywhere == told - everywhere - ELSEWHERE.get(command, set())


# What a section says of the options of other commands.
ELSEWHERE = {"report": {"--timeline", "--segments"}}


def test_records_are_those_that_are_documented(folder: Path) -> None:
    documented = {
        record["type"]: set(record)
        for line in (ROOT / "docs" / "command-line.md").read_text("utf-8").splitlines()
        if line.startswith('    {"type"')
        for record in [json.loads(line)]
    }
    words = ["--timeline", "--segments", "--format", "jsonl"]
    written = live_ser("file", "clip.wav", *words).stdout.splitlines()
    lines = [*written, *(folder / "session.jsonl").read_text("utf-8").splitlines()]
    seen = set()
    for line in lines:
        record = json.loads(line)
        seen.add(record["type"])
        # Of a clip's timeline, each window also says which file it is of.
        of_a_file = {"source", "key"}
        assert set(record) - of_a_file == documented[record["type"]] - of_a_file
    assert seen == {"session", "window", "segment", "end", "clip"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) + re.findall(
        r'(?:src|srcset)="([^"]+)"', text
    ):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_promise_has_a_test_behind_it() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| (?!promise|---)", line)]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(
            r"`((?:unit|system|training)/test_\w+\.py)::(\w+)`( \(slow\))?",
            row.rsplit(" | ", 1)[1],
        )
        assert named, row
        for file, name, said_to_be_slow in named:
            assert is_slow(ROOT / "tests" / file, name) == bool(said_to_be_slow), f"{file}::{name}"


def is_slow(file: Path, name: str) -> bool:
    """Whether a test is left to ``make test-all`` as a whole."""
    (test,) = (node for node in functions_in(file) if node.name == name)
    return "pytest.mark.slow" in map(ast.unparse, test.decorator_list)


@cache
def functions_in(file: Path) -> list[ast.FunctionDef | ast.ClassDef]:
    """The tests of a file, and the classes of tests."""
    nodes = ast.parse(file.read_text("utf-8")).body
    return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def test_imports_run_one_way() -> None:
    cli = pytest.importorskip("importlinter.cli")
    assert cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_pictures_are_those_that_the_dashboard_draws(tmp_path: Path) -> None:
    import sys

    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import snapshots
    finally:
        sys.path.pop(0)
    pytest.importorskip("librosa", reason="the mel filters of the pictures come from librosa")
    state = snapshots.states()["silence"]
    snapshots.write(tmp_path / "silence-80.svg", state, 80, 24, snapshots.MONOKAI)
    drawn = (tmp_path / "silence-80.svg").read_text("utf-8")
    kept = (ROOT / "docs" / "images" / "silence-80.svg").read_text("utf-8")
    assert words(drawn) == words(kept)


def words(svg: str) -> list[str]:
    """The text of a picture, without what may differ in the last digit."""
    return re.findall(r">([^<>]*[a-z][^<>]*)</text>", svg)


def test_make_knows_what_the_readme_tells() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for target, told in {
        "run": ["listen --or-demo"],
        "test": ["ruff check", "mypy", 'pytest -n auto --dist loadgroup -m "not slow"'],
        "test-all": ["ruff check", 'loadgroup -m "not slow"', "loadgroup -m slow"],
    }.items():
        plan = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for part in told:
            assert part in plan.stdout


def test_the_manual_has_every_command_and_option() -> None:
    page = (ROOT / "docs" / "live-ser.1").read_text("utf-8").replace("\\-", "-")
    parts = re.split(r"^\.SH COMMAND .*live-ser (\w+)'.*$", page, flags=re.M)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert set(sections) == set(parser().commands())
    missing = {
        f"{name} {option}"
        for name, command in parser().commands().items()
        for option in command.options()
        if option not in ("-h", "--help") and f"\\fB{option}\\fR" not in sections[name]
    }
    assert not missing  # `make manual` writes it anew
