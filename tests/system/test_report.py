"""A session as a page: what it says, and that it works in a real browser and asks for nothing."""

from __future__ import annotations

import json
import re
import shutil
import tracemalloc
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live_ser.errors import LiveSerError
from live_ser.report import timeline
from live_ser.report.page import write_report
from live_ser.report.session_log import longest_intervals, read_session, shares
from live_ser.report.sessions import write_sessions
from live_ser.report.tables import shares_table
from tests.support.command import live_ser
from tests.support.tiny_model import tiny_info, write_model

LABELS = ["neutral", "happy", "sad", "angry"]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' {{data}} \u2028\x1b[2J"


def window(end: float, label: str | None, state: str = "speech", labels: list[str] = LABELS) -> Any:
    classified = label is not None
    share = {x: 0.7 if x == label else 0.1 for x in labels}
    return {
        "type": "window", "start": max(0.0, end - 3.5), "end": end, "state": state, "label": label,
        "confidence": 0.7 if classified else None, "probabilities": share if classified else None,
        "activation": 0.5 if classified else None, "speech": 0.6, "level_db": -23.0,
        "latency_ms": 3.0,
    }  # fmt: skip


def session(labels: list[str] = LABELS, source: str = "Microphone") -> list[Any]:
    """Ten seconds: neutral, a gap, neutral, silence, happy, perhaps angry."""
    head = {
        "type": "session", "schema": 1, "source": source, "model": "tiny", "labels": labels,
        "sample_rate": 16000, "window": 3.5, "hop": 0.5, "started": "2026-01-31T12:00:00+00:00",
    }  # fmt: skip
    said: list[tuple[float, str | None, str]]
    said = [(i / 2, labels[0], "speech") for i in range(1, 5)]
    said += [(i / 2, labels[0], "speech") for i in range(7, 11)]
    said += [(i / 2, None, "silence") for i in range(11, 15)]
    said += [(i / 2, labels[1], "speech") for i in range(15, 20)]
    said += [(10.0, labels[3], "uncertain")]
    return [
        head,
        *(window(end, label, state, labels) for end, label, state in said),
        {"type": "gap", "start": 2.0, "end": 3.0, "reason": "microphone gone"},
        {"type": "mark", "time": 7.25},
        {"type": "end", "windows": 18, "skipped": 2, "overflows": 1, "seconds": 10.0},
    ]


