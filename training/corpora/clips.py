"""A clip, one recording of one speaker in one emotion, and a corpus of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from training.corpora.emotions import AROUSED, UNAROUSED

Gender = Literal["f", "m"]


@dataclass(frozen=True)
class Clip:
    """One recording of one speaker in one emotion.

    Attributes:
        path: path of the sound file.
        emotion: one of :data:`training.corpora.emotions.EMOTIONS`.
        speaker: name of the speaker, unique across corpora: ``ravdess/12``.
        corpus: name of the corpus.
        id: the published name, unique across corpora: ``ravdess/03-01-06-01-02-01-12``.
        gender: gender of the speaker; None if the corpus doesn't state it.
        statement: code of the sentence; None if the file name doesn't contain it.
        intensity: code of the intensity; None if the file name doesn't contain it.
        song: whether it is sung rather than spoken.
    """

    path: Path
    emotion: str
    speaker: str
    corpus: str
    id: str
    gender: Gender | None = None
    statement: str | None = None
    intensity: str | None = None
    song: bool = False

    @property
    def activation(self) -> bool | None:
        """Whether the emotion is of high activation; None for disgust, which is neither."""
        if self.emotion in AROUSED:
            return True
        return False if self.emotion in UNAROUSED else None


@dataclass(frozen=True)
class Corpus:
    """The clips of a corpus.

    Attributes:
        name: name of the corpus.
        folder: folder or CSV file that it was read from.
        clips: its clips, in the order of their paths.
        skipped: files that were skipped, each with the reason.
    """

    name: str
    folder: Path
    clips: tuple[Clip, ...]
    skipped: tuple[tuple[Path, str], ...]
