"""The article's augmentation of a clip: as recorded, with noise, and at a higher pitch.

Without Keras: each process that computes takes would wait for it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from tqdm import tqdm

from live_ser.errors import LiveSerError
from live_ser.frontend.features import Frames, log_mel
from live_ser.spec import FeatureSpec
from training.corpora.clips import Clip
from training.data.sound import read_sound
from training.recipes.config import ArticleConfig

_WORKERS = 2


def compute_take(clips: Sequence[Clip], config: ArticleConfig, take: int) -> list[Frames]:
    """One take of every clip, as :func:`hear` has it."""
    one = partial(hear, config=config, spec=config.features.spec(), take=take)
    # Not forked: a process with TensorFlow's threads in it cannot be.
    with ProcessPoolExecutor(_WORKERS, get_context("spawn")) as pool:
        return list(tqdm(pool.map(one, clips, chunksize=8), f"take {take}", len(clips)))


def hear(clip: Clip, config: ArticleConfig, spec: FeatureSpec, take: int = 0) -> Frames:
    """One take of a clip: 0 as recorded, then the noisy copies, then the pitched one.

    Returns:
        float32 ``[frames, mels]`` in dB re full scale; no frame where the clip gets no such copy.
    """
    rate = spec.sample_rate
    samples = read_sound(clip.path, rate)
    if len(samples) < spec.n_fft:
        raise LiveSerError(f"{clip.path} is shorter than one frame", "remove it from the corpus")
    start = min(round(config.offset * rate), len(samples) - spec.n_fft)
    samples = samples[start : start + round(config.window * rate)]
    rng = np.random.default_rng([take, zlib.crc32(clip.id.encode())])
    if 1 <= take <= config.noisy_copies:
        samples = samples + config.noise * rng.standard_normal(len(samples), np.float32)
    elif take:
        if rng.random() >= config.pitched_share:
            return np.zeros((0, spec.n_mels), np.float32)
        from librosa.effects import pitch_shift  # it takes seconds to compile itself

        samples = pitch_shift(samples, sr=rate, n_steps=config.pitch)
    return log_mel(samples, spec)
