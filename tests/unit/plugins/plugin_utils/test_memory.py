# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import mmap
import multiprocessing
import os
import signal
import time
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.plugin_utils import _memory
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._memory import Table

FORK = multiprocessing.get_context("fork")
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
LONG = 30.0
SMALL = _memory._DATA + 4 * _memory.ROOM


def digest(text: t.Any) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()


ONE, TWO = digest("one"), digest("two")


class Child:
    """A forked process, with a pipe to talk through; killed at the end."""

    def __init__(self, body: t.Callable[[t.Any], None]) -> None:
        self.here, there = FORK.Pipe()
        self.process = FORK.Process(target=body, args=(there,), daemon=True)
        self.process.start()
        there.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.is_alive():
            self.kill()

    def kill(self) -> None:
        assert self.process.pid
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(LONG)

    def told(self) -> t.Any:
        assert self.here.poll(LONG), "the child says nothing"
        return self.here.recv()


def test_keeping_values() -> None:
    table = Table()
    assert table.get(ONE) is None
    table.put(ONE, b"1")
    table.put(TWO, b"")
    assert table.get(ONE) == b"1"
    assert table.get(TWO) is None
    table.put(ONE, b"another, longer" * 100)
    table.put(TWO, b"2")
    assert (table.get(ONE), table.get(TWO)) == (b"another, longer" * 100, b"2")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=3 * _memory.ROOM)), max_size=40))
def test_what_is_found_is_what_was_put_last(puts: list[tuple[int, bytes]]) -> None:
    """However small the table: something may be forgotten, nothing is mixed up."""
    table, large, expected = Table(SMALL), Table(), {}
    for number, value in puts:
        key = digest(number)
        table.put(key, value)
        large.put(key, value)
        expected[key] = value or None
        assert table.get(key) == expected[key]
        assert all(table.get(one) in (None, expected[one]) for one in expected)
        assert {one: large.get(one) for one in expected} == expected


def test_a_value_that_changes_takes_no_more_room() -> None:
    table = Table(SMALL)
    table.put(TWO, b"stays")
    for number in range(100):
        table.put(ONE, b"%d" % number)
    assert (table.get(ONE), table.get(TWO)) == (b"99", b"stays")


def test_more_keys_than_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_memory, "PLACES", 8)
    monkeypatch.setattr(_memory, "MOST_USED", 6)
    table = Table()
    for number in range(100):
        table.put(digest(number), b"%d" % number)
        assert table.get(digest(number)) == b"%d" % number
    assert sum(table.get(digest(number)) is not None for number in range(100)) <= 6


def test_when_it_is_full_the_newest_is_kept_and_so_is_the_number() -> None:
    table = Table(SMALL)
    table.raise_number()
    table.put(ONE, b"1")
    large = b"x" * (4 * _memory.ROOM)
    table.put(TWO, large)
    assert table.get(TWO) == large
    assert table.get(ONE) is None
    table.put(ONE, b"1")
    assert table.get(ONE) == b"1"
    assert table.number() == 1


def test_a_value_larger_than_the_table_is_not_kept() -> None:
    table = Table(SMALL)
    table.put(ONE, b"1")
    table.put(TWO, b"x" * SMALL)
    assert (table.get(ONE), table.get(TWO)) == (b"1", None)


def test_every_process_of_a_run_sees_the_same() -> None:
    table = Table()
    table.put(ONE, b"1")

    def body(pipe: t.Any) -> None:
        pipe.send(table.get(ONE))
        table.put(TWO, b"of the child")
        table.raise_number()
        pipe.send("done")

    with Child(body) as child:
        assert child.told() == b"1"
        assert child.told() == "done"
    assert table.get(TWO) == b"of the child"
    assert table.number() == 1


def test_nothing_is_on_the_disk_and_nothing_takes_room_before_it_is_used() -> None:
    table = Table()
    table.put(ONE, b"1")
    seen = os.fstat(table._lock_file)
    assert (seen.st_nlink, seen.st_size) == (0, 0)
    assert not os.get_inheritable(table._lock_file)


def test_one_asks_and_the_others_wait() -> None:
    table = Table()

    def body(pipe: t.Any) -> None:
        pipe.recv()
        with table.exclusive(ONE, LONG):
            if table.get(ONE) is None:
                time.sleep(0.05)
                pipe.send("asked")
                table.put(ONE, b"1")
            else:
                pipe.send("found")

    children = [Child(body) for _dummy in range(5)]
    for child in children:
        child.here.send("go")
    answers = [child.told() for child in children]
    for child in children:
        child.process.join(LONG)
    assert sorted(answers) == ["asked", *["found"] * 4]


def hold(table: Table, key: str) -> t.Callable[[t.Any], None]:
    def body(pipe: t.Any) -> None:
        with table.exclusive(key, LONG):
            pipe.send("held")
            pipe.recv()

    return body


def hold_all(table: Table) -> t.Callable[[t.Any], None]:
    def body(pipe: t.Any) -> None:
        with table._locked(_memory._TABLE_BYTE, LONG):
            pipe.send("held")
            pipe.recv()

    return body


def test_a_lock_is_free_when_its_holder_is_killed() -> None:
    table = Table()
    with Child(hold(table, ONE)) as child:
        assert child.told() == "held"
        child.kill()
        started = time.monotonic()
        with table.exclusive(ONE, LONG):
            assert time.monotonic() - started < 5


