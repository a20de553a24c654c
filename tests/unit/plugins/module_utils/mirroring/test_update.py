# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import itertools
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    State,
    Unreadable,
    observe,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.update import (
    Observed,
    Outcome,
    Submitted,
    Update,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import Limits, Progress
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    FakeClock,
    instance,
    make_call,
    operation,
)

SETTLE = 60.0
YOUNG = 300.0
PARAMETERS = {"mirroring": {"source_crn": "x"}}
Kind = t.Literal["ok", "stale", "lost", "dropped", "limited", "refused", "busy", "no token"]


class Send(t.NamedTuple):
    """What becomes of one update: how it is answered; when its operation starts, how long it takes, how it ends."""

    kind: Kind = "ok"
    delay: float = 0.0
    duration: float = 100.0
    good: bool = True
    status: int = 422
    text: str = "refused"


@dataclasses.dataclass
class Op:
    """An operation of the target. ``own`` ones have the effect that is wanted."""

    accepted: float
    start: float
    end: float
    good: bool
    own: bool
    answered: bool
    words: str = ""


class World:
    """A service with one target, seen through reads that lag behind. Stands in for ``Target``.

    It has the rules of the game built in: nothing may be sent while an update of ours is running or may still start, nor when
    the last look showed somebody else's running, nor after a refusal when the authorization is not young any more.
    """

    def __init__(
        self,
        *sends: Send,
        lag: float = 0.0,
        effect: float = 0.0,
        foreign: t.Sequence[tuple[float, float, bool]] = (),
        stamps: t.Literal["both", "end", "never"] = "both",
        authorized: float = -10_000.0,
        before: str = "succeeded",
        enabled: bool = False,
        timeout: float = 7200.0,
        hidden: bool = False,
    ) -> None:
        self.clock = FakeClock(0.0)
        self.call = make_call(self.clock)
        self.lines: list[str] = []
        self.call.progress = self.lines.append
        self.label, self.guid = "es-target (1)", "1"
        self.script = list(sends)
        self.lag, self.effect, self.stamps, self.authorized = lag, effect, stamps, authorized
        self.before, self.enabled, self.timeout, self.hidden = before, enabled, timeout, hidden
        self.ops = [Op(start, start, start + duration, good, False, True) for start, duration, good in sorted(foreign)]
        self.accepted = 0
        self.seen_running = False
        self.after: tuple[str, bool] | None = None
        self.bodies: list[t.Any] = []
        self.looked_up = 0

    # -- what the service knows

    def own(self) -> list[Op]:
        return [op for op in self.ops if op.own]

    def real(self) -> list[Op]:
        """All operations but those that the service refused to others because ours was under way."""
        return [op for op in self.ops if op.own or not any(o.accepted <= op.start < o.end for o in self.own())]

    def busy(self, now: float) -> bool:
        return any(op.accepted <= now < op.end for op in self.real())

    def on(self, now: float) -> bool:
        return self.enabled or any(op.good and op.end + self.effect <= now for op in self.own())

    def view(self, now: float) -> Instance:
        begun = [(number, op) for number, op in enumerate(self.real()) if op.start <= now]
        if not begun:
            return instance(updated_at="T", last_operation=operation(self.before, "create"))
        number, op = max(begun, key=lambda pair: pair[1].start)
        state = "in progress" if now < op.end else "succeeded" if op.good else "failed"
        stamp = {
            "never": "T",
            "both": f"T{number}-{state}",
            "end": f"T{number - (now < op.end)}",
        }[self.stamps]
        return instance(updated_at=stamp, last_operation=operation(state, "update", op.words))

    # -- what Target offers

    def instance(self) -> Instance:
        self.clock.now += 0.1
        seen = self.view(self.clock.now - self.lag)
        self.seen_running = seen.operation.phase == "running"
        return seen

    def observe(self, seen: Instance | None = None, *, patient: bool = True) -> Observed:
        seen = seen or self.instance()
        self.clock.now += 0.1
        selection: t.Any = Unreadable("HTTP 403") if self.hidden else [] if self.on(self.clock.now) else None
        return Observed(seen, observe(seen, selection))

    def send(self, parameters: dict[str, t.Any], attempt: str) -> Instance:
        now = self.clock.now
        assert not any(op.end > now for op in self.own()), "sent while an update of ours may still take effect"
        assert not self.seen_running, "sent although the last look showed a running operation"
        assert self.after is None or self.after[1], (
            f"sent again after {self.after and self.after[0]} with an old authorization"
        )
        assert now <= self.timeout + SETTLE, "sent long after the deadline"
        self.after = None
        self.bodies.append(parameters)
        told = self.script.pop(0) if self.script else Send()
        self.clock.now = now = now + 1.0
        if told.kind == "limited":
            raise _errors.RateLimited("too many", status=429)
        if told.kind == "no token":
            raise _errors.AuthenticationFailed(told.text, status=told.status)
        if told.kind == "dropped":
            raise _errors.ServiceFailed("bad gateway", status=502)
        if self.busy(now):
            raise _errors.ApiError("[409] another operation is in progress", status=told.status)
        if told.kind == "busy":
            raise _errors.ApiError("update in progress" if told.text == "refused" else told.text, status=told.status)
        alone = all(op.own for op in self.ops)
        if told.kind == "refused":
            # A 409 without a word may mean that it is busy.
            self.after = ("a refusal", self.young() or not alone or told.status == 409)
            raise _errors.ApiError(told.text, status=told.status)
        start = now + told.delay
        answered = told.kind in ("ok", "stale")
        old = self.view(now)
        self.ops.append(Op(now, start, start + told.duration, told.good, True, answered, told.text))
        self.accepted += 1
        if not told.good and answered:
            self.after = ("a failed operation", self.young() or not alone)
        if not answered:
            raise _errors.NoAnswer("reset")
        return old if told.kind == "stale" else self.view(now)

    def young(self) -> bool:
        return self.clock.now - self.authorized < YOUNG

    def look_up(self, moment: float) -> float:
        self.looked_up += 1
        return self.authorized + YOUNG - moment

    # -- the thing under test

    def update(
        self,
        *,
        again: bool = False,
        wait: bool = True,
        permit: t.Callable[[State], None] = lambda state: None,
        first: Observed | None = None,
        settle: float = SETTLE,
        resumed: Submitted | None = None,
    ) -> Outcome:
        update = Update(
            t.cast(t.Any, self),
            lambda seen: PARAMETERS,
            aim=True,
            attempt="enable mirroring a -> b",
            limits=Limits(self.timeout, 30.0, settle),
            deadline=(self.clock.now if resumed else 0.0) + self.timeout,
            progress=Progress(self.call, "a -> b"),
            reached=lambda state: state.enabled.value is True,
            permit=permit,
            patience=self.look_up,
            wait=wait,
        )
        return update.resume(resumed) if resumed else update.apply(first or self.observe(), again=again)


