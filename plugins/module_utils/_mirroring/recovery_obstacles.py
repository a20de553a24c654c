# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would stop a plan half way. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import survey
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery_pair import Which

UNSUPPORTED_PLANS = ("enterprise-gen2", "standard", "lite", "satellite")
SERVING = ("available", "unknown")
"""What the admin API says of a cluster that can be mirrored to, as far as that is known (API §4.6)."""


def mismatch(source: Instance, target: Instance) -> str:
    """Why the two could not mirror each other: throughput and storage have to be equal (API §5.3). What is not shown is not known to
    differ."""
    told = [
        f"{what} is {one} {unit} on {source.name} and {other} {unit} on {target.name}"
        for what, unit, one, other in (
            ("throughput", "MB/s", source.throughput, target.throughput),
            ("storage", "GB", source.storage, target.storage),
        )
        if one is not None and other is not None and one != other
    ]
    return f"{' and '.join(told).capitalize()}, which have to be equal." if told else ""


def obstacles(which: Which, account: Account, instance: Instance, takes: bool) -> t.Iterator[str]:
    """Why an update of an instance would be refused, or why it should not be mirrored to."""
    if instance.locked:
        yield "is locked, so it cannot be updated."
    if instance.state != "active":
        yield f"is {instance.state}, not active."
    if instance.plan in UNSUPPORTED_PLANS:
        yield f"has the plan {instance.plan}, which cannot mirror."
    if takes:
        try:
            option = "source_admin_url" if which == "source" else "admin_url"
            status = account.admin(instance, option).status()
        except (_errors.ExchangeError, _errors.InvalidInput) as error:
            yield f"does not tell whether it is fully operational: {error.message}"
        else:
            if status not in SERVING:
                yield f"is not fully operational: its status is {status}."


def is_authorized(found: survey.Authorization | None) -> bool | None:
    """Whether one may read the other; None if that was not looked at, or is not known."""
    if found is None or (found.unreadable and not found.policy_ids):
        return None
    return bool(found.policy_ids)


def is_revocable(found: survey.Authorization | None) -> bool | None:
    """Whether it may by a policy that grants just this and that this collection made; None if that is not known."""
    authorized = is_authorized(found)
    return None if found is None or authorized is None else bool(found.own_ids)
