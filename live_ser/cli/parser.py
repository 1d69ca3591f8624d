"""The commands of ``live-ser`` and their options."""

from __future__ import annotations

from collections.abc import Callable

from live_ser import __version__
from live_ser.cli.help import USAGE, Help
from live_ser.cli.numbers import amount, count, number, port, positive
from live_ser.cli.option_groups import (
    add_analysis_options,
    add_channels_options,
    add_common_options,
    add_device_options,
    add_model_options,
    add_partial_option,
    add_publishing_options,
    add_recording_options,
    add_voices_options,
    group,
)
from live_ser.cli.usage import Parser
from live_ser.palette import PALETTES


def parser() -> Parser:
    """The parser of the command line; it stores the name of the command in ``command``."""
    whole = Parser(
        prog="live-ser",
        description="How a voice sounds, live in the terminal.",
        usage="live-ser COMMAND [OPTIONS]",
        epilog="live-ser COMMAND --help explains a command",
        formatter_class=Help,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"live-ser {__version__}")
    commands = whole.add_subparsers(
        title="commands",
        dest="command",
        metavar="COMMAND",
        required=True,
        prog="live-ser",
    )
    for name, usage in USAGE.items():
        command = commands.add_parser(
            name,
            help=usage.about,
            description=usage.about,
            usage=f"live-ser {name} {usage.words}".rstrip(),
            epilog="examples:\n" + "\n".join(f"  {example}" for example in usage.examples),
            formatter_class=Help,
            allow_abbrev=False,
        )
        for add_options in _OPTIONS[name]:
            add_options(command)
    return whole


def _add_serve_options(serve: Parser) -> None:
    access = group(serve, "access")
    access.add_argument(
        "--host", default="127.0.0.1", help="address to serve on (default: %(default)s)"
    )
    access.add_argument(
        "--port",
        type=port,
        default=8765,
        help="port to serve on; 0 for any free one (default: %(default)s)",
    )
    access.add_argument(
        "--token",
        nargs="?",
        const="",
        metavar="TOKEN",
        help="require a token from clients; a random one if none is given",
    )
    access.add_argument(
        "--allow-origin",
        dest="origins",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="allow pages of this origin, such as https://example.org",
    )
    access.add_argument(
        "--sessions",
        type=count,
        default=128,
        metavar="N",
        help="maximum number of streams at once (default: %(default)s)",
    )
    access.add_argument(
        "--idle",
        type=positive,
        default=60.0,
        metavar="SECONDS",
        help="close a stream after so many seconds without a message (default: 60)",
    )


def _add_served_sound_options(serve: Parser) -> None:
    sound = group(serve, "sound")
    sound.add_argument(
        "--listen",
        action="store_true",
        help="open the microphone at once, not when a page asks for it",
    )
    sound.add_argument("--from", dest="replay", metavar="FILE", help="replay a file instead")
    sound.add_argument(
        "--speed",
        type=amount,
        default=1.0,
        metavar="FACTOR",
        help="speed of the replay (default: 1)",
    )
    analysis = group(serve, "analysis")
    analysis.add_argument(
        "--profile", metavar="NAME", help="profile of the speaker at the microphone"
    )
    analysis.add_argument(
        "--hop",
        type=number,
        metavar="SECONDS",
        help="seconds between predictions for the microphone",
    )
    analysis.add_argument(
        "--smoothing",
        type=number,
        metavar="SECONDS",
        help="time constant of their smoothing; 0 is off (default: 1)",
    )


def _add_listen_options(listen: Parser) -> None:
    sound = group(listen, "sound")
    sound.add_argument(
        "--from",
        dest="replay",
        metavar="FILE",
        help="replay a file, or read a pipe; - for standard input",
    )
    sound.add_argument(
        "--speed",
        type=amount,
        default=1.0,
        metavar="FACTOR",
        help="speed of the replay; 0 is as fast as possible (default: %(default)s)",
    )
    output = group(listen, "output")
    output.add_argument("--record", metavar="FILE", help="record the sound, as .flac or .wav")
    analysis = group(listen, "analysis")
    analysis.add_argument(
        "--enroll",
        type=positive,
        metavar="SECONDS",
        help="use the first seconds of speech as your neutral voice",
    )
    analysis.add_argument(
        "--profile",
        metavar="NAME",
        help="remember how you usually sound, as numbers, between sessions",
    )


def _add_listen_running_options(listen: Parser) -> None:
    running = group(listen, "how it runs")
    running.add_argument(
        "--duration", type=positive, metavar="SECONDS", help="end after so many seconds"
    )
    running.add_argument(
        "--no-reconnect",
        dest="reconnect",
        action="store_false",
        help="end when the microphone is disconnected, instead of waiting for it",
    )
    running.add_argument(
        "--or-demo",
        action="store_true",
        help="without a microphone, replay a bundled recording",
    )
    listen.add_argument(
        "--palette",
        choices=PALETTES,
        default=PALETTES[0],
        help="colours: all, the 16 of the terminal, or none",
    )
    listen.add_argument(
        "--lines",
        action="store_true",
        help="print a line when the label changes, instead of the dashboard or records",
    )


