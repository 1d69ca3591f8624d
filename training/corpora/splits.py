"""Splits into training and test clips: held-out speakers, folds, published protocols.

Figures are comparable only with the same protocol. Protocols on RAVDESS define the test clips; all
other clips, of any corpus, may be used for training. Tuning and selection use speakers that
:func:`hold_out` takes from the training clips, never the test clips.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from live_ser.errors import LiveSerError
from training.corpora.clips import Clip

LUNA_FOLDS = (
    (2, 5, 14, 15, 16),
    (3, 6, 7, 13, 18),
    (10, 11, 12, 19, 20),
    (8, 17, 21, 23, 24),
    (1, 4, 9, 22),
)
"""Test actors of RAVDESS, after Luna-Jiménez et al. 2021, doi 10.3390/s21227665."""

EMOBOX_FOLDS = (
    (1, 11, 20, 21),
    (4, 10, 12, 14),
    (8, 9, 19, 23),
    (3, 5, 7, 24),
    (2, 15, 16, 18),
    (6, 13, 17, 22),
)
"""Test actors of RAVDESS, after Ma et al. 2024 (EmoBox), arXiv 2406.07162."""

EMOBOX_CLASSES = ("neutral", "happy", "sad", "angry")
"""The classes of all English corpora of EmoBox's cross-corpus track."""

SEED = 42
RANDOM_FOLDS = 5


@dataclass(frozen=True)
class Split:
    """Disjoint training and test clips.

    Attributes:
        name: name of the split.
        train: training clips.
        test: test clips.
    """

    name: str
    train: tuple[Clip, ...]
    test: tuple[Clip, ...]


@dataclass(frozen=True)
class Protocol:
    """A way to split clips, and the description of figures that were measured with it.

    Attributes:
        name: name of the protocol, as options spell it.
        description: one line to print beside every figure.
        speaker_independent: whether no speaker is in both training and test clips.
        splits: function that splits clips, given in any order. It raises ``LiveSerError`` if clips
            that the protocol requires are missing.
    """

    name: str
    description: str
    speaker_independent: bool
    splits: Callable[[Iterable[Clip]], tuple[Split, ...]]


def luna(clips: Iterable[Clip]) -> tuple[Split, ...]:
    """Five folds over the actors of RAVDESS, after Luna-Jiménez et al."""
    return _by_actor("luna", LUNA_FOLDS, clips)


def emobox(clips: Iterable[Clip]) -> tuple[Split, ...]:
    """Six folds over the actors of RAVDESS, after EmoBox."""
    return _by_actor("emobox", EMOBOX_FOLDS, clips)


def random(clips: Iterable[Clip]) -> tuple[Split, ...]:
    """Five random folds over the clips of RAVDESS, stratified by emotion; speakers are in all."""
    ordered = _ordered(clips)
    pool = _ravdess("random", ordered)
    counts = Counter(clip.emotion for clip in pool)
    if few := sorted(emotion for emotion, count in counts.items() if count < RANDOM_FOLDS):
        raise LiveSerError(
            f"the protocol 'random' needs {RANDOM_FOLDS} clips or more of each emotion; "
            f"there are fewer of {', '.join(few)}",
            "get the whole corpus with python -m training.fetch ravdess",
        )
    from sklearn.model_selection import StratifiedKFold  # takes seconds

    folds = StratifiedKFold(RANDOM_FOLDS, shuffle=True, random_state=SEED).split(
        pool, [clip.emotion for clip in pool]
    )
    return tuple(
        _split(f"random/{number}", ordered, {pool[i].id for i in test})
        for number, (_, test) in enumerate(folds, 1)
    )


def article(clips: Iterable[Clip]) -> tuple[Split, ...]:
    """The one split of the original study: RAVDESS without calm, 80/20 at random, not stratified.

    The study split its clips in the order of its disk, which cannot be reproduced; here they are in
    the order of their names.
    """
    pool = [clip for clip in _ravdess("article", _ordered(clips)) if clip.emotion != "calm"]
    from sklearn.model_selection import train_test_split  # takes seconds

    _, test = train_test_split(pool, test_size=0.2, shuffle=True, random_state=SEED)
    return (_split("article", pool, {clip.id for clip in test}),)


def leave_one_corpus_out(clips: Iterable[Clip]) -> tuple[Split, ...]:
    """Test on each corpus in turn, and train on the others."""
    ordered = _ordered(clips)
    corpora = sorted({clip.corpus for clip in ordered})
    if len(corpora) < 2:
        raise LiveSerError(
            f"the protocol 'corpora' needs two corpora or more, not {len(corpora)}",
            "name more of them with --corpora",
        )
    return tuple(
        _split(f"corpora/{corpus}", ordered, {c.id for c in ordered if c.corpus == corpus})
        for corpus in corpora
    )


