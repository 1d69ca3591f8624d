"""Corpora by name: the published ones in the folder of the data, and the user's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from live_ser.errors import LiveSerError
from training.corpora.clips import Clip, Corpus
from training.corpora.emotions import LABELS
from training.corpora.files import sound_files, unusable
from training.corpora.own import OwnCorpus
from training.corpora.published import READERS
from training.corpora.reader import Reader


@dataclass(frozen=True)
class Catalogue:
    """Corpora by name.

    Attributes:
        data: folder with a folder for each published corpus.
        own: corpora that are not published.
    """

    data: Path
    own: Sequence[OwnCorpus] = ()

    def read(self, name: str, *, song: bool = False, labels: Collection[str] = LABELS) -> Corpus:
        """Read a corpus; the arguments are those of :func:`read_corpus`."""
        for corpus in self.own:
            if corpus.name == name:
                return corpus.read()
        return read_corpus(name, self.data, song=song, labels=labels)


def titles(corpora: Sequence[str]) -> str:
    """The titles of corpora, separated by commas."""
    return ", ".join(READERS[name].title if name in READERS else str(name) for name in corpora)


def read_corpus(
    name: str, data: Path, *, song: bool = False, labels: Collection[str] = LABELS
) -> Corpus:
    """Read a published corpus.

    Args:
        name: name of a published corpus, one of :data:`READERS`.
        data: folder that contains the corpus in a folder of its name, or the corpus itself.
        song: whether to include sung clips; only RAVDESS has any.
        labels: emotions that must be there, if the corpus has them as published. Clips of other
            emotions are read, too.

    Raises:
        LiveSerError: there is no such corpus or folder, it contains no usable clip, or no clip of
            a required emotion.
    """
    reader = READERS.get(name)
    if reader is None:
        raise LiveSerError(f"no corpus is called {name!r}", f"choose among {', '.join(READERS)}")
    folder = _folder_of(reader, data)
    clips: dict[str, Clip] = {}
    skipped: list[tuple[Path, str]] = []
    for path in sorted(sound_files(folder)):
        clip = reader.parse(path)
        if why := reader.excludes(path):
            skipped.append((path, why))
        elif clip is None:
            skipped.append((path, f"not a {reader.title} name, such as {reader.example}"))
        elif clip.song and not song:
            continue
        elif clip.id in clips:
            # Some archives hold the corpus twice over; a clip in both training and test would lie.
            skipped.append((path, f"the same clip as {clips[clip.id].path}"))
        elif why := unusable(path):
            skipped.append((path, why))
        else:
            clips[clip.id] = clip
    corpus = Corpus(name, folder, tuple(clips.values()), tuple(skipped))
    _check_whole(reader, corpus, labels)
    return corpus


def _folder_of(reader: Reader, data: Path) -> Path:
    """The corpus's own folder: within ``data``, or ``data`` itself."""
    if not data.is_dir():
        raise LiveSerError(
            f"{data} is not a folder",
            f"name the folder that holds {reader.title} with --data, or set LIVE_SER_DATA to it",
        )
    if reader.matches_folder(data):
        return data
    inside = sorted(entry for entry in data.iterdir() if entry.is_dir())
    if mine := next((entry for entry in inside if reader.matches_folder(entry)), None):
        return mine
    # RAVDESS and BanglaSER name their files alike: never read one as the other.
    if any(other.matches_folder(entry) for other in READERS.values() for entry in (data, *inside)):
        raise LiveSerError(
            f"{data} holds other corpora, but no folder {reader.name!r}",
            f"put the {reader.title} files ({reader.example}) into {data / reader.name}",
        )
    return data


def _check_whole(reader: Reader, corpus: Corpus, labels: Collection[str]) -> None:
    counts = Counter(clip.emotion for clip in corpus.clips)
    expected = f"it should hold {reader.title} as published, such as {reader.example}"
    if not counts:
        bad = f"; {len(corpus.skipped)} files were skipped" if corpus.skipped else ""
        raise LiveSerError(f"no usable {reader.title} clip in {corpus.folder}{bad}", expected)
    wanted = [emotion for emotion in reader.emotions.values() if emotion in labels]
    if missing := [emotion for emotion in wanted if not counts[emotion]]:
        raise LiveSerError(
            f"no {reader.title} clip in {corpus.folder} is {', nor '.join(missing)}",
            f"{expected}, with clips of {', '.join(wanted)}",
        )
