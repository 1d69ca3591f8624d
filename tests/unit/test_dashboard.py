"""What the dashboard promises to whoever looks at it."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from rich.style import Style

from live_ser.audio.blocks import Voice
from live_ser.dashboard.dashboard import Dashboard
from live_ser.dashboard.last_minute import Moment
from live_ser.dashboard.layout import plan
from live_ser.dashboard.legend import page_count
from live_ser.dashboard.lines import Look
from live_ser.dashboard.meters import Level
from live_ser.dashboard.state import DashboardState
from live_ser.dashboard.view import page, render
from live_ser.dashboard.words import words as words_of
from live_ser.inference.prosody import Prosody
from live_ser.inference.results import Prediction
from live_ser.live import keys as pressed
from live_ser.live.headline import Headline
from live_ser.live.keys import REDRAW
from live_ser.live.sink import Status
from live_ser.palette import colours
from live_ser.text import prosody_words
from tests.support.tiny_model import tiny_info

LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
SIZES = [
    (80, 24),
    (120, 40),
    (100, 30),
    (200, 60),
    (120, 24),
    (60, 20),
    (40, 10),
    (20, 4),
    (9, 30),
    (1, 1),
]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def state(**changes: object) -> DashboardState:
    moments = tuple(
        Moment(i / 2, "speech", "happy", (0.04, 0.8, 0.01, 0.06, 0.02, 0.02, 0.05))
        for i in range(1, 100)
    )
    values: dict[str, object] = {
        "model": "tiny",
        "labels": LABELS,
        "window": 3.5,
        "min_speech": 0.35,
        "source": "Built-in Microphone",
        "sample_rate": 48000,
        "seconds": 761.0,
        "state": "speech",
        "headline": Headline("speech", ("happy",), 0.81),
        "evidence": 2.4,
        "since_speech": 0.0,
        "probabilities": (0.04, 0.81, 0.01, 0.06, 0.02, 0.01, 0.05),
        "raw": (0.02, 0.95, 0.0, 0.01, 0.01, 0.0, 0.01),
        "activation": 0.77,
        "moments": moments,
        "level": Level(rms=-23.0, peak=-11.0),
        "spectrogram": tuple(bytes(range(0, 256, 4)) for _ in range(80)),
        "latency": (2.9, 3.4),
        "cpu": 0.02,
    }
    return DashboardState(**{**values, **changes})  # type: ignore[arg-type]


HELD = Headline("speech", ("happy",), 0.81, age=4.0)
STATES = {
    "before the first sound": state(
        state=None, headline=None, probabilities=None, raw=None, activation=None, moments=(),
        spectrogram=(), latency=None, cpu=None, level=Level(), since_speech=None,
    ),
    "listening": state(state="listening", headline=None, evidence=0.2),
    "speech": state(),
    "silence": state(state="silence", headline=HELD, since_speech=4.2),
    "silence for long": state(state="silence", headline=None, since_speech=61.0),
    "uncertain": state(state="uncertain", headline=Headline("uncertain", ("happy",), 0.31)),
    "nearly level": state(
        state="uncertain", headline=Headline("either", ("angry", "fearful"), 0.41)
    ),
    "enrolling": state(enrolling="2 of 6 s", headline=None),
    "learning": state(learning="learning your voice, 4 of 15 s"),
    "a demonstration": state(source="demo, round 2", intended="happy"),
    "paused": state(paused=True),
    "microphone gone": state(connected=False, message="microphone gone, trying again"),
    "clipping and losing sound": state(
        level=Level(-3, 0, clipped=True), overflows=3, skipped=12, recording=True, marks=2
    ),
    "spectrogram off": state(spectrogram_on=False),
    "telemetry": state(telemetry_on=True),
    "help": state(help_page=1),
    "two voices": state(lanes=(
        state(voice="agent", baseline="baseline 12 s"),
        state(voice="caller", state="silence", headline=HELD, since_speech=4.2),
    )),
    "twelve voices": state(lanes=tuple(state(voice=f"channel {i}") for i in range(1, 13))),
}  # fmt: skip


def drawn(
    shown: DashboardState,
    width: int = 80,
    height: int = 24,
    *,
    encoding: str = "utf-8",
    colour: str | None = "truecolor",
    environ: dict[str, str] | None = None,
) -> str:
    """What goes to a terminal of this kind."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    console = Console(
        file=file,
        width=width,
        height=height,
        force_terminal=True,
        color_system=colour,  # type: ignore[arg-type]
        legacy_windows=False,
        _environ=environ or {},
    )
    console.print(render(shown), end="")
    file.flush()
    assert isinstance(file.buffer, io.BytesIO)
    return file.buffer.getvalue().decode(encoding)