def written(folder: Path, records: list[Any], name: str = "session.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    clip = tmp_path / "clip.wav"
    sound = 0.1 * np.sin(np.arange(160_000) * 0.05)
    soundfile.write(clip, sound.astype(np.float32), 16000)
    output = tmp_path / "report.html"
    figures = {"uar": 0.46461, "accuracy": 0.468, "confusion": [[1, 2], [3, 4]]}
    config = {"gate": {"threshold": 0.35}}
    info = tiny_info(
        provenance={"corpora": ["RAVDESS", "nEMO"], "figures": figures, "config": config}
    )
    model = write_model(tmp_path / "tiny.onnx", info)
    write_report(written(tmp_path, session()), output, audio=clip, model=model)
    return output


def test_seconds_are_shared_out_and_what_was_not_heard_is_left_out(tmp_path: Path) -> None:
    log = read_session(written(tmp_path, session()))
    assert shares(log) == {"neutral": 4.0, "happy": 2.5, "silence": 2.0, "uncertain": 0.5}
    assert log.seconds == 10.0


def test_a_stretch_does_not_reach_over_a_gap(tmp_path: Path) -> None:
    log = read_session(written(tmp_path, session()))
    assert longest_intervals(log) == [
        (7.0, 9.5, "happy"),
        (0.0, 2.0, "neutral"),
        (3.0, 5.0, "neutral"),
    ]


def test_the_page_says_what_was_heard_lost_and_marked_and_by_which_model(page: Path) -> None:
    text = page.read_text("utf-8")
    for words in (
        "Microphone", "2026-01-31 12:00", "0:00:10 long", "18 windows", "1 s not heard",
        "windows skipped: 2", "sound lost: 1 times", "Marked moments", "0:00:07", "RAVDESS, nEMO",
        "MIT", "network&#x27;s training</dt><dd>gate: threshold 0.35",
        "uar 0.4646 · accuracy 0.468<", "Not what anybody felt",
    ):  # fmt: skip
        assert words in text


def test_a_timeline_of_a_clip_is_a_session_too(tmp_path: Path) -> None:
    clip = {
        **window(10.0, "happy"),
        "type": "clip",
        "source": "clip.wav",
        "duration": 10.0,
        "windows": 18,
    }
    records = [{**r, "source": "clip.wav"} for r in session() if r["type"] == "window"]
    log = read_session(written(tmp_path, [*records, clip]))
    assert log.source == "clip.wav"
    assert log.labels == tuple(LABELS)


def classified_files(*sources: str, kind: str = "window") -> list[Any]:
    """What live-ser file writes of several recordings, each of which sounds otherwise."""
    found = []
    for number, source in enumerate(sources):
        label = LABELS[number % len(LABELS)]
        for end in (2.0, 4.0):
            record = {**window(end, label), "type": kind, "start": end - 1.5, "source": source}
            if kind == "segment":
                del record["level_db"], record["latency_ms"]
            found.append(record)
        clip = {**window(9.0, label), "type": "clip", "source": source, "duration": 9.0}
        found.append({**clip, "windows": 2})
    return found


@pytest.mark.parametrize("kind", ["window", "segment"])
def test_one_of_several_recordings_is_chosen_by_its_name(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, classified_files("a/x.wav", "b/x.wav", "b/yx.wav", kind=kind))
    for name, label in (("a/x.wav", "neutral"), ("b/x.wav", "happy"), ("yx.wav", "sad")):
        log = read_session(path, name)
        assert log.source.endswith(name)
        assert (log.seconds, log.unit) == (9.0, f"{kind}s")
        assert shares(log) == {label: 3.0}
    for wrong in (None, "x.wav", "z.wav", ""):
        with pytest.raises(LiveSerError, match="recordings") as caught:
            read_session(path, wrong)
        assert "`recording=NAME`" in caught.value.hint
        assert "b/yx.wav" in caught.value.hint


def test_segments_have_a_page(tmp_path: Path) -> None:
    path = written(tmp_path, classified_files("a.wav", "b.wav", kind="segment"))
    run = live_ser("report", path, "--recording", "b.wav")
    assert run.returncode == 0, run.stderr
    text = (tmp_path / "session.html").read_text("utf-8")
    assert "2 segments" in text
    assert "All segments" in text


def test_verdicts_alone_are_no_session_and_the_hint_says_what_is(tmp_path: Path) -> None:
    verdicts = [record for record in classified_files("a.wav") if record["type"] == "clip"]
    with pytest.raises(LiveSerError, match="no classified window") as caught:
        read_session(written(tmp_path, verdicts))
    assert "`timeline`" in caught.value.hint


@pytest.mark.parametrize("style", ["csv", "parquet"])
def test_tables_have_a_page_too(tiny_model: Path, speech: Path, tmp_path: Path, style: str) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    out = tmp_path / f"out.{style}"
    run = live_ser("file", speech, "--model", tiny_model, "--timeline", "-o", out)
    assert run.returncode == 0, run.stderr
    log = read_session(out)
    assert log.source == str(speech)
    assert log.seconds == pytest.approx(soundfile.info(speech).duration, abs=1e-3)
    assert set(log.labels) == set(LABELS)


def test_a_session_that_was_cut_off_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, session()[:-1])
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"type":"win')
    write_report(path, tmp_path / "report.html")
    assert "cut off before its end" in (tmp_path / "report.html").read_text("utf-8")


def drawn(page: Path) -> list[dict[str, Any]]:
    """What the script of a page draws."""
    data = re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"))
    assert data
    windows: list[dict[str, Any]] = json.loads(data[1])["windows"]
    return windows


