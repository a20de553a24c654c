# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replaces the topic selection of a target. Private to this collection: it may change at any time."""

from __future__ import annotations

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Admin
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import backoff
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import same_selection
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import (
    LONGEST_LOOK,
    growing,
    pause,
)

MOST_ATTEMPTS = 6


def replace_selection(call: Call, admin: Admin, topics: list[str]) -> list[str]:
    """Replaces the selection and reads it back. It is sent again only where nothing has changed: after a lost answer, and
    where the service does not take it yet, as it may right after mirroring was enabled (API §11.10)."""
    number = 1
    while True:
        try:
            admin.select(topics)
            break
        except _errors.ExchangeError as error:
            if not (error.transient or isinstance(error, _errors.PermissionDenied)) or number == MOST_ATTEMPTS:
                raise
            call.clock.sleep(backoff(number, error.retry_after))
        if same_selection(_shown(admin), topics):
            break
        number += 1
    deadline = call.clock.monotonic() + float(call.params["settle_timeout"])
    intervals = growing(LONGEST_LOOK)
    while not same_selection(now := admin.selection(), topics):
        if call.clock.monotonic() >= deadline:
            raise _errors.UnusableAnswer(
                f"the selection {topics} was accepted, and after {call.params['settle_timeout']:g} s the target still shows {now}",
                attempt=f"set the topic selection of {admin.instance}",
                instance=admin.instance,
                remedy="The service may be slow to show it, or somebody else is setting it at the same time. Run again.",
            )
        pause(call.clock, next(intervals), deadline)
    return now or []


def _shown(admin: Admin) -> list[str] | None:
    """The selection, None also where it cannot be read for lack of a right that may come."""
    try:
        return admin.selection()
    except _errors.PermissionDenied:
        return None
