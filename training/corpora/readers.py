"""Corpora of emotional speech: file name -> :class:`Clip`, one small reader per corpus.

A corpus is read by the names under which it is published, as it was unpacked or with all its files
in one folder. Nothing is read from the files but whether they hold sound.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from live_ser.errors import LiveSerError
from training.corpora.files import sound_files, unusable

LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
"""The labels of the shipped model, in the order of its output."""

SAME: Mapping[str, str] = {"calm": "neutral"}
"""Emotions that count as another where they have no class of their own."""

EMOTIONS = ("neutral", "calm", *LABELS[1:], "bored")
"""All that corpora show, in the order in which they are always listed."""

AROUSED = frozenset({"angry", "happy", "fearful", "surprised"})
UNAROUSED = frozenset({"neutral", "calm", "sad", "bored"})

Gender = Literal["f", "m"]


@dataclass(frozen=True)
class Clip:
    """One recording of one speaker in one emotion.

    Attributes:
        path: path of the sound file.
        emotion: one of :data:`LABELS`, ``calm`` or ``bored``.
        speaker: unique across corpora: ``ravdess/12``.
        corpus: name of its reader.
        id: the published name, unique across corpora: ``ravdess/03-01-06-01-02-01-12``.
        gender: where the corpus tells it.
        statement: code of what is said, where the name holds it.
        intensity: code of how strongly, where the name holds it.
        song: sung, not spoken.
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
        """Whether the emotion is an aroused one; ``None`` for disgust, which counts for neither."""
        if self.emotion in AROUSED:
            return True
        return False if self.emotion in UNAROUSED else None


@dataclass(frozen=True)
class Corpus:
    """A corpus that was read: its clips by path, and the files that were skipped, with why."""

    name: str
    folder: Path
    clips: tuple[Clip, ...]
    skipped: tuple[tuple[Path, str], ...]


@dataclass(frozen=True)
class Reader:
    """How a corpus names its files.

    Attributes:
        name: name of the corpus, as options spell it.
        title: title of the corpus, as people know it.
        pattern: pattern of a path without its suffix, with groups ``speaker`` and ``emotion``,
            and, where the name has them, ``statement``, ``intensity`` and ``channel``.
        example: a file name that fits.
        emotions: the corpus's codes in our words.
        genders: genders of its speakers, where they are published.
        folders: further names that its folder goes by; case and punctuation don't matter.
        without: patterns of names that fit and are left out nevertheless, with the reason.
    """

    name: str
    title: str
    pattern: str
    example: str
    emotions: Mapping[str, str]
    genders: Mapping[str, Gender] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    without: tuple[str, str] | None = None

    def left_out(self, path: Path) -> str | None:
        """Why a file of this corpus is not used; None if it may be."""
        if self.without is None or re.search(self.without[0], path.stem) is None:
            return None
        return self.without[1]

    def parse(self, path: Path) -> Clip | None:
        """The clip that a file is by its name; ``None`` if the name is not of this corpus."""
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

    def names(self, folder: Path) -> bool:
        """Whether a folder's name says that it holds this corpus."""
        return _plain(folder.name) in {_plain(name) for name in (self.name, *self.folders)}


def _odd_male(actors: int) -> dict[str, Gender]:
    return {f"{actor:02}": "m" if actor % 2 else "f" for actor in range(1, actors + 1)}


def _genders(*, f: str = "", m: str = "") -> dict[str, Gender]:
    return {**dict.fromkeys(f.split(), "f"), **dict.fromkeys(m.split(), "m")}


_RAVDESS = Reader(
    name="ravdess",
    title="RAVDESS",
    pattern=r"03-(?P<channel>0[12])-(?P<emotion>\d\d)-(?P<intensity>0[12])-(?P<statement>0[12])"
    r"-0[12]-(?P<speaker>0[1-9]|1\d|2[0-4])",
    example="Actor_12/03-01-06-01-02-01-12.wav",
    emotions={
        "01": "neutral",
        "02": "calm",
        "03": "happy",
        "04": "sad",
        "05": "angry",
        "06": "fearful",
        "07": "disgust",
        "08": "surprised",
    },
    genders=_odd_male(24),
)

