"""What a speaker teaches a model: the head, its report, the profile that keeps it."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from live_ser.api.model import Model
from live_ser.audio.demo import DEMO
from live_ser.cli.main import main
from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames, log_mel
from live_ser.model.onnx_model import EmotionModel, ModelOutput, load
from live_ser.model.profile import Profile
from live_ser.model.profile_file import folder
from live_ser.model.speaker import RunningBaseline
from live_ser.model.take import Take
from live_ser.model.taught import TaughtModel, Teaching
from live_ser.records.labelled import read_labelled
from tests.support.tiny_model import LABELS, tiny_baseline, tiny_info, write_model

SIZE = 16


@pytest.fixture
def network(tmp_path: Path) -> EmotionModel:
    info = tiny_info(baseline=tiny_baseline())
    return EmotionModel(write_model(tmp_path / "tiny.onnx", info, embedding=True))


class Speaker:
    """Somebody whose emotions lie apart in the embedding, in directions of their own."""

    def __init__(self, seed: int = 0, apart: float = 2.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._means = {label: self._rng.normal(0, apart / 4, SIZE) for label in LABELS}

    def take(self, emotion: str, label: str = "") -> Take:
        embedding = self._means[emotion] + self._rng.normal(0, 0.25, SIZE)
        uniform = np.log(np.full(len(LABELS), 1 / len(LABELS)))
        noise = self._rng.normal(0, 0.3, len(LABELS))
        return Take(label or emotion, 2.0, uniform + noise, np.zeros(16), embedding)

    def takes(self, count: int, emotions: Sequence[str] = LABELS) -> list[Take]:
        return [self.take(emotion) for emotion in emotions for _ in range(count)]


def output(take: Take, **changes: object) -> ModelOutput:
    shares = np.exp(take.logits) / np.exp(take.logits).sum()
    values = {"activation": 0.5, "embedding": take.embedding.astype(np.float32), **changes}
    return ModelOutput(shares.astype(np.float32), **values)  # type: ignore[arg-type]


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(logits) / np.exp(logits).sum())


def accuracy(teaching: Teaching, tests: Sequence[Take]) -> float:
    found = [LABELS[int(teaching.correct(output(t)).probabilities.argmax())] for t in tests]
    return float(np.mean([said == t.emotion for said, t in zip(found, tests, strict=True)]))


def test_a_speaker_who_taught_is_told_and_more_takes_tell_more(network: EmotionModel) -> None:
    speaker = Speaker()
    tests = speaker.takes(20)
    few, many = (Teaching(network, speaker.takes(count)) for count in (1, 5))
    assert accuracy(few, tests) > 0.8
    assert accuracy(many, tests) > 0.95


def test_probabilities_stay_probabilities_and_untaught_emotions_keep_theirs(
    network: EmotionModel,
) -> None:
    speaker = Speaker()
    teaching = Teaching(network, speaker.takes(3, ("happy", "angry")))
    before = output(speaker.take("happy"))
    after = teaching.correct(before)
    assert after.probabilities.sum() == pytest.approx(1, abs=1e-5)
    odds = [np.log(found.probabilities[[0, 2]]) for found in (before, after)]  # neutral, sad
    temperature = (odds[0][0] - odds[0][1]) / (odds[1][0] - odds[1][1])
    assert 0.3 <= temperature <= 3  # the same for all emotions
    alike = softmax(np.log(before.probabilities) / temperature)
    assert after.probabilities[[0, 2]] == pytest.approx(alike[[0, 2]], abs=1e-4)


def test_activation_and_valence_follow(network: EmotionModel) -> None:
    speaker = Speaker()
    teaching = Teaching(network, speaker.takes(5))
    happy = teaching.correct(output(speaker.take("happy"), valence=0.0))
    sad = teaching.correct(output(speaker.take("sad"), valence=0.0))
    assert happy.activation > 0.5 > sad.activation
    assert happy.valence is not None
    assert sad.valence is not None
    assert -1 <= sad.valence < 0 < happy.valence <= 1


@pytest.mark.parametrize("emotions", [(), ("happy",)])
def test_nothing_or_one_emotion_taught_corrects_nothing(
    network: EmotionModel, emotions: tuple[str, ...]
) -> None:
    speaker = Speaker()
    teaching = Teaching(network, speaker.takes(3, emotions))
    before = output(speaker.take("sad"))
    assert teaching.correct(before) is before
    assert not teaching.report.helps


def test_the_report_leaves_out_what_it_classifies(network: EmotionModel) -> None:
    speaker = Speaker(apart=0.0)  # nothing can be learnt of them
    report = Teaching(network, speaker.takes(8)).report
    assert report.tested == 32
    assert report.right < 20
    assert report.another_round
    told = Teaching(network, Speaker().takes(5)).report
    assert told.right >= 18
    assert told.helps


def test_left_out_is_what_a_fit_without_the_take_says(network: EmotionModel) -> None:
    takes = Speaker().takes(4)
    report = Teaching(network, takes).report
    right = 0
    for at, take in enumerate(takes):
        others = Teaching(network, [*takes[:at], *takes[at + 1 :]])
        right += accuracy(others, [take]) > 0
    assert abs(report.right - right) <= 1


def test_wrong_labels_cost_little(network: EmotionModel) -> None:
    speaker = Speaker()
    takes = speaker.takes(5)
    wrong = [speaker.take("happy", "sad"), speaker.take("angry", "neutral")]
    assert accuracy(Teaching(network, [*takes, *wrong]), speaker.takes(20)) > 0.85


def test_a_take_whose_label_contradicts_the_others_is_doubtful(network: EmotionModel) -> None:
    speaker = Speaker()
    assert not Teaching(network, speaker.takes(5)).report.doubtful
    takes = [*speaker.takes(5), speaker.take("happy", "sad")]
    (doubt,) = Teaching(network, takes).report.doubtful
    assert (doubt.take, doubt.emotion, doubt.sounds_like) == (len(takes) - 1, "sad", "happy")
    lonely = [*speaker.takes(1), speaker.take("happy", "sad")]  # too little to doubt any
    assert not Teaching(network, lonely[:2]).report.doubtful


class Surer(EmotionModel):
    """A model that is more confident with a known voice: its logits are two and a half times."""

    def predict(self, log_mel: Frames, baseline: NDArray[np.float32] | None = None) -> ModelOutput:
        plain = super().predict(log_mel, baseline)
        power = 1.0 if baseline is None else 2.5
        shares = plain.probabilities.astype(np.float64) ** power
        return replace(plain, probabilities=(shares / shares.sum()).astype(np.float32))


def test_a_model_may_be_surer_of_a_known_voice() -> None:
    network = Surer(load().path)
    sound, rate = soundfile.read(DEMO, dtype="float32")
    starts = [round(at * rate) for at in np.arange(0.5, 27, 0.5)]
    spoken = [log_mel(sound[at : at + 5 * rate // 2], network.info.features) for at in starts]
    labels = ["sad" if number % 2 else "angry" for number in range(len(spoken))]
    pairs = [*zip(spoken, labels, strict=True)]
    takes = [Take.of([network.predict(frames)], [2.5], label) for frames, label in pairs]
    teaching = Teaching(network, takes)
    baseline = RunningBaseline.of(TaughtModel(network, teaching))
    assert baseline is not None
    known = baseline.before(np.inf)
    best = [int(network.predict(frames, known).probabilities.argmax()) for frames in spoken]
    right = [network.info.labels[at] == label for at, label in zip(best, labels, strict=True)]
    assert abs(teaching.report.untaught - sum(right)) <= 1


def test_teaching_that_does_not_help_is_not_used(network: EmotionModel) -> None:
    rng = np.random.default_rng(0)

    def take(emotion: str) -> Take:  # the model is right, the embedding says nothing
        logits = np.full(len(LABELS), -2.0)
        logits[LABELS.index(emotion)] = -0.6
        return Take(emotion, 2.0, logits, np.zeros(16), rng.normal(0, 3, SIZE))

    teaching = Teaching(network, [take(label) for label in LABELS for _ in range(8)])
    before = output(take("happy"))
    assert not teaching.report.helps
    assert teaching.correct(before) is before


def test_a_model_without_an_embedding_cannot_be_taught(tmp_path: Path) -> None:
    plain = EmotionModel(write_model(tmp_path / "p.onnx", tiny_info(baseline=tiny_baseline())))
    with pytest.raises(LiveSerError, match="cannot be taught"):
        Teaching(plain, [])


def test_a_profile_keeps_takes_as_numbers(network: EmotionModel) -> None:
    profile = Profile.named("anna", network)
    takes = Speaker().takes(2)
    profile.teach(takes[:4])
    profile.teach(takes[2:])  # two of them again
    kept = profile.read()
    assert kept is not None
    assert [take.emotion for take in kept[1]] == [take.emotion for take in takes]
    assert profile.path.stat().st_mode & 0o777 == 0o600
    taught = profile.applied()
    assert isinstance(taught, TaughtModel)
    assert isinstance(pickle.loads(pickle.dumps(taught)), TaughtModel)
    baseline = RunningBaseline.of(taught)
    assert baseline is not None
    assert baseline.profile == "anna"
    assert baseline.seconds == pytest.approx(16)


def test_a_session_keeps_what_was_taught(network: EmotionModel) -> None:
    profile = Profile.named("anna", network)
    profile.teach(Speaker().takes(2))
    baseline = RunningBaseline.of(profile.applied())
    assert baseline is not None
    profile.keep(baseline)
    kept = profile.read()
    assert kept is not None
    assert len(kept[1]) == 8


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c["takes"][0].update(emotion="bored"),
        lambda c: c["takes"][0].update(seconds=-1),
        lambda c: c["takes"][0].update(embedding=[]),
        lambda c: c["takes"][0].update(embedding=[1.0]),
        lambda c: c["takes"][0].update(voice=["x"] * 16),
        lambda c: c["takes"][0].update(logits=[1e300] * 4),
        lambda c: c["takes"].extend([c["takes"][0]] * 600),
        lambda c: c.update(takes="many"),
        lambda c: c.update(probe=[1.0] * 32),
        lambda c: c.update(schema=3, model="other") or c.pop("probe"),
        lambda c: c.update(mean=[None] * 16),
    ],
)
def test_a_hostile_profile_is_one_line(network: EmotionModel, spoil: object) -> None:
    profile = Profile.named("anna", network)
    profile.teach(Speaker().takes(2))
    content = json.loads(profile.path.read_text())
    spoil(content)  # type: ignore[operator]
    profile.path.write_text(json.dumps(content))
    with pytest.raises(LiveSerError, match=r"is no profile|cannot be used") as caught:
        profile.read()
    assert "\n" not in str(caught.value)


def run(*words: str) -> tuple[int, str]:
    """Run a command; its exit code, and what it printed."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = main(words)
    return code, out.getvalue()


