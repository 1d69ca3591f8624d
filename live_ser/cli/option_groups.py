"""Options that several commands have, each group a parser for ``parents``."""

from __future__ import annotations

import argparse

from live_ser.cli.numbers import count, number
from live_ser.cli.usage import Parser
from live_ser.records.formats import STYLES


def group(parser: Parser, title: str) -> argparse._ArgumentGroup:
    """The options of a parser under a title."""
    groups = (group for group in parser._action_groups if group.title == title)
    return next(groups, None) or parser.add_argument_group(title)


def common_options() -> Parser:
    """What every command takes."""
    common = Parser(add_help=False)
    common.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")
    common.add_argument("-q", "--quiet", action="store_true", help="show errors only")
    return common


def device_options() -> Parser:
    """Which input device."""
    device = Parser(add_help=False)
    sound = group(device, "sound")
    sound.add_argument("-d", "--device", metavar="DEVICE", help="index or a part of the name")
    return device


def channels_options() -> Parser:
    """How many channels there are, and which one is heard."""
    channels = Parser(add_help=False)
    sound = group(channels, "sound")
    sound.add_argument(
        "--channels",
        type=count,
        metavar="N",
        help="so many are recorded, or are in sound without a header",
    )
    sound.add_argument("--channel", type=count, metavar="K", help="hear this one only, from 1")
    return channels


def voices_options() -> Parser:
    """Whether each channel is classified separately."""
    voices = Parser(add_help=False)
    sound = group(voices, "sound")
    sound.add_argument(
        "--each-channel",
        action="store_true",
        help="classify each channel separately, as in calls and interviews",
    )
    sound.add_argument(
        "--names", metavar="A,B", help="who speaks in each channel, such as agent,caller"
    )
    return voices


def recording_options() -> Parser:
    """How a recording is read."""
    recording = Parser(add_help=False)
    sound = group(recording, "sound")
    sound.add_argument(
        "--track", type=count, metavar="N", help="hear this track of a container, from 1"
    )
    sound.add_argument(
        "--raw",
        metavar="ENCODING",
        help="there is no header, but s16le, s24le, s32le, f32le, u8, mulaw or alaw",
    )
    sound.add_argument("--rate", type=count, metavar="HZ", help="sample rate of --raw")
    return recording


def model_options() -> Parser:
    """Which model is used."""
    model = Parser(add_help=False)
    analysis = group(model, "analysis")
    analysis.add_argument("--model", metavar="NAME|PATH", help="model to classify with")
    return model


def analysis_options() -> Parser:
    """How windows are classified, and where their records go."""
    parser = Parser(add_help=False)
    analysis = group(parser, "analysis")
    analysis.add_argument("--hop", type=number, metavar="SECONDS", help="between predictions")
    analysis.add_argument(
        "--smoothing",
        type=number,
        metavar="SECONDS",
        help="time constant of the smoothing over time; 0 is off (default: 1)",
    )
    output = group(parser, "output")
    output.add_argument("--format", choices=STYLES, help="of the records")
    output.add_argument(
        "-o", "--output", metavar="FILE", help="write the records there; FOLDER/ for a file each"
    )
    output.add_argument(
        "--bom",
        action="store_true",
        help="begin CSV and TSV with a byte order mark, for spreadsheets",
    )
    output.add_argument("--force", action="store_true", help="overwrite files that are there")
    return parser


def publishing_options() -> Parser:
    """Other programs that get the predictions."""
    publishing = Parser(add_help=False)
    programs = group(publishing, "other programs")
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
    return publishing
