"""Teaching: a correction of the model's logits for a speaker, fitted to a few labelled takes.

The correction is linear in the model's ``embedding``: a ridge regression from the takes to their
labels. It is fitted in milliseconds, and vanishes with fewer takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from live_ser.model.onnx_model import EmotionModel, KnownVoice, ModelOutput
from live_ser.model.take import SAME_RECORDING, Take, known_voice
from live_ser.model.teaching_report import Doubt, Report

Matrix = NDArray[np.float64]

# Chosen on four training corpora, each with networks that were not trained on it.
_RIDGE = 0.2
_SCALE = 8.0  # of the correction, in logits
_WRONG = 0.05  # assumed share of wrong labels when takes are weighted,
_WRONG_AT_ALL = 0.1  # and when the temperature is fitted
_LEAST = 0.05  # weight of a take, at least
_PASSES = 2  # updates of the weights
_TEMPERATURES = np.geomspace(0.3, 3.0, 31)
_SPREAD = 0.3  # prior standard deviation of the log-temperature
_LEAST_CHANGE = 1e-3  # squared difference of log-probabilities from which a factor is estimated
_MOST_GAIN = 3.0  # factor of log-probabilities with a known voice
_DOUBT = 2.0  # standard deviations by which left-out takes must get worse to reject teaching
_FOLLOWS = 0.5  # share of the change in the emotions' log-odds that activation and valence take on

_AROUSED, _CALM = {"angry", "happy", "fearful", "surprised"}, {"neutral", "sad"}
_PLEASANT, _UNPLEASANT = {"happy"}, {"angry", "sad", "fearful", "disgust"}
_ROUNDS = 10  # takes of an emotion after which more did not help in measurements
_FEW = 3  # takes of an emotion below which more always help
_SURE = 0.95  # UAR from which more takes hardly help


class Teaching:
    """A correction fitted to takes of one speaker.

    Args:
        network: the model that made the takes.
        takes: takes of the speaker; with a single emotion there is no correction.

    Attributes:
        takes: the takes.
        known: the speaker's baseline according to the takes.

    Raises:
        LiveSerError: the model cannot be taught, or a take has a label that it does not have.
    """

    def __init__(self, network: EmotionModel, takes: Sequence[Take]) -> None:
        check_teachable(network)
        self.takes = tuple(takes)
        self._labels = network.info.labels
        for take in takes:
            if take.emotion not in self._labels:
                raise LiveSerError(
                    f"this model has no emotion {take.emotion!r}",
                    f"its emotions: {', '.join(self._labels)}",
                )
        index = [self._labels.index(take.emotion) for take in takes]
        self._taught = np.unique(np.array(index, np.intp))
        self._places = np.searchsorted(self._taught, index)
        self.known = known_voice(network, self.takes)
        self._fit(network)

    def _fit(self, network: EmotionModel) -> None:
        if len(self._taught) < 2:
            return
        places = self._places
        embeddings = np.array([take.embedding for take in self.takes])
        groups = [embeddings[places == place].mean(axis=0) for place in range(len(self._taught))]
        self._centre = np.mean(groups, axis=0)
        gain, shift = _known_logits(network, self.known)
        self._base = gain * np.array([take.logits for take in self.takes]) - shift
        inputs = _with_bias(embeddings - self._centre)
        target = np.eye(len(self._taught))[places] - 1 / len(self._taught)
        weights = np.ones(len(places))
        for _ in range(_PASSES):
            _, self._left_out = _ridge_regression(inputs, target, weights)
            weights = self._weigh()
        self._slopes, self._left_out = _ridge_regression(inputs, target, weights)
        self._temperature = self._fit_temperature()
        sides = (_AROUSED, _CALM, _PLEASANT, _UNPLEASANT)
        self._sides = np.array([[label in side for label in self._labels] for side in sides], float)

    def _weigh(self) -> Matrix:
        """The weight of each take: low if its label is improbable given the other takes.

        Those of an emotion sum to their number: a doubtful take makes the others count for more.
        """
        weights = np.maximum(self._right(), _LEAST)
        counts = np.bincount(self._places)
        return np.asarray(weights * (counts / np.bincount(self._places, weights))[self._places])

    def _right(self) -> Matrix:
        """The probability that each label is right, given the other takes; 1 without any."""
        shares = _softmax(self._base[:, self._taught] + self._left_out)
        own = shares[np.arange(len(shares)), self._places]
        right, wrong = own * (1 - _WRONG), (1 - own) * _WRONG / (len(self._taught) - 1)
        return np.where(self._tested, right / (right + wrong), 1.0)

    def _fit_temperature(self) -> float:
        """The temperature with the highest likelihood of the left-out takes."""
        tested = self._tested
        base, left_out = self._base[tested], self._left_out[tested]
        places = self._taught[self._places[tested]]

        def loss(temperature: float) -> float:
            own = self._shared(base, left_out, temperature)[np.arange(len(places)), places]
            mixed = (1 - _WRONG_AT_ALL) * own
            mixed += _WRONG_AT_ALL * (1 - own) / (len(self._taught) - 1)
            prior = 0.5 * (np.log(temperature) / _SPREAD) ** 2
            return float(prior - np.log(mixed + 1e-9).sum())

        return float(min(_TEMPERATURES, key=loss)) if tested.any() else 1.0

    @property
    def _tested(self) -> NDArray[np.bool_]:
        """Which takes have another of the same emotion."""
        counts = np.bincount(self._places, minlength=len(self._taught))
        return np.asarray(counts[self._places] > 1) & (len(self._taught) > 1)

    def holds(self, embedding: Matrix) -> bool:
        """Whether one of the takes is the recording with this embedding."""
        known = np.array([take.embedding for take in self.takes])
        if not len(known):
            return False
        return bool((np.abs(known - embedding).max(axis=1) < SAME_RECORDING).any())

    def correct(self, output: ModelOutput) -> ModelOutput:
        """Correct an output of the model.

        The probabilities of taught emotions change, while their sum does not; activation and
        valence follow.
        """
        if len(self._taught) < 2 or not self.report.helps:
            return output
        assert output.embedding is not None
        before = np.asarray(output.probabilities, np.float64)
        correction = (output.embedding - self._centre) @ self._slopes[:-1] + self._slopes[-1]
        logits = np.log(before + 1e-9)[np.newaxis]
        after = self._shared(logits, correction[np.newaxis], self._temperature)[0]
        activation, valence = self._followed(output, before, after)
        return replace(
            output,
            probabilities=after.astype(np.float32),
            activation=activation,
            valence=valence,
        )

    def _shared(self, logits: Matrix, correction: Matrix, temperature: float) -> Matrix:
        """Probabilities, corrected for the taught emotions, whose sum stays the same."""
        found = _softmax(logits / temperature)
        mass = found[:, self._taught].sum(axis=1, keepdims=True)
        found[:, self._taught] = mass * _softmax(
            (logits[:, self._taught] + correction) / temperature
        )
        return found

    def _followed(
        self, output: ModelOutput, before: Matrix, after: Matrix
    ) -> tuple[float, float | None]:
        """Activation and valence, moved with the odds of the emotions that imply them."""
        sums = np.log(self._sides @ np.stack([before, after], axis=1) + 1e-3)
        up, down, pleasant, unpleasant = (sums[:, 1] - sums[:, 0]).tolist()
        activation = _moved(output.activation, _FOLLOWS * (up - down))
        if output.valence is None:
            return activation, None
        odds = (output.valence + 1) / 2
        return activation, 2 * _moved(odds, _FOLLOWS * (pleasant - unpleasant)) - 1

    @cached_property
    def report(self) -> Report:
        """The evaluation of the teaching on left-out takes."""
        names = [self._labels[place] for place in self._taught]
        counts = np.bincount(self._places, minlength=len(names)) if names else np.zeros(0)
        takes = {name: int(count) for name, count in zip(names, counts, strict=True)}
        few = len(takes) < 2 or min(takes.values()) < _FEW
        tested = self._tested
        if not tested.any():
            return Report(takes, 0, 0, 0, None, None, (), len(takes) > 1, another_round=True)
        targets = self._taught[self._places[tested]]
        base = self._base[tested]
        predicted = self._shared(base, self._left_out[tested], 1.0).argmax(axis=1)
        before = base.argmax(axis=1)
        uar, untaught = _uar(targets, predicted), _uar(targets, before)
        more = few or (uar < _SURE and min(takes.values()) < _ROUNDS)
        return Report(
            takes,
            tested=len(targets),
            right=int((predicted == targets).sum()),
            untaught=int((before == targets).sum()),
            uar=uar,
            untaught_uar=untaught,
            confused=self._confused(targets, predicted),
            helps=few or _is_no_worse(base_right=before == targets, right=predicted == targets),
            another_round=more,
            doubtful=self._doubtful(),
        )

    def _doubtful(self) -> tuple[Doubt, ...]:
        """Takes whose label is more likely wrong than right."""
        right = self._right()
        shares = self._shared(self._base, self._left_out, 1.0)[:, self._taught]
        likely = shares.argmax(axis=1)
        doubtful = np.flatnonzero((right < 0.5) & (likely != self._places))
        return tuple(
            Doubt(int(at), self.takes[at].emotion, self._labels[self._taught[likely[at]]])
            for at in doubtful[np.argsort(right[doubtful])]
        )

    def _confused(
        self, targets: NDArray[np.intp], predicted: NDArray[np.intp]
    ) -> tuple[tuple[str, str, int], ...]:
        wrong = [(a, s) for a, s in zip(targets, predicted, strict=True) if a != s]
        counted = sorted(((wrong.count(pair), pair) for pair in set(wrong)), reverse=True)
        return tuple((self._labels[a], self._labels[s], count) for count, (a, s) in counted)


class TaughtModel(EmotionModel):
    """A model with a speaker's teaching; otherwise like the model itself.

    Args:
        network: the model; of a taught model, the model without its teaching is used.
        teaching: the teaching; None if only the baseline is known.
        known: the speaker's baseline; None for that of the teaching.

    Attributes:
        teaching: the teaching; None if only the baseline is known.
    """

    def __init__(
        self, network: EmotionModel, teaching: Teaching | None, known: KnownVoice | None = None
    ) -> None:
        vars(self).update(vars(network))  # one session for both
        self.network: EmotionModel = network
        if isinstance(network, TaughtModel):
            self.network = network.network
        self.teaching = teaching
        self.known = known or (teaching.known if teaching else None)

    def predict(self, log_mel: Frames, baseline: NDArray[np.float32] | None = None) -> ModelOutput:
        """Classify one stretch of speech, and correct the output by the teaching."""
        output = self.network.predict(log_mel, baseline)
        return self.teaching.correct(output) if self.teaching else output

    def opener(self) -> Callable[[Path], EmotionModel]:
        """A picklable function that opens this model from a copy of its file."""
        return partial(_opened, takes=self._takes, known=self.known)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:  # type: ignore[override]
        """Pickle by path and takes."""
        return _restored, (self.network, self._takes, self.known)

    @property
    def _takes(self) -> Sequence[Take]:
        return self.teaching.takes if self.teaching else ()


def _opened(path: Path, takes: Sequence[Take], known: KnownVoice | None) -> TaughtModel:
    return _restored(EmotionModel(path), takes, known)


def _restored(
    network: EmotionModel, takes: Sequence[Take], known: KnownVoice | None
) -> TaughtModel:
    return TaughtModel(network, Teaching(network, takes) if takes else None, known)


def check_teachable(network: EmotionModel) -> None:
    """Check that a model can be taught.

    Raises:
        LiveSerError: it has no embedding, or no baseline.
    """
    if not network.embedding_size or network.info.baseline is None:
        raise LiveSerError(
            f"the model {network.info.name} cannot be taught: it gives no embedding",
            "take the model that came with live-ser",
        )


def _is_no_worse(*, base_right: NDArray[np.bool_], right: NDArray[np.bool_]) -> bool:
    """Whether teaching does not significantly worsen the left-out takes.

    Each is classified with one take of its emotion fewer, so a few errors more mean little.
    """
    lost, won = np.count_nonzero(base_right & ~right), np.count_nonzero(~base_right & right)
    return bool(lost - won <= _DOUBT * np.sqrt(lost + won))


def _known_logits(network: EmotionModel, known: KnownVoice | None) -> tuple[float, Matrix]:
    """How log-probabilities with a typical voice's baseline become those with a speaker's.

    The model is almost linear in the baseline, and may be more confident with a known voice: the
    log-probabilities are scaled and shifted, as estimated from two inputs.

    Returns:
        The factor, and what is subtracted after it, float ``[labels]``.
    """
    assert known is not None
    assert network.info.baseline is not None
    baseline = known.mean * known.weight / (known.weight + network.info.baseline.typical)
    size = network.info.features.n_mels
    inputs = np.full((100, size), -60.0), np.tile(np.linspace(-20, -60, size), (100, 1))
    typical, measured = (
        np.array([_log_probabilities(network, x, b) for x in inputs])
        for b in (None, np.asarray(baseline, np.float32))
    )
    apart, apart_measured = typical[1] - typical[0], measured[1] - measured[0]
    length = float(apart @ apart)
    gain = float(apart @ apart_measured) / length if length > _LEAST_CHANGE else 1.0
    gain = min(max(gain, 1 / _MOST_GAIN), _MOST_GAIN)
    return gain, np.asarray((gain * typical - measured).mean(axis=0))


def _log_probabilities(
    network: EmotionModel, frames: Matrix, baseline: NDArray[np.float32] | None
) -> Matrix:
    """Log-probabilities less their mean, which the softmax does not depend on."""
    output = network.predict(frames.astype(np.float32), baseline)
    found = np.log(np.maximum(output.probabilities.astype(np.float64), 1e-7))
    return np.asarray(found - found.mean())


def _ridge_regression(inputs: Matrix, target: Matrix, weights: Matrix) -> tuple[Matrix, Matrix]:
    """A weighted ridge regression, and its leave-one-out predictions.

    Args:
        inputs: float ``[n, size]``.
        target: float ``[n, classes]``.
        weights: float ``[n]``.

    Returns:
        Slopes ``[size, classes]`` and predictions ``[n, classes]``, in logits.
    """
    weighted = inputs * weights[:, np.newaxis]
    inverse = np.linalg.inv(weighted.T @ inputs + _RIDGE * np.eye(inputs.shape[1]))
    slopes = inverse @ (weighted.T @ target)
    fitted = inputs @ slopes
    own = np.sum((weighted @ inverse) * inputs, axis=1, keepdims=True)
    return _SCALE * slopes, _SCALE * (fitted - own * target) / (1 - own)


def _moved(share: float, logits: float) -> float:
    """A share from 0 to 1 after a change of its log-odds."""
    share = min(max(share, 1e-6), 1 - 1e-6)
    return 1 / (1 + (1 - share) / share * math.exp(-logits))


def _with_bias(rows: Matrix) -> Matrix:
    return np.hstack([rows, np.ones((len(rows), 1))])


def _softmax(logits: Matrix) -> Matrix:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _uar(targets: NDArray[np.intp], predicted: NDArray[np.intp]) -> float:
    return float(np.mean([np.mean(predicted[targets == one] == one) for one in np.unique(targets)]))
