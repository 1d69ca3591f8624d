"""What can be typed after ``live-ser``: commands and their options."""

from __future__ import annotations

import argparse

from live_ser import __version__
from live_ser.cli.help import USAGE, Help
from live_ser.cli.numbers import amount, count, number, port, positive
from live_ser.cli.usage import Parser
from live_ser.palette import PALETTES
from live_ser.records.formats import STYLES


def parser() -> Parser:
    """What can be typed; the command comes out as ``command``."""
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
        title="commands", dest="command", metavar="COMMAND", required=True
    )
    common = _common_options()

    def command(name: str, told: str, *parents: Parser) -> Parser:
        words, examples = USAGE[name]
        return commands.add_parser(
            name,
            help=told,
            description=told,
            usage=f"live-ser {name} {words}".rstrip(),
            epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
            formatter_class=Help,
            parents=[*parents, common],
            allow_abbrev=False,
        )

    device, model, judging = _device_options(), _model_options(), _judging_options()
    channels, channel, recording = _channels_options(), _channel_options(), _recording_options()
    sound = channels, channel, recording
    publishing = _publishing_options()
    told = "Listen to a microphone, live."
    voices = _voices_options()
    _add_listen_options(command("listen", told, device, *sound, voices, model, judging, publishing))
    told = "Judge recordings, each as a whole."
    _add_file_options(command("file", told, *sound, voices, model, judging))
    command("devices", "List the input devices and the rates they accept.", device)
    told = "Teach it how one speaker sounds, with takes whose emotion is known."
    _add_teach_options(command("teach", told, device, *sound, model))
    told = "List, show, export, import, rename or delete the profiles of speakers."
    _add_profiles_options(command("profiles", told))
    told = "Check the installation and the microphone, and say what to do."
    command("doctor", told, device, channels, channel, model)
    _add_info_options(command("info", "Show what a model says of itself."))
    told = "Make a page of a session or recording, of its records."
    _add_report_options(command("report", told, *sound))
    told = "Print the script by which a shell completes commands and options."
    command("completion", told).add_argument("shell", choices=("bash", "zsh", "fish"))
    told = "Show a page and serve other programs, on this machine."
    _add_serve_options(command("serve", told, device, *sound, voices, model, publishing))
    return whole


def _group(parser: Parser, title: str) -> argparse._ArgumentGroup:
    """The options of a parser under a title."""
    groups = (group for group in parser._action_groups if group.title == title)
    return next(groups, None) or parser.add_argument_group(title)


def _common_options() -> Parser:
    common = Parser(add_help=False)
    common.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")
    common.add_argument("-q", "--quiet", action="store_true", help="show errors only")
    return common


def _device_options() -> Parser:
    device = Parser(add_help=False)
    _group(device, "sound").add_argument(
        "-d", "--device", metavar="DEVICE", help="index or a part of the name"
    )
    return device


def _channels_options() -> Parser:
    channels = Parser(add_help=False)
    _group(channels, "sound").add_argument(
        "--channels",
        type=count,
        metavar="N",
        help="so many are recorded, or are in sound without a header",
    )
    return channels


def _channel_options() -> Parser:
    channel = Parser(add_help=False)
    _group(channel, "sound").add_argument(
        "--channel", type=count, metavar="K", help="hear this one only, from 1"
    )
    return channel


def _voices_options() -> Parser:
    voices = Parser(add_help=False)
    _group(voices, "sound").add_argument(
        "--each-channel",
        action="store_true",
        help="judge each channel by itself, as in calls and interviews",
    )
    _group(voices, "sound").add_argument(
        "--names", metavar="A,B", help="who speaks in each channel, such as agent,caller"
    )
    return voices


def _recording_options() -> Parser:
    recording = Parser(add_help=False)
    _group(recording, "sound").add_argument(
        "--track", type=count, metavar="N", help="hear this track of a container, from 1"
    )
    _group(recording, "sound").add_argument(
        "--raw",
        metavar="ENCODING",
        help="there is no header, but s16le, s24le, s32le, f32le, u8, mulaw or alaw",
    )
    _group(recording, "sound").add_argument(
        "--rate", type=count, metavar="HZ", help="sample rate of --raw"
    )
    return recording


def _model_options() -> Parser:
    model = Parser(add_help=False)
    _group(model, "analysis").add_argument(
        "--model", metavar="NAME|PATH", help="model to judge with"
    )
    return model


