# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletes topics of a target. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Admin
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import backoff
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import (
    LONGEST_LOOK,
    Progress,
    growing,
    pause,
)

MOST_ATTEMPTS = 6


def delete_topics(call: Call, admin: Admin, names: t.Sequence[str], progress: Progress) -> None:
    """Deletes topics and waits until none of them is listed. Raises ExchangeError, and WaitExpired for what is accepted and goes on being
    listed; ``details`` of any of them tell what was deleted before."""
    unknown_there = []
    done: list[str] = []
    try:
        for name in names:
            if not _delete(call, admin, name):
                unknown_there.append(name)
            done.append(name)
        progress.note("waiting until what was deleted is no longer listed")
        left = _left(call, admin, names)
    except _errors.ExchangeError as error:
        error.details = {**error.details, "accepted": done}
        if done:
            error.remedy = f"{error.remedy} Deleted before that: {', '.join(done)}."
        raise
    if not left:
        return
    attempt = f"delete topics of {admin.instance}"
    details = {"accepted": done, "still_listed": left}
    denied = [name for name in left if name in unknown_there]
    if denied:
        raise _errors.NotFound(
            f"the service says that there is no {', '.join(denied)}, and goes on listing it",
            attempt=attempt,
            instance=admin.instance,
            status=404,
            remedy="Run again later. If it stays, look at the topic in the console.",
            details=details,
        )
    raise _errors.WaitExpired(
        f"{', '.join(left)} still listed {call.params['settle_timeout']:g} s after the deletion was accepted",
        attempt=attempt,
        instance=admin.instance,
        remedy="The service deletes in the background; run again later, or raise settle_timeout. If it stays, somebody creates it anew: "
        "is there an application that still writes to it, or a mirroring that feeds it?",
        details=details,
    )


def _delete(call: Call, admin: Admin, name: str) -> bool:
    """Sends a deletion; False where the service says that there is no such topic. After a lost answer it is sent again only if the topic is
    still listed when the first one should have had its effect: by then, it could be a new one."""
    for number in range(1, MOST_ATTEMPTS + 1):
        try:
            return admin.delete_topic(name)
        except _errors.ExchangeError as error:
            if not error.transient or number == MOST_ATTEMPTS:
                raise
            call.clock.sleep(backoff(number, error.retry_after))
            if error.processed == "maybe" and not _left(call, admin, [name]):
                return True
    raise AssertionError("unreachable")


def _left(call: Call, admin: Admin, names: t.Iterable[str]) -> list[str]:
    """Those topics that are still listed after settle_timeout; it is not waited for when there are none."""
    deadline = call.clock.monotonic() + float(call.params["settle_timeout"])
    intervals = growing(LONGEST_LOOK)
    while True:
        listed = {topic.name for topic in admin.topics()}
        left = [name for name in names if name in listed]
        if not left or call.clock.monotonic() >= deadline:
            return left
        pause(call.clock, next(intervals), deadline)
