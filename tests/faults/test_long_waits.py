# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits of hours, in virtual time: tokens expire, clocks step, the deadline comes, and another run takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.modules import mirroring, mirroring_info
from ansible_collections.mirrorops.event_streams.tests.faults.matrix import mirrored
from ansible_collections.mirrorops.event_streams.tests.faults.stage import (
    AUTHORIZED,
    SOURCE,
    TARGET,
    TOPICS,
    Stage,
    scenario,
)
from simulator import Simulator

HOUR = 3600.0
PAIR = {"source": SOURCE, "target": TARGET, "topics": TOPICS}

Start = Callable[..., Stage]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a simulator with a stage before it."""
    running: list[Simulator] = []

    def start(seconds: float = 2 * HOUR, **changes: Any) -> Stage:
        timing = {"operation_seconds": seconds, **changes.pop("timing", {})}
        running.append(Simulator(scenario(timing=timing, **changes)).start())
        return Stage(running[-1], poll_interval=30)

    yield start
    for simulator in running:
        simulator.stop()
        assert simulator.violations() == []


def tokens(stage: Stage) -> int:
    """How many tokens were asked for."""
    return sum(entry["path"].endswith("/identity/token") for entry in stage.simulator.journal)


def refused(stage: Stage) -> int:
    """How many requests came with a token that was not accepted."""
    return sum(entry["status"] == 401 for entry in stage.simulator.journal)


def updates(stage: Stage) -> int:
    """How many updates were sent, accepted or not."""
    return sum(entry["method"] == "PATCH" for entry in stage.simulator.journal)


def wait_meanwhile(stage: Stage, happening: Callable[[int], None]) -> dict[str, Any]:
    """Mirrors, and lets something happen before each request; it gets the request's number."""
    asked = 0

    def before_each_request() -> None:
        nonlocal asked
        asked += 1
        happening(asked)

    stage.check_wanted = before_each_request
    return stage.mirror()


def test_three_tokens_expire_in_one_wait(start: Start) -> None:
    """They are renewed ahead of time, so that none is ever refused."""
    stage = start(timing={"token_seconds": HOUR / 2})
    stage.mirror()
    assert mirrored(stage.simulator)
    assert tokens(stage) >= 5
    assert refused(stage) == 0
    assert updates(stage) == 1


def test_three_tokens_are_revoked_in_one_wait(start: Start) -> None:
    """What ends before its time is noticed by the refusal, and replaced once."""
    stage = start()
    revoked = []

    def revoke(number: int) -> None:
        if updates(stage) and number % 50 == 0 and len(revoked) < 3:
            revoked.append(number)
            stage.simulator.state.tokens.expire_all()

    wait_meanwhile(stage, revoke)
    assert mirrored(stage.simulator)
    assert len(revoked) == refused(stage) == 3
    assert updates(stage) == 1


@pytest.mark.parametrize("step", [-400 * 24 * HOUR, -HOUR, HOUR, 400 * 24 * HOUR])
def test_the_clock_is_set_while_waiting(start: Start, step: float) -> None:
    """Deadlines and the lifetimes of tokens do not care what time of day it is."""
    stage = start()

    def set_clock(number: int) -> None:
        if updates(stage):
            stage.clock.step = step

    done = wait_meanwhile(stage, set_clock)
    assert mirrored(stage.simulator)
    assert 2 * HOUR <= done["enable"]["duration"] <= 2 * HOUR + 120
    assert updates(stage) == 1


@pytest.mark.parametrize("step", [-400 * 24 * HOUR, -HOUR, HOUR, 400 * 24 * HOUR])
def test_the_clock_is_set_while_an_authorization_becomes_effective(start: Start, step: float) -> None:
    """It is granted the time that authorization_timeout says, and no more of it, whatever the time of day becomes."""
    stage = start(timing={"policy_propagation_seconds": 10 * HOUR})

    def set_clock(number: int) -> None:
        if updates(stage):
            stage.clock.step = step

    begun = stage.clock.monotonic()
    with pytest.raises(_errors.MirrorOpsError, match="not authorized"):
        wait_meanwhile(stage, set_clock)
    seconds = stage.clock.monotonic() - begun
    assert seconds <= 300 + 60
    assert seconds >= 240 or step > 0
    assert updates(stage) < 40


def test_the_deadline_tells_what_is_still_running_and_another_run_joins(start: Start) -> None:
    stage = start(5 * HOUR)
    with pytest.raises(_errors.WaitExpired) as caught:
        stage.mirror()
    told = caught.value.failure()
    assert told["kind"] == "wait_expired"
    assert told["operation"]["state"] == "in progress"
    assert TARGET in told["instance"]
    assert "run this again to join it" in told["remedy"]
    assert "validate" in told["remedy"]

    looked = stage.run(mirroring_info, **PAIR)
    assert looked["verdict"] == "pending"
    stage.forget()
    done = stage.mirror()
    assert done["enable"]["action"] == "joined"
    assert mirrored(stage.simulator)
    assert updates(stage) == 1


def test_validate_joins_what_another_run_left(start: Start) -> None:
    """It waits for the update and sees that no topic has been selected yet, because that run ended before it could."""
    stage = start(5 * HOUR)
    with pytest.raises(_errors.WaitExpired):
        stage.mirror()
    looked = stage.run(mirroring_info, **PAIR, wait=True)
    assert looked["duration"] > HOUR
    assert looked["mirroring"]["enabled"] is True
    assert looked["operation"]["state"] == "succeeded"
    assert {one["rule"]: one["status"] for one in looked["findings"]}["selection"] == "fail"
    assert updates(stage) == 1


def test_a_run_that_does_not_wait_leaves_what_a_later_one_needs(start: Start) -> None:
    stage = start(policies=AUTHORIZED)
    submitted = stage.run(mirroring, source=SOURCE, target=TARGET, wait=False)
    assert submitted["waiting"] is True
    assert submitted["operation"]["state"] == "in progress"
    assert stage.mirror()["enable"]["action"] == "joined"
    assert mirrored(stage.simulator)
    assert updates(stage) == 1


def test_a_machine_that_sleeps_through_the_end(start: Start) -> None:
    """Hours pass between two looks, such as on a laptop that is closed: token and operation have ended meanwhile."""
    stage = start()

    def fall_asleep(number: int) -> None:
        if updates(stage) and stage.simulator.instance(TARGET).busy:
            stage.simulator.clock.advance(6 * HOUR)
            stage.clock.behind += 6 * HOUR

    done = wait_meanwhile(stage, fall_asleep)
    assert done["enable"]["action"] == "enabled"
    assert mirrored(stage.simulator)
    assert updates(stage) == 1
