"""``live-ser teach``: adapt the model to a speaker, by labelled takes in a profile."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from live_ser.cli.errors import UsageError
from live_ser.cli.messages import say, say_notes
from live_ser.cli.options import CommonOptions, SoundOptions
from live_ser.cli.teaching_report import doubt_lines, new_lines, report_lines, report_record
from live_ser.errors import LiveSerError
from live_ser.model.onnx_model import EmotionModel, load
from live_ser.model.profile import Profile
from live_ser.model.take import Take
from live_ser.model.taught import check_teachable
from live_ser.records.labelled import LabelledSound, read_labelled

_ROUNDS = 3  # of the guided session


@dataclass(frozen=True)
class Options(CommonOptions, SoundOptions):
    """The options of ``live-ser teach``."""

    device: str | None
    model: str | None
    profile: str
    takes: str | None
    rounds: int | None
    emotions: str | None
    format: Literal["table", "jsonl"] | None


def run(options: Options) -> int:
    """Teach a profile, and print a report; 1 if a recording could not be used."""
    if options.takes is not None and (options.emotions or options.rounds):
        raise UsageError(
            "--emotions and --rounds are for the guided session, not for recordings",
            "leave them out, or leave out --from",
        )
    network = load(options.model)
    check_teachable(network)
    profile = Profile.named(options.profile, network)
    profile.applied()  # raises before the user has spoken in vain
    if options.takes is None:
        from live_ser.cli.guided_session import guided_session

        return guided_session(
            network,
            profile,
            emotions=options.emotions.split(",") if options.emotions else (),
            rounds=options.rounds or _ROUNDS,
            device=options.device,
            channels=options,
        )
    left_out = (lambda line: None) if options.quiet else say
    labelled = read_labelled(Path(options.takes), network.info.labels, left_out)
    takes, failures = _read_takes(network, labelled, options)
    if not takes:
        raise LiveSerError("no take could be used", "nothing was taught")
    _, before = profile.read() or (None, ())
    teaching = profile.teach([take for take, _ in takes])
    new = len(teaching.takes) - len(before)
    report = teaching.report
    recordings = [_recording_of(teaching.takes[doubt.take], takes) for doubt in report.doubtful]
    if options.format == "jsonl":
        print(json.dumps(report_record(report, profile.name, recordings, new=new)))
    else:
        lines = [*new_lines(new, len(takes)), *report_lines(report)]
        print("\n".join([*lines, *doubt_lines(report, recordings)]))
        if not options.quiet:
            say(f"profile {profile.name}: {profile.path}")
    sys.stdout.flush()
    return int(failures > 0)


def _recording_of(take: Take, takes: list[tuple[Take, LabelledSound]]) -> LabelledSound | None:
    """The recording of a take, if it is one of these."""
    return next((sound for one, sound in takes if one.is_same(take)), None)


def _read_takes(
    network: EmotionModel, labelled: list[LabelledSound], options: Options
) -> tuple[list[tuple[Take, LabelledSound]], int]:
    """The takes with their recordings, and the number of recordings that cannot be used."""
    from live_ser.audio.sources import open_sound
    from live_ser.inference.takes import takes_of_parts
    from live_ser.inference.turns import Turn, notes_on_ends

    takes: list[tuple[Take, LabelledSound]] = []
    failures = 0
    rate, reading = network.info.features.sample_rate, options.reading()
    parts: dict[Path, list[LabelledSound]] = {}
    for one in labelled:
        parts.setdefault(one.path, []).append(one)
    for path, group in parts.items():
        try:
            with open_sound(path, None, rate, reading) as blocks:
                spans = [(part.start, part.end, part.emotion) for part in group]
                found, seconds = takes_of_parts(network, blocks, spans)
        except LiveSerError as error:
            say(error.message if str(path) in error.message else f"{path}: {error.message}")
            failures += len(group)
            continue
        marked = [Turn(part.start, part.end) for part in group if part.end < math.inf]
        notes = notes_on_ends(marked, seconds)
        say_notes([f"{path}: {note}" for note in notes], quiet=options.quiet)
        for part, take in zip(group, found, strict=True):
            if take is not None:
                takes.append((take, part))
                continue
            failures += 1
            if part.start >= seconds:
                place = f"from {part.start:.2f} s on is outside the sound"
                say(f"{path}: {part.emotion} {place}, which is {seconds:.1f} s long")
            else:
                say(f"{path}: too little speech for a take of {part.emotion}")
    return takes, failures