def _tone(path: Path, pitch: float, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(24000) / 16000
    soundfile.write(
        path, 0.2 * np.sin(2 * np.pi * pitch * time) + rng.normal(0, 0.01, 24000), 16000
    )
    return path


def test_labelled_recordings_are_read_from_folders_tables_and_textgrids(tmp_path: Path) -> None:
    _tone(tmp_path / "takes" / "Anger" / "1.wav", 300, 0)
    _tone(tmp_path / "takes" / "calm" / "2.wav", 200, 1)
    (tmp_path / "takes" / "notes").mkdir()
    found = read_labelled(tmp_path / "takes", LABELS)
    assert [(one.path.name, one.emotion) for one in found] == [
        ("1.wav", "angry"),
        ("2.wav", "neutral"),
    ]
    table = tmp_path / "t.csv"
    table.write_text("file,start,end,emotion\ntakes/calm/2.wav,0.5,1.0,sad\n")
    (part,) = read_labelled(table, LABELS)
    assert (part.emotion, part.start, part.end) == ("sad", 0.5, 1.0)
    _tone(tmp_path / "g.wav", 200, 1)
    grid = tmp_path / "g.TextGrid"
    grid.write_text(
        'File type = "ooTextFile"\nObject class = "TextGrid"\n0\n2\n<exists>\n1\n'
        '"IntervalTier"\n"mood"\n0\n2\n2\n0\n1.5\n"happy"\n1.5\n2\n"?"\n'
    )
    assert [one.emotion for one in read_labelled(grid, LABELS)] == ["happy"]
    session = tmp_path / "g.jsonl"
    label = {"type": "label", "start": 0.2, "end": 1.2, "label": "angry", "guess": None}
    session.write_text(json.dumps(label) + "\n")
    assert [(one.emotion, one.start) for one in read_labelled(session, LABELS)] == [("angry", 0.2)]


@pytest.mark.parametrize(
    "text",
    [
        "name,mood\na,b\n",
        "file,emotion\na.wav,bored\n",
        "file,start,end,emotion\na.wav,2,1,sad\n",
        "file,start,end,emotion\na.wav,2,1e308,sad\n",
        'file,emotion\n"a.wav,sad\nb.wav,happy\n',
        "file,emotion\n" + "a" * 200_000 + ",sad\n",
        "",
    ],
)
def test_a_bad_table_is_one_line(tmp_path: Path, text: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(text)
    with pytest.raises(LiveSerError) as caught:
        read_labelled(table, LABELS)
    assert "\n" not in str(caught.value)


def test_profiles_are_listed_renamed_exported_and_deleted(
    network: EmotionModel, tmp_path: Path
) -> None:
    Profile.named("anna", network).teach(Speaker().takes(2))
    assert "anna: 16 s of speech, 8 takes" in run("profiles")[1]
    assert run("profiles", "rename", "anna", "con")[0] == 2
    (folder() / "anna.json").rename(folder() / "con.json")  # as an older version let it be called
    assert run("profiles", "rename", "con", "bea")[0] == 0
    assert "2 happy" in run("profiles", "show", "bea")[1]
    assert run("profiles", "export", "bea", str(tmp_path / "b.json"))[0] == 0
    assert run("profiles", "export", "bea", str(tmp_path / "b.json"))[0] == 1
    assert run("profiles", "delete", "bea")[0] == 0
    assert run("profiles", "import", "carl", str(tmp_path / "b.json"))[0] == 0
    assert run("profiles")[1].startswith("carl")
    assert run("profiles", "show", "../x")[0] == 2
    assert run("profiles", "import", "dora", str(tmp_path / "missing.json"))[0] == 1
    (tmp_path / "bad.json").write_text("[" * 100_000)
    assert run("profiles", "import", "dora", str(tmp_path / "bad.json"))[0] == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c.update(mean="x"),
        lambda c: c.update(schema=-9),
        lambda c: c.update(seconds=float("inf")),
        lambda c: c.update(seconds=10**400),
        lambda c: c["takes"][0].pop("embedding"),
    ],
)
def test_what_is_no_whole_profile_is_listed_as_bad_and_not_imported(
    network: EmotionModel, tmp_path: Path, spoil: object
) -> None:
    for name in ("anna", "bea"):
        Profile.named(name, network).teach(Speaker().takes(2))
    bad = Profile.named("anna", network).path
    content = json.loads(bad.read_text())
    spoil(content)  # type: ignore[operator]
    bad.write_text(json.dumps(content))
    code, listed = run("profiles")
    assert code == 0
    first, second = listed.splitlines()
    assert first.startswith("anna: ")
    assert "is no profile" in first
    assert second == "bea: 16 s of speech, 8 takes"
    assert run("profiles", "import", "carl", str(bad))[0] == 1