def test_the_plain_case() -> None:
    world = World()
    outcome = world.update()
    assert (outcome.sent, outcome.joined, outcome.refusals, outcome.submitted) == (1, False, 0, None)
    assert outcome.observed.state.enabled.value is True
    assert world.bodies == [PARAMETERS]
    assert world.clock.now >= 100
    assert world.looked_up == 0


def test_what_is_reached_already_is_not_sent() -> None:
    world = World(enabled=True)
    assert world.update().sent == 0
    assert world.bodies == []


def test_again_sends_once_nevertheless() -> None:
    world = World(enabled=True)
    assert world.update(again=True).sent == 1
    assert len(world.bodies) == 1


def test_again_sends_once_when_the_answer_is_lost() -> None:
    world = World(Send("lost"), enabled=True)
    assert world.update(again=True).sent == 1
    assert len(world.bodies) == 1


def test_without_waiting() -> None:
    world = World()
    outcome = world.update(wait=False)
    assert (outcome.sent, outcome.submitted is not None) == (1, True)
    assert outcome.observed.instance.operation.phase == "running"
    assert world.clock.now < 5


@pytest.mark.parametrize("kind", ["ok", "stale", "lost"])
@pytest.mark.parametrize("lag", [0, 20])
@pytest.mark.parametrize("stamps", ["both", "end", "never"])
@pytest.mark.parametrize("before", ["succeeded", "failed"])
def test_what_another_task_has_sent_is_seen_through(kind: Kind, lag: float, stamps: t.Any, before: str) -> None:
    """However late it shows: it is neither sent again nor taken for what was before."""
    world = World(Send(kind, delay=5), lag=lag, stamps=stamps, before=before)
    submitted = world.update(wait=False).submitted
    assert submitted is not None
    world.clock.sleep(3)
    outcome = world.update(resumed=submitted)
    assert (outcome.sent, outcome.joined) == (0, True)
    assert outcome.observed.state.enabled.value is True
    assert world.accepted == len(world.bodies) == 1


