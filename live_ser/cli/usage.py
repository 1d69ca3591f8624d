"""Wrong usage in two lines: the error with a suggestion, and the usage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from live_ser.cli.defaults import Default
from live_ser.errors import LiveSerError
from live_ser.text import printable


@dataclass(frozen=True)
class _NotTyped:
    """The default of an option that the user can set a default of."""

    value: Any


class Parser(argparse.ArgumentParser):
    """A parser that suggests corrections, and reports errors by command."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments of the command line; unknown ones are wrong usage."""
        arguments, rest = self.parse_known_args(args, namespace)
        if rest:
            self._chosen(arguments)._refuse(rest)
        return arguments

    def mark(self, names: Iterable[str]) -> None:
        """Mark the options, by name, that a user can set defaults of, in all commands."""
        for command in self.commands().values():
            for action in dict.fromkeys(command.options().values()):
                if action.dest in names:
                    action.default = _NotTyped(action.default)

    def fill_in(
        self, arguments: argparse.Namespace, defaults: Callable[[], Mapping[str, Default]]
    ) -> dict[str, Default]:
        """Set marked options that are not on the command line to their defaults.

        Args:
            arguments: parsed arguments of the command.
            defaults: function that reads the user's defaults; only called if they can be used.

        Returns:
            The user's defaults that are used.

        Raises:
            LiveSerError: the defaults cannot be read, or a value is invalid.
        """
        command = self._chosen(arguments)
        left = {name: x for name, x in vars(arguments).items() if isinstance(x, _NotTyped)}
        used = {name: x for name, x in (defaults() if left else {}).items() if name in left}
        for action in command.options().values():
            if action.dest in left:
                value = left[action.dest].value
                if action.dest in used:
                    value = command._preset(action, used[action.dest])
                setattr(arguments, action.dest, value)
        return used

    def value_of(self, name: str, default: Default) -> Any:
        """The value that a default gives an option of this command.

        Raises:
            LiveSerError: it is invalid.
        """
        return self._preset(self.options()[f"--{name}"], default)

    def _preset(self, action: argparse.Action, default: Default) -> Any:
        try:
            value = self._get_value(action, default.value)
            self._check_value(action, value)
            return value
        except argparse.ArgumentError as error:
            raise LiveSerError(
                f"{default.origin} sets {action.dest} to {default.value!r:.40}: {error.message}",
                f"mend it there; {self.prog} --help says what can be",
            ) from error

    def error(self, message: str) -> NoReturn:
        """Print an error and the usage of the command, and exit with 2."""
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ")
        print(f"{self.prog}: {printable(message)}", file=sys.stderr)
        print(f"  usage: {usage}; {self.prog} --help explains it", file=sys.stderr)
        sys.exit(2)

    def commands(self) -> dict[str, Parser]:
        """The parser of each command."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                return dict(action.choices)
        return {}

    def options(self) -> dict[str, argparse.Action]:
        """Each option by its names."""
        return {name: action for action in self._actions for name in action.option_strings}

    def _chosen(self, arguments: argparse.Namespace) -> Parser:
        return self.commands().get(getattr(arguments, "command", ""), self)

    def _refuse(self, rest: Sequence[str]) -> NoReturn:
        options = [word.partition("=")[0] for word in rest if word.startswith("-")]
        if not options:
            self.error(f"{rest[0]} is one argument too many")
        suggestion = _suggestion(
            options[0], (name for name in self.options() if name.startswith("--"))
        )
        self.error(f"there is no option {options[0]}{suggestion}")

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Refuse empty values: an empty path would be the working folder."""
        if "" in arg_strings and not isinstance(action, argparse._SubParsersAction):
            raise argparse.ArgumentError(action, "it is empty; is a variable of the shell not set?")
        return super()._get_values(action, arg_strings)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = "command" if isinstance(action, argparse._SubParsersAction) else "choice"
            suggestion = _suggestion(str(value), map(str, action.choices))
            name = f"{'/'.join(action.option_strings)}: " if action.option_strings else ""
            if what == "command" and os.path.exists(str(value)):
                suggestion = f"; did you mean live-ser file {value}?"
            choices = "" if suggestion else f"; choose from {', '.join(map(str, action.choices))}"
            raise argparse.ArgumentError(
                None, f"{name}there is no {what} {value}{suggestion}{choices}"
            )


def _suggestion(word: str, names: Iterable[str]) -> str:
    close = get_close_matches(word, list(names), 1)
    return f"; did you mean {close[0]}?" if close else ""
