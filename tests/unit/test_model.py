"""A model file says all that the runtime has to know, or it is refused in one line."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_ser.errors import LiveSerError
from live_ser.model import onnx_model as model_module
from live_ser.model.onnx_model import EmotionModel, find, load, shipped_models
from live_ser.spec import METADATA_KEY, ModelInfo
from tests.support.command import live_ser, records
from tests.support.tiny_model import LABELS, tiny_info, write_model


def test_probabilities_are_in_the_order_of_the_labels(tiny_model: Path) -> None:
    model = load(tiny_model)
    frames = np.full((100, model.info.features.n_mels), -40, np.float32)
    output = model.predict(frames)
    assert output.probabilities.shape == (len(LABELS),)
    assert output.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert 0 <= output.activation <= 1


def test_the_metadata_travels_unchanged(tiny_model: Path) -> None:
    assert load(tiny_model).info == tiny_info()
    assert ModelInfo.from_json(tiny_info().to_json()) == tiny_info()


def test_a_model_prints_itself_and_travels_to_another_process(tiny_model: Path) -> None:
    model = load(tiny_model)
    assert "neutral, happy, sad, angry" in repr(model)
    assert pickle.loads(pickle.dumps(model)).info == model.info


def test_info_shows_the_card(tiny_model: Path) -> None:
    run = live_ser("info", tiny_model)
    assert run.returncode == 0
    for word in ("tiny", *LABELS, "16000 Hz", "3.5 s", "MIT"):
        assert word in run.stdout
    assert live_ser("info", "--model", tiny_model).stdout == run.stdout
    (card,) = records(live_ser("info", tiny_model, "--format", "jsonl").stdout)
    assert card["labels"] == list(LABELS)


def not_onnx(path: Path) -> None:
    path.write_bytes(b"not a network" * 100)


def empty(path: Path) -> None:
    path.touch()


def without_metadata(path: Path) -> None:
    rewrite(path, lambda props: props.clear())


def of_another_schema(path: Path) -> None:
    rewrite(path, lambda props: props.update({METADATA_KEY: '{"schema": 99}'}))


def with_another_label(path: Path) -> None:
    info = replace(tiny_info(), labels=(*LABELS, "bored"))
    rewrite(path, lambda props: props.update({METADATA_KEY: info.to_json()}))


def with_other_mels(path: Path) -> None:
    librosa_filters = pytest.importorskip("librosa.filters")
    from live_ser.spec import pack_matrix

    mel = librosa_filters.mel(sr=16000, n_fft=400, n_mels=20, fmin=50, fmax=8000)
    features = replace(tiny_info().features, n_mels=20, mel_basis=pack_matrix(mel))
    info = replace(tiny_info(), features=features)
    rewrite(path, lambda props: props.update({METADATA_KEY: info.to_json()}))


def that_asks_for_much(path: Path) -> None:
    """Two gigabytes, out of a few bytes."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(write_model(path, tiny_info())))
    size = onnx.helper.make_tensor("size", onnx.TensorProto.INT64, [1], [2**29])
    model.graph.initializer.append(size)
    model.graph.node.append(onnx.helper.make_node("ConstantOfShape", ["size"], ["much"]))
    much = onnx.helper.make_tensor_value_info("much", onnx.TensorProto.FLOAT, None)
    model.graph.output.append(much)
    onnx.save(model, str(path))


