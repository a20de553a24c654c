# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import (
    Limits,
    Progress,
    pause,
    read_limits,
    wait_for_operation,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    FakeClock,
    instance,
    make_call,
    operation,
)

LIMITS = Limits(timeout=3600, interval=30, settle=60)


def seen(state: str = "succeeded", kind: str = "update", at: str = "T0", description: str = "") -> Instance:
    return instance(updated_at=at, last_operation=operation(state, kind, description))


BEFORE = seen("succeeded", "create")
OLD_FAILURE = seen("failed")
RUNNING = seen("in progress")


class Scene:
    """Reads out of a list; the last one goes on for ever."""

    def __init__(self, *reads: Instance | Exception, settle: float = 60, timeout: float = 3600) -> None:
        self.clock = FakeClock()
        self.call = make_call(self.clock)
        self.lines: list[str] = []
        self.call.progress = self.lines.append
        self.reads = list(reads)
        self.count = 0
        self.limits = Limits(timeout, 30, settle)

    def read(self) -> Instance:
        self.count += 1
        one = self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]
        if isinstance(one, Exception):
            raise one
        return one

    def wait(self, baseline: Instance | None = BEFORE) -> Instance:
        return wait_for_operation(
            self.call,
            self.read,
            label="es-target",
            limits=self.limits,
            deadline=self.clock.monotonic() + self.limits.timeout,
            progress=Progress(self.call, "a -> b"),
            baseline=baseline,
        )


def transient(reason: str = "HTTP 503") -> _errors.ServiceFailed:
    return _errors.ServiceFailed(reason, status=503)


END = seen("succeeded", at="T1")
BAD_END = seen("failed", at="T1", description="broker said no")


@pytest.mark.parametrize(
    ("reads", "baseline", "count"),
    [
        pytest.param([RUNNING, RUNNING, END], BEFORE, 3, id="running, then done"),
        pytest.param([RUNNING, BAD_END], BEFORE, 2, id="running, then failed"),
        pytest.param([BEFORE, BEFORE, RUNNING, END], BEFORE, 4, id="stale first"),
        pytest.param([END], BEFORE, 1, id="done before the first look"),
        pytest.param([BAD_END], BEFORE, 1, id="failed before the first look"),
        pytest.param([seen("succeeded", "create", "T1")], BEFORE, 1, id="another time of update"),
        pytest.param([OLD_FAILURE, OLD_FAILURE, RUNNING, END], OLD_FAILURE, 4, id="stale failure"),
        pytest.param([seen("pending"), seen("cooking"), END], BEFORE, 3, id="unknown states"),
        pytest.param([RUNNING, seen("sync succeeded", at="T1")], BEFORE, 2, id="sync succeeded"),
        pytest.param([RUNNING, END], None, 2, id="joined"),
        pytest.param([END], None, 1, id="joined at its end"),
        pytest.param([RUNNING, instance(last_operation=None)], BEFORE, 2, id="no operation any more"),
    ],
)
def test_when_it_has_ended(reads: list[Instance], baseline: Instance | None, count: int) -> None:
    scene = Scene(*reads)
    assert scene.wait(baseline) == reads[-1]
    assert scene.count == count


@pytest.mark.parametrize("before", [BEFORE, OLD_FAILURE])
def test_what_looks_as_before_counts_late_even_if_it_was_seen_running(before: Instance) -> None:
    """Reads may come from places of which one is behind; where neither words nor times change, the settle time decides."""
    scene = Scene(RUNNING, before, before, RUNNING, before)
    assert scene.wait(before) == before
    assert scene.clock.now - 1000 >= 60 + 6
    assert scene.count >= 7


def test_a_look_that_is_behind_does_not_end_the_wait() -> None:
    scene = Scene(RUNNING, OLD_FAILURE, RUNNING, OLD_FAILURE, END)
    assert scene.wait(OLD_FAILURE) == END
    assert scene.count == 5