def plain(shown: DashboardState, width: int = 80, height: int = 24) -> str:
    return ESCAPE.sub("", drawn(shown, width, height))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_state_fills_the_terminal(width: int, height: int) -> None:
    from rich.cells import cell_len

    for shown in STATES.values():
        lines = plain(shown, width, height).splitlines()
        assert len(lines) == height
        assert {cell_len(line) for line in lines} == {width}


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_speech_shows_the_emotion_its_confidence_and_all_bars(width: int, height: int) -> None:
    text = plain(state(baseline="baseline 84 s"), width, height)
    for words in (
        "sounds happy 81 %", "sounds aroused",
        *LABELS, "81 %", "activation", "calm", "aroused", "0.77",
        "-60 s", "now", "spectrum", "level", "-23 dB", "Built-in Microphone", "48 kHz",
        "tiny", "baseline 84 s", "0:12:41",
    ):  # fmt: skip
        assert words in text
    assert "█▀█ █▀█ █▀  █▀   █" in text or "██████  ██████  ████    ████" in text


def test_a_probability_reads_the_same_in_the_headline_and_on_its_bar() -> None:
    """Also where the percentages of all bars, each rounded by itself, add up to 101."""
    probabilities = (0.156, 0.756, 0.088, 0.0, 0.0, 0.0, 0.0)
    text = plain(state(headline=Headline("speech", ("happy",), 0.756), probabilities=probabilities))
    assert text.count("76 %") == 2
    assert "16 %" in text
    assert "9 %" in text


def test_telemetry_is_shown_when_it_is_asked_for_or_not_as_it_should_be() -> None:
    facts = ("evidence 2.4 s", "compute 2.9 ms, p95 3.4", "CPU 2 %", "overflows 0", "skipped 0")
    assert not any(words in plain(state()) for words in facts)
    assert all(words in plain(STATES["telemetry"]) for words in facts)
    for amiss in (state(overflows=1), state(skipped=1), state(latency=(90.0, 400.0))):
        assert "compute" in plain(amiss)


def test_states_that_are_no_emotion_name_none_in_the_large_word() -> None:
    for name, says in {
        "listening": "0.2 of 0.35 s of speech",
        "silence for long": "last speech 0:01:01 ago",
        "uncertain": "speech; perhaps happy, 31 %",
        "paused": "nothing is classified",
        "microphone gone": "microphone gone, trying again",
    }.items():
        text = plain(STATES[name])
        assert says in text
        assert "sounds happy" not in text
        assert not any(letters in text for letters in HAPPY)


# The word in the letters of a verdict, at 80 and at 120 columns.
HAPPY = ("█▀█ █▀█ █▀  █▀   █", "██████  ██████  ████    ████")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_after_speech_the_verdict_stays_large_and_dimmed_with_its_age(
    width: int, height: int
) -> None:
    text = plain(STATES["silence"], width, height)
    assert any(letters in text for letters in HAPPY)
    assert "happy 81 %, 4 s ago" in text
    assert "silence" in text
    assert "SILENCE" not in text
    coloured = Style.parse("dim " + colours(LABELS)[1].hex)
    for age, style in ((0.0, Style.parse("bold " + colours(LABELS)[1].hex)), (4.0, coloured),
                       (7.0, Style.parse("dim"))):  # fmt: skip
        shown = replace(STATES["silence"], headline=Headline("speech", ("happy",), 0.81, age=age))
        letters = next(
            part for line in page(shown, width, height, Look()) for part in line
            if HAPPY[width > 80] in part.text
        )  # fmt: skip
        assert letters.style == style


@pytest.mark.parametrize("name", ["listening", "silence for long", "before the first sound"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 50)])
def test_silence_and_listening_are_small_and_quiet(name: str, width: int, height: int) -> None:
    shown = STATES[name]
    quiet = [
        part for line in page(shown, width, height, Look()) for part in line
        if part.text.strip() == (shown.state or "listening")
    ]  # fmt: skip
    assert quiet[0].style == Style.parse("dim")
    text = plain(shown, width, height)
    above, _ = text.split("neutral", 1)
    assert "█" not in above


