"""The pretrained encoder with its head, alone or beside a trained network.

The head is fitted on the encoder by itself. The network is not changed; its logits are added to the
head's. The sum is calibrated on corpora left out, by heads and networks trained without them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from tqdm import tqdm

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from live_ser.model.onnx_model import EmotionModel
from live_ser.spec import ModelInfo
from training.corpora.catalogue import Catalogue
from training.corpora.clips import Clip
from training.corpora.emotions import LABELS
from training.corpora.labels import known_targets
from training.corpora.own import OwnCorpus
from training.data.dataset import load_utterances
from training.data.frame_cache import cached_frames
from training.data.utterances import Utterances
from training.evaluation import metrics
from training.networks.calibration import Calibration
from training.networks.embedding import fit_projection
from training.networks.encoder import encode, encoder_graph
from training.networks.extraction import extract_network
from training.networks.head import ACTIVATION, OUTPUTS, Encodings, Head, HeadConfig, fit_head
from training.networks.joined_graph import NEWEST_SECONDS, FittedHead
from training.networks.pretrained import GE2E, load
from training.networks.quantization import in_8_bits
from training.recipes.calibration import calibrate_together
from training.recipes.config import Config, RunConfig
from training.recipes.logits import Logits
from training.recipes.presets import read_config, recipe
from training.recipes.run import Run
from training.trainer import trained

START_SECONDS = (0.8, 1.2, 1.6)
"""Lengths of the starts of utterances that the head is fitted to, too: live, every one grows."""

_SAMPLES = 256  # utterances by which weights are rounded


class Joined:
    """The encoder, alone or beside a network, and the utterances that its head is fitted to.

    Args:
        path: exported file of the network; None for the encoder alone.
        config: settings of the head.
        data: folder with a folder per corpus, and the encoder.
        cache: folder of features and statistics.
        corpora: corpora that the head learns from; None for those of the network.
        extra: further corpora that the head learns from, of which only clean takes are used. They
            affect neither the statistics of a typical voice nor the calibration.
        own: the user's own recordings among these corpora.

    Attributes:
        config: settings of the head.
        network: network without calibration; None for the encoder alone.
        network_voice: length of the network's voice; 0 without a network.
        info: metadata of the network's file, or default ones.
        run_config: settings by which the network was trained, or default ones.
        corpora: corpora that the head learns from.
        extra: further ones, without those in ``corpora``.
        exact: encoder in float32.
        encoder: encoder in 8 bits, by which the head is fitted.
        utterances: newest frames of the utterances of ``corpora``, clean and degraded.
        encodings: statistics of these, and of the utterances' starts.
        extra_encodings: statistics of the utterances of ``extra``; None if there are none.
    """

    def __init__(
        self,
        path: Path | None,
        config: HeadConfig,
        data: Path,
        cache: Path,
        *,
        corpora: Sequence[str] | None = None,
        extra: Sequence[str] = (),
        own: Sequence[OwnCorpus] = (),
    ) -> None:
        self.config = config
        self._data, self._cache = data, cache
        self._catalogue = Catalogue(data, own)
        self.network: onnx.ModelProto | None = None
        self.network_voice = 0
        if path:
            self.info = EmotionModel(path).info
            self.run_config = _config_of(self.info, path)
            self.network = extract_network(onnx.load(path))
            assert self.info.baseline is not None
            joined = "encoder" in self.info.provenance
            self.network_voice = self.info.baseline.size - (OUTPUTS if joined else 0)
        else:
            self.run_config = Config(corpora=tuple(corpora or Config().corpora))
            self.info = _info_of(self.run_config)
        self.corpora = tuple(corpora or self.run_config.corpora)
        self.extra = tuple(name for name in extra if name not in self.corpora)
        self.exact = encoder_graph(load(GE2E, data), self.info.features)
        whole = self._read(self.corpora, takes=1)
        self.utterances = self._newest(whole)
        self.encoder = in_8_bits(self.exact, self.samples())
        self.encodings = self._encodings(whole)
        self.extra_encodings: Encodings | None = None
        if self.extra:
            self.extra_encodings = self._encodings(self._read(self.extra, takes=0))

    @property
    def newest(self) -> int:
        """Number of frames, counted from the newest, that encoder and network use."""
        return self._frames(NEWEST_SECONDS)

    def _frames(self, seconds: float) -> int:
        spec = self.info.features
        return round(seconds * spec.sample_rate / spec.hop_length)

    def samples(self) -> Iterator[Mapping[str, NDArray[np.float32]]]:
        """Inputs of encoder and network for some utterances, without a baseline."""
        baseline = np.zeros((1, self.network_voice), np.float32)
        for takes in self.utterances.takes[:: -(-len(self.utterances.takes) // _SAMPLES)]:
            yield {"log_mel": takes[0][np.newaxis].astype(np.float32), "baseline": baseline}

    def fit(self, calibration: Calibration) -> FittedHead:
        """Fit head and projection to all utterances.

        Args:
            calibration: calibration from :meth:`calibrate`.
        """
        head = self._fit_head(np.ones(len(self.encodings.clips), bool))
        return FittedHead(self.config, head, fit_projection(self.encodings), calibration)

    def sum(self, network: Logits | None, voice: NDArray[np.float32], head: Head) -> Logits:
        """Add the logits of the network and of a head.

        Args:
            network: logits of the network, ``[n]``; None for the head alone.
            voice: voices of the head less a baseline, float32 ``[n, outputs]``.
            head: head whose bias is added.
        """
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

    def calibrate(self, runs: Sequence[Run]) -> tuple[Calibration, dict[str, float]]:
        """Calibrate on clips left out, predicted by networks and heads trained without them.

        Args:
            runs: runs with the network's settings that each left some speakers out; not used
                without a network, where each corpus is left out in turn.

        Returns:
            The calibration, and the number of clips and the means of UAR and accuracy.
        """
        left_out = list(self._left_out(runs))
        if not left_out:
            return Calibration(), {}
        counts, uars, accuracies = [], [], []
        for logits, clips in left_out:
            known, target = known_targets(clips, LABELS)
            predicted = logits.emotion[known].argmax(axis=1)
            counts.append(len(target))
            uars.append(metrics.uar(target, predicted, len(LABELS)))
            accuracies.append(metrics.accuracy(target, predicted))
        means = {"uar": np.mean(uars), "accuracy": np.mean(accuracies)}
        rounded = {name: round(float(value), 4) for name, value in means.items()}
        return calibrate_together(left_out, self.run_config), {"clips": sum(counts), **rounded}

    def _left_out(self, runs: Sequence[Run]) -> Iterator[tuple[Logits, list[Clip]]]:
        """Logits of the clips that each run, or each head, was trained without."""
        if self.network is not None:
            for run in runs:
                yield self._left_out_by(run)
        elif len(self.corpora) > 1:
            for corpus in self.corpora:
                tested = np.array([clip.corpus == corpus for clip in self.encodings.clips])
                head = self._fit_head(~tested)
                test = self.encodings.where(tested)
                yield self.sum(None, head.voice(test.statistics), head), list(test.clips)

    def _left_out_by(self, run: Run) -> tuple[Logits, list[Clip]]:
        """Logits of the clips that a run left out."""
        if run.config.kind != self.run_config.kind:
            raise LiveSerError(
                f"{run.folder} has other features or classes than this network",
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
        head = self._fit_head([clip.speaker not in speakers for clip in self.encodings.clips])
        network = recipe(run.config).predict(trained(run), test)
        voice = head.voice(self.encodings.where(tested).statistics)
        return self.sum(network, voice, head), list(test.clips)

    def _fit_head(self, mask: Sequence[bool] | NDArray[np.bool_]) -> Head:
        """A head fitted to the utterances where a mask is True, and to the extra ones."""
        return fit_head(self.encodings.where(mask), self.config, self.extra_encodings)

    def _read(self, corpora: Sequence[str], takes: int) -> Utterances:
        """Whole utterances, clean and in a number of degraded takes."""
        clips = [clip for name in corpora for clip in self._catalogue.read(name).clips]
        config = self.run_config
        return load_utterances(
            clips, config.features, config.gate, data=self._data, cache=self._cache, takes=takes
        )

    def _newest(self, whole: Utterances) -> Utterances:
        """Their newest frames, which encoder and network use."""
        return whole.newest(self.run_config.window_frames, self.newest)

    def _encodings(self, whole: Utterances) -> Encodings:
        """Statistics of the newest frames of each take, and of the starts of the clean ones."""
        newest = self._newest(whole)
        starts = whole.starts([self._frames(seconds) for seconds in START_SECONDS])
        degraded = self._statistics(newest, 1) if len(whole.takes[0]) > 1 else None
        return Encodings(
            whole.clips, self._statistics(newest, 0), degraded, self._statistics(starts, 0)
        )

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

        return np.concatenate(cached_frames(file, compute))


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
