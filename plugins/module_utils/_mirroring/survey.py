# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what the checks need, turning what cannot be read into an Unreadable that says why.

Private to this collection: it may change at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.policies import DESCRIPTION, Grant, Side
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import SERVICE
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Selection, Unreadable

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Topic

SECOND_LOOK = 2.0
"""Seconds before an answer that decides is asked for again."""

Topics: t.TypeAlias = "list[Topic] | Unreadable"


@dataclasses.dataclass(frozen=True)
class Authorization:
    """Whether a target may read a source, in mirroring's words. ``own_ids`` are the policies that grant just that and that this collection
    made. ``unreadable`` says why that is not known."""

    source: Instance
    target: Instance
    policy_ids: tuple[str, ...] = ()
    own_ids: tuple[str, ...] = ()
    reversed_ids: tuple[str, ...] = ()
    unreadable: str | None = None


def read_topics(account: Account, instance: Instance, option: str = "admin_url") -> Topics:
    """All topics of an instance."""
    try:
        return account.admin(instance, option).topics()
    except (_errors.ExchangeError, _errors.InvalidInput) as error:
        return Unreadable(error.message, lasting=isinstance(error, _errors.InvalidInput))


def read_selection(
    account: Account, instance: Instance, option: str = "admin_url", *, patient: bool = True
) -> Selection:
    """The topic selection of an instance; None when it is not a mirroring target. Without patience, and while an update runs, it asks
    once."""
    try:
        return account.admin(instance, option).selection(patient=patient and not instance.operation.unfinished)
    except (_errors.ExchangeError, _errors.InvalidInput) as error:
        return Unreadable(error.message, lasting=isinstance(error, _errors.InvalidInput))


def read_selection_twice(call: Call, account: Account, instance: Instance, option: str = "admin_url") -> Selection:
    """The topic selection of an instance, for what relies on mirroring being off: a single 404 is no proof that it is."""
    selection = read_selection(account, instance, option)
    if selection is None and not instance.operation.unfinished:
        call.clock.sleep(SECOND_LOOK)
        selection = read_selection(account, instance, option)
    return selection


def read_active_topics(account: Account, instance: Instance) -> list[str] | Unreadable | None:
    """The topics that are being mirrored now; None when the instance is not a mirroring target."""
    try:
        return account.admin(instance).active_topics(patient=not instance.operation.unfinished)
    except (_errors.ExchangeError, _errors.InvalidInput) as error:
        return Unreadable(error.message, lasting=isinstance(error, _errors.InvalidInput))


def read_status(account: Account, instance: Instance, option: str = "admin_url") -> str | Unreadable:
    """What the admin API of an instance says of the whole instance (API §4.6)."""
    try:
        return account.admin(instance, option).status()
    except (_errors.ExchangeError, _errors.InvalidInput) as error:
        return Unreadable(error.message, lasting=not (isinstance(error, _errors.ExchangeError) and error.transient))


def mirroring_grant(source: Instance, target: Instance) -> Grant:
    """The access that mirroring needs: the target is the subject, the source is the resource (API §2.1)."""
    return Grant(
        Side(target.account_id, SERVICE, target.guid, target.resource_group_id),
        Side(source.account_id, SERVICE, source.guid, source.resource_group_id),
    )


def read_authorization(account: Account, source: Instance, target: Instance) -> Authorization:
    """Looks for it in the source's account. An empty list of policies proves nothing (API §2.7)."""
    grant = mirroring_grant(source, target)
    try:
        policies, none_shown = account.iam.concerning(source.account_id, grant)
    except _errors.ExchangeError as error:
        return Authorization(source, target, unreadable=error.message)
    if none_shown:
        return Authorization(
            source,
            target,
            unreadable="the list of policies is empty, which may only mean that this identity may not see them",
        )
    covering = tuple(policy.id for policy in policies if policy.covers(grant))
    own = tuple(policy.id for policy in policies if policy.equals(grant) and policy.description == DESCRIPTION)
    swapped = tuple(policy.id for policy in policies if policy.covers(grant.reversed()) and not policy.covers(grant))
    return Authorization(source, target, covering, own, swapped)
