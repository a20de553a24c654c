# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Topic selection: patterns, what they match, and the preview (API §4.4, §5.2). Pure, apart from a time limit on matching.

Private to this collection: it may change at any time.

The service's regular expressions are inferred to be Java's, and to match whole names; whether an unanchored pattern matches
anywhere in a name is not known (API §11.8). So a topic is selected for certain when a pattern matches its whole name, and
possibly when a pattern matches a part of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import signal
import threading
import time
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    LONGEST_NAME,
    Transform,
    is_internal,
)

MATCHING_SECONDS = 5.0
LONGEST_PATTERN = 10_000
SHOWN_TOPICS = 30
JAVA_ONLY = re.compile(
    r"\\[pPQERGhHvVXzNx]|&&|\(\?<[A-Za-z][A-Za-z0-9]*>|\(\?[a-z]*[dU]|(?<!^)\(\?[a-z]+(-[a-z]+)?\)|\[[^\]]*\[|[*+?}]\+"
)
"""Constructs that Python does not have, or reads in another way."""

PYTHON_ONLY = re.compile(r"\(\?[P(#]|(?<!\\)\(\?[a-zA-Z]*a|(?<!\\)(\\\\)*\\U|(?<!\\)\{(?!\d+(,\d*)?\})")
"""Constructs that Java does not have; looked for where JAVA_ONLY found nothing."""

_LITERAL = re.compile(r"\^((?:[A-Za-z0-9_-]|\\\.)+)\$")
"""A pattern that is the name of one topic, as every dialect reads it."""

_JAVA_TOKENS = re.compile(r"\\Q.*?(?:\\E|$)|\\c.|\\x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]+\})|\\.|\[\^?|\(\??|.", re.DOTALL)
_COMMENTED = re.compile(r"\(\?[a-zA-Z]*x")


class Compiled(t.NamedTuple):
    """A pattern; ``regex`` is None when only the service's own dialect understands it."""

    pattern: str
    regex: re.Pattern[str] | None


@dataclasses.dataclass(frozen=True)
class Preview:
    """What becomes of a source topic."""

    topic: str
    remote_topic: str
    partitions: int | None
    certain: bool
    patterns: tuple[str, ...]
    problem: str | None = None

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        return {**dataclasses.asdict(self), "patterns": list(self.patterns)}


class MatchingTooSlow(InvalidInput):
    """A pattern needs more time than is sensible, as nested repetitions do."""


def normalise(patterns: t.Iterable[str] | None) -> list[str] | None:
    """A selection in the order given, without doubles; ``[""]`` is the empty selection, None stays None (API §4.4)."""
    if patterns is None:
        return None
    unique = list(dict.fromkeys(patterns))
    return [] if unique == [""] else unique


def same_selection(one: t.Iterable[str] | None, other: t.Iterable[str] | None) -> bool:
    """Whether two selections choose the same: order does not matter, None is only equal to None."""
    if one is None or other is None:
        return one is other
    return set(normalise(one) or []) == set(normalise(other) or [])


def compile_patterns(patterns: t.Iterable[str]) -> list[Compiled]:
    """Compiles all patterns. Raises InvalidInput that names every one that is no regular expression."""
    compiled, broken = [], []
    for pattern in patterns:
        if not pattern:
            broken.append("an empty pattern beside others")
            continue
        if len(pattern) > LONGEST_PATTERN:
            broken.append(f"one of {len(pattern)} characters, more than {LONGEST_PATTERN}")
            continue
        if "\n" in pattern or "\r" in pattern:
            broken.append(f"{pattern!r}: it contains a line break")
            continue
        if JAVA_ONLY.search(pattern):
            flaw = _flaw(pattern)
            if flaw:
                broken.append(f"{pattern!r}: {flaw}")
            compiled.append(Compiled(pattern, None))
            continue
        if PYTHON_ONLY.search(pattern):
            broken.append(f"{pattern!r}: it has a construct that the service's regular expressions do not have")
            continue
        try:
            compiled.append(Compiled(pattern, re.compile(pattern)))
        except (re.error, RecursionError, OverflowError) as error:
            broken.append(f"{pattern!r}: {error}")
    if broken:
        raise InvalidInput(
            f"not a usable topic pattern: {'; '.join(broken)}",
            remedy="Patterns are regular expressions, one list item each (a plain text is split at its commas), such as ^orders\\..* or ^payments$.",
        )
    return compiled


