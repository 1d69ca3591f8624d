"""The typed options of the commands: what the parser reads, and nothing else."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module

import pytest

from live_ser.cli.options import options_of
from live_ser.cli.parser import parser

_REQUIRED = {"teach": ["--profile", "anna"], "report": ["a.jsonl"], "completion": ["bash"]}


@pytest.mark.parametrize("name", parser().commands())
def test_a_command_takes_the_options_that_can_be_typed(name: str) -> None:
    kind = import_module(f"live_ser.cli.commands.{name}").Options
    parsed = parser().parse_args([name, *_REQUIRED.get(name, [])])
    assert {field.name for field in fields(kind)} == set(vars(parsed)) - {"command"}
    assert options_of(kind, parsed) == kind(
        **{key: value for key, value in vars(parsed).items() if key != "command"}
    )