def test_shares_are_told_of_the_time_and_of_the_speech(tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    write_report(written(tmp_path, session()), output)
    table = re.search(r'<table id="shares">.*?</table>', output.read_text("utf-8"), re.S)
    assert table is not None
    rows = re.findall(r"<tr>(.*?)</tr>", table[0])[1:]
    told = {
        re.sub("<[^>]*>", "", re.findall("<td.*?</td>", row)[0]): re.findall(r"(\d+) %", row)
        for row in rows
    }
    # Nine seconds: neutral for 4, happy for 2.5, uncertain for 0.5, and 2 of silence.
    assert told == {
        "neutral": ["44", "57"],
        "happy": ["28", "36"],
        "silence": ["22"],
        "uncertain": ["6", "7"],
    }


def test_shares_in_a_table_add_up_to_a_hundred() -> None:
    names = ("neutral", "happy", "sad", "silence", "uncertain")
    for amounts in (
        (1.0, 1.0, 1.0, 0.0, 0.0),
        (2.5, 2.5, 2.5, 0.5, 2.0),
        (0.3, 7.0, 7.0, 7.0, 7.0),
    ):
        table = shares_table(dict(zip(names, amounts, strict=True)), names[:3])
        rows = [re.findall(r"(\d+) %<", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]
        assert sum(int(row[0]) for row in rows) == 100  # of the time
        assert sum(int(row[1]) for row in rows if len(row) > 1) == 100  # of the speech


def test_a_title_stands_above_the_name_of_what_was_heard(tmp_path: Path) -> None:
    record, output = written(tmp_path, session()), tmp_path / "page.html"
    result = live_ser("report", record, "--title", "Monday & Tuesday", "-o", output)
    assert result.returncode == 0, result.stderr
    page = output.read_text("utf-8")
    assert "<h1>Monday &amp; Tuesday</h1>" in page
    assert '<p class="facts">Microphone' in page


def test_the_sound_is_seen_where_there_is_one(page: Path) -> None:
    data = re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.S)
    assert data is not None
    waveform = json.loads(data[1])["waveform"]
    assert len(waveform["low"]) * waveform["step"] == pytest.approx(10, abs=0.1)
    assert max(waveform["high"][:-1]) == pytest.approx(0.1, abs=0.01)
    assert min(waveform["low"][:-1]) == pytest.approx(-0.1, abs=0.01)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (4.0, "is 4.0 s long, and the session 10.0 s: the rest of the page has no sound"),
        (9.5, ""),
        (10.5, ""),
        (60.0, "is 60.0 s long, and the session 10.0 s: it may be the sound of another one"),
    ],
)
def test_sound_of_another_length_is_told_of(tmp_path: Path, seconds: float, said: str) -> None:
    clip, record = tmp_path / "clip.wav", written(tmp_path, session())
    soundfile.write(clip, np.zeros(round(16000 * seconds), np.float32), 16000)
    result = live_ser("report", record, "--audio", clip)
    assert result.returncode == 0
    told, *rest = result.stderr.splitlines()
    assert (told == f"live-ser: {clip} {said}") if said else not rest


def test_several_sessions_are_one_page_with_a_row_for_each_day(tmp_path: Path) -> None:
    paths: list[Path] = []
    for day in (3, 1, 1):
        records = session()
        records[0] = {**records[0], "started": f"2026-02-0{day}T1{len(paths)}:00:00+01:00"}
        paths.append(written(tmp_path, records, f"{len(paths)}.jsonl"))
    result = live_ser("report", *paths, paths[0])  # a record that is named twice counts once
    assert result.returncode == 0, result.stderr
    assert "sessions.html" in result.stderr
    page = (tmp_path / "sessions.html").read_text("utf-8")
    assert "3 sessions · 2 days · 0:00:30 together" in page
    assert re.findall(r'<th scope="row">(.*?)</th>', page) == ["2026-02-01", "2026-02-03"]
    assert re.findall(r"2026-02-0\d \d\d:\d\d", page) == [
        "2026-02-01 11:00",
        "2026-02-01 12:00",
        "2026-02-03 10:00",
    ]
    assert re.search(r"neutral</td><td[^>]*>0:00:12</td>", page)  # four seconds of each