def _flaw(pattern: str) -> str | None:
    """What is certainly wrong with a pattern of Java's dialect; None where only the service can tell."""
    if _COMMENTED.search(pattern):
        return None
    groups = classes = 0
    opened = True  # nothing stands before this place that could be repeated, or in a class, that could be ended
    tokens = _JAVA_TOKENS.findall(pattern)
    for token in tokens:
        if token == "\\x":
            return "an unfinished \\x"
        if classes:
            if token == "]" and opened and classes > 1:
                return None
            classes += (token in ("[", "[^")) - (token == "]" and not opened)
            opened = token in ("[", "[^")
            continue
        if token in ("*", "+", "?") and opened:
            return f"nothing to repeat before {token}"
        groups += (token in ("(", "(?")) - (token == ")")
        if groups < 0:
            return "unbalanced parenthesis"
        classes = int(token in ("[", "[^"))
        opened = bool(classes) or token in ("(", "(?", "|")
    if tokens and tokens[-1] == "\\":
        return "a backslash at its end"
    if classes:
        return "unterminated character class"
    return "unterminated group" if groups else None


def undecided(patterns: t.Iterable[str]) -> list[str]:
    """The patterns that only the service's own dialect understands, so that nobody else can tell what they match."""
    return [pattern for pattern in patterns if JAVA_ONLY.search(pattern)]


def advice(patterns: t.Iterable[str]) -> list[str]:
    """What is risky about patterns that work, one sentence each."""
    risks = []
    for pattern in patterns:
        if not pattern.startswith(("^", ".*")) or not pattern.endswith(("$", ".*")):
            risks.append(
                f"{pattern!r} is not anchored: write ^name$ or ^prefix.* so that every reading selects the same topics"
            )
        if "," in pattern and "{" not in pattern:
            risks.append(f"{pattern!r} contains a comma, which the vendor's CLI takes for a separator")
    return risks


def preview(
    topics: t.Iterable[tuple[str, int | None]], patterns: t.Sequence[Compiled], transform: Transform, source_alias: str
) -> list[Preview]:
    """Each source topic that the patterns select, and its name on the target; internal topics are never mirrored.

    ``topics`` are (name, partitions). Raises MatchingTooSlow instead of hanging on a pattern that explodes.
    """
    found = []
    order = {one.pattern: number for number, one in enumerate(patterns)}
    literals = {_plain(literal[1]): one.pattern for one in patterns if (literal := _LITERAL.fullmatch(one.pattern))}
    others = [one for one in patterns if not _LITERAL.fullmatch(one.pattern)]
    with _time_limit(patterns):
        for name, partitions in topics:
            stripped = transform.stripped(name)
            remote = transform.remote_name(name, source_alias)
            if stripped is None or remote is None or is_internal(name):
                continue
            named = [literals[stripped]] if stripped in literals else []
            matching = [c.pattern for c in others if c.regex and c.regex.fullmatch(stripped)]
            whole = tuple(sorted([*named, *matching], key=order.__getitem__))
            part = whole or tuple(c.pattern for c in others if c.regex and c.regex.search(stripped))
            if part:
                too_long = len(remote) > LONGEST_NAME
                problem = (
                    f"the name has {len(remote)} characters, more than {LONGEST_NAME}: it is not mirrored"
                    if too_long
                    else None
                )
                found.append(Preview(name, remote, partitions, bool(whole), part, problem))
    return found


def matches(
    names: t.Iterable[str], patterns: t.Sequence[Compiled], *, whole: bool = False
) -> dict[str, tuple[str, ...]]:
    """The patterns that match each name, or a part of it. Raises MatchingTooSlow instead of hanging on a pattern that explodes."""
    with _time_limit(patterns):
        return {
            name: tuple(
                one.pattern
                for one in patterns
                if one.regex and (one.regex.fullmatch(name) if whole else one.regex.search(name))
            )
            for name in names
        }


def _plain(literal: str) -> str:
    return literal.replace("\\.", ".")


def lines(previews: t.Sequence[Preview]) -> list[str]:
    """The preview for people; no more lines than anybody reads."""
    shown = [
        f"{one.topic} -> {one.remote_topic}"
        + (f" ({one.partitions} partition{'' if one.partitions == 1 else 's'})" if one.partitions else "")
        + (f" [{one.problem}]" if one.problem else "" if one.certain else " [only if patterns match parts of names]")
        for one in previews[:SHOWN_TOPICS]
    ]
    more = len(previews) - len(shown)
    return [*shown, f"... and {more} more"] if more else shown


@contextlib.contextmanager
def _time_limit(patterns: t.Sequence[Compiled]) -> t.Iterator[None]:
    """Interrupts matching that takes too long: Python's matcher looks for signals while it works."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: t.Any) -> None:
        raise MatchingTooSlow(
            f"matching the topic patterns took longer than {MATCHING_SECONDS:g} s: {some([repr(c.pattern) for c in patterns])}",
            remedy="Avoid nested repetitions such as (a+)+; list the topics, or use a prefix and .*",
        )

    handler = signal.signal(signal.SIGALRM, interrupt)
    started = time.monotonic()
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, MATCHING_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if remaining:
            # A task's own time limit uses the same timer: it goes on with what is left of it.
            signal.setitimer(signal.ITIMER_REAL, max(0.001, remaining - (time.monotonic() - started)), interval)
