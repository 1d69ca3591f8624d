"""Sound without a header is heard as it is said to be, and is not guessed at."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.audio.raw_sound import RawFormat
from live_ser.audio.reading import USUAL, Reading
from live_ser.audio.sources import audio_file
from live_ser.errors import LiveSerError
from tests.support.command import live_ser, records

SUBTYPES = {
    "s16le": "PCM_16",
    "s24le": "PCM_24",
    "s32le": "PCM_32",
    "f32le": "FLOAT",
    "u8": "PCM_U8",
    "mulaw": "ULAW",
    "alaw": "ALAW",
}


def headerless(samples: Samples, encoding: str) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, 8000, SUBTYPES[encoding], format="RAW", endian="LITTLE")
    return stream.getvalue()


def heard(path: Path, rate: int, reading: Reading = USUAL) -> Samples:
    with audio_file(path, rate, reading) as blocks:
        return np.concatenate(list(blocks))


@pytest.mark.parametrize("encoding", SUBTYPES)
def test_every_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    samples = np.linspace(-0.99, 0.99, 20000).reshape(-1, 2).astype(np.float32)
    path = tmp_path / "sound.bin"
    path.write_bytes(headerless(samples, encoding) + b"\0")  # torn in the middle of a frame
    wav = tmp_path / "sound.wav"
    soundfile.write(wav, samples, 8000, SUBTYPES[encoding])
    expected, _ = soundfile.read(wav, dtype="float32")
    for channel in (1, 2):
        reading = Reading(channel=channel, raw=RawFormat(encoding, 8000, 2))
        np.testing.assert_array_equal(heard(path, 8000, reading), expected[:, channel - 1])


@pytest.mark.parametrize(
    ("ending", "encoding"),
    [(".ul", "mulaw"), (".ulaw", "mulaw"), (".al", "alaw"), (".ALAW", "alaw")],
)
def test_a_telephone_is_known_by_its_ending(tmp_path: Path, ending: str, encoding: str) -> None:
    tone = (0.5 * np.sin(np.arange(16000) * 0.2)).astype(np.float32)
    path = tmp_path / f"call{ending}"
    path.write_bytes(headerless(tone, encoding))
    np.testing.assert_allclose(heard(path, 8000), tone, atol=0.02)


@pytest.mark.parametrize("name", ["a.pcm", "a.raw", "a.S16LE"])
def test_what_has_no_header_is_refused_with_the_option_that_says_it(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(headerless(np.sin(np.arange(16000) * 0.2).astype(np.float32), "s16le"))
    with pytest.raises(LiveSerError) as caught:
        heard(path, 8000)
    assert "`raw=RawFormat('s16le', rate=8000, channels=1)`" in caught.value.hint


def test_a_header_counts_for_more_than_the_ending(tmp_path: Path) -> None:
    tone = np.sin(np.arange(16000) * 0.2).astype(np.float32) / 2
    path = tmp_path / "call.raw"
    soundfile.write(path, tone, 16000, format="WAV", subtype="FLOAT")
    np.testing.assert_array_equal(heard(path, 16000), tone)


def test_the_options_of_the_command_line(tmp_path: Path, tiny_model: Path, speech: Path) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path / "speech.pcm"
    path.write_bytes(headerless(samples, "s16le"))
    raw = ["--raw", "s16le", "--rate", rate, "--channels", "1"]
    common = ["--model", tiny_model, "--format", "jsonl"]
    run = live_ser("file", *common, *map(str, raw), path)
    (clip,) = records(run.stdout)
    (expected,) = records(live_ser("file", *common, speech).stdout)
    assert clip["duration"] == expected["duration"]
    assert clip["label"] == expected["label"]
    for words, said in (
        (["--raw", "s16le"], "without its rate"),
        (["--rate", "8000"], "rate: it says"),
        (["--channels", "2"], "channels: it says"),
        (["--raw", "opus", "--rate", "8000"], "'opus' is not known"),
    ):
        run = live_ser("file", *common, *words, path)
        assert run.returncode in (1, 2)
        assert said in run.stderr
