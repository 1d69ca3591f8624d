"""Which decoder reads a file: by what its data are, whatever its name and its header say."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from live_ser.decoder import Decoder
from live_ser.ffmpeg import FfmpegDecoder
from live_ser.sndfile import SndfileDecoder


def decoder_of(path: Path, file: BinaryIO) -> Decoder:
    """The decoder of a sound file.

    Args:
        path: of the file.
        file: the same, open; it raises nothing, and stays open.

    Raises:
        LiveSerError: nothing decodes it.
    """
    import soundfile

    try:
        return SndfileDecoder(file)
    except (soundfile.LibsndfileError, TypeError, OSError):
        return FfmpegDecoder(path)
