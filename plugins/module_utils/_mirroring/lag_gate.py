# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks how far a target is behind, and waits until that is accepted. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.expected import Expected
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import (
    REMEDY,
    REMEDY_NOT_WAITED,
    Lag,
    lag_finding,
    misses,
    wait_until,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import lag_result, try_lag
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import LOOKBACK
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import (
    Limits,
    Progress,
    growing,
    pause,
)

NOTHING_NEW = "Monitoring has no values from after the start"
LOOK_AGAIN = 60.0
"""Seconds after which it is looked again which topics count."""


class LagGate:
    """One limit for the lag of one target. ``names`` are those of the metrics, ``expected`` the topics that count. After wait(), ``waited``
    is for how long that was, in seconds, and finding() and to_result() are about what was seen last."""

    def __init__(
        self,
        call: Call,
        account: Account,
        target: Instance,
        names: dict[str, str],
        limits: Limits,
        progress: Progress,
        expected: Expected | Unreadable,
    ) -> None:
        self._call, self._account, self._target, self._names = call, account, target, names
        self._limits, self._progress = limits, progress
        self._most = float(call.params["max_lag"])
        self._lag: Lag | Unreadable = Unreadable("nobody looked")
        self.expected = expected
        self.waited = 0.0

    def wait(self, waits: bool, look: t.Callable[[], Expected | Unreadable]) -> None:
        """Reads how far the topics are behind. If asked to, waits until that is accepted, for as long as an update may take, and for values
        for as long as topics may; ``look`` tells which topics count by then."""
        clock = self._call.clock
        intervals, started = growing(self._limits.interval), clock.monotonic()
        deadline = started + self._limits.timeout
        # Until Monitoring has answered once, nobody knows that it will.
        patience = float(self._call.params["topics_timeout"])
        missing_until: float | None = started + patience
        looked = started
        fresh = self._call.params["fresh_lag"]
        while True:
            self._lag = self._read(clock.monotonic() - started if fresh else None)
            if isinstance(self._lag, Lag) and any(map(self._lag.counts, self._lag.old)):
                if waits:
                    self._progress.note("waiting for values from after the start", "old")
                    pause(clock, next(intervals), min(deadline, started + LOOKBACK))
                    self.waited = clock.monotonic() - started
                    if clock.monotonic() < deadline:
                        continue
                self._lag = Unreadable(NOTHING_NEW, remedy="Give it more time: a value comes once a minute.")
            finding = self.finding()
            if isinstance(self._lag, Lag):
                soonest = clock.monotonic() + patience
                missing_until = min(missing_until or soonest, soonest) if misses(finding) else None
            until = wait_until(self._lag, finding, deadline, missing_until or deadline)
            if not waits or until is None or clock.monotonic() >= until:
                return
            self._progress.note(finding.message, finding.status)
            pause(clock, next(intervals), until)
            self.waited = clock.monotonic() - started
            if clock.monotonic() >= looked + LOOK_AGAIN:
                looked = clock.monotonic()
                self.expect(look())

    def expect(self, expected: Expected | Unreadable) -> None:
        """Which topics count from now on. What could be read once is not forgotten because it cannot be read now."""
        if isinstance(expected, Expected) or not isinstance(self.expected, Expected):
            self.expected = expected

    def finding(self) -> Finding:
        """Whether what was seen last is accepted."""
        asked = self._call.params["wait_for_lag"]
        return lag_finding(self._lag, self._most, self.expected, self.waited, REMEDY_NOT_WAITED if asked else REMEDY)

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        return lag_result(self._lag, self.finding(), self._most, self.expected, self._call.clock.time())

    def _read(self, fresh: float | None) -> Lag | Unreadable:
        given = self._call.params["monitoring_instance"]
        found = try_lag(self._account, self._target, given, self._names, fresh)
        return found.judged(self._most, self.expected) if isinstance(found, Lag) else found
