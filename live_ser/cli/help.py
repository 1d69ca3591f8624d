"""The help of each command besides its options: what it does, usage and examples."""

from __future__ import annotations

import argparse
from typing import NamedTuple


class Usage(NamedTuple):
    """The help of a command.

    Attributes:
        about: description of the command.
        words: its arguments.
        examples: complete commands.
    """

    about: str
    words: str
    examples: tuple[str, ...]


USAGE = {
    "listen": Usage(
        "Listen to a microphone, live.",
        "[OPTIONS]",
        (
            "live-ser listen",
            "live-ser listen -d USB --profile anna",
            "live-ser listen -o session.jsonl --record session.flac",
        ),
    ),
    "file": Usage(
        "Classify recordings, each as a whole.",
        "[OPTIONS] PATH ...",
        (
            "live-ser file interview.wav --segments",
            "live-ser file calls/ -o calls.parquet",
            "live-ser file call.wav --each-channel --names agent,caller",
            "live-ser file interview.wav -o interview.TextGrid --plot interview.png",
        ),
    ),
    "teach": Usage(
        "Adapt the model to a speaker, with labelled takes.",
        "--profile NAME [OPTIONS]",
        (
            "live-ser teach --profile anna",
            "live-ser teach --profile anna --emotions neutral,happy,angry --rounds 5",
            "live-ser teach --profile anna --from takes/ --format jsonl",
        ),
    ),
    "profiles": Usage(
        "List, show, export, import, rename or delete the profiles of speakers.",
        "[ACTION NAME [FILE|NEW]]",
        (
            "live-ser profiles",
            "live-ser profiles show anna",
            "live-ser profiles export anna anna.json",
            "live-ser profiles delete anna",
        ),
    ),
    "devices": Usage(
        "List the input devices and the rates they accept.", "[OPTIONS]", ("live-ser devices",)
    ),
    "doctor": Usage(
        "Check the installation and the microphone, and say what to do.",
        "[OPTIONS]",
        ("live-ser doctor -d USB",),
    ),
    "info": Usage("Show the metadata of a model.", "[OPTIONS] [MODEL]", ("live-ser info --all",)),
    "report": Usage(
        "Make an HTML page of a session or recording from its records.",
        "[OPTIONS] RECORDS ...",
        (
            "live-ser report session.jsonl",
            "live-ser report *.jsonl --title 'Anna, November' -o november.html",
            "live-ser report session.jsonl --audio session.flac -o page.html",
        ),
    ),
    "serve": Usage(
        "Serve a web page, and results for other programs.",
        "[OPTIONS]",
        (
            "live-ser serve",
            "live-ser serve --listen --osc 127.0.0.1:9000",
            "live-ser serve --host 0.0.0.0 --token",
        ),
    ),
    "completion": Usage(
        "Print a completion script for a shell.",
        "SHELL",
        (
            'eval "$(live-ser completion bash)"',
            'eval "$(live-ser completion zsh)"',
            "live-ser completion fish | source",
        ),
    ),
}


class Help(argparse.RawDescriptionHelpFormatter):
    """Help with options and descriptions side by side."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26)
