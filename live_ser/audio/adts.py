"""ADTS (AAC without a container), which does not state its encoder delay."""

from __future__ import annotations

from typing import BinaryIO

from live_ser.audio.mpeg_audio import behind_tags

_DELAY = 1024  # samples: at least a frame, and no more with most encoders
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


def begins_adts(data: bytes) -> bool:
    """Whether data start with the header of an ADTS frame."""
    return len(data) >= 2 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0


def adts_delay(file: BinaryIO) -> float:
    """The encoder delay of an ADTS file in seconds; 0 for any other file.

    Args:
        file: the file.
    """
    file.seek(behind_tags(file, 0, file.seek(0, 2)))
    head = file.read(3)
    if len(head) < 3 or not begins_adts(head):
        return 0.0
    rate = head[2] >> 2 & 15
    return _DELAY / _RATES[rate] if rate < len(_RATES) else 0.0
