# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Picks what is wanted out of dictionaries of which nobody knows whether they are whole. Pure.

Private to this collection: it may change at any time.
"""

from __future__ import annotations

import collections.abc
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import printable
from ansible_collections.mirrorops.event_streams.plugins.module_utils._secrets import masking
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import format_time, parse_time

NAME, WORDS, MESSAGE = 300, 500, 2500
"""How many characters a name, a sentence and a message have room for."""

ROOM = 200_000
"""How many characters all texts together have room for: no more than 0.8 MB, whatever characters they are."""

LARGEST = 1e15
LATEST = 4102444800.0
"""The year 2100: no time of a run is later."""


class Pick:
    """Takes values of the right kind only: what is missing, or of another kind, is None or empty. No text has any of the secrets in
    it, what cannot be shown is a space, and what is too long is cut, after the secrets were masked."""

    def __init__(self, secrets: t.Iterable[str] = (), room: int = ROOM) -> None:
        self._masked = masking(secrets)
        self._room = room

    def text(self, value: t.Any, longest: int = NAME) -> str | None:
        """A text, None if it is none or empty."""
        if not isinstance(value, str) or not self._room:
            return None
        shown = printable(self._masked(str(value)), min(longest, self._room)).strip()
        self._room = max(0, self._room - len(shown))
        return shown or None

    def texts(self, value: t.Any, most: int, longest: int = NAME) -> list[str]:
        """So many texts of a list at most."""
        found = (self.text(one, longest) for one in self.items(value, most))
        return [one for one in found if one is not None]

    def scalar(self, value: t.Any) -> str | int | float | bool | None:
        """A text, a number, or yes or no."""
        return value if isinstance(value, bool) else self.text(value) or self.number(value)

    @staticmethod
    def number(value: t.Any) -> int | float | None:
        """A number that JSON can hold and people can read."""
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST < value < LARGEST
        return value if fits else None

    def seconds(self, value: t.Any) -> float | None:
        """A length of time, in seconds."""
        found = self.number(value)
        return None if found is None or found < 0 else float(found)

    @staticmethod
    def flag(value: t.Any) -> bool | None:
        """Yes or no; None if it is neither."""
        return value if isinstance(value, bool) else None

    @staticmethod
    def mapping(value: t.Any) -> t.Mapping[t.Any, t.Any]:
        """A dictionary, empty if it is none."""
        return value if isinstance(value, collections.abc.Mapping) else {}

    @staticmethod
    def items(value: t.Any, most: int) -> list[t.Any]:
        """So many items of a list at most, empty if it is none."""
        return list(value[:most]) if isinstance(value, (list, tuple)) else []

    @staticmethod
    def time(value: t.Any) -> float | None:
        """Seconds since the epoch out of an ISO 8601 time; None if it is none."""
        seconds = parse_time(value) if isinstance(value, str) else None
        return seconds if seconds is not None and 0 <= seconds < LATEST else None

    def moment(self, value: t.Any) -> str | None:
        """A time in ISO 8601, in UTC and to the second."""
        seconds = self.time(value)
        return None if seconds is None else format_time(seconds)
