"""From clips to utterances: log-mel frames of their speech, clean and degraded, cached.

The frames are computed and cut to their speech by ``live_ser.frontend``, so that the network is
trained on the same numbers that it gets at run time.
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

from live_ser.frontend.dc_blocker import block_dc
from live_ser.frontend.features import Frames, log_mel
from live_ser.frontend.gate import frame_range, speech_mask
from live_ser.spec import FeatureSpec, GateSpec
from training.corpora.clips import Clip
from training.data.degrade import Surroundings, degrade, read_surroundings
from training.data.features import FeatureConfig
from training.data.frame_cache import cached_frames, sizes
from training.data.sound import read_sound
from training.data.utterances import Utterances

_VERSION = 4  # increased when the same settings give other frames, as when the gate changes


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
    """Log-mel frames of the clips' speech, from the cache if they are there.

    Args:
        clips: the clips.
        features: settings of the features.
        gate: settings of the speech gate.
        data: folder with ``noise``, for degraded takes.
        cache: folder of the cache; the names in it are hashes of everything that decides the
            content.
        takes: number of degraded takes of each clip.
        workers: number of processes.
    """
    around = _noises(data)
    takes_of: dict[str, tuple[Frames, ...]] = {}
    for corpus in sorted({clip.corpus for clip in clips}):
        members = [clip for clip in clips if clip.corpus == corpus]
        for take in range(takes + 1):
            key = _key(members, features, gate, take, around if take else [])
            file = cache / f"{corpus}-{take}-{key}.npz"
            compute = partial(_compute, members, features, gate, data, take=take, workers=workers)
            for clip, one in zip(members, cached_frames(file, compute), strict=True):
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
    # The speech is found in the clean recording, also for takes that are drowned in noise.
    mask = speech_mask(samples, spec.sample_rate, gate)
    if take:
        rng = np.random.default_rng([take, zlib.crc32(clip.id.encode())])
        samples = degrade(samples, spec.sample_rate, around, rng)
    samples = block_dc(samples, spec.sample_rate)
    # Padded, so that the shortest clip has a frame, too.
    frames = log_mel(np.pad(samples, (0, max(0, spec.n_fft - len(samples)))), spec)
    if not gate.trim:
        return frames
    first, last = frame_range(mask, spec.hop_length / spec.sample_rate, len(frames))
    # A clip without detected speech is used whole: according to the corpus, it contains speech.
    return frames[first:last] if last - first >= 10 else frames


def _key(
    clips: Sequence[Clip],
    features: FeatureConfig,
    gate: GateSpec,
    take: int,
    around: Sequence[tuple[str, int]],
) -> str:
    gate = replace(gate, min_speech=0, onset=0)  # they affect no frame
    content = json.dumps([_VERSION, sizes(clips), asdict(features), asdict(gate), take, around])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _noises(data: Path) -> list[tuple[str, int]]:
    """Names and sizes of the noises and impulse responses for degraded takes."""
    files = (path for path in (data / "noise").rglob("*") if path.is_file())
    return sorted((path.name, path.stat().st_size) for path in files)