@pytest.mark.parametrize(("idle", "ends"), [(10, 7200), (7000, 7200), (7199, 7200), (20_000, 20_000)])
def test_the_time_limit_counts_from_when_the_update_was_sent(idle: float, ends: float) -> None:
    """Five forks that each wait for hours on end would otherwise keep a fleet for as long again with each pair that is stuck."""
    world = World(Send(duration=1_000_000))
    submitted = world.update(wait=False).submitted
    assert submitted is not None
    world.clock.now = submitted.sent_at + idle
    with pytest.raises(_errors.WaitExpired, match="has not ended"):
        world.update(resumed=submitted)
    assert ends <= world.clock.now - submitted.sent_at < ends + 5
    assert len(world.bodies) == 1


@pytest.mark.parametrize("stamps", ["both", "end", "never"])
@pytest.mark.parametrize("before", ["succeeded", "failed"])
@pytest.mark.parametrize("settle", [0, SETTLE])
def test_what_has_ended_before_its_turn_to_be_waited_for_is_seen(stamps: t.Any, before: str, settle: float) -> None:
    world = World(stamps=stamps, before=before)
    submitted = world.update(wait=False).submitted
    assert submitted is not None
    world.clock.sleep(20_000)
    outcome = world.update(resumed=submitted, settle=settle)
    assert (outcome.sent, outcome.joined) == (0, True)
    assert outcome.observed.state.enabled.value is True
    assert world.clock.now < 20_400


def test_what_another_task_has_sent_in_vain_is_sent_again_while_the_authorization_is_young() -> None:
    world = World(Send(good=False), authorized=0.0)
    submitted = world.update(wait=False).submitted
    assert submitted is not None
    outcome = world.update(resumed=submitted)
    assert (outcome.sent, outcome.refusals) == (1, 1)
    assert outcome.observed.state.enabled.value is True


def test_what_another_task_has_sent_in_vain_is_told_when_the_authorization_is_old() -> None:
    world = World(Send(good=False, text="no such cluster"))
    submitted = world.update(wait=False).submitted
    assert submitted is not None
    with pytest.raises(_errors.OperationFailed, match="no such cluster"):
        world.update(resumed=submitted)
    assert len(world.bodies) == 1


@pytest.mark.parametrize("kind", ["ok", "stale"])
@pytest.mark.parametrize("lag", [0, 20])
@pytest.mark.parametrize("effect", [0, 30])
@pytest.mark.parametrize("stamps", ["both", "end", "never"])
@pytest.mark.parametrize("before", ["succeeded", "failed"])
def test_late_views_and_late_effects(kind: Kind, lag: float, effect: float, stamps: t.Any, before: str) -> None:
    world = World(Send(kind, delay=20), lag=lag, effect=effect, stamps=stamps, before=before)
    assert world.update().sent == 1
    assert world.accepted == len(world.bodies) == 1


