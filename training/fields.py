"""Dataclasses from JSON, by the types of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_WANTED = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: 'a word in quotes, as JSON has it: "band"',
}


def build(kind: type[T], data: Mapping[str, Any]) -> T:
    """Make a dataclass from a JSON object.

    Args:
        kind: the dataclass.
        data: values by field; missing fields keep their defaults, unknown ones are ignored.

    Raises:
        ValueError: a value is of another type than its field.
        TypeError: a field without a default is missing.
    """
    hints = get_type_hints(kind)
    known = [entry.name for entry in fields(kind) if entry.name in data]  # type: ignore[arg-type]
    return kind(**{name: _value(hints[name], data[name]) for name in known})


def _value(kind: Any, value: Any) -> Any:
    """A JSON value as the type of its field; dataclasses are returned unchanged."""
    origin = get_origin(kind)
    if is_dataclass(value) or kind is Any or (kind is float and type(value) is int):
        return value
    if origin in (Union, UnionType):
        return _one_of(get_args(kind), value)
    if origin is tuple:
        return _tuple(get_args(kind), value)
    if origin is dict and isinstance(value, Mapping):
        return {key: _value(get_args(kind)[1], entry) for key, entry in value.items()}
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
        return build(kind, value)
    if type(value) is not kind:
        raise ValueError(f"{_WANTED.get(kind, 'a group of settings')} is wanted")
    return value


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    """A value of an optional field."""
    if value is None and type(None) in kinds:
        return None
    (kind,) = (one for one in kinds if one is not type(None))
    return _value(kind, value)


def _tuple(kinds: tuple[Any, ...], values: Any) -> tuple[Any, ...]:
    if not isinstance(values, list | tuple):
        raise ValueError("a list is wanted")
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(values)
    if len(kinds) != len(values):
        raise ValueError(f"a list of {len(kinds)} is wanted")
    return tuple(map(_value, kinds, values))
