"""The GE2E speaker encoder (Wan et al. 2018, arXiv 1710.10467): download and weights.

The wheel of the package Resemblyzer contains it as a legacy PyTorch pickle. Unpickling can run any
code; the reader here accepts only dictionaries and float32 tensors and refuses everything else, so
neither PyTorch nor trust in the file is needed.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from live_ser.errors import LiveSerError

Weights = Mapping[str, NDArray[np.float32]]

_MAGIC = 0x1950A86A20F9469CFC6C  # of a legacy PyTorch file
_PROTOCOL = 1001
_LITTLE_ENDIAN = "little_endian"
_MOST = 1 << 26  # values in a tensor; the largest of the encoder has 2^18


@dataclass(frozen=True)
class Pretrained:
    """Published weights that are part of a Python package.

    Attributes:
        name: name of the weights on the command line.
        title: name that their authors gave them.
        requirement: package and version, as a requirement for pip.
        sha256: checksum of the package's wheel.
        member: file of the wheel that holds the weights.
        shapes: shapes of its tensors, by name.
        licence: SPDX name.
        origin: authors and source.
        learned_from: corpora that the network was trained on.
    """

    name: str
    title: str
    requirement: str
    sha256: str
    member: str
    shapes: Mapping[str, tuple[int, ...]]
    licence: str
    origin: str
    learned_from: str

    def path(self, data: Path) -> Path:
        """Path of the weights in the folder of the data."""
        return data / "encoders" / f"{self.name}.npz"

    @property
    def about(self) -> dict[str, str]:
        """Description for the metadata of a model that contains the weights."""
        return {
            "name": self.title,
            "origin": self.origin,
            "licence": self.licence,
            "learned_from": self.learned_from,
        }


UNITS = 256
LAYERS = 3
MELS = 40

GE2E = Pretrained(
    name="ge2e",
    title="GE2E speaker encoder",
    requirement="resemblyzer==0.1.4",
    sha256="8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
    member="resemblyzer/pretrained.pt",
    shapes={
        **{
            f"lstm.{name}_l{layer}": shape
            for layer in range(LAYERS)
            for name, shape in {
                "weight_ih": (4 * UNITS, UNITS if layer else MELS),
                "weight_hh": (4 * UNITS, UNITS),
                "bias_ih": (4 * UNITS,),
                "bias_hh": (4 * UNITS,),
            }.items()
        },
        "linear.weight": (UNITS, UNITS),
        "linear.bias": (UNITS,),
    },
    licence="Apache-2.0",
    origin="Resemblyzer 0.1.4, Resemble AI, after Corentin Jemine's Real-Time-Voice-Cloning",
    learned_from="LibriSpeech (other), VoxCeleb 1 and 2",
)


def fetch(pretrained: Pretrained, data: Path, console: Console, *, url: str | None = None) -> Path:
    """Download pretrained weights into ``data``, unless they are there.

    Args:
        pretrained: weights to download.
        data: folder in which the folder ``encoders`` is created.
        console: console for messages.
        url: address of the wheel; None for the package index of pip.

    Returns:
        The file of the weights.

    Raises:
        LiveSerError: the download failed, or its checksum is wrong.
    """
    path = pretrained.path(data)
    if path.is_file():
        console.print(f"{path} holds it already")
        return path
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download(url or pretrained.requirement, Path(folder))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if digest != pretrained.sha256:
            raise LiveSerError(
                f"{wheel.name} has the checksum {digest}, not {pretrained.sha256} as published",
                "run the command again; if that doesn't help, what the index gives has changed",
            )
        weights = _unpack(wheel, pretrained)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.stem}.part.npz")
        np.savez(part, **weights)  # type: ignore[arg-type]  # none is called allow_pickle
        part.replace(path)
    except OSError as error:
        raise LiveSerError(
            f"{path} cannot be written: {error.strerror or error}",
            "make room, or name another folder with --data",
        ) from error
    console.print(f"{path}: {sum(one.size for one in weights.values())} numbers")
    return path


def load(pretrained: Pretrained, data: Path) -> Weights:
    """Load weights that :func:`fetch` downloaded.

    Raises:
        LiveSerError: the file is missing or invalid.
    """
    path = pretrained.path(data)
    again = f"get it by python -m training.fetch {pretrained.name}"
    try:
        with np.load(path) as stored:
            weights = {name: stored[name] for name in pretrained.shapes}
    except FileNotFoundError as error:
        raise LiveSerError(f"there is no {pretrained.title} in {path.parent}", again) from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise LiveSerError(
            f"{path} does not hold the {pretrained.title}", f"remove it and {again}"
        ) from error
    return _checked(weights, pretrained)


def _download(requirement: str, folder: Path) -> Path:
    """Download the wheel of a package by pip, from the index that pip is configured for."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        reason = (done.stderr.strip().splitlines() or ["pip gave no wheel"])[-1]
        raise LiveSerError(
            f"{requirement} could not be downloaded: {reason}",
            "check the connection, or name the wheel's address or path with --url",
        )
    return wheels[0]