def test_two_emotions_that_are_nearly_level_are_both_named() -> None:
    for width, height in ((40, 10), (80, 24), (120, 40), (200, 50)):
        text = plain(STATES["nearly level"], width, height)
        assert "sounds like either: 41 % each" in text
        assert "▸ angry" in text
        assert "▸ fearful" in text


@pytest.mark.parametrize("width", [40, 60, 73, 74, 75, 76, 80, 109, 110, 111, 112, 180, 200])
def test_no_line_beside_the_large_word_is_cut(width: int) -> None:
    either = Headline("either", ("surprised", "fearful"), 0.333)
    unsure = Headline("uncertain", ("surprised",), 0.333)
    for headline in (either, replace(either, age=9.6), unsure, replace(unsure, age=9.6)):
        shown = state(headline=headline, since_speech=65.0, state="silence")
        text = plain(shown, width, 24)
        for caption in words_of(shown).captions[:2]:
            assert caption in text


def test_it_says_how_far_it_knows_the_voice_and_enrolment_takes_the_headline() -> None:
    for width, height in ((80, 24), (120, 40), (200, 50)):
        assert "learning your voice, 4 of 15 s" in plain(STATES["learning"], width, height)
        text = plain(STATES["enrolling"], width, height)
        assert "SPEAK AS YOU ALWAYS DO, 2 OF 6 S" in text.replace("S P", "SP") or (
            "S P E A K   A S" in text
        )


def test_a_demonstration_shows_what_is_meant_beside_what_is_heard() -> None:
    text = plain(STATES["a demonstration"])
    assert "demo, round 2" in text
    assert "synthesised voice, intended: happy" in text
    whole = replace(STATES["a demonstration"], model="live_ser", baseline="baseline 118 s")
    for shown in (whole, replace(whole, recording=True)):
        assert "demo, round 2 \N{MIDDLE DOT} " in plain(shown, 80, 24)
        assert "q quit" in plain(shown, 80, 24)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_of_the_voice_only_what_fits_is_shown(width: int) -> None:
    told = Prosody(
        pitch=105.0, loudness=-27.0, rate=4.6, pitch_change=-5, loudness_change=-6, rate_change=1.5
    )
    shown = state(prosody=prosody_words(vars(told)))
    (line,) = (x for x in plain(shown, width, 40).splitlines() if x.startswith("   voice"))
    assert "6 dB softer" in line
    assert "than usual" in line
    assert line.count("(") == line.count(")")
    assert "\N{HORIZONTAL ELLIPSIS}" not in line


def test_without_the_spectrogram_the_rest_has_its_room() -> None:
    for width, height in ((80, 24), (80, 40), (120, 40), (200, 50)):
        whole = plan(len(LABELS), width, height)
        rest = plan(len(LABELS), width, height, frozenset({"spectrogram"}))
        assert "spectrogram" not in dict(rest)
        assert sum(rows for _, rows in rest) == height
        for name, rows in whole:
            assert name == "spectrogram" or dict(rest).get(name, 0) >= rows or "gap" in name
        assert "spectrum" not in plain(STATES["spectrogram off"], width, height)


@pytest.mark.parametrize(("width", "height"), [(40, 10), (80, 24), (120, 40), (200, 50), (300, 80)])
def test_room_is_used(width: int, height: int) -> None:
    for absent in ((), ("spectrogram",)):
        planned = plan(len(LABELS), width, height, frozenset({"valence", "prosody", *absent}))
        assert sum(rows for _, rows in planned) == height
        assert sum(rows for name, rows in planned if "gap" in name) <= height / 3
    lines = plain(state(), width, height).splitlines()
    assert any("▸ happy" in line for line in lines)
    assert "q quit" in lines[-1]


def test_letters_and_bars_grow_with_the_terminal() -> None:
    def rows(width: int, height: int) -> tuple[int, int]:
        drawn = dict(plan(len(LABELS), width, height))
        return drawn["verdict"], drawn["bars"]

    assert rows(80, 24) < rows(120, 40) < rows(200, 50) <= rows(300, 80)
    assert rows(200, 50)[0] == 10


