# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.plan import (
    CannotTell,
    MustRecreate,
    Plan,
    plan_absent,
    plan_present,
    update_parameters,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    Settings,
    State,
    Unreadable,
    observe,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import crn, instance, operation

WANTED = Settings(crn(), "us-south", "us-east")
ECHO = WANTED.to_parameters()
HIDDEN = Unreadable("HTTP 403 from there")


def state(selection: t.Any, echo: t.Any = None, phase: str = "succeeded") -> State:
    parameters = {} if echo is None else {"mirroring": echo}
    return observe(instance(parameters=parameters, last_operation=operation(phase)), selection)


OFF = state(None)
ON = state(["a"], ECHO)
OTHER = state(["a"], {**ECHO, "source_alias": "other"})
BLIND = state(["a"])
UNCLEAR = state(HIDDEN)
RUNNING = state(None, phase="in progress")


@pytest.mark.parametrize(
    ("now", "recreate", "force", "steps"),
    [
        (OFF, False, False, ("enable",)),
        (OFF, True, False, ("enable",)),
        (OFF, False, True, ("enable",)),
        (ON, False, False, ()),
        (ON, True, False, ()),
        (ON, False, True, ()),
        (ON, True, True, ()),
        (OTHER, True, False, ("disable", "enable")),
        (OTHER, True, True, ("disable", "enable")),
        (BLIND, False, False, ()),
        (BLIND, True, False, ()),
        (BLIND, False, True, ("enable",)),
        (BLIND, True, True, ("disable", "enable")),
        (UNCLEAR, False, True, ("enable",)),
        (RUNNING, False, True, ("enable",)),
        (state(HIDDEN, ECHO), False, False, ()),
        (state(HIDDEN, {"disable": True}), False, False, ("enable",)),
    ],
)
def test_what_enabling_takes(now: State, recreate: bool, force: bool, steps: tuple[str, ...]) -> None:
    plan = plan_present(now, WANTED, recreate=recreate, force=force)
    assert plan.steps == steps
    assert (plan.warning is not None) is (now is BLIND and not force)


def test_an_enabled_pair_that_cannot_be_read_is_left_alone_with_a_warning() -> None:
    warning = plan_present(BLIND, WANTED, recreate=False, force=False).warning
    assert warning is not None
    assert "source_crn, source_alias, target_alias" in warning
    assert "force: true" in warning


@pytest.mark.parametrize("force", [False, True])
def test_other_settings_are_refused(force: bool) -> None:
    with pytest.raises(MustRecreate, match="source_alias is 'other', wanted 'us-south'") as caught:
        plan_present(OTHER, WANTED, recreate=False, force=force)
    assert "recreate: true" in caught.value.remedy
    assert caught.value.failure()["differences"] == {"source_alias": {"before": "other", "after": "us-south"}}
    assert caught.value.kind == "must_recreate"


@pytest.mark.parametrize(("now", "why"), [(UNCLEAR, "HTTP 403 from there"), (RUNNING, "an update is running")])
def test_nothing_is_done_blindly(now: State, why: str) -> None:
    for plan in (
        lambda: plan_present(now, WANTED, recreate=True, force=False),
        lambda: plan_absent(now, force=False),
    ):
        with pytest.raises(CannotTell, match=why) as caught:
            plan()
        assert "force: true" in caught.value.remedy
        assert caught.value.kind == "cannot_tell"


@pytest.mark.parametrize(
    ("now", "force", "steps"),
    [
        (OFF, False, ()),
        (OFF, True, ()),
        (ON, False, ("disable",)),
        (OTHER, False, ("disable",)),
        (BLIND, False, ("disable",)),
        (UNCLEAR, True, ("disable",)),
        (RUNNING, True, ("disable",)),
    ],
)
def test_what_disabling_takes(now: State, force: bool, steps: tuple[str, ...]) -> None:
    assert plan_absent(now, force=force) == Plan(steps)


@pytest.mark.parametrize(
    ("step", "throughput", "expected"),
    [
        ("enable", None, {"mirroring": ECHO}),
        ("enable", 150, {"mirroring": ECHO}),
        ("enable", 151, {"throughput": "151", "mirroring": ECHO}),
        ("enable", 300, {"throughput": "300", "mirroring": ECHO}),
        ("disable", 150, {"mirroring": {"disable": True}}),
        ("disable", 450, {"throughput": "450", "mirroring": {"disable": True}}),
    ],
)
def test_parameters(step: t.Literal["enable", "disable"], throughput: int | None, expected: dict[str, t.Any]) -> None:
    """Above 150 MB/s the throughput goes along, as a string (API §3.5)."""
    assert update_parameters(step, WANTED, throughput) == expected


def test_enabling_needs_settings() -> None:
    with pytest.raises(ValueError, match="settings"):
        update_parameters("enable", None, 150)
    assert update_parameters("disable", None, None) == {"mirroring": {"disable": True}}


def test_what_contradicts_itself_is_taken_as_off_with_a_warning() -> None:
    """Nobody documents that the instance's document follows when mirroring is disabled."""
    now = state(None, ECHO)
    assert now.contradictory
    steps, warning = plan_absent(now, force=False)
    assert steps == ()
    assert "goes on showing settings" in (warning or "")
    assert plan_absent(now, force=True) == Plan(("disable",))