def test_a_session_over_midnight_is_in_the_rows_of_both_days(tmp_path: Path) -> None:
    records = session()
    records[0] = {**records[0], "started": "2026-02-28T23:59:55+01:00"}  # of ten seconds
    earlier = [{**records[0], "started": "2026-02-27T10:00:00+01:00"}, *records[1:]]
    paths = [written(tmp_path, records, "a.jsonl"), written(tmp_path, earlier, "b.jsonl")]
    write_sessions(paths, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "2 sessions · 3 days · 0:00:20 together" in page
    rows = dict(re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td></tr>', page))
    columns = {day: set(map(int, re.findall(r' x="(\d+)"', row))) for day, row in rows.items()}
    # A column is five minutes, and the first is that of midnight.
    assert columns == {"2026-02-27": {120}, "2026-02-28": {287}, "2026-03-01": {0}}
    records[0]["started"] = "9999-12-31T23:59:55"
    with pytest.raises(LiveSerError, match="does not say when it was heard"):
        write_sessions([written(tmp_path, records, "c.jsonl")], tmp_path / "other.html")


def test_a_session_without_windows_is_left_out_of_several(tmp_path: Path) -> None:
    records = session()
    path = written(tmp_path, records)
    empty = written(tmp_path, [records[0], records[-1]], "empty.jsonl")
    output = tmp_path / "page.html"
    (told,) = write_sessions([path, empty], output)
    assert "empty.jsonl" in told
    assert "1 session · 1 day" in output.read_text("utf-8")
    with pytest.raises(LiveSerError, match="holds no classified window"):
        write_sessions([empty, empty], output, force=True)


def test_several_voices_are_shown_alone(tmp_path: Path) -> None:
    voices = [{**window(0.5, "neutral"), "channel": channel} for channel in (1, 2)]
    call = written(tmp_path, [session()[0], *voices, session()[-1]])
    with pytest.raises(LiveSerError, match="holds 2 voices") as caught:
        read_session(call)
    assert "alone" in caught.value.hint


def test_what_has_no_date_is_no_session_among_several(tmp_path: Path) -> None:
    session_path = written(tmp_path, session())
    clip = written(tmp_path, [{**window(0.5, "neutral"), "source": "a.wav"}], "clip.jsonl")
    result = live_ser("report", session_path, clip)
    assert (result.returncode, "does not say when" in result.stderr) == (1, True)
    result = live_ser("report", session_path, session_path, clip, "--audio", "a.wav")
    assert (result.returncode, "--audio" in result.stderr) == (2, True)
    assert not [*tmp_path.glob("*.html")]


def test_of_very_many_windows_several_are_one_and_gaps_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "_DRAWN", 6)  # 18 windows: three are one
    output = tmp_path / "report.html"
    write_report(written(tmp_path, session()), output)
    found = [(w["since"], w["end"], w["label"] or w["state"], w["sounded"]) for w in drawn(output)]
    assert found == [
        (0.0, 1.5, "neutral", 3), (1.5, 2.0, "neutral", 1),  # then a gap
        (3.0, 4.5, "neutral", 3), (4.5, 6.0, "silence", 1), (6.0, 7.5, "silence", 1),
        (7.5, 9.0, "happy", 3), (9.0, 10.0, "happy", 2),
    ]  # fmt: skip
    assert drawn(output)[-1]["probabilities"] == [0.1, 0.4, 0.1, 0.4]
    text = output.read_text("utf-8")
    assert "18 windows" in text
    assert "All windows, 3 at a time" in text


def test_a_day_takes_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "_DRAWN", 100)
    peaks = []
    for count in (1000, 5000):
        windows = (window(i / 2, LABELS[i % 4]) for i in range(1, count + 1))
        path = written(tmp_path, [session()[0], *windows])
        tracemalloc.start()
        write_report(path, tmp_path / "report.html", force=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 4000 < 500  # bytes a window: as records they take thousands


def test_bad_input_gets_one_line(tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    good = written(tmp_path, session())
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    bad = [
        tmp_path / "missing.jsonl",
        tmp_path,
        written(tmp_path, [], "empty.jsonl"),
        written(tmp_path, session() * 2, "two.jsonl"),
        written(tmp_path, session()[:1], "no-window.jsonl"),
        written(
            tmp_path, [*session(), window(11.0, "bored", labels=[*LABELS, "bored"])], "x.jsonl"
        ),
    ]
    for path in bad:
        with pytest.raises(LiveSerError) as caught:
            write_report(path, output)
        assert "\n" not in caught.value.message
    for audio in (tmp_path / "missing.wav", text, tmp_path / "missing.aiff"):
        with pytest.raises(LiveSerError):
            write_report(good, output, audio=audio)
    assert not output.exists()


def test_the_command_writes_a_page_beside_the_record(tmp_path: Path) -> None:
    path = written(tmp_path, session())
    result = live_ser("report", path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert "Marked moments" in (tmp_path / "session.html").read_text("utf-8")
    again = live_ser("report", path)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert "Traceback" not in again.stderr


def test_an_existing_page_is_kept_unless_forced(tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    output.write_text("mine")
    path = written(tmp_path, session())
    with pytest.raises(LiveSerError, match="is there already"):
        write_report(path, output)
    assert output.read_text() == "mine"
    write_report(path, output, force=True)
    assert "mine" not in output.read_text("utf-8")


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.just(HOSTILE),
    st.lists(st.one_of(st.text(max_size=5), st.floats(0, 1)), max_size=100),
    st.dictionaries(st.sampled_from([*LABELS, HOSTILE]), st.floats(0, 1), max_size=5),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_the_records_say_there_is_a_page_or_one_line(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    records = session()
    for _ in range(data.draw(st.integers(1, 4))):
        record = data.draw(st.sampled_from(records))
        record[data.draw(st.sampled_from([*record, "extra"]))] = data.draw(VALUES)
    if data.draw(st.booleans()):
        records = data.draw(st.permutations(records))[: data.draw(st.integers(0, 20))]
    folder = tmp_path_factory.mktemp("fuzz")
    output = folder / "report.html"
    complaint = ""
    try:
        write_report(written(folder, records), output)
    except LiveSerError as error:
        complaint = error.message
    if complaint:
        assert "\n" not in complaint
        assert not output.exists()
        return
    elements = Elements(output.read_text("utf-8"))
    assert elements.tags.count("script") == 2
    assert "img" not in elements.tags


class Elements(HTMLParser):
    """The elements of a page, and the text in them that is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def test_names_and_labels_are_text_and_nothing_else(tmp_path: Path) -> None:
    labels = [HOSTILE, "<b>happy</b>", "sad", "{{script}}"]
    records = session(labels, HOSTILE)
    records[-3]["reason"] = HOSTILE
    records[0] |= {"model": HOSTILE, "started": HOSTILE}
    output = tmp_path / "report.html"
    info = tiny_info(provenance={HOSTILE: HOSTILE, "x": {"y": [HOSTILE]}}, licence=HOSTILE)
    model = write_model(tmp_path / "hostile.onnx", info)
    write_report(written(tmp_path, records), output, model=model)
    elements = Elements(output.read_text("utf-8"))
    assert elements.tags.count("script") == 2
    assert not {"img", "b"} & set(elements.tags)
    assert not [name for name in elements.attributes if name.startswith("on")]
    assert "\x1b" not in output.read_text("utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromium-driver, which show the page, are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "window-size=1280,1600"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield opened
    opened.quit()


def logged(browser: Any) -> tuple[list[str], list[str]]:
    """The addresses asked for since last time, and what the page complained of."""
    requests = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            requests.append(message["params"]["request"]["url"].split(",")[0])
    return requests, [entry["message"] for entry in browser.get_log("browser")]


def test_in_a_browser_it_draws_itself_without_asking_the_network(browser: Any, page: Path) -> None:
    logged(browser)
    browser.get(page.as_uri())
    inked = browser.execute_script(
        "const c = document.getElementById('timeline');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n;"
    )
    assert inked > 5000
    browser.execute_script("document.getElementById('windows').open = true")
    browser.implicitly_wait(60)
    rows = browser.find_elements("css selector", "#rows tbody tr")
    assert len(rows) == 18
    requests, complaints = logged(browser)
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert complaints == []


def test_in_a_browser_a_click_on_the_timeline_moves_the_player(browser: Any, page: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get(page.as_uri())
    player = browser.find_element("id", "player")
    at = "return document.getElementById('player').currentTime"
    waiting = WebDriverWait(browser, 60)
    waiting.until(lambda b: b.execute_script("return arguments[0].readyState > 0", player))
    canvas = browser.find_element("id", "timeline")
    names, width = 92, canvas.size["width"]
    # 8 s of 10, from the middle of the canvas.
    x = names + 0.8 * (width - names) - width / 2
    ActionChains(browser).move_to_element_with_offset(canvas, round(x), 0).click().perform()
    waiting.until(lambda b: abs(b.execute_script(at) - 8.0) < 0.1)
    detail = browser.find_element("id", "detail").text
    assert re.match(r"0:00:0[78]\.\d · happy, 70 %, activation 0\.50", detail)
    browser.find_element("css selector", "#marks button").click()
    waiting.until(lambda b: abs(b.execute_script(at) - 7.25) < 0.01)


def test_in_a_browser_hostile_names_do_nothing(browser: Any, tmp_path: Path) -> None:
    records = session([HOSTILE, "<b>happy</b>", "sad", "angry"], HOSTILE)
    output = tmp_path / "report.html"
    write_report(written(tmp_path, records), output)
    logged(browser)
    browser.get(output.as_uri())
    browser.execute_script("document.getElementById('windows').open = true")
    assert "<script>alert(1)</script>" in browser.find_element("tag name", "h1").text
    requests, complaints = logged(browser)
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert complaints == []
