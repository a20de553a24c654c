# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the mirroring module does: read, plan, one guard, apply, read back. Private to this collection: it may change at any time."""

from __future__ import annotations

import math
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Cloud, connect, find
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.policies import Grant, Side
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import Crn, looks_like_crn, parse_crn
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import parse_transform
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pair import wanted_settings
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.plan import (
    CONTRADICTION,
    Plan,
    Step,
    check_throughput,
    plan_absent,
    plan_present,
    update_parameters,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selecting import replace_selection
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    FIELDS,
    Settings,
    State,
    compare,
    wanted_state,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.submitted import (
    read_submitted,
    show_submitted,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.target import Observed, Target, glance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.update import (
    Outcome,
    Submitted,
    Update,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import Progress, read_limits
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import parse_time

GEN_1_ONLY = "Mirroring exists between Enterprise (Gen 1) instances only."
UNSUPPORTED_PLANS = ("enterprise-gen2", "standard", "lite", "satellite")


class Change:
    """One task's change of one target."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._params = params = call.params
        self._limits = read_limits(params)
        check_throughput(params["throughput"])
        self._started = call.clock.monotonic()
        for option in ("topic_name_transform", "group_id_transform"):
            parse_transform(params[option], option)
        if params["state"] == "present" and not params["source"]:
            raise _errors.InvalidInput("source is empty", remedy="Give the CRN, GUID or name of the mirroring source.")
        if params["source"] and looks_like_crn(params["source"]):
            parse_crn(params["source"], "source")
        self._authorized_at: float | None = parse_time(params["authorized_at"])
        if params["authorized_at"] and self._authorized_at is None:
            raise _errors.InvalidInput(
                f"authorized_at is no ISO 8601 time: {params['authorized_at']!r}",
                remedy="Such as 2026-01-01T10:00:00Z.",
            )
        self._patient_until: float | None = None
        self._cloud: Cloud = connect(call)
        self._recent = self._cloud.recent()
        instance = find(self._cloud.target, self._recent.target, params["target"], "target")
        self._target = Target(call, self._cloud.target, instance)
        self._first = instance
        self._waits = bool(params["wait"]) and not params["defer"]
        self._label = instance.label
        self._progress = Progress(call, self._label)
        self._source: Crn | None = None
        self._source_seen: Instance | None = None

    def present(self) -> Result:
        """Enables mirroring as wanted."""
        wanted = self._wanted()
        self._check_target()
        self._label = f"{wanted.source_alias} -> {wanted.target_alias}"
        self._progress = Progress(self._call, self._label)
        return self._carry_out(wanted, lambda state: self._plan_present(state, wanted))

    def absent(self) -> Result:
        """Disables mirroring."""
        return self._carry_out(None, lambda state: plan_absent(state, force=self._params["force"]))

    def _plan_present(self, state: State, wanted: Settings) -> Plan:
        return plan_present(state, wanted, recreate=self._params["recreate"], force=self._params["force"])

    def _carry_out(self, wanted: Settings | None, make_plan: t.Callable[[State], Plan]) -> Result:
        submitted = read_submitted(self._params["submitted"], self._first, self._call.clock)
        if submitted is not None and self._waits and not self._call.check_mode:
            return self._see_through(submitted, wanted)
        observed = self._first_look(make_plan)
        if observed.is_running() and (self._call.check_mode or not self._waits):
            return self._pending(observed, wanted)
        observed, joined = self._update("enable" if wanted else "disable", wanted).idle(observed)
        before = observed.state
        plan = make_plan(before)
        if plan.warning:
            self._call.warn(plan.warning)
        action = _action(plan, joined)
        if not plan.steps:
            return self._result(observed, action, changed=False, before=before, after=before.to_result())
        if observed.instance.locked:
            raise _errors.InvalidInput(
                f"{self._target.label} is locked, so it cannot be updated",
                instance=self._target.label,
                remedy="Unlock it: ibmcloud resource service-instance-unlock.",
            )
        if self._call.check_mode:
            waiting = not self._params["wait"]
            return self._result(
                observed, action, changed=True, before=before, after=_predicted(wanted), waiting=waiting
            )
        return self._apply(plan, observed, wanted, make_plan)

    def _first_look(self, make_plan: t.Callable[[State], Plan]) -> Observed:
        """What an earlier task read a moment ago is enough if it leaves nothing to do; else the target is read anew."""
        observed = glance(self._recent.target, self._first)
        if not self._recent.reused:
            return observed
        try:
            idle = not observed.is_running() and not observed.state.contradictory
            done = idle and not make_plan(observed.state).steps
        except _errors.InvalidInput:
            done = False
        return observed if done else self._target.observe()

    def _see_through(self, submitted: Submitted, wanted: Settings | None) -> Result:
        """Waits for what another task has sent."""
        selection = self._params["submitted"]["selection"]
        try:
            outcome = self._update("enable" if wanted else "disable", wanted).resume(submitted)
        except _errors.MirrorOpsError as error:
            error.remedy = f"{error.remedy} {_may_be_lost(selection)}" if selection else error.remedy
            raise
        observed = self._restore_selection(selection, outcome.observed)
        return self._result(
            observed,
            "joined",
            changed=outcome.sent > 0,
            before=observed.state,
            after=observed.state.to_result(),
            sent=outcome.sent,
            delay=self._delay(outcome),
        )

    def _apply(
        self, plan: Plan, observed: Observed, wanted: Settings | None, make_plan: t.Callable[[State], Plan]
    ) -> Result:
        action = _action(plan, joined=False)
        before = observed.state
        again = bool(self._params["force"])
        sent = 0
        submitted = None
        delay = None
        for step in plan.steps:
            last = step == plan.steps[-1]
            if len(plan.steps) > 1:
                self._progress = Progress(self._call, f"{self._label}, to {step}")
            try:
                outcome: Outcome = self._update(step, wanted, wait=self._waits or not last).apply(observed, again=again)
            except _errors.MirrorOpsError as error:
                if observed.state.contradictory:
                    error.remedy = (
                        f"{error.remedy} {CONTRADICTION} If the target still mirrors, correct admin_url. If what the service says is that "
                        "mirroring is not enabled, it is off."
                    )
                raise
            observed, submitted = outcome.observed, outcome.submitted
            sent += outcome.sent
            delay = self._delay(outcome) if step == "enable" else None
        selection = before.selection if len(plan.steps) > 1 and isinstance(before.selection, list) else None
        if selection and not submitted:
            observed = self._restore_selection(selection, observed)
        if not sent:
            # Somebody else's update was quicker: what it led to is judged like what was found.
            left = make_plan(observed.state)
            if left.warning:
                self._call.warn(left.warning)
            action = _action(left, joined=True)
        result = self._result(
            observed,
            action,
            changed=sent > 0,
            before=before,
            after=_predicted(wanted) if submitted else observed.state.to_result(),
            waiting=submitted is not None,
            sent=sent,
            delay=delay,
        )
        if submitted:
            # The update was only submitted: what it leads to has not been read yet.
            names = ("enabled", *FIELDS)
            result["mirroring"] = {**dict.fromkeys(names), "known": dict.fromkeys(names, "unknown")}
            result["submitted"] = show_submitted(submitted, selection, self._call.clock)
            if selection and not self._params["defer"]:
                self._call.warn(_may_be_lost(selection))
        return result

    def _update(self, step: Step, wanted: Settings | None, wait: bool = True) -> Update:
        def enabled_as_wanted(state: State) -> bool:
            return state.enabled.value is True and wanted is not None and not compare(state, wanted)[0]

        def disabled(state: State) -> bool:
            return state.enabled.value is False

        def permit(state: State) -> None:
            if step == "enable" and wanted is not None:
                self._plan_present(state, wanted)

        enabling = step == "enable"
        return Update(
            self._target,
            lambda instance: update_parameters(step, wanted, self._throughput(instance)),
            aim=enabling,
            attempt=f"{step} mirroring {self._label}",
            limits=self._limits,
            deadline=self._call.clock.monotonic() + self._limits.timeout,
            progress=self._progress,
            reached=enabled_as_wanted if enabling else disabled,
            permit=permit,
            patience=self._patience if enabling else lambda moment: 0.0,
            wait=wait,
        )

    def _restore_selection(self, selection: list[str] | None, observed: Observed) -> Observed:
        """Whether the selection survives disabling is not known (API §11.11), so it is set again if it did not."""
        if not selection or observed.state.selection == selection:
            return observed
        try:
            replace_selection(self._call, self._cloud.target.admin(observed.instance), selection)
        except _errors.ExchangeError as error:
            error.remedy = f"{error.remedy} {_may_be_lost(selection)}"
            raise
        return self._target.observe(observed.instance)

    def _wanted(self) -> Settings:
        self._source = self._source_crn(self._params["source"])
        return wanted_settings(self._params, self._source, self._first)

    def _source_crn(self, source: str) -> Crn:
        if looks_like_crn(source):
            return parse_crn(source, "source")
        self._source_seen = find(self._cloud.source, self._recent.source, source, "source")
        return parse_crn(self._source_seen.crn, "the CRN of the source")

    def _check_target(self) -> None:
        if self._first.plan in UNSUPPORTED_PLANS:
            raise _errors.InvalidInput(
                f"{self._first.label} has the plan {self._first.plan} ({self._first.plan_id})",
                instance=self._first.label,
                remedy=GEN_1_ONLY,
            )

    def _throughput(self, target: Instance) -> int | None:
        """The target's own throughput, else the option, else the source's: both have to be equal (API §5.3)."""
        known = target.throughput or t.cast("int | None", self._params["throughput"])
        if known is not None:
            return known
        if self._source_seen is None and self._source is not None:
            try:
                self._source_seen = self._cloud.source.instances.get(self._source.instance)
            except (_errors.NotFound, _errors.PermissionDenied) as error:
                self._call.warn(
                    f"The target does not show its throughput, and the source could not be read: {error.message}"
                )
        return self._source_seen.throughput if self._source_seen else None

    def _patience(self, moment: float) -> float:
        """For how many seconds from a moment on a refusal may still pass, because the authorization is young. Measured from the
        first question on, so that no clock can stretch it."""
        clock = self._call.clock
        if self._patient_until is None:
            if self._authorized_at is None:
                self._authorized_at = self._look_up_authorization()
            self._patient_until = -math.inf
            if self._authorized_at is not None:
                age = max(0.0, clock.time() - self._authorized_at)
                self._patient_until = clock.monotonic() + float(self._params["authorization_timeout"]) - age
        return self._patient_until - moment

    def _delay(self, outcome: Outcome) -> float | None:
        """Seconds from the authorization to the first update that it let through, where others were refused before; None if its age
        is not known."""
        if not outcome.refusals or not outcome.sent:
            return None
        granted_at = (self._patient_until or -math.inf) - float(self._params["authorization_timeout"])
        if math.isinf(granted_at):
            return None
        seconds = round(outcome.sent_at - granted_at, 1)
        self._progress.note(f"the update was let through {seconds:g} s after the authorization was granted")
        return seconds

    def _look_up_authorization(self) -> float | None:
        """When the youngest policy that lets the target read the source was created; None if that cannot be told."""
        source = t.cast(Crn, self._source)
        grant = Grant(
            Side(self._first.account_id, source.service, self._first.guid, self._first.resource_group_id),
            Side(source.account_id, source.service, source.instance),
        )
        try:
            policies = self._cloud.source.iam.authorizations(source.account_id)
        except _errors.ExchangeError as error:
            self._call.warn(f"The age of the authorization is not known: {error.message}")
            return None
        created = [parse_time(policy.created_at) for policy in policies if policy.covers(grant)]
        return max((time for time in created if time is not None), default=None)

    def _pending(self, observed: Observed, wanted: Settings | None) -> Result:
        """An update is running and is not waited for: what would be done cannot be told before it has ended."""
        carries = wanted is not None and _carries(observed.instance, wanted)
        if not carries and not self._deferred(True):
            self._call.warn(
                f"An update of {self._target.label} is running; what is left to do can be told when it has ended."
            )
        return self._result(
            observed,
            "joined" if carries else "pending",
            changed=False,
            before=observed.state,
            after=observed.state.to_result(),
            waiting=True,
        )

    def _deferred(self, waiting: bool) -> bool:
        """Whether a later task has to wait."""
        return waiting and self._params["wait"] and self._params["defer"] and not self._call.check_mode

    def _result(
        self,
        observed: Observed,
        action: str,
        *,
        changed: bool,
        before: State,
        after: dict[str, t.Any],
        waiting: bool = False,
        sent: int = 0,
        delay: float | None = None,
    ) -> Result:
        return {
            "changed": changed,
            "action": action,
            "mirroring": after,
            "instance": observed.instance.to_result(),
            "operation": observed.instance.operation.to_result(),
            "waiting": waiting,
            "updates_sent": sent,
            "duration": round(self._call.clock.monotonic() - self._started, 1),
            "authorization_delay": delay,
            "submitted": None,
            "deferred": self._deferred(waiting),
            "left_running": waiting and not self._params["wait"],
            "diff": {"before": _shown(before.to_result()), "after": _shown(after)},
            "evidence": self._call.evidence(),
        }


def _may_be_lost(selection: list[str]) -> str:
    return f"The topic selection was {selection}. Look whether it still is when the update has ended, and set it again if not."


def _action(plan: Plan, joined: bool) -> str:
    if len(plan.steps) > 1:
        return "recreated"
    if plan.steps:
        return f"{plan.steps[0]}d"
    if plan.warning:
        return "left_alone"
    return "joined" if joined else "none"


def _predicted(wanted: Settings | None) -> dict[str, t.Any]:
    """The state after the plan, as far as it follows from the plan."""
    values = wanted_state(wanted) if wanted else {"enabled": False, **dict.fromkeys(FIELDS)}
    return {**values, "known": {name: "inferred" if value is not None else "unknown" for name, value in values.items()}}


def _carries(instance: Instance, wanted: Settings) -> bool:
    """Whether the update that is running demonstrably carries what is wanted."""
    return bool(instance.echo) and all((instance.echo or {}).get(k) == v for k, v in wanted.to_parameters().items())


def _shown(result: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in result.items() if name != "known"}
