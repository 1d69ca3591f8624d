"""``import live_ser`` classifies files, samples and microphones in a few lines."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import pickle
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import aclosing
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile
import soxr

import live_ser
from live_ser import InvalidArgument, LiveSerError, Model, Prediction, Segment
from live_ser.audio.blocks import Samples
from live_ser.cli.errors import in_options
from live_ser.inference.monitor import Monitor
from live_ser.inference.recordings import analyse
from live_ser.inference.results import Results
from tests.support.command import live_ser as command
from tests.support.command import records
from tests.support.scripted_microphone import ScriptedMicrophone, in_blocks


def closed() -> io.BytesIO:
    """A file that is closed."""
    file = io.BytesIO(b"RIFF")
    file.close()
    return file


class WriteOnly(io.RawIOBase):
    """A file that is open for writing."""

    def writable(self) -> bool:
        return True


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return live_ser.load(tiny_model)


def test_files_and_samples_are_classified_as_the_command_line_classifies_them(
    model: Model, speech: Path, tiny_model: Path
) -> None:
    words = ["file", speech, "--timeline", "--format", "jsonl", "--model", tiny_model]
    *windows, clip = records(command(*words).stdout)
    verdict = model.predict(speech)
    assert verdict.probabilities == pytest.approx(clip["probabilities"], abs=1e-5)
    assert (verdict.label, verdict.state) == (clip["label"], clip["state"])
    timeline = model.timeline(str(speech))
    assert [p.end for p in timeline] == pytest.approx([w["end"] for w in windows], abs=1e-3)
    assert [p.label for p in timeline] == [w["label"] for w in windows]
    samples, rate = soundfile.read(speech)
    assert model.predict(samples, rate).probabilities == pytest.approx(
        clip["probabilities"], abs=1e-5
    )
    assert len(model.segments(samples, rate)) == 2


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.int32, np.uint8])
def test_samples_of_every_type_and_number_of_channels_mean_the_same(
    model: Model, speech: Path, kind: type
) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    expected = model.predict(samples, rate).probabilities
    given = samples
    if np.dtype(kind).kind != "f":
        half = np.iinfo(kind).max // 2 + 1 if kind is np.uint8 else np.iinfo(kind).max
        given = samples * (half - 1) + (128 if kind is np.uint8 else 0)
    given = np.stack([given, given], axis=1).astype(kind)
    rough = 0.05 if kind is np.uint8 else 1e-3
    assert model.predict(given, rate).probabilities == pytest.approx(expected, abs=rough)


@pytest.mark.parametrize(
    ("samples", "rate", "said"),
    [
        (np.zeros(100), None, "rate"),
        (np.zeros((2, 48000)), 48000, "[n, channels]"),
        (np.zeros((3, 3, 3)), 48000, "shape"),
        (["sound"], 48000, "numbers"),
        (np.full(48000, np.nan), 48000, "nan"),
        (np.full(48000, 32767.0), 48000, "32767"),
        (np.zeros(48000), 1, "Hz"),
        (np.zeros(48000), -1, "Hz"),
        (np.zeros(48000), float("nan"), "Hz"),
        (np.zeros(48000), "16000", "rate: '16000' is no number"),
        (np.zeros(48000, np.int64), 48000, "integers of 64 bits"),
        ([1, -2, 3], 48000, "integers of 64 bits"),
        (b"RIFF", 48000, "sound: bytes"),
        (None, 48000, "sound: NoneType"),
        (io.StringIO("RIFF"), None, "open as text"),
        (closed(), None, "the file is closed"),
        (io.BufferedWriter(WriteOnly()), None, "not open for reading"),
        (np.full(10, 1e300), 16000, "1e+300"),
        ([[1.0, 2.0], [3.0]], 48000, "sound:"),
        ("missing.wav", None, "missing.wav"),
    ],
)
def test_what_is_no_sound_is_refused_with_what_to_try(
    model: Model, samples: object, rate: float | None, said: str
) -> None:
    with pytest.raises(LiveSerError) as caught:
        model.predict(samples, rate)  # type: ignore[arg-type]
    assert said in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint


@pytest.mark.parametrize("blocks", [None, 5, 0.5])
def test_blocks_that_are_none_are_refused(model: Model, blocks: object) -> None:
    with pytest.raises(InvalidArgument, match="is no iterable of arrays"):
        model.monitor(blocks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (None, "blocks: NoneType"),
        (b"RIFF", "blocks: bytes"),
        (np.zeros((800, 2)), "is not mono"),
        (np.zeros(800, np.int64), "integers of 64 bits"),
        (np.full(800, np.inf), "inf"),
    ],
)
def test_a_block_that_is_no_mono_sound_is_refused(model: Model, block: Any, said: str) -> None:
    for classify in (Monitor, analyse):
        with pytest.raises(LiveSerError, match=said) as caught:
            list(classify(model.network, [block]))
        assert caught.value.hint


def test_mono_is_mono_whatever_its_shape_and_type(model: Model, speech: Path) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    expected = model.predict(samples, rate)
    assert model.predict(samples[:, np.newaxis], rate) == expected
    assert model.predict(samples[np.newaxis], rate) == expected
    assert model.predict(samples.tolist(), rate) == expected
    at_model_rate = soxr.resample(samples, rate, 16000)
    blocks = [at_model_rate[i : i + 8000] for i in range(0, len(at_model_rate), 8000)]
    ends = [p.label for p in model.monitor(blocks)]
    assert [p.label for p in model.monitor([b[np.newaxis] for b in blocks])] == ends
    assert [p.label for p in model.monitor([b.astype(np.float64) for b in blocks])] == ends


@pytest.mark.parametrize("ending", ["flac", "mp3"])
def test_a_file_object_is_classified_as_its_file(
    model: Model, speech: Path, tmp_path: Path, ending: str
) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path / f"clip.{ending}"
    soundfile.write(path, samples, rate)
    expected = model.predict(path)
    with path.open("rb") as file:
        assert model.predict(file) == expected
        assert not file.closed
    held = io.BytesIO(path.read_bytes())
    assert model.predict(held) == expected
    held.seek(0)
    assert model.timeline(held)[-1].end == model.timeline(path)[-1].end
    with pytest.raises(LiveSerError, match="the sound is not a sound file"):
        model.predict(io.BytesIO(b"this is no sound"))


def test_a_buffer_may_be_used_again_once_it_was_given(model: Model, speech: Path) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    sound = soxr.resample(samples, rate, 16000)
    buffer = np.zeros(1000, np.float32)

    def refilled() -> Iterator[Samples]:
        for start in range(0, len(sound) - 1000, 1000):
            buffer[:] = sound[start : start + 1000]
            yield buffer

    apart = [sound[i : i + 1000] for i in range(0, len(sound) - 1000, 1000)]
    expected = [p.raw for p in model.monitor(apart)]
    assert [p.raw for p in model.monitor(refilled())] == expected
    assert list(analyse(model.network, refilled())) == list(analyse(model.network, apart))


def test_a_recording_that_does_not_fit_in_memory_is_given_result_by_result(
    model: Model, speech: Path
) -> None:
    *results, verdict = model.analyse(speech)
    assert verdict == model.predict(speech)
    assert [r for r in results if isinstance(r, Segment)] == model.segments(speech)
    windows = [r.end for r in results if isinstance(r, Prediction)]
    assert windows == [p.end for p in model.timeline(speech)]


def test_an_option_of_reading_that_there_is_not_is_refused(model: Model, speech: Path) -> None:
    with pytest.raises(TypeError, match="chanel"):
        model.predict(speech, chanel=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda model, _: live_ser.load(cast("Any", 3)), "model: int is neither"),
        (lambda model, _: live_ser.load(cast("Any", 0)), "model: int is neither"),
        (lambda model, clip: model.predict(clip, raw="s16le"), "raw: 's16le' is no format"),
        (lambda model, clip: model.timeline(clip, hop="1"), "hop: '1' is no number"),
        (lambda model, clip: model.timeline(clip, smoothing=True), "smoothing: True is no number"),
        (lambda model, clip: model.at(clip, [(0, 1, "anna", 2)]), "intervals: (0, 1, 'anna', 2)"),
        (lambda model, clip: model.at(clip, 5), "intervals: int is no sequence"),
        (lambda model, _: model.stream().gap(float("nan")), "gap: nan s is no length"),
        (lambda model, _: model.stream().gap(-1), "gap: -1 s is no length"),
        (lambda model, _: model.with_profile(5), "5 is no name for a profile"),
    ],
)
def test_an_argument_of_another_type_is_refused_in_one_line(
    model: Model, speech: Path, call: Callable[[Model, Path], object], said: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call(model, speech)
    assert said in caught.value.message
    assert caught.value.hint


def test_results_can_be_kept_in_sets(model: Model, speech: Path) -> None:
    assert len({model.predict(speech), model.predict(speech)}) == 1
    assert len(set(model.segments(speech))) == 2
    timeline = model.timeline(speech)
    assert len(set(timeline)) == len(timeline)


def test_no_samples_are_silence(model: Model) -> None:
    assert model.predict([], 16000).state == "silence"
    assert list(model.timeline(np.zeros(0), 16000)) == []


def test_results_are_dictionaries_that_json_holds(model: Model, speech: Path) -> None:
    for result in (model.predict(speech), *model.timeline(speech), *model.segments(speech)):
        assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
        assert result.to_dict()["state"] == result.state


def test_results_are_tables_where_pandas_is_installed(model: Model, speech: Path) -> None:
    pytest.importorskip("pandas")
    timeline = model.timeline(speech)
    table = timeline.to_frame()
    assert len(table) == len(timeline)
    assert list(table["end"]) == [p.end for p in timeline]
    classified = table[table["state"] == "speech"]
    columns = [f"p_{label}" for label in model.info.labels]
    assert np.allclose(classified[columns].sum(axis=1), 1, atol=1e-5)
    assert table[table["state"] == "silence"][columns].isna().all(axis=None)
    assert len(model.segments(speech).to_frame()) == 2
    nothing = np.zeros(32_000, np.float32)
    assert list(model.timeline(nothing, 16_000).to_frame().columns) == list(table.columns)
    assert set(columns) < set(model.segments(nothing, 16_000).to_frame().columns)
    assert model.predict(speech).to_frame()["label"].tolist() == [model.predict(speech).label]


def test_a_table_without_pandas_is_one_line_that_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(LiveSerError) as caught:
        Results([]).to_frame()
    assert "pip install 'live-ser[tables]'" in caught.value.hint


def test_a_model_travels_to_a_process_that_was_spawned(model: Model, speech: Path) -> None:
    with get_context("spawn").Pool(1) as pool:
        verdict = pool.apply(model.predict, [str(speech)])
    assert verdict == model.predict(speech)


def test_listening_gives_predictions_and_closes_the_microphone_when_it_is_left(
    tiny_model: Path, speech: Path
) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    scripted = ScriptedMicrophone(rate, in_blocks(samples, rate))
    opened: list[Any] = []

    def opener(*words: Any, **options: Any) -> Any:
        opened.append(scripted(*words, **options))
        return opened[-1]

    for prediction in live_ser.listen(model=tiny_model, opener=opener, reconnect=False):
        assert prediction.end % 0.5 == 0
        assert not opened[0].closed.is_set()
        break
    assert opened[0].closed.is_set()
    assert len(opened) == 1


def test_listening_works_beside_other_tasks(tiny_model: Path, speech: Path) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    opened: list[Any] = []

    def opener(*words: Any, **options: Any) -> Any:
        opened.append(ScriptedMicrophone(rate, in_blocks(samples, rate))(*words, **options))
        return opened[-1]

    async def watch(most: int) -> list[float]:
        ends = []
        listening = live_ser.listen(model=tiny_model, opener=opener)
        async with aclosing(aiter(listening)) as predictions:
            async for prediction in predictions:
                ends.append(prediction.end)
                if len(ends) == most:
                    break
        return ends

    async def both() -> list[float]:
        ends, _ = await asyncio.gather(watch(1), asyncio.sleep(0))
        return ends

    (end,) = asyncio.run(both())
    assert end % 0.5 == 0
    assert opened[0].closed.is_set()

    async def cancelled() -> None:
        task = asyncio.create_task(watch(1000))
        while len(opened) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert opened[1].closed.is_set()


def test_importing_loads_nothing_until_it_is_asked_for() -> None:
    code = "import sys, live_ser; print('numpy' in sys.modules); print(live_ser.load.__name__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "load"]
    assert set(live_ser.__all__) <= set(dir(live_ser))
    with pytest.raises(AttributeError, match="nonsense"):
        live_ser.nonsense  # noqa: B018


def test_what_the_documents_import_is_declared() -> None:
    text = (Path(__file__).parents[2] / "docs" / "python.md").read_text("utf-8")
    assert re.findall(r"^ *(?:from|import) live_ser\.\S+", text, re.M) == []
    for names in re.findall(r"^ *from live_ser import (.*)", text, re.M):
        assert set(names.split(", ")) <= set(live_ser.__all__)
    used = set(re.findall(r"\blive_ser\.([A-Za-z]\w*)", text))
    assert used <= set(live_ser.__all__)
    for name in live_ser.__all__:
        assert getattr(live_ser, name) is not None


def test_an_error_says_of_which_kind_it_is_and_survives_another_process(
    model: Model, tmp_path: Path
) -> None:
    with pytest.raises(live_ser.ModelError):
        live_ser.load(tmp_path / "missing.onnx")
    with pytest.raises(live_ser.AudioError):
        model.predict(tmp_path / "missing.wav")
    with pytest.raises(live_ser.InvalidArgument) as caught:
        model.timeline(np.zeros(16000), 16000, hop=100)
    assert "`hop`" in caught.value.hint
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.message, again.hint) == (
        live_ser.InvalidArgument,
        caught.value.message,
        caught.value.hint,
    )


def test_the_library_speaks_of_no_option_of_the_command_line() -> None:
    package = Path(live_ser.__file__).parent
    # These have options of their own.
    programs = ("pip", "curl", "dask", "--nthreads", "python -m training")
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] in ("cli", "dashboard"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                line = node.value
                if "\n" not in line and not any(program in line for program in programs):
                    assert not re.search(r"(?<!\w)(?<!var\()--[a-z]", line), f"{path}: {line}"


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("classify what there is: `partial=True`", "classify what there is: --partial"),
        ("leave out `track`", "leave out --track"),
        ("`channels=2`, or leave it out", "--channels 2, or leave it out"),
        ("`raw=RawFormat('s16le', rate=8000, channels=1)`", "--raw s16le --rate 8000 --channels 1"),
        ("without `reconnect=False` it is", "without --no-reconnect it is"),
        ("`output=FOLDER/`", "-o FOLDER/"),
        ("take what `live-ser listen` writes", "take what live-ser listen writes"),
    ],
)
def test_the_command_line_shows_its_options_where_the_library_names_arguments(
    hint: str, shown: str
) -> None:
    assert in_options(hint) == shown


def test_a_damaged_mp3_writes_nothing_on_the_callers_terminal(
    model: Model, speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    samples, rate = soundfile.read(speech, dtype="float32")
    path = tmp_path / "damaged.mp3"
    soundfile.write(path, samples, rate, format="MP3")
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(2000, len(data), 200):
        data[place] = rng.integers(256)
    path.write_bytes(data)
    unsilenced = "import soundfile, sys; soundfile.read(sys.argv[1])"
    run = subprocess.run([sys.executable, "-c", unsilenced, path], capture_output=True, check=False)
    assert b"libmpg123" in run.stderr  # else nothing is shown here
    with warnings.catch_warnings(action="ignore"):
        model.predict(path, partial=True)
    assert capfd.readouterr() == ("", "")