def test_the_last_minute_shows_what_there_is_of_it() -> None:
    moments = state().moments[:16]  # eight seconds
    text = plain(state(moments=moments))
    assert "-10 s" in text
    assert "last 10 s" in plain(state(moments=moments), 120, 40)
    lanes = next(x for x in plain(state(moments=moments), 120, 40).splitlines() if "▸ happy" in x)
    assert sum(cell in "▁▂▃▄▅▆▇█" for cell in lanes[-61:]) > 40


def test_no_level_is_shown_when_nothing_is_heard() -> None:
    assert "-23 dB" in plain(STATES["speech"])
    for name in ("paused", "microphone gone"):
        assert "dB" not in plain(STATES[name])


def test_bars_fade_in_silence_and_are_empty_after_ten_seconds() -> None:
    assert "░░░░" in plain(STATES["silence"])
    assert "81 %" in plain(STATES["silence"])
    later = plain(replace(STATES["silence"], since_speech=11.0, headline=None, moments=()))
    assert "81 %" not in later
    assert "0.77" not in later


def test_the_raw_value_stands_as_a_tick_on_the_smoothed_bar() -> None:
    line = next(x for x in plain(state()).splitlines() if "▸ happy" in x)
    assert re.search(r"█+[▏▎▍▌▋▊▉]? +│", line)


def test_silence_is_a_gap_in_the_last_minute() -> None:
    gap = [Moment(i / 2, "silence", None, None) for i in range(40, 60)]
    moments = (*state().moments[:39], *gap, *state().moments[59:])
    line = next(x for x in plain(state(moments=moments)).splitlines() if "last 60 s" in x)
    assert re.search(r" happy +happy", line)


def test_the_last_minute_names_short_stretches_by_letters_that_tell_them_apart() -> None:
    moments = tuple(
        Moment(i / 2, "speech", "sad" if i % 8 < 4 else "surprised", None) for i in range(1, 120)
    )
    line = next(x for x in plain(state(moments=moments)).splitlines() if "last 60 s" in x)
    assert "sa" in line
    assert "su" in line


def test_clipping_overflows_and_skipped_windows_stand_out_in_words() -> None:
    text = plain(STATES["clipping and losing sound"])
    for words in ("CLIP", "▲ overflows 3", "▲ skipped 12", "● REC 0:12:41", "m mark (2)"):
        assert words in text


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
def test_no_key_is_cut_and_help_stays(width: int) -> None:
    *_, keys = plain(state(marks=12), width, 24).splitlines()
    assert re.fullmatch(
        r"   q quit( +space pause)?( +m mark \(12\))?( +1-7 label)?"
        r"( +s spectrogram)?( +t telemetry)? +\? help.*",
        keys,
    )
    assert ("1-7 label" in keys) == (width >= 60)
    assert ("s spectrogram" in keys) == (width >= 80)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_number_of_the_status_line_is_cut(width: int) -> None:
    busy = state(latency=(14.3, 112.6), cpu=0.31, overflows=17, skipped=1234)
    (line,) = (x for x in plain(busy, width, 24).splitlines() if "evidence" in x or "▲" in x)
    assert line.rstrip().endswith("▲ skipped 1234")
    assert "▲ overflows 17" in line
    assert ("compute 14 ms, p95 113" in line) == (width >= 80)


@pytest.mark.parametrize("baseline", ["baseline anna, 90 s", "baseline 84 s"])
def test_a_long_name_of_a_device_gives_way_to_what_else_the_title_says(baseline: str) -> None:
    source = "alsa_input.usb-Very_Long_Brand_USB_Condenser_Microphone-00.analog-stereo"
    title = plain(state(source=source, baseline=baseline, recording=True)).splitlines()[0]
    assert re.match(r" live-ser  alsa_in[^ ]*… · (48 kHz · )?tiny · ", title)
    assert re.search(f" {baseline} +● REC 0:12:41", title)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_baseline_is_never_cut_from_the_title(width: int) -> None:
    shown = state(source="a very long name.wav" * 3, baseline="baseline 84 s", recording=True)
    title = plain(shown, width, 24).splitlines()[0]
    assert "baseline 84 s" in title
    assert "● REC 0:12:41" in title


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_legend_explains_everything_on_as_many_pages_as_it_needs(
    width: int, height: int
) -> None:
    pages = page_count(width, height - 1, Look())
    text = "".join(plain(state(help_page=number), width, height) for number in range(1, pages + 1))
    if width < 40:
        return
    for term in (
        *(
            "q",
            "space",
            "m",
            "1 to 7",
            "s, t",
            "?",
            "large word",
            "A or B",
            "uncertain",
            "listening",
        ),
        *("silence", "▸", "bars", "│", "activation", "last 60 s", "spectrum", "level", "learning"),
        *("baseline", "REC", "▲", "evidence", "compute", "CPU", "overflows", "skipped"),
    ):
        assert f"   {term} " in text
    assert pages == 1 or height < 40


