"""The disk space of an installation: ``python -m benchmarks.installed``."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import live_ser
from benchmarks.table import Cell, Effort, Table, command
from live_ser.model.onnx_model import shipped_models


def measure(effort: Effort) -> Table:
    """Megabytes of the packages that are needed at run time."""
    sizes = {name: _size(found) for name, found in runtime().items()}
    ours = _folder_size(Path(live_ser.__file__).parent)
    sizes["live-ser"] = ours + sum(path.stat().st_size for path in shipped_models().values())
    rows: list[list[Cell]] = [
        [name, size / 1e6] for name, size in sorted(sizes.items(), key=lambda item: -item[1])
    ]
    rows.append(["**together**", sum(sizes.values()) / 1e6])
    return Table(
        "Installed, in MB",
        ("package", "MB"),
        rows,
        ("Files as pip installed them, without compiled bytecode; Python itself is not counted.",),
    )


def runtime() -> dict[str, Distribution]:
    """The packages that live-ser depends on, directly or not."""
    found: dict[str, Distribution] = {}
    todo = ["live-ser"]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # for another system or an older Python
            continue
        todo += [_name(line) for line in found[name].requires or [] if "extra ==" not in line]
    found.pop("live-ser", None)
    return found


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub("[-_.]+", "-", match[0]).lower()


def _size(found: Distribution) -> int:
    paths = [Path(str(file.locate())) for file in found.files or [] if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file())


def _folder_size(folder: Path) -> int:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in paths if path.suffix not in {".pyc", ".onnx"})


if __name__ == "__main__":
    command(measure, one_core=False)
