"""From clips to utterances: log-mel frames of their speech, clean and degraded, cached.

The frames come from ``live_ser.frontend.features`` and are cut to their speech by the runtime's
own gate, so that the network is trained on the numbers that it hears live.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

from live_ser.frontend.features import Frames, log_mel
from live_ser.frontend.gate import frame_range, speech_mask
from live_ser.spec import FeatureSpec, GateSpec
from training.corpora.clips import Clip
from training.data.degrade import Surroundings, degrade, read_surroundings
from training.data.features import FeatureConfig
from training.data.frame_cache import kept_frames, sizes
from training.data.sound import read_sound
from training.data.utterances import Utterances

_EDITION = 2  # counts up where other frames come of the same settings: the gate hears shouts now


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
    takes_of: dict[str, tuple[Frames, ...]] = {}
    for corpus in sorted({clip.corpus for clip in clips}):
        members = [clip for clip in clips if clip.corpus == corpus]
        for take in range(takes + 1):
            key = _key(members, features, gate, take, around if take else [])
            file = cache / f"{corpus}-{take}-{key}.npz"
            compute = partial(_compute, members, features, gate, data, take=take, workers=workers)
            for clip, one in zip(members, kept_frames(file, compute), strict=True):
                takes_of[clip.id] = (*takes_of.get(clip.id, ()), one)
    return Utterances(tuple(clips), tuple(takes_of[clip.id] for clip in clips))


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
    samples = read_sound(clip.path, spec.sample_rate)
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


def _noises(data: Path) -> list[tuple[str, int]]:
    """Names and sizes of the noises and impulse responses for degraded takes."""
    files = (path for path in (data / "noise").rglob("*") if path.is_file())
    return sorted((path.name, path.stat().st_size) for path in files)