_NEMO = Reader(
    name="nemo",
    title="nEMO",
    pattern=r"(?P<speaker>[A-Z]{2}\d)_(?P<emotion>[a-z]+)_\d+",
    example="samples/WR0_surprised_64.wav",
    emotions={
        "anger": "angry",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprised": "surprised",
    },
    genders=_genders(f="EB0 IC0 KD0 MK0", m="KS0 MP0 SM0 TP0 WR0"),
)

_EMODB = Reader(
    name="emodb",
    title="EMO-DB",
    pattern=r"(?P<speaker>\d\d)(?P<statement>[ab]\d\d)(?P<emotion>[A-Z])[a-z]",
    example="wav/03a01Fa.wav",
    emotions={
        "W": "angry",
        "L": "bored",
        "E": "disgust",
        "A": "fearful",
        "F": "happy",
        "T": "sad",
        "N": "neutral",
    },
    genders=_genders(f="08 09 13 14 16", m="03 10 11 12 15"),
)

_BANGLASER = Reader(
    name="banglaser",
    title="BanglaSER",
    # Three of the published recordings say modality 01, though they are sound alone like the rest.
    pattern=r"0[13]-01-(?P<emotion>\d\d)-(?P<intensity>0[12])-(?P<statement>0[1-3])-0[1-3]"
    r"-(?P<speaker>0[1-9]|[12]\d|3[0-4])",
    example="03-01-03-02-01-01-07.wav",
    emotions={"01": "happy", "02": "sad", "03": "angry", "04": "surprised", "05": "neutral"},
    genders=_odd_male(34),
)

_TESS = Reader(
    name="tess",
    title="TESS",
    # One published file says OA for OAF.
    pattern=r"(?P<speaker>OA|YA)F?_(?P<statement>[a-z]+)_(?P<emotion>[a-z]+)",
    example="OAF_back_angry.wav",
    emotions={
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happy": "happy",
        "neutral": "neutral",
        "ps": "surprised",
        "sad": "sad",
    },
    genders=_genders(f="OA YA"),
    folders=("TESS Toronto emotional speech set data",),
)

_EMOVO = Reader(
    name="emovo",
    title="EMOVO",
    pattern=r"(?P<emotion>[a-z]{3})-(?P<speaker>[fm][1-3])-(?P<statement>[a-z]\d)",
    example="f1/dis-f1-b1.wav",
    emotions={
        "dis": "disgust",
        "gio": "happy",
        "neu": "neutral",
        "pau": "fearful",
        "rab": "angry",
        "sor": "surprised",
        "tri": "sad",
    },
    genders=_genders(f="f1 f2 f3", m="m1 m2 m3"),
)

_CREMAD = Reader(
    name="cremad",
    title="CREMA-D",
    # One published file ends in a single X.
    pattern=r"(?P<speaker>1\d{3})_(?P<statement>[A-Z]{3})_(?P<emotion>[A-Z]{3})"
    r"_(?P<intensity>LO|MD|HI|XX?)",
    example="AudioWAV/1001_DFA_ANG_XX.wav",
    emotions={
        "ANG": "angry",
        "DIS": "disgust",
        "FEA": "fearful",
        "HAP": "happy",
        "NEU": "neutral",
        "SAD": "sad",
    },
)

_SAVEE = Reader(
    name="savee",
    title="SAVEE",
    # Published with a folder per speaker; often met flat, the speaker in front of the name.
    pattern=r"(?P<speaker>DC|JE|JK|KL)[/_](?P<emotion>[a-z]{1,2})(?P<statement>\d\d)",
    example="AudioData/DC/a01.wav",
    emotions={
        "a": "angry",
        "d": "disgust",
        "f": "fearful",
        "h": "happy",
        "n": "neutral",
        "sa": "sad",
        "su": "surprised",
    },
    genders=_genders(m="DC JE JK KL"),
)