def emobox_cross(clips: Iterable[Clip]) -> tuple[Split, ...]:
    """A split of EmoBox's cross-corpus track: train on RAVDESS, test on SAVEE, four classes."""
    ordered = [clip for clip in _ordered(clips) if clip.emotion in EMOBOX_CLASSES]
    taught = _ravdess("emobox-cross", ordered)
    test = tuple(clip for clip in ordered if clip.corpus == "savee")
    if not test:
        raise LiveSerError("the protocol 'emobox-cross' tests on SAVEE", "add it with --corpora")
    return (Split("emobox-cross", tuple(taught), test),)


PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("luna", "RAVDESS, speaker-independent, five folds of Luna-Jiménez", True, luna),
        Protocol("emobox", "RAVDESS, speaker-independent, six folds of EmoBox", True, emobox),
        Protocol(
            "random",
            "RAVDESS, stratified random five-fold; the speakers are known, so it is inflated",
            False,
            random,
        ),
        Protocol(
            "article",
            "RAVDESS without calm, random 80/20; the speakers are known, so it is inflated",
            False,
            article,
        ),
        Protocol(
            "emobox-cross",
            "EmoBox's cross-corpus track: trained on RAVDESS alone, scored on SAVEE, four classes",
            True,
            emobox_cross,
        ),
        Protocol("corpora", "leave one corpus out", True, leave_one_corpus_out),
    )
}


def hold_out(clips: Iterable[Clip], speakers: int = 4) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """Hold out speakers of the training clips, for selection.

    As many women as men are held out from each corpus that states genders, and always the same
    speakers.

    Args:
        clips: training clips.
        speakers: number of speakers to hold out from each corpus, at most a quarter of them.

    Returns:
        The remaining training clips, and the clips of the held-out speakers.
    """
    ordered = _ordered(clips)
    held_out: set[str] = set()
    for corpus in {clip.corpus for clip in ordered}:
        ranked = _ranked([clip for clip in ordered if clip.corpus == corpus])
        held_out.update(ranked[: min(speakers, len(ranked) // 4)])
    return (
        tuple(clip for clip in ordered if clip.speaker not in held_out),
        tuple(clip for clip in ordered if clip.speaker in held_out),
    )


def _ranked(clips: Sequence[Clip]) -> list[str]:
    """Speakers in a reproducible random order, women and men alternating."""
    genders = {clip.speaker: clip.gender for clip in clips}
    shuffled = sorted(genders, key=lambda name: hashlib.sha256(name.encode()).digest())
    groups = ([s for s in shuffled if genders[s] == gender] for gender in ("f", "m", None))
    return [speaker for speaker in chain(*zip_longest(*groups)) if speaker is not None]


def _by_actor(
    name: str, folds: Sequence[Collection[int]], clips: Iterable[Clip]
) -> tuple[Split, ...]:
    ordered = _ordered(clips)
    here = {clip.speaker for clip in _ravdess(name, ordered)}
    wanted = [{f"ravdess/{actor:02}" for actor in fold} for fold in folds]
    if missing := sorted(set.union(*wanted) - here):
        raise LiveSerError(
            f"the protocol {name!r} needs all 24 actors of RAVDESS; "
            f"{', '.join(actor.removeprefix('ravdess/') for actor in missing)} are missing",
            "get the whole corpus with python -m training.fetch ravdess",
        )
    return tuple(
        _split(f"{name}/{number}", ordered, {c.id for c in ordered if c.speaker in actors})
        for number, actors in enumerate(wanted, 1)
    )


def _ravdess(name: str, clips: Sequence[Clip]) -> list[Clip]:
    pool = [clip for clip in clips if clip.corpus == "ravdess"]
    if not pool:
        raise LiveSerError(f"the protocol {name!r} is one of RAVDESS", "add it with --corpora")
    return pool


def _split(name: str, clips: Sequence[Clip], test: Collection[str]) -> Split:
    return Split(
        name,
        train=tuple(clip for clip in clips if clip.id not in test),
        test=tuple(clip for clip in clips if clip.id in test),
    )


def _ordered(clips: Iterable[Clip]) -> list[Clip]:
    """The clips in the order of their ids, so that a split doesn't depend on the files' folders."""
    return sorted(clips, key=lambda clip: clip.id)
