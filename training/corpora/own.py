"""The user's own recordings: a folder for each emotion, or a CSV with emotion and speaker.

The folders are ``own/angry/anna/01.flac``, where a further folder is the speaker, or
``own/angry/anna_01.flac`` with a pattern that finds the speaker in the file's name.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from live_ser.errors import LiveSerError
from training.corpora.clips import Clip, Corpus
from training.corpora.emotions import EMOTIONS
from training.corpora.files import sound_files, unusable
from training.corpora.published import READERS

EMOTION_NAMES: Mapping[str, str] = {
    **{name: name for name in EMOTIONS},
    "anger": "angry",
    "boredom": "bored",
    "disgusted": "disgust",
    "fear": "fearful",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprise": "surprised",
}
"""Names of emotions that folders and files may use, and our name for each."""

_COLUMNS = ("file", "emotion", "speaker")
_LAYOUT = "own/angry/anna/01.flac"


@dataclass(frozen=True)
class OwnCorpus:
    """A corpus of the user's own recordings.

    Attributes:
        name: name of the corpus.
        path: path of its folder, or of a CSV file with the columns ``file``, ``emotion`` and
            ``speaker``, where paths of files are relative to the CSV file.
        speaker: regular expression for the speaker at the start of a file's name: its first group,
            or the whole match. If it is empty, the folder inside of the emotion's is the speaker.

    Raises:
        LiveSerError: the name, the path or the expression is invalid.
    """

    name: str
    path: Path
    speaker: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name) or self.name in READERS:
            raise LiveSerError(
                f"a corpus of your own cannot be called {self.name!r}",
                "take lower-case letters, and no published corpus's name: own=PATH",
            )
        if not self.path.exists():
            raise LiveSerError(
                f"{self.path} is neither a folder nor a CSV file",
                f"{self.name}=PATH names a folder with a folder for each emotion ({_LAYOUT}), or "
                "a CSV file",
            )
        try:
            re.compile(self.speaker)
        except re.error as error:
            raise LiveSerError(
                f"{self.speaker!r} is no regular expression: {error}",
                "--speaker-pattern '[^_]+' takes what stands before the first _",
            ) from error

    def read(self) -> Corpus:
        """Read the corpus.

        Raises:
            LiveSerError: no clip in it can be used.
        """
        clips: dict[str, Clip] = {}
        skipped: list[tuple[Path, str]] = []
        for entry in self._rows() if self.path.is_file() else self._files():
            if not isinstance(entry, Clip):
                skipped.append(entry)
            elif entry.id in clips:
                skipped.append((entry.path, "it is named twice"))
            elif why := unusable(entry.path):
                skipped.append((entry.path, why))
            else:
                clips[entry.id] = entry
        if not clips:
            path, why = skipped[0] if skipped else (self.path, "there is no sound file in it")
            raise LiveSerError(
                f"no clip of {self.path} can be used; {path}: {why}",
                f"name files as {_LAYOUT}, or in a CSV file with {', '.join(_COLUMNS)}; emotions "
                f"are {', '.join(EMOTIONS)}",
            )
        return Corpus(self.name, self.path, tuple(clips.values()), tuple(skipped))

    def _files(self) -> Iterator[Clip | tuple[Path, str]]:
        """Read the files, whose folders and names say what they are; skip unknown folders."""
        strange: Counter[str] = Counter()
        for path in sorted(sound_files(self.path)):
            folders = path.relative_to(self.path).parts[:-1]
            emotion = EMOTION_NAMES.get(folders[0].lower()) if folders else None
            if not folders:
                yield path, "it is not in a folder of an emotion"
            elif emotion is None:
                strange[folders[0]] += 1
            elif speaker := self._speaker(path, folders[1:]):
                yield self._clip(path, self.path, emotion, speaker)
            elif self.speaker:
                yield path, f"its name does not begin with {self.speaker!r}"
            else:
                yield path, "its speaker is unknown: add a folder, or --speaker-pattern '[^_]+'"
        for folder, count in strange.items():
            yield self.path / folder, f"no emotion is called {folder!r}; {count} files"

    def _speaker(self, path: Path, folders: tuple[str, ...]) -> str:
        if not self.speaker:
            return folders[0] if folders else ""
        match = re.match(self.speaker, path.stem)
        return (match[1] if match.re.groups else match[0]) or "" if match else ""

    def _rows(self) -> Iterator[Clip | tuple[Path, str]]:
        """Read the lines of the CSV file."""
        try:
            text = self.path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise LiveSerError(f"cannot read {self.path}: {error}", "save it as UTF-8") from error
        head = text.partition("\n")[0]
        rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in head else ",")
        missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise LiveSerError(
                f"{self.path} has no column {', nor '.join(missing)}",
                f"its first line names the columns: {','.join(_COLUMNS)}",
            )
        for row in rows:
            file, emotion, speaker = ((row[name] or "").strip() for name in _COLUMNS)
            path = self.path.parent / file
            where = f"line {rows.line_num} of {self.path.name}"
            if emotion.lower() not in EMOTION_NAMES:
                yield path, f"no emotion is called {emotion!r} ({where})"
            elif not speaker:
                yield path, f"its speaker is unknown ({where})"
            elif not path.is_file():
                yield path, f"there is no such file ({where})"
            else:
                yield self._clip(path, self.path.parent, EMOTION_NAMES[emotion.lower()], speaker)

    def _clip(self, path: Path, base: Path, emotion: str, speaker: str) -> Clip:
        inside = path.relative_to(base) if path.is_relative_to(base) else path
        return Clip(
            path, emotion, f"{self.name}/{speaker}", self.name, f"{self.name}/{inside.as_posix()}"
        )


def parse_corpora(words: str, speaker: str = "") -> tuple[tuple[str, ...], tuple[OwnCorpus, ...]]:
    """Parse the value of an option that names corpora, such as ``ravdess,own=PATH``.

    Args:
        words: names of corpora, separated by commas.
        speaker: regular expression for the speaker; see :class:`OwnCorpus`.

    Returns:
        The names of all corpora, and those that are the user's own.

    Raises:
        LiveSerError: a name is unknown.
    """
    names: list[str] = []
    own: list[OwnCorpus] = []
    for word in filter(None, words.split(",")):
        name, equals, path = word.partition("=")
        if equals:
            own.append(OwnCorpus(name, Path(path), speaker))
        elif name not in READERS:
            raise LiveSerError(
                f"no corpus is called {name!r}",
                f"choose among {', '.join(READERS)}, or name recordings of your own: own=PATH",
            )
        names.append(name)
    return tuple(names), tuple(own)
