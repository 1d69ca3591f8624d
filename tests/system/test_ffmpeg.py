"""What only ffmpeg reads is heard like everything else; where there is none, one line says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from live_ser.audio.blocks import Samples
from live_ser.audio.sources import audio_file, replay
from live_ser.errors import LiveSerError
from tests.support.command import live_ser, live_ser_process, records

FFMPEG = shutil.which("ffmpeg")


@pytest.fixture(scope="module")
def clips(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the speech in formats that libsndfile does not read."""
    if FFMPEG is None:
        pytest.skip("ffmpeg is not installed")
    folder = tmp_path_factory.mktemp("ffmpeg")
    video = ["-f", "lavfi", "-i", "color=size=16x16:rate=5:duration=1"]
    for name, options in {
        "clip.m4a": [],
        "fast.m4a": ["-movflags", "+faststart"],
        "clip.webm": ["-c:a", "libopus"],
        "clip.mka": ["-c:a", "pcm_s16le"],
        "stereo.mp4": [*video, "-ac", "2", "-ar", "44100"],
    }.items():
        command = [FFMPEG, "-v", "error", "-i", str(speech), *options, str(folder / name)]
        subprocess.run(command, check=True)
    silent = [FFMPEG, "-v", "error", *video, str(folder / "silent.mp4")]
    subprocess.run(silent, check=True)
    return folder


def heard(path: Path, rate: int = 16000) -> Samples:
    with audio_file(path, rate) as blocks:
        return np.concatenate(list(blocks))


def test_sound_without_loss_is_that_of_the_file(clips: Path, speech: Path) -> None:
    np.testing.assert_allclose(heard(clips / "clip.mka"), heard(speech), atol=1e-3)


@pytest.mark.parametrize("name", ["clip.m4a", "fast.m4a", "clip.webm", "stereo.mp4"])
def test_compressed_sound_is_nearly_that_of_the_file(clips: Path, speech: Path, name: str) -> None:
    original, sound = heard(speech), heard(clips / name)
    assert abs(len(sound) - len(original)) < 0.2 * 16000

    def loudness(samples: Samples) -> Samples:
        power = np.mean(np.square(samples[:112_000]).reshape(-1, 1600), axis=1)
        return np.asarray(np.sqrt(power), np.float32)

    assert np.corrcoef(loudness(original), loudness(sound))[0, 1] > 0.95


def test_a_file_that_does_not_say_how_long_it_is_is_heard_whole(
    clips: Path, speech: Path, tmp_path: Path
) -> None:
    length = len(heard(speech))
    plain = tmp_path / "plain.wav"
    soundfile.write(plain, heard(speech), 16000)
    for options in (
        ["-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0", str(tmp_path / "a.mp3")],
        ["-q:a", "6", "-write_xing", "0", str(tmp_path / "b.mp3")],
        ["-f", "flac", "pipe:1"],
    ):
        command = [str(FFMPEG), "-v", "error", "-i", str(plain), *options]
        done = subprocess.run(command, check=True, capture_output=True)
        path = Path(options[-1])
        if done.stdout:
            path = tmp_path / "pipe.flac"
            path.write_bytes(done.stdout)
        assert abs(len(heard(path)) - length) < 0.2 * 16000  # MP3 pads


def test_sound_that_begins_after_the_picture_keeps_its_time(clips: Path, tmp_path: Path) -> None:
    late = tmp_path / "late.mp4"
    picture = ["-f", "lavfi", "-i", "color=size=16x16:rate=5:duration=1"]
    sound = ["-itsoffset", "3", "-i", str(clips / "clip.m4a"), "-map", "0:v", "-map", "1:a"]
    subprocess.run([str(FFMPEG), "-v", "error", *picture, *sound, str(late)], check=True)
    assert abs(len(heard(late)) - len(heard(clips / "clip.m4a")) - 3 * 16000) < 0.1 * 16000


def test_it_can_be_replayed_without_end(clips: Path) -> None:
    samples = 0
    with replay(clips / "clip.mka", 16000, speed=0, endless=True) as blocks:
        for block in blocks:
            samples += len(block)  # type: ignore[arg-type]
            if samples > 40 * 16000:
                break
    assert samples > 40 * 16000