def test_no_color_means_no_colour() -> None:
    for shown in STATES.values():
        codes = re.findall(r"\x1b\[([0-9;]*)m", drawn(shown, environ={"NO_COLOR": "1"}))
        used = {int(code) for group in codes for code in group.split(";") if code}
        assert used <= {0, 1, 2, 4, 7}  # bold, dim, underline, reverse


def test_sixteen_colours_are_enough() -> None:
    for shown in STATES.values():
        codes = re.findall(r"\x1b\[([0-9;]*)m", drawn(shown, colour="standard"))
        used = {int(code) for group in codes for code in group.split(";") if code}
        assert used <= {0, 1, 2, 4, 7, *range(30, 38), *range(90, 98)}


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_ascii_terminals_get_ascii(width: int, height: int) -> None:
    for shown in STATES.values():
        drawn(shown, width, height, encoding="ascii", colour=None)  # strict: raises otherwise
    assert "HAPPY" in drawn(state(), 120, 40, encoding="ascii").replace(" ", "")


HOSTILE = "[bold red]x[/] \x1b[2J\x1b]0;owned\x07 \u202etxt\r\n\ud800 [link=file:///]"


def test_names_act_neither_as_markup_nor_on_the_terminal() -> None:
    labels = (HOSTILE, *LABELS[1:])
    hostile = state(
        source=HOSTILE,
        model=HOSTILE,
        message=HOSTILE,
        labels=labels,
        headline=Headline("speech", (HOSTILE,), 0.81),
        baseline="[x]",
    )
    for width, height in SIZES:
        text = drawn(hostile, width, height, colour=None)
        assert not set(text) & {"\x07", "\r", "\u202e", "\ud800"}
        assert "\x1b" not in text
    assert "[bold red]x[/]" in plain(hostile, 200, 60)


def test_labels_of_any_length_script_and_number_fit() -> None:
    labels = tuple(
        f"{word}{i}" for i, word in enumerate(["боль", "驚き驚き驚き", "a" * 50, "ok"] * 4)
    )
    shares = tuple(0.5 if i == 13 else 0.5 / 15 for i in range(16))
    for width, height in SIZES:
        said = Headline("speech", (labels[13],), 0.5)
        shown = state(labels=labels, headline=said, probabilities=shares, raw=shares, moments=())
        lines = plain(shown, width, height).splitlines()
        assert len(lines) <= height
    assert "50 %" in plain(shown, 80, 24)  # the likeliest is among those that are shown


def test_colours_differ_for_everyone() -> None:
    palette = colours(LABELS)
    assert len({colour.ansi for colour in palette}) == len(LABELS)
    rgb = np.array([[int(c.hex[i : i + 2], 16) for i in (1, 3, 5)] for c in palette]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert ((luminance + 0.05) / 0.05).min() > 2.5  # on black
    assert (1.05 / (luminance + 0.05)).min() > 2.5  # on white
    for sight in SIGHTS.values():
        lab = oklab(np.clip(linear @ np.array(sight).T, 0, 1))
        nearest = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(lab, 2))
        assert nearest > 0.1


