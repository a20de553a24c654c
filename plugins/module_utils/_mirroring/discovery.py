# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the instances of all accounts, their tags and their mirroring, into plain data that can be kept in a cache.

Private to this collection: it may change at any time.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, check_texts
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account, connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import (
    SERVER_FILTERS,
    FleetOptions,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import checkpoint_aliases
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pairs import (
    POSSIBLE_PLANS,
    Fleet,
    Found,
    make_pairs,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    Selection,
    Unreadable,
    observe,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.survey import (
    Topics,
    read_selection,
    read_topics,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._query import Query

WORKERS = 10
LONGEST_LOOK = 15.0
"""Seconds that one administration API may take to answer: those of private instances may never do."""

ATTRIBUTES = {"resource_plan_id": "plan_id"}
"""Filters whose attribute has another name."""


class Seen(t.NamedTuple):
    """An instance and the account it was read with."""

    account: str
    instance: Instance
    tags: list[str]


def discover(call: Call, options: FleetOptions) -> Fleet:
    """Everything the inventory needs. Raises MirrorOpsError; what is wrong with the options is told before anything is sent."""
    for credentials in options.credentials.values():
        check_texts(credentials)
    calls = {
        name: dataclasses.replace(call, params={**options.params, **credentials})
        for name, credentials in options.credentials.items()
    }
    accounts = {name: connect(one).target for name, one in calls.items()}
    if options.source == "tags":
        for account in accounts.values():
            account.search()
    seen, skipped = _read_accounts(accounts, options)
    seen = _queried(seen, options.query)
    fleet = Fleet(
        instances=[
            Found(account=one.account, facts=one.instance.to_result(), tags=one.tags, mirroring=None) for one in seen
        ],
        skipped=skipped,
    )
    _look(calls, options, seen, fleet)
    return fleet


def _read_accounts(accounts: dict[str, Account], options: FleetOptions) -> tuple[list[Seen], list[dict[str, str]]]:
    """The instances by name and GUID, each once although several accounts may see it, and the accounts that cannot be read."""
    seen: dict[str, Seen] = {}
    skipped = []
    for name, account in accounts.items():
        try:
            for one in _read_account(name, account, options):
                seen.setdefault(one.instance.guid.lower(), one)
        except _errors.ExchangeError as error:
            error.reason = f"account {name!r}: {error.reason}"
            if not isinstance(error, (_errors.AuthenticationFailed, _errors.PermissionDenied)):
                raise
            if options.strict_permissions:
                error.remedy += " With strict_permissions: false, accounts that cannot be read are left out."
                raise
            skipped.append({"account": name, "reason": error.message})
    return sorted(seen.values(), key=lambda one: (one.instance.name, one.instance.guid)), skipped


def _read_account(name: str, account: Account, options: FleetOptions) -> list[Seen]:
    found = account.instances.matching({key: options.filters[key] for key in SERVER_FILTERS if key in options.filters})
    wanted = {ATTRIBUTES.get(key, key): value for key, value in options.filters.items()}
    matching = [one for one in found if all(getattr(one, key) == value for key, value in wanted.items())]
    tags = account.search().tags() if options.source == "tags" and matching else {}
    by_guid = {crn.split(":")[7].lower(): texts for crn, texts in tags.items() if crn.count(":") >= 7}
    return [Seen(name, one, by_guid.get(one.guid.lower(), [])) for one in matching]


def _queried(seen: list[Seen], query: str | None) -> list[Seen]:
    """What a JMESPath expression leaves of the list. Raises InvalidInput unless that is a list of instances."""
    if query is None:
        return seen
    remedy = "It is applied to the list of instances, as instance_info returns them, and must yield such a list: [?plan=='enterprise']"
    facts = [one.instance.to_result() for one in seen]
    found = Query(query).search(facts, remedy)
    if not isinstance(found, list) or not all(one in facts for one in found):
        raise _errors.InvalidInput("query yields something else than a list of instances", remedy=remedy)
    return [one for one, fact in zip(seen, facts, strict=True) if fact in found]


def _look(calls: dict[str, Call], options: FleetOptions, seen: list[Seen], fleet: Fleet) -> None:
    """Looks at the mirroring of all instances, or of the targets only where those are known already."""
    wanted = fleet["instances"]
    if options.source in ("declared", "tags"):
        wanted = [pair.target for pair in make_pairs(options, fleet).pairs]
    guids = {found["facts"]["guid"] for found in wanted}
    with_topics = options.source == "observed"
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        looks = [
            pool.submit(look, calls[one.account], one.instance, with_topics) if one.instance.guid in guids else None
            for one in seen
        ]
        for found, future in zip(fleet["instances"], looks, strict=True):
            found["mirroring"] = future.result() if future else None


def look(call: Call, instance: Instance, with_topics: bool) -> dict[str, t.Any]:
    """The mirroring of one instance: asked once, in a thread and with a session of its own. What cannot be read is unknown."""
    if instance.plan not in POSSIBLE_PLANS:
        reason = f"it was not asked, because mirroring exists on the plan enterprise only, and this is {instance.plan}"
        return describe(instance, Unreadable(reason), None)
    patience = {"request_timeout": min(float(call.params["request_timeout"]), LONGEST_LOOK), "retry_timeout": 0}
    account = connect(dataclasses.replace(call, params={**call.params, **patience}, secrets=set(call.secrets))).target
    selection = read_selection(account, instance, patient=False)
    hidden = isinstance(selection, list) and not (instance.echo or {}).get("source_crn")
    return describe(instance, selection, read_topics(account, instance) if with_topics and hidden else None)


def describe(instance: Instance, selection: Selection, topics: Topics | None) -> dict[str, t.Any]:
    """What is known of an instance's mirroring, how it is known, and the reason where it is not."""
    names = [topic.name for topic in topics] if isinstance(topics, list) else None
    state = observe(instance, selection, names)
    reason = None
    if state.enabled.value is None:
        reason = selection.reason if isinstance(selection, Unreadable) else "an update of the instance is under way"
    elif isinstance(topics, Unreadable):
        reason = topics.reason
    elif names is not None and state.fields["source_alias"].value is None:
        reason = f"its topics tell of these sources: {', '.join(checkpoint_aliases(names)) or 'none'}"
    elif state.enabled.value is True and state.fields["source_crn"].value is None:
        reason = "the cloud does not show the source"
    return {**state.to_result(), "how": state.enabled.how, "reason": reason}
