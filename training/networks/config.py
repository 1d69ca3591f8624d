"""Size and regularisation of the CNN+LSTM."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkConfig:
    """Size and regularisation of the CNN+LSTM.

    Attributes:
        channels: number of filters of each convolution. Each one halves the number of frames and of
            bands: the first by its stride, the others by pooling.
        kernels: size of the filters of each convolution in frames and bands.
        lstm: number of units of the LSTM in each direction.
        heads: number of heads of the attention pooling.
        dropout: dropout after each convolution.
        head_dropout: dropout before the outputs.
        normalise: divisor of each band after its mean over the window is subtracted: ``band`` is
            its own standard deviation, ``window`` that of all bands together.
        floor: noise floor that is added to each band, in decibels below its mean power over the
            window. Without it, mean and deviation would depend on how silent the recording is in
            pauses.
        timbre: number of units for the timbre, which the normalisation removes: the mean and the
            deviation of each band.
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
