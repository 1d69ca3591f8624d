"""Completion scripts for shells, generated from the parser."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from live_ser.cli.usage import Parser


def bash(parser: Parser) -> str:
    """A script for bash: ``eval "$(live-ser completion bash)"``."""
    cases = "\n".join(
        f"    {name}) words='{' '.join(command.options())}' ;;"
        for name, command in parser.commands().items()
    )
    choices = "\n".join(
        f"    {name}:{option}) words='{' '.join(map(str, action.choices))}' ;;"
        for name, command in parser.commands().items()
        for option, action in command.options().items()
        if action.choices
    )
    return f"""_live_ser() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{" ".join(parser.commands())} --help --version' -- "$word")); return
  fi
  case ${{COMP_WORDS[1]}}:$before in
{choices}
  esac
  if [ -z "$words" ] && [ "${{word#-}}" != "$word" ]; then
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
  fi
  COMPREPLY=()
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word")); fi
}}
complete -o default -F _live_ser live-ser
"""


def zsh(parser: Parser) -> str:
    """A script for zsh: ``eval "$(live-ser completion zsh)"``."""
    return f"autoload -U compinit bashcompinit\ncompinit\nbashcompinit\n{bash(parser)}"


def fish(parser: Parser) -> str:
    """A script for fish: ``live-ser completion fish | source``."""
    lines = []
    for name, command in parser.commands().items():
        about = _quoted(command.description or "")
        lines.append(f"complete -c live-ser -n __fish_use_subcommand -a {name} -d {about}")
        for action in dict.fromkeys(command.options().values()):
            lines.append(_fish_option(name, action))
    return "\n".join(lines) + "\n"


SHELLS: dict[str, Callable[[Parser], str]] = {"bash": bash, "zsh": zsh, "fish": fish}


def _fish_option(command: str, action: argparse.Action) -> str:
    names = " ".join(
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
        for name in action.option_strings
    )
    choices = f" -x -a {_quoted(' '.join(map(str, action.choices)))}" if action.choices else ""
    value = " -r" if action.nargs != 0 and not action.choices else ""
    about = _quoted((action.help or "").replace("%(default)s", str(action.default)))
    where = f"-n '__fish_seen_subcommand_from {command}'"
    return f"complete -c live-ser {where} {names}{value}{choices} -d {about}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
