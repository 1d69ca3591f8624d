"""Sound of several channels is heard whole, also where they are out of phase."""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import live_ser
from live_ser.audio.arrays import ArraySound
from live_ser.audio.blocks import Gap, Samples
from live_ser.audio.channels import Downmix
from live_ser.audio.clipping import CLIPPED
from live_ser.audio.raw_sound import RawFormat
from live_ser.audio.reading import Reading
from live_ser.audio.sources import audio_file, microphone, replay
from live_ser.errors import InvalidArgument, LiveSerError
from tests.support.command import live_ser as command_line
from tests.support.scripted_microphone import ScriptedMicrophone, in_blocks

RATE = 16000


@pytest.fixture
def voice(speech: Path) -> Samples:
    samples, rate = soundfile.read(speech, dtype="float32")
    return np.ascontiguousarray(samples[:: rate // RATE][: 7 * RATE])


def mixed(block: Samples, *cuts: int, channel: int | None = None) -> Samples:
    """The mono sound of a block that comes in pieces."""
    mix = Downmix(block.shape[1], RATE, channel)
    pieces = [mix.push(block[a:b]) for a, b in pairwise([0, *cuts, len(block)])]
    return np.concatenate([*pieces, mix.finish()])


def same(mono: Samples) -> Samples:
    return np.stack([mono, mono], axis=1)


def inverted(mono: Samples) -> Samples:
    return np.stack([mono, -mono], axis=1)


def one_talks_on_each(mono: Samples) -> Samples:
    half = len(mono) // 2
    first, second = mono.copy(), mono.copy()
    first[half:] = second[:half] = 0
    return np.stack([first, second], axis=1)


def a_moment_apart(mono: Samples) -> Samples:
    return np.stack([mono, np.roll(mono, 12)], axis=1)  # 25 cm


def only_one_of_eight(mono: Samples) -> Samples:
    return np.pad(mono[:, np.newaxis], ((0, 0), (5, 2)))


@pytest.mark.parametrize("place", [same, one_talks_on_each, a_moment_apart, only_one_of_eight])
def test_channels_that_do_not_cancel_are_averaged(
    voice: Samples, place: Callable[[Samples], Samples]
) -> None:
    stereo = place(voice)
    np.testing.assert_allclose(mixed(stereo), stereo.mean(axis=1, dtype=np.float32), atol=1e-7)


@pytest.mark.parametrize("seconds", [0, 10, 100])
def test_channels_out_of_phase_are_heard_from_the_first_word_on(
    voice: Samples, seconds: int
) -> None:
    """However long the silence before it, in which there is nothing to be seen but noise."""
    noise = np.random.default_rng(0).normal(0, 1e-4, (seconds * RATE + len(voice), 2))
    stereo = noise.astype(np.float32)
    stereo[seconds * RATE :] += inverted(voice)
    heard = mixed(stereo)[seconds * RATE :]
    lost = min(np.sum((heard - voice) ** 2), np.sum((heard + voice) ** 2))
    assert lost < 1e-3 * np.sum(voice**2)


def test_the_louder_channel_is_heard(voice: Samples) -> None:
    stereo = np.stack([0.9 * voice, -voice], axis=1)
    np.testing.assert_array_equal(mixed(stereo)[voice != 0], -voice[voice != 0])


def test_what_is_heard_changes_once_where_the_phase_does(voice: Samples) -> None:
    """A cable that is plugged in anew, while somebody speaks."""
    noise = np.random.default_rng(0).normal(0, 3e-3, (3 * len(voice), 2)).astype(np.float32)
    stereo = np.concatenate([same(voice), inverted(voice), same(voice)]) + noise
    is_mean = np.isclose(mixed(stereo), stereo.mean(axis=1), atol=1e-6)
    frames = is_mean.reshape(-1, RATE // 50).mean(axis=1) > 0.5
    loud = np.square(stereo[:, 0]).reshape(len(frames), -1).mean(axis=1) > 1e-3
    third = len(frames) // 3
    for begin, mean_is_heard in ((0, True), (third, False), (2 * third, True)):
        agree = frames[begin : begin + third][loud[begin : begin + third]] == mean_is_heard
        assert agree.mean() > 0.9
    assert np.count_nonzero(np.diff(frames[loud])) == 2


def test_blocks_of_any_size_give_the_same_sound(voice: Samples) -> None:
    stereo = np.concatenate([same(voice), inverted(voice)])
    whole = mixed(stereo)
    for size in (1, 7, 320, 1000, 50000):
        part = stereo[: 20000 if size == 1 else None]
        pieces = mixed(part, *range(size, len(part), size))
        np.testing.assert_array_equal(pieces[:19000], whole[:19000])
        if size > 1:
            np.testing.assert_array_equal(pieces, whole)


def test_a_file_its_replay_a_microphone_and_an_array_agree(voice: Samples, tmp_path: Path) -> None:
    path = tmp_path / "inverted.wav"
    stereo = inverted(voice[: 4 * RATE])
    soundfile.write(path, stereo, RATE, subtype="FLOAT")
    with audio_file(path, RATE) as blocks:
        file = np.concatenate(list(blocks))
        (note,) = blocks.notes
    assert "channel 1" in note
    assert np.abs(file).max() == np.abs(stereo).max()
    with replay(path, RATE, speed=0) as blocks:
        np.testing.assert_array_equal(np.concatenate(list(blocks)), file)
        assert list(blocks.notes) == [note]
    held = ArraySound(stereo, RATE, RATE)
    array = np.concatenate(list(held))
    assert "channel 1" in held.notes[0]
    np.testing.assert_array_equal(array, file)
    scripted = ScriptedMicrophone(RATE, in_blocks(stereo, RATE))
    with microphone(None, RATE, opener=scripted) as mic:
        heard, samples = [], 0
        for block in mic:
            assert isinstance(block, np.ndarray)
            heard.append(block)
            if (samples := samples + len(block)) >= 3 * RATE:
                break
        assert "channel 1" in "".join(mic.notes)
    np.testing.assert_array_equal(np.concatenate(heard)[: 3 * RATE], file[: 3 * RATE])


def too_loud(mono: Samples, by_db: float) -> Samples:
    return np.asarray(np.clip(mono / np.abs(mono).max() * 10 ** (by_db / 20), -1, 1))


@pytest.mark.parametrize(("by_db", "is_clipped"), [(0, False), (3, False), (20, True)])
def test_clipped_sound_is_told_of_by_every_way_in(
    voice: Samples, tmp_path: Path, by_db: float, *, is_clipped: bool
) -> None:
    expected = [CLIPPED] * is_clipped
    sound = too_loud(voice, by_db)
    path = tmp_path / "loud.wav"
    soundfile.write(path, sound, RATE)
    for stereo in (sound, np.stack([np.zeros_like(sound), sound], axis=1)):
        array = ArraySound(stereo, RATE, RATE)
        assert [*array]
        assert [note.removeprefix("sound: ") for note in array.notes] == expected
    for opened in (audio_file(path, RATE), replay(path, RATE, speed=0)):
        with opened as file:
            assert [*file]
            assert [note.split(": ", 1)[1] for note in file.notes] == expected
    script = ScriptedMicrophone(RATE, in_blocks(sound, RATE))
    with microphone(None, RATE, opener=script, reconnect=False) as mic:
        seen = 0
        for heard in mic:
            seen += len(heard) if not isinstance(heard, Gap) else 0
            if seen >= 4 * RATE:
                break
        assert [note.split(": ", 1)[1] for note in mic.notes] == expected
    said = command_line("file", path)
    assert (CLIPPED in said.stderr) == is_clipped


def test_a_channel_is_chosen(voice: Samples) -> None:
    stereo = np.stack([voice, np.roll(voice, 5000)], axis=1)
    for channel in (1, 2):
        np.testing.assert_array_equal(mixed(stereo, 999, channel=channel), stereo[:, channel - 1])
    with pytest.raises(LiveSerError, match="no channel 3 in 2 channels"):
        Downmix(2, RATE, 3)


def test_python_hears_a_channel_and_is_warned_where_channels_cancel(
    voice: Samples, tmp_path: Path, tiny_model: Path
) -> None:
    model = live_ser.load(tiny_model)
    path = tmp_path / "inverted.wav"
    soundfile.write(path, inverted(voice), RATE, subtype="FLOAT")
    expected = model.predict(voice, RATE)
    for sound, rate in ((path, None), (inverted(voice), RATE)):
        with pytest.warns(UserWarning, match="channel 1 is used instead"):
            assert model.predict(sound, rate) == expected
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert model.predict(sound, rate, channel=1) == expected
        with pytest.raises(LiveSerError, match="no channel 3"):
            model.predict(sound, rate, channel=3)


def test_the_channel_that_is_chosen_plays_on_the_page(
    voice: Samples, tmp_path: Path, tiny_model: Path
) -> None:
    path, records = tmp_path / "two.wav", tmp_path / "two.jsonl"
    stereo = one_talks_on_each(voice)
    soundfile.write(path, stereo, RATE)
    words = ["--model", tiny_model, "--timeline", "--channel", "2", "-o", records]
    assert command_line("file", path, *words).returncode == 0
    run = command_line("report", records, "--audio", path, "--channel", "2", "-o", "-")
    assert run.returncode == 0
    data = re.search(r"data:audio/flac;base64,([^\"]+)", run.stdout)
    assert data is not None
    played, rate = soundfile.read(io.BytesIO(base64.b64decode(data[1])), dtype="float32")
    half = len(played) // 2
    assert np.abs(played[: half - rate]).max() < 1e-3
    assert np.abs(played[half:]).max() > 0.05


@pytest.mark.parametrize("number", [0, -1, "2", 1.5, True, None])
def test_what_does_not_count_channels_is_refused(number: Any) -> None:
    if number is not None:
        with pytest.raises(InvalidArgument, match=r"channels: .* is no number from 1 on"):
            next(iter(live_ser.listen(channels=number)))
        with pytest.raises(InvalidArgument, match=r"channel: .* is no number from 1 on"):
            Reading(channel=number)
    with pytest.raises(InvalidArgument, match=r"channels: .* is no number from 1 on"):
        RawFormat("s16le", 16000, number)
    if number != 1.5:
        with pytest.raises(InvalidArgument, match="there is no sound at"):
            RawFormat("s16le", number)


def test_numbers_of_numpy_count_channels() -> None:
    assert Reading(channel=np.int64(2)).channel == 2  # type: ignore[arg-type]
