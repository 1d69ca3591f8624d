"""Writes the encoder and its head, alone or beside a network, as a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray

from live_ser.frontend.features import Frames
from live_ser.spec import BaselineSpec, ModelInfo, pack_matrix
from training.corpora.emotions import LABELS
from training.corpora.licences import licence_of_weights
from training.joined import Joined
from training.networks.calibration import Calibration
from training.networks.encoder import encode
from training.networks.head import OUTPUTS, known_share
from training.networks.joined_graph import FittedHead, joined_graph
from training.networks.model_file import Check, agree, origin, verify, write
from training.networks.pretrained import GE2E
from training.networks.quantization import in_8_bits
from training.networks.session import session
from training.networks.valence import valence_of
from training.recipes.logits import Logits, softmax
from training.recipes.run import Run

_WINDOWS = 12  # number of real windows on which the file is checked
_TOLERANCE = 1e-4  # of probabilities: the kernel sums hundreds of numbers in float32
_TOLERANCE_8_BITS = 1e-3  # the last bit of a float can change how a number is rounded to 8 bits


def export_joined(joined: Joined, path: Path, runs: Sequence[Run]) -> ModelInfo:
    """Calibrate, fit the head to all utterances, and write the model file.

    Args:
        joined: encoder, network and utterances.
        path: path of the file, which is written after all checks.
        runs: runs that left corpora or speakers out, by which the sum with a network is calibrated.

    Returns:
        The metadata of the file.

    Raises:
        LiveSerError: the file does not agree with its parts; nothing is written.
    """
    calibration, figures = joined.calibrate(runs)
    fitted = joined.fit(calibration)
    if joined.network is not None:
        left_out = [run.read_json("splits.json")["name"] for run in runs]
    else:
        left_out = [f"corpora/{name}" for name in joined.corpora if len(joined.corpora) > 1]
    info = _info(joined, path.stem, calibration, _provenance(joined, left_out, figures))
    exact = _Version(joined, fitted, joined.exact, joined.network, _TOLERANCE)
    network = in_8_bits(joined.network, joined.samples()) if joined.network else None
    small = _Version(joined, fitted, joined.encoder, network, _TOLERANCE_8_BITS)
    verify(path, exact.graph(), info, exact.check())
    write(path, small.graph(), info, small.check())
    return info


@dataclass(frozen=True)
class _Version:
    """The parts of a file with weights in float32 or in 8 bits.

    Attributes:
        joined: what the parts were made from.
        fitted: fitted head.
        encoder: encoder in this version.
        network: network in this version; None for the encoder alone.
        tolerance: maximum difference between the file and its parts.
    """

    joined: Joined
    fitted: FittedHead
    encoder: onnx.ModelProto
    network: onnx.ModelProto | None
    tolerance: float

    def graph(self) -> onnx.ModelProto:
        """The graph of the file."""
        return joined_graph(
            self.encoder,
            self.fitted,
            self.network,
            network_voice=self.joined.network_voice,
            n_mels=self.joined.info.features.n_mels,
            newest=self.joined.newest,
        )

    def check(self) -> Check:
        """A check that the file, through live_ser, predicts the same as its parts."""
        run = session(self.network).run if self.network is not None else None
        # Pairs of utterances in a row: some are longer than the frames that the model uses.
        takes = [takes[0] for takes in self.joined.utterances.takes[: _WINDOWS + 1]]
        length = self.joined.run_config.window_frames
        windows = [np.concatenate(pair)[:length] for pair in pairwise(takes)]
        voice_size, head = self.joined.network_voice, self.fitted.head
        calibration = self.fitted.calibration

        def expected(
            window: Frames, baseline: NDArray[np.float32] | None
        ) -> Mapping[str, ArrayLike]:
            assert baseline is not None
            newest = window[-self.joined.newest :]
            of_network, of_head = baseline[:voice_size], baseline[voice_size:]
            network = None
            if run:
                inputs = {"log_mel": newest[np.newaxis], "baseline": of_network[np.newaxis]}
                network = Logits(*run(["emotion", "activation", "voice"], inputs))
            voice = head.voice(encode(self.encoder, [newest])) - of_head
            logits = self.joined.sum(network, voice, head)
            slope, offset = calibration.activation
            gain = 1 + self.fitted.config.surer * known_share(of_head[np.newaxis])
            probabilities = softmax(logits.emotion * gain, calibration.temperature)
            return {
                "probabilities": probabilities[0],
                "activation": 1 / (1 + np.exp(-logits.activation[0] * slope - offset)),
                "valence": valence_of(probabilities.astype(np.float64), calibration.valence)[0],
            }

        return lambda model: agree(model, windows, expected, self.tolerance)


def _info(
    joined: Joined, name: str, calibration: Calibration, provenance: Mapping[str, Any]
) -> ModelInfo:
    """Metadata of the file."""
    size = joined.network_voice + OUTPUTS
    offsets = np.zeros((len(LABELS), size), np.float32)
    if len(calibration.offsets):
        offsets[:] = calibration.offsets
    memory = joined.run_config.baseline.memory
    before = joined.info.provenance
    corpora = {*joined.corpora, *joined.extra}
    corpora |= {*before.get("corpora", ()), *before.get("taught_by", ())}
    return replace(
        joined.info,
        name=name,
        baseline=BaselineSpec(size, joined.config.typical, memory, pack_matrix(offsets.round(3))),
        abstain=calibration.abstain,
        licence=licence_of_weights(corpora),
        provenance=dict(provenance),
    )


def _provenance(
    joined: Joined, left_out: Sequence[str], figures: Mapping[str, float]
) -> dict[str, Any]:
    """Origin of the parts: every corpus that one of them was trained on, and the protocol."""
    before = joined.info.provenance
    extra = joined.extra_encodings.clips if joined.extra_encodings else ()
    clips = [*joined.encodings.clips, *extra]
    counts = {"clips": len(clips), "speakers": len({clip.speaker for clip in clips})}
    learned = [*joined.corpora, *joined.extra]
    head = {**asdict(joined.config), "corpora": learned, **counts}
    corpora = list(dict.fromkeys([*before.get("corpora", ()), *learned]))
    origins: dict[str, Any] = {**before, "corpora": corpora}
    if joined.network is None:
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
        "figures": dict(figures),
        "encoder": {**GE2E.about, "parameters": _count_parameters(joined.encoder)},
        "head": head,
        **origin(),
    }


def _count_parameters(model: onnx.ModelProto) -> int:
    return sum(int(np.prod(one.dims)) for one in model.graph.initializer)
