"""The page of ``live-ser serve``, in a real browser with a microphone that plays a file."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

import live_ser
from live_ser.audio.reading import Reading
from live_ser.audio.sources import replay
from live_ser.records.reader import read_records
from live_ser.server.access import Rules
from live_ser.server.live import Microphone
from live_ser.server.service import Limits
from tests.support.served import Served, served

OPTIONS = ("headless=new", "no-sandbox", "disable-gpu", "mute-audio")
FAKE = ("use-fake-device-for-media-stream", "use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def model(against_model: Path) -> live_ser.Model:
    return live_ser.load(against_model)


@pytest.fixture(scope="module")
def spoken(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The speech as Chromium's fake microphone takes it: WAV, 48 kHz, with silence after it."""
    sound, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path_factory.mktemp("spoken") / "spoken.wav"
    sound = soxr.resample(sound, rate, 48000)
    soundfile.write(path, np.concatenate([sound, np.zeros(48000 * 30)]), 48000, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def browse(spoken: Path) -> Iterator[Callable[..., Any]]:
    """Opens browsers whose microphone plays the speech."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromium-driver, which show the page, are not installed")
    with ExitStack() as stack:

        def opened(width: int = 1280, height: int = 1000, *more: str) -> Any:
            options = webdriver.ChromeOptions()
            options.binary_location = chromium
            played = f"use-file-for-fake-audio-capture={spoken}%noloop"
            for argument in (*OPTIONS, *FAKE, played, f"window-size={width},{height}", *more):
                options.add_argument(f"--{argument}")
            options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
            browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
            stack.callback(browser.quit)
            return browser

        yield opened


@pytest.fixture(scope="module")
def browser(browse: Callable[..., Any]) -> Any:
    return browse()


@pytest.fixture(scope="module")
def server(model: live_ser.Model, speech: Path) -> Iterator[Served]:
    rate = model.info.features.sample_rate
    with served(model, Microphone(lambda: replay(speech, rate, 1.0, endless=True))) as running:
        yield running


def until(browser: Any, condition: Callable[[Any], Any], seconds: float = 40) -> Any:
    from selenium.webdriver.support.wait import WebDriverWait

    return WebDriverWait(browser, seconds, poll_frequency=0.1).until(condition)


def text(browser: Any, name: str) -> str:
    found: str = browser.find_element("id", name).text
    return found


def asked_for(browser: Any) -> list[str]:
    """The addresses that pages asked for since this was last called."""
    found = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            found.append(message["params"]["request"]["url"])
        if message["method"] == "Network.webSocketCreated":
            found.append(message["params"]["url"])
    return found


def complaints(browser: Any) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser")]


@pytest.mark.real_time
def test_what_is_spoken_into_the_browser_gets_the_verdict_of_file(
    browser: Any, server: Served, model: live_ser.Model, spoken: Path, speech: Path
) -> None:
    browser.get(server.url)
    browser.find_element("id", "start").click()
    length = soundfile.info(str(speech)).duration
    until(browser, lambda b: text(b, "start") == "stop")
    body = browser.find_element("tag name", "body")
    body.send_keys("m")
    until(browser, lambda b: text(b, "word") == "silence")
    counters = server.server.service.metrics
    until(browser, lambda b: counters.value("sound_seconds_total") > length + 1.5)
    body.send_keys("s")
    status = browser.find_element("id", "status")
    clip = json.loads(until(browser, lambda b: status.get_attribute("data-verdict")))
    expected = model.predict(spoken)
    assert (clip["state"], clip["label"]) == (expected.state, expected.label)
    assert clip["probabilities"] == pytest.approx(expected.probabilities, abs=0.02)
    assert clip["evidence"] == pytest.approx(expected.evidence, abs=0.2)
    assert browser.find_element("id", "download").is_enabled()
    own = (server.url, server.url.replace("http", "ws"), "data:", "blob:", "chrome:")
    assert [url for url in asked_for(browser) if not url.startswith(own)] == []
    assert complaints(browser) == []


def test_the_server_s_microphone_is_started_marked_and_stopped_by_keys(
    browser: Any, server: Served
) -> None:
    browser.get(server.url)
    browser.find_element("css selector", "input[value=server]").click()
    body = browser.find_element("tag name", "body")
    body.send_keys("s")
    until(browser, lambda b: "on" in b.find_element("id", "status").get_attribute("class"))
    body.send_keys("m")
    body.send_keys("p")
    until(browser, lambda b: text(b, "pause") == "resume")
    body.send_keys("p")
    until(browser, lambda b: text(b, "pause") == "pause")
    body.send_keys("s")
    until(browser, lambda b: text(b, "start") == "start")
    assert browser.find_element("id", "download").is_enabled()
    assert complaints(browser) == []


def test_keys_label_the_last_utterance_and_download_the_record(
    browse: Callable[..., Any], server: Served, model: live_ser.Model, tmp_path: Path
) -> None:
    browser = browse()
    folder = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", folder)
    browser.get(server.url)
    body = browser.find_element("tag name", "body")
    body.send_keys("7")  # nobody listens yet: it means nothing
    body.send_keys("s")
    until(browser, lambda b: text(b, "word") in model.info.labels)
    keys = range(1, len(model.info.labels) + 1)
    for key in keys:
        body.send_keys(str(key))
    body.send_keys("s")
    until(browser, lambda b: b.find_element("id", "status").get_attribute("data-verdict"))
    body.send_keys("d")
    (path,) = until(browser, lambda b: list(tmp_path.glob("session-*.jsonl")))
    records = list(read_records(path))
    assert [r["label"] for r in records if r["type"] == "label"] == list(model.info.labels)
    assert (records[0]["type"], records[-1]["type"]) == ("session", "end")
    assert complaints(browser) == []


def test_the_last_utterance_is_labelled_by_keys(
    browser: Any, model: live_ser.Model, speech: Path, tmp_path: Path
) -> None:
    sound, rate = soundfile.read(speech, dtype="float32")
    soundfile.write(tmp_path / "long.wav", np.resize(sound, 120 * rate), rate)
    heard = Microphone(lambda: replay(tmp_path / "long.wav", 16000, 2.0))
    with served(model, heard) as server:
        browser.get(server.url)
        browser.find_element("css selector", "input[value=server]").click()
        body = browser.find_element("tag name", "body")
        body.send_keys("s")
        until(browser, lambda b: text(b, "word") in model.info.labels)
        body.send_keys("2")
        until(browser, lambda b: text(b, "status").startswith("happy: "))
        body.send_keys("u")
        until(browser, lambda b: text(b, "status").startswith("label removed"))
        browser.get("about:blank")
    assert complaints(browser) == []


def test_an_early_label_is_noted_and_listening_goes_on(browser: Any, server: Served) -> None:
    browser.get(server.url)
    browser.execute_script(SILENT)
    body = browser.find_element("tag name", "body")
    body.send_keys("s")
    until(browser, lambda b: text(b, "start") == "stop")
    body.send_keys("u")
    until(browser, lambda b: text(b, "status") == "no label to take back")
    assert text(browser, "start") == "stop"
    body.send_keys("s")
    until(browser, lambda b: text(b, "start") == "start")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("NotAllowedError", "allow it in the address bar"),
        ("NotFoundError", "plug one in"),
        ("NotReadableError", "close the program that uses it"),
    ],
)
def test_the_page_says_why_the_microphone_cannot_be_used(
    browser: Any, server: Served, error: str, expected: str
) -> None:
    browser.get(server.url)
    browser.execute_script(
        "navigator.mediaDevices.getUserMedia = async () => "
        f"{{ throw new DOMException('Requested device not found', '{error}'); }}"
    )
    browser.find_element("id", "start").click()
    until(browser, lambda b: expected in text(b, "status"))
    assert text(browser, "start") == "start"
    assert browser.find_element("id", "start").is_enabled()


def test_the_page_says_that_the_microphone_was_disconnected(browser: Any, server: Served) -> None:
    browser.get(server.url)
    browser.execute_script(SILENT)
    browser.find_element("id", "start").click()
    until(browser, lambda b: text(b, "start") == "stop")
    browser.execute_script("track.stop(); track.dispatchEvent(new Event('ended'))")
    until(browser, lambda b: text(b, "status").startswith("the microphone was disconnected"))
    assert text(browser, "start") == "start"


def test_while_the_browser_asks_no_other_microphone_is_chosen(browser: Any, server: Served) -> None:
    browser.get(server.url)
    browser.execute_script(SILENT.replace("return made", "await answered; return made"))
    browser.find_element("id", "start").click()
    until(browser, lambda b: text(b, "status").startswith("waiting for permission"))
    assert not browser.find_element("css selector", "input[value=server]").is_enabled()
    browser.execute_script("answer()")
    until(browser, lambda b: text(b, "start") == "stop")
    browser.find_element("id", "start").click()
    until(browser, lambda b: text(b, "start") == "start")
    assert browser.execute_script("return track.readyState") == "ended"


def test_the_page_says_that_a_server_is_busy_and_releases_the_microphone(
    browser: Any, model: live_ser.Model
) -> None:
    with served(model, limits=Limits(sessions=0)) as server:
        browser.get(server.url)
        browser.execute_script(SILENT)
        browser.find_element("id", "start").click()
        until(browser, lambda b: text(b, "status") == "0 streams are open (try again later)")
        until(browser, lambda b: text(b, "start") == "start")
        until(browser, lambda b: b.execute_script("return track.readyState") == "ended")


def test_the_page_says_that_the_server_is_gone_and_reconnects(
    browser: Any, model: live_ser.Model, speech: Path
) -> None:
    heard = Microphone(lambda: replay(speech, 16000, 1.0, endless=True))
    with served(model, heard) as first:
        browser.get(first.url)
        browser.execute_script(SILENT)
        browser.find_element("css selector", "input[value=server]").click()
        browser.find_element("id", "start").click()
        until(browser, lambda b: "on" in b.find_element("id", "status").get_attribute("class"))
    until(browser, lambda b: text(b, "status") == "the server is not running; trying again")
    browser.find_element("css selector", "input[value=browser]").click()
    browser.find_element("id", "start").click()
    until(browser, lambda b: text(b, "status") == "the server is not running")
    browser.find_element("css selector", "input[value=server]").click()
    with served(model, heard, rules=Rules(token="A" * 20), port=first.port):
        until(browser, lambda b: text(b, "status").startswith("the token is missing or wrong; "))
    with served(model, heard, port=first.port):
        until(browser, lambda b: text(b, "status") == "off")
        browser.find_element("id", "start").click()
        until(browser, lambda b: "on" in b.find_element("id", "status").get_attribute("class"))
    browser.get("about:blank")
    complaints(browser)


def test_a_stream_that_was_closed_as_idle_is_explained(browser: Any, model: live_ser.Model) -> None:
    with served(model, limits=Limits(idle=3.0)) as server:
        browser.get(server.url)
        browser.execute_script(SILENT)
        body = browser.find_element("tag name", "body")
        body.send_keys("s")
        until(browser, lambda b: text(b, "start") == "stop")
        body.send_keys("p")  # for longer than it is without a sign of life
        until(browser, lambda b: text(b, "status").startswith("no sound came from the microphone"))
        assert text(browser, "start") == "start"


def test_the_overlay_is_empty_when_listening_ends(browser: Any, server: Served) -> None:
    browser.get(f"{server.url}/overlay")
    with server.live() as socket:
        socket.send('{"type": "start"}')
        until(browser, lambda b: text(b, "word") not in ("", "\u2014"))
        socket.send('{"type": "stop"}')
        until(browser, lambda b: text(b, "word") == "\u2014")
    browser.get(f"{server.url}/overlay?show=words")
    assert text(browser, "word").startswith("show=words? There are word, bars")


def test_what_is_shown_has_a_name_for_those_who_hear_the_page(browser: Any, server: Served) -> None:
    browser.get(server.url)
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {"meter", "image", "button", "radio", "group", "heading", "region", "link"}
    shown = [node for node in nodes if node.get("role", {}).get("value") in named]
    assert len(shown) > 20
    assert [node["role"]["value"] for node in shown if not node["name"]["value"].strip()] == []


SILENT = """window.answered = new Promise((resolve) => { window.answer = resolve; });
navigator.mediaDevices.getUserMedia = async () => {
  const made = new AudioContext().createMediaStreamDestination().stream;
  window.track = made.getTracks()[0];
  return made;
};"""


def test_a_page_of_another_origin_gets_nothing(
    browser: Any, server: Served, tmp_path: Path
) -> None:
    (tmp_path / "hostile.html").write_text(HOSTILE.replace("PORT", str(server.port)))
    refused = server.server.service.metrics.value("refused_total")
    with other_origin(tmp_path) as url:
        browser.get(f"{url}/hostile.html")
        result = until(browser, lambda b: b.execute_script("return window.result"))
    assert result == ["socket: refused", "socket: refused", "fetch: refused", "events: refused"]
    assert server.server.service.metrics.value("refused_total") >= refused + 4
    complaints(browser)


@pytest.mark.parametrize("width", [320, 1280, 3840])
def test_nothing_overflows_and_the_overlay_is_transparent(
    browser: Any, server: Served, width: int
) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(server.url)
    wide = "return document.documentElement.scrollWidth"
    assert browser.execute_script(wide) <= width
    browser.get(f"{server.url}/overlay?show=word,plane")
    ground = "return getComputedStyle(document.body).backgroundColor"
    assert browser.execute_script(ground) == "rgba(0, 0, 0, 0)"
    until(browser, lambda b: not b.find_element("id", "bars").is_displayed())
    assert browser.find_element("id", "verdict").is_displayed()
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_who_wants_no_motion_and_a_dark_page_gets_them(browser: Any, server: Served) -> None:
    browser.get(server.url)
    fill = "getComputedStyle(document.querySelector('.fill')).transitionDuration"
    paper = "getComputedStyle(document.body).backgroundColor"
    told = {}
    for motion, scheme in (("no-preference", "light"), ("reduce", "dark")):
        features = [
            {"name": "prefers-reduced-motion", "value": motion},
            {"name": "prefers-color-scheme", "value": scheme},
        ]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        told[scheme] = browser.execute_script(f"return [{fill}, {paper}]")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert told == {"light": ["0.25s", "rgb(255, 255, 255)"], "dark": ["0s", "rgb(20, 23, 27)"]}


HOSTILE = """<!doctype html><script>
const result = [];
const socket = (path) => new Promise((done) => {
  const opened = new WebSocket(`ws://127.0.0.1:PORT${path}`);
  opened.onopen = () => done("socket: open");
  opened.onerror = () => done("socket: refused");
});
(async () => {
  result.push(await socket("/v1/stream"), await socket("/v1/live"));
  const answer = await fetch("http://127.0.0.1:PORT/v1/info").catch(() => null);
  result.push(answer ? "fetch: open" : "fetch: refused");
  const events = new EventSource("http://127.0.0.1:PORT/v1/events");
  events.onopen = () => { result.push("events: open"); window.result = result; };
  events.onerror = () => {
    result.push("events: refused"); events.close(); window.result = result;
  };
})();
</script>"""


@contextmanager
def other_origin(folder: Path) -> Iterator[str]:
    """Another server of this machine, with pages that are not ours."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_channel_is_chosen_where_each_is_classified_separately(
    browser: Any, model: live_ser.Model, speech: Path, tmp_path: Path
) -> None:
    sound, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path / "call.wav"
    soundfile.write(path, np.stack([np.zeros_like(sound), sound], axis=1), rate)
    reading = Reading(each_channel=True, names=("agent", "caller"))
    wanted = model.info.features.sample_rate
    microphone = Microphone(lambda: replay(path, wanted, 2.0, endless=True, reading=reading))
    with served(model, microphone) as running:
        browser.get(running.url)
        browser.find_element("css selector", "input[value=server]").click()
        until(browser, lambda b: text(b, "status") == "off")
        browser.find_element("id", "start").click()
        choice = browser.find_element("id", "voice")
        until(browser, lambda b: choice.is_displayed())
        assert choice.text.split() == ["agent", "caller"]
        until(browser, lambda b: text(b, "word") == "silence")
        choice.send_keys("caller")
        until(browser, lambda b: text(b, "word") in ("uncertain", *model.info.labels))
        choice.send_keys("agent")
        until(browser, lambda b: text(b, "word") == "silence")
        browser.find_element("id", "start").click()