@pytest.mark.parametrize("lag", [0, 10])
@pytest.mark.parametrize("delay", [0, 40])
@pytest.mark.parametrize("stamps", ["both", "end", "never"])
def test_a_lost_answer_is_looked_for_and_found(lag: float, delay: float, stamps: t.Any) -> None:
    world = World(Send("lost", delay=delay), lag=lag, stamps=stamps)
    outcome = world.update()
    assert outcome.sent == world.accepted == len(world.bodies) == 1
    assert any("the answer to the update was lost" in line for line in world.lines)


def test_a_lost_answer_that_was_never_processed_is_sent_again() -> None:
    world = World(Send("dropped"))
    assert world.update().sent == world.accepted == 1
    assert len(world.bodies) == 2
    assert world.clock.now > SETTLE


def test_a_state_that_was_reached_before_proves_nothing_about_a_lost_answer() -> None:
    world = World(Send("dropped"), enabled=True)
    assert world.update(again=True).sent == world.accepted == 1


def test_not_for_ever() -> None:
    world = World(*[Send("dropped")] * 9)
    with pytest.raises(_errors.ServiceFailed, match="bad gateway"):
        world.update()
    assert len(world.bodies) == 3


def test_updates_that_are_lost_and_fail_come_to_an_end() -> None:
    """An operation that nobody answered for may be somebody else's, but not again and again."""
    world = World(*[Send("lost", good=False)] * 9, timeout=20_000)
    with pytest.raises(_errors.OperationFailed, match="update failed"):
        world.update()
    assert world.accepted == 3


def test_a_lost_answer_without_waiting_is_found_too() -> None:
    world = World(Send("lost"))
    outcome = world.update(wait=False)
    assert (outcome.sent, outcome.submitted is not None) == (1, True)


def test_429_is_waited_out() -> None:
    world = World(*[Send("limited")] * 3)
    assert world.update().sent == 1
    assert len(world.bodies) == 4


def test_429_is_not_waited_out_for_ever() -> None:
    world = World(*[Send("limited")] * 99)
    with pytest.raises(_errors.RateLimited):
        world.update()
    assert len(world.bodies) == 21


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize(
    "text",
    ["update in progress", "ConcurrencyError", "another operation runs", "The instance is being updated", "Busy"],
)
def test_busy_is_waited_out_however_it_is_said(status: int, text: str) -> None:
    world = World(*[Send("busy", status=status, text=text)] * 2)
    assert world.update().sent == 1
    assert len(world.bodies) == 3
    assert world.looked_up == 0


def test_busy_is_not_waited_out_for_ever() -> None:
    world = World(*[Send("busy", text="update in progress")] * 99)
    with pytest.raises(_errors.ApiError, match="in progress"):
        world.update()
    assert len(world.bodies) == 21


def test_busy_in_another_status_is_a_refusal() -> None:
    world = World(Send("busy", status=403, text="update in progress"))
    with pytest.raises(_errors.ApiError):
        world.update()
    assert len(world.bodies) == 1


def test_what_is_said_of_a_token_does_not_mean_that_the_instance_is_busy() -> None:
    world = World(*[Send("no token", status=409)] * 9)
    with pytest.raises(_errors.AuthenticationFailed):
        world.update()
    assert len(world.bodies) == 1


def test_a_refusal_with_a_young_authorization_is_tried_again() -> None:
    world = World(*[Send("refused")] * 3, authorized=-10)
    outcome = world.update()
    assert (outcome.sent, outcome.refusals) == (1, 3)
    assert len(world.bodies) == 4


def test_a_refusal_with_an_old_authorization_is_final() -> None:
    world = World(Send("refused", text="not authorized"))
    with pytest.raises(_errors.ApiError, match="not authorized"):
        world.update()
    assert len(world.bodies) == 1
    assert world.clock.now < 30


