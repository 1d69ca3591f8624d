"""The pretrained encoder as a graph, its linear head, and the file that both are joined into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("onnx")
pytest.importorskip("librosa")
pytest.importorskip("scipy")

import onnx
from onnx import numpy_helper

from live_ser.frontend.features import Frames, log_mel
from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.data.features import FeatureConfig
from training.data.utterances import Utterances
from training.networks.embedding import EMBEDDING, fit_projection
from training.networks.encoder import (
    STATISTICS,
    encode,
    encoder_graph,
    mean_square,
    mel_map,
    typical_power,
)
from training.networks.head import ACTIVATION, Encodings, HeadConfig, fit_head, known_share
from training.networks.pretrained import GE2E, LAYERS, UNITS, Weights
from training.networks.quantization import LARGEST, in_8_bits, round_weights

SPEC = FeatureConfig().spec()
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def weights() -> Weights:
    """An encoder of random weights, as large as those of GE2E."""
    rng = np.random.default_rng(1)
    return {k: rng.normal(0, 0.08, s).astype(np.float32) for k, s in GE2E.shapes.items()}


@pytest.fixture(scope="module")
def graph(weights: Weights) -> onnx.ModelProto:
    return encoder_graph(weights, SPEC)


def voice(seconds: float, level: float = 0.03) -> NDArray[np.float32]:
    """Something like a vowel: harmonics of 140 Hz that fall, and breath."""
    time = np.arange(round(seconds * SPEC.sample_rate)) / SPEC.sample_rate
    sound = sum(np.sin(2 * np.pi * 140 * k * time + k) / k for k in range(1, 40))
    noisy = sound + RNG.normal(0, 0.05, len(time))
    return np.asarray(level * noisy / np.sqrt(np.mean(noisy**2)), np.float32)


def reference(weights: Weights, frames: Frames) -> NDArray[np.float64]:
    """The same in NumPy, as PyTorch defines an LSTM."""
    power = 10 ** (frames.astype(np.float64) / 10)
    level = (power @ mean_square(SPEC)).mean()
    sequence = np.minimum(power @ mel_map(SPEC).T * 1e-3 / level, 12 * typical_power())
    half = -(-len(sequence) // 2)
    sequence = np.concatenate([sequence[:half], sequence[-half:]])
    found = []
    for layer in range(LAYERS):
        w, u, b, c = (
            weights[f"lstm.{name}_l{layer}"].astype(np.float64)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        state, cell = np.zeros(UNITS), np.zeros(UNITS)
        states = []
        for place, row in enumerate(sequence):
            if place == half:
                state, cell = np.zeros(UNITS), np.zeros(UNITS)
            i, f, g, o = np.split(w @ row + b + u @ state + c, 4)
            cell = cell / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            state = np.tanh(cell) / (1 + np.exp(-o))
            states.append(state)
        sequence = np.stack(states)
        found += [sequence.mean(axis=0), sequence.std(axis=0)]
    return np.concatenate(found)


def test_the_graph_says_what_numpy_says(graph: onnx.ModelProto, weights: Weights) -> None:
    for seconds in (0.4, 1.3):
        frames = log_mel(voice(seconds), SPEC)
        got = encode(graph, [frames])[0]
        assert got.shape == (STATISTICS,)
        np.testing.assert_allclose(got, reference(weights, frames), atol=1e-5)


@pytest.fixture(scope="module")
def small(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The encoder in 8 bits."""
    sounds = (voice(seconds, level) for seconds, level in ((0.5, 0.03), (1.0, 0.1), (1.5, 0.01)))
    return in_8_bits(graph, [{"log_mel": log_mel(one, SPEC)[np.newaxis]} for one in sounds])


