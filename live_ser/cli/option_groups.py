"""Options that several commands have; each function adds a few of them to a command."""

from __future__ import annotations

import argparse

from live_ser.cli.numbers import count, number
from live_ser.cli.usage import Parser
from live_ser.records.formats import STYLES


def group(command: Parser, title: str) -> argparse._ArgumentGroup:
    """The options of a command under a title; a new group if there is none."""
    groups = (group for group in command._action_groups if group.title == title)
    return next(groups, None) or command.add_argument_group(title)


def add_common_options(command: Parser) -> None:
    """Options of every command."""
    command.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")
    command.add_argument("-q", "--quiet", action="store_true", help="show errors only")


def add_device_options(command: Parser) -> None:
    """The input device."""
    sound = group(command, "sound")
    sound.add_argument("-d", "--device", metavar="DEVICE", help="index or part of the name")


def add_channels_options(command: Parser) -> None:
    """The channels of the sound."""
    sound = group(command, "sound")
    sound.add_argument(
        "--channels",
        type=count,
        metavar="N",
        help="number of channels to record, or of sound without a header",
    )
    sound.add_argument("--channel", type=count, metavar="K", help="use this channel only, from 1")


def add_voices_options(command: Parser) -> None:
    """Each channel by itself."""
    sound = group(command, "sound")
    sound.add_argument(
        "--each-channel",
        action="store_true",
        help="classify each channel separately, as in calls and interviews",
    )
    sound.add_argument(
        "--names", metavar="A,B", help="who speaks in each channel, such as agent,caller"
    )


def add_partial_option(command: Parser) -> None:
    """Recordings of which sound is missing."""
    group(command, "sound").add_argument(
        "--partial",
        action="store_true",
        help="classify files with missing sound, and report what is missing",
    )


def add_recording_options(command: Parser) -> None:
    """How to read a recording."""
    sound = group(command, "sound")
    sound.add_argument(
        "--track", type=count, metavar="N", help="use this track of a container, from 1"
    )
    sound.add_argument(
        "--raw",
        metavar="ENCODING",
        help="encoding of sound without a header: s16le, s24le, s32le, f32le, u8, mulaw or alaw",
    )
    sound.add_argument("--rate", type=count, metavar="HZ", help="sample rate of --raw")


def add_model_options(command: Parser) -> None:
    """The model."""
    analysis = group(command, "analysis")
    analysis.add_argument("--model", metavar="NAME|PATH", help="model to use")


def add_analysis_options(command: Parser) -> None:
    """The predictions, and where their records go."""
    analysis = group(command, "analysis")
    analysis.add_argument(
        "--hop", type=number, metavar="SECONDS", help="seconds between predictions"
    )
    analysis.add_argument(
        "--smoothing",
        type=number,
        metavar="SECONDS",
        help="time constant of the smoothing over time; 0 is off (default: 1)",
    )
    output = group(command, "output")
    output.add_argument("--format", choices=STYLES, help="format of the records")
    output.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write the records to a file; FOLDER/ for a file each",
    )
    output.add_argument(
        "--bom",
        action="store_true",
        help="begin CSV and TSV with a byte order mark, for spreadsheets",
    )
    output.add_argument("--force", action="store_true", help="overwrite existing files")


def add_publishing_options(command: Parser) -> None:
    """Other programs that receive the predictions."""
    programs = group(command, "other programs")
    programs.add_argument(
        "--osc", metavar="HOST:PORT", help="send each prediction to a program that receives OSC"
    )
    programs.add_argument(
        "--lsl",
        nargs="?",
        const="live-ser",
        metavar="NAME",
        help="publish the predictions in the Lab Streaming Layer (default name: %(const)s)",
    )
