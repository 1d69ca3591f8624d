"""Keras layers that are faster than the built-in ones: a convolution as a matrix product."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


class Conv2D(layers.Conv2D):  # type: ignore[misc]
    """A two-dimensional convolution, padded to the same size.

    On JAX, where networks are trained side by side, it is a matrix product over the patches of its
    input: of several networks that is a product of batches, which a GPU does well, and a grouped
    convolution, which it does badly. The weights, and their names, are those of Keras' own layer.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """``[batch, rows, columns, channels]`` and ``[rows, columns, channels, filters]``."""
        if keras.backend.backend() != "jax":
            return super().convolution_op(inputs, kernel)
        rows = _places(inputs.shape[1], kernel.shape[0], self.strides[0])
        columns = _places(inputs.shape[2], kernel.shape[1], self.strides[1])
        padded = ops.pad(inputs, ((0, 0), rows[0], columns[0], (0, 0)))
        patches = [padded[:, i, j] for i in rows[1] for j in columns[1]]
        flat = ops.reshape(kernel, (-1, kernel.shape[-1]))
        return ops.matmul(ops.concatenate(patches, axis=-1), flat)


def _places(size: int, kernel: int, stride: int) -> tuple[tuple[int, int], list[slice]]:
    """Padding of an axis, and where each row of a kernel meets it."""
    count = -(-size // stride)
    padding = max(0, (count - 1) * stride + kernel - size)
    reach = (count - 1) * stride + 1
    return (padding // 2, padding - padding // 2), [
        slice(i, i + reach, stride) for i in range(kernel)
    ]