def test_in_8_bits_the_encoder_says_nearly_the_same(
    graph: onnx.ModelProto, small: onnx.ModelProto
) -> None:
    onnx.checker.check_model(small)
    assert [node.op_type for node in small.graph.node].count("DynamicQuantizeLSTM") == LAYERS
    assert len(small.SerializeToString()) < 0.3 * len(graph.SerializeToString())
    frames = [log_mel(voice(seconds), SPEC) for seconds in (0.5, 1.0, 2.0)]
    frames[0][:10] += 40  # dB: a bang, and what is soft beside it is heard all the same
    exact, near = (encode(one, frames) for one in (graph, small))
    assert np.abs(exact - near).max() < 0.03


def test_weights_in_8_bits_overflow_on_no_processor(small: onnx.ModelProto) -> None:
    """Two products of theirs with what is heard, 0 to 255, fit into 16 bits."""
    constants = {one.name: numpy_helper.to_array(one) for one in small.graph.initializer}
    weights = [
        constants[node.input[k]]
        for node in small.graph.node[:]
        if "LSTM" in node.op_type
        for k in (1, 2)
    ]
    assert len(weights) == 2 * LAYERS
    for one in weights:
        assert one.dtype == np.int8
        assert 2 * 255 * np.abs(one.astype(int)).max() <= np.iinfo(np.int16).max


def test_rounding_keeps_products_with_correlated_inputs() -> None:
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(40, 60)).astype(np.float32)
    inputs = rng.normal(size=(500, 8)) @ rng.normal(size=(8, 60))
    rounded, scales = round_weights(weights, inputs.T @ inputs)
    nearest = np.round(weights / scales[:, np.newaxis])
    assert np.abs(rounded).max() <= LARGEST
    of_rounded, of_nearest = (
        np.square(inputs @ (one * scales[:, np.newaxis] - weights).T).mean()
        for one in (rounded, nearest)
    )
    assert of_rounded < 0.1 * of_nearest


def test_level_leaves_no_trace(graph: onnx.ModelProto) -> None:
    sound = voice(1.0)
    loud, soft = (log_mel(sound * gain, SPEC) for gain in (1.0, 0.01))
    both = encode(graph, [loud, soft])
    np.testing.assert_allclose(both[0], both[1], atol=1e-3)


def test_silence_is_heard_without_a_fault(graph: onnx.ModelProto) -> None:
    silent = np.full((50, SPEC.n_mels), -100, np.float32)
    assert np.isfinite(encode(graph, [silent])).all()


def test_our_bands_tell_what_the_encoders_own_bands_hear() -> None:
    import librosa

    sound = voice(1.0)
    ours = 10 ** (log_mel(sound, SPEC).astype(np.float64) / 10) @ mel_map(SPEC).T
    # The same samples under the same window, which lies in the middle of our longer frames.
    start = (SPEC.n_fft - SPEC.win_length) // 2
    theirs = librosa.feature.melspectrogram(
        y=sound[start:].astype(np.float64),
        sr=16_000,
        n_fft=400,
        hop_length=160,
        n_mels=40,
        center=False,
    ).T[: len(ours)]
    apart = 10 * np.log10(ours / theirs)
    assert np.abs(np.median(apart)) < 0.5
    assert np.quantile(np.abs(apart), 0.9) < 3
    rms = np.sqrt(np.mean(10 ** (log_mel(sound, SPEC) / 10) @ mean_square(SPEC)))
    assert rms == pytest.approx(np.sqrt(np.mean(sound**2)), rel=0.05)


def encodings(classes: dict[str, tuple[str, ...]], each: int = 30) -> Encodings:
    """Utterances of several corpora; each emotion lies in its own direction of eight."""
    rng = np.random.default_rng(3)
    clips, rows = [], []
    for corpus, emotions in classes.items():
        for emotion in emotions:
            for i in range(each):
                name = f"{corpus}/{emotion}{i}"
                clips.append(Clip(Path(name), emotion, f"{corpus}/{i % 5}", corpus, name))
                rows.append(rng.normal(0, 0.25, 8) + np.eye(8)[LABELS.index(emotion)])
    statistics = np.array(rows, np.float32)
    return Encodings(tuple(clips), statistics, statistics)