def test_refusals_end_when_the_authorization_is_not_young_any_more() -> None:
    world = World(*[Send("refused")] * 99, authorized=-10)
    with pytest.raises(_errors.ApiError, match="refused") as caught:
        world.update()
    assert YOUNG - 10 - 40 < world.clock.now < YOUNG + 40
    assert caught.value.remedy


def test_a_failed_operation_with_a_young_authorization_is_tried_again() -> None:
    world = World(Send(good=False, text="not authorized"), authorized=-10)
    outcome = world.update()
    assert (outcome.sent, outcome.refusals) == (2, 1)


def test_a_failed_operation_with_an_old_authorization_is_final() -> None:
    world = World(Send(good=False, text="broker: no such cluster"))
    with pytest.raises(_errors.OperationFailed, match="update failed: broker: no such cluster") as caught:
        world.update()
    assert len(world.bodies) == 1
    assert caught.value.attempt == "enable mirroring a -> b"
    assert caught.value.failure()["operation"]["description"] == "broker: no such cluster"
    assert caught.value.remedy


def test_a_failed_operation_of_before_is_not_ours() -> None:
    world = World(Send("stale", delay=20, duration=200), lag=20, stamps="never", before="failed")
    assert world.update().sent == 1


@pytest.mark.parametrize("good", [True, False])
def test_somebody_elses_operation_is_waited_for(good: bool) -> None:
    world = World(foreign=[(0.0, 500.0, good)])
    outcome = world.update()
    assert outcome.sent == len(world.bodies) == 1
    assert world.own()[0].accepted >= 500
    assert any("an update is running already" in line for line in world.lines)


def test_somebody_elses_failure_is_not_ours_when_the_answer_was_lost() -> None:
    """It ran between look and send, and ours has not begun yet."""
    world = World(Send("lost", delay=35.0), foreign=[(0.25, 0.5, False)])
    world.clock.sleep(0.1)
    first = world.observe()
    world.clock.sleep(1)
    assert first.instance.operation.type == "create"
    assert world.update(first=first).sent == world.accepted == 1


@pytest.mark.parametrize("ran", [0.1, 1.0, 1.5])
def test_somebody_elses_failure_is_not_ours_when_the_answer_shows_it(ran: float) -> None:
    """Reads lag, so the look before did not show it yet, and ours may see it running before it sees that it has failed."""
    world = World(Send("ok", delay=35.0), foreign=[(0.0, ran, False)], lag=5.0)
    world.clock.sleep(1)
    assert world.update().sent == world.accepted == 1


def test_an_operation_that_does_what_is_wanted_is_joined() -> None:
    world = World(effect=20)
    world.ops.append(Op(0, 0, 500, True, True, True))
    outcome = world.update()
    assert (outcome.sent, outcome.joined) == (0, True)
    assert world.bodies == []


def test_an_operation_that_starts_between_look_and_send_is_waited_for() -> None:
    world = World(foreign=[(0.25, 300.0, True)])
    outcome = world.update()
    assert outcome.sent == world.accepted == 1
    assert world.own()[0].accepted >= 300


@pytest.mark.parametrize("state", ["pending", "queued", "accepted"])
def test_an_operation_in_an_unknown_state_may_still_take_effect(state: str) -> None:
    """All that is neither succeeded nor failed is not over (API §3.6)."""
    world = World(before=state)

    def turn(seconds: float) -> None:
        world.clock.now += seconds
        if world.clock.now > 200:
            world.before = "succeeded"

    world.clock.sleep = turn  # type: ignore[method-assign]
    world.update()
    assert world.own()[0].accepted > 200


def test_what_is_not_permitted_is_not_sent() -> None:
    world = World(foreign=[(0.0, 50.0, True)])

    def forbid(state: State) -> None:
        raise _errors.InvalidInput("must recreate")

    with pytest.raises(_errors.InvalidInput, match="must recreate"):
        world.update(permit=forbid)
    assert world.bodies == []


