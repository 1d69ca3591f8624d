"""A speaker's baseline, kept between sessions as a small readable file. Never sound.

The file holds two numbers a mel band: how strong it usually is in this voice, and how much that
varies. Deleting it forgets the speaker.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_ser.baseline import RunningBaseline
from live_ser.errors import LiveSerError
from live_ser.spec import ModelInfo

_SCHEMA = 1
_MAX_BYTES = 2**20


@dataclass(frozen=True)
class Profile:
    """Where a speaker's baseline is kept.

    Attributes:
        name: of the speaker, as the user gave it.
        path: of the file.
        features: tells the features that the numbers are of; those of other features don't fit.
        mels: bands.
    """

    name: str
    path: Path
    features: str
    mels: int

    @classmethod
    def named(cls, name: str, info: ModelInfo) -> Profile:
        """The profile of a name, for a model; it may not be there yet.

        Raises:
            LiveSerError: the name is none that a file can have.
        """
        if not re.fullmatch(r"\w[\w.-]{0,63}", name):
            raise LiveSerError(
                f"{name!r} is no name for a profile",
                "use letters, digits, - and _, such as --profile anna",
                exit_code=2,
            )
        wanted = json.dumps([asdict(info.features), info.baseline and info.baseline.floor_db])
        features = hashlib.sha256(wanted.encode()).hexdigest()[:16]
        return cls(name, folder() / f"{name}.json", features, info.features.n_mels)

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
            statistics, seconds, weight = self._checked(kept)
        except FileNotFoundError:
            return
        except OSError as error:
            raise LiveSerError(f"cannot read {self.path}: {error.strerror}", again) from error
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise LiveSerError(f"{self.path} is no profile: {error!s:.100}", again) from error
        baseline.begin(statistics, seconds=seconds, weight=weight, profile=self.name)

    def _checked(self, kept: Any) -> tuple[NDArray[np.float64], float, float]:
        if not isinstance(kept, dict) or kept.get("schema") != _SCHEMA:
            raise ValueError(f"it is not of schema {_SCHEMA}")
        if kept["features"] != self.features:
            raise ValueError("it was made with another model's features")
        statistics = np.array([kept["mean_db"], kept["deviation_db"]], np.float64)
        seconds = float(kept["seconds"])
        weight = float(kept.get("weight", seconds))  # older profiles know none
        numbers = [*statistics.flat, seconds, weight]
        if statistics.shape != (2, self.mels) or not np.isfinite(numbers).all():
            raise ValueError("its numbers are not two for each mel band")
        if seconds <= 0 or weight <= 0 or (statistics[1] < 0).any():
            raise ValueError("its numbers cannot be")
        return statistics, seconds, weight

    def keep(self, baseline: RunningBaseline) -> bool:
        """Write down a baseline; whether there was speech to make one of.

        The file is replaced whole or not at all.

        Raises:
            LiveSerError: it cannot be written.
        """
        statistics = baseline.statistics
        if statistics is None:
            return False
        mean, deviation = np.round(statistics, 2).tolist()
        content = {
            "schema": _SCHEMA,
            "what": "how this voice usually sounds, in dB for each mel band; no sound",
            "updated": datetime.now().astimezone().isoformat(timespec="seconds"),
            "features": self.features,
            "seconds": round(baseline.seconds, 2),
            "weight": round(baseline.weight, 2),
            "mean_db": mean,
            "deviation_db": deviation,
        }
        part = self.path.with_suffix(f".{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
            os.replace(part, self.path)
        except OSError as error:
            raise LiveSerError(
                f"cannot keep the profile {self.path}: {error.strerror}", "make room for it"
            ) from error
        return True


def folder() -> Path:
    """Where profiles are kept, by the customs of the system."""
    from platformdirs import user_config_path

    return user_config_path("live-ser", appauthor=False) / "profiles"
