"""What ``-h`` says of a command beyond its options: how it is typed, and examples."""

from __future__ import annotations

import argparse

# The words after each command, and examples.
USAGE: dict[str, tuple[str, tuple[str, ...]]] = {
    "listen": (
        "[OPTIONS]",
        (
            "live-ser listen",
            "live-ser listen -d USB --profile anna",
            "live-ser listen -o session.jsonl --record session.flac",
        ),
    ),
    "file": (
        "[OPTIONS] PATH ...",
        (
            "live-ser file interview.wav --segments",
            "live-ser file calls/ -o calls.parquet",
            "live-ser file call.wav --each-channel --names agent,caller",
            "live-ser file interview.wav -o interview.TextGrid --plot interview.png",
        ),
    ),
    "teach": (
        "--profile NAME [OPTIONS]",
        (
            "live-ser teach --profile anna",
            "live-ser teach --profile anna --emotions neutral,happy,angry --rounds 5",
            "live-ser teach --profile anna --from takes/ --format jsonl",
        ),
    ),
    "profiles": (
        "[ACTION NAME [FILE|NEW]]",
        (
            "live-ser profiles",
            "live-ser profiles show anna",
            "live-ser profiles export anna anna.json",
            "live-ser profiles delete anna",
        ),
    ),
    "devices": ("[OPTIONS]", ("live-ser devices",)),
    "doctor": ("[OPTIONS]", ("live-ser doctor -d USB",)),
    "info": ("[OPTIONS] [MODEL]", ("live-ser info --all",)),
    "report": (
        "[OPTIONS] RECORDS ...",
        (
            "live-ser report session.jsonl",
            "live-ser report *.jsonl --title 'Anna, November' -o november.html",
            "live-ser report session.jsonl --audio session.flac -o page.html",
        ),
    ),
    "serve": (
        "[OPTIONS]",
        (
            "live-ser serve",
            "live-ser serve --listen --osc 127.0.0.1:9000",
            "live-ser serve --host 0.0.0.0 --token",
        ),
    ),
    "completion": (
        "SHELL",
        (
            'eval "$(live-ser completion bash)"',
            'eval "$(live-ser completion zsh)"',
            "live-ser completion fish | source",
        ),
    ),
}


class Help(argparse.RawDescriptionHelpFormatter):
    """Help whose options and explanations stand side by side."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26)