def _unpack(wheel: Path, pretrained: Pretrained) -> Weights:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(pretrained.member)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise LiveSerError(f"{wheel.name} holds no {pretrained.member}") from error
    return _checked(read_pytorch(io.BytesIO(content)), pretrained)


def _checked(weights: Weights, pretrained: Pretrained) -> Weights:
    for name, shape in pretrained.shapes.items():
        one = weights.get(name)
        if one is None or one.shape != shape or not np.isfinite(one).all():
            raise LiveSerError(f"{name} of the {pretrained.title} is not of shape {shape}")
    return {name: np.asarray(weights[name], np.float32) for name in pretrained.shapes}


def read_pytorch(file: IO[bytes]) -> Weights:
    """The tensors of ``model_state`` in a legacy PyTorch file, read without running code.

    Raises:
        LiveSerError: the file is invalid, or contains anything but dictionaries of float32 tensors.
    """
    try:
        if _Restricted(file).load() != _MAGIC or _Restricted(file).load() != _PROTOCOL:
            raise ValueError("it does not begin as one")
        if not _Restricted(file).load()[_LITTLE_ENDIAN]:
            raise ValueError("it is big-endian")
        content = _Restricted(file).load()
        storages = {key: _read_storage(file) for key in _Restricted(file).load()}
        state: Mapping[str, Any] = content["model_state"]
        return {
            name: tensor.values(storages)
            for name, tensor in state.items()
            if isinstance(tensor, _Tensor)
        }
    # A hostile pickle can raise anything that a dictionary or a list can.
    except Exception as error:
        raise LiveSerError(f"the weights are no legacy PyTorch file: {error!s:.200}") from error


class _Storage:
    """Placeholder for ``torch.FloatStorage``, which a pickle names but never instantiates."""


@dataclass(frozen=True)
class _Tensor:
    """A tensor whose values follow later in the file."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def values(self, storages: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        size = int(np.prod(self.shape, dtype=np.int64))
        packed = tuple(int(np.prod(self.shape[i + 1 :])) for i in range(len(self.shape)))
        if self.stride != packed or not 0 <= self.offset <= self.offset + size <= _MOST:
            raise ValueError("a tensor is not packed")
        return storages[self.storage][self.offset :][:size].reshape(self.shape).copy()


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> _Tensor:
    sizes = [*shape, *stride, offset]
    if not isinstance(storage, str) or not all(type(n) is int and 0 <= n <= _MOST for n in sizes):
        raise pickle.UnpicklingError("a tensor of what cannot be")
    return _Tensor(storage, offset, tuple(shape), tuple(stride))


_KNOWN: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "FloatStorage"): _Storage,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
}


class _Restricted(pickle.Unpickler):
    """Unpickler for numbers, strings, lists, dictionaries and tensors only."""

    def find_class(self, module: str, name: str) -> Any:
        known = _KNOWN.get((module, name))
        if known is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return known

    def persistent_load(self, pid: Any) -> str:
        kind, storage, key, *_ = pid
        if kind != "storage" or storage is not _Storage or not isinstance(key, str):
            raise pickle.UnpicklingError("it asks for something other than a float32 storage")
        return key


def _read_storage(file: IO[bytes]) -> NDArray[np.float32]:
    count = int.from_bytes(file.read(8), "little", signed=True)
    if not 0 <= count <= _MOST:
        raise ValueError(f"a storage of {count} numbers")
    content = file.read(4 * count)
    if len(content) != 4 * count:
        raise ValueError("its end is missing")
    return np.frombuffer(content, "<f4").astype(np.float32)
