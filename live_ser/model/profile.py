"""A speaker's baseline, kept between sessions as a small readable file. Never sound.

The file holds the numbers by which the model tells this voice from a typical one. Deleting it
forgets the speaker.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.durability import OWNER_ONLY, sync, sync_entry
from live_ser.errors import InvalidArgument, LiveSerError
from live_ser.local_time import now
from live_ser.model.speaker import RunningBaseline
from live_ser.spec import ModelInfo

_SCHEMA = 2
_MAX_BYTES = 2**20
_MOST = 1e6  # what no number of a voice, nor its seconds of speech, comes near
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Profile:
    """Where a speaker's baseline is kept.

    Attributes:
        name: of the speaker, as the user gave it.
        path: of the file.
        model: tells the model that the numbers are of; another one's mean something else.
        size: how many numbers there are.
    """

    name: str
    path: Path
    model: str
    size: int

    @classmethod
    def named(cls, name: str, info: ModelInfo) -> Profile:
        """The profile of a name, for a model; it may not be there yet.

        Raises:
            InvalidArgument: the name is none that a file can have.
        """
        if not re.fullmatch(r"\w[\w.-]{0,63}", name):
            raise InvalidArgument(
                f"{name!r} is no name for a profile",
                "use letters, digits, - and _, such as `profile=anna`",
            )
        assert info.baseline is not None
        model = hashlib.sha256(info.to_json().encode()).hexdigest()[:16]
        return cls(name, folder() / f"{name}.json", model, info.baseline.size)

    def begin(self, baseline: RunningBaseline) -> None:
        """Start a baseline from the profile, where there is one.

        Raises:
            LiveSerError: the file cannot be read or used.
        """
        again = f"delete {self.path} to begin anew, or take another name"
        try:
            if self.path.stat().st_size > _MAX_BYTES:
                raise ValueError("it is too large")
            kept = json.loads(self.path.read_text("utf-8"))
            mean, seconds, weight = self._checked(kept)
        except FileNotFoundError:
            return
        except OSError as error:
            raise LiveSerError(f"cannot read {self.path}: {error.strerror}", again) from error
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise LiveSerError(f"{self.path} is no profile: {error!s:.100}", again) from error
        baseline.begin(mean, seconds=seconds, weight=weight, profile=self.name)

    def _checked(self, kept: Any) -> tuple[NDArray[np.float64], float, float]:
        if not isinstance(kept, dict) or kept.get("schema") != _SCHEMA:
            raise ValueError(f"it is not of schema {_SCHEMA}")
        if kept["model"] != self.model:
            raise ValueError("it was made with another model")
        mean = np.array(kept["mean"], np.float64)
        seconds, weight = float(kept["seconds"]), float(kept["weight"])
        if mean.shape != (self.size,) or not np.isfinite([*mean, seconds, weight]).all():
            raise ValueError(f"its numbers are not {self.size}")
        if not (0 < seconds <= _MOST and 0 < weight <= _MOST and np.abs(mean).max() <= _MOST):
            raise ValueError("its numbers cannot be")
        return mean, seconds, weight

    def keep(self, baseline: RunningBaseline) -> bool:
        """Write down a baseline; whether there was speech to make one of.

        The file is replaced whole or not at all.

        Raises:
            LiveSerError: it cannot be written.
        """
        baseline.finish()
        mean = baseline.mean
        if mean is None:
            return False
        content = {
            "schema": _SCHEMA,
            "what": "how this voice differs from a typical one, as the model hears it; no sound",
            "updated": now().isoformat(timespec="seconds"),
            "model": self.model,
            "seconds": round(baseline.seconds, 2),
            "weight": round(baseline.weight, 2),
            "mean": np.round(mean, 3).tolist(),
        }
        part = self.path.with_suffix(f".{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            mode = stat.S_IMODE(self.path.stat().st_mode) if self.path.exists() else OWNER_ONLY
            with os.fdopen(os.open(part, _NEW, OWNER_ONLY), "w", encoding="utf-8") as file:
                file.write(json.dumps(content, indent=1) + "\n")
                file.flush()
                sync(file.fileno())
            part.chmod(mode)
            os.replace(part, self.path)
            sync_entry(self.path)
        except OSError as error:
            raise LiveSerError(
                f"cannot keep the profile {self.path}: {error.strerror}", "make room for it"
            ) from error
        return True


def folder() -> Path:
    """Where profiles are kept, by the customs of the system.

    Raises:
        LiveSerError: the user has no home.
    """
    from platformdirs import user_config_path

    try:
        kept = user_config_path("live-ser", appauthor=False) / "profiles"
    except RuntimeError:
        kept = Path()
    if not kept.is_absolute():
        raise LiveSerError("there is no home folder to keep profiles in", "set HOME to a folder")
    return kept
