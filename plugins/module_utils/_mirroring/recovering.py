# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the recovery_info module does: looks at both sides of a pair, and works out a plan. Private to this collection: it may change at
any time."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account, connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import (
    looks_like_crn,
    parse_crn,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._identity import SOURCE
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import survey
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding, some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.last_reading import Reading, read_last
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.local_topics import (
    Came,
    own_topics,
    selected_names,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import PATIENCE
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import check_lag, read_names
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    DEFAULT_TOPIC_TRANSFORM,
    checkpoint_aliases,
    derive_aliases,
    parse_transform,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.origin import (
    is_foreign,
    unclear,
    unverified_origin,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.plan import CONTRADICTION
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.record import (
    Record,
    goes_on,
    is_unverified,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.records import newest
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery import (
    Plan,
    Verb,
    Wishes,
    giver_of,
    plan,
    taker_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery_obstacles import (
    is_authorized,
    is_revocable,
    mismatch,
    obstacles,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery_pair import Pair, Side, Which
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery_report import (
    Report,
    Seen,
    confirmed,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    compile_patterns,
    normalise,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    Unreadable,
    observe,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import (
    Progress,
    read_limits,
    wait_for_operation,
)


@dataclasses.dataclass(frozen=True)
class Looked(Seen):
    """What was seen, and with whose identity; ``mirrored_from`` are the aliases of all that ever mirrored to it, as far as they are known."""

    account: Account
    mirrored_from: tuple[str, ...] = ()


class Recovery:
    """One task's look at a pair, and its plan for one verb."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._params = params = call.params
        self._verb: Verb = params["verb"]
        self._limits = read_limits(params)
        self._names = read_names(params["metric_names"])
        check_lag(params["accepted_lag"], False)
        self._patterns = compile_patterns(normalise(params["topics"]) or [])
        self._forward = (
            parse_transform(params["topic_name_transform"], "topic_name_transform") or DEFAULT_TOPIC_TRANSFORM
        )
        for option in ("source", "target"):
            if looks_like_crn(params[option]):
                parse_crn(params[option], option)
        self._asks_source = self._verb in ("reverse", "failback") or (
            self._verb == "failover" and params["mode"] == "planned"
        )
        needed = self._asks_source or params["remove_authorization"]
        without_source = dict.fromkeys(SOURCE)
        self._cloud = connect(call if needed else dataclasses.replace(call, params={**params, **without_source}))
        self._target = self._cloud.target.instances.find(params["target"], "target")
        self._source: Instance | None = None
        if needed:
            self._source = self._find_source()
        self._check_different()

    def _find_source(self) -> Instance:
        try:
            return self._cloud.source.instances.find(self._params["source"], "source")
        except _errors.ExchangeError as error:
            if self._verb == "failover":
                error.remedy = (
                    f"{error.remedy} If the source is gone, set failover_mode: unplanned, which asks nothing of it."
                )
            raise

    def _check_different(self) -> None:
        given = self._params["source"]
        source = self._source.guid if self._source else given
        if not self._source and looks_like_crn(given):
            source = parse_crn(given, "source").instance
        if source.lower() in (self._target.guid.lower(), self._target.name.lower()):
            raise _errors.InvalidInput(
                f"source and target are the same instance, {self._target.label}", remedy="Give two different instances."
            )

    def result(self) -> Result:
        """Looks, plans, and reports."""
        target = self._look("target", self._cloud.target, self._target, "admin_url")
        source = None
        if self._asks_source and self._source:
            source = self._look("source", self._cloud.source, self._source, "source_admin_url")
        aliases = self._aliases(target)
        pair = self._pair(source, target, aliases)
        record, unverified = self._interrupted()
        continued = record["path"] if record and record["verb"] == self._verb else None
        wishes, refusals, notes = self._wishes(source, target, aliases, continued is not None)
        wishes = dataclasses.replace(wishes, verify=unverified)
        planned = self._verb == "failover" and self._params["mode"] == "planned"
        interrupted = record is not None and record["verb"] == "failback" and (self._verb == "reverse" or planned)
        if record and interrupted:
            message = f"A failback of this pair was interrupted ({record['path']}), so applications may write to the source again."
            remedy = (
                f"If they do, finish it with failback. If they use {self._target.name}, run failover with failover_mode: unplanned and "
                f"failover_confirm={self._target.name}, which notes that, and then reverse."
            )
            refusals = [Finding("record", "fail", message, remedy)]
        made = plan(self._verb, pair, wishes)
        if refusals and (made.steps or interrupted):
            made = dataclasses.replace(made, steps=(), refusals=tuple(refusals), notes=())
        if not self._asks_source:
            notes += unverified_origin(self._target.name, target.state, self._params["source"])
        made = dataclasses.replace(made, notes=(*notes, *made.notes) if made.steps else made.notes)
        reading = self._reading(pair, made, target, aliases[0])
        return Report(
            params=self._params,
            verb=self._verb,
            pair=pair,
            plan=made,
            topics=wishes.topics,
            reading=reading,
            seen={"target": target, **({"source": source} if source else {})},
            grant=self._grant(made),
            identity=self._cloud.target.iam_id(),
            continues=continued,
            at=self._call.clock.time(),
        ).to_result()

    def _look(self, which: Which, account: Account, instance: Instance, option: str) -> Looked:
        """An instance as it is when its operation has ended, which is waited for where that is wanted."""
        urgent = self._verb == "failover" and self._params["mode"] == "unplanned"
        waits = (
            self._params["wait"] and not urgent and not self._call.check_mode and confirmed(self._params, self._target)
        )
        if waits and instance.operation.unfinished:
            instance = wait_for_operation(
                self._call,
                lambda: account.instances.get(instance.guid),
                label=instance.label,
                limits=self._limits,
                deadline=self._call.clock.monotonic() + self._limits.timeout,
                progress=Progress(self._call, instance.label),
                baseline=None,
            )
        selection = survey.read_selection_twice(self._call, account, instance, option)
        names = None
        if isinstance(selection, list):
            topics = survey.read_topics(account, instance, option)
            names = None if isinstance(topics, Unreadable) else [topic.name for topic in topics]
        return Looked(
            which, instance, observe(instance, selection, names), account, tuple(checkpoint_aliases(names or ()))
        )

    def _aliases(self, target: Looked) -> tuple[str, str]:
        """Of source and target. Of a source that is not asked, what is given or shown tells, or the only one that has left traces; else what it
        is called, in place of an alias that nobody knows."""
        given = self._params["source_alias"], self._params["target_alias"]
        if self._source:
            return derive_aliases(*given, self._source.region, self._target.region)
        source = self._params["source"]
        region = parse_crn(source, "source").region if looks_like_crn(source) else None
        shown = target.state.fields["source_alias"].value
        traced = target.mirrored_from[0] if len(target.mirrored_from) == 1 else None
        return given[0] or region or shown or traced or source, given[1] or self._target.region

    def _pair(self, source: Looked | None, target: Looked, aliases: tuple[str, str]) -> Pair:
        taker = taker_of(self._verb) if self._verb in ("reverse", "failback") else None
        named = self._params["source"]
        made_up = self._source is None and aliases[0] == named != self._params["source_alias"]
        # An alias that was made up from what the target shows says nothing about that.
        known = aliases[0] if source or self._params["source_alias"] or looks_like_crn(self._params["source"]) else None
        seen = self._side(source, target, aliases[0], aliases[1], taker) if source else None
        if seen and seen.foreign and self._verb == "failover":
            aside = f"{seen.name} itself mirrors another instance, which this pair has nothing to do with."
            seen = dataclasses.replace(seen, enabled=False, topics=None, foreign=False, aside=aside)
        return Pair(
            source=seen,
            target=self._side(target, source, aliases[1], known, taker),
            source_alias=aliases[0],
            suffix="<alias of the source>" if made_up else aliases[0],
            mismatch=mismatch(source.instance, target.instance) if source else "",
        )

    def _side(
        self, one: Looked, other: Looked | None, alias: str, alias_of_other: str | None, taker: Which | None
    ) -> Side:
        instance, state = one.instance, one.state
        selection = state.selection
        authorization = self._authorization(one, other, taker)
        operation = instance.operation
        running = f"{operation.type} {operation.state}".strip() if operation.unfinished else ""
        outdated = state.contradictory and self._params["disabled"] and one.which == giver_of(self._verb)
        return Side(
            which=one.which,
            name=instance.name,
            alias=alias,
            enabled=state.enabled.value,
            topics=tuple(selection) if isinstance(selection, list) else None,
            reason=selection.reason if isinstance(selection, Unreadable) else "",
            foreign=is_foreign(state, other.instance.crn if other else None, self._params["source"], alias_of_other),
            authorized=is_authorized(authorization),
            revocable=is_revocable(authorization),
            running=running,
            obstacles=tuple(obstacles(one.which, one.account, instance, taker == one.which)),
            doubt=f"{instance.name}: {CONTRADICTION}" if state.contradictory and not outdated else "",
            aside=f"{instance.name}: {CONTRADICTION} This run has seen it go off." if outdated else "",
            unclear=unclear(instance.name, state, one.mirrored_from, alias_of_other),
        )

    def _authorization(self, one: Looked, other: Looked | None, taker: Which | None) -> survey.Authorization | None:
        """Whether a side may read the other one, where the plan may depend on it."""
        if taker == one.which and other:
            return survey.read_authorization(other.account, other.instance, one.instance)
        if one.which == "target" and self._params["remove_authorization"] and self._source:
            return survey.read_authorization(self._cloud.source, self._source, one.instance)
        return None

    def _wishes(
        self, source: Looked | None, target: Looked, aliases: tuple[str, str], resume: bool
    ) -> tuple[Wishes, list[Finding], list[str]]:
        """What is asked for, with patterns that choose no topic that came from the other side before; and why they cannot."""
        wishes = Wishes(
            mode=self._params["mode"],
            topics=tuple(one.pattern for one in self._patterns),
            remove_authorization=self._params["remove_authorization"],
            resume=self._params["resume"] or resume,
            accepted_lag=self._params["accepted_lag"],
            accept_unknown_loss=self._params["accept_unknown_loss"],
            force=self._params["force"],
        )
        if not source or self._verb not in ("reverse", "failback"):
            return wishes, [], []
        back = self._verb == "reverse"
        giver, option = (target, "admin_url") if back else (source, "source_admin_url")
        topics = survey.read_topics(giver.account, giver.instance, option)
        if isinstance(topics, Unreadable):
            message = f"Which topics of {giver.instance.name} are its own is not known: {topics.reason}"
            return wishes, [Finding("topics", "unknown", message, "Make its admin API reachable.")], []
        here, there = (aliases[1], aliases[0]) if back else aliases
        # The aliases of all that ever mirrored to it, whatever the variables say of the present one.
        echoed = giver.state.fields["source_alias"].value
        aliases_there = (
            there,
            *([echoed] if echoed else []),
            *checkpoint_aliases(topic.name for topic in topics),
        )
        shown = giver.state.fields["topic_name_transform"].value
        came = Came(aliases_there, shown or (self._forward if back else DEFAULT_TOPIC_TRANSFORM))
        transform = DEFAULT_TOPIC_TRANSFORM if back else self._forward
        chosen = own_topics(self._patterns, topics, came, transform, here)
        notes = []
        if chosen.left_out:
            notes.append(
                f"The patterns also choose what came to {giver.instance.name} from the other side ({some(chosen.left_out)}), so each topic of "
                "its own is selected by name. Those that are created later are not mirrored until this is run again."
            )
        if not came.under_other_names:
            notes.append(
                f"Topics that came to {giver.instance.name} kept their names, so what came from the other side goes back to it as well."
            )
        refusals = []
        if chosen.undecided:
            message = (
                f"Only the service can tell which topics {some(chosen.undecided)} chooses, so nobody knows whether that is what came to "
                f"{giver.instance.name} from the other side, which would go back to it."
            )
            refusals.append(Finding("topics", "unknown", message, "Write the patterns without constructs of Java."))
        elif self._patterns and not chosen.patterns:
            copies = f", only copies: {some(chosen.left_out)}" if chosen.left_out else ""
            message = f"The patterns choose no topic of {giver.instance.name} that is its own{copies}."
            remedy = (
                f"Create the topics on {giver.instance.name}, or start the producers there; if it has others, set mirroring_topics to "
                "their patterns."
            )
            refusals.append(Finding("topics", "fail", message, remedy))
        return dataclasses.replace(wishes, topics=chosen.patterns or wishes.topics), refusals, notes

    def _interrupted(self) -> tuple[Record | None, bool]:
        """The record of an earlier run that has not ended, if that was the last one that did something to the pair; and whether a run of this
        verb was the last one, and had not seen in the end what it was to see."""
        folder = self._params["folder"]
        if not folder or not self._source:
            return None, False
        record = newest(folder, self._source.guid, self._target.guid, self._call.clock.time())
        if record is None:
            return None, False
        return record if goes_on(record) else None, record["verb"] == self._verb and is_unverified(record)

    def _reading(self, pair: Pair, made: Plan, target: Looked, alias: str) -> Reading | None:
        """What is known of the loss, where nothing can be asked of the source."""
        if self._asks_source or self._verb != "failover" or not made.steps:
            return None
        transform = target.state.fields["topic_name_transform"].value or self._forward
        known = transform == DEFAULT_TOPIC_TRANSFORM and pair.suffix == alias
        selection = list(pair.target.topics or ()) if known else None

        def counts(names: t.Iterable[str]) -> set[str]:
            return selected_names(names, selection, alias)

        try:
            monitoring = self._cloud.target.monitoring(
                target.instance, self._params["monitoring_instance"], most=PATIENCE
            )
            return read_last(monitoring, self._names, target.instance.guid, counts)
        except _errors.Abandoned:
            raise
        except _errors.MirrorOpsError as error:
            return Reading(reason=error.failure()["reason"])

    def _grant(self, made: Plan) -> dict[str, t.Any] | None:
        """The options of an authorization for what the plan is about: that the side which takes up mirroring may read the other one, or for
        disabling, that which is to be taken back. IAM's source is who asks (API §2.1)."""
        if not self._source:
            return None
        backward = made.taker == "source"
        asking, asked = (self._source, self._target) if backward else (self._target, self._source)
        return {
            "account_id": asked.account_id,
            "source_service_account": asking.account_id,
            "source_service_instance_id": asking.guid,
            "target_service_instance_id": asked.guid,
        }
