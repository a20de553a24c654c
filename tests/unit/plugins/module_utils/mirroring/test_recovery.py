# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import hypothesis
import pytest
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery import (
    MODES,
    VERBS,
    Plan,
    Step,
    Verb,
    Wishes,
    plan,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery_pair import Pair, Side

TOPICS = ("^orders$",)


def side(which: t.Any, enabled: bool | None = False, topics: tuple[str, ...] | None = None, **more: t.Any) -> Side:
    name, alias = {"source": ("es-a", "a"), "target": ("es-b", "b")}[which]
    more.setdefault("authorized", True)
    return Side(which, name, alias, enabled, topics if topics is not None or not enabled else TOPICS, **more)


def pair(source: Side | None = None, target: Side | None = None, **more: t.Any) -> Pair:
    return Pair(source or side("source"), target or side("target", True), "a", **more)


FORWARD = pair()
CLEARED = pair(target=side("target", True, ()))
OFF = pair(target=side("target"))
BACKWARD = pair(side("source", True), side("target"))
BACKWARD_CLEARED = pair(side("source", True, ()), side("target"))
BOTH = pair(side("source", True), side("target", True))
ONE_EMPTY = pair(side("source", True), side("target", True, ()))


def made(verb: Verb, one: Pair, **wishes: t.Any) -> Plan:
    return plan(verb, one, Wishes(**{"topics": TOPICS, **wishes}))


@pytest.mark.parametrize(
    ("verb", "one", "wishes", "steps"),
    [
        ("disable", FORWARD, {}, "target.clear_selection target.disable"),
        ("disable", CLEARED, {}, "target.disable"),
        ("disable", OFF, {}, ""),
        ("failover", FORWARD, {}, "target.wait_for_lag target.clear_selection"),
        ("failover", FORWARD, {"mode": "unplanned"}, "target.clear_selection"),
        ("failover", CLEARED, {}, ""),
        ("failover", OFF, {}, "direction"),
        ("failover", OFF, {"mode": "unplanned"}, ""),
        ("failover", BOTH, {}, "direction"),
        ("failover", ONE_EMPTY, {}, ""),
        ("failover", BACKWARD, {}, "direction"),
        ("reverse", FORWARD, {}, "direction"),
        ("reverse", CLEARED, {}, "target.disable source.enable source.select source.validate"),
        ("reverse", OFF, {}, "source.enable source.select source.validate"),
        ("reverse", BACKWARD, {}, ""),
        ("reverse", BACKWARD_CLEARED, {}, "source.select source.validate"),
        ("reverse", ONE_EMPTY, {}, "target.disable"),
        ("reverse", BOTH, {}, "direction"),
        ("reverse", CLEARED, {"topics": ()}, "topics"),
        (
            "failback",
            BACKWARD,
            {},
            "source.wait_for_lag source.clear_selection source.disable target.enable target.select target.validate",
        ),
        ("failback", BACKWARD_CLEARED, {}, "direction"),
        (
            "failback",
            BACKWARD_CLEARED,
            {"resume": True},
            "source.disable target.enable target.select target.validate",
        ),
        ("failback", OFF, {}, "direction"),
        ("failback", OFF, {"resume": True}, "target.enable target.select target.validate"),
        ("failback", CLEARED, {}, "direction"),
        ("failback", CLEARED, {"resume": True}, "target.select target.validate"),
        ("failback", FORWARD, {}, ""),
        ("failback", FORWARD, {"topics": ("^others$",)}, "target.select target.validate"),
        (
            "failback",
            BACKWARD,
            {"accept_unknown_loss": True},
            "source.clear_selection source.disable target.enable target.select target.validate",
        ),
        ("failback", FORWARD, {"verify": True}, "target.validate"),
        ("reverse", BACKWARD, {"verify": True}, "source.validate"),
        ("reverse", CLEARED, {"verify": True}, "target.disable source.enable source.select source.validate"),
        ("failback", BOTH, {}, "direction"),
        ("failback", BACKWARD, {"topics": ()}, "topics"),
    ],
)
def test_what_a_verb_does_from_each_state(verb: Verb, one: Pair, wishes: dict[str, t.Any], steps: str) -> None:
    found = made(verb, one, **wishes)
    told = [f"{step.side}.{step.action}" for step in found.steps] or [finding.rule for finding in found.refusals]
    assert " ".join(told) == steps


@pytest.mark.parametrize("verb", VERBS)
def test_what_cannot_be_read_is_not_known(verb: Verb) -> None:
    found = made(verb, pair(target=side("target", None, reason="HTTP 403")))
    (finding,) = found.refusals
    assert (finding.status, found.steps) == ("unknown", ())
    assert "Whether es-b mirrors is not known: HTTP 403" in finding.message


def test_a_selection_that_cannot_be_read_is_not_known() -> None:
    target = dataclasses.replace(side("target", True), topics=None, reason="HTTP 403")
    for verb in VERBS:
        found = made(verb, pair(target=target))
        assert "What es-b mirrors is not known: HTTP 403" in found.refusals[0].message


def test_nothing_is_called_failed_over_because_of_an_answer_that_may_be_wrong() -> None:
    doubtful = pair(target=side("target", False, doubt="es-b: it contradicts itself."))
    for verb in VERBS:
        found = made(verb, doubtful, resume=True)
        assert [(finding.rule, finding.status) for finding in found.refusals] == [("observed", "unknown")]
    assert [step.action for step in made("disable", doubtful, force=True).steps] == ["disable"]
    assert [step.action for step in made("reverse", doubtful, force=True).steps] == ["enable", "select", "validate"]
    for mode, refused in (("unplanned", []), ("planned", ["direction"])):
        found = made("failover", doubtful, force=True, mode=mode)
        assert [finding.rule for finding in found.refusals] == refused
    assert doubtful.now() == "not known, because it is not known whether es-b mirrors"


@pytest.mark.parametrize("enabled", [True, None])
def test_mirroring_can_be_disabled_unseen(enabled: bool | None) -> None:
    """If that is asked for: the update needs no admin API. What is selected stays as it is, and that is told."""
    hidden = dataclasses.replace(side("target", enabled), topics=None, reason="HTTP 403")
    found = made("disable", pair(target=hidden), force=True)
    assert [step.action for step in found.steps] == ["disable"]
    assert "cannot be read, so it is not cleared" in " ".join(found.notes)
    for verb in ("failover", "reverse", "failback"):
        assert made(verb, pair(target=hidden), force=True).refusals


def test_patterns_that_are_taken_out_are_named() -> None:
    one = pair(target=side("target", True, ("^orders$", "^payments$")))
    (select, _validate) = made("failback", one).steps
    assert select.final and "and no longer ^payments$" in select.words
    (select, _validate) = made("failback", CLEARED, resume=True).steps
    assert not select.final and "no longer" not in select.words


@pytest.mark.parametrize("verb", VERBS)
def test_which_instance_is_mirrored_is_not_guessed(verb: Verb) -> None:
    one = pair(side("source", True, unclear="nobody knows"), side("target", True, unclear="nobody knows"))
    assert {finding.rule for finding in made(verb, one).refusals} == {"pair"}
    told = made(verb, pair(target=side("target", True, (), unclear="nobody knows")), force=True)
    assert "pair" not in {finding.rule for finding in told.refusals}


def test_a_failback_that_goes_on_says_when_that_is_right() -> None:
    told = [" ".join(made("failback", one, resume=True).notes) for one in (OFF, CLEARED, BACKWARD_CLEARED, BACKWARD)]
    assert ["It is right only if nothing has been written to es-b" in one for one in told] == [True, True, True, False]


def test_an_unplanned_failover_waits_for_nothing() -> None:
    """Neither for an update, nor for an answer to which instance it is."""
    target = side("target", True, running="update in progress", unclear="nobody knows")
    assert [step.action for step in made("failover", pair(target=target), mode="unplanned").steps] == [
        "clear_selection"
    ]
    hidden = side("target", None, running="update in progress")
    (finding,) = made("failover", pair(target=hidden), mode="unplanned").refusals
    assert (finding.rule, "waited for" in finding.remedy) == ("operation", False)
    (finding,) = made("failover", pair(target=hidden)).refusals
    assert "it is waited for" in finding.remedy


def test_a_failover_without_mirroring_says_that_nobody_knows_the_loss() -> None:
    found = made("failover", OFF, mode="unplanned")
    assert "nobody knows how much that is" in " ".join(found.notes)


def test_the_loss_that_is_accepted_is_in_the_plan() -> None:
    assert made("failover", FORWARD).steps[0].words == "wait until es-b has everything"
    assert "is behind by 90 s at most" in made("failover", FORWARD, accepted_lag=90.0).steps[0].words


def test_a_source_that_is_gone_is_not_needed_for_a_failover() -> None:
    (finding,) = made("failover", pair(source=side("source", None, reason="no answer"))).refusals
    assert "failover_mode: unplanned" in finding.remedy
    unasked = Pair(None, side("target", True), "a")
    assert [step.action for step in made("failover", unasked, mode="unplanned").steps] == ["clear_selection"]
    assert (unasked.direction, unasked.now()) == ("forward", "a -> b (a was not asked)")


def test_what_a_source_does_that_is_not_asked_is_not_known() -> None:
    unasked = Pair(None, side("target"), "a")
    assert (unasked.direction, unasked.now()) == ("unknown", "nothing is mirrored to b (a was not asked)")
    assert made("failover", unasked, mode="unplanned").steps == ()


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_begun_while_an_update_is_running(verb: Verb) -> None:
    found = made(verb, pair(target=side("target", None, running="update in progress")))
    assert [finding.rule for finding in found.refusals] == ["operation"]


def test_another_pair_is_left_alone() -> None:
    found = made("failover", pair(target=side("target", True, foreign=True)))
    assert "es-b mirrors another instance" in found.refusals[0].message


@pytest.mark.parametrize(
    ("verb", "one", "refused"),
    [
        ("reverse", pair(side("source", obstacles=("is locked.",)), side("target", True, ())), True),
        ("reverse", pair(target=side("target", True, (), obstacles=("is locked.",))), True),
        ("failover", pair(target=side("target", True, obstacles=("is locked.",))), False),
        ("disable", pair(target=side("target", True, obstacles=("is locked.",))), True),
        ("reverse", dataclasses.replace(CLEARED, mismatch="Throughput differs."), True),
        ("failback", dataclasses.replace(BACKWARD, mismatch="Throughput differs."), True),
        ("failover", dataclasses.replace(FORWARD, mismatch="Throughput differs."), False),
        ("disable", dataclasses.replace(FORWARD, mismatch="Throughput differs."), False),
    ],
)
def test_nothing_is_begun_that_could_not_be_ended(verb: Verb, one: Pair, refused: bool) -> None:
    found = made(verb, one)
    assert bool(found.refusals) is refused
    assert bool(found.steps) is not refused


@pytest.mark.parametrize(
    ("authorized", "enabled", "asked"),
    [(True, False, False), (False, False, True), (None, False, True), (False, True, True), (None, True, False)],
)
def test_an_authorization_that_is_missing_is_made(authorized: bool | None, enabled: bool, asked: bool) -> None:
    topics = TOPICS if enabled else None
    found = made("reverse", pair(side("source", enabled, topics, authorized=authorized), side("target")))
    assert ("authorize" in [step.action for step in found.steps]) is asked


@pytest.mark.parametrize(
    ("authorized", "revocable", "revoked", "told"),
    [
        (True, True, True, ""),
        (True, False, False, "is left alone: it was not made by this collection, or grants more"),
        (None, None, False, "is not known, so none is deleted"),
        (False, False, False, ""),
    ],
)
def test_only_the_authorization_that_was_made_here_is_taken_back(
    authorized: bool | None, revocable: bool | None, revoked: bool, told: str
) -> None:
    target = side("target", True, authorized=authorized, revocable=revocable)
    found = made("disable", pair(target=target), remove_authorization=True)
    actions = ["clear_selection", "disable", *(["revoke"] if revoked else [])]
    assert [step.action for step in found.steps] == actions
    charge, *others = found.notes
    assert charge == "The charge for mirroring to es-b ends with the update."
    assert [told in one for one in others] == ([True] if told else [])
    assert "revoke" not in [step.action for step in made("disable", pair(target=target)).steps]


def test_every_step_tells_its_direction() -> None:
    told = {(step.side, step.action): step.direction for step in made("failback", BACKWARD).steps}
    assert {direction for (which, _action), direction in told.items() if which == "source"} == {"b -> a"}
    assert {direction for (which, _action), direction in told.items() if which == "target"} == {"a -> b"}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (FORWARD, "a -> b"),
        (CLEARED, "a -> b, with no topics selected"),
        (OFF, "nothing is mirrored"),
        (BACKWARD, "b -> a, turned round"),
        (BOTH, "a -> b and b -> a"),
        (pair(side("source", None)), "not known, because it is not known whether es-a mirrors"),
    ],
)
def test_which_way_data_flows(one: Pair, words: str) -> None:
    assert one.now() == words


