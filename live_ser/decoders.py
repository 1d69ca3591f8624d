"""Which decoder reads a file: by what its data are, whatever its name and its header say."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from live_ser.chain import Chain, Link
from live_ser.decoder import Decoder
from live_ser.ffmpeg import FfmpegDecoder
from live_ser.mpeg_audio import begins_mpeg, mpeg_links
from live_ser.ogg import ogg_links
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
        if links := _links(file):
            return Chain(file, links)
        sound = SndfileDecoder(file)
        if sound.frames:
            return sound
        sound.close()
        return FfmpegDecoder(path)
    except (soundfile.LibsndfileError, TypeError, OSError):
        return FfmpegDecoder(path)


def _links(file: BinaryIO) -> list[Link]:
    """The links of a file whose container is read here; none of any other file."""
    file.seek(0)
    magic = file.read(4)
    if magic == b"OggS":
        return ogg_links(file)
    if begins_mpeg(file):
        return mpeg_links(file, 0, file.seek(0, 2))
    return []
