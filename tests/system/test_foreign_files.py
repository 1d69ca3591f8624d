"""A sound file names nothing else: whatever it holds, no other file and no address is opened."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_ser.audio.sources import audio_file
from live_ser.errors import LiveSerError

FFMPEG = shutil.which("ffmpeg")
READ = """
import sys
from pathlib import Path
from live_ser.errors import LiveSerError
from live_ser.audio.sources import audio_file
for name in sys.argv[1:]:
    try:
        with audio_file(Path(name), 16000) as blocks:
            for _ in blocks:
                pass
        print("heard")
    except LiveSerError:
        print("refused")
"""


def hls(canary: Path) -> str:
    address = f"file://{canary}"
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:8.0,\n{address}\n#EXT-X-ENDLIST\n"


def hls_beside(canary: Path) -> str:
    return f"#EXTM3U\n#EXTINF:8.0,\n{canary.name}\n#EXT-X-ENDLIST\n"


def concat(canary: Path) -> str:
    return f"ffconcat version 1.0\nfile {canary.name}\n"


def dash(canary: Path) -> str:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT8S"><Period><AdaptationSet mimeType="audio/mp4">'
        f'<Representation id="1" bandwidth="1"><BaseURL>{canary.name}</BaseURL>'
        "<SegmentBase/></Representation></AdaptationSet></Period></MPD>"
    )


def sdp(canary: Path) -> str:
    return "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"


def playlist(canary: Path) -> str:
    return f"[playlist]\nFile1={canary}\nNumberOfEntries=1\n"


def smil(canary: Path) -> str:
    return f'<smil><body><audio src="{canary.name}"/></body></smil>'


def subtitle(canary: Path) -> str:
    return f"1\n00:00:00,000 --> 00:00:05,000\n{canary}\n"


def quicktime_text(canary: Path) -> str:
    return f"rtsptext {canary}\n"


LISTS: dict[str, Callable[[Path], str]] = {
    "upload.mp3": hls,
    "beside.wav": hls_beside,
    "list.m3u8": hls_beside,
    "list.ogg": concat,
    "list.ffconcat": concat,
    "manifest.mpd": dash,
    "call.sdp": sdp,
    "list.pls": playlist,
    "show.smil": smil,
    "text.srt": subtitle,
    "rtsp.mov": quicktime_text,
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with a canary, and the names of files that name it."""
    folder = tmp_path_factory.mktemp("named")
    canary = folder / "canary.wav"
    soundfile.write(canary, np.full(8 * 16000, 0.1, np.float32), 16000)
    for name, make in LISTS.items():
        (folder / name).write_text(make(canary), "utf-8")
    names = list(LISTS)
    if FFMPEG:
        external(folder, canary)
        names += ["external.mov", "picture.mp3"]
    return folder, names


def external(folder: Path, canary: Path) -> None:
    """A film whose sound is in another file, by a path and by an alias; and a picture."""
    assert FFMPEG is not None
    path = folder / "external.mov"
    words = [FFMPEG, "-v", "error", "-i", str(canary), "-c:a", "pcm_s16le", str(path)]
    subprocess.run(words, check=True)
    data = path.read_bytes()
    at = data.index(b"dref")
    size = int.from_bytes(data[at + 12 : at + 16], "big")
    name = canary.name.encode()
    entry = b"url \0\0\0\0" + name.ljust(size - 12, b"\0")[: size - 12] if size >= 12 else b""
    path.write_bytes(data[: at + 16] + entry[: size - 4] + data[at + 12 + size :])
    picture = ["-f", "lavfi", "-i", "color=size=16x16:duration=0.04", "-frames:v", "1"]
    png = folder / "picture.png"
    subprocess.run([FFMPEG, "-v", "error", *picture, str(png)], check=True)
    png.rename(folder / "picture.mp3")


@pytest.mark.parametrize("name", [*LISTS, "picture.mp3"])
def test_it_is_refused_in_one_line(named: tuple[Path, list[str]], name: str) -> None:
    folder, names = named
    if name not in names:
        pytest.skip("ffmpeg is not installed")
    with pytest.raises(LiveSerError) as caught, audio_file(folder / name, 16000) as blocks:
        list(blocks)
    assert "\n" not in caught.value.message


def test_what_names_another_file_is_refused_and_opens_nothing(
    named: tuple[Path, list[str]], tmp_path: Path
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    folder, names = named
    log = tmp_path / "calls"
    trace = [strace, "-f", "-qq", "-o", str(log), "-e", "trace=open,openat,connect,socket"]
    run = subprocess.run(
        [*trace, sys.executable, "-c", READ, *names],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if "ptrace" in run.stderr:
        pytest.skip("processes cannot be traced here")
    # A film whose sound is said to be elsewhere has none, or only what it holds itself.
    others = [
        said for name, said in zip(names, run.stdout.split(), strict=True) if name != "external.mov"
    ]
    assert others == ["refused"] * len(others)
    calls = log.read_text("utf-8", "replace")
    assert "upload.mp3" in calls
    assert "canary" not in calls
    assert "AF_INET" not in calls