class Model:
    """Two clusters as the service treats them: who mirrors, what is selected, who may read whom; and what applications wrote."""

    def __init__(self) -> None:
        self.enabled = {"source": False, "target": True}
        self.topics: dict[str, tuple[str, ...]] = {"source": (), "target": TOPICS}
        self.authorized = {"source": False, "target": True}
        self.announced: list[Step] = []

    def observed(self, verb: Verb, wishes: Wishes) -> Pair:
        def one(which: t.Any) -> Side:
            enabled = self.enabled[which]
            topics = self.topics[which] if enabled else None
            return side(which, enabled, topics, authorized=self.authorized[which], revocable=self.authorized[which])

        hidden = verb == "disable" or (verb == "failover" and wishes.mode == "unplanned")
        return Pair(None if hidden else one("source"), one("target"), "a")

    def apply(self, step: Step) -> None:
        """Does what a step says. Whatever ends a flow of data must have been announced as final."""
        which, feeds = step.side, self.enabled[step.side] and bool(self.topics[step.side])
        if step.action in ("clear_selection", "disable"):
            assert step.final or not feeds
            assert step in self.announced
        if step.action == "clear_selection":
            self.topics[which] = ()
        elif step.action == "disable":
            assert self.enabled[which]
            self.enabled[which], self.topics[which] = False, ()
        elif step.action == "revoke":
            assert not self.enabled[which]
            self.authorized[which] = False
        elif step.action == "authorize":
            self.authorized[which] = True
        elif step.action == "enable":
            assert self.authorized[which]
            assert not any(self.enabled.values()), "the service refuses to mirror both ways"
            self.enabled[which], self.topics[which] = True, ()
        elif step.action == "select":
            assert self.enabled[which]
            self.topics[which] = TOPICS
        assert not all(self.enabled.values())


