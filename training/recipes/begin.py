"""The start of a run: its training and held-out clips, and its teachers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from live_ser.errors import LiveSerError
from training.corpora.catalogue import Catalogue, titles
from training.corpora.clips import Clip
from training.corpora.emotions import LABELS, MERGED
from training.corpora.labels import known_targets
from training.corpora.own import OwnCorpus
from training.corpora.splits import PROTOCOLS, Split, hold_out
from training.recipes.config import RunConfig
from training.recipes.run import Run, Splits


def begin(
    folder: Path,
    config: RunConfig,
    data: Path,
    split: str,
    *,
    song: bool = False,
    teachers: Sequence[Path] = (),
    own: Sequence[OwnCorpus] = (),
) -> Run:
    """Make the folder of a new run.

    Args:
        folder: folder to create.
        config: settings of the run.
        data: folder with a folder for each corpus.
        split: ``all`` trains on every clip, ``held-out`` holds out some speakers; or a split of a
            protocol, such as ``luna/1``.
        song: whether to include sung clips.
        teachers: finished runs of the same split, or exported files, to distil this network from.
        own: the user's own corpora among those of ``config``.

    Raises:
        LiveSerError: the settings, the split and the teachers do not go together, a corpus cannot
            be read, or the folder exists.
    """
    clips = read(config, Catalogue(data, own), song=song)
    chosen = _split(split, clips)
    _check_clips(config, chosen)
    config = _with_classes_of(chosen, config)
    _report_own(chosen, [corpus.name for corpus in own])
    _check_teachers(teachers, config, chosen)
    return Run.new(
        folder,
        config,
        Splits(
            teachers=tuple(str(teacher.resolve()) for teacher in teachers),
            name=chosen.name,
            song=song,
            train=tuple(clip.id for clip in chosen.train),
            test=tuple(clip.id for clip in chosen.test),
            speakers=len({clip.speaker for clip in chosen.train}),
            own=tuple(own),
        ),
    )


def _check_clips(config: RunConfig, split: Split) -> None:
    """Refuse corpora without clips, emotions without a class, and selection without test clips."""
    if idle := set(config.corpora) - {clip.corpus for clip in (*split.train, *split.test)}:
        raise LiveSerError(
            f"the split {split.name} has no clip of {titles(sorted(idle))}",
            f"name {', '.join(one for one in config.corpora if one not in idle)} alone",
        )
    if config.select_on_test and not split.test:
        raise LiveSerError(
            f"the split {split.name!r} has no test clips to select on",
            "name another with --split, or leave select_on_test out",
        )
    known, _ = known_targets(split.train, config.classes)
    learnt = {split.train[i].emotion for i in known}
    unknown = {clip.emotion for clip in split.train} - learnt
    if config.classes_only and unknown:
        raise LiveSerError(
            f"the preset {config.preset} has no class for {', '.join(sorted(unknown))}",
            "take other corpora, or the preset live_ser",
        )


def _with_classes_of(split: Split, config: RunConfig) -> RunConfig:
    """The settings without the classes that have no training clips, which cannot be learnt."""
    _, shown = known_targets(split.train, config.classes)
    classes = tuple(name for place, name in enumerate(config.classes) if place in shown)
    if len(classes) < 2:
        raise LiveSerError(
            f"the training clips show no emotion but {classes[0] if classes else 'others'}",
            f"two at least of {', '.join(config.classes)} are wanted",
        )
    return replace(config, classes=classes)


def _report_own(split: Split, own: Sequence[str]) -> None:
    """Report on stderr what the user's own recordings contain, and what they lack."""
    for name in own:
        clips = [clip for clip in (*split.train, *split.test) if clip.corpus == name]
        held = {clip.speaker for clip in split.test if clip.corpus == name}
        shown = {MERGED.get(clip.emotion, clip.emotion) for clip in clips}
        lacking = [label for label in LABELS if label not in shown]
        speakers = len({clip.speaker for clip in clips})
        print(
            f"{name}: {len(clips)} clips of {speakers} speakers, {len(held)} held out",
            file=sys.stderr,
        )
        if lacking:
            print(
                f"{name}: no clip is {', nor '.join(lacking)}; it teaches nothing about these",
                file=sys.stderr,
            )
    if own and not split.test:
        print(
            "no speaker is held out (it takes four of a corpus to spare one): there will be no "
            "metrics and no calibration",
            file=sys.stderr,
        )


def _check_teachers(teachers: Sequence[Path], config: RunConfig, split: Split) -> None:
    if teachers and not config.takes_teachers:
        raise LiveSerError(f"the preset {config.preset} takes no teachers", "leave out --teacher")
    for teacher in teachers:
        _check_teacher(teacher, config, split)


def _check_teacher(path: Path, config: RunConfig, split: Split) -> None:
    """Refuse a teacher that was trained, or distilled, on clips that the split leaves out."""
    if path.is_file():
        from training.recipes.distill import ExportedTeacher  # with SciPy, which takes seconds

        ExportedTeacher(path, config)  # raises if it does not fit
        if split.test:
            raise LiveSerError(
                f"{path} does not state its training clips, and this split leaves some out",
                "take it with --split all, or a run of the same --split in its place",
            )
        return
    run = Run.open(path)
    if not run.weights.is_file():
        raise LiveSerError(f"{path} has no trained weights yet", "finish it first")
    if run.config.kind != config.kind:
        raise LiveSerError(
            f"{path} has other features or classes than this network",
            "take a run with the same settings",
        )
    for teacher in run.teachers:
        _check_teacher(teacher, config, split)
    if set(run.splits.train) - {clip.id for clip in split.train}:
        raise LiveSerError(
            f"{path} was trained on clips that this split leaves out",
            "take teachers of the same --split",
        )


def read(config: RunConfig, catalogue: Catalogue, *, song: bool) -> list[Clip]:
    """Read the clips of a run's corpora, and report files that cannot be used on stderr.

    Args:
        config: settings of the run.
        catalogue: where the corpora are.
        song: whether to include sung clips.
    """
    clips: list[Clip] = []
    for name in config.corpora:
        corpus = catalogue.read(name, song=song)
        clips += corpus.clips
        for path, why in corpus.skipped:
            print(f"skipped {path}: {why}", file=sys.stderr)
    return clips


def _split(name: str, clips: Sequence[Clip]) -> Split:
    if name == "all":
        return Split("all", tuple(clips), ())
    if name == "held-out":
        return Split("held-out speakers", *hold_out(clips))
    if name.endswith("+held-out"):
        base = _split(name.removesuffix("+held-out"), clips)
        train, held = hold_out(base.train)
        return Split(f"{base.name} and held-out speakers", train, (*base.test, *held))
    protocol = PROTOCOLS.get(name.split("/", maxsplit=1)[0])
    splits = {split.name: split for split in protocol.splits(clips)} if protocol else {}
    if name not in splits:
        known = ", ".join(splits) or f"all, held-out, {', '.join(f'{p}/1' for p in PROTOCOLS)}"
        raise LiveSerError(f"no split is called {name!r}", f"choose among {known}")
    return splits[name]
