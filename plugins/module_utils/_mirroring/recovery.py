# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it takes to disable, to fail over, to turn a pair round, and to come back (API §10). Pure. Private to this collection: it may
change at any time.

Source and target are always those of the pair's normal direction. Which one mirrors which now is observed, and every plan follows from
that, so that one that was interrupted is taken up where it stopped. All plans are parts of one sequence: one side gives up mirroring
(wait_for_lag, clear_selection, disable, revoke), then the other one takes it up (authorize, enable, select, validate).
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery_pair import Pair, Side, Which
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import same_selection

Verb = t.Literal["disable", "failover", "reverse", "failback"]
Mode = t.Literal["planned", "unplanned"]
Action = t.Literal["wait_for_lag", "clear_selection", "disable", "revoke", "authorize", "enable", "select", "validate"]

VERBS: tuple[Verb, ...] = t.get_args(Verb)
MODES: tuple[Mode, ...] = t.get_args(Mode)
UPDATE_SECONDS = 7200
"""How long an update takes at most, normally (API §5.3)."""

UNASKED = (
    "Whether the source mirrors, and is charged, was not asked. To end mirroring of a pair that is turned round, name source and target the "
    "other way round."
)

AUTHORIZATION_SECONDS = 300
"""How long a fresh authorization may take to become effective (API §11.15)."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do: on which instance, for which direction of data, in words, and how many seconds it takes at most, normally. ``final``
    cannot be undone."""

    action: Action
    side: Which
    instance: str
    direction: str
    words: str
    seconds: int = 0
    final: bool = False

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What is asked for. ``topics`` are the patterns for the side that takes up mirroring; ``resume`` says that a failback was interrupted
    and is to be finished, which cannot be told from a failover by looking; ``verify`` that an earlier run did not see
    topics being mirrored. ``accepted_lag`` is the loss that is accepted, in seconds;
    ``accept_unknown_loss`` says that a failback goes on without it being known. ``force`` takes a side for one that mirrors the other one
    where that is unclear."""

    mode: Mode = "planned"
    topics: tuple[str, ...] | None = None
    remove_authorization: bool = False
    resume: bool = False
    verify: bool = False
    accepted_lag: float = 0.0
    accept_unknown_loss: bool = False
    force: bool = False


@dataclasses.dataclass(frozen=True)
class Plan:
    """The steps, in order; why there are none, if it is refused; and what else to know. ``giver`` is the side that gives up mirroring,
    ``taker`` the one that takes it up."""

    giver: Which
    taker: Which
    steps: tuple[Step, ...] = ()
    refusals: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def taker_of(verb: Verb) -> Which:
    """The side that mirrors once a verb is done, or that did before, if it only ends mirroring."""
    return "source" if verb == "reverse" else "target"


def giver_of(verb: Verb) -> Which:
    """The side that gives up mirroring."""
    return "source" if verb == "failback" else "target"


def plan(verb: Verb, pair: Pair, wishes: Wishes) -> Plan:
    """What the verb would do to the pair as it is now."""
    make = {"disable": _disable, "failover": _failover, "reverse": _reverse, "failback": _failback}[verb]
    refusals = _in_the_way(verb, pair, wishes)
    made = Plan(giver_of(verb), taker_of(verb), refusals=tuple(refusals)) if refusals else make(pair, wishes)
    obstacles = _obstacles(pair, made)
    return dataclasses.replace(made, steps=(), refusals=obstacles, notes=()) if obstacles else made


def _in_the_way(verb: Verb, pair: Pair, wishes: Wishes) -> list[Finding]:
    """What stands in the way of any plan."""
    found = []
    at_once = verb == "failover" and wishes.mode == "unplanned"
    for side in pair.sides:
        if side.running and not (at_once and side.topics is not None):
            remedy = "Run again when it has ended."
            if not at_once:
                remedy += " Once the plan is confirmed, it is waited for, unless wait is false."
            found.append(
                Finding("operation", "unknown", f"An update of {side.name} is running: {side.running}", remedy)
            )
        elif (side.enabled is None or (side.enabled and side.topics is None)) and not (
            verb == "disable" and wishes.force
        ):
            found.append(_hidden(side, verb, wishes))
        elif side.foreign:
            message = f"{side.name} mirrors another instance than that of this pair."
            found.append(
                Finding(
                    "pair",
                    "fail",
                    message,
                    "Name the pair that is meant. If this is the one, set mirroring_source_alias and mirroring_target_alias to its aliases.",
                )
            )
        elif side.doubt and verb != "failover" and not wishes.force:
            found.append(_doubted(side))
        elif side.unclear and not wishes.force and not at_once:
            remedy = "Look into the console. If it does mirror the other one of this pair, set mirroring_force: true."
            found.append(Finding("pair", "unknown", side.unclear, remedy))
    if found:
        return found
    if pair.direction == "both" and all(side.feeds for side in pair.sides):
        message = f"Both mirror each other ({pair.forward} and {pair.backward}), and both select topics."
        remedy = "Find out which one applications write to, and select no topics on that one, with topics: [] of the module topic_selection."
        return [Finding("direction", "fail", message, remedy)]
    if verb in ("reverse", "failback") and not wishes.topics:
        message = "Which topics to mirror is not given."
        return [Finding("topics", "fail", message, "Set mirroring_topics to their patterns.")]
    return []


def _hidden(side: Side, verb: Verb, wishes: Wishes) -> Finding:
    remedy = "Make its admin API reachable, for an identity with Manager on its cluster."
    if side.which == "source" and verb == "failover" and wishes.mode == "planned":
        remedy += " If the source is gone, fail over with failover_mode: unplanned, which asks nothing of it."
    what = "What" if side.enabled else "Whether"
    return Finding(
        "observed", "unknown", f"{what} {side.name} mirrors is not known: {side.reason}".rstrip(": "), remedy
    )


def _obstacles(pair: Pair, made: Plan) -> tuple[Finding, ...]:
    """What would stop the plan half way, so that it is not begun."""
    updated = {step.side for step in made.steps if step.action in ("disable", "enable")}
    found = [
        Finding("instance", "fail", f"{side.name} {obstacle}", "Nothing is begun that could not be ended.")
        for side in pair.sides
        if side.which in updated
        for obstacle in side.obstacles
    ]
    if pair.mismatch and any(step.action == "enable" for step in made.steps):
        remedy = "Scale the smaller one, so that the two can mirror each other."
        found.append(Finding("capacity", "fail", pair.mismatch, remedy))
    return tuple(found)


def _refused(verb: Verb, rule: str, message: str, remedy: str) -> Plan:
    return Plan(giver_of(verb), taker_of(verb), refusals=(Finding(rule, "fail", message, remedy),))


def _disable(pair: Pair, wishes: Wishes) -> Plan:
    target = pair.target
    # A selection may outlast mirroring, and would choose topics again as soon as that is enabled (API §11.11).
    steps = [_cleared(target, pair.forward)] if target.feeds and target.topics is not None else []
    steps += [_disabled(target, pair.forward)] if target.enabled is not False or target.doubt else []
    notes = [
        f"The charge for mirroring to {target.name} ends with the update."
        if steps
        else f"Mirroring to {target.name} is off already. {UNASKED}"
    ]
    if steps and target.topics is None and not target.doubt:
        notes.append(
            f"What {target.name} selects cannot be read, so it is not cleared. It may be there again when mirroring is enabled again: "
            "look at it then."
        )
    if wishes.remove_authorization and target.revocable:
        words = f"delete the authorization that lets {target.name} read the source"
        steps.append(Step("revoke", "target", target.name, pair.forward, words, final=True))
    elif wishes.remove_authorization and target.authorized is not False:
        notes.append(
            f"An authorization that lets {target.name} read the source is left alone: it was not made by this collection, or grants more."
            if target.authorized
            else f"Whether an authorization lets {target.name} read the source is not known, so none is deleted."
        )
    return Plan("target", "target", tuple(steps), notes=tuple(notes))


def _failover(pair: Pair, wishes: Wishes) -> Plan:
    target = pair.target
    if pair.direction == "backward":
        message = f"{target.name} mirrors nothing: the pair is turned round, {pair.backward}."
        remedy = "To come back to the normal direction, use failback."
        if not t.cast(Side, pair.source).feeds:
            remedy = (
                f"No topics are selected, as after a reverse or a failback that was interrupted: finish that with reverse if applications use "
                f"{target.name}, with failback if they are to use the other one."
            )
        return _refused("failover", "direction", message, remedy)
    if not target.enabled and target.doubt and not wishes.force:
        return Plan("target", "target", refusals=(_doubted(target),))
    if not target.enabled and wishes.mode == "planned":
        message = (
            f"Mirroring to {target.name} is off, so there is nothing to fail over: what was written to {pair.source_alias} since it went off "
            "is not there."
        )
        remedy = "Run the playbook mirror first. If applications go to the target all the same, set failover_mode: unplanned, which says so."
        return _refused("failover", "direction", message, remedy)
    if not target.enabled:
        off = (
            f"Mirroring to {target.name} is off: nothing more arrives there. What was written to {pair.source_alias} since it went off is not "
            "there, and nobody knows how much that is."
        )
        return Plan("target", "target", notes=(off,))
    if not target.feeds:
        notes = (
            f"{target.name} selects no topics already, as after a failover: nothing more arrives there.",
            charged(target),
        )
        return Plan("target", "target", notes=notes)
    gate = (_waited(target, pair.forward, wishes),) if wishes.mode == "planned" else ()
    return Plan("target", "target", (*gate, _cleared(target, pair.forward)), notes=(charged(target),))


def _reverse(pair: Pair, wishes: Wishes) -> Plan:
    source, target = t.cast(Side, pair.source), pair.target
    if target.feeds:
        message = f"{target.name} still mirrors topics, {pair.forward}: it has not been failed over to."
        return _refused("reverse", "direction", message, "Fail over first.")
    steps = [_disabled(target, pair.forward)] if target.enabled else []
    return Plan(
        "target", "source", (*steps, *_enabled(source, target, pair.backward, wishes)), notes=(charged(source),)
    )


def _failback(pair: Pair, wishes: Wishes) -> Plan:
    source, target = t.cast(Side, pair.source), pair.target
    if pair.direction == "forward" and target.feeds:
        told = (
            f"The pair is in its normal direction, {pair.forward}, and mirrors topics. Whether anything was written to {target.name} that is not "
            f"on {source.name} cannot be told from that.",
            charged(target),
        )
        left = _selected(target, pair.forward, wishes) or ([_validated(target, pair.forward)] if wishes.verify else [])
        return Plan("source", "target", tuple(left), notes=told)
    if not source.feeds and not wishes.resume:
        does = "mirrors no topics of" if source.enabled else "does not mirror"
        message = f"{source.name} {does} {target.name}, so what applications wrote to {target.name} may be on no other cluster."
        remedy = (
            "Turn the pair round with reverse first. If a failback was interrupted here, finish it with failback_resume: true. If "
            "nothing was written to the target, mirror again with the playbook mirror."
        )
        return _refused("failback", "direction", message, remedy)
    steps: list[Step] = []
    notes = [charged(target)]
    if source.feeds and wishes.accept_unknown_loss:
        notes.append(f"How much of what was written to {target.name} is not on {source.name} is not looked at.")
    elif source.feeds:
        steps.append(_waited(source, pair.backward, wishes))
    else:
        notes.append(
            f"This goes on with a failback that was interrupted. It is right only if nothing has been written to {target.name} since "
            f"{source.name} has selected no topics: what was is on no other cluster."
        )
    if source.feeds:
        steps.append(_cleared(source, pair.backward))
    if source.enabled:
        steps.append(_disabled(source, pair.backward))
    return Plan("source", "target", (*steps, *_enabled(target, source, pair.forward, wishes)), notes=tuple(notes))


def _doubted(side: Side) -> Finding:
    remedy = (
        f"Run again later; if that stays so, correct mirroring_{side.which}_admin_url, or look into the console. If what the document shows is "
        "wrong, mirroring_force: true takes mirroring as off, and lets disable send its update all the same."
    )
    return Finding("observed", "unknown", f"Whether {side.name} mirrors is not known. {side.doubt}", remedy)


def _waited(side: Side, direction: str, wishes: Wishes) -> Step:
    accepted = f"is behind by {wishes.accepted_lag:g} s at most" if wishes.accepted_lag else "has everything"
    words = f"wait until {side.name} {accepted}"
    return Step("wait_for_lag", side.which, side.name, direction, words)


def _cleared(side: Side, direction: str) -> Step:
    words = f"select no topics on {side.name}; what has not arrived there by then does not arrive any more"
    return Step("clear_selection", side.which, side.name, direction, words, final=True)


def _disabled(side: Side, direction: str) -> Step:
    words = f"disable mirroring on {side.name}; its topics stay, and what it has not got does not arrive any more"
    return Step("disable", side.which, side.name, direction, words, UPDATE_SECONDS, final=True)


def _enabled(side: Side, other: Side, direction: str, wishes: Wishes) -> list[Step]:
    """What makes a side mirror the other one, as far as it does not yet."""

    def step(action: Action, words: str, seconds: int = 0) -> Step:
        return Step(action, side.which, side.name, direction, words, seconds)

    steps = []
    if side.authorized is False or (side.authorized is None and not side.enabled):
        steps.append(step("authorize", f"let {side.name} read {other.name}", AUTHORIZATION_SECONDS))
    if not side.enabled:
        steps.append(step("enable", f"let {side.name} mirror {other.name}", UPDATE_SECONDS))
    chosen = _selected(side, direction, wishes)
    return [*steps, *(chosen or ([_validated(side, direction)] if steps or wishes.verify else []))]


def _selected(side: Side, direction: str, wishes: Wishes) -> list[Step]:
    """What makes a side mirror the topics that are wanted, if it does not yet."""
    topics = list(wishes.topics or ())
    if side.enabled and same_selection(side.topics, topics):
        return []
    words = f"select {', '.join(topics)} on {side.name}"
    gone = [pattern for pattern in side.topics or () if pattern and pattern not in topics] if side.enabled else []
    if gone:
        words += f", and no longer {', '.join(gone)}: what has not arrived of that by then does not arrive any more"
    return [
        Step("select", side.which, side.name, direction, words, final=bool(gone)),
        _validated(side, direction),
    ]


def _validated(side: Side, direction: str) -> Step:
    words = f"see that {side.name} mirrors what is selected"
    return Step("validate", side.which, side.name, direction, words, AUTHORIZATION_SECONDS)


def charged(side: Side) -> str:
    """What a side that mirrors costs (API §5.3)."""
    since = "is charged" if side.enabled else "will be charged, from when it is enabled,"
    return f"Mirroring to {side.name} {since} until it is disabled."