def _add_file_options(file: Parser) -> None:
    file.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="sound files, folders of them, patterns, or - for a list on standard input",
    )
    sound = group(file, "sound")
    sound.add_argument(
        "--from",
        dest="sounds",
        action="append",
        default=[],
        metavar="FILE",
        help="one more sound file; - for sound on standard input",
    )
    analysis = group(file, "analysis")
    analysis.add_argument(
        "--profile",
        metavar="NAME",
        help="use what is known of this speaker, and what they taught",
    )
    analysis.add_argument(
        "--timeline", action="store_true", help="write a prediction for every window, too"
    )
    analysis.add_argument("--segments", action="store_true", help="write every utterance, too")
    analysis.add_argument(
        "--at",
        metavar="FILE",
        help="classify the intervals in a TextGrid, .eaf, .rttm or CSV; FOLDER/ for a file each",
    )
    analysis.add_argument("--tiers", metavar="A,B", help="tiers or speakers of --at to classify")


def _add_file_running_options(file: Parser) -> None:
    running = group(file, "how it runs")
    running.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="worker processes (default: one for each core, for many files)",
    )
    running.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="use the Dask cluster at this address, such as tcp://HOST:8786",
    )
    output = group(file, "output")
    output.add_argument(
        "--resume",
        action="store_true",
        help="continue an interrupted output: skip what it contains",
    )
    output.add_argument(
        "--plot",
        metavar="FILE",
        help="plot waveform, utterances, spectrogram and probabilities as .png, .svg or .pdf; "
        "FOLDER/ for a file each",
    )


def _add_teach_options(teach: Parser) -> None:
    teach.add_argument("--profile", metavar="NAME", required=True, help="profile of the speaker")
    teach.add_argument(
        "--from",
        dest="takes",
        metavar="PATH",
        help="labelled recordings: a folder for each emotion, a CSV, a TextGrid, or a session",
    )
    teach.add_argument(
        "--rounds",
        type=count,
        metavar="N",
        help="takes of each emotion to ask for (default: 3)",
    )
    teach.add_argument("--emotions", metavar="A,B", help="ask for these emotions only")
    teach.add_argument("--format", choices=("table", "jsonl"), help="format of the report")


def _add_profiles_options(profiles: Parser) -> None:
    actions = ("list", "show", "export", "import", "rename", "delete")
    profiles.add_argument(
        "action", nargs="?", choices=actions, default="list", help="(default: list)"
    )
    profiles.add_argument(
        "names", nargs="*", metavar="NAME", help="name of the profile; then a file or a new name"
    )
    profiles.add_argument(
        "--force", action="store_true", help="overwrite existing files and profiles"
    )


def _add_info_options(info: Parser) -> None:
    info.add_argument("name", nargs="?", metavar="MODEL", help="name or path of a model")
    info.add_argument("--model", metavar="NAME|PATH", help="the same, as in other commands")
    info.add_argument("--all", action="store_true", help="include all details of its training")
    info.add_argument("--format", choices=("table", "jsonl"), help="format of the output")


def _add_report_options(report: Parser) -> None:
    report.add_argument(
        "records",
        nargs="+",
        metavar="RECORDS",
        help="records that listen or file wrote with -o; several sessions share a page",
    )
    report.add_argument("--title", metavar="TEXT", help="heading of the page")
    report.add_argument(
        "--recording", metavar="NAME", help="name of the recording, where there are several"
    )
    report.add_argument("--audio", metavar="FILE", help="embed its sound in the page")
    report.add_argument("--model", metavar="NAME|PATH", help="model to describe on the page")
    report.add_argument("-o", "--output", metavar="FILE", help="write the page to a file")
    report.add_argument("--force", action="store_true", help="overwrite an existing page")


def _add_completion_options(completion: Parser) -> None:
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))


_SOUND = (add_channels_options, add_recording_options)
_OPTIONS: dict[str, tuple[Callable[[Parser], None], ...]] = {
    "listen": (
        add_device_options,
        *_SOUND,
        add_voices_options,
        add_partial_option,
        add_model_options,
        add_analysis_options,
        add_publishing_options,
        add_common_options,
        _add_listen_options,
        _add_listen_running_options,
    ),
    "file": (
        *_SOUND,
        add_voices_options,
        add_partial_option,
        add_model_options,
        add_analysis_options,
        add_common_options,
        _add_file_options,
        _add_file_running_options,
    ),
    "teach": (
        add_device_options,
        *_SOUND,
        add_model_options,
        add_common_options,
        _add_teach_options,
    ),
    "profiles": (add_common_options, _add_profiles_options),
    "devices": (add_device_options, add_common_options),
    "doctor": (add_device_options, add_channels_options, add_model_options, add_common_options),
    "info": (add_common_options, _add_info_options),
    "report": (*_SOUND, add_common_options, _add_report_options),
    "serve": (
        add_device_options,
        *_SOUND,
        add_voices_options,
        add_partial_option,
        add_model_options,
        add_publishing_options,
        add_common_options,
        _add_serve_options,
        _add_served_sound_options,
    ),
    "completion": (add_common_options, _add_completion_options),
}
