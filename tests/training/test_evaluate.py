"""Evaluation measures the exported file as people run it, and says under which protocol."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.support.command import live_ser, records
from tests.support.tiny_model import tiny_info, write_model

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from live_ser.frontend.gate import CHUNK_SECONDS, speech_mask
from live_ser.inference.recordings import classify_clip
from live_ser.inference.results import Verdict
from live_ser.model.onnx_model import EmotionModel
from training import command, evaluate
from training.corpora.catalogue import read_corpus
from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.data.music import music
from training.data.sound import read_sound
from training.evaluation import conditions, sessions, stream
from training.evaluation.predictions import Predictions, clip_figures

INFO = tiny_info(labels=LABELS, provenance={"corpora": ["ravdess"]})
CODES = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus under TESS's names, spoken by espeak-ng, and some noise."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng, which speaks for this test, is not installed")
    folder = tmp_path_factory.mktemp("data")
    (folder / "tess").mkdir()
    for (place, code), speaker in product(enumerate(CODES), ("OAF", "YAF")):
        path = folder / "tess" / f"{speaker}_back_{code}.wav"
        voice = ["-p", str(30 if speaker == "OAF" else 70), "-s", str(110 + 15 * place)]
        text = "Say the word back, and then say it again."
        subprocess.run(["espeak-ng", *voice, "-w", str(path), text], check=True)
    rng = np.random.default_rng(0)
    (folder / "noise" / "esc10").mkdir(parents=True)
    for index in range(3):
        path = folder / "noise" / "esc10" / f"rain__{index}.wav"
        soundfile.write(path, rng.normal(0, 0.05, 16_000), 16_000)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny.onnx", INFO)


@pytest.fixture(scope="module")
def clips(data: Path) -> tuple[Clip, ...]:
    return read_corpus("tess", data).clips


def run(model: Path, data: Path, output: Path, *words: str) -> int:
    given = [str(model), "--data", str(data), "-o", str(output), "--workers=1", *words]
    return command.run(lambda: evaluate.main(given))


def result(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def evaluated(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All parts, measured by the command."""
    folder = tmp_path_factory.mktemp("runs") / "evaluation"
    assert run(model, data, folder, "--corpora=tess", "--minutes=0.2") == 0
    return folder


def test_the_card_says_the_protocol_beside_every_figure(evaluated: Path) -> None:
    card = (evaluated / "card.md").read_text("utf-8")
    _, about, head = card.split("\n\n")[:3]
    assert "trained on RAVDESS" in about
    table = head.splitlines()
    assert len(table) > 25
    for line in table[2:]:
        figure, value, protocol = line.strip("| ").split(" | ")
        assert figure
        assert value
        assert protocol.startswith(("cross-corpus: all of TESS, trained on RAVDESS", "0.2 minutes"))


def test_every_picture_of_the_card_is_there(evaluated: Path) -> None:
    card = (evaluated / "card.md").read_text("utf-8")
    named = {part.split(")")[0] for part in card.split("](")[1:]}
    assert len(named) == 7
    for name in named:
        assert (evaluated / name).stat().st_size > 5000


def test_a_clip_is_classified_as_the_file_command_classifies_it(
    evaluated: Path, model: Path, clips: tuple[Clip, ...]
) -> None:
    paths = {clip.id: clip.path for clip in clips}
    done = live_ser("file", "--format", "jsonl", "--model", model, *paths.values())
    by_path = {record["source"]: record for record in records(done.stdout)}
    verdicts = result(evaluated, "clips-tess")["verdicts"]
    assert len(verdicts) == len(clips) == 14
    for verdict in verdicts:
        record = by_path[str(paths[verdict["clip"]])]
        assert (verdict["state"], verdict["label"]) == (record["state"], record["label"])
        assert verdict["activation"] == pytest.approx(record["activation"], abs=1e-3)


def test_figures_follow_from_the_verdicts(evaluated: Path) -> None:
    kept = result(evaluated, "clips-tess")
    right = [verdict["target"] == verdict["label"] for verdict in kept["verdicts"]]
    assert kept["figures"]["accuracy"] == pytest.approx(np.mean(right))
    assert np.sum(kept["figures"]["confusion"]) == len(right)
    recall = [
        np.mean([v["label"] == label for v in kept["verdicts"] if v["target"] == label])
        for label in LABELS
    ]
    assert kept["figures"]["uar"] == pytest.approx(np.mean(recall))