# Machado, Oliveira and Fernandes 2009, severity 1.
SIGHTS = {
    "ordinary": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip


def oklab(linear: np.ndarray) -> np.ndarray:
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.asarray(np.cbrt(linear @ np.array(to_lms).T) @ np.array(to_lab).T)


class Terminal(io.StringIO):
    """Remembers what was written since it was last asked."""

    def new(self) -> str:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def dashboard(width: int = 80, height: int = 24) -> tuple[Dashboard, Terminal, Console]:
    terminal = Terminal()
    console = Console(
        file=terminal,
        width=width,
        height=height,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )
    return Dashboard(console, tiny_info(), "Microphone", 48000), terminal, console


def prediction(end: float, **changes: object) -> Prediction:
    shares = {"neutral": 0.1, "happy": 0.7, "sad": 0.1, "angry": 0.1}
    values: dict[str, object] = {
        "start": max(0.0, end - 3.5),
        "end": end,
        "state": "speech",
        "label": "happy",
        "confidence": 0.7,
        "probabilities": shares,
        "raw": shares,
        "activation": 0.6,
        "speech": 0.8,
        "evidence": 2.8,
        "since_speech": 0.0,
        "level_db": -23.0,
        "latency_ms": 3.0,
    }
    return Prediction(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which it is always time to draw."""
    ticks = itertools.count()
    monkeypatch.setattr("live_ser.dashboard.dashboard.time.monotonic", lambda: next(ticks) / 10)


def rows(text: str) -> set[int]:
    """The rows of the screen that were written, the first is 1."""
    return {int(row) for row in re.findall(r"\x1b\[(\d+);1H", text)}


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (40, 10), (60, 8)])
def test_each_voice_has_a_lane(width: int, height: int) -> None:
    text = plain(STATES["two voices"], width, height)
    lines = text.splitlines()
    (agent,) = (number for number, line in enumerate(lines) if " agent " in line)
    (caller,) = (number for number, line in enumerate(lines) if " caller " in line)
    assert agent < caller
    assert "happy 81 %, 4 s ago" in " ".join(lines[caller:])
    assert "baseline 12 s" in lines[agent]
    for lane in (lines[agent:caller], lines[caller:]):
        assert any("last 60 s" in line or "-60 s" in line for line in lane)


def test_voices_that_there_is_no_room_for_are_counted() -> None:
    text = plain(STATES["twelve voices"], 80, 24)
    shown = text.count("channel ")
    assert shown == 7
    assert "5 more than there is room for" in text


@pytest.mark.usefixtures("instant")
def test_each_voice_has_its_own_level_and_verdict() -> None:
    voices = (Voice(1, "agent"), Voice(2))
    console = Console(file=Terminal(), width=80, height=24, force_terminal=True, _environ={})
    shown = Dashboard(console, tiny_info(), "call.wav", 16000, voices=voices)
    with shown:
        loud = np.tile(np.asarray([0.5, -0.5], np.float32), 800)
        shown.block(np.stack([loud, np.zeros_like(loud)], axis=1))
        shown.window(prediction(0.5, channel=1, speaker="agent", baseline=3.0))
        shown.window(prediction(0.5, channel=2, state="silence", label=None, probabilities=None))
    agent, other = shown.state.lanes
    assert (agent.voice, agent.state, agent.baseline) == ("agent", "speech", "baseline 3 s")
    assert (other.voice, other.state, other.baseline) == ("channel 2", "silence", "")
    assert agent.level.rms > -20 > other.level.rms


@pytest.mark.usefixtures("instant")
@pytest.mark.parametrize(("key", "what"), [("s", "spectrogram"), ("t", "telemetry")])
def test_a_key_that_shows_what_there_is_no_room_for_says_so(key: str, what: str) -> None:
    shown, terminal, _ = dashboard(40, 10)
    with shown:
        for _ in range(2 if key == "s" else 1):  # off, and on again
            shown.key(key)
        shown.status(Status(source="Microphone", native_rate=48000))
        assert f"no room for the {what}" in terminal.new()


def test_a_notice_stands_beside_the_keys_of_the_legend() -> None:
    last = plain(state(help_page=1, message="paper jam")).splitlines()[-1]
    assert "? next page   Esc close" in last
    assert "paper jam" in last


@pytest.mark.usefixtures("instant")
def test_nothing_is_drawn_again_that_has_not_changed() -> None:
    shown, terminal, _ = dashboard()
    with shown:
        shown.block(np.full(1600, 0.1, np.float32))
        shown.window(prediction(0.5))
        terminal.new()
        shown.block(np.zeros(0, np.float32))
        assert terminal.new() == ""
        shown.block(np.zeros(800, np.float32))  # half a column: the level alone
        assert len(rows(terminal.new())) == 1
        shown.window(prediction(0.9))
        assert 1 not in rows(terminal.new())  # the title stays


@pytest.mark.usefixtures("instant")
def test_a_new_size_is_drawn_whole() -> None:
    shown, terminal, console = dashboard()
    with shown:
        shown.window(prediction(0.5))
        terminal.new()
        console.width, console.height = 120, 40
        shown.block(np.zeros(0, np.float32))
        text = terminal.new()
        assert "\x1b[2J" in text or "\x1b[H\x1b[2J" in text
        assert rows(text) >= set(range(1, 36))


def test_everything_is_drawn_again_when_something_else_wrote_on_the_screen() -> None:
    shown, terminal, _ = dashboard()
    with shown:
        shown.window(prediction(0.5))
        terminal.new()
        shown.key(REDRAW)
        assert rows(terminal.new()) == set(range(1, 25))


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, RuntimeError])
def test_the_terminal_is_given_back_on_every_way_out(error: type[BaseException] | None) -> None:
    shown, terminal, _ = dashboard()

    def use() -> None:
        with shown:
            assert "\x1b[?1049h" in terminal.getvalue()
            if error:
                raise error

    if error:
        with pytest.raises(error):
            use()
    else:
        use()
    assert terminal.getvalue().rindex("\x1b[?1049l") > terminal.getvalue().rindex("\x1b[?1049h")
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")


@pytest.mark.usefixtures("instant")
def test_the_keys_toggle_help_and_spectrogram_and_messages_come_and_go() -> None:
    shown, terminal, _ = dashboard()
    status = Status(source="Microphone", native_rate=48000)
    with shown:
        shown.key("?")
        assert "pause, and go on" in terminal.new()
        shown.key("?")
        assert "No sound leaves this process" in terminal.new()
        shown.key("?")
        assert "8 kHz" in terminal.new()
        shown.key("?")
        assert "pause, and go on" in terminal.new()
        shown.key(pressed.ESCAPE)
        assert "8 kHz" in terminal.new()
        shown.key("t")
        assert "evidence" in terminal.new()
        shown.key("t")
        assert "evidence" not in terminal.new()
        shown.key("s")
        off = terminal.new()
        assert off
        assert "8 kHz" not in off
        shown.key("s")
        assert "8 kHz" in terminal.new()
        shown.status(replace(status, message="microphone gone, trying again"))
        text = terminal.new()
        assert "microphone gone, trying again" in text
        assert "the source gives no sound" in text
        shown.status(status)
        text = terminal.new()
        assert "trying again" not in text
        assert "quit" in text


@pytest.mark.usefixtures("instant")
def test_the_meter_holds_its_peak_and_marks_clipping() -> None:
    tone = np.tile(np.asarray([1, -1], np.float32), 800)
    shown, _, _ = dashboard()
    with shown:
        shown.block(tone)
        shown.block(0.001 * tone)
        assert shown.state.level.clipped
        assert shown.state.level.peak == pytest.approx(0, abs=0.1)
        assert shown.state.level.rms < -3
        for _ in range(40):
            shown.block(0.001 * tone)
        assert not shown.state.level.clipped
        assert shown.state.level.peak < -40


@pytest.mark.usefixtures("instant")
def test_a_session_remembers_a_minute() -> None:
    shown, _, _ = dashboard()
    with shown:
        for i in range(1, 200):
            shown.window(prediction(i / 2))
            shown.block(np.zeros(8000, np.float32))
        assert len(shown.state.moments) <= 121
        assert len(shown.state.spectrogram) <= 400


def test_it_is_drawn_only_where_a_terminal_can() -> None:
    assert not Dashboard.possible(Console(file=io.StringIO(), _environ={}))
    dumb = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    assert not Dashboard.possible(dumb)
    assert Dashboard.possible(Console(file=io.StringIO(), force_terminal=True, _environ={}))


@pytest.mark.parametrize(("valence", "activation"), [(0.9, 0.9), (-0.9, 0.1)])
def test_where_there_is_room_a_plane_shows_valence_and_activation(
    valence: float, activation: float
) -> None:
    lines = plain(state(valence=valence, activation=activation), 200, 60).splitlines()
    middle = max(i for i, line in enumerate(lines) if "unpleasant ─" in line)  # the last one
    left, right = (lines[middle].rindex(word) for word in ("unpleasant ─", "─ pleasant"))
    top = max(i for i in range(middle) if "  aroused  " in lines[i][left:])
    bottom = min(i for i in range(middle, len(lines)) if "  calm  " in lines[i][left:])
    (mark,) = [(i, at) for i in range(top, bottom + 1) if (at := lines[i].find("●", left)) > 0]
    assert (mark[0] < middle) == (activation > 0.5)
    assert (mark[1] > (left + right) / 2) == (valence > 0)
