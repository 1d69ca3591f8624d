"""What is found in a recording, as rows: dictionaries, and tables of pandas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from live_ser.extras import needed

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Result:
    """Something that was found."""

    def to_dict(self) -> dict[str, Any]:
        """Every attribute by its name: what JSON can hold."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {k: dict(v) if isinstance(v, Mapping) else v for k, v in values.items()}

    def to_frame(self) -> pd.DataFrame:
        """A table of one row, as :meth:`Results.to_frame` makes them."""
        return Results([self]).to_frame()


R = TypeVar("R", bound=Result)


class Results(list[R], Generic[R]):
    """Several results of a recording, in their order."""

    def to_frame(self) -> pd.DataFrame:
        """A row for each result, a column for each attribute, and for each label ``p_LABEL``.

        Probabilities of a window alone, before smoothing, are in columns ``raw_LABEL``.

        Raises:
            LiveSerError: pandas is not installed.
        """
        frame: pd.DataFrame = needed("pandas", "tables").DataFrame(map(_row, self))
        return frame


def _row(result: Result) -> dict[str, Any]:
    row: dict[str, Any] = {}
    spread: dict[str, Any] = {}
    for name, value in result.to_dict().items():
        if name in _SPREAD:
            spread |= {f"{_SPREAD[name]}_{label}": p for label, p in (value or {}).items()}
        else:
            row[name] = value
    return row | spread


_SPREAD = {"probabilities": "p", "raw": "raw"}
