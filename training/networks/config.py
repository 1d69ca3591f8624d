"""Size and regularisation of the CNN+LSTM."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkConfig:
    """Size and regularisation of the CNN+LSTM.

    Attributes:
        channels: filters of each convolution, which halves the frames and the bands: the first one
            by its stride, the others by pooling.
        kernels: frames and bands that a filter of each spans.
        lstm: units of the LSTM, each way.
        heads: ways of weighting its outputs over time.
        dropout: after each convolution.
        head_dropout: in front of the two outputs.
        normalise: what each band of a window is divided by, after its mean is subtracted:
            ``band`` its own deviation, ``window`` that of all bands together.
        floor: decibels under its mean power over the window at which each band fades into a floor.
            How silent a studio's silence is says nothing of the voice; without a floor it decides
            the mean and the deviation that everything is measured by.
        timbre: units that hear the timbre of a voice: which bands are stronger than others, and
            livelier, all of which the normalisation takes out.
        timbre_dropout: dropout of the timbre.

    Raises:
        ValueError: a convolution has no kernel, or a layer no units.
    """

    channels: tuple[int, ...] = (16, 24, 32)
    kernels: tuple[tuple[int, int], ...] = ((3, 5), (3, 3), (3, 3))
    lstm: int = 128
    heads: int = 4
    dropout: float = 0.1
    head_dropout: float = 0.2
    normalise: str = "window"
    floor: float = 20.0
    timbre: int = 48
    timbre_dropout: float = 0.3

    def __post_init__(self) -> None:
        if len(self.channels) > len(self.kernels):
            raise ValueError(f"{len(self.channels)} convolutions, but {len(self.kernels)} kernels")
        if min(*self.channels, self.lstm, self.heads, self.timbre) < 1:
            raise ValueError("a layer has one unit at least")
        if not all(0 <= one < 1 for one in (self.dropout, self.head_dropout, self.timbre_dropout)):
            raise ValueError("dropout is 0 at least, and less than 1")
        if self.normalise not in ("band", "window"):
            raise ValueError("it is band or window")
