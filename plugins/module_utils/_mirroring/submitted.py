# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one task has sent and another one waits for, as results and options carry it. Pure.

Private to this collection: it may change at any time. Times of day are used because the tasks may run on different machines.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance, Operation
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.update import Submitted
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import format_time, parse_time

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Clock


def show_submitted(submitted: Submitted, selection: list[str] | None, clock: Clock) -> dict[str, t.Any]:
    """What a later task needs to wait for this very update. ``selection`` is what to restore afterwards, None for nothing."""
    return {
        "before": _shown(submitted.before),
        "accepted": _shown(submitted.accepted),
        "sent_at": format_time(clock.time() - (clock.monotonic() - submitted.sent_at)),
        "uptime": submitted.sent_at,
        "certain": submitted.certain,
        "selection": selection,
    }


def read_submitted(option: dict[str, t.Any] | None, instance: Instance, clock: Clock) -> Submitted | None:
    """The update that ``option`` describes, which another task sent to ``instance``. Raises InvalidInput."""
    if not option:
        return None
    sent_at = parse_time(option["sent_at"])
    if sent_at is None:
        raise InvalidInput(
            "submitted is not what the module returned",
            remedy="Give the whole of submitted, as an earlier task with wait: false returned it.",
        )
    return Submitted(
        _instance(instance, option["before"]),
        _instance(instance, option["accepted"]),
        clock.monotonic() - _age(sent_at, option["uptime"], clock),
        option["certain"],
    )


def _age(sent_at: float, uptime: float | None, clock: Clock) -> float:
    """Seconds since an update was sent, by the clock that says less: the time of day may have been set meanwhile, and the one that never
    steps back is another on another machine. Too little only means a longer wait."""
    ages = [clock.time() - sent_at]
    if uptime is not None and uptime <= clock.monotonic():
        ages.append(clock.monotonic() - uptime)
    return max(0.0, min(ages))


def _shown(instance: Instance) -> dict[str, t.Any]:
    return {"operation": instance.operation.to_result(), "updated_at": instance.updated_at}


def _instance(instance: Instance, seen: dict[str, t.Any]) -> Instance:
    operation = {
        **seen["operation"],
        **{name: seen["operation"][name] or "" for name in ("type", "state", "description")},
    }
    return dataclasses.replace(instance, operation=Operation(**operation), updated_at=seen["updated_at"])
