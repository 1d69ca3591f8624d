"""The reader of a published corpus: file name -> :class:`Clip`.

A corpus is read by its published file names, as unpacked or with all files in one folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training.corpora.clips import Clip, Gender


@dataclass(frozen=True)
class Reader:
    """How a published corpus names its files.

    Attributes:
        name: name of the corpus, as options spell it.
        title: the name that it is published under.
        pattern: regular expression of a path without its suffix, with the groups ``speaker`` and
            ``emotion``, and, where the names contain them, ``statement``, ``intensity`` and
            ``channel``.
        example: a file name that matches.
        emotions: the corpus's code of each emotion, and our name for it.
        genders: genders of its speakers, where they are published.
        folders: other names of its folder; case and punctuation don't matter.
        excluded: regular expression of file names that match and are left out nevertheless, and
            the reason.
        open: whether its licence allows any use of a model that was trained on it.
    """

    name: str
    title: str
    pattern: str
    example: str
    emotions: Mapping[str, str]
    genders: Mapping[str, Gender] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    excluded: tuple[str, str] | None = None
    open: bool = False

    def excludes(self, path: Path) -> str | None:
        """Why a file of this corpus is left out; None if it isn't."""
        if self.excluded is None:
            return None
        pattern, reason = self.excluded
        return reason if re.search(pattern, path.stem) else None

    def parse(self, path: Path) -> Clip | None:
        """The clip that a file is by its name; None if the name is not one of this corpus."""
        match = re.fullmatch(rf"(?:.*/)?({self.pattern})", path.with_suffix("").as_posix())
        if match is None or (emotion := self.emotions.get(match["emotion"])) is None:
            return None
        fields = match.groupdict()
        return Clip(
            path=path,
            emotion=emotion,
            speaker=f"{self.name}/{match['speaker']}",
            corpus=self.name,
            id=f"{self.name}/{match[1].replace('/', '_')}",
            gender=self.genders.get(match["speaker"]),
            statement=fields.get("statement"),
            intensity=fields.get("intensity"),
            song=fields.get("channel") == "02",
        )

    def matches_folder(self, folder: Path) -> bool:
        """Whether a folder has a name of this corpus."""
        return _plain(folder.name) in {_plain(name) for name in (self.name, *self.folders)}


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
