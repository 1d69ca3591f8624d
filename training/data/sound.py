"""Sound files, read as the runtime reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from live_ser.audio.blocks import Samples
from live_ser.audio.sources import audio_file


def read_sound(path: Path, rate: int) -> Samples:
    """Read a whole sound file.

    Args:
        path: path of the file.
        rate: sample rate of the result in Hz; the sound is resampled if necessary.

    Returns:
        float32 ``[n]``, the mean of its channels.

    Raises:
        LiveSerError: it cannot be read.
    """
    with audio_file(path, rate) as blocks:
        return np.concatenate(list(blocks))
