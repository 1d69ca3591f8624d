"""``python -m training.join``: the pretrained encoder beside a trained network, in one file.

The head on the encoder is fitted by itself; the network stays as it is, and both add up. How sure
to be is told by networks that each left something out, with heads that never heard it either.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from tqdm import tqdm

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames
from live_ser.model.onnx_model import EmotionModel
from live_ser.spec import METADATA_KEY, BaselineSpec, ModelInfo, pack_matrix
from training import command
from training.corpora.labels import truth
from training.corpora.readers import LABELS, Clip, read_corpus
from training.data.dataset import load_utterances
from training.data.frame_cache import kept_frames
from training.data.utterances import Utterances
from training.evaluation import metrics
from training.networks.encoder import encode, encoder_graph, in_8_bits, session
from training.networks.graphs import join, network_of
from training.networks.head import ACTIVATION, OUTPUTS, Head, HeadConfig, Heard, fit_head
from training.networks.model_file import TOLERANCE, origin
from training.networks.pretrained import GE2E, load
from training.recipes.calibration import Calibration, calibrate
from training.recipes.config import Config
from training.recipes.logits import Logits
from training.recipes.presets import read_config, recipe
from training.recipes.run import Run
from training.trainer import trained

_WINDOWS = 24  # real ones, on which the file is checked
_ROUNDING = 1e-3  # of probabilities: in 8 bits, the last bit of a float can tip a number over


class Joined:
    """The encoder beside a network, and what both are made from.

    Args:
        path: of the network, as an exported file.
        config: of the head.
        data: folder with a folder per corpus, and the encoder.
        cache: of features and statistics.
    """

    def __init__(self, path: Path, config: HeadConfig, data: Path, cache: Path) -> None:
        self.config = config
        self._data, self._cache = data, cache
        self.info = EmotionModel(path).info
        said = read_config(self.info.provenance.get("config", {}))
        if not isinstance(said, Config) or self.info.labels != LABELS or not self.info.baseline:
            raise LiveSerError(
                f"{path} is no network of the preset {Config.preset} with its seven labels",
                "take a file that python -m training.export wrote",
            )
        self.run_config = replace(said, gate=self.info.gate)
        model = onnx.load(path)
        self.network = network_of(model)
        joined = "encoder" in self.info.provenance
        self.size = self.info.baseline.size - (OUTPUTS if joined else 0)
        self.exact = encoder_graph(load(GE2E, data), self.info.features)
        self.encoder = in_8_bits(self.exact)
        self.utterances = self._read(said.corpora)
        clean, degraded = (self._statistics(take) for take in (0, 1))
        self.heard = Heard(self.utterances.clips, clean, degraded)

    def _read(self, corpora: Sequence[str]) -> Utterances:
        """The utterances of the corpora, clean and in one degraded take."""
        clips = [clip for name in corpora for clip in read_corpus(name, self._data).clips]
        config = self.run_config
        return load_utterances(
            clips, config.features, config.gate, data=self._data, cache=self._cache, takes=1
        )

    def _statistics(self, take: int) -> NDArray[np.float32]:
        """What the encoder makes of a take of them, from the cache where they are in it."""
        digest = hashlib.sha256(self.encoder.SerializeToString())
        most = self.run_config.window_frames
        frames = [takes[take] for takes in self.utterances.takes]
        digest.update(repr([most, *(clip.id for clip in self.utterances.clips)]).encode())
        for one in frames:
            digest.update(one.tobytes())
        file = self._cache / f"encoder-{digest.hexdigest()[:16]}.npz"

        def compute() -> list[Frames]:
            heard = tqdm(frames, "encoder", unit="clip")
            return [row[np.newaxis] for row in encode(self.encoder, heard, most)]

        return np.concatenate(kept_frames(file, compute))

    def calibration(self, runs: Sequence[Run]) -> tuple[Calibration, dict[str, float]]:
        """What networks that left something out, and heads that never heard it, say of that.

        Args:
            runs: with the network's settings; each left some speakers out.

        Returns:
            The mean of their calibrations, and of their figures.
        """
        found: list[Calibration] = []
        figures: list[tuple[int, float, float]] = []
        for run in runs:
            said, clips = self._left_out(run)
            found.append(calibrate(said, clips, self.run_config))
            known, right = truth(clips, LABELS)
            guess = said.emotion[known].argmax(axis=1)
            uar = metrics.uar(right, guess, len(LABELS))
            figures.append((len(right), uar, metrics.accuracy(right, guess)))
        if not figures:
            return Calibration.mean(found), {}
        clips_each, uars, accuracies = zip(*figures, strict=True)
        means = {"uar": np.mean(uars), "accuracy": np.mean(accuracies)}
        rounded = {name: round(float(value), 4) for name, value in means.items()}
        return Calibration.mean(found), {"clips": sum(clips_each), **rounded}

    def _left_out(self, run: Run) -> tuple[Logits, list[Clip]]:
        """The sum's logits and voices of what a run left out."""
        if run.config.kind != self.run_config.kind:
            raise LiveSerError(
                f"{run.folder} hears other features or knows other classes than this network",
                "take runs with the same settings",
            )
        left = set(run.read_json("splits.json")["test"])
        tested = [clip.id in left for clip in self.heard.clips]
        if not any(tested):
            raise LiveSerError(
                f"{run.folder} left no clip out that is in {self._data}",
                "take runs of a corpus left out",
            )
        test = self.utterances.where(tested)
        speakers = {clip.speaker for clip in test.clips}
        head = fit_head(
            self.heard.where([clip.speaker not in speakers for clip in self.heard.clips]),
            self.config,
        )
        network = recipe(run.config).judge(trained(run), test)
        voice = head.voice(self.heard.where(tested).statistics)
        return self._sum(network, voice, head), list(test.clips)

    def _sum(self, network: Logits, voice: NDArray[np.float32], head: Head) -> Logits:
        """Of what a network and a head say, nothing known of the speakers."""
        logits = voice + head.bias
        assert network.voice is not None
        return Logits(
            self.config.share * network.emotion + logits[:, :ACTIVATION],
            self.config.share * network.activation + logits[:, ACTIVATION],
            np.concatenate([network.voice, voice], axis=1),
        )

    def export(self, path: Path, runs: Sequence[Run]) -> ModelInfo:
        """Write network, encoder and head as one file.

        Args:
            path: of the file; it is written last, when everything was found right.
            runs: that tell how sure to be.

        Raises:
            LiveSerError: the file would not do; nothing is written.
        """
        calibration, figures = self.calibration(runs)
        head = fit_head(self.heard, self.config)
        info = self._info(path, calibration, runs, figures)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder, path.name)
            for encoder, tolerance in ((self.exact, TOLERANCE), (self.encoder, _ROUNDING)):
                self._write(part, encoder, head, calibration, info)
                self._check_parity(part, encoder, head, calibration, tolerance)
            os.replace(part, path)
        return info

    def _write(
        self,
        path: Path,
        encoder: onnx.ModelProto,
        head: Head,
        calibration: Calibration,
        info: ModelInfo,
    ) -> None:
        model = join(
            self.network,
            encoder,
            head,
            share=self.config.share,
            temperature=calibration.temperature,
            activation=calibration.activation,
            size=self.size,
            mels=info.features.n_mels,
        )
        entry = model.metadata_props.add()
        entry.key, entry.value = METADATA_KEY, info.to_json()
        path.write_bytes(model.SerializeToString())

    def _info(
        self, path: Path, calibration: Calibration, runs: Sequence[Run], figures: dict[str, float]
    ) -> ModelInfo:
        assert self.info.baseline is not None
        size = self.size + OUTPUTS
        offsets = np.zeros((len(LABELS), size), np.float32)
        if len(calibration.offsets):
            offsets[:] = calibration.offsets
        baseline = BaselineSpec(
            size, self.config.typical, self.info.baseline.memory, pack_matrix(offsets.round(3))
        )
        before = self.info.provenance
        parameters = int(before["figures"]["parameters"])
        heard = self.heard.clips
        encoder = {**GE2E.about, "parameters": _parameters(self.encoder)}
        names = [run.read_json("splits.json")["name"] for run in runs]
        protocol = ", ".join(names) + ", each by a network and a head trained without it"
        provenance = {
            **before,
            **({"protocol": protocol} if runs else {}),
            "figures": {"epochs": before["figures"]["epochs"], "parameters": parameters, **figures},
            "encoder": encoder,
            "head": {
                **asdict(self.config),
                "clips": len(heard),
                "speakers": len({clip.speaker for clip in heard}),
            },
            **origin(),
        }
        return replace(
            self.info,
            name=path.stem,
            baseline=baseline,
            abstain=calibration.abstain,
            provenance=provenance,
        )

    def _check_parity(
        self,
        file: Path,
        encoder: onnx.ModelProto,
        head: Head,
        calibration: Calibration,
        tolerance: float,
    ) -> None:
        """The file, through live_ser, must say what its parts say."""
        model = EmotionModel(file)
        network = session(self.network)
        windows = [takes[0] for takes in self.utterances.takes[:_WINDOWS]]
        most = self.run_config.window_frames
        voice: NDArray[np.float32] | None = None
        for window in (one[:most] for one in windows):
            known = np.zeros(self.size + OUTPUTS, np.float32) if voice is None else voice
            given = {
                "log_mel": window[np.newaxis],
                "baseline": known[np.newaxis, : self.size],
            }
            names = ["emotion", "activation", "voice"]
            logits = Logits(*network.run(names, given))
            heard = head.voice(encode(encoder, [window], most))
            said = self._sum(logits, heard - known[self.size :], head)
            got = model.judge(window, known)
            slope, offset = calibration.activation
            e = np.exp(said.emotion[0] / calibration.temperature)
            wanted = [*(e / e.sum()), 1 / (1 + np.exp(-said.activation[0] * slope - offset))]
            gap = np.abs(np.subtract([*got.probabilities, got.activation], wanted)).max()
            if not gap <= tolerance:
                raise LiveSerError(
                    f"the file and its parts differ by {gap:.1e} on a real window; "
                    f"{tolerance:.0e} is allowed"
                )
            voice = got.voice


def _parameters(model: onnx.ModelProto) -> int:
    return sum(int(np.prod(one.dims)) for one in model.graph.initializer)


def main() -> None:
    """Join a network with the encoder."""
    parser = argparse.ArgumentParser(prog="python -m training.join", description=__doc__)
    command.add_data(parser)
    parser.add_argument("network", type=Path, help="exported file")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--heard-by",
        action="append",
        type=Path,
        default=[],
        metavar="FOLDER",
        help="a run that left a corpus out: it tells how sure to be; of several, the means",
    )
    parser.add_argument("--cache", type=Path, default=Path(".cache/features"), metavar="FOLDER")
    for name, value in asdict(HeadConfig()).items():
        parser.add_argument(f"--{name}", type=float, default=value, help=f"(default: {value:g})")
    given = parser.parse_args()
    config = HeadConfig(**{name: getattr(given, name) for name in asdict(HeadConfig())})
    runs = [Run.open(folder) for folder in given.heard_by]
    info = Joined(given.network, config, given.data, given.cache).export(given.output, runs)
    print(f"{given.output}: {info.name}, {len(info.labels)} labels", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(command.run(main))
