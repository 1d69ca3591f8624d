"""``live-ser teach``: labelled takes of a speaker, kept in their profile as numbers."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from itertools import groupby
from pathlib import Path

from live_ser.cli.messages import say
from live_ser.cli.recordings import reading_asked_for
from live_ser.cli.teaching_report import report_lines, report_record
from live_ser.errors import LiveSerError
from live_ser.model.onnx_model import EmotionModel, load
from live_ser.model.profile import Profile
from live_ser.model.taught import Take, check_teachable
from live_ser.records.labelled import LabelledSound, read_labelled


def run(arguments: Namespace) -> int:
    """Teach a profile and report what it is worth; 1 if a recording could not be used."""
    network = load(arguments.model)
    check_teachable(network)
    profile = Profile.named(arguments.profile, network.info)
    profile.applied(network)  # before anybody has spoken in vain
    if arguments.takes is None:
        from live_ser.cli.guided_session import guided_session

        return guided_session(arguments, network, profile)
    labelled = read_labelled(Path(arguments.takes), network.info.labels)
    takes, failures = _hear(arguments, network, labelled)
    if not takes:
        raise LiveSerError("no take could be used", "nothing was taught")
    teaching = profile.teach(network, takes)
    report = teaching.report
    if arguments.format == "jsonl":
        print(json.dumps(report_record(report, profile.name)))
    else:
        print("\n".join(report_lines(report)))
        if not arguments.quiet:
            say(f"profile {profile.name}: {profile.path}")
    sys.stdout.flush()
    return int(failures > 0)


def _hear(
    arguments: Namespace, network: EmotionModel, labelled: list[LabelledSound]
) -> tuple[list[Take], int]:
    """The takes, and how many parts of recordings could not be used."""
    from live_ser.audio.sources import open_sound
    from live_ser.inference.takes import hear_parts

    takes: list[Take] = []
    failures = 0
    rate = network.info.features.sample_rate
    for path, parts in groupby(labelled, lambda one: one.path):
        group = list(parts)
        try:
            with open_sound(path, None, rate, reading_asked_for(arguments)) as blocks:
                spans = [(part.start, part.end, part.emotion) for part in group]
                heard = hear_parts(network, blocks, spans)
        except LiveSerError as error:
            say(f"{path}: {error.message}")
            failures += len(group)
            continue
        for part, take in zip(group, heard, strict=True):
            if take is None:
                say(f"{path}: too little speech for a take of {part.emotion}")
                failures += 1
            else:
                takes.append(take)
    return takes, failures
