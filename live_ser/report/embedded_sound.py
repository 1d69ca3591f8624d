"""Sound embedded in a page, with its waveform."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.sources import audio_file
from live_ser.errors import LiveSerError, unreadable
from live_ser.report.overview import Overview, extremes

_AUDIO_BYTES = 128 * 2**20  # at most
_PLAYED = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg"}
_FLAC_RATE = 44100
_WAVEFORM_RATE = 8000
_COLUMNS = 4000  # more than a page has pixels


@dataclass(frozen=True)
class Waveform:
    """The lowest and highest sample of each column.

    Attributes:
        step: seconds per column.
        low: lowest samples, full scale at -1.
        high: highest samples, full scale at 1.
    """

    step: float
    low: list[float]
    high: list[float]

    def to_dict(self) -> dict[str, Any]:
        """All attributes by name, as JSON types."""
        return vars(self)


@dataclass(frozen=True)
class EmbeddedSound:
    """A recording embedded in a page.

    Attributes:
        address: its ``data:`` URL.
        waveform: its waveform.
        seconds: its length.
    """

    address: str
    waveform: Waveform
    seconds: float


def embedded(path: Path, reading: Reading) -> EmbeddedSound:
    """Embed a recording; formats that browsers do not play are converted to FLAC.

    Raises:
        LiveSerError: it cannot be read, or is too large.
    """
    return EmbeddedSound(_address(path, reading), *_waveform(path, reading))


def player(sound: EmbeddedSound) -> str:
    """The player, as HTML."""
    return f'<audio id="player" controls preload="metadata" src="{sound.address}"></audio>'


def _waveform(path: Path, reading: Reading) -> tuple[Waveform, float]:
    """The waveform of a recording, and its seconds."""
    samples_read = 0
    overview = Overview(extremes, 2, max_columns=_COLUMNS, step=64)
    with audio_file(path, _WAVEFORM_RATE, replace(reading, partial=True)) as blocks:
        for samples in blocks:
            overview.push(samples[:, None].repeat(2, axis=1))
            samples_read += len(samples)
    low, high = overview.columns().round(3).T.tolist()
    waveform = Waveform(overview.step / _WAVEFORM_RATE, low, high)
    return waveform, samples_read / _WAVEFORM_RATE


def _address(path: Path, reading: Reading) -> str:
    """The ``data:`` URL of a recording."""
    import soundfile

    kind = _PLAYED.get(path.suffix.lower()) if reading == USUAL else None
    try:
        data = path.read_bytes() if kind else _as_flac(path, reading)
        if kind:
            soundfile.info(io.BytesIO(data))
    except OSError as error:
        raise unreadable(path, error, LiveSerError) from error
    except (soundfile.LibsndfileError, ValueError) as error:
        raise LiveSerError(f"cannot read {path} as sound", "give WAV, FLAC, OGG or MP3") from error
    if len(data) > _AUDIO_BYTES:
        raise LiveSerError(
            f"{path} is too large to travel inside a page: {len(data) / 2**20:.0f} MB, "
            f"at most {_AUDIO_BYTES / 2**20:.0f}",
            "leave out `audio`, or give a compressed copy (OGG, MP3)",
        )
    return f"data:{kind or 'audio/flac'};base64,{base64.b64encode(data).decode()}"


def _as_flac(path: Path, reading: Reading) -> bytes:
    """A recording as FLAC, mono."""
    import soundfile

    stream = io.BytesIO()
    with (
        audio_file(path, _FLAC_RATE, replace(reading, partial=True)) as blocks,
        soundfile.SoundFile(stream, "w", _FLAC_RATE, 1, "PCM_16", format="FLAC") as flac,
    ):
        for samples in blocks:
            flac.write(samples)
    return stream.getvalue()
