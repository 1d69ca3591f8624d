"""The pretrained encoder, alone or next to a trained network, in one model file.

The head on the encoder is fitted by itself; the network stays as it is, and their logits are added.
The sum is calibrated on corpora left out, by heads and networks that were trained without them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from live_ser.model.onnx_model import EmotionModel
from live_ser.spec import BaselineSpec, ModelInfo, pack_matrix
from training.corpora.catalogue import Catalogue
from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.corpora.labels import known_targets
from training.corpora.licences import licence_of_weights
from training.corpora.own import OwnCorpus
from training.data.dataset import load_utterances
from training.data.frame_cache import kept_frames
from training.data.utterances import Utterances
from training.evaluation import metrics
from training.networks.embedding import fit_projection
from training.networks.encoder import encode, encoder_graph, in_8_bits, session
from training.networks.graphs import HEARD, join, network_of
from training.networks.head import (
    ACTIVATION,
    OUTPUTS,
    Encodings,
    Head,
    HeadConfig,
    fit_head,
    known_share,
)
from training.networks.model_file import Check, agree, origin, verify, write
from training.networks.pretrained import GE2E, load
from training.networks.valence import valence_of
from training.recipes.calibration import Calibration, calibrate_together
from training.recipes.config import Config, RunConfig
from training.recipes.logits import Logits, softmax
from training.recipes.presets import read_config, recipe
from training.recipes.run import Run
from training.trainer import trained

_WINDOWS = 12  # real ones, on which the file is checked
_ROUNDING = 1e-4  # of probabilities: a kernel sums hundreds of numbers in float32
_IN_8_BITS = 1e-3  # the same: in 8 bits, the last bit of a float can tip a number over


@dataclass(frozen=True)
class Fitted:
    """The fitted parts behind the encoder.

    Attributes:
        head: its head.
        projection: float32 ``[statistics, EMBEDDING]``, from its statistics to an embedding.
        calibration: calibration of the logits.
    """

    head: Head
    projection: NDArray[np.float32]
    calibration: Calibration


class Joined:
    """The encoder, alone or beside a network, and what both are made from.

    Args:
        path: path of the network, as an exported file; None for the encoder alone.
        config: settings of the head.
        data: folder with a folder per corpus, and the encoder.
        cache: folder of features and statistics.
        corpora: that the head learns from; those of the network if None.
        beside: further ones that it learns from, which don't say what a typical voice is.
        own: corpora among these that are not published.

    Attributes:
        size: numbers that tell a voice to the network; the head's follow them.
    """

    def __init__(
        self,
        path: Path | None,
        config: HeadConfig,
        data: Path,
        cache: Path,
        *,
        corpora: Sequence[str] | None = None,
        beside: Sequence[str] = (),
        own: Sequence[OwnCorpus] = (),
    ) -> None:
        self.config = config
        self._data, self._cache = data, cache
        self._catalogue = Catalogue(data, own)
        self.network: onnx.ModelProto | None = None
        self.size = 0
        if path:
            self.info = EmotionModel(path).info
            self.run_config = _config_of(self.info, path)
            self.network = network_of(onnx.load(path))
            assert self.info.baseline is not None
            joined = "encoder" in self.info.provenance
            self.size = self.info.baseline.size - (OUTPUTS if joined else 0)
        else:
            self.run_config = Config(corpora=tuple(corpora or Config().corpora))
            self.info = _info_of(self.run_config)
        self.corpora = tuple(corpora or self.run_config.corpora)
        self.beside = tuple(name for name in beside if name not in self.corpora)
        self.exact = encoder_graph(load(GE2E, data), self.info.features)
        self.encoder = in_8_bits(self.exact)
        self.utterances = self._read(self.corpora, takes=1)
        clean, degraded = (self._statistics(self.utterances, take) for take in (0, 1))
        self.encodings = Encodings(self.utterances.clips, clean, degraded)
        self._more = self._clean(self.beside) if self.beside else None

    def _read(self, corpora: Sequence[str], takes: int) -> Utterances:
        """What is heard of the utterances of corpora, clean and in some degraded takes."""
        clips = [clip for name in corpora for clip in self._catalogue.read(name).clips]
        config = self.run_config
        return load_utterances(
            clips, config.features, config.gate, data=self._data, cache=self._cache, takes=takes
        ).newest(config.window_frames, self._newest)

    @property
    def _newest(self) -> int:
        spec = self.info.features
        return round(HEARD * spec.sample_rate / spec.hop_length)

    def _clean(self, corpora: Sequence[str]) -> Encodings:
        """Encodings of the clean takes alone."""
        utterances = self._read(corpora, takes=0)
        clean = self._statistics(utterances, 0)
        return Encodings(utterances.clips, clean, clean[:0])

    def _statistics(self, utterances: Utterances, take: int) -> NDArray[np.float32]:
        """Statistics of one take of utterances, from the cache if they are in it."""
        digest = hashlib.sha256(self.encoder.SerializeToString())
        frames = [takes[take] for takes in utterances.takes]
        digest.update(repr([clip.id for clip in utterances.clips]).encode())
        for one in frames:
            digest.update(one.tobytes())
        file = self._cache / f"encoder-{digest.hexdigest()[:16]}.npz"

        def compute() -> list[Frames]:
            progress = tqdm(frames, "encoder", unit="clip")
            return [row[np.newaxis] for row in encode(self.encoder, progress)]

        return np.concatenate(kept_frames(file, compute))

    def calibration(self, runs: Sequence[Run]) -> tuple[Calibration, dict[str, float]]:
        """Calibrate on clips left out, predicted by networks and heads trained without them.

        Args:
            runs: with the network's settings; each left some speakers out.

        Returns:
            Their common calibration, and the mean of their figures.
        """
        left_out = list(self._left_out(runs))
        if not left_out:
            return Calibration(), {}
        figures: list[tuple[int, float, float]] = []
        for logits, clips in left_out:
            known, target = known_targets(clips, LABELS)
            predicted = logits.emotion[known].argmax(axis=1)
            uar = metrics.uar(target, predicted, len(LABELS))
            figures.append((len(target), uar, metrics.accuracy(target, predicted)))
        clips_each, uars, accuracies = zip(*figures, strict=True)
        means = {"uar": np.mean(uars), "accuracy": np.mean(accuracies)}
        rounded = {name: round(float(value), 4) for name, value in means.items()}
        calibration = calibrate_together(left_out, self.run_config)
        return calibration, {"clips": sum(clips_each), **rounded}

    def _left_out(self, runs: Sequence[Run]) -> Iterator[tuple[Logits, list[Clip]]]:
        """Logits and voices of what was left out, and which clips these are."""
        if self.network is not None:
            for run in runs:
                yield self._left_out_by(run)
        elif len(self.corpora) > 1:
            for corpus in self.corpora:
                tested = np.array([clip.corpus == corpus for clip in self.encodings.clips])
                head = self._fit(~tested)
                test = self.encodings.where(tested)
                yield self._sum(None, head.voice(test.statistics), head), list(test.clips)

    def _left_out_by(self, run: Run) -> tuple[Logits, list[Clip]]:
        """The sum's logits and voices of what a run left out."""
        if run.config.kind != self.run_config.kind:
            raise LiveSerError(
                f"{run.folder} hears other features or knows other classes than this network",
                "take runs with the same settings",
            )
        left = set(run.read_json("splits.json")["test"])
        tested = [clip.id in left for clip in self.encodings.clips]
        if not any(tested):
            raise LiveSerError(
                f"{run.folder} left no clip out that is in {self._data}",
                "take runs of a corpus left out",
            )
        test = self.utterances.where(tested)
        speakers = {clip.speaker for clip in test.clips}
        head = self._fit([clip.speaker not in speakers for clip in self.encodings.clips])
        network = recipe(run.config).predict(trained(run), test)
        voice = head.voice(self.encodings.where(tested).statistics)
        return self._sum(network, voice, head), list(test.clips)

    def _fit(self, learnt: Sequence[bool] | NDArray[np.bool_]) -> Head:
        """A head that learns from some of the utterances, and from what is beside them."""
        return fit_head(self.encodings.where(learnt), self.config, self._more)

    def _sum(self, network: Logits | None, voice: NDArray[np.float32], head: Head) -> Logits:
        """Sum of the logits of a network and a head, without a baseline."""
        logits = voice + head.bias
        alone = Logits(logits[:, :ACTIVATION], logits[:, ACTIVATION], voice)
        if network is None:
            return alone
        assert network.voice is not None
        return Logits(
            self.config.share * network.emotion + alone.emotion,
            self.config.share * network.activation + alone.activation,
            np.concatenate([network.voice, voice], axis=1),
        )

    def export(self, path: Path, runs: Sequence[Run]) -> ModelInfo:
        """Write encoder and head, and the network if there is one, as one file.

        Args:
            path: path of the file; it is written last, when everything was found right.
            runs: that tell how sure to be, if there is a network.

        Raises:
            LiveSerError: the file would not do; nothing is written.
        """
        calibration, figures = self.calibration(runs)
        head = self._fit(np.ones(len(self.encodings.clips), bool))
        fitted = Fitted(head, fit_projection(self.encodings), calibration)
        names = [run.read_json("splits.json")["name"] for run in runs]
        if self.network is None:
            names = [f"corpora/{name}" for name in self.corpora if len(self.corpora) > 1]
        info = self._info(path, calibration, names, figures)
        exact = self.network, self.exact
        small = in_8_bits(self.network) if self.network else None, self.encoder
        verify(path, self._graph(*exact, fitted), info, self._check(*exact, fitted, _ROUNDING))
        write(path, self._graph(*small, fitted), info, self._check(*small, fitted, _IN_8_BITS))
        return info

    def _graph(
        self, network: onnx.ModelProto | None, encoder: onnx.ModelProto, fitted: Fitted
    ) -> onnx.ModelProto:
        calibration = fitted.calibration
        return join(
            network,
            encoder,
            fitted.head,
            fitted.projection,
            share=self.config.share,
            surer=self.config.surer,
            temperature=calibration.temperature,
            activation=calibration.activation,
            valence=calibration.valence,
            size=self.size,
            mels=self.info.features.n_mels,
            heard=self._newest,
        )

    def _info(
        self,
        path: Path,
        calibration: Calibration,
        left_out: Sequence[str],
        figures: dict[str, float],
    ) -> ModelInfo:
        size = self.size + OUTPUTS
        offsets = np.zeros((len(LABELS), size), np.float32)
        if len(calibration.offsets):
            offsets[:] = calibration.offsets
        memory = self.run_config.baseline.memory
        baseline = BaselineSpec(size, self.config.typical, memory, pack_matrix(offsets.round(3)))
        taught = [*self.corpora, *self.beside, *_corpora_of(self.info)]
        return replace(
            self.info,
            name=path.stem,
            baseline=baseline,
            abstain=calibration.abstain,
            licence=licence_of_weights(taught),
            provenance=self._provenance(left_out, figures),
        )

    def _provenance(self, left_out: Sequence[str], figures: dict[str, float]) -> dict[str, Any]:
        """Where the parts come from: every corpus that taught one of them, and the protocol."""
        before = self.info.provenance
        clips = [*self.encodings.clips, *(self._more.clips if self._more else ())]
        counts = {"clips": len(clips), "speakers": len({clip.speaker for clip in clips})}
        learnt = [*self.corpora, *self.beside]
        head = {**asdict(self.config), "corpora": learnt, **counts}
        corpora = list(dict.fromkeys([*before.get("corpora", ()), *learnt]))
        origins: dict[str, Any] = {**before, "corpora": corpora}
        if self.network is None:
            by = "a head"
            origins |= counts
            del head["share"]
        else:
            by = "a network and a head"
            network = {name: int(before["figures"][name]) for name in ("epochs", "parameters")}
            figures = {**network, **figures}
        if left_out:
            origins["protocol"] = f"{', '.join(left_out)}, each by {by} trained without it"
        return {
            **origins,
            "figures": figures,
            "encoder": {**GE2E.about, "parameters": _parameters(self.encoder)},
            "head": head,
            **origin(),
        }

    def _check(
        self,
        network: onnx.ModelProto | None,
        encoder: onnx.ModelProto,
        fitted: Fitted,
        tolerance: float,
    ) -> Check:
        """The file, through live_ser, must say what its parts say."""
        run = session(network).run if network is not None else None
        # Of neighbours together: some are longer than what is heard of them.
        takes = [takes[0] for takes in self.utterances.takes[: _WINDOWS + 1]]
        most = self.run_config.window_frames
        windows = [np.concatenate(pair)[:most] for pair in pairwise(takes)]
        calibration = fitted.calibration

        def expected(
            window: Frames, baseline: NDArray[np.float32] | None
        ) -> Mapping[str, ArrayLike]:
            assert baseline is not None
            said = None
            heard = window[-self._newest :]
            if run:
                given = {
                    "log_mel": heard[np.newaxis],
                    "baseline": baseline[np.newaxis, : self.size],
                }
                said = Logits(*run(["emotion", "activation", "voice"], given))
            voice = fitted.head.voice(encode(encoder, [heard])) - baseline[self.size :]
            logits = self._sum(said, voice, fitted.head)
            slope, offset = calibration.activation
            gain = 1 + self.config.surer * known_share(baseline[np.newaxis, self.size :])
            probabilities = softmax(logits.emotion * gain, calibration.temperature)
            return {
                "probabilities": probabilities[0],
                "activation": 1 / (1 + np.exp(-logits.activation[0] * slope - offset)),
                "valence": valence_of(probabilities.astype(np.float64), calibration.valence)[0],
            }

        return lambda model: agree(model, windows, expected, tolerance)


def _corpora_of(info: ModelInfo) -> set[str]:
    """The corpora that trained the network of a file, or its teachers."""
    return {*info.provenance.get("corpora", ()), *info.provenance.get("taught_by", ())}


def _config_of(info: ModelInfo, path: Path) -> Config:
    """The settings by which the network of a file was trained."""
    config = read_config(info.provenance.get("config", {}))
    if not isinstance(config, Config) or info.labels != LABELS or not info.baseline:
        raise LiveSerError(
            f"{path} is no network of the preset {Config.preset} with its seven labels",
            "take a file that python -m training.export wrote",
        )
    return replace(config, gate=info.gate)


def _info_of(config: RunConfig) -> ModelInfo:
    """Metadata of a file without a network."""
    return ModelInfo(
        name="",
        labels=LABELS,
        window=config.window,
        hop=config.hop,
        features=config.features.spec(),
        gate=config.gate,
        abstain=0.0,
        licence="",
    )


def _parameters(model: onnx.ModelProto) -> int:
    return sum(int(np.prod(one.dims)) for one in model.graph.initializer)
