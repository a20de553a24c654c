# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for an operation (API §3.6). Private to this collection: it may change at any time.

Right after an update a read may still show the finished operation of before, whatever its outcome. So a finished operation
counts only when it is certainly a later one, or when the settle time has passed.
"""

from __future__ import annotations

import dataclasses
import random
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Clock
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance

FIRST_PAUSE = 2.0
QUIET_SECONDS = 60.0
LONGEST_LOOK = 10.0
LEAST_LOOKS = 3
GOES_ON = "The update goes on by itself; run this again to join it."
LEAST_SECONDS = {
    "wait_timeout": 0.0,
    "poll_interval": 0.01,
    "settle_timeout": 0.0,
    "authorization_timeout": 0.0,
    "topics_timeout": 0.0,
}


@dataclasses.dataclass(frozen=True)
class Limits:
    """Seconds, fractions allowed."""

    timeout: float
    interval: float
    settle: float


def check_seconds(params: dict[str, t.Any]) -> None:
    """Raises InvalidInput for options that are seconds and have values that cannot work."""
    for name, least in LEAST_SECONDS.items():
        value = float(params.get(name, least))
        if not least <= value < 30 * 86400:
            raise _errors.InvalidInput(
                f"{name} is {value:g}; it must be at least {least:g} seconds and less than 30 days"
            )


def read_limits(params: dict[str, t.Any]) -> Limits:
    """The wait options of a task. Raises InvalidInput for values that cannot work."""
    check_seconds(params)
    return Limits(
        float(params["wait_timeout"]), float(params["poll_interval"]), float(params.get("settle_timeout", 60))
    )


class Progress:
    """One line per change of what is seen, and at most one a minute while nothing changes."""

    def __init__(self, call: Call, label: str) -> None:
        self._show, self._clock, self.label = call.progress, call.clock, label
        self._started = self._shown = call.clock.monotonic()
        self._last: str | None = None

    def note(self, text: str, state: str | None = None) -> None:
        """Shows the text if the state (the text itself, if none is given) is new, or if the last line is a minute old."""
        now, state = self._clock.monotonic(), state or text
        if state != self._last or now - self._shown >= QUIET_SECONDS:
            self._last, self._shown = state, now
            self._show(f"{self.label}: {_elapsed(now - self._started)} {text}")


def pause(clock: Clock, interval: float, deadline: float) -> None:
    """Sleeps about an interval, jittered so that a fleet does not ask in step, not past the deadline."""
    clock.sleep(max(0.0, min(interval * random.uniform(0.9, 1.1), deadline - clock.monotonic())))


def growing(most: float) -> t.Iterator[float]:
    """Seconds between looks: they double up to the most, so that what comes soon is seen soon and what does not costs little."""
    seconds = min(FIRST_PAUSE, most)
    while True:
        yield seconds
        seconds = min(2 * seconds, most)


def wait_for_operation(
    call: Call,
    read: t.Callable[[], Instance],
    *,
    label: str,
    limits: Limits,
    deadline: float,
    progress: Progress,
    baseline: Instance | None,
    accepted: Instance | None = None,
    goes_on: str = GOES_ON,
) -> Instance:
    """Waits until the instance's last operation has finished, and returns the instance, whichever way it ended.

    ``label`` names the instance; ``baseline`` is the instance as it was before the operation, None if that is not known because it was
    found running; ``accepted`` is what the answer to our update showed; ``goes_on`` is what to do when the time is over. The first
    looks follow each other closely, so that one that is behind is not alone. What looks like the baseline counts only when it was
    shown for the settle time, even after the operation was seen running: reads may come from places of which one is behind.

    Reads that fail in passing are borne until the deadline, others for retry_timeout, because this read has worked before. What was
    read before the end counts no more, because the operation may have changed everything. Raises WaitExpired, and ExchangeError for
    what does not pass.
    """
    clock = call.clock
    started = settling = clock.monotonic()
    intervals = growing(limits.interval)
    running_seen = baseline is None
    looks = 0
    refused_at: float | None = None
    while True:
        pause(clock, next(intervals), deadline)
        trouble: _errors.ExchangeError | None = None
        instance: Instance | None = None
        try:
            instance = read()
        except _errors.ExchangeError as error:
            if isinstance(error, _errors.NotFound) and error.status != 404:
                raise  # removed: nothing goes on
            if refused_at is None:
                refused_at, intervals = clock.monotonic(), growing(limits.interval)
            if not error.transient and clock.monotonic() - refused_at >= float(call.params["retry_timeout"]):
                error.remedy = f"{error.remedy} {goes_on}"
                raise
            trouble = error
            progress.note(f"cannot read the instance, trying on: {error.reason}")
        if instance is not None and instance.operation.unfinished:
            refused_at, running_seen, looks, settling = None, True, 0, clock.monotonic()
            progress.note(_words(instance))
        elif instance is not None:
            refused_at = None
            looks += 1
            settled = clock.monotonic() - settling >= limits.settle and (looks >= LEAST_LOOKS or not limits.settle)
            if settled or _is_later(instance, baseline, accepted, running_seen):
                progress.note(_words(instance))
                call.reads.outdate()
                return instance
            progress.note(f"{_words(instance)} (may be the one before)")
        if clock.monotonic() >= deadline:
            raise expired(label, clock.monotonic() - started, instance, trouble, goes_on)


def expired(
    label: str,
    seconds: float,
    instance: Instance | None,
    trouble: _errors.ExchangeError | None,
    goes_on: str,
) -> _errors.WaitExpired:
    """The error for a wait whose time is over: what was seen last, and how to go on."""
    words = _words(instance) if instance else trouble.reason if trouble else ""
    return _errors.WaitExpired(
        f"after {_elapsed(seconds)} the update has not ended" + (f": {words}" if words else ""),
        attempt="wait for the update",
        instance=label,
        status=trouble.status if trouble else None,
        code=trouble.code if trouble else None,
        transaction_id=trouble.transaction_id if trouble else None,
        remedy=f"{goes_on} wait_timeout sets how long to wait.",
        details={"operation": instance.operation.to_result() if instance else None},
    )


def _is_later(instance: Instance, baseline: Instance | None, accepted: Instance | None, running_seen: bool) -> bool:
    """Whether a finished operation is certainly not one from before our update.

    A success is confirmed by looking at the state afterwards. A failure that comes without having been seen running is not, so more
    is asked of it.
    """
    if baseline is None:
        return True
    shown = (instance.operation, instance.updated_at)
    if accepted and instance.operation.phase == "failed" and shown == (accepted.operation, accepted.updated_at):
        return False  # the answer to our update showed it already; what was seen running may be that one, too
    if running_seen:
        return shown != (baseline.operation, baseline.updated_at)
    if instance.updated_at == baseline.updated_at:
        return False
    return instance.operation.phase == "succeeded" or instance.operation != baseline.operation


def _words(instance: Instance) -> str:
    operation = instance.operation
    if not operation.state:
        return "no operation"
    return f"{operation.type or 'operation'} {operation.state}" + (
        f": {operation.description}" if operation.description else ""
    )


def _elapsed(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