def test_the_deadline_while_waiting() -> None:
    world = World(Send(duration=1e6), timeout=300)
    with pytest.raises(_errors.WaitExpired):
        world.update()
    assert 300 <= world.clock.now < 305
    assert len(world.bodies) == 1


@pytest.mark.parametrize("parity", [0, 1])
@pytest.mark.parametrize("settle", [0.0, SETTLE])
def test_the_deadline_while_every_second_look_is_behind(parity: int, settle: float) -> None:
    """Somebody else's operation never ends; of two places that answer, one has not heard of it."""
    world = World(foreign=[(0.0, 1e6, True)], timeout=300)
    true_view = world.view
    looks = itertools.count(parity)
    world.view = lambda now: true_view(now if next(looks) % 2 else -1.0)  # type: ignore[method-assign]
    first = Observed(true_view(1.0), observe(true_view(1.0), None))
    with pytest.raises(_errors.WaitExpired, match="has not ended") as caught:
        world.update(first=first, settle=settle)
    assert next(looks) < 200
    assert "validate" in caught.value.remedy
    assert world.bodies == []


def test_an_update_without_effect_is_told() -> None:
    world = World(effect=1e6)
    with pytest.raises(
        _errors.OperationFailed, match="ended as succeeded, but the target does not show the wanted state"
    ):
        world.update()
    assert len(world.bodies) == 1


def test_an_update_whose_effect_cannot_be_read_is_told() -> None:
    world = World(hidden=True)
    with pytest.raises(_errors.OperationFailed, match="HTTP 403"):
        world.update()
    assert len(world.bodies) == 1


sends = st.builds(
    Send,
    kind=st.sampled_from(["ok", "stale", "lost", "lost", "dropped", "limited", "refused", "busy"]),
    delay=st.sampled_from([0.0, 3.0, 35.0]),
    duration=st.sampled_from([0.5, 20.0, 100.0, 1000.0]),
    good=st.booleans(),
    status=st.sampled_from([400, 409, 422]),
)
foreign = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 1.5, 30.0, 150.0]), st.sampled_from([1.0, 80.0, 700.0]), st.booleans()),
    max_size=1,
)


@settings(max_examples=400)
@given(
    script=st.lists(sends, max_size=6),
    lag=st.sampled_from([0.0, 5.0, 15.0]),
    effect=st.sampled_from([0.0, 10.0, 40.0]),
    others=foreign,
    stamps=st.sampled_from(["both", "end", "never"]),
    authorized=st.sampled_from([-10_000.0, -200.0, 0.0]),
    before=st.sampled_from(["succeeded", "failed"]),
    enabled=st.booleans(),
    again=st.booleans(),
    timeout=st.sampled_from([50.0, 400.0, 7200.0]),
)
def test_never_a_second_update_while_one_may_still_take_effect(
    script: list[Send],
    lag: float,
    effect: float,
    others: list[tuple[float, float, bool]],
    stamps: t.Any,
    authorized: float,
    before: str,
    enabled: bool,
    again: bool,
    timeout: float,
) -> None:
    """The rules themselves are asserted where the world receives an update."""
    if others:  # what is somebody else's and seen late is told apart in the tests above
        lag, script = 0.0, [one._replace(delay=0.0) for one in script]
    world = World(
        *script,
        lag=lag,
        effect=effect,
        foreign=others,
        stamps=stamps,
        authorized=authorized,
        before=before,
        enabled=enabled,
        timeout=timeout,
    )
    try:
        outcome = world.update(again=again)
    except _errors.MirrorOpsError as error:
        assert error.message
        assert len(world.bodies) <= 30
        return
    assert outcome.observed.state.enabled.value is True
    assert world.on(world.clock.now)
    if stamps != "never":  # else a short operation whose answer was lost leaves no trace
        assert outcome.sent >= world.accepted
        if not others and not (enabled and again):
            assert outcome.sent == world.accepted
    assert not (enabled and not again and not others and outcome.sent)
    if again:
        assert outcome.sent >= 1
