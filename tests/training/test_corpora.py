"""Corpora are read by the names under which they are published."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.errors import LiveSerError
from training.corpora.catalogue import read_corpus
from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.corpora.published import READERS

# corpus, a published name, and what it says: emotion, speaker, gender, statement
PUBLISHED = [
    ("ravdess", "Actor_12/03-01-06-02-02-01-12.wav", "fearful", "12", "f", "02"),
    ("ravdess", "03-01-02-01-01-02-07.flac", "calm", "07", "m", "01"),
    ("nemo", "samples/SM0_happiness_17.wav", "happy", "SM0", "m", None),
    ("emodb", "wav/03a01Fa.wav", "happy", "03", "m", "a01"),
    ("emodb", "16b10Lb.wav", "bored", "16", "f", "b10"),
    ("banglaser", "03-01-03-02-01-01-07.wav", "angry", "07", "m", "01"),
    ("banglaser", "01-01-04-02-03-03-15.wav", "surprised", "15", "m", "03"),
    ("banglaser", "Actor 34/03-01-05-01-03-03-34.wav", "neutral", "34", "f", "03"),
    ("tess", "OAF_Pleasant_surprise/OAF_back_ps.wav", "surprised", "OA", "f", "back"),
    ("tess", "YAF_youth_fear.wav", "fearful", "YA", "f", "youth"),
    ("tess", "OAF_neutral/OA_bite_neutral.wav", "neutral", "OA", "f", "bite"),
    ("emovo", "f1/gio-f1-l4.wav", "happy", "f1", "f", "l4"),
    ("emovo", "rab-m3-b2.wav", "angry", "m3", "m", "b2"),
    ("cremad", "AudioWAV/1001_DFA_ANG_XX.wav", "angry", "1001", None, "DFA"),
    ("cremad", "1040_ITH_SAD_X.wav", "sad", "1040", None, "ITH"),
    ("cremad", "1091_IEO_HAP_MD.wav", "happy", "1091", None, "IEO"),
    ("savee", "AudioData/DC/a01.wav", "angry", "DC", "m", "01"),
    ("savee", "KL_su15.wav", "surprised", "KL", "m", "15"),
    ("savee", "JK/sa03.wav", "sad", "JK", "m", "03"),
    ("cafe", "01-C-1-1.wav", "angry", "01", None, "1"),
    ("cafe", "12-J-2-6.wav", "happy", "12", None, "6"),
    ("cafe", "07-N-3.wav", "neutral", "07", None, "3"),
    ("emospeech", f"Near Lake/go-safe-calm-1-{'ab01' * 14}.wav", "calm", "ab01" * 14, None, "go"),
    (
        "emospeech",
        f"Metro/bacho-glass break-fearful-2-{'9d' * 28}.wav",
        "fearful",
        "9d" * 28,
        None,
        "bacho",
    ),
    ("emogator", "data/mp3/000357-28-1.mp3", "surprised", "000357", None, None),
    ("emogator", "000001-02-3.mp3", "happy", "000001", None, None),
]

WRONG = [
    ("ravdess", "03-01-09-01-01-01-01.wav"),  # no such emotion
    ("ravdess", "03-01-05-01-01-01-25.wav"),  # no such actor
    ("ravdess", "02-01-05-01-01-01-01.wav"),  # video
    ("ravdess", "03-01-05-01-01-01-01 (copy).wav"),
    ("nemo", "WR0_disgust_1.wav"),
    ("emodb", "03a01Xa.wav"),
    ("banglaser", "03-01-06-01-01-01-01.wav"),
    ("tess", "OAF_back_surprise.wav"),
    ("emovo", "pau-f4-b1.wav"),
    ("cremad", "1001_DFA_SUR_XX.wav"),
    ("savee", "a01.wav"),  # whose?
    ("savee", "DC_x01.wav"),
    ("cafe", "13-C-1-1.wav"),
    ("emogator", "000358-31-1.mp3"),
]


def sound(path: Path, seconds: float = 0.02) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(int(16000 * seconds), np.float32), 16000)
    return path


def ravdess(folder: Path, actors: range = range(1, 3), channel: str = "01") -> Path:
    """A small RAVDESS: every emotion of a few actors (sung ones have no disgust and surprise)."""
    for actor in actors:
        for emotion in range(1, 9 if channel == "01" else 7):
            name = f"03-{channel}-{emotion:02}-01-01-01-{actor:02}.wav"
            sound(folder / f"Actor_{actor:02}" / name)
    return folder


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda row: f"{row[0]}:{row[1]}")
def test_published_names_are_understood(
    tmp_path: Path, published: tuple[str, str, str, str, str | None, str | None]
) -> None:
    corpus, name, emotion, speaker, gender, said = published
    path = sound(tmp_path / name)
    (clip,) = read_corpus(corpus, tmp_path, labels=()).clips
    assert clip.path == path
    assert (clip.corpus, clip.emotion, clip.speaker) == (corpus, emotion, f"{corpus}/{speaker}")
    assert (clip.gender, clip.statement) == (gender, said)
    assert clip.id.startswith(f"{corpus}/")


@pytest.mark.parametrize(("corpus", "name"), WRONG)
def test_other_names_are_listed_and_skipped(tmp_path: Path, corpus: str, name: str) -> None:
    good = next(example for kind, example, *_ in PUBLISHED if kind == corpus)
    sound(tmp_path / good)
    wrong = sound(tmp_path / name)
    found = read_corpus(corpus, tmp_path, labels=())
    assert [clip.path for clip in found.clips] == [tmp_path / good]
    ((path, why),) = found.skipped
    assert path == wrong
    assert READERS[corpus].title in why


def test_each_corpus_has_an_example_that_it_understands() -> None:
    assert len(READERS) == 11
    for reader in READERS.values():
        assert reader.parse(Path(reader.example)) is not None
        assert set(reader.emotions.values()) <= {*LABELS, "calm", "bored"}


@pytest.mark.parametrize(
    "name",
    [
        f"background-safe-calm-1-{'ab' * 28}.wav",
        f"unknown-safe-None-1-{'ab' * 28}.wav",
        "help-safe-angry-1-d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f.wav",
    ],
)
def test_recordings_of_nobody_or_of_several_are_left_out(tmp_path: Path, name: str) -> None:
    good = sound(tmp_path / f"help-safe-happy-1-{'ab' * 28}.wav")
    sound(tmp_path / name)
    found = read_corpus("emospeech", tmp_path, labels=())
    assert [clip.path for clip in found.clips] == [good]
    assert [why for _, why in found.skipped] == ["nobody speaks, or nobody knows who"]


def test_bursts_of_other_emotions_are_left_out(tmp_path: Path) -> None:
    good = sound(tmp_path / "000001-03-1.wav")
    distress = sound(tmp_path / "000001-11-1.wav")
    found = read_corpus("emogator", tmp_path, labels=())
    assert [clip.path for clip in found.clips] == [good]
    assert found.skipped == ((distress, "none of the emotions that are learnt"),)


@pytest.mark.parametrize(
    ("emotion", "activation"),
    [(e, True) for e in ("angry", "happy", "fearful", "surprised")]
    + [(e, False) for e in ("neutral", "calm", "sad", "bored")]
    + [("disgust", None)],
)
def test_activation_follows_from_the_emotion(emotion: str, activation: bool | None) -> None:
    assert Clip(Path("x.wav"), emotion, "a/1", "a", "a/x").activation is activation


def test_the_corpus_is_found_as_distributed_flat_or_among_others(tmp_path: Path) -> None:
    distributed = read_corpus("ravdess", ravdess(tmp_path / "anything"))
    flat = tmp_path / "flat"
    for clip in distributed.clips:
        sound(flat / clip.path.name)
    among = tmp_path / "data"
    ravdess(among / "RAVDESS")
    sound(among / "EMO-DB" / "03a01Fa.wav")
    ids = [clip.id for clip in distributed.clips]
    assert len(ids) == 16
    assert sorted(clip.id for clip in read_corpus("ravdess", flat).clips) == sorted(ids)
    assert [clip.id for clip in read_corpus("ravdess", among).clips] == ids
    assert len(read_corpus("emodb", among, labels=()).clips) == 1


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_corpus_may_be_a_link(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "ravdess").symlink_to(ravdess(tmp_path / "elsewhere"), target_is_directory=True)
    assert len(read_corpus("ravdess", data).clips) == 16


def test_clips_come_in_the_same_order_each_time(tmp_path: Path) -> None:
    ravdess(tmp_path)
    paths = [clip.path for clip in read_corpus("ravdess", tmp_path).clips]
    assert paths == sorted(paths)


def test_sung_clips_come_only_where_they_are_wanted(tmp_path: Path) -> None:
    ravdess(tmp_path / "speech")
    ravdess(tmp_path / "song", channel="02")
    spoken = read_corpus("ravdess", tmp_path)
    both = read_corpus("ravdess", tmp_path, song=True)
    assert Counter(clip.song for clip in spoken.clips) == {False: 16}
    assert Counter(clip.song for clip in both.clips) == {False: 16, True: 12}
    assert not spoken.skipped


def test_a_broken_or_empty_file_is_listed_and_skipped(tmp_path: Path) -> None:
    ravdess(tmp_path)
    text = tmp_path / "03-01-01-01-02-01-01.wav"
    text.write_text("not a sound")
    nothing = tmp_path / "03-01-01-01-02-02-01.wav"
    nothing.touch()
    silent = sound(tmp_path / "03-01-01-01-02-02-02.wav", seconds=0)
    torn = tmp_path / "03-01-01-01-02-01-02.flac"
    soundfile.write(torn, np.random.default_rng(0).normal(0, 0.1, 16000), 16000)
    torn.write_bytes(torn.read_bytes()[:9000])  # its header still says a second
    found = read_corpus("ravdess", tmp_path)
    assert len(found.clips) == 16
    assert {path for path, _ in found.skipped} == {text, nothing, silent, torn}


def test_a_clip_that_an_archive_holds_twice_counts_once(tmp_path: Path) -> None:
    ravdess(tmp_path)
    ravdess(tmp_path / "audio_speech_actors_01-24")
    found = read_corpus("ravdess", tmp_path)
    assert len(found.clips) == 16
    assert len(found.skipped) == 16
    assert all("the same clip as" in why for _, why in found.skipped)


def test_what_is_no_sound_is_passed_over(tmp_path: Path) -> None:
    ravdess(tmp_path)
    (tmp_path / "README.md").write_text("RAVDESS")
    (tmp_path / "Actor_01" / "._03-01-01-01-01-01-01.wav").write_bytes(b"\0\5\26\7")
    assert not read_corpus("ravdess", tmp_path).skipped


def test_a_missing_class_is_an_error_that_names_it_and_the_folder(tmp_path: Path) -> None:
    ravdess(tmp_path)
    for path in tmp_path.rglob("03-01-06-*.wav"):
        path.unlink()
    with pytest.raises(LiveSerError) as caught:
        read_corpus("ravdess", tmp_path)
    assert "fearful" in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert READERS["ravdess"].example in caught.value.hint


def test_only_the_emotions_asked_for_must_be_there(tmp_path: Path) -> None:
    ravdess(tmp_path)
    for path in tmp_path.rglob("03-01-02-*.wav"):
        path.unlink()
    assert len(read_corpus("ravdess", tmp_path).clips) == 14
    with pytest.raises(LiveSerError, match="calm"):
        read_corpus("ravdess", tmp_path, labels=(*LABELS, "calm"))


def test_emotions_that_a_corpus_never_had_are_not_missed(tmp_path: Path) -> None:
    for emotion in ("anger", "fear", "happiness", "neutral", "sadness", "surprised"):
        sound(tmp_path / f"WR0_{emotion}_1.wav")
    assert len(read_corpus("nemo", tmp_path, labels=LABELS).clips) == 6


def test_a_folder_without_a_usable_clip_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "03-01-01-01-02-01-01.wav").touch()
    with pytest.raises(LiveSerError) as caught:
        read_corpus("ravdess", tmp_path)
    assert str(tmp_path) in caught.value.message
    assert READERS["ravdess"].example in caught.value.hint


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LiveSerError, match="is not a folder"):
        read_corpus("ravdess", tmp_path / "nowhere")


def test_an_unknown_corpus_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(LiveSerError) as caught:
        read_corpus("iemocap", tmp_path)
    assert "ravdess" in caught.value.hint


def test_one_corpus_is_never_read_as_another(tmp_path: Path) -> None:
    sound(tmp_path / "BanglaSER" / "03-01-03-02-01-01-07.wav")
    for data in (tmp_path, tmp_path / "BanglaSER"):
        with pytest.raises(LiveSerError, match="other corpora"):
            read_corpus("ravdess", data, labels=())


# corpus: clips, of a sample and of the whole where both are at hand; speakers
COUNTS = {
    "ravdess": ({1440}, 24),
    "nemo": ({636, 4481}, 9),
    "banglaser": ({976, 1466}, 34),
    "emodb": ({535}, 10),
    "tess": ({280}, 2),
    "emovo": ({294}, 6),
}


@pytest.mark.skipif(not os.environ.get("LIVE_SER_DATA"), reason="LIVE_SER_DATA is not set")
@pytest.mark.parametrize("corpus", COUNTS)
def test_the_real_corpora_are_read_whole(corpus: str) -> None:
    data = Path(os.environ["LIVE_SER_DATA"])
    found = read_corpus(corpus, data)
    files = [path for path in (data / corpus).rglob("*") if path.suffix in (".wav", ".flac")]
    assert sorted(clip.path for clip in found.clips) == sorted(files)
    clips, speakers = COUNTS[corpus]
    assert len(found.clips) in clips
    assert len({clip.speaker for clip in found.clips}) == speakers
    assert not found.skipped


@pytest.mark.skipif(not os.environ.get("LIVE_SER_DATA"), reason="LIVE_SER_DATA is not set")
def test_real_ravdess_has_the_published_balance() -> None:
    clips = read_corpus("ravdess", Path(os.environ["LIVE_SER_DATA"])).clips
    per_actor = Counter((clip.speaker, clip.emotion) for clip in clips)
    assert all(n == (4 if emotion == "neutral" else 8) for (_, emotion), n in per_actor.items())
    assert Counter(clip.gender for clip in clips) == {"f": 720, "m": 720}
