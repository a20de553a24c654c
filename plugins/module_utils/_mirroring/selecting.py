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

MOST_ATTEMPTS = 6


def replace_selection(call: Call, admin: Admin, topics: list[str]) -> list[str]:
    """Replaces the selection and reads it back. Only when the answer was lost and nothing has changed it is sent again."""
    number = 1
    while True:
        try:
            admin.select(topics)
            break
        except _errors.ExchangeError as error:
            if not error.transient or number == MOST_ATTEMPTS:
                raise
            call.clock.sleep(backoff(number, error.retry_after))
        if same_selection(admin.selection(), topics):
            break
        number += 1
    deadline = call.clock.monotonic() + call.params["settle_timeout"]
    number = 1
    while not same_selection(now := admin.selection(), topics):
        pause = backoff(number)
        if call.clock.monotonic() + pause > deadline:
            raise _errors.UnusableAnswer(
                f"the selection was accepted, but the target still shows another one: {now}",
                attempt=f"set the topic selection of {admin.instance}",
                instance=admin.instance,
                remedy="Is somebody else setting it at the same time? Run again.",
            )
        call.clock.sleep(pause)
        number += 1
    return now or []