def that_never_ends(path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    model = onnx.load(str(write_model(path, tiny_info())))
    inputs: list[tuple[str, Any, Any]] = [
        ("i", types.INT64, []),
        ("go_on", types.BOOL, []),
        ("x", types.FLOAT, None),
    ]
    outputs: list[tuple[str, Any, Any]] = [("again", types.BOOL, []), ("y", types.FLOAT, None)]
    steps = [
        helper.make_node("Identity", [before], [after])
        for before, after in (("go_on", "again"), ("x", "y"))
    ]
    body = helper.make_graph(
        steps,
        "body",
        *([helper.make_tensor_value_info(*value) for value in ends] for ends in (inputs, outputs)),
    )
    (last,) = (node for node in model.graph.node if "activation" in node.output)
    last.output[:] = ["first"]
    model.graph.initializer.append(helper.make_tensor("true", types.BOOL, [], [True]))
    model.graph.node.append(
        helper.make_node("Loop", ["", "true", "first"], ["activation"], body=body)
    )
    onnx.save(model, str(path))


def that_computes_while_it_loads(path: Path) -> None:
    """Products of constants, which could all be computed beforehand: seconds, of a few bytes."""
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    model = onnx.load(str(write_model(path, tiny_info())))
    model.graph.initializer.append(helper.make_tensor("size", types.INT64, [2], [1500, 1500]))
    ones = helper.make_tensor("one", types.FLOAT, [1], [1.0])
    model.graph.node.append(helper.make_node("ConstantOfShape", ["size"], ["0"], value=ones))
    for i in range(60):
        model.graph.node.append(helper.make_node("MatMul", [f"{i}", "0"], [f"{i + 1}"]))
    model.graph.output.append(helper.make_tensor_value_info("60", types.FLOAT, None))
    onnx.save(model, str(path))


def that_is_written_sparse(path: Path) -> None:
    """Two gigabytes, of which all but four bytes are zeros that are not written."""
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    model = onnx.load(str(write_model(path, tiny_info())))
    value = helper.make_tensor("value", types.FLOAT, [1], [1.0])
    place = helper.make_tensor("place", types.INT64, [1], [0])
    sparse = helper.make_sparse_tensor(value, place, [2**29])
    model.graph.node.append(helper.make_node("Constant", [], ["much"], sparse_value=sparse))
    model.graph.output.append(helper.make_tensor_value_info("much", types.FLOAT, None))
    onnx.save(model, str(path))


def that_doubles_and_doubles(path: Path) -> None:
    """Functions each of which is the one before it, twice: hundreds of thousands of nodes."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    model = onnx.load(str(write_model(path, tiny_info())))
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("ours", 1)]
    for i in range(18):
        name, domain = (f"f{i - 1}", "ours") if i else ("Neg", "")
        nodes = [helper.make_node(name, [a], [b], domain=domain) for a, b in ("xy", "yz")]
        model.functions.append(helper.make_function("ours", f"f{i}", ["x"], ["z"], nodes, sets))
    model.opset_import.append(sets[1])
    model.graph.node.append(helper.make_node("f17", ["activation"], ["last"], domain="ours"))
    model.graph.output.append(helper.make_tensor_value_info("last", 1, None))
    onnx.save(model, str(path))


def of_too_many_parts(path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(write_model(path, tiny_info())))
    nodes = [onnx.helper.make_node("Neg", ["activation"], [str(i)]) for i in range(30_000)]
    model.graph.node.extend(nodes)
    onnx.save(model, str(path))


def that_is_torn(path: Path) -> None:
    path.write_bytes(write_model(path, tiny_info()).read_bytes()[:-100])


def rewrite(path: Path, change: Callable[[dict[str, str]], Any]) -> None:
    onnx = pytest.importorskip("onnx")
    write_model(path, tiny_info())
    model = onnx.load(str(path))
    props = {prop.key: prop.value for prop in model.metadata_props}
    change(props)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, props)
    onnx.save(model, str(path))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (not_onnx, "not a model"),
        (empty, "0 bytes"),
        (without_metadata, "no live-ser metadata"),
        (of_another_schema, "schema 99"),
        (with_another_label, "5 labels"),
        (with_other_mels, "20 mels"),
        (that_asks_for_much, "MiB"),
        (that_never_ends, "in 1 s"),
        (that_computes_while_it_loads, "in 1 s"),
        (that_is_written_sparse, "sparse tensors"),
        (that_doubles_and_doubles, "functions"),
        (of_too_many_parts, "100000 parts"),
        (that_is_torn, "not a model"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_in_one_line(
    tmp_path: Path,
    spoil: Callable[[Path], None],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(model_module, "_PATIENCE", 1.0)
    path = tmp_path / "spoilt.onnx"
    spoil(path)
    with pytest.raises(LiveSerError) as caught:
        load(path)
    assert said in caught.value.message
    assert "\n" not in caught.value.message
    assert capfd.readouterr().out == ""  # that is for data alone


def test_a_model_that_does_not_fit_is_refused_before_the_microphone_opens(tmp_path: Path) -> None:
    path = tmp_path / "spoilt.onnx"
    not_onnx(path)
    run = live_ser("listen", "--model", path)
    assert run.returncode == 1
    assert "not a model" in run.stderr.splitlines()[0]
    assert "microphone" not in run.stderr


def test_a_model_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(LiveSerError) as caught:
        find("no-such-model")
    assert "models that came with it" in caught.value.hint


def test_the_class_refuses_what_the_loader_refuses(tmp_path: Path) -> None:
    with pytest.raises(LiveSerError):
        EmotionModel(tmp_path / "missing.onnx")


def test_the_model_for_any_use_comes_by_its_name() -> None:
    """Its licence, what it was trained on, and the same outputs as the default one has."""
    if "live_ser_open" not in shipped_models():
        pytest.skip("the model is not there")
    default, free = load(), load("live_ser_open")
    assert free.info.licence == "CC-BY-4.0"
    assert free.info.provenance["corpora"] == ["emodb", "banglaser", "emogator"]
    assert default.info.learnt_from["speakers"] > 500  # the head's, not the network's 77
    assert free.info.provenance["encoder"]["licence"] == "Apache-2.0"
    card = [re.split("  +", line.strip()) for line in live_ser("info", "--all").stdout.splitlines()]
    told = {line[0]: line[-1] for line in card}
    assert told["speakers"] == str(default.info.learnt_from["speakers"])
    assert told["network's training: speakers"] == str(default.info.provenance["speakers"])
    assert told["network's training: gate: threshold"] != f"{default.info.gate.threshold:g}"
    assert not any(name.startswith(("config", "gate")) for name in told)
    assert (free.info.labels, free.info.features) == (default.info.labels, default.info.features)
    frames = np.full((100, free.info.features.n_mels), -40, np.float32)
    assert free.predict(frames).valence is not None
    assert "-dirty" not in free.info.provenance["revision"]
    assert "-dirty" not in default.info.provenance["revision"]
