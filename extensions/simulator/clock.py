# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated time: real time times a speed, plus what was advanced by hand."""

from __future__ import annotations

import re
import threading
import time
from datetime import datetime, timezone


def parse_time(text: str) -> float:
    """Return the epoch seconds of an ISO time such as ``2026-01-01T10:00:00.000Z`` (nanoseconds are cut)."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z", text)
    if match is None:
        raise ValueError(f"not a time like 2026-01-01T10:00:00Z: {text!r}")
    whole = datetime.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return whole.timestamp() + float(match.group(2) or 0)


def iso_millis(moment: float) -> str:
    """Write a time the way IAM does (API §2.4)."""
    return datetime.fromtimestamp(round(moment, 3), timezone.utc).isoformat(timespec="milliseconds")[:23] + "Z"


def iso_nanos(moment: float) -> str:
    """Write a time the way the Resource Controller does (API §3.4)."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


class Clock:
    """The only source of time for the simulated cloud."""

    def __init__(self, start: float, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._base = start
        self._real = time.monotonic()
        self._speed = speed

    def _now(self) -> float:
        return self._base + (time.monotonic() - self._real) * self._speed

    def now(self) -> float:
        """Return the simulated time in epoch seconds."""
        with self._lock:
            return self._now()

    def advance(self, seconds: float) -> None:
        """Move the simulated time forward."""
        if seconds < 0:
            raise ValueError("time only moves forward")
        with self._lock:
            self._base += seconds

    @property
    def speed(self) -> float:
        """Simulated seconds per real second; 0 means that only advance() moves the clock."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        if value < 0:
            raise ValueError("speed cannot be negative")
        with self._lock:
            self._base = self._now()
            self._real = time.monotonic()
            self._speed = value