def test_the_head_learns_labels_and_activation() -> None:
    all_of_them = encodings({"ravdess": LABELS})
    head = fit_head(all_of_them, HeadConfig(strength=50))
    logits = head.voice(all_of_them.statistics) + head.bias
    said = logits[:, :ACTIVATION].argmax(axis=1)
    acted = [LABELS.index(clip.emotion) for clip in all_of_them.clips]
    assert np.mean(said == acted) > 0.9
    aroused = [i for i, clip in enumerate(all_of_them.clips) if clip.activation is not None]
    truth = [bool(all_of_them.clips[i].activation) for i in aroused]
    assert np.mean((logits[aroused, ACTIVATION] > 0) == truth) > 0.9


def test_the_kernel_tells_what_no_line_sets_apart() -> None:
    """Happy on both sides of neutral: a linear head can't tell them, one with a kernel can."""
    rng = np.random.default_rng(4)
    places = {"neutral": (0.0,), "happy": (-3.0, 3.0)}
    clips, rows = [], []
    for emotion, sides in places.items():
        for i in range(60):
            clips.append(Clip(Path("c"), emotion, f"a/{i % 5}", "ravdess", f"{emotion}{i}"))
            rows.append([sides[i % len(sides)] + rng.normal(0, 0.3), rng.normal()])
    statistics = np.array(rows, np.float32)
    some = Encodings(tuple(clips), statistics, statistics)
    happy = [clip.emotion == "happy" for clip in clips]
    right = {}
    for kernel in (0.0, 1.5):
        head = fit_head(some, HeadConfig(strength=50, kernel=kernel))
        logits = head.voice(statistics) + head.bias
        right[kernel] = np.mean((logits[:, 1] > logits[:, 0]) == happy)
    assert right[0.0] < 0.8
    assert right[1.5] > 0.95


def test_what_a_corpus_lacks_is_not_held_against_it() -> None:
    """A corpus without disgust, however large, says nothing about how frequent disgust is."""
    with_it = encodings({"ravdess": LABELS})
    without = encodings({"nemo": LABELS[:5], "ravdess": LABELS})
    alone, beside = (fit_head(one, HeadConfig(strength=50)) for one in (with_it, without))
    disgusted = np.eye(8, dtype=np.float32)[LABELS.index("disgust")][np.newaxis]
    for head in (alone, beside):
        assert (head.voice(disgusted) + head.bias)[0, :ACTIVATION].argmax() == LABELS.index(
            "disgust"
        )


def test_a_typical_voice_is_zero() -> None:
    some = encodings({"ravdess": LABELS, "nemo": LABELS[:3]})
    head = fit_head(some, HeadConfig())
    voices = head.voice(some.statistics)
    corpora = np.array([clip.corpus for clip in some.clips])
    means = [voices[corpora == one].mean(axis=0) for one in ("ravdess", "nemo")]
    np.testing.assert_allclose(np.mean(means, axis=0), 0, atol=1e-3)


def test_boredom_teaches_activation_alone() -> None:
    some = encodings({"emodb": LABELS})
    bored = [Clip(Path("b"), "bored", "emodb/1", "emodb", f"emodb/b{i}") for i in range(40)]
    calm = np.tile(np.eye(8, dtype=np.float32)[7], (40, 1))
    statistics = np.concatenate([some.statistics, 3 * calm])
    more = Encodings((*some.clips, *bored), statistics, statistics)
    head = fit_head(more, HeadConfig(strength=50))
    assert (head.voice(3 * calm[:1]) + head.bias)[0, ACTIVATION] < 0


def test_extra_corpora_teach_but_do_not_change_the_typical_voice() -> None:
    """They are learned from clean takes alone, however far they lie from the others."""
    some = encodings({"nemo": ("neutral", "happy", "sad")})
    further = encodings({"emospeech": ("neutral", "angry")})
    extra = Encodings(further.clips, further.statistics + 3)
    head = fit_head(some, HeadConfig(strength=50), extra)
    np.testing.assert_array_equal(head.typical, fit_head(some, HeadConfig()).typical)
    logits = head.voice(extra.statistics) + head.bias
    angry = [clip.emotion == "angry" for clip in extra.clips]
    said = logits[:, LABELS.index("angry")] > logits[:, LABELS.index("neutral")]
    assert np.mean(said == angry) > 0.9