def _judging_options() -> Parser:
    judging = Parser(add_help=False)
    _group(judging, "analysis").add_argument(
        "--hop", type=number, metavar="SECONDS", help="between judgements"
    )
    _group(judging, "analysis").add_argument(
        "--smoothing",
        type=number,
        metavar="SECONDS",
        help="time constant of the smoothing over time; 0 is off (default: 1)",
    )
    _group(judging, "output").add_argument("--format", choices=STYLES, help="of the records")
    _group(judging, "output").add_argument(
        "-o", "--output", metavar="FILE", help="write the records there; FOLDER/ for a file each"
    )
    _group(judging, "output").add_argument(
        "--bom",
        action="store_true",
        help="begin CSV and TSV with a byte order mark, for spreadsheets",
    )
    _group(judging, "output").add_argument(
        "--force", action="store_true", help="overwrite files that are there"
    )
    return judging


def _publishing_options() -> Parser:
    publishing = Parser(add_help=False)
    group = _group(publishing, "other programs")
    group.add_argument(
        "--osc", metavar="HOST:PORT", help="send each prediction to a program that receives OSC"
    )
    group.add_argument(
        "--lsl",
        nargs="?",
        const="live-ser",
        metavar="NAME",
        help="publish the predictions in the Lab Streaming Layer (default name: %(const)s)",
    )
    return publishing


def _add_serve_options(serve: Parser) -> None:
    _group(serve, "who gets in").add_argument(
        "--host", default="127.0.0.1", help="address to serve on (default: %(default)s)"
    )
    _group(serve, "who gets in").add_argument(
        "--port",
        type=port,
        default=8765,
        help="0 for any that is free (default: %(default)s)",
    )
    _group(serve, "who gets in").add_argument(
        "--token",
        nargs="?",
        const="",
        metavar="TOKEN",
        help="let nobody in without it; one is made if none is given",
    )
    _group(serve, "who gets in").add_argument(
        "--allow-origin",
        dest="origins",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin use the server, such as https://example.org",
    )
    _group(serve, "who gets in").add_argument(
        "--sessions",
        type=count,
        default=128,
        metavar="N",
        help="streams at once (default: %(default)s)",
    )
    _group(serve, "who gets in").add_argument(
        "--idle",
        type=positive,
        default=60.0,
        metavar="SECONDS",
        help="without a message, after which a stream is closed (default: 60)",
    )
    _add_served_sound_options(serve)


def _add_served_sound_options(serve: Parser) -> None:
    _group(serve, "sound").add_argument(
        "--listen", action="store_true", help="open the microphone now, not when a page asks"
    )
    _group(serve, "sound").add_argument(
        "--from", dest="replay", metavar="FILE", help="replay a file instead"
    )
    _group(serve, "sound").add_argument(
        "--speed", type=amount, default=1.0, metavar="FACTOR", help="of the replay (default: 1)"
    )
    _group(serve, "analysis").add_argument(
        "--profile", metavar="NAME", help="of who speaks into the microphone"
    )
    _group(serve, "analysis").add_argument(
        "--hop", type=number, metavar="SECONDS", help="between predictions of the microphone"
    )
    _group(serve, "analysis").add_argument(
        "--smoothing", type=number, metavar="SECONDS", help="of them; 0 is off (default: 1)"
    )


def _add_listen_options(listen: Parser) -> None:
    _group(listen, "sound").add_argument(
        "--from",
        dest="replay",
        metavar="FILE",
        help="replay a file; hear a pipe, or - for standard input",
    )
    _group(listen, "sound").add_argument(
        "--speed",
        type=amount,
        default=1.0,
        metavar="FACTOR",
        help="of the replay; 0 is as fast as it goes (default: %(default)s)",
    )
    _group(listen, "output").add_argument(
        "--record", metavar="FILE", help="keep the sound, as .flac or .wav"
    )
    _group(listen, "analysis").add_argument(
        "--enroll",
        type=positive,
        metavar="SECONDS",
        help="take the first seconds of speech for how you usually sound",
    )
    _group(listen, "analysis").add_argument(
        "--profile",
        metavar="NAME",
        help="keep how you usually sound, as numbers, from one session to the next",
    )
    _group(listen, "how it runs").add_argument(
        "--duration", type=positive, metavar="SECONDS", help="end after that"
    )
    _group(listen, "how it runs").add_argument(
        "--no-reconnect",
        dest="reconnect",
        action="store_false",
        help="end when the microphone goes away, instead of waiting for it",
    )
    _group(listen, "how it runs").add_argument(
        "--or-demo",
        action="store_true",
        help="without a microphone, replay a bundled recording",
    )
    listen.add_argument(
        "--palette",
        choices=PALETTES,
        default=PALETTES[0],
        help="colours: as many as there are, those that the terminal names, or none",
    )
    listen.add_argument(
        "--lines",
        action="store_true",
        help="print a plain line when the verdict changes, instead of the dashboard or records",
    )


