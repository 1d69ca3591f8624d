"""An overview of a signal of any length, in constant memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]


class Overview:
    """Columns of equally many values each; when there are too many columns, pairs are merged.

    Args:
        merge: associative function from values ``[columns, many, width]`` to columns ``[columns,
            width]``, such as minimum, maximum or mean.
        width: width of a value.
        max_columns: maximum number of columns.
        step: initial number of values per column.
    """

    def __init__(
        self, merge: Callable[[Values], Values], width: int, *, max_columns: int, step: int = 1
    ) -> None:
        self.step = step
        self._merge, self._max_columns = merge, max_columns
        self._columns: Values = np.zeros((0, width), np.float32)
        self._rest: Values = np.zeros((0, width), np.float32)

    def push(self, values: Values) -> None:
        """Add values, ``[n, width]``."""
        values = np.concatenate([self._rest, values])
        count = len(values) // self.step
        self._rest = values[count * self.step :]
        grouped = values[: count * self.step].reshape(count, self.step, values.shape[1])
        self._columns = np.concatenate([self._columns, self._merge(grouped)])
        while len(self._columns) > self._max_columns:
            self._halve()

    def columns(self) -> Values:
        """The columns, ``[columns, width]``; the last one may have fewer values."""
        if not len(self._rest):
            return self._columns
        return np.concatenate([self._columns, self._merge(self._rest[np.newaxis])])

    def _halve(self) -> None:
        pairs = len(self._columns) // 2
        odd = self._columns[2 * pairs :]  # without a partner
        self._rest = np.concatenate([odd.repeat(self.step, axis=0), self._rest])
        halves = self._columns[: 2 * pairs]
        self._columns = self._merge(halves.reshape(pairs, 2, halves.shape[1]))
        self.step *= 2


def extremes(samples: Values) -> Values:
    """Minimum and maximum: a merge for an :class:`Overview` of width 2."""
    return np.stack([samples[..., 0].min(axis=1), samples[..., 1].max(axis=1)], axis=1)
