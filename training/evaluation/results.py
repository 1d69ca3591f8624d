"""What was measured, kept in a folder: a JSON file for each piece of work, so that none is lost."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_ser import __version__
from live_ser.errors import LiveSerError

Result = dict[str, Any]

PARTS = ("clips", "noise", "band", "evidence", "baseline", "teaching", "recording", "stream")
"""What can be measured of a model; see :mod:`training.evaluation.parts`."""


@dataclass(frozen=True)
class Results:
    """A folder of results."""

    folder: Path

    def keep(self, name: str, asked: Mapping[str, Any], measure: Callable[[], Result]) -> Result:
        """A result: the one that is there if the same was asked for, else measured and written.

        Args:
            name: of the file, without its suffix.
            asked: all that decides the result.
            measure: what takes so long.
        """
        key = hashlib.sha256(
            json.dumps([__version__, asked], sort_keys=True, default=str).encode()
        ).hexdigest()[:16]
        there = self._read(name)
        if there is not None and there.get("key") == key:
            return there
        result = json.loads(json.dumps({"key": key, **measure()}, default=float))
        self.write(f"{name}.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        return dict(result)

    def every(self) -> list[Result]:
        """All that was kept, by name."""
        found = [self._read(path.stem) for path in sorted(self.folder.glob("*.json"))]
        ours = {"key", "part", "figures"}
        return [result for result in found if result is not None and ours <= set(result)]

    def write(self, name: str, text: str) -> None:
        """Write a file whole or not at all."""
        part = self.folder / f"part-{name}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_text(text, "utf-8")
            os.replace(part, self.folder / name)
        except OSError as error:
            raise LiveSerError(
                f"cannot write {self.folder / name}: {error.strerror or error}",
                "choose another folder with -o, or make room",
            ) from error

    def _read(self, name: str) -> Result | None:
        try:
            content = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None


def digest(path: Path) -> str:
    """What tells a file's content from any other."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