runs = st.tuples(
    st.sampled_from(VERBS),
    st.sampled_from(MODES),
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 6)),
)


@hypothesis.settings(max_examples=400)
@hypothesis.given(st.lists(runs, max_size=12))
def test_no_sequence_of_runs_makes_a_cycle_or_an_unannounced_loss(
    sequence: list[tuple[Verb, t.Any, bool, bool, int | None]],
) -> None:
    """Whatever verbs follow each other, and wherever each is killed: a second run of the same verb ends it, and a third does nothing."""
    model = Model()
    for verb, mode, revoke, resume, killed_after in sequence:
        wishes = Wishes(mode, TOPICS, revoke, resume)
        for attempt in (killed_after, None):
            found = plan(verb, model.observed(verb, wishes), wishes)
            if found.refusals:
                break
            model.announced = list(found.steps)
            for step in found.steps[:attempt]:
                model.apply(step)
            # A failback that was killed is known to be one from its record.
            wishes = dataclasses.replace(wishes, resume=True)
        else:
            again = plan(verb, model.observed(verb, wishes), wishes)
            assert (again.steps, again.refusals) == ((), ())


def test_the_drill_ends_where_it_began() -> None:
    model = Model()
    for verb in t.cast("tuple[Verb, ...]", ("failover", "reverse", "failback")):
        model.announced = list(plan(verb, model.observed(verb, Wishes(topics=TOPICS)), Wishes(topics=TOPICS)).steps)
        assert model.announced
        for step in model.announced:
            model.apply(step)
    assert (model.enabled, model.topics["target"]) == ({"source": False, "target": True}, TOPICS)
