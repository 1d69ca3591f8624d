"""What can be typed after ``live-ser``: commands and their options."""

from __future__ import annotations

from live_ser import __version__
from live_ser.cli.help import USAGE, Help
from live_ser.cli.numbers import amount, count, number, port, positive
from live_ser.cli.option_groups import (
    analysis_options,
    channels_options,
    common_options,
    device_options,
    group,
    model_options,
    publishing_options,
    recording_options,
    voices_options,
)
from live_ser.cli.usage import Parser
from live_ser.palette import PALETTES


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
        title="commands",
        dest="command",
        metavar="COMMAND",
        required=True,
        prog="live-ser",
    )
    common = common_options()

    def command(name: str, *parents: Parser) -> Parser:
        usage = USAGE[name]
        return commands.add_parser(
            name,
            help=usage.about,
            description=usage.about,
            usage=f"live-ser {name} {usage.words}".rstrip(),
            epilog="examples:\n" + "\n".join(f"  {example}" for example in usage.examples),
            formatter_class=Help,
            parents=[*parents, common],
            allow_abbrev=False,
        )

    device, channels, recording = device_options(), channels_options(), recording_options()
    voices, model, analysis = voices_options(), model_options(), analysis_options()
    sound, publishing = (channels, recording), publishing_options()
    _add_listen_options(command("listen", device, *sound, voices, model, analysis, publishing))
    _add_file_options(command("file", *sound, voices, model, analysis))
    command("devices", device)
    _add_teach_options(command("teach", device, *sound, model))
    _add_profiles_options(command("profiles"))
    command("doctor", device, channels, model)
    _add_info_options(command("info"))
    _add_report_options(command("report", *sound))
    command("completion").add_argument("shell", choices=("bash", "zsh", "fish"))
    _add_serve_options(command("serve", device, *sound, voices, model, publishing))
    return whole


def _add_serve_options(serve: Parser) -> None:
    access = group(serve, "who gets in")
    access.add_argument(
        "--host", default="127.0.0.1", help="address to serve on (default: %(default)s)"
    )
    access.add_argument(
        "--port",
        type=port,
        default=8765,
        help="0 for any that is free (default: %(default)s)",
    )
    access.add_argument(
        "--token",
        nargs="?",
        const="",
        metavar="TOKEN",
        help="let nobody in without it; one is made if none is given",
    )
    access.add_argument(
        "--allow-origin",
        dest="origins",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin use the server, such as https://example.org",
    )
    access.add_argument(
        "--sessions",
        type=count,
        default=128,
        metavar="N",
        help="streams at once (default: %(default)s)",
    )
    access.add_argument(
        "--idle",
        type=positive,
        default=60.0,
        metavar="SECONDS",
        help="without a message, after which a stream is closed (default: 60)",
    )
    _add_served_sound_options(serve)


def _add_served_sound_options(serve: Parser) -> None:
    sound = group(serve, "sound")
    sound.add_argument(
        "--listen", action="store_true", help="open the microphone now, not when a page asks"
    )
    sound.add_argument("--from", dest="replay", metavar="FILE", help="replay a file instead")
    sound.add_argument(
        "--speed", type=amount, default=1.0, metavar="FACTOR", help="of the replay (default: 1)"
    )
    analysis = group(serve, "analysis")
    analysis.add_argument("--profile", metavar="NAME", help="of who speaks into the microphone")
    analysis.add_argument(
        "--hop", type=number, metavar="SECONDS", help="between predictions of the microphone"
    )
    analysis.add_argument(
        "--smoothing", type=number, metavar="SECONDS", help="of them; 0 is off (default: 1)"
    )


def _add_listen_options(listen: Parser) -> None:
    sound = group(listen, "sound")
    sound.add_argument(
        "--from",
        dest="replay",
        metavar="FILE",
        help="replay a file; hear a pipe, or - for standard input",
    )
    sound.add_argument(
        "--speed",
        type=amount,
        default=1.0,
        metavar="FACTOR",
        help="of the replay; 0 is as fast as it goes (default: %(default)s)",
    )
    output = group(listen, "output")
    output.add_argument("--record", metavar="FILE", help="keep the sound, as .flac or .wav")
    analysis = group(listen, "analysis")
    analysis.add_argument(
        "--enroll",
        type=positive,
        metavar="SECONDS",
        help="take the first seconds of speech for how you usually sound",
    )
    analysis.add_argument(
        "--profile",
        metavar="NAME",
        help="keep how you usually sound, as numbers, from one session to the next",
    )
    _add_listen_running_options(listen)


def _add_listen_running_options(listen: Parser) -> None:
    running = group(listen, "how it runs")
    running.add_argument("--duration", type=positive, metavar="SECONDS", help="end after that")
    running.add_argument(
        "--no-reconnect",
        dest="reconnect",
        action="store_false",
        help="end when the microphone goes away, instead of waiting for it",
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
        "--timeline", action="store_true", help="classify every window of them too"
    )
    analysis.add_argument(
        "--segments", action="store_true", help="give every utterance in them too"
    )
    analysis.add_argument(
        "--at",
        metavar="FILE",
        help="classify the intervals in a TextGrid, .eaf, .rttm or CSV; FOLDER/ for a file each",
    )
    analysis.add_argument(
        "--tiers", metavar="A,B", help="of --at, the tiers or speakers that are classified"
    )
    analysis.add_argument(
        "--partial",
        action="store_true",
        help="classify what there is of files of which sound is missing, and say what that is",
    )
    _add_file_running_options(file)


def _add_file_running_options(file: Parser) -> None:
    running = group(file, "how it runs")
    running.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="worker processes (default: one for each core, where there is much to do)",
    )
    running.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask cluster that does the work, such as tcp://HOST:8786",
    )
    output = group(file, "output")
    output.add_argument(
        "--resume",
        action="store_true",
        help="go on with an output that was broken off: leave out what it holds",
    )
    output.add_argument(
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
    report.add_argument("--model", metavar="NAME|PATH", help="model of the records, for its card")
    report.add_argument("-o", "--output", metavar="FILE", help="write the page there")
    report.add_argument("--force", action="store_true", help="overwrite a page that is there")