def test_a_profile_of_a_newer_version_is_called_so_and_is_not_to_be_deleted(
    network: EmotionModel,
) -> None:
    profile = Profile.named("anna", network)
    profile.teach(Speaker().takes(2))
    text = json.dumps({**json.loads(profile.path.read_text()), "schema": 9})
    profile.path.write_text(text)
    for use in (profile.read, partial(profile.teach, Speaker().takes(1))):
        with pytest.raises(LiveSerError, match="a newer live-ser wrote") as caught:
            use()
        assert "update live-ser" in caught.value.hint
        assert "delete" not in caught.value.hint
    assert "a newer live-ser wrote" in run("profiles")[1]
    assert profile.path.read_text() == text


def test_takes_of_another_size_than_the_model_s_are_refused(network: EmotionModel) -> None:
    profile = Profile.named("anna", network)
    profile.teach(Speaker().takes(2))
    content = json.loads(profile.path.read_text())
    for take in content["takes"]:
        take["embedding"] = [1, 2, 3]
    profile.path.write_text(json.dumps(content))
    with pytest.raises(LiveSerError, match="cannot be used with this model"):
        profile.applied()
    with pytest.raises(LiveSerError, match="cannot be used with this model"):
        profile.teach(Speaker().takes(1))


def test_two_who_teach_at_once_lose_no_take(network: EmotionModel) -> None:
    profile = Profile.named("anna", network)
    takes = Speaker().takes(2)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda take: profile.teach([take]), takes))
    kept = profile.read()
    assert kept
    assert len(kept[1]) == len(takes)


