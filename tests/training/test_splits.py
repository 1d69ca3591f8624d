"""The published protocols split the clips as published, and never train on what they test."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from sklearn.model_selection import train_test_split

from live_ser.errors import LiveSerError
from training.corpora.clips import Clip
from training.corpora.published import READERS
from training.corpora.splits import (
    EMOBOX_FOLDS,
    LUNA_FOLDS,
    PROTOCOLS,
    hold_out,
    leave_one_corpus_out,
)


def parsed(corpus: str, name: str) -> Clip:
    clip = READERS[corpus].parse(Path(name + ".wav"))
    assert clip is not None
    return clip


def ravdess() -> list[Clip]:
    """The names of all 1440 clips of speech."""
    return [
        parsed("ravdess", f"03-01-{e:02}-{i:02}-{s:02}-{r:02}-{a:02}")
        for a in range(1, 25)
        for e in range(1, 9)
        for i in ((1,) if e == 1 else (1, 2))
        for s in (1, 2)
        for r in (1, 2)
    ]


def emodb() -> list[Clip]:
    speakers = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
    return [parsed("emodb", f"{s}a0{t}{e}a") for s in speakers for t in (1, 2) for e in "WLEAFTN"]


def savee() -> list[Clip]:
    emotions = ("a", "d", "f", "h", "n", "sa", "su")
    return [
        parsed("savee", f"{who}/{e}{n:02}")
        for who in ("DC", "JE")
        for e in emotions
        for n in (1, 2)
    ]


def ids(clips: tuple[Clip, ...]) -> set[str]:
    return {clip.id for clip in clips}


def speakers(clips: tuple[Clip, ...]) -> set[str]:
    return {clip.speaker for clip in clips}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_clip_both_trains_and_tests(name: str) -> None:
    for split in PROTOCOLS[name].splits([*ravdess(), *emodb(), *savee()]):
        assert split.train
        assert split.test
        assert not ids(split.train) & ids(split.test)


@pytest.mark.parametrize("name", [p.name for p in PROTOCOLS.values() if p.speaker_independent])
def test_no_test_speaker_trains_where_the_protocol_promises_it(name: str) -> None:
    for split in PROTOCOLS[name].splits([*ravdess(), *emodb(), *savee()]):
        assert not speakers(split.train) & speakers(split.test)


@pytest.mark.parametrize(("name", "folds"), [("luna", LUNA_FOLDS), ("emobox", EMOBOX_FOLDS)])
def test_folds_over_actors_test_each_actor_once(
    name: str, folds: tuple[tuple[int, ...], ...]
) -> None:
    assert sorted(actor for fold in folds for actor in fold) == list(range(1, 25))
    splits = PROTOCOLS[name].splits(ravdess())
    for split, fold in zip(splits, folds, strict=True):
        assert speakers(split.test) == {f"ravdess/{actor:02}" for actor in fold}
        assert len(split.test) == 60 * len(fold)
        assert len(split.train) + len(split.test) == 1440


def test_other_corpora_may_train_but_never_test_under_a_protocol_of_ravdess() -> None:
    for name in ("luna", "emobox", "random"):
        for split in PROTOCOLS[name].splits([*ravdess(), *emodb()]):
            assert {clip.corpus for clip in split.test} == {"ravdess"}
            assert {clip.corpus for clip in split.train} == {"ravdess", "emodb"}


def test_too_few_clips_of_an_emotion_are_said_in_one_line() -> None:
    few = [clip for clip in ravdess() if clip.emotion != "sad"]
    few += [clip for clip in ravdess() if clip.emotion == "sad"][:4]
    with pytest.raises(LiveSerError, match=r"5 clips or more of each emotion.*sad"):
        PROTOCOLS["random"].splits(few)


def test_random_folds_test_each_clip_once_and_each_emotion_evenly() -> None:
    splits = PROTOCOLS["random"].splits(ravdess())
    assert len(splits) == 5
    assert sum(len(split.test) for split in splits) == 1440
    assert all(not ids(a.test) & ids(b.test) for a, b in combinations(splits, 2))
    for split in splits:
        counts = Counter(clip.emotion for clip in split.test)
        assert counts["neutral"] in (19, 20)
        assert all(n in (38, 39) for emotion, n in counts.items() if emotion != "neutral")


def test_the_article_drops_calm_and_splits_four_to_one_without_stratifying() -> None:
    (split,) = PROTOCOLS["article"].splits([*ravdess(), *emodb()])
    assert (len(split.train), len(split.test)) == (998, 250)
    assert not {"calm", "bored"} & {clip.emotion for clip in (*split.train, *split.test)}
    names = sorted(clip.id for clip in ravdess() if clip.emotion != "calm")
    assert ids(split.test) == set(train_test_split(names, test_size=0.2, random_state=42)[1])


def test_a_split_does_not_depend_on_the_order_of_the_clips() -> None:
    for protocol in PROTOCOLS.values():
        clips = [*ravdess(), *emodb(), *savee()]
        assert protocol.splits(clips) == protocol.splits(clips[::-1])


def test_each_corpus_is_left_out_once() -> None:
    splits = leave_one_corpus_out([*ravdess(), *emodb()])
    assert [split.name for split in splits] == ["corpora/emodb", "corpora/ravdess"]
    for split in splits:
        assert {clip.corpus for clip in split.test} == {split.name.removeprefix("corpora/")}
        assert len(split.train) + len(split.test) == 1440 + 140


def test_a_protocol_says_which_actors_it_misses() -> None:
    clips = [clip for clip in ravdess() if clip.speaker not in ("ravdess/07", "ravdess/23")]
    with pytest.raises(LiveSerError, match="07, 23 are missing"):
        PROTOCOLS["luna"].splits(clips)


@pytest.mark.parametrize("name", ["luna", "emobox", "random", "article"])
def test_a_protocol_of_ravdess_needs_ravdess(name: str) -> None:
    with pytest.raises(LiveSerError, match="RAVDESS"):
        PROTOCOLS[name].splits(emodb())


def test_one_corpus_cannot_be_left_out_of_one() -> None:
    with pytest.raises(LiveSerError, match="two corpora"):
        leave_one_corpus_out(emodb())


@pytest.mark.parametrize("name", ["luna", "emobox"])
def test_speakers_held_out_come_from_the_training_speakers_alone(name: str) -> None:
    for split in PROTOCOLS[name].splits(ravdess()):
        fit, held = hold_out(split.train)
        assert ids(fit) | ids(held) == ids(split.train)
        assert not speakers(fit) & speakers(held)
        genders = Counter({clip.speaker: clip.gender for clip in held}.values())
        assert genders == {"f": 2, "m": 2}


def test_each_corpus_holds_out_a_quarter_of_its_speakers_at_most() -> None:
    _, held = hold_out([*ravdess(), *emodb()])
    by_corpus = Counter(speaker.split("/")[0] for speaker in speakers(held))
    assert by_corpus == {"ravdess": 4, "emodb": 2}


def test_the_speakers_held_out_are_always_the_same() -> None:
    assert hold_out(ravdess()) == hold_out(ravdess()[::-1])
    # Fixed for good: figures of different days are comparable.
    assert speakers(hold_out(ravdess())[1]) == {f"ravdess/{n}" for n in ("01", "04", "11", "20")}


def test_the_cross_corpus_track_trains_on_ravdess_alone_and_scores_four_classes_of_savee() -> None:
    (split,) = PROTOCOLS["emobox-cross"].splits([*ravdess(), *emodb(), *savee()])
    four = {"neutral", "happy", "sad", "angry"}
    assert {clip.corpus for clip in split.train} == {"ravdess"}
    assert {clip.corpus for clip in split.test} == {"savee"}
    assert {clip.emotion for clip in split.train} == {clip.emotion for clip in split.test} == four
    with pytest.raises(LiveSerError, match="SAVEE"):
        PROTOCOLS["emobox-cross"].splits(ravdess())
