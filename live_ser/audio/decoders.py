"""The choice of a decoder for a file, by its content rather than its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from live_ser.audio.adts import adts_delay
from live_ser.audio.amr import amr_seconds
from live_ser.audio.chunks import aiff_links, au_links, wav_links
from live_ser.audio.concatenated import ConcatenatedDecoder, Link
from live_ser.audio.decoder import Decoder
from live_ser.audio.ffmpeg import FfmpegDecoder
from live_ser.audio.flac import flac_links
from live_ser.audio.mpeg_audio import begins_mpeg, mpeg_links
from live_ser.audio.ogg import ogg_links
from live_ser.audio.raw_sound import RawDecoder, check_has_header, format_of_name
from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.sndfile import SndfileDecoder
from live_ser.audio.tracks import chosen_track
from live_ser.audio.truncation import is_truncated
from live_ser.errors import AudioError

_CONTAINERS: dict[bytes, Callable[[BinaryIO], list[Link]]] = {
    **dict.fromkeys((b"RIFF", b"RF64", b"BW64"), wav_links),
    b"FORM": aiff_links,
    b".snd": au_links,
    b"fLaC": flac_links,
    b"OggS": ogg_links,
}


def decoder_of(path: Path, file: BinaryIO, reading: Reading = USUAL) -> Decoder:
    """The decoder of a sound file.

    Args:
        path: path of the file.
        file: the open file, whose methods raise nothing; it stays open.
        reading: how to read it.

    Raises:
        AudioError: it cannot be decoded, or has no such track.
    """
    if reading.raw is not None:
        return RawDecoder(file, reading.raw)
    links = _links(file)
    decoder = _in_this_process(file, links) or _by_ffmpeg(path, file, links, reading.track)
    if decoder.track is None and (reading.track or 1) > 1:
        decoder.close()
        raise AudioError(f"{path} has no track {reading.track}", "it has one: leave out `track`")
    return decoder


def _in_this_process(file: BinaryIO, links: list[Link]) -> Decoder | None:
    """A decoder that does not need ffmpeg; None if there is none."""
    import soundfile

    try:
        sound = ConcatenatedDecoder(file, links) if links else SndfileDecoder(file)
        if sound.frames != 0 and (sound.frames or len(links) > 1):
            return sound
        sound.close()
    except (soundfile.LibsndfileError, TypeError, OSError):
        pass
    return None


def _by_ffmpeg(path: Path, file: BinaryIO, links: list[Link], wanted: int | None) -> Decoder:
    """The decoder for all other files: ffmpeg, or raw samples without a header."""
    form = format_of_name(path)
    if form is not None:
        return RawDecoder(file, form)
    check_has_header(path)
    track = chosen_track(path, file, wanted)
    decoder = FfmpegDecoder(
        path,
        skip=adts_delay(file),
        seconds=amr_seconds(file),
        cut=any(link.lost_behind for link in links) or is_truncated(file),
        track=track.number,
    )
    decoder.track, decoder.note = track.number if track.several else None, track.note
    return decoder


def _links(file: BinaryIO) -> list[Link]:
    """The links of a file in a container that is parsed here; else empty."""
    file.seek(0)
    magic = file.read(4)
    if magic in _CONTAINERS:
        return _CONTAINERS[magic](file)
    if begins_mpeg(file):
        return mpeg_links(file, 0, file.seek(0, 2))
    return []
