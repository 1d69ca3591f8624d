"""Results show themselves in notebooks."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import live_ser
from live_ser.api.live_picture import LivePicture
from tests.support.scripted_microphone import ScriptedMicrophone, in_blocks

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook.ipynb"


def test_a_verdict_shows_its_label_and_a_bar_for_each_emotion(
    tiny_model: Path, speech: Path
) -> None:
    model = live_ser.load(tiny_model)
    verdict = model.predict(speech)
    shown = verdict._repr_html_()
    assert verdict.label is not None
    assert verdict.label in shown
    assert all(f">{label}</td>" in shown for label in model.info.labels)


def test_results_are_drawn_along_time(tiny_model: Path, speech: Path) -> None:
    model = live_ser.load(tiny_model)
    segments, timeline = model.segments(speech), model.timeline(speech)
    assert segments._repr_html_().count("<rect") == len(segments)
    labelled = [prediction for prediction in timeline if prediction.label is not None]
    assert timeline._repr_html_().count("<rect") == len(labelled)


def test_silence_shows_that_nothing_was_found(tiny_model: Path) -> None:
    model = live_ser.load(tiny_model)
    silence = np.zeros(48000, np.float32)
    assert "nothing was found" in model.segments(silence, 48000)._repr_html_()
    assert "silence" in model.predict(silence, 48000)._repr_html_()


def test_a_label_that_is_markup_is_shown_as_text(tiny_model: Path, speech: Path) -> None:
    verdict = live_ser.load(tiny_model).predict(speech)
    hostile = live_ser.Verdict(**{**vars(verdict), "label": "<b>", "probabilities": {"<b>": 1.0}})
    assert "<b>" not in hostile._repr_html_()


def test_times_that_cannot_be_are_not_drawn(tiny_model: Path, speech: Path) -> None:
    segment = live_ser.load(tiny_model).segments(speech)[0]
    shares = {"a\x07b": 1.0}
    good = replace(segment, label="a\x07b", confidence=1.0, probabilities=shares)
    odd = [replace(good, end=float("inf")), replace(good, start=float("nan"))]
    shown = live_ser.Results([good, *odd])._repr_html_()
    assert shown.count("<rect") == 1
    assert "a\N{REPLACEMENT CHARACTER}b" in shown
    assert "\x07" not in shown
    assert "nothing was found" in live_ser.Results(odd)._repr_html_()


def test_the_microphone_is_drawn_live(
    tiny_model: Path, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    display = pytest.importorskip("IPython.display")
    pictures: list[str] = []

    class Cell:
        def update(self, picture: Any) -> None:
            pictures.append(picture.data)

    def first(picture: Any, display_id: bool) -> Cell:
        pictures.append(picture.data)
        return Cell()

    monkeypatch.setattr(display, "display", first)
    samples, rate = soundfile.read(speech, dtype="float32")
    microphone = ScriptedMicrophone(rate, in_blocks(samples, rate))
    heard = iter(live_ser.listen(model=tiny_model, display=True, opener=microphone))
    newest = next(heard)
    heard.close()
    assert newest.state in pictures[-1] or str(newest.label) in pictures[-1]

    picture = LivePicture()  # as a session that goes on
    for prediction in live_ser.load(tiny_model).timeline(speech):
        picture.show(prediction)
        assert prediction.state in pictures[-1] or str(prediction.label) in pictures[-1]


def test_without_ipython_the_error_names_what_to_install(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.delitem(sys.modules, "IPython.display", raising=False)
    with pytest.raises(live_ser.MissingExtra) as raised:
        live_ser.listen(model=tiny_model, display=True)
    assert "live-ser[notebook]" in raised.value.hint


def test_the_example_runs() -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells = [
        cell for cell in notebook.cells if "microphone" not in cell.metadata.get("tags", [])
    ]
    nbclient.NotebookClient(notebook, timeout=120).execute()
    shown = [
        output.data.get("text/html", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    assert sum("<svg" in text for text in shown) == 2
