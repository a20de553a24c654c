# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what tells whether a pair could fail over. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account, Cloud, connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance, parse_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import looks_like_crn, parse_crn
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import ExchangeError
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import survey, validation
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.audit import Facts
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.direction import Side, direction
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.expected import Expected, expected_of
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import (
    lag_finding,
    lag_told,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import lag_result, try_lag
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import check_lag, read_names
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import DEFAULT_TOPIC_TRANSFORM
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pair import wanted_settings
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    compile_patterns,
    normalise,
    preview,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    Selection,
    Unreadable,
    observe,
)


class Controls(t.NamedTuple):
    """What the admin API of an instance tells; ``silence`` is in place of all else if it gives no answer."""

    status: str | Unreadable
    selection: Selection
    topics: survey.Topics
    silence: Unreadable | None


class Survey:
    """One task's look at one pair. Raises InvalidInput for options that cannot work, before anything is sent."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._params = params = call.params
        self._topics = normalise(params["topics"])
        compile_patterns(self._topics or [])
        self._names = read_names(params["metric_names"])
        check_lag(params["max_lag"], False)
        for side in ("source", "target"):
            if looks_like_crn(params[side]):
                parse_crn(params[side], side)
        self._cloud = connect(call)
        self.lag: dict[str, t.Any] | None = None

    def facts(self) -> Facts:
        """Everything that the rules look at, read anew but for the policies that others of the run have read, if those are enough. Also
        sets ``lag``, what is returned of it. Raises MirrorOpsError for what leaves nothing to look at."""
        cloud = self._cloud
        target = cloud.target.instances.find(self._params["target"], "target")
        source, unread = self._source()
        wanted = wanted_settings(self._params, parse_crn(source.crn, "the CRN of the source"), target)
        there, here = _ask(cloud.source, source, "source_admin_url"), _ask(cloud.target, target)
        state = observe(target, here.selection, _names(here.topics))
        found = direction(
            Side(source, wanted.source_alias, observe(source, there.selection), there.topics),
            Side(target, wanted.target_alias, state, here.topics),
        )
        forth, back = self._authorizations(source, target)
        asked = (
            self._topics if self._topics is not None else state.selection if isinstance(state.selection, list) else []
        )
        transform = wanted.topic_name_transform or state.fields["topic_name_transform"].value or DEFAULT_TOPIC_TRANSFORM
        listed = [] if isinstance(there.topics, Unreadable) else there.topics
        evidence = validation.Evidence(
            target=target,
            state=state,
            wanted=wanted,
            topics=self._topics,
            previews=preview(listed, compile_patterns(asked), transform, wanted.source_alias),
            source_topics=there.topics,
            target_topics=here.topics,
            active_topics=here.silence or survey.read_active_topics(cloud.target, target),
            authorization=forth,
        )
        return Facts(
            source=source,
            source_unread=unread,
            source_status=there.status,
            target_status=here.status,
            direction=found,
            evidence=evidence,
            back=back,
            failback=self._params["failback"],
            lag=None if found.forward is False else self._lag(target, expected_of(evidence)),
            limited=self._params["max_lag"] is not None,
        )

    def _source(self) -> tuple[Instance, str | None]:
        """The source, and why its document could not be read; then it is what its CRN tells, if that was given."""
        named = self._params["source"]
        try:
            return self._cloud.source.instances.find(named, "source"), None
        except ExchangeError as error:
            known = parse_instance({"crn": str(parse_crn(named, "source"))}) if looks_like_crn(named) else None
            if known is None or not error.transient:
                raise
            return known, error.message

    def _authorizations(self, source: Instance, target: Instance) -> tuple[survey.Authorization, survey.Authorization]:
        """Those of both directions. That one is missing is told only of a list that was read for this pair."""
        recent = self._cloud.recent()
        found = _both_ways(recent, source, target)
        if recent.reused and not all(one.policy_ids for one in found):
            return _both_ways(self._cloud, source, target)
        return found

    def _lag(self, target: Instance, expected: Expected | Unreadable) -> Finding:
        most = self._params["max_lag"]
        lag = try_lag(self._cloud.target, target, self._params["monitoring_instance"], self._names)
        finding = lag_told(lag, expected) if most is None else lag_finding(lag, float(most), expected)
        self.lag = lag_result(lag, finding, most, expected, self._call.clock.time())
        return finding


def _ask(account: Account, instance: Instance, option: str = "admin_url") -> Controls:
    """Asks the admin API of an instance; one that gives no answer is not asked again and again."""
    status = survey.read_status(account, instance, option)
    if isinstance(status, Unreadable) and not status.lasting:
        silence = Unreadable(f"the admin API of {instance.label} gives no answer.")
        return Controls(status, silence, silence, silence)
    selection = survey.read_selection(account, instance, option)
    return Controls(status, selection, survey.read_topics(account, instance, option), None)


def _both_ways(cloud: Cloud, source: Instance, target: Instance) -> tuple[survey.Authorization, survey.Authorization]:
    return (
        survey.read_authorization(cloud.source, source, target),
        survey.read_authorization(cloud.target, target, source),
    )


def _names(topics: survey.Topics) -> list[str] | None:
    return None if isinstance(topics, Unreadable) else [topic.name for topic in topics]
