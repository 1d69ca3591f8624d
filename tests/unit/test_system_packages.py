"""``make run`` and ``make test`` install what the system lacks, or say what to type."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "system_packages.sh"
PROGRAMS = {
    "dpkg-query": "exit 1",
    "sudo": 'shift; exec "$@"',
    "sleep": "",
    "apt-get": """
echo "$@" >> "$CALLS"
[ -z "$BROKEN" ] || { echo "E: $BROKEN"; exit 100; }
case "$*" in *update*) [ "$(grep -c update "$CALLS")" -gt "$LOCKED" ] || {
    echo "E: Could not get lock /var/lib/apt/lists/lock."; exit 100; };; esac
""",
}


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """The record of what a Debian without packages, made of stand-ins, was asked for."""
    if os.name == "nt":
        pytest.skip("the script is for Debian")
    for name, body in PROGRAMS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path / "calls"


def install(calls: Path, user: int, *, locked: int = 0, broken: str = "") -> str:
    """What the script says to a user of this number."""
    (calls.parent / "id").write_text(f"#!/bin/sh\necho {user}\n")
    (calls.parent / "id").chmod(0o755)
    path = f"{calls.parent}:{os.environ['PATH']}"
    env = {"PATH": path, "CALLS": str(calls), "LOCKED": str(locked), "BROKEN": broken}
    done = subprocess.run(
        ["sh", str(SCRIPT), "one", "two"], env=env, capture_output=True, text=True, check=True
    )
    return done.stderr


def test_it_waits_for_another_apt(calls: Path) -> None:
    said = install(calls, 0, locked=2)
    asked = calls.read_text().splitlines()
    assert [line.split()[3] for line in asked] == ["update", "update", "update", "install"]
    assert all("DPkg::Lock::Timeout=" in line for line in asked)
    assert said.count("waiting for another apt") == 1
    assert "could not" not in said


def test_root_is_not_told_to_use_sudo(calls: Path) -> None:
    said = install(calls, 0, broken="Unable to locate package one")
    assert "Unable to locate package one" in said
    assert said.endswith("to try again: apt install one two\n")


def test_others_are(calls: Path) -> None:
    said = install(calls, 1000, broken="Unable to locate package one")
    assert said.endswith("to try again: sudo apt install one two\n")
