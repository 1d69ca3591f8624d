"""``live-ser completion``: the script by which a shell completes commands and options."""

from __future__ import annotations

from argparse import Namespace

from live_ser.cli.completion import SHELLS
from live_ser.cli.parser import parser


def run(arguments: Namespace) -> int:
    """Print the script."""
    print(SHELLS[arguments.shell](parser()), end="")
    return 0