def test_the_lock_of_the_table_is_free_when_its_holder_is_killed() -> None:
    table = Table()
    with Child(hold_all(table)) as child:
        assert child.told() == "held"
        child.kill()
        table.put(ONE, b"1")
        assert table.get(ONE) == b"1"


def test_a_lock_that_is_held_for_long_is_not_waited_for_for_ever() -> None:
    table = Table()
    with Child(hold(table, ONE)) as child:
        assert child.told() == "held"
        started = time.monotonic()
        with table.exclusive(ONE, 0.2):
            assert 0.2 <= time.monotonic() - started < 5
        child.here.send("let go")
        child.process.join(LONG)
        started = time.monotonic()
        with table.exclusive(ONE, LONG):
            assert time.monotonic() - started < 5


def test_giving_up_does_not_take_the_lock_from_its_holder() -> None:
    table = Table()
    with Child(hold(table, ONE)) as child:
        assert child.told() == "held"
        with table.exclusive(ONE, 0.05):
            pass
        started = time.monotonic()
        with table.exclusive(ONE, 0.2):
            assert time.monotonic() - started >= 0.2, "still held by the child"


def test_a_table_that_stays_locked_is_done_without() -> None:
    table = Table(lock_seconds=0.1)
    table.put(ONE, b"1")
    with Child(hold_all(table)) as child:
        assert child.told() == "held"
        assert table.get(ONE) is None
        assert table.number() == -1
        table.put(TWO, b"2")
        table.raise_number()
    assert table.get(ONE) == b"1"
    assert table.get(TWO) is None
    assert table.number() == 1, "what was read before must not count, lock or no lock"


def test_a_number_that_was_raised_without_the_lock_stays_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody writes at the same time, and holds the lock for longer than anybody waits."""
    table = Table(lock_seconds=0.05)
    put = table._place

    def meanwhile(key: bytes) -> t.Any:
        with Child(lambda pipe: pipe.send(table.raise_number())) as child:
            assert child.told() is None
        return put(key)

    monkeypatch.setattr(table, "_place", meanwhile)
    table.put(ONE, b"1")
    assert table.number() == 1


def test_a_number_that_has_ended_never_comes_back() -> None:
    table = Table(SMALL)
    table.end_number()
    table.raise_number()
    for number in range(10):
        table.put(digest(number), b"x" * 500)
    assert table.number() == -1


def test_keys_do_not_wait_for_each_other() -> None:
    table = Table()
    with Child(hold(table, ONE)) as child:
        assert child.told() == "held"
        started = time.monotonic()
        with table.exclusive(TWO, LONG):
            table.put(TWO, b"2")
            assert table.get(TWO) == b"2"
        assert time.monotonic() - started < 5


def test_an_error_lets_go() -> None:
    table = Table()
    with pytest.raises(ZeroDivisionError), table.exclusive(ONE, LONG):
        raise ZeroDivisionError

    def body(pipe: t.Any) -> None:
        started = time.monotonic()
        with table.exclusive(ONE, LONG):
            pipe.send(time.monotonic() - started < 5)

    with Child(body) as child:
        assert child.told() is True


@pytest.mark.parametrize("value", [b"short", b"x" * (2 * _memory.ROOM)], ids=["in its place", "in another place"])
def test_a_writer_killed_half_way_leaves_nothing_half(value: bytes) -> None:
    """Whichever of its writes is the last: what is found is whole, the old value, the new one or none."""
    moment = 0
    while True:
        table = Table()
        table.put(ONE, b"before")
        table.put(TWO, b"neighbour")
        writes = Breaking(table._memory, moment)
        table._memory = t.cast(mmap.mmap, writes)
        try:
            table.put(ONE, value)
        except Killed:
            finished = False
        else:
            finished = True
        table._memory = writes.memory
        assert table.get(ONE) in (None, b"before", value)
        assert table.get(TWO) == b"neighbour"
        table.put(ONE, value)
        assert table.get(ONE) == value
        if finished:
            break
        moment += 1
    assert moment >= 1


class Killed(Exception):
    """The writer is no more."""


class Breaking:
    """Memory that takes only so many writes, and of the next one the first half."""

    def __init__(self, memory: mmap.mmap, writes: int) -> None:
        self.memory, self._left = memory, writes

    def __setitem__(self, where: slice, what: bytes) -> None:
        if self._left == 0:
            start = where.start or 0
            self.memory[start : start + len(what) // 2] = what[: len(what) // 2]
            raise Killed
        self._left -= 1
        self.memory[where] = what

    def __getitem__(self, where: slice) -> bytes:
        return self.memory[where]


@pytest.mark.parametrize("garbage", [b"\xff", b"\x01", bytes(range(256))])
def test_garbage_is_survived(garbage: bytes) -> None:
    table = Table(SMALL)
    head = _memory._PLACES
    table._memory[head : _memory._DATA] = (garbage * _memory._DATA)[: _memory._DATA - head]
    assert table.get(ONE) is None
    table.put(ONE, b"new")
    assert table.get(ONE) in (None, b"new")


def test_a_place_that_points_outside_is_no_value() -> None:
    table = Table(SMALL)
    for offset, length in ((0, 5), (SMALL, 5), (_memory._DATA, SMALL), (2**63, 5)):
        where = table._place(bytes.fromhex(ONE))[0]
        place = _memory._PLACE.pack(bytes.fromhex(ONE), offset, 5, length, 0)
        table._memory[where : where + len(place)] = place
        assert table.get(ONE) is None
        table.put(ONE, b"new")
        assert table.get(ONE) == b"new"
