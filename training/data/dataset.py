"""Clips as the network meets them: log-mel frames of their speech, cached, and batches of them.

The frames come from ``live_ser.frontend.features`` and are cut to their speech by the runtime's
own gate, so that the network is trained on the numbers that it hears live.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soundfile
import soxr
from librosa.filters import mel as mel_filters
from numpy.typing import NDArray
from tqdm import tqdm

from live_ser.audio.blocks import Samples
from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames, log_mel
from live_ser.frontend.gate import frame_range, speech_mask
from live_ser.spec import FeatureSpec, GateSpec, pack_matrix
from training.corpora.readers import Clip
from training.data.augment import Surroundings, degrade, read_surroundings

_EDITION = 2  # counts up where other frames come of the same settings: the gate hears shouts now


@dataclass(frozen=True)
class FeatureConfig:
    """Features to train on; what a :class:`FeatureSpec` is made from."""

    sample_rate: int = 16_000
    n_fft: int = 512
    win_length: int = 400
    hop_length: int = 160
    n_mels: int = 64
    fmin: float = 50.0
    fmax: float = 8_000.0
    amin: float = 1e-10

    def spec(self) -> FeatureSpec:
        """The specification, with its filter bank."""
        basis = mel_filters(
            sr=self.sample_rate,
            n_fft=self.n_fft,
            n_mels=self.n_mels,
            fmin=self.fmin,
            fmax=self.fmax,
        )
        return FeatureSpec(**asdict(self), mel_basis=pack_matrix(basis.astype(np.float32)))


@dataclass(frozen=True)
class Utterances:
    """The speech of many clips.

    Attributes:
        clips: what they are.
        takes: for each clip its log-mel frames, float32 ``[n, mels]`` in dB: first as recorded,
            then as degraded.
    """

    clips: tuple[Clip, ...]
    takes: tuple[tuple[Frames, ...], ...]

    def where(self, keep: Sequence[bool] | NDArray[np.bool_]) -> Utterances:
        """Those of them that are kept."""
        chosen = np.flatnonzero(keep)
        return Utterances(
            tuple(self.clips[i] for i in chosen), tuple(self.takes[i] for i in chosen)
        )

    def __len__(self) -> int:
        return len(self.clips)


def read_mono(path: Path, rate: int) -> Samples:
    """A sound file as float32 ``[n]``, the mean of its channels, at ``rate``.

    Raises:
        LiveSerError: it cannot be read.
    """
    try:
        samples, own_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise LiveSerError(
            f"cannot read {path}: {error}", "leave it out, or get it anew"
        ) from error
    mono = samples.mean(axis=1)
    return mono if own_rate == rate else np.asarray(soxr.resample(mono, own_rate, rate))


def load_utterances(
    clips: Sequence[Clip],
    features: FeatureConfig,
    gate: GateSpec,
    *,
    data: Path,
    cache: Path,
    takes: int = 0,
    workers: int = 2,
) -> Utterances:
    """Log-mel frames of the clips' speech, from the cache where they are in it.

    Args:
        clips: what to read.
        features: what to compute.
        gate: when sound counts as speech.
        data: folder with ``noise``, for the degraded takes.
        cache: folder of the cache; an entry is keyed by all that decides its content.
        takes: degraded takes of each clip, beside the one as recorded.
        workers: processes.
    """
    around = _noises(data)
    found: dict[str, tuple[Frames, ...]] = {}
    for corpus in sorted({clip.corpus for clip in clips}):
        members = [clip for clip in clips if clip.corpus == corpus]
        for take in range(takes + 1):
            key = _key(members, features, gate, take, around if take else [])
            file = cache / f"{corpus}-{take}-{key}.npz"
            compute = partial(_compute, members, features, gate, data, take=take, workers=workers)
            for clip, one in zip(members, kept_frames(file, compute), strict=True):
                found[clip.id] = (*found.get(clip.id, ()), one)
    return Utterances(tuple(clips), tuple(found[clip.id] for clip in clips))


def _compute(
    clips: Sequence[Clip],
    features: FeatureConfig,
    gate: GateSpec,
    data: Path,
    *,
    take: int,
    workers: int,
) -> list[Frames]:
    around = read_surroundings(data, features.sample_rate) if take else Surroundings()
    one = partial(_speech_frames, spec=features.spec(), gate=gate, around=around, take=take)
    what = f"{clips[0].corpus}, take {take}" if take else clips[0].corpus
    # Not forked: a process with TensorFlow's threads in it cannot be.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return list(tqdm(pool.map(one, clips, chunksize=16), what, len(clips), unit="clip"))


def _speech_frames(
    clip: Clip, *, spec: FeatureSpec, gate: GateSpec, around: Surroundings, take: int
) -> Frames:
    samples = read_mono(clip.path, spec.sample_rate)
    # The clean recording tells where the speech is, also for the takes drowned in noise.
    mask = speech_mask(samples, spec.sample_rate, gate)
    if take:
        rng = np.random.default_rng([take, zlib.crc32(clip.id.encode())])
        samples = degrade(samples, spec.sample_rate, around, rng)
    # Something is heard of the shortest clip.
    frames = log_mel(np.pad(samples, (0, max(0, spec.n_fft - len(samples)))), spec)
    if not gate.trim:
        return frames
    first, last = frame_range(mask, spec.hop_length / spec.sample_rate, len(frames))
    # A clip in which the gate hears nothing is kept whole: there is speech in it, says the corpus.
    return frames[first:last] if last - first >= 10 else frames


def _key(
    clips: Sequence[Clip],
    features: FeatureConfig,
    gate: GateSpec,
    take: int,
    around: Sequence[tuple[str, int]],
) -> str:
    hears = asdict(replace(gate, min_speech=0, onset=0))  # they decide about no frame
    content = json.dumps([_EDITION, sizes(clips), asdict(features), hears, take, around])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def sizes(clips: Sequence[Clip]) -> list[tuple[str, int]]:
    """What tells clips from others of the same names, without reading them all."""
    return [(clip.id, clip.path.stat().st_size) for clip in clips]


def _noises(data: Path) -> list[tuple[str, int]]:
    """What degraded takes are heard through and with."""
    files = (path for path in (data / "noise").rglob("*") if path.is_file())
    return sorted((path.name, path.stat().st_size) for path in files)


def kept_frames(file: Path, compute: Callable[[], Sequence[Frames]]) -> list[Frames]:
    """The frames of a file of the cache; they are computed and written where it isn't there.

    They are read back then: who computes them hears the very numbers that others will.
    """
    frames = read_frames(file)
    if frames is None:
        write_frames(file, compute())
        frames = read_frames(file)
    assert frames is not None
    return frames


def read_frames(file: Path) -> list[Frames] | None:
    """The frames that :func:`write_frames` kept; ``None`` where there is no such file, or half."""
    try:
        with np.load(file) as stored:
            frames = stored["frames"].astype(np.float32)
            return np.split(frames, np.cumsum(stored["lengths"])[:-1])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write_frames(file: Path, frames: Sequence[Frames]) -> None:
    """Keep log-mel frames of many clips in one file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.npz")
    # Half precision is 0.06 dB at worst, far under what a microphone tells apart.
    np.savez(
        part, frames=np.concatenate(frames).astype(np.float16), lengths=[len(one) for one in frames]
    )
    part.replace(file)


def batches_by_length(
    frames: Sequence[Frames], most: int, size: int = 64, step: int = 8
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Whole utterances in batches of one length: no padding, which the runtime has none of either.

    Args:
        frames: float32 ``[n, mels]`` each.
        most: frames taken of each at most, from its middle.
        size: utterances in a batch at most.
        step: lengths are cut to a multiple of this, so that batches fill.

    Yields:
        Indices ``[batch]`` and frames ``[batch, length, mels]``.
    """
    lengths = np.array([max(step, min(len(one), most) // step * step) for one in frames])
    for length in np.unique(lengths):
        members = np.flatnonzero(lengths == length)
        for part in np.array_split(members, -(-len(members) // size)):
            yield part, np.stack([_middle(frames[i], int(length)) for i in part])


def _middle(frames: Frames, length: int) -> Frames:
    if len(frames) < length:
        return np.resize(frames, (length, frames.shape[1]))
    start = (len(frames) - length) // 2
    return frames[start : start + length]
