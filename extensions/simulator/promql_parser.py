# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the part of PromQL that is simulated; everything else is an error that says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .promql_values import AGGREGATIONS, FUNCTIONS

NAME_LABEL = "__name__"
DEEPEST = 50
_TOKEN = re.compile(
    r"""\s+
    | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<steps>\[\s*[0-9][0-9a-z]*\s*:\s*[0-9][0-9a-z]*\s*\])
    | (?P<duration>[0-9]+(?:ms|[smhdwy])(?:[0-9]+(?:ms|[smhdwy]))*(?![A-Za-z0-9_:]))
    | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_:.]))
    | (?P<sign>=~|!~|!=|>(?!=)|[=(){}\[\],-])
    """,
    re.VERBOSE | re.ASCII,
)
_UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile("".join(f"(?:([0-9]+){unit})?" for unit in _UNITS), re.ASCII)
_LABEL = re.compile("[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ESCAPE = re.compile(r"\\(?:([abfnrtv\\\"])|([0-3][0-7]{2}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|(.?))")
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_REGEX_PART = re.compile(
    r"""\\(?P<escape>.)
    | \[\^?\]?(?:\\.|[^\]\\])*\]
    | (?P<wrong>\(\?(?:[=!>\#(]|<[=!]|P[=>]|[A-Za-z-]*[aLux][A-Za-z-]*[:)])|[*+?}]\+)
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


class PromqlError(ValueError):
    """The expression cannot be read."""


class Matcher(NamedTuple):
    """One condition on a label."""

    label: str
    operator: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels fit; a label that is missing is empty."""
        actual = labels.get(self.label, "")
        plain = self.operator in ("=", "!=")
        same = actual == self.value if plain else bool(re.fullmatch(self.value, actual, re.ASCII))
        return same is (self.operator in ("=", "=~"))


@dataclass(frozen=True)
class Selector:
    """Series; with ``span`` (milliseconds) their samples of that time up to the moment of evaluation."""

    matchers: tuple[Matcher, ...]
    span: int = 0


@dataclass(frozen=True)
class Subquery:
    """What an expression is at each ``step``, a multiple of it since the epoch, of a ``span``; both are milliseconds."""

    argument: Expression
    span: int
    step: int


@dataclass(frozen=True)
class Function:
    """A function over the samples of each series."""

    name: str
    argument: Selector | Subquery


@dataclass(frozen=True)
class Aggregation:
    """One value for each group of series that have the same values of the labels ``by``."""

    name: str
    argument: Expression
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Above:
    """What is larger than a number; NaN is not."""

    argument: Expression
    limit: float


@dataclass(frozen=True)
class Topk:
    """The series with the largest values, so many of each group, as they are."""

    most: int
    argument: Expression
    by: tuple[str, ...] = ()


Expression = Selector | Function | Aggregation | Above | Topk


def duration(text: str) -> int:
    """Return the milliseconds of a duration such as ``1h30m``."""
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise PromqlError(f"not a valid duration string: {text!r}")
    return sum(int(number) * size for number, size in zip(found.groups(), _UNITS.values(), strict=True) if number)


def parse(text: str) -> Expression:
    """Return the expression; its type is always an instant vector."""
    reader = _Reader(text)
    expression = reader.expression()
    reader.end()
    if isinstance(expression, Selector) and expression.span:
        raise PromqlError('invalid expression type "range vector", must be instant Vector')
    return expression


def _unescape(found: re.Match[str]) -> str:
    simple, number, wrong = found.groups()
    if simple:
        return _SIMPLE[simple]
    if not number:
        raise PromqlError(f"unknown escape sequence \\{wrong} in a string")
    code = int(number, 8) if number.isdigit() else int(number[1:], 16)
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF or (code > 0x7F and number[0] not in "uU"):
        raise PromqlError(f"escape sequence \\{number} is not a character")
    return chr(code)


def _check_regex(text: str) -> None:
    """Refuse what RE2 would refuse but Python's regular expressions know."""
    for part in _REGEX_PART.finditer(text):
        if part["wrong"] or (part["escape"] or " ") in "123456789NuUZ":
            raise PromqlError(f"error parsing regexp: {part[0]!r} is not known in {text!r}")
    try:
        re.compile(text, re.ASCII)
    except (re.error, OverflowError, RecursionError) as problem:
        raise PromqlError(f"error parsing regexp: {problem} in {text!r}") from None


class _Reader:
    """The tokens of an expression, and the place in them."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise PromqlError(f"1:{place + 1}: parse error: not simulated or not PromQL: {text[place:][:20]!r}")
            if found.lastgroup:
                self._tokens.append((found.lastgroup, found[0]))
            place = found.end()
        self._next = 0

    # -- tokens

    def _kind(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else "end"

    def _text(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else "end of input"

    def _fail(self, wanted: str) -> PromqlError:
        return PromqlError(f"parse error: unexpected {self._text()!r}, expected {wanted}")

    def _take(self, kind: str, wanted: str) -> str:
        if self._kind() != kind:
            raise self._fail(wanted)
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _sign(self, sign: str) -> bool:
        """Take a sign if it is next."""
        if self._kind() != "sign" or self._text() != sign:
            return False
        self._next += 1
        return True

    def _need(self, sign: str) -> None:
        if not self._sign(sign):
            raise self._fail(repr(sign))

    def end(self) -> None:
        """Check that nothing is left."""
        if self._kind() != "end":
            raise self._fail("end of input")

    # -- grammar

    def expression(self, depth: int = 0) -> Expression:
        """Read one expression, and what its values are compared with."""
        found = self._operand(depth)
        while self._sign(">"):
            if isinstance(found, Selector) and found.span:
                raise PromqlError("parse error: binary expression must contain only scalar and instant vector types")
            found = Above(found, self._limit())
        return found

    def _limit(self) -> float:
        factor = -1.0 if self._sign("-") else 1.0
        kind, text = self._kind(), self._text()
        if kind != "number" and text.lower() != "inf":
            raise self._fail("a number; nothing else is simulated")
        self._next += 1
        return factor * float(text)

    def _operand(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise PromqlError("parse error: too many levels")
        if self._sign("("):
            inner = self.expression(depth + 1)
            self._need(")")
            return inner
        if self._kind() == "sign" and self._text() == "{":
            return self._selector("")
        name = self._take("name", "a metric name, a function or an aggregation")
        if name.lower() in AGGREGATIONS:
            return self._aggregation(name.lower(), depth)
        if name.lower() == "topk":
            return self._topk(depth)
        if not self._sign("("):
            return self._selector(name)
        if name not in FUNCTIONS:
            raise PromqlError(f"parse error: unknown or not simulated function with name {name!r}")
        argument = self._samples(name, depth)
        self._need(")")
        return Function(name, argument)

    def _samples(self, name: str, depth: int) -> Selector | Subquery:
        """Read the argument of a function: a selector with a time, or a subquery."""
        argument = self.expression(depth + 1)
        ranged = isinstance(argument, Selector) and argument.span
        if self._kind() != "steps":
            if isinstance(argument, Selector) and ranged:
                return argument
            raise PromqlError(f"parse error: expected type range vector in call to function {name!r}")
        if ranged:
            raise PromqlError("parse error: subquery is only allowed on instant vector, got range vector")
        span, step = (duration(text.strip()) for text in self._take("steps", "a subquery")[1:-1].split(":"))
        if not span or not step:
            raise PromqlError("parse error: duration must be greater than 0")
        return Subquery(argument, span, step)

    def _aggregation(self, name: str, depth: int) -> Aggregation:
        by = self._by()
        self._need("(")
        argument = self._vector(name, depth)
        return Aggregation(name, argument, by if by is not None else self._by() or ())

    def _topk(self, depth: int) -> Topk:
        by = self._by()
        self._need("(")
        most = int(float(self._take("number", "a whole number; nothing else is simulated")))
        self._need(",")
        argument = self._vector("topk", depth)
        return Topk(most, argument, by if by is not None else self._by() or ())

    def _vector(self, name: str, depth: int) -> Expression:
        """Read the last argument of an aggregation, and the bracket behind it."""
        argument = self.expression(depth + 1)
        self._need(")")
        if isinstance(argument, Selector) and argument.span:
            raise PromqlError(f"parse error: expected type instant vector in aggregation {name!r}, got range vector")
        return argument

    def _by(self) -> tuple[str, ...] | None:
        if self._kind() != "name":
            return None
        if self._text().lower() != "by":
            raise self._fail("'by'; nothing else is simulated")
        self._next += 1
        self._need("(")
        labels: list[str] = []
        while not self._sign(")"):
            labels.append(self._label())
            if not self._sign(","):
                self._need(")")
                break
        return tuple(labels)

    def _label(self) -> str:
        if not _LABEL.fullmatch(self._text()):
            raise self._fail("a label name")
        return self._take("name", "a label name")

    def _selector(self, name: str) -> Selector:
        matchers = [Matcher(NAME_LABEL, "=", name)] if name else []
        if self._sign("{"):
            while not self._sign("}"):
                matchers.append(self._matcher(name))
                if not self._sign(","):
                    self._need("}")
                    break
        if all(matcher.matches({}) for matcher in matchers):
            raise PromqlError("parse error: vector selector must contain at least one non-empty matcher")
        if not self._sign("["):
            return Selector(tuple(matchers))
        span = duration(self._take("duration", "a duration"))
        self._need("]")
        if not span:
            raise PromqlError("parse error: duration must be greater than 0")
        return Selector(tuple(matchers), span)

    def _matcher(self, name: str) -> Matcher:
        label = self._label()
        if label == NAME_LABEL and name:
            raise PromqlError(f"parse error: metric name must not be set twice: {name!r}")
        operator = self._text()
        if operator not in ("=", "!=", "=~", "!~"):
            raise self._fail("=, !=, =~ or !~")
        self._next += 1
        value = _ESCAPE.sub(_unescape, self._take("string", "a string in double quotes")[1:-1])
        if operator in ("=~", "!~"):
            _check_regex(value)
        return Matcher(label, operator, value)
