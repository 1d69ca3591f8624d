"""The folders of the corpora."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.corpora.own import OwnCorpus
from training.corpora.readers import LABELS, READERS, Corpus, read_corpus


@dataclass(frozen=True)
class Catalogue:
    """Corpora by their names.

    Attributes:
        data: folder with a folder for each published corpus.
        own: corpora that are not published.
    """

    data: Path
    own: Sequence[OwnCorpus] = ()

    def read(self, name: str, *, song: bool = False, labels: Collection[str] = LABELS) -> Corpus:
        """Read a corpus; see :func:`training.corpora.readers.read_corpus`."""
        for corpus in self.own:
            if corpus.name == name:
                return corpus.read()
        return read_corpus(name, self.data, song=song, labels=labels)


def titles(corpora: Sequence[str]) -> str:
    """Corpora by the names that people know."""
    return ", ".join(READERS[name].title if name in READERS else str(name) for name in corpora)