def _add_file_options(file: Parser) -> None:
    file.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="sound files, folders of them, patterns, or - for a list on standard input",
    )
    _group(file, "sound").add_argument(
        "--from",
        dest="sounds",
        action="append",
        default=[],
        metavar="FILE",
        help="one more sound file; - for sound on standard input",
    )
    _group(file, "analysis").add_argument(
        "--profile", metavar="NAME", help="judge by how this speaker sounds and what they taught"
    )
    _group(file, "analysis").add_argument(
        "--timeline", action="store_true", help="judge every window of them too"
    )
    _group(file, "analysis").add_argument(
        "--segments", action="store_true", help="give every utterance in them too"
    )
    _group(file, "analysis").add_argument(
        "--at",
        metavar="FILE",
        help="judge the intervals in a TextGrid, .eaf, .rttm or CSV; FOLDER/ for a file each",
    )
    _group(file, "analysis").add_argument(
        "--tiers", metavar="A,B", help="of --at, the tiers or speakers that are judged"
    )
    _group(file, "analysis").add_argument(
        "--partial",
        action="store_true",
        help="judge what there is of files of which sound is missing, and say what that is",
    )
    _group(file, "how it runs").add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="processes that judge (default: one for each core, where there is much to judge)",
    )
    _group(file, "how it runs").add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask cluster that judges instead, such as tcp://HOST:8786",
    )
    _group(file, "output").add_argument(
        "--resume",
        action="store_true",
        help="go on with an output that was broken off: leave out what it holds",
    )
    _group(file, "output").add_argument(
        "--plot",
        metavar="FILE",
        help="draw waveform, utterances, spectrogram, probabilities as .png, .svg or .pdf; FOLDER/ "
        "for a file each",
    )


def _add_teach_options(teach: Parser) -> None:
    teach.add_argument("--profile", metavar="NAME", required=True, help="of the speaker")
    teach.add_argument(
        "--from",
        dest="takes",
        metavar="PATH",
        help="labelled recordings: a folder for each emotion, a CSV, a TextGrid, or a session",
    )
    teach.add_argument(
        "--rounds",
        type=count,
        default=3,
        metavar="N",
        help="takes of each emotion that are asked for (default: %(default)s)",
    )
    teach.add_argument("--emotions", metavar="A,B", help="ask for these only")
    teach.add_argument("--format", choices=("table", "jsonl"), help="of the report")


def _add_profiles_options(profiles: Parser) -> None:
    actions = ("list", "show", "export", "import", "rename", "delete")
    profiles.add_argument(
        "action", nargs="?", choices=actions, default="list", help="(default: list)"
    )
    profiles.add_argument(
        "names", nargs="*", metavar="NAME", help="of the profile; then a file or a new name"
    )
    profiles.add_argument("--force", action="store_true", help="overwrite what is there")


def _add_info_options(info: Parser) -> None:
    info.add_argument("model", nargs="?", metavar="MODEL", help="name or path of a model")
    info.add_argument("--all", action="store_true", help="with how it was trained, to the last")
    info.add_argument("--format", choices=("table", "jsonl"), help="of the card")


def _add_report_options(report: Parser) -> None:
    report.add_argument(
        "records",
        nargs="+",
        metavar="RECORDS",
        help="what listen or file wrote with -o; several sessions become one page, a day a row",
    )
    report.add_argument("--title", metavar="TEXT", help="heading of the page")
    report.add_argument("--recording", metavar="NAME", help="which one, where there are several")
    report.add_argument("--audio", metavar="FILE", help="its sound, to be played on the page")
    report.add_argument("--model", metavar="NAME|PATH", help="model that judged it, for its card")
    report.add_argument("-o", "--output", metavar="FILE", help="write the page there")
    report.add_argument("--force", action="store_true", help="overwrite a page that is there")
