"""What is found in a recording, as rows: dictionaries, and tables of pandas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """Several results of a recording, in their order.

    Args:
        results: what was found.
        kind: of the results, where there may be none.
        labels: of the model; without them a table has columns only for those that were said.
    """

    def __init__(
        self, results: Iterable[R] = (), kind: type[R] | None = None, labels: Sequence[str] = ()
    ) -> None:
        super().__init__(results)
        self._columns = _columns(kind, labels) if kind else None

    def to_frame(self) -> pd.DataFrame:
        """A row for each result, a column for each attribute, and for each label ``p_LABEL``.

        Probabilities of a window alone, before smoothing, are in columns ``raw_LABEL``.

        Raises:
            LiveSerError: pandas is not installed.
        """
        rows = [_row(result) for result in self]
        frame: pd.DataFrame = needed("pandas", "tables").DataFrame(rows, columns=self._columns)
        return frame


def _columns(kind: type[Result], labels: Sequence[str]) -> list[str]:
    """The keys of :func:`_row`, whatever was found."""
    names = [field.name for field in fields(kind)]
    spread = [f"{_SPREAD[name]}_{label}" for name in names if name in _SPREAD for label in labels]
    return [name for name in names if name not in _SPREAD] + spread


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