def test_a_profile_renamed_onto_itself_stays(network: EmotionModel) -> None:
    profile = Profile.named("anna", network)
    profile.teach(Speaker().takes(2))
    assert run("profiles", "rename", "anna", "anna", "--force")[0] == 1
    assert profile.read()


@pytest.mark.parametrize("name", [".", "there", "there/", "new/", "new/b.json"])
def test_a_profile_is_exported_to_a_file_only(
    network: EmotionModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    Profile.named("anna", network).teach(Speaker().takes(2))
    (tmp_path / "out" / "there").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "out")
    assert run("profiles", "export", "anna", name, "--force")[0] == 1
    assert [one.name for one in (tmp_path / "out").rglob("*")] == ["there"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_a_profile_takes_the_place_of_no_device(network: EmotionModel, tmp_path: Path) -> None:
    Profile.named("anna", network).teach(Speaker().takes(1))
    os.mkfifo(tmp_path / "pipe")
    words = ["profiles", "export", "anna", str(tmp_path / "pipe"), "--force"]
    assert main(words) == 1
    assert (tmp_path / "pipe").is_fifo()
    pipe = Profile.named("bea", network).path
    os.mkfifo(pipe)
    assert run("profiles", "rename", "anna", "bea", "--force")[0] == 1
    assert pipe.is_fifo()
    assert [path.name for path in sorted(pipe.parent.iterdir())] == ["anna.json", "bea.json"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_a_profile_is_read_from_a_file_only(
    network: EmotionModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = Profile.named("anna", network)
    profile.path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(profile.path)
    code, listed = run("profiles")
    assert code == 0
    assert listed.splitlines() == [f"anna: cannot read {profile.path}: it is no file"]
    with pytest.raises(LiveSerError, match="it is no file"):
        profile.read()
    os.mkfifo(tmp_path / "pipe")
    for name in ("/dev/zero", str(tmp_path / "pipe")):
        assert main(["profiles", "import", "bea", name]) == 1
        assert f"cannot read {name}: it is no file" in capsys.readouterr().err.splitlines()[0]


def test_a_profile_s_name_does_nothing_to_the_terminal(network: EmotionModel) -> None:
    profile = Profile.named("anna", network)
    profile.teach(Speaker().takes(2))
    profile.path.rename(profile.path.with_name("a\x1b[2Jb.json"))
    assert "\x1b" not in run("profiles")[1]


def test_a_model_is_taught_from_python(network: EmotionModel, tmp_path: Path) -> None:
    speech = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    with pytest.raises(LiveSerError, match="too little speech"):
        Model(network).teach([speech * 0], ["happy"], rate=16000)
    with pytest.raises(LiveSerError, match="1 take and 2 labels"):
        Model(network).teach([speech], ["happy", "sad"], rate=16000)
    assert Model(network).teaching is None
    Profile.named("anna", network).teach(Speaker().takes(3))
    taught = Model(network).with_profile("anna")
    assert taught.teaching is not None
    assert taught.teaching.report.takes == dict.fromkeys(LABELS, 3)
    with pytest.raises(LiveSerError, match="no profile bob"):
        Model(network).with_profile("bob")


def test_a_profile_goes_on_with_a_model_whose_embedding_is_the_same(
    network: EmotionModel, tmp_path: Path
) -> None:
    Profile.named("anna", network).teach(Speaker().takes(2))
    info = tiny_info(baseline=tiny_baseline(), abstain=0.3, provenance={"revision": "later"})
    later = EmotionModel(write_model(tmp_path / "later.onnx", info, embedding=True))
    taught = Profile.named("anna", later).applied()
    assert isinstance(taught, TaughtModel)
    assert taught.info.abstain == 0.3
    assert taught.teaching is not None
    assert taught.teaching.report.takes == dict.fromkeys(LABELS, 2)


def test_a_model_with_another_embedding_refuses_a_profile_in_one_line(
    network: EmotionModel, tmp_path: Path
) -> None:
    Profile.named("anna", network).teach(Speaker().takes(2))
    info = tiny_info(baseline=tiny_baseline())
    other = EmotionModel(write_model(tmp_path / "other.onnx", info, embedding=2.0))
    with pytest.raises(LiveSerError, match="it was made with another one, ") as caught:
        Profile.named("anna", other).applied()
    assert "the profile anna cannot be used with this model" in caught.value.message
    assert caught.value.hint.endswith("live-ser profiles delete anna to begin anew")
    assert "\n" not in str(caught.value)


def test_a_session_adds_what_it_heard_to_what_others_wrote_meanwhile(
    network: EmotionModel,
) -> None:
    profile = Profile.named("anna", network)
    profile.teach(Speaker().takes(1))  # a voice of zeros, for 8 s
    session = RunningBaseline.of(profile.applied())
    assert session is not None
    session.update(output(Speaker().take("sad"), voice=np.full(16, 6.0)), 0, 8)
    profile.teach([replace(Speaker(1).take("happy"), seconds=8.0, voice=np.full(16, 3.0))])
    profile.keep(session)
    kept = profile.read()
    assert kept is not None
    known, takes = kept
    assert len(takes) == 5
    assert known.seconds == pytest.approx(24)
    assert known.mean == pytest.approx(np.full(16, 3.0))


def test_a_profile_leaves_nothing_beside_it(network: EmotionModel) -> None:
    profile = Profile.named("anna", network)
    profile.teach(Speaker().takes(1))
    assert [one.name for one in profile.path.parent.iterdir()] == ["anna.json"]


def test_a_disk_that_fails_leaves_the_profile_as_it_was(
    network: EmotionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = Profile.named("anna", network)
    profile.teach(Speaker().takes(1))
    before = profile.path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("live_ser.model.profile_file.sync", fail)
    with pytest.raises(LiveSerError, match="cannot write the profile"):
        profile.teach(Speaker(1).takes(1))
    assert profile.path.read_bytes() == before
    assert [path for path in profile.path.parent.iterdir() if path.suffix == ".part"] == []


def test_a_take_that_is_given_twice_counts_once(network: EmotionModel) -> None:
    profile = Profile.named("anna", network)
    takes = Speaker().takes(1)
    report = profile.teach([*takes, *takes]).report
    assert report.takes == dict.fromkeys(LABELS, 1)


def test_hundreds_of_takes_with_some_wrong_labels_are_weighed(network: EmotionModel) -> None:
    speaker = Speaker(apart=1.0)
    takes = speaker.takes(10)
    wrong = [replace(take, emotion="sad") for take in speaker.takes(2, ("happy", "angry"))]
    clean, mixed = (Teaching(network, taken) for taken in (takes, [*takes, *wrong]))
    tests = speaker.takes(50)
    assert accuracy(mixed, tests) > accuracy(clean, tests) - 0.05


def _speech(folder: Path, emotion: str, number: int, sentence: str) -> Path:
    path = folder / emotion / f"{number}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    voice = ["-p", str(30 + 15 * number), "-s", str(120 + 20 * number), "-w", str(path)]
    subprocess.run(["espeak-ng", *voice, sentence], check=True)
    return path


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    """Three takes of two emotions each, in a folder for each, and two folders of something else."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng, which speaks for this test, is not installed")
    for emotion in ("happy", "sad", "bored"):
        for number in range(3):
            _speech(tmp_path / "takes", emotion, number, f"This is how I sound {number}, today.")
    (tmp_path / "takes" / "notes").mkdir()
    return tmp_path / "takes"


def test_recordings_that_were_taught_with_are_said_to_be(
    network: EmotionModel, takes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--profile", "anna", "--model", str(network.path)]
    assert main(["teach", "--from", str(takes), *model]) == 0
    said = capsys.readouterr().err
    assert said.count("bored is left out: the model has no emotion of that name") == 1
    assert "notes" not in said
    assert main(["teach", "--from", str(takes), *model]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert (first, second) == ("0 new takes, 6 were known", "6 takes: 3 happy, 3 sad")
    other = _speech(takes, "other", 4, "Something else altogether, if you please.")
    again = takes / "happy" / "1.wav"
    assert main(["file", str(again), str(other), "--format", "jsonl", *model]) == 0
    told = capsys.readouterr()
    clips = [json.loads(line) for line in told.out.splitlines()]
    assert [clip.get("taught", False) for clip in clips] == [True, False]
    assert told.err.count("1 recording was taught with") == 1


def test_the_same_part_of_a_recording_counts_once_and_a_missing_one_is_told_once(
    network: EmotionModel, takes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = takes / "t.csv"
    rows = ["happy/0.wav;happy", "sad/0.wav;sad", "happy/0.wav;happy", "gone.wav;sad"]
    table.write_text("\n".join(["file;emotion", *rows, "gone.wav;sad"]))
    words = ["--profile", "anna", "--model", str(network.path)]
    assert main(["teach", "--from", str(table), "--format", "jsonl", *words]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["takes"] == {"happy": 1, "sad": 1}
    assert told.err.count("gone.wav") == 1


def test_what_lies_outside_the_sound_is_told(
    network: EmotionModel, takes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = takes / "t.csv"
    rows = ["happy/0.wav,0,9999,happy", "sad/0.wav,,,sad", "sad/0.wav,50,60,sad"]
    table.write_text("\n".join(["file,start,end,emotion", *rows]))
    words = ["--profile", "anna", "--model", str(network.path)]
    assert main(["teach", "--from", str(table), "--format", "jsonl", *words]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["takes"] == {"happy": 1, "sad": 1}
    assert told.err.count("1 interval longer than the sound, which ends at") == 1
    assert told.err.count("sad from 50.00 s on is outside the sound, which is") == 1
    assert "too little speech" not in told.err


def test_labels_that_contradict_the_others_are_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(DEMO, tmp_path / "a.flac")
    rows = [f"a.flac,{8.3 + at:.1f},{11.3 + at:.1f},sad" for at in np.arange(0, 4, 0.8)]
    rows += [f"a.flac,{20.9 + at:.1f},{23.3 + at:.1f},happy" for at in np.arange(0, 2.5, 0.5)]
    (tmp_path / "t.csv").write_text("\n".join(["file,start,end,emotion", *rows]))
    words = ["teach", "--profile", "anna", "--from", str(tmp_path / "t.csv")]
    assert main(words) == 0
    assert "Are these labels right?" not in capsys.readouterr().out
    wrong = "a.flac,11.7,15.0,happy"
    (tmp_path / "t.csv").write_text("\n".join(["file,start,end,emotion", *rows, wrong]))
    assert main(words) == 0
    place = tmp_path / "a.flac"
    doubted = (
        f"Are these labels right?\n  {place} from 11.7 s on is labelled happy and sounds sad\n"
    )
    assert doubted in capsys.readouterr().out
    assert main([*words, "--format", "jsonl"]) == 0
    (doubt,) = json.loads(capsys.readouterr().out)["doubtful"]
    assert doubt == {"emotion": "happy", "sounds_like": "sad", "file": str(place), "start": 11.7}


def test_profiles_say_what_was_done(
    network: EmotionModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*words: str) -> str:
        assert main(["profiles", *words]) == 0
        return capsys.readouterr().err.strip()

    assert said() == "there are no profiles; live-ser teach --profile NAME makes one"
    Profile.named("anna", network).teach(Speaker().takes(1)[:1])
    assert main(["profiles"]) == 0
    assert capsys.readouterr().out == "anna: 2 s of speech, 1 take\n"
    file = str(tmp_path / "a.json")
    assert said("export", "anna", file) == f"anna is exported to {file}"
    assert said("import", "bea", file) == f"bea is imported from {file}"
    assert said("rename", "bea", "carl") == "bea is now carl"
    assert said("delete", "carl") == "carl is deleted"
    assert said("delete", "anna", "--quiet") == ""
