"""Which decoder reads a file: by what its data are, whatever its name and its header say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from live_ser.adts import adts_delay
from live_ser.amr import amr_seconds
from live_ser.chain import Chain, Link
from live_ser.chunks import aiff_links, au_links, wav_links
from live_ser.decoder import Decoder
from live_ser.ffmpeg import FfmpegDecoder
from live_ser.flac import flac_links
from live_ser.mpeg_audio import begins_mpeg, mpeg_links
from live_ser.ogg import ogg_links
from live_ser.sndfile import SndfileDecoder

_CONTAINERS: dict[bytes, Callable[[BinaryIO], list[Link]]] = {
    **dict.fromkeys((b"RIFF", b"RF64", b"BW64"), wav_links),
    b"FORM": aiff_links,
    b".snd": au_links,
    b"fLaC": flac_links,
    b"OggS": ogg_links,
}


def decoder_of(path: Path, file: BinaryIO) -> Decoder:
    """The decoder of a sound file.

    Args:
        path: of the file.
        file: the same, open; it raises nothing, and stays open.

    Raises:
        LiveSerError: nothing decodes it.
    """
    import soundfile

    links = _links(file)
    try:
        sound = Chain(file, links) if links else SndfileDecoder(file)
        if sound.frames != 0 and (sound.frames or len(links) > 1):
            return sound
        sound.close()
    except (soundfile.LibsndfileError, TypeError, OSError):
        pass
    cut = any(link.lost_behind for link in links)
    return FfmpegDecoder(path, skip=adts_delay(file), seconds=amr_seconds(file), cut=cut)


def _links(file: BinaryIO) -> list[Link]:
    """The links of a file whose container is read here; none of any other file."""
    file.seek(0)
    magic = file.read(4)
    if magic in _CONTAINERS:
        return _CONTAINERS[magic](file)
    if begins_mpeg(file):
        return mpeg_links(file, 0, file.seek(0, 2))
    return []
