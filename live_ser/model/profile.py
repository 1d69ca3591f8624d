"""Profiles: a speaker's baseline and takes, stored between sessions. They contain no sound."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.errors import LiveSerError, unreadable
from live_ser.model.onnx_model import EmotionModel, KnownVoice
from live_ser.model.profile_file import (
    MAX_TAKES,
    TEXT_ERRORS,
    alone,
    content_of,
    numbers_in,
    profile_path,
    read_json,
    whole_profile,
    write_whole,
)
from live_ser.model.speaker import RunningBaseline
from live_ser.model.take import Take, known_voice
from live_ser.model.taught import TaughtModel, Teaching
from live_ser.system.durability import OWNER_ONLY

_ALIKE = 0.05  # relative difference up to which the probes of two models count as equal


@dataclass(frozen=True)
class Profile:
    """The profile of a speaker.

    Attributes:
        name: name of the profile.
        path: its file.
        network: the model that it is for.
    """

    name: str
    path: Path
    network: EmotionModel

    @classmethod
    def named(cls, name: str, network: EmotionModel) -> Profile:
        """The profile with a name; its file need not exist.

        Raises:
            InvalidArgument: the name is not valid as a file name.
        """
        return cls(name, profile_path(name), network)

    def read(self) -> tuple[KnownVoice, tuple[Take, ...]] | None:
        """The baseline and the takes; None if there is no file.

        Raises:
            LiveSerError: the file cannot be read, or belongs to another model.
        """
        again = f"live-ser profiles delete {self.name} to begin anew"
        try:
            stored = read_json(self.path)
            known, takes = whole_profile(stored, self.name)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(self.path, error, LiveSerError) from error
        except TEXT_ERRORS as error:
            raise LiveSerError(
                f"{self.path} is no profile: {error!s:.100}", f"{again}, or take another name"
            ) from error
        try:
            self._check(stored, known, takes)
        except TEXT_ERRORS as error:
            raise LiveSerError(
                f"the profile {self.name} cannot be used with this model: {error!s:.100}",
                f"take another name, or the model that it was made with; or {again}",
            ) from error
        return known, takes

    def applied(self) -> EmotionModel:
        """The model with the baseline and the teaching of the profile; unchanged if there is none.

        Raises:
            LiveSerError: the file cannot be read, or belongs to another model.
        """
        stored = self.read()
        if stored is None:
            return self.network
        known, takes = stored
        return TaughtModel(self.network, Teaching(self.network, takes) if takes else None, known)

    def teach(self, takes: Sequence[Take], *, instead_of: Sequence[Take] = ()) -> Teaching:
        """Store takes; takes that are in the profile already are not added again.

        Args:
            takes: the takes to add.
            instead_of: takes to remove.

        Returns:
            The teaching by all takes.

        Raises:
            LiveSerError: the file cannot be read or written, or there are too many takes.
        """
        with self._changing() as (known, before):
            taught, new = _exchanged(before, instead_of, takes)
            teaching = Teaching(self.network, taught)
            self._write(_together(known, known_voice(self.network, new)), taught)
        return teaching

    def exchange(self, old: Sequence[Take], new: Sequence[Take]) -> None:
        """Store takes from a session, without their voice, which :meth:`keep` adds.

        Args:
            old: takes to remove.
            new: takes to add.

        Raises:
            LiveSerError: as :meth:`teach`.
        """
        with self._changing() as (known, before):
            taught, _ = _exchanged(before, old, new)
            self._write(known or known_voice(self.network, new), taught)

    def keep(self, baseline: RunningBaseline) -> bool:
        """Add the speech of a session to the profile; False if there was none.

        Args:
            baseline: the baseline of the session. Changes by other sessions meanwhile stay.

        Raises:
            LiveSerError: it cannot be written.
        """
        baseline.finish()
        if baseline.mean is None:
            return False
        with self._changing() as (known, takes):
            self._write(baseline.added_to(known), takes)
        return True

    @contextmanager
    def _changing(self) -> Iterator[tuple[KnownVoice | None, tuple[Take, ...]]]:
        """The content of the profile, locked against other processes."""
        with alone(self.path):
            yield self.read() or (None, ())

    def _write(self, known: KnownVoice | None, takes: Sequence[Take]) -> None:
        """Replace the file atomically; nothing is written without a baseline."""
        if known is None:
            return
        probe = np.round(self.network.probe, 3).tolist()
        content = content_of(known, takes, model=self.network.info.name, probe=probe)
        mode = stat.S_IMODE(self.path.stat().st_mode) if self.path.exists() else OWNER_ONLY
        write_whole(self.path, json.dumps(content, indent=1) + "\n", mode=mode)

    def _check(self, stored: Any, known: KnownVoice, takes: Sequence[Take]) -> None:
        """Check that a profile is for this model.

        Raises:
            ValueError: it is for another one.
        """
        info = self.network.info
        assert info.baseline is not None
        if "probe" in stored:
            if not self._means_the_same(numbers_in(stored["probe"])):
                raise ValueError(f"it was made with another one, {stored['model']}")
        elif stored["model"] != hashlib.sha256(info.to_json().encode()).hexdigest()[:16]:
            raise ValueError("it was made with another one")
        if len(known.mean) != info.baseline.size:
            raise ValueError(f"its numbers are not {info.baseline.size}")
        for take in takes:
            if take.emotion not in info.labels:
                raise ValueError(f"the model has no emotion {take.emotion!r:.40}")
            if len(take.logits) != len(info.labels):
                raise ValueError(f"its numbers are not {len(info.labels)}")
            if len(take.embedding) != self.network.embedding_size:
                raise ValueError(f"its takes are not of {self.network.embedding_size} numbers")

    def _means_the_same(self, probe: NDArray[np.float64]) -> bool:
        """Whether a model with this probe has the same voice and embedding spaces."""
        own = self.network.probe
        if len(probe) != len(own):
            return False
        assert self.network.info.baseline is not None
        size = self.network.info.baseline.size
        return all(
            np.linalg.norm(theirs - mine) <= _ALIKE * np.linalg.norm(mine)
            for theirs, mine in ((probe[:size], own[:size]), (probe[size:], own[size:]))
        )


def _exchanged(
    before: Sequence[Take], old: Sequence[Take], new: Sequence[Take]
) -> tuple[tuple[Take, ...], list[Take]]:
    """The takes without the old and with the new ones, and those that were added."""
    remaining = [take for take in before if not any(take.is_same(one) for one in old)]
    added: list[Take] = []
    for take in new:
        if not any(take.is_same(one) for one in (*remaining, *added)):
            added.append(take)
    if len(remaining) + len(added) > MAX_TAKES:
        raise LiveSerError(
            f"a profile holds {MAX_TAKES} takes at most", "teach another profile, or fewer"
        )
    return (*remaining, *added), added


def _together(one: KnownVoice | None, other: KnownVoice | None) -> KnownVoice | None:
    """The weighted mean of two baselines."""
    if one is None or other is None:
        return one or other
    mean = np.average([one.mean, other.mean], axis=0, weights=[one.weight, other.weight])
    return KnownVoice(mean, one.seconds + other.seconds, one.weight + other.weight)
