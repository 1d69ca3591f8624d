"""The article's augmentation of a clip: as recorded, with noise, and at a higher pitch.

This module does not import Keras, for which each process that computes takes would wait.
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
from live_ser.frontend.dc_blocker import block_dc
from live_ser.frontend.features import Frames, log_mel
from live_ser.spec import FeatureSpec
from training.corpora.clips import Clip
from training.data.sound import read_sound
from training.recipes.config import ArticleConfig

_WORKERS = 2


def compute_take(clips: Sequence[Clip], config: ArticleConfig, take: int) -> list[Frames]:
    """One take of every clip; see :func:`take_frames`."""
    one = partial(take_frames, config=config, spec=config.features.spec(), take=take)
    # Not forked: a process with TensorFlow's threads in it cannot be.
    with ProcessPoolExecutor(_WORKERS, get_context("spawn")) as pool:
        return list(tqdm(pool.map(one, clips, chunksize=8), f"take {take}", len(clips)))


def take_frames(clip: Clip, config: ArticleConfig, spec: FeatureSpec, take: int = 0) -> Frames:
    """The log-mel frames of a take of a clip.

    Args:
        clip: the clip.
        config: settings of the run.
        spec: specification of the frames.
        take: 0 is as recorded; then follow the noisy copies, and the one at a higher pitch.

    Returns:
        float32 ``[frames, mels]`` in dB re full scale; no frames if the clip has no such copy.

    Raises:
        LiveSerError: the clip is shorter than a frame.
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
    return log_mel(block_dc(samples, rate), spec)
