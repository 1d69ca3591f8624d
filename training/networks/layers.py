"""A Keras layer that is faster than the built-in one: a convolution as a matrix product."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


class Conv2D(layers.Conv2D):  # type: ignore[misc]
    """A two-dimensional convolution, padded to the same size.

    On JAX, where several networks are trained at once by ``vmap``, it is a matrix product over the
    patches of its input. With ``vmap`` this is a batched matrix product, which is fast on a GPU; a
    convolution would become a grouped one, which is slow. Weights and their names are those of
    Keras' own layer.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve.

        Args:
            inputs: ``[batch, rows, columns, channels]``.
            kernel: ``[rows, columns, channels, filters]``.
        """
        if keras.backend.backend() != "jax":
            return super().convolution_op(inputs, kernel)
        rows = _places(inputs.shape[1], kernel.shape[0], self.strides[0])
        columns = _places(inputs.shape[2], kernel.shape[1], self.strides[1])
        padded = ops.pad(inputs, ((0, 0), rows[0], columns[0], (0, 0)))
        patches = [padded[:, i, j] for i in rows[1] for j in columns[1]]
        flat = ops.reshape(kernel, (-1, kernel.shape[-1]))
        return ops.matmul(ops.concatenate(patches, axis=-1), flat)


def _places(size: int, kernel: int, stride: int) -> tuple[tuple[int, int], list[slice]]:
    """Padding of an axis, and the slice of it that each row of the kernel is multiplied with."""
    count = -(-size // stride)
    padding = max(0, (count - 1) * stride + kernel - size)
    reach = (count - 1) * stride + 1
    return (padding // 2, padding - padding // 2), [
        slice(i, i + reach, stride) for i in range(kernel)
    ]