def test_an_instance_that_was_removed_ends_the_wait_at_once() -> None:
    scene = Scene(RUNNING, _errors.NotFound("the instance is pending_reclamation"))
    with pytest.raises(_errors.NotFound) as caught:
        scene.wait()
    assert scene.count == 2
    assert "goes on by itself" not in caught.value.remedy


@pytest.mark.parametrize("stale", [BEFORE, OLD_FAILURE])
def test_what_looks_stale_counts_after_the_settle_time(stale: Instance) -> None:
    scene = Scene(stale, settle=60)
    started = scene.clock.now
    assert scene.wait(stale) == stale
    assert 60 <= scene.clock.now - started < 60 + 33
    assert any("(may be the one before)" in line for line in scene.lines)


def test_a_stale_failure_with_a_new_time_is_still_stale() -> None:
    """The platform touches updated_at when it accepts the update, before last_operation follows."""
    touched = seen("failed", at="T1")
    scene = Scene(touched, RUNNING, END)
    assert scene.wait(OLD_FAILURE) == END


def test_without_settle_time_the_first_look_counts() -> None:
    scene = Scene(BEFORE, settle=0)
    assert scene.wait() == BEFORE
    assert scene.count == 1


def test_the_deadline() -> None:
    scene = Scene(seen("in progress", description="Update in progress."), timeout=100)
    started = scene.clock.now
    with pytest.raises(
        _errors.WaitExpired, match=r"after 0:01:40 the update has not ended: update in progress"
    ) as caught:
        scene.wait()
    assert scene.clock.now - started == pytest.approx(100)
    assert caught.value.failure()["operation"]["state"] == "in progress"
    assert "run this again to join it" in caught.value.remedy


def test_no_time_at_all_still_looks_once() -> None:
    assert Scene(END, timeout=0).wait() == END
    scene = Scene(RUNNING, timeout=0)
    with pytest.raises(_errors.WaitExpired):
        scene.wait()
    assert scene.count == 1


def test_reads_that_fail_in_passing_are_borne() -> None:
    scene = Scene(RUNNING, transient(), transient(), _errors.NoAnswer("reset"), END)
    assert scene.wait() == END
    assert any("cannot read the instance, trying on: HTTP 503" in line for line in scene.lines)


def test_reads_that_fail_until_the_deadline() -> None:
    scene = Scene(transient("the gateway is down"), timeout=100)
    with pytest.raises(_errors.WaitExpired, match="the gateway is down") as caught:
        scene.wait()
    assert caught.value.failure()["operation"] is None


@pytest.mark.parametrize(
    "error", [_errors.NotFound("gone", status=404), _errors.PermissionDenied("no", status=403), _errors.TlsFailed("x")]
)
def test_reads_that_are_refused_for_good(error: _errors.ExchangeError) -> None:
    """Not at once: they have worked before. And not until the deadline."""
    scene = Scene(RUNNING, error)
    with pytest.raises(type(error)) as caught:
        scene.wait()
    assert 120 <= scene.clock.now - 1000 <= 200
    assert 5 <= scene.count <= 12
    assert "The update goes on by itself" in caught.value.remedy


def test_reads_that_are_refused_in_passing_are_borne() -> None:
    refused = _errors.PermissionDenied("no", status=403)
    scene = Scene(RUNNING, *[refused] * 4, RUNNING, *[refused] * 4, END)
    assert scene.wait() == END


def test_an_expired_wait_shows_the_last_trouble() -> None:
    scene = Scene(RUNNING, transient("Bad gateway"), timeout=300)
    with pytest.raises(_errors.WaitExpired) as caught:
        scene.wait()
    assert caught.value.status == 503
    assert "Bad gateway" in caught.value.message
    assert "es-target" in caught.value.message


def test_intervals_grow_to_what_is_asked_for_and_are_jittered() -> None:
    scene = Scene(*[RUNNING] * 40, END)
    scene.wait()
    first, second, third, fourth, *rest = scene.clock.slept
    assert [first, second, third, fourth] == [pytest.approx(seconds, rel=0.1001) for seconds in (2, 4, 8, 16)]
    assert all(27 <= seconds <= 33 for seconds in rest)
    assert len({round(seconds, 3) for seconds in rest}) > 20