def test_starts_of_utterances_are_told_where_the_head_learns_from_them() -> None:
    """Starts show the emotion in another direction than whole utterances do."""
    whole = encodings({"ravdess": ("neutral", "happy")})
    happy = np.array([clip.emotion == "happy" for clip in whole.clips])
    starts = RNG.normal(0, 0.25, whole.statistics.shape).astype(np.float32)
    starts[:, 7] += np.where(happy, 1, -1)
    both = replace(whole, starts=starts)
    right = {}
    for share in (0.0, 0.5):
        head = fit_head(both, HeadConfig(strength=50, starts=share))
        for name, statistics in (("whole", whole.statistics), ("start", starts)):
            logits = head.voice(statistics) + head.bias
            right[name, share] = np.mean((logits[:, 1] > logits[:, 0]) == happy)
    assert right["start", 0.0] < 0.8
    assert min(right["start", 0.5], right["whole", 0.5]) > 0.95


def test_starts_are_the_first_frames_in_turn() -> None:
    """Of the clean takes and the degraded ones; what is shorter stays whole."""
    takes = [np.arange(2 * length, dtype=np.float32).reshape(length, 2) for length in (9, 9, 3, 9)]
    clips = tuple(Clip(Path("c"), "sad", "a/1", "ravdess", str(i)) for i in range(4))
    starts = Utterances(clips, tuple((take, take + 1) for take in takes)).starts((5, 7))
    assert [[len(take) for take in takes] for takes in starts.takes] == [
        [5] * 2,
        [7] * 2,
        [3] * 2,
        [7] * 2,
    ]
    np.testing.assert_array_equal(starts.takes[1][1], takes[1][:7] + 1)


def test_a_voice_is_known_by_how_far_its_baseline_is_from_a_typical_one() -> None:
    baseline = np.zeros((3, 8), np.float32)
    baseline[1, 2], baseline[2, 2] = 0.3, 3
    nothing, little, much = known_share(baseline)[:, 0]
    assert nothing == 0
    assert 0.1 < little < 0.5
    assert 0.9 < much < 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"strength": 0.0},
        {"smoothing": 1.0},
        {"share": -1.0},
        {"typical": 0.0},
        {"surer": -1.0},
        {"kernel": -1.0},
        {"starts": -0.1},
        {"starts": 0.8, "degraded": 0.2},
    ],
)
def test_a_head_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"above 0|at least"):
        HeadConfig(**wrong)


def test_an_embedding_sets_a_speakers_emotions_apart() -> None:
    """Emotions lie further apart in it, beside what differs within one, than in the statistics."""
    rng = np.random.default_rng(5)
    clips, rows = [], []
    for speaker in range(6):
        own = rng.normal(0, 3, 60)
        for place, emotion in enumerate(("happy", "sad", "angry")):
            for i in range(8):
                name = f"a/{speaker}-{emotion}-{i}"
                clips.append(Clip(Path(name), emotion, f"a/{speaker}", "a", name))
                one = own + rng.normal(0, 1, 60)
                one[place] += 2
                rows.append(one)
    statistics = np.array(rows, np.float32)
    projection = fit_projection(Encodings(tuple(clips), statistics, statistics))
    assert projection.shape == (60, EMBEDDING)
    assert projection.dtype == np.float32

    def apart(x: NDArray[np.float32]) -> float:
        means = x.reshape(6, 3, 8, -1).mean(axis=2)
        between = np.square(means - means.mean(axis=1, keepdims=True)).sum()
        within = np.square(x.reshape(6, 3, 8, -1) - means[:, :, np.newaxis]).sum()
        return float(between / within)

    assert apart(statistics @ projection) > 3 * apart(statistics)
