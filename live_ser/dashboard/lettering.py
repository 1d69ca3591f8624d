"""Words in large letters, made of block characters."""

from __future__ import annotations

# Five rows of pixels a letter.
_LETTERS = {
    "A": ".#. #.# ### #.# #.#",
    "B": "##. #.# ##. #.# ##.",
    "C": ".## #.. #.. #.. .##",
    "D": "##. #.# #.# #.# ##.",
    "E": "### #.. ##. #.. ###",
    "F": "### #.. ##. #.. #..",
    "G": ".### #... #.## #..# .###",
    "H": "#.# #.# ### #.# #.#",
    "I": "# # # # #",
    "J": "..# ..# ..# #.# .#.",
    "K": "#..# #.#. ##.. #.#. #..#",
    "L": "#.. #.. #.. #.. ###",
    "M": "#...# ##.## #.#.# #...# #...#",
    "N": "#..# ##.# #.## #..# #..#",
    "O": ".##. #..# #..# #..# .##.",
    "P": "##. #.# ##. #.. #..",
    "Q": ".##. #..# #..# #.## .###",
    "R": "##. #.# ##. #.# #.#",
    "S": ".## #.. .#. ..# ##.",
    "T": "### .#. .#. .#. .#.",
    "U": "#.# #.# #.# #.# ###",
    "V": "#.# #.# #.# #.# .#.",
    "W": "#...# #...# #.#.# ##.## #...#",
    "X": "#.# #.# .#. #.# #.#",
    "Y": "#.# #.# .#. .#. .#.",
    "Z": "### ..# .#. #.. ###",
    "0": ".#. #.# #.# #.# .#.",
    "1": ".#. ##. .#. .#. ###",
    "2": "##. ..# .#. #.. ###",
    "3": "##. ..# .#. ..# ##.",
    "4": "#.# #.# ### ..# ..#",
    "5": "### #.. ##. ..# ##.",
    "6": ".## #.. ##. #.# .#.",
    "7": "### ..# .#. .#. .#.",
    "8": ".#. #.# .#. #.# .#.",
    "9": ".#. #.# .## ..# ##.",
    " ": ".. .. .. .. ..",
    "-": "... ... ### ... ...",
    "_": "... ... ... ... ###",
}
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def large(word: str, width: int) -> tuple[str, ...] | None:
    """A word in letters three rows tall.

    Args:
        word: the word.
        width: columns.

    Returns:
        Three lines; None if the word is too long or has an unknown letter.
    """
    pixels = _pixels(word)
    if pixels is None or len(pixels[0]) > width:
        return None
    rows = [*pixels, [0] * len(pixels[0])]
    return tuple(
        "".join(_HALVES[pair] for pair in zip(rows[i], rows[i + 1], strict=True)) for i in (0, 2, 4)
    )


def huge(word: str, width: int) -> tuple[str, ...] | None:
    """A word in letters five rows tall, see :func:`large`."""
    pixels = _pixels(word)
    if pixels is None or 2 * len(pixels[0]) > width:
        return None
    return tuple("".join("██" if pixel else "  " for pixel in row) for row in pixels)


def giant(word: str, width: int) -> tuple[str, ...] | None:
    """A word in letters ten rows tall, see :func:`large`."""
    pixels = _pixels(word)
    if pixels is None or 4 * len(pixels[0]) > width:
        return None
    rows = ["".join("████" if pixel else "    " for pixel in row) for row in pixels]
    return tuple(row for row in rows for _ in range(2))


def _pixels(word: str) -> list[list[int]] | None:
    rows: list[list[int]] = [[] for _ in range(5)]
    for letter in word.upper():
        shape = _LETTERS.get(letter)
        if shape is None:
            return None
        for row, pixels in zip(rows, shape.split(), strict=True):
            row.extend([0] if row else [])
            row.extend(int(pixel == "#") for pixel in pixels)
    return rows