def test_an_interval_shorter_than_the_first_pause() -> None:
    scene = Scene(RUNNING, RUNNING, END)
    scene.limits = Limits(3600, 0.5, 60)
    scene.wait()
    assert all(0.45 <= seconds <= 0.55 for seconds in scene.clock.slept)


def test_one_line_a_minute_and_one_per_change() -> None:
    scene = Scene(*[RUNNING] * 20, *[seen("in progress", description="almost")] * 3, END)
    scene.wait()
    assert scene.lines[0].startswith("a -> b: 0:00:0")
    assert scene.lines[0].endswith("update in progress")
    changes = [line.split(" ", 4)[4] for line in scene.lines]
    assert changes[-1] == "update succeeded"
    assert set(changes) == {"update in progress", "update in progress: almost", "update succeeded"}
    stamps = [
        sum(int(x) * y for x, y in zip(line.split(" ")[3].split(":"), (3600, 60, 1), strict=True))
        for line in scene.lines
    ]
    same = [(a, b) for a, b, x, y in zip(stamps, stamps[1:], changes, changes[1:], strict=False) if x == y]
    assert len(same) >= 5
    assert all(b - a >= 59 for a, b in same)


def test_progress_counts_from_its_beginning() -> None:
    call = make_call(FakeClock())
    lines: list[str] = []
    call.progress = lines.append
    progress = Progress(call, "pair")
    for step, text in [(0, "a"), (59, "a"), (1, "a"), (0, "b"), (3600, "b"), (10, "b"), (50, "b")]:
        call.clock.sleep(step)
        progress.note(text)
    assert lines == ["pair: 0:00:00 a", "pair: 0:01:00 a", "pair: 0:01:00 b", "pair: 1:01:00 b", "pair: 1:02:00 b"]


def test_texts_that_change_all_the_time_are_told_once_a_minute_while_the_state_is_the_same() -> None:
    call = make_call(FakeClock())
    lines: list[str] = []
    call.progress = lines.append
    progress = Progress(call, "pair")
    for number, state in enumerate(["fail"] * 9 + ["unknown"]):
        progress.note(f"{number}", state)
        call.clock.sleep(20)
    assert [line.rpartition(" ")[2] for line in lines] == ["0", "3", "6", "9"]


@given(st.floats(0.01, 1000), st.floats(-10, 1000))
def test_a_pause_never_passes_the_deadline(interval: float, left: float) -> None:
    clock = FakeClock()
    pause(clock, interval, clock.now + left)
    assert clock.slept[0] <= max(0.0, left) + 1e-6
    assert clock.slept[0] <= interval * 1.1 + 1e-6
    if left > interval * 1.1:
        assert clock.slept[0] >= interval * 0.9 - 1e-6


@pytest.mark.parametrize(
    ("changes", "fine"),
    [
        ({}, True),
        ({"wait_timeout": 0, "poll_interval": 0.01, "settle_timeout": 0}, True),
        ({"wait_timeout": -1}, False),
        ({"wait_timeout": 30 * 86400}, False),
        ({"wait_timeout": float("nan")}, False),
        ({"wait_timeout": float("inf")}, False),
        ({"poll_interval": 0}, False),
        ({"poll_interval": -5}, False),
        ({"poll_interval": float("nan")}, False),
        ({"settle_timeout": -0.1}, False),
    ],
)
def test_limits(changes: dict[str, t.Any], fine: bool) -> None:
    params = {"wait_timeout": 10800, "poll_interval": 30, "settle_timeout": 60, **changes}
    if fine:
        assert read_limits(params) == Limits(params["wait_timeout"], params["poll_interval"], params["settle_timeout"])
        return
    with pytest.raises(_errors.InvalidInput, match=next(iter(changes))):
        read_limits(params)


def test_a_look_has_no_settle_time_of_its_own() -> None:
    assert read_limits({"wait_timeout": 1, "poll_interval": 1}).settle == 60
