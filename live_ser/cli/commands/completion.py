"""``live-ser completion``: print a completion script for a shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from live_ser.cli.completion import SHELLS
from live_ser.cli.options import CommonOptions
from live_ser.cli.parser import parser


@dataclass(frozen=True)
class Options(CommonOptions):
    """The options of ``live-ser completion``."""

    shell: Literal["bash", "zsh", "fish"]


def run(options: Options) -> int:
    """Print the script."""
    print(SHELLS[options.shell](parser()), end="")
    return 0