def test_what_was_measured_is_kept_until_something_else_is_asked(
    evaluated: Path, model: Path, data: Path
) -> None:
    path = evaluated / "noise-tess.json"
    before = path.read_text("utf-8")
    words = ["--corpora=tess", "--parts=noise"]
    path.write_text(before.replace('"clips": 14', '"clips": 15'), "utf-8")
    assert run(model, data, evaluated, *words) == 0
    assert '"clips": 15' in path.read_text("utf-8")
    assert run(model, data, evaluated, *words, "--seed=1") == 0
    assert '"clips": 15' not in path.read_text("utf-8")
    assert run(model, data, evaluated, *words) == 0
    assert path.read_text("utf-8") == before  # the same again, by the same seed


def test_a_card_is_of_one_model(evaluated: Path, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    shutil.copytree(evaluated, folder)
    other = write_model(tmp_path / "other.onnx", replace(INFO, name="other"))
    assert run(other, data, folder, "--corpora=tess", "--parts=clips", "--limit=1") == 0
    card = (folder / "card.md").read_text("utf-8")
    assert "other classifies" in card
    assert "stream:" not in card  # measured of another model


def test_a_corpus_that_trained_the_model_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taught = tiny_info(labels=LABELS, provenance={"corpora": ["tess"]})
    model = write_model(tmp_path / "taught.onnx", taught)
    assert run(model, data, tmp_path / "out", "--corpora=tess") == 1
    error = capsys.readouterr().err
    assert "trained on TESS" in error
    assert "--run" in error
    assert not (tmp_path / "out").exists()


def test_clips_that_a_run_held_out_are_evaluated(
    data: Path, clips: tuple[Clip, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    config = {"corpora": ["tess"], "epochs": 3}
    held_out = [clip.id for clip in clips if clip.speaker == "tess/YA"]
    splits = {"name": "held-out speakers", "song": False, "train": [], "test": held_out}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "splits.json").write_text(json.dumps(splits))
    provenance = {"corpora": ["tess"], "protocol": splits["name"], "config": config}
    info = tiny_info(labels=LABELS, provenance=provenance)
    write_model(folder / "live_ser.onnx", info)
    words = ["--data", str(data), "--run", str(folder), "--corpora=", "--parts=clips"]
    output = tmp_path / "out"
    assert command.run(lambda: evaluate.main([*words, "-o", str(output), "--workers=1"])) == 0
    kept = result(output, "clips-held-out")
    assert [verdict["clip"] for verdict in kept["verdicts"]] == held_out
    assert "held-out speakers: 7 clips of TESS" in kept["protocol"]
    assert "optimistic" in kept["protocol"]


def test_a_run_vouches_for_its_own_model_alone(
    data: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_text('{"corpora": ["tess"]}')
    splits = {"name": "all", "song": False, "train": [], "test": []}
    (folder / "splits.json").write_text(json.dumps(splits))
    assert run(model, data, tmp_path / "out", "--corpora=", f"--run={folder}") == 1
    assert "is not from the run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (["--parts=clips,dance"], (2, "no part is called dance")),
        (["--corpora=emovo"], (1, "no folder 'emovo'")),
        (["--corpora="], (2, "nothing to evaluate on")),
        (["--corpora=tess", "--run=nowhere"], (1, "cannot read")),
    ],
)
def test_what_cannot_be_is_one_line(  # noqa: PLR0917
    evaluated: Path,
    model: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    outcome: tuple[int, str],
) -> None:
    code, said = outcome
    assert run(model, data, evaluated, *words) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") <= 2


@pytest.mark.parametrize("words", ["--minutes=0", "--limit=0", "--workers=0", "--seeds=-1"])
def test_numbers_that_cannot_be_are_wrong_usage(words: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as end:
        evaluate.main(["-o", str(tmp_path / "out"), words])
    assert end.value.code == 2
    assert not (tmp_path / "out").exists()


def test_no_noise_to_test_with_is_said(
    model: Path, clips: tuple[Clip, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(clips[0].path.parent, tmp_path / "data" / "tess")
    words = ["--corpora=tess", "--parts=noise"]
    assert run(model, tmp_path / "data", tmp_path / "out", *words) == 1
    assert "no noise in" in capsys.readouterr().err


def verdict(label: str | None, confidence: float = 0.6, **changes: Any) -> Verdict:
    """A verdict by its label."""
    rest = (1 - confidence) / (len(LABELS) - 1)
    classified = label is not None
    values: dict[str, Any] = {
        "duration": 2.0,
        "state": "speech" if classified else "silence",
        "label": label,
        "confidence": confidence if classified else None,
        "probabilities": {name: confidence if name == label else rest for name in LABELS}
        if classified
        else None,
        "activation": 0.9 if classified else None,
        "speech": 0.5,
        "evidence": 1.0,
        "windows": 1,
    }
    return Verdict(**{**values, **changes})


def test_a_clip_without_label_counts_as_wrong(clips: tuple[Clip, ...]) -> None:
    verdicts = [verdict(clip.emotion) for clip in clips]
    perfect = clip_figures(Predictions(LABELS, clips, tuple(verdicts)))
    assert perfect.uar == perfect.accuracy == 1
    neutral = next(i for i, clip in enumerate(clips) if clip.emotion == LABELS[0])
    verdicts[neutral] = verdict(None)
    mute = clip_figures(Predictions(LABELS, clips, tuple(verdicts)))
    assert mute.accuracy == pytest.approx(13 / 14)
    assert mute.recalls["neutral"] == 0.5
    assert mute.without_label == pytest.approx(1 / 14)
    assert mute.confusion[0][-1] == 1
    calm = mute.activation.recalls["calm"]
    assert calm is not None
    assert calm < 1


def test_activation_is_classified_where_the_emotion_tells_it(clips: tuple[Clip, ...]) -> None:
    verdicts = tuple(verdict("sad", activation=0.8 if clip.activation else 0.2) for clip in clips)
    figures = clip_figures(Predictions(LABELS, clips, verdicts)).activation
    assert figures.clips == 12  # disgust counts for neither
    assert figures.uar == 1
    assert figures.ece == pytest.approx(0.2)


def test_classes_that_a_corpus_lacks_can_be_left_out(clips: tuple[Clip, ...]) -> None:
    own = tuple(clip for clip in clips if clip.emotion in ("happy", "sad"))
    second = {"angry": 0.5, "happy": 0.1, "sad": 0.1}
    verdicts = tuple(
        verdict("angry", probabilities=dict.fromkeys(LABELS, 0.05) | second | {clip.emotion: 0.2})
        for clip in own
    )
    figures = clip_figures(Predictions(LABELS, own, verdicts))
    assert figures.uar == 0
    assert figures.uar_own_classes == 1


@pytest.mark.parametrize("snr_db", [20, 0])
def test_noise_is_as_loud_as_it_says(data: Path, clips: tuple[Clip, ...], snr_db: int) -> None:
    for clip in clips[:4]:
        clean = read_sound(clip.path, 16_000)
        (heard,) = conditions.noisy(clip, INFO, snr_db=snr_db, data=data, seed=0)
        ratio = np.mean(clean**2) / np.mean((heard - clean) ** 2)
        assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.1)


def test_a_clip_meets_the_same_noise_at_every_level(data: Path, clips: tuple[Clip, ...]) -> None:
    clean = read_sound(clips[0].path, 16_000)
    loud, faint, other = (
        next(iter(conditions.noisy(clips[0], INFO, snr_db=snr, data=data, seed=seed))) - clean
        for snr, seed in ((0, 0), (20, 0), (0, 1))
    )
    np.testing.assert_allclose(loud, 10 * faint, atol=1e-4)
    assert abs(np.corrcoef(loud, other)[0, 1]) < 0.5


def test_a_file_of_a_low_rate_has_no_high_band(clips: tuple[Clip, ...]) -> None:
    def share_above_4_khz(rate: int) -> float:
        heard = np.concatenate(list(conditions.at_rate(clips[0], INFO, rate=rate)))
        assert len(heard) / 16_000 == pytest.approx(soundfile.info(clips[0].path).duration, abs=0.1)
        power = np.abs(np.fft.rfft(heard)) ** 2
        return float(power[len(power) // 2 :].sum() / power.sum())

    assert share_above_4_khz(8_000) < 0.1 * share_above_4_khz(48_000)


@pytest.mark.parametrize("seconds", conditions.SECONDS)
def test_so_much_speech_is_heard_and_no_more(
    model: Path, clips: tuple[Clip, ...], seconds: float
) -> None:
    by_itself = replace(clips[0], speaker="x/1", emotion="sad")
    followers = {by_itself.id: clips[1:4]}
    heard = list(conditions.for_seconds(by_itself, INFO, seconds=seconds, followers=followers))
    evidence = classify_clip(EmotionModel(model), heard).evidence
    assert seconds - 1e-6 <= evidence < seconds + CHUNK_SECONDS


def test_followers_are_of_one_speaker_and_emotion(clips: tuple[Clip, ...]) -> None:
    twice = (*clips, *(replace(clip, id=f"{clip.id}_2") for clip in clips))
    followers = conditions.followers_of(twice)
    assert len(followers) == 28
    for clip in twice:
        assert [(one.speaker, one.emotion) for one in followers[clip.id]] == [
            (clip.speaker, clip.emotion)
        ]
        assert followers[clip.id][0].id != clip.id


def test_clips_are_concatenated_with_one_to_four_seconds_between(clips: tuple[Clip, ...]) -> None:
    session = sessions.concatenate(clips, INFO, np.random.default_rng(0))
    assert sorted(clip.id for clip in session.clips) == sorted(clip.id for clip in clips)
    assert session.clips != clips
    total = sum(soundfile.info(clip.path).duration for clip in clips)
    pauses = len(session.samples) / 16_000 - total - sessions.PAUSE[1]
    assert 1 < pauses / len(clips) < 4
    # What is said to be speech is where a gate that hears the whole session finds it.
    mask = speech_mask(session.samples, 16_000, INFO.gate)
    agree = (session.clip_at[: len(mask)] != sessions.NO_CLIP) == mask
    assert agree.mean() > 0.9


def test_a_clip_in_a_recording_is_classified_by_the_segments_in_it(
    model: Path, clips: tuple[Clip, ...]
) -> None:
    by_itself = EmotionModel(model)  # it takes no baseline: what is around a clip is no matter
    verdicts = sessions.predict_session(by_itself, clips[:5], seed=0)
    assert sorted(verdicts) == sorted(clip.id for clip in clips[:5])
    for clip in clips[:5]:
        alone = classify_clip(by_itself, conditions.as_recorded(clip, by_itself.info))
        assert verdicts[clip.id].evidence == pytest.approx(alone.evidence, abs=0.4)
        assert verdicts[clip.id].label is not None


def window(end: float, clip: int | None, label: str | None, **changes: Any) -> stream.Window:
    """A window by what most of it is and what was shown."""
    values = {"state": "speech" if label else "listening", "speech": 1.0, "speaking": clip}
    return stream.Window(end=end, clip=clip, label=label, **{**values, **changes})


def test_stream_figures_compare_what_is_shown_with_what_is_said(clips: tuple[Clip, ...]) -> None:
    happy = next(clip for clip in clips if clip.emotion == "happy")
    sad = next(clip for clip in clips if clip.emotion == "sad")
    windows = (
        window(1.5, 0, None, speech=0.2),  # nothing is shown yet
        window(2.0, 0, "sad"),
        window(2.5, 0, "happy", state="uncertain"),
        window(3.0, 0, "happy"),
        window(3.5, 0, "happy", speaking=None),  # after the end
        window(7.0, 1, "happy"),
        window(7.5, 1, "sad"),
    )
    shown = stream.Replay((happy, sad), (1.0, 6.0), windows)
    figures = stream.stream_figures([shown], INFO, clip_uar=1.0)
    assert figures.windows == 6
    assert figures.uar == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert figures.shown_uar == pytest.approx((2 / 4 + 1 / 2) / 2)
    assert figures.ever_right == 1
    assert figures.seconds_until_right
    assert figures.seconds_until_right["median"] == pytest.approx((2.0 + 1.5) / 2)
    assert figures.uncertain_of_speech == pytest.approx(1 / 5)


def test_emotions_are_counted_where_nobody_speaks(
    model: Path, data: Path, clips: tuple[Clip, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def talk(seconds: float, rate: int, *_: object) -> Any:
        return np.resize(read_sound(clips[0].path, rate), round(seconds * rate))

    monkeypatch.setattr(stream, "NO_SPEECH", {**stream.NO_SPEECH, "talk": talk})
    counted = {
        kind: stream.false_emotions(EmotionModel(model), kind, minutes=0.2, data=data, seed=0)
        for kind in ("silence", "talk")
    }
    assert counted["silence"] == 0
    assert 12 <= counted["talk"] <= 24


def test_music_is_endless_and_its_own(data: Path) -> None:
    piece = music(20, 16_000, np.random.default_rng(0))
    assert piece.dtype == np.float32
    assert len(piece) == 320_000
    assert np.isfinite(piece).all()
    # No half second is silent, no two halves alike.
    assert min(np.sqrt(np.mean(part**2)) for part in np.split(piece, 40)) > 1e-3
    assert abs(np.corrcoef(piece[:160_000], piece[160_000:])[0, 1]) < 0.5
    np.testing.assert_array_equal(piece, music(20, 16_000, np.random.default_rng(0)))
