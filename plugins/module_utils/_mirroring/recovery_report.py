# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What recovery_info returns. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import looks_like_crn, same_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import lines, problems
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.last_reading import Reading
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery import Plan, Step, Verb
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery_pair import Pair, Side, Which
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.runbook import manual_steps
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import State
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import format_time


@dataclasses.dataclass(frozen=True)
class Seen:
    """One instance, and what tells whether and how it mirrors."""

    which: Which
    instance: Instance
    state: State


@dataclasses.dataclass(frozen=True)
class Report:
    """Everything that was seen and worked out. ``topics`` are the patterns to select, ``grant`` the options of the authorization that the plan
    is about, ``identity`` whose rights were used, ``continues`` the record of the run that is continued, ``at`` when, in seconds since the epoch."""

    params: dict[str, t.Any]
    verb: Verb
    pair: Pair
    plan: Plan
    topics: tuple[str, ...] | None
    reading: Reading | None
    seen: dict[str, Seen]
    grant: dict[str, t.Any] | None
    identity: str | None
    continues: str | None
    at: float

    def to_result(self) -> dict[str, t.Any]:
        """The shape that the module returns."""
        plan, pair = self.plan, self.pair
        actions = [step.action for step in plan.steps]
        manual = [] if plan.refusals else manual_steps(self.verb, pair, self.params["mode"], actions)
        return {
            "changed": False,
            "continues": self.continues,
            "requested": {"source": self.params["source"], "target": self.params["target"]},
            "verb": self.verb,
            "mode": self.params["mode"] if self.verb == "failover" else None,
            "at": format_time(self.at),
            "identity": self.identity,
            "normal": pair.forward,
            "direction": "unknown" if self._doubts() else pair.direction,
            "now": pair.now(),
            "sides": {"source": self._side("source", pair.source), "target": self._side("target", pair.target)},
            "giver": plan.giver,
            "taker": plan.taker,
            "steps": [step.to_result() for step in plan.steps],
            "actions": [step.action for step in plan.steps],
            "topics": list(self.topics or ()),
            "grant": self.grant,
            "max_lag": self.params["accepted_lag"],
            "lag": self.reading.to_result() if self.reading else None,
            "refused": bool(plan.refusals),
            "findings": [finding.to_result() for finding in plan.refusals],
            "notes": self._notes(),
            "doubts": self._doubts(),
            "manual": [one.line() for one in manual],
            "confirmed": self._confirmed(),
            "target_named": confirmed(self.params, self.seen["target"].instance),
            "summary": self._summary([one.line() for one in manual]),
            "problems": problems(self._title(), plan.refusals, also_unknown=True) or self._unconfirmed(),
        }

    def _title(self) -> str:
        return f"{self.verb} of {self.pair.forward}"

    def _notes(self) -> list[str]:
        told = [f"This continues the run of {self.continues}."] if self.continues and self.plan.steps else []
        told += [self.reading.words(self.pair.source_alias)] if self.reading else []
        return [*told, *self.plan.notes, *([] if self.plan.refusals else self._doubts()), *self._asides()]

    def _doubts(self) -> list[str]:
        return [side.doubt for side in self.pair.sides if side.doubt]

    def _asides(self) -> list[str]:
        return [side.aside for side in self.pair.sides if side.aside]

    def _side(self, which: Which, side: Side | None) -> dict[str, t.Any]:
        """What is known of an instance; of one that was not asked, only how it was named."""
        seen = self.seen.get(which)
        if seen is None or side is None:
            given = self.params[which]
            alias = self.pair.source_alias if which == "source" else self.pair.target.alias
            return {"name": given, "crn": given if looks_like_crn(given) else None, "alias": alias, "asked": False}
        return {
            **seen.instance.identity,
            "alias": side.alias,
            "asked": True,
            "state": seen.instance.state,
            "operation": seen.instance.operation.to_result(),
            "mirroring": seen.state.to_result(),
            "topics": None if side.topics is None else list(side.topics),
            "authorized": side.authorized,
            "unreadable": side.reason or None,
        }

    def _confirmed(self) -> bool:
        return not self.plan.steps or confirmed(self.params, self.seen["target"].instance)

    def _unconfirmed(self) -> str:
        if self._confirmed():
            return ""
        name = self.seen["target"].instance.name
        named = ", ".join(self.params["confirm"] or ())
        other = f" {self.verb}_confirm names {named}, which is not the target of this pair." if named else ""
        return (
            f"{self._title()}: this plan is carried out only if it is confirmed.{other} Read it, do what is to be done before, and run again with "
            f"{self.verb}_confirm={name}."
        )

    def _summary(self, manual: t.Sequence[str]) -> list[str]:
        """What people want to read: how it is, what will be done, and what they have to do."""
        plan, pair = self.plan, self.pair
        return [
            f"{self._title()}{self._mode()}",
            f"Now: {pair.now()}",
            *self._who(),
            *(lines(plan.refusals) if plan.refusals else self._steps()),
            *self._notes(),
            *manual,
        ]

    def _mode(self) -> str:
        return f", {self.params['mode']}" if self.verb == "failover" else ""

    def _who(self) -> list[str]:
        """Which cluster is what, in the normal direction and now."""
        now = None if self._doubts() else {"forward": "source", "backward": "target"}.get(self.pair.direction)
        told = []
        sides: tuple[tuple[Which, Side | None], ...] = (("source", self.pair.source), ("target", self.pair.target))
        for which, side in sides:
            name = self._side(which, side)["name"]
            # Of one that was not asked, nobody has seen that it is.
            idle = "" if any(one.feeds for one in self.pair.sides) else ", though no topics are selected"
            role = (
                "" if now is None or side is None else f", and the {'source' if which == now else 'target'} now{idle}"
            )
            told.append(f"{name} is the {which} of the pair{role}.")
        return told

    def _steps(self) -> list[str]:
        if not self.plan.steps:
            return ["Nothing to do."]
        return [f"{number}. {_line(step)}" for number, step in enumerate(self.plan.steps, 1)]


def confirmed(params: dict[str, t.Any], target: Instance) -> bool:
    """Whether a plan may be carried out: the target of the pair is named, so that a fleet is not turned round by mistake."""
    given = params["confirm"] or ()
    return any(
        one in (params["target"], target.name) or one.lower() == target.guid.lower() or same_instance(one, target.crn)
        for one in given
    )


def _line(step: Step) -> str:
    """A step for people."""
    more = [f"up to {_duration(step.seconds)}"] if step.seconds else []
    more += ["cannot be undone"] if step.final else []
    return f"[{step.direction}] {step.words}" + (f" ({', '.join(more)})" if more else "")


def _duration(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{seconds // 60} min"