_CAFE = Reader(
    name="cafe",
    title="CaFE",
    # Neutral has no intensity: 01-N-1.
    pattern=r"(?P<speaker>0[1-9]|1[0-2])-(?P<emotion>[A-Z])(?:-(?P<intensity>[12]))?"
    r"-(?P<statement>[1-6])",
    example="01-C-1-1.wav",
    emotions={
        "C": "angry",
        "D": "disgust",
        "J": "happy",
        "N": "neutral",
        "P": "fearful",
        "S": "surprised",
        "T": "sad",
    },
)

_EMOSPEECH = Reader(
    name="emospeech",
    title="Indian EmoSpeech Command",
    pattern=r"(?P<statement>[a-z]+)-[a-z ]+-(?P<emotion>[a-z]+)-\d+-(?P<speaker>[0-9a-f]{40,})",
    example=f"House/help-safe-calm-20190709085906-{'0123abcd' * 7}.wav",
    emotions={"angry": "angry", "calm": "calm", "fearful": "fearful", "happy": "happy"},
    folders=("emospeech-dataset-v1",),
    # The archive says so of the one; what is no keyword is no speech either.
    without=("^background-|-None-|-d14a028c[0-9a-f]*$", "nobody speaks, or nobody knows who"),
)

_BURSTS = {
    "02": "happy",  # amusement: mostly laughter
    "03": "angry",
    "10": "disgust",
    "13": "happy",  # elation
    "15": "fearful",
    "18": "neutral",
    "24": "sad",
    "27": "surprised",  # unpleasantly
    "28": "surprised",  # pleasantly
}

_EMOGATOR = Reader(
    name="emogator",
    title="EmoGator",
    pattern=r"(?P<speaker>\d{6})-(?P<emotion>\d\d)-[1-3]",
    example="data/mp3/000123-15-2.mp3",
    emotions=_BURSTS,
    without=(
        rf"^\d{{6}}-(?!{'|'.join(_BURSTS)})[0-2]\d-",
        "none of the emotions that are learnt",
    ),
)

READERS: Mapping[str, Reader] = {
    reader.name: reader
    for reader in (
        _RAVDESS,
        _NEMO,
        _EMODB,
        _BANGLASER,
        _TESS,
        _EMOVO,
        _CREMAD,
        _SAVEE,
        _CAFE,
        _EMOSPEECH,
        _EMOGATOR,
    )
}


def read_corpus(
    name: str, data: Path, *, song: bool = False, labels: Collection[str] = LABELS
) -> Corpus:
    """Read a corpus.

    Args:
        name: one of :data:`READERS`.
        data: folder that holds the corpus as a folder of its name, or the corpus itself.
        song: whether sung clips are wanted too; only RAVDESS has any.
        labels: emotions that are asked for. Those among them that the corpus has when it is
            whole must be there; other emotions are read all the same.

    Raises:
        LiveSerError: there is no such corpus or folder, no clip in it that can be used, or none
            of an emotion asked for.
    """
    reader = READERS.get(name)
    if reader is None:
        raise LiveSerError(f"no corpus is called {name!r}", f"choose among {', '.join(READERS)}")
    folder = _folder_of(reader, data)
    clips: dict[str, Clip] = {}
    skipped: list[tuple[Path, str]] = []
    for path in sorted(sound_files(folder)):
        clip = reader.parse(path)
        if why := reader.left_out(path):
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
    if reader.names(data):
        return data
    inside = sorted(entry for entry in data.iterdir() if entry.is_dir())
    if mine := next((entry for entry in inside if reader.names(entry)), None):
        return mine
    # RAVDESS and BanglaSER name their files alike: never read one as the other.
    if any(other.names(entry) for other in READERS.values() for entry in (data, *inside)):
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


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