@pytest.mark.parametrize("name", ["-y.m4a", "file:x.m4a", "%d\n$(touch oops) 'a' \"b\".m4a"])
def test_a_name_is_never_an_option_nor_a_command(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no such names")
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes((clips / "clip.m4a").read_bytes())
    assert len(heard(Path(name))) > 16000
    assert os.listdir() == [name]


def test_what_is_cut_short_is_refused(clips: Path, tmp_path: Path) -> None:
    for name in ("fast.m4a", "clip.m4a", "clip.webm"):
        cut = tmp_path / name
        data = (clips / name).read_bytes()
        cut.write_bytes(data[: len(data) // 2])
        with pytest.raises(LiveSerError, match=r"truncated or damaged|moov atom not found"):
            heard(cut)


def test_a_film_without_sound_is_refused(clips: Path) -> None:
    with pytest.raises(LiveSerError, match="it holds none"):
        heard(clips / "silent.mp4")


def test_an_error_of_ffmpeg_is_the_reason_and_not_a_warning_before_it(tmp_path: Path) -> None:
    (tmp_path / "zeros.mp3").write_bytes(bytes(100_000))
    with pytest.raises(LiveSerError, match="is not a sound file") as caught:
        heard(tmp_path / "zeros.mp3")
    assert "low score" not in caught.value.message


def test_a_playlist_opens_no_connection(tmp_path: Path) -> None:
    if FFMPEG is None:
        pytest.skip("ffmpeg is not installed")
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/clip.ts"
        playlist = tmp_path / "list.m3u8"
        playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n")
        with pytest.raises(LiveSerError):
            heard(playlist)
        with pytest.raises(TimeoutError):
            server.accept()


def test_no_process_is_left_behind(clips: Path) -> None:
    with audio_file(clips / "clip.m4a", 16000) as blocks:
        next(iter(blocks))
        process = cast("Any", blocks)._sound._process
        assert process.poll() is None
    assert process.poll() is not None


def test_the_table_has_a_line_for_each_with_its_length(clips: Path, tiny_model: Path) -> None:
    assert FFMPEG is not None
    short = clips / "short.mka"
    words = ["-t", "3", "-c", "copy", str(short)]
    subprocess.run([FFMPEG, "-v", "error", "-i", str(clips / "clip.mka"), *words], check=True)
    table = live_ser("file", "--model", tiny_model, short, clips / "clip.mka").stdout
    lengths = [float(line.split()[1]) for line in table.splitlines()[1:]]
    assert lengths == pytest.approx([3, 8], abs=0.15)  # the first is cut at a packet


def test_without_ffmpeg_one_line_says_so_and_how_to_install_it(
    clips: Path, tiny_model: Path, speech: Path
) -> None:
    env = {**os.environ, "PATH": "/nonexistent"}
    words = ["file", "--model", tiny_model, "--format", "jsonl", clips / "clip.m4a", speech]
    run = live_ser_process(*words, env=env)
    assert run.returncode == 1
    assert [record["source"] for record in records(run.stdout)] == [str(speech)]
    (line,) = run.stderr.splitlines()
    assert "without ffmpeg, which is not installed" in line
    assert "apt install ffmpeg" in line


def test_the_page_of_a_report_plays_it(clips: Path, tiny_model: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "clip.jsonl", tmp_path / "clip.html"
    clip = clips / "clip.m4a"
    assert live_ser("file", clip, "--model", tiny_model, "--timeline", "-o", out).returncode == 0
    assert live_ser("report", out, "--audio", clip, "-o", page).returncode == 0
    import base64
    import io
    import re

    found = re.search(r'src="data:audio/flac;base64,([^"]+)"', page.read_text("utf-8"))
    assert found
    seconds = soundfile.info(io.BytesIO(base64.b64decode(found[1]))).duration
    assert seconds == pytest.approx(len(heard(clip)) / 16000, abs=0.01)
