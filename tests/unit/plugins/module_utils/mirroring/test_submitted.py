# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.submitted import (
    read_submitted,
    show_submitted,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.update import Submitted
from ansible_collections.mirrorops.event_streams.plugins.modules import mirroring
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import FakeClock, instance, operation

BEFORE = instance(updated_at="T1")
ACCEPTED = instance(updated_at="T2", last_operation=operation("in progress", "update", "Update: 50% & 'more'"))


def carried(shown: dict[str, t.Any]) -> dict[str, t.Any]:
    """A result that was registered and given to another task: JSON, then the module's own argument spec."""
    given = {"source": "a", "target": "b", "ibmcloud_api_key": "k", "submitted": json.loads(json.dumps(shown))}
    checked = ArgumentSpecValidator(mirroring.SPEC.options, **mirroring.SPEC.rules()).validate(given)
    assert not checked.error_messages
    return t.cast(dict[str, t.Any], checked.validated_parameters["submitted"])


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize("selection", [None, ["^a$", ".*"]])
@pytest.mark.parametrize("before", [BEFORE, instance(last_operation=None, updated_at=None)])
def test_it_arrives_as_it_was_sent(certain: bool, selection: list[str] | None, before: t.Any) -> None:
    here, there = FakeClock(1000.0), FakeClock(5000.0)
    option = carried(show_submitted(Submitted(before, ACCEPTED, 990.0, certain), selection, here))
    there.time = lambda: here.time() + 30.0  # type: ignore[method-assign]
    found = read_submitted(option, instance(), there)
    assert found is not None
    assert (found.before.operation, found.before.updated_at) == (before.operation, before.updated_at)
    assert (found.accepted.operation, found.accepted.updated_at) == (ACCEPTED.operation, ACCEPTED.updated_at)
    assert found.sent_at == pytest.approx(5000.0 - 40.0, abs=1.0), "by the clock of the machine that waits"
    assert (found.certain, option["selection"]) == (certain, selection)


def test_it_was_never_sent_in_the_future() -> None:
    """Else a clock that was set back would stretch the patience with a young authorization."""
    here, there = FakeClock(1000.0), FakeClock(1000.0)
    option = carried(show_submitted(Submitted(BEFORE, ACCEPTED, 1000.0, True), None, here))
    there.time = lambda: here.time() - 3600.0  # type: ignore[method-assign]
    found = read_submitted(option, instance(), there)
    assert found is not None
    assert found.sent_at == 1000.0


@pytest.mark.parametrize("nothing", [None, {}])
def test_nothing_was_submitted(nothing: t.Any) -> None:
    assert read_submitted(nothing, instance(), FakeClock()) is None


def test_what_the_module_did_not_return_is_refused() -> None:
    shown = show_submitted(Submitted(BEFORE, ACCEPTED, 0.0, True), None, FakeClock())
    with pytest.raises(InvalidInput, match="not what the module returned") as caught:
        read_submitted(carried({**shown, "sent_at": "yesterday"}), instance(), FakeClock())
    assert "the whole of submitted" in caught.value.remedy


class SetClock(FakeClock):
    """A clock whose time of day was set: it is so many seconds off."""

    def __init__(self, now: float, step: float) -> None:
        super().__init__(now)
        self.step = step

    def time(self) -> float:
        return super().time() + self.step


@pytest.mark.parametrize("step", [-1e6, 0.0, 1e6])
def test_the_age_of_an_update_does_not_care_what_time_of_day_it_is(step: float) -> None:
    clock = FakeClock(1000.0)
    option = carried(show_submitted(Submitted(BEFORE, ACCEPTED, 990.0, True), None, clock))
    found = read_submitted(option, instance(), SetClock(1060.0, step))
    assert found is not None
    assert found.sent_at >= 990.0
    assert found.sent_at == pytest.approx(990.0 if step >= 0 else 1060.0, abs=1.0)


def test_an_update_of_an_earlier_version_has_its_time_of_day_only() -> None:
    clock = FakeClock(1000.0)
    shown = show_submitted(Submitted(BEFORE, ACCEPTED, 990.0, True), None, clock)
    del shown["uptime"]
    found = read_submitted(carried(shown), instance(), clock)
    assert found is not None
    assert found.sent_at == pytest.approx(990.0, abs=1.0)
