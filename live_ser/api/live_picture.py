"""Live predictions as a picture in a notebook."""

from __future__ import annotations

from collections import deque
from typing import Any

from live_ser.extras import needed
from live_ser.inference.html import card, lanes
from live_ser.inference.results import Prediction

_MINUTE = 60.0


class LivePicture:
    """The newest prediction and the last minute, updated in place in a notebook.

    Raises:
        MissingExtra: IPython is not installed.
    """

    def __init__(self) -> None:
        self._display: Any = needed("IPython.display", "notebook")
        self._handle: Any = None
        self._minute: deque[Prediction] = deque()

    def show(self, prediction: Prediction) -> None:
        """Draw a prediction, in place of the last one."""
        self._minute.append(prediction)
        while prediction.end - self._minute[0].end > _MINUTE:
            self._minute.popleft()
        picture = self._display.HTML(
            card(prediction.to_dict()) + lanes([one.to_dict() for one in self._minute])
        )
        if self._handle is None:
            self._handle = self._display.display(picture, display_id=True)
        else:
            self._handle.update(picture)
