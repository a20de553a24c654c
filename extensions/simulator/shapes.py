# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small language for the shape of JSON values; used for scenarios and for request bodies."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Shape = Callable[[Any, str], Iterator[str]]
"""Takes a value and the words for its place; yields one line for each thing that is wrong."""


def text(
    *, choices: Sequence[str] | None = None, shortest: int = 0, longest: int | None = None, number: bool = False
) -> Shape:
    """Accept a string."""

    def check(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{where} must be a string"
        elif choices is not None and value not in choices:
            yield f"{where} must be one of {', '.join(choices)}"
        elif len(value) < shortest or (longest is not None and len(value) > longest):
            yield f"{where} has a wrong length"
        elif number and not (value.isascii() and value.isdigit() and len(value) < 10):
            yield f"{where} must be a number written as a string"

    return check


def boolean(value: Any, where: str) -> Iterator[str]:
    """Accept true and false."""
    if not isinstance(value, bool):
        yield f"{where} must be true or false"


def whole(lowest: int = 0, highest: int | None = None) -> Shape:
    """Accept a whole number."""

    def check(value: Any, where: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{where} must be a whole number"
        elif value < lowest or (highest is not None and value > highest):
            yield f"{where} is out of range"

    return check


def number(value: Any, where: str) -> Iterator[str]:
    """Accept any number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        yield f"{where} must be a number, 0 or more"


def anything(value: Any, where: str) -> Iterator[str]:
    """Accept every value."""
    yield from ()


def array(item: Shape) -> Shape:
    """Accept a list of one kind of value."""

    def check(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where} must be a list"
            return
        for index, entry in enumerate(value):
            yield from item(entry, f"{where}[{index}]")

    return check


def either(*shapes: Shape) -> Shape:
    """Accept what one of the shapes accepts."""

    def check(value: Any, where: str) -> Iterator[str]:
        problems = [list(shape(value, where)) for shape in shapes]
        if all(problems):
            yield min(problems, key=len)[0]

    return check


def nullable(shape: Shape) -> Shape:
    """Accept null too."""

    def check(value: Any, where: str) -> Iterator[str]:
        if value is not None:
            yield from shape(value, where)

    return check


def mapping(
    required: Mapping[str, Shape] | None = None,
    optional: Mapping[str, Shape] | None = None,
    *,
    others: Shape | None = None,
) -> Shape:
    """Accept an object with these members; ``others`` is the shape of members that are not named."""
    needed = dict(required or {})
    known = {**needed, **(optional or {})}

    def check(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where} must be an object"
            return
        for name in needed:
            if name not in value:
                yield f"{where} lacks {name!r}"
        for name, entry in value.items():
            shape = known.get(name, others)
            if shape is None:
                yield f"{where} has an unknown member {name!r}"
            else:
                yield from shape(entry, f"{where}.{name}")

    return check
