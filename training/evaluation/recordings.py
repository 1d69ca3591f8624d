"""Recordings for evaluation, none of which the model was trained on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from live_ser.errors import LiveSerError
from live_ser.spec import ModelInfo
from training.corpora.catalogue import Catalogue, titles
from training.corpora.clips import Clip
from training.corpora.labels import known_targets
from training.corpora.splits import PROTOCOLS
from training.recipes.run import Run


@dataclass(frozen=True)
class Recordings:
    """Clips to evaluate on.

    Attributes:
        name: name of the set.
        protocol: one line to print beside every figure.
        clips: each of an emotion that the model has a label for.
    """

    name: str
    protocol: str
    clips: tuple[Clip, ...]

    def limited(self, max_clips: int) -> Recordings:
        """The recordings with at most a number of clips of each speaker and emotion."""
        count: dict[tuple[str, str], int] = defaultdict(int)
        chosen = []
        for clip in self.clips:
            count[clip.speaker, clip.emotion] += 1
            if count[clip.speaker, clip.emotion] <= max_clips:
                chosen.append(clip)
        protocol = f"{self.protocol}; only {max_clips} clips a speaker and emotion"
        return replace(self, protocol=protocol, clips=tuple(chosen))


def unseen_corpus(name: str, catalogue: Catalogue, info: ModelInfo) -> Recordings:
    """A whole corpus that the model was not trained on.

    Args:
        name: name of the corpus.
        catalogue: where the corpora are.
        info: metadata of the model.

    Raises:
        LiveSerError: the model was trained on it, or the corpus cannot be read.
    """
    corpora = info.provenance.get("corpora")
    if name in (*(corpora or ()), *info.provenance.get("taught_by", ())):
        raise LiveSerError(
            f"the model {info.name} was trained on {titles([name])}: it is no test of it",
            "name the folder of its run with --run, to evaluate on the clips that it held out",
        )
    origin = f"trained on {titles(corpora)}" if corpora else "what trained it is not known"
    protocol = f"cross-corpus: all of {titles([name])}, {origin}"
    return _recordings(name, protocol, catalogue.read(name).clips, info)


def held_out(run: Path, data: Path, info: ModelInfo) -> Recordings:
    """The clips that a run held out.

    Args:
        run: folder of the run.
        data: folder with a folder for each corpus.
        info: metadata of the model.

    Raises:
        LiveSerError: the model is not from this run, or the run held nothing out.
    """
    config, splits = _read_json(run / "config.json"), Run.open(run).splits
    provenance = info.provenance
    if provenance.get("config") != config or provenance.get("protocol") != splits.name:
        raise LiveSerError(
            f"the model {info.name} is not from the run {run}",
            f"leave the model out for {model_of(run)}",
        )
    if not splits.test:
        raise LiveSerError(
            f"the run {run} trained on all its clips", "evaluate it on other corpora: --corpora"
        )
    wanted = set(splits.test)
    clips = [
        clip
        for name in config["corpora"]
        for clip in Catalogue(data, splits.own).read(name, song=splits.song).clips
        if clip.id in wanted
    ]
    if len(clips) < len(wanted):
        raise LiveSerError(
            f"{len(wanted) - len(clips)} of the clips that the run held out are not in {data}",
            "name the folder that the run was trained from with --data",
        )
    return _recordings("held-out", _describe(splits.name, clips), clips, info)


def model_of(run: Path) -> Path:
    """The model file in the folder of a run."""
    config = _read_json(run / "config.json")
    return run / f"{config.get('preset', 'live_ser')}.onnx"


def _describe(split: str, clips: Sequence[Clip]) -> str:
    protocol = PROTOCOLS.get(split.split("/", maxsplit=1)[0])
    what = f"{split} ({protocol.description})" if protocol else split
    corpora = sorted({clip.corpus for clip in clips})
    return (
        f"{what}: {len(clips)} clips of {titles(corpora)} that did not train; the calibration was "
        "fitted on them, so their ECE is optimistic"
    )


def _recordings(name: str, protocol: str, clips: Sequence[Clip], info: ModelInfo) -> Recordings:
    known, _ = known_targets(clips, info.labels)
    if not len(known):
        raise LiveSerError(f"no clip of {name} has an emotion that the model has a label for")
    return Recordings(name, protocol, tuple(clips[i] for i in known))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LiveSerError(
            f"cannot read {path}", "name the folder of a run of python -m training.fit"
        ) from error
