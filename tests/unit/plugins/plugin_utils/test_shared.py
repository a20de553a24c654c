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

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Token
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils import _shared
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._shared import SharedTokenStore

FORK = multiprocessing.get_context("fork")
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
TOKEN = Token("a.b.c", 100.5, 200.25)
LONG = 30.0


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


ONE, TWO = digest("one"), digest("two")


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> mmap.mmap:
    """Memory of its own for each test."""
    fresh = mmap.mmap(-1, _shared.SIZE)
    monkeypatch.setattr(_shared, "_memory", fresh)
    return fresh


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


def test_keeping_a_token() -> None:
    store = SharedTokenStore()
    assert store.get(ONE) is None
    store.put(ONE, TOKEN)
    store.put(TWO, Token("other", 1, 2))
    assert store.get(ONE) == TOKEN
    assert isinstance(store.get(ONE), Token)
    store.put(ONE, TOKEN._replace(value="newer"))
    assert SharedTokenStore().get(ONE) == TOKEN._replace(value="newer")
    assert store.get(TWO) == Token("other", 1, 2)


def test_every_process_of_a_run_sees_the_same() -> None:
    store = SharedTokenStore()
    store.put(ONE, TOKEN)

    def body(pipe: t.Any) -> None:
        pipe.send(store.get(ONE))
        store.put(TWO, Token("of the child", 1, 2))
        pipe.send("done")

    with Child(body) as child:
        assert child.told() == TOKEN
        assert child.told() == "done"
    assert store.get(TWO) == Token("of the child", 1, 2)


def test_nothing_is_on_the_disk() -> None:
    number = _shared._lock_file if isinstance(_shared._lock_file, int) else _shared._lock_file.fileno()
    store = SharedTokenStore()
    store.put(ONE, TOKEN)
    seen = os.fstat(number)
    assert (seen.st_nlink, seen.st_size) == (0, 0)
    assert not os.get_inheritable(number)


def test_one_asks_and_the_others_wait() -> None:
    store = SharedTokenStore()

    def body(pipe: t.Any) -> None:
        pipe.recv()
        with store.exclusive(ONE, LONG):
            if store.get(ONE) is None:
                time.sleep(0.05)
                pipe.send("asked")
                store.put(ONE, TOKEN)
            else:
                pipe.send("found")

    children = [Child(body) for _dummy in range(5)]
    for child in children:
        child.here.send("go")
    answers = [child.told() for child in children]
    for child in children:
        child.process.join(LONG)
    assert sorted(answers) == ["asked", *["found"] * 4]


def hold(store: SharedTokenStore, key: str) -> t.Callable[[t.Any], None]:
    def body(pipe: t.Any) -> None:
        with store.exclusive(key, LONG):
            pipe.send("held")
            pipe.recv()

    return body


def test_a_lock_is_free_when_its_holder_is_killed() -> None:
    store = SharedTokenStore()
    with Child(hold(store, ONE)) as child:
        assert child.told() == "held"
        child.kill()
        started = time.monotonic()
        with store.exclusive(ONE, LONG):
            assert time.monotonic() - started < 5


def test_the_lock_of_the_memory_is_free_when_its_holder_is_killed() -> None:
    def body(pipe: t.Any) -> None:
        with _shared._locked(_shared._MAP_BYTE, LONG):
            pipe.send("held")
            pipe.recv()

    store = SharedTokenStore()
    with Child(body) as child:
        assert child.told() == "held"
        child.kill()
        store.put(ONE, TOKEN)
        assert store.get(ONE) == TOKEN


def test_a_lock_that_is_held_for_long_is_not_waited_for_for_ever() -> None:
    store = SharedTokenStore()
    with Child(hold(store, ONE)) as child:
        assert child.told() == "held"
        started = time.monotonic()
        with store.exclusive(ONE, 0.2):
            assert 0.2 <= time.monotonic() - started < 5
        child.here.send("let go")
        child.process.join(LONG)
        started = time.monotonic()
        with store.exclusive(ONE, LONG):
            assert time.monotonic() - started < 5


def test_giving_up_does_not_take_the_lock_from_its_holder() -> None:
    store = SharedTokenStore()
    with Child(hold(store, ONE)) as child:
        assert child.told() == "held"
        with store.exclusive(ONE, 0.05):
            pass
        started = time.monotonic()
        with store.exclusive(ONE, 0.2):
            assert time.monotonic() - started >= 0.2, "still held by the child"


def test_a_memory_that_stays_locked_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(pipe: t.Any) -> None:
        with _shared._locked(_shared._MAP_BYTE, LONG):
            pipe.send("held")
            pipe.recv()

    store = SharedTokenStore()
    store.put(ONE, TOKEN)
    monkeypatch.setattr(_shared, "_LOCK_SECONDS", 0.1)
    with Child(body) as child:
        assert child.told() == "held"
        assert store.get(ONE) is None
        store.put(TWO, TOKEN)
    assert store.get(ONE) == TOKEN
    assert store.get(TWO) is None


def test_keys_do_not_wait_for_each_other() -> None:
    store = SharedTokenStore()
    with Child(hold(store, ONE)) as child:
        assert child.told() == "held"
        started = time.monotonic()
        with store.exclusive(TWO, LONG):
            store.put(TWO, TOKEN)
            assert store.get(TWO) == TOKEN
        assert time.monotonic() - started < 5


def test_an_error_lets_go() -> None:
    store = SharedTokenStore()
    with pytest.raises(ZeroDivisionError), store.exclusive(ONE, LONG):
        raise ZeroDivisionError

    def body(pipe: t.Any) -> None:
        started = time.monotonic()
        with store.exclusive(ONE, LONG):
            pipe.send(time.monotonic() - started < 5)

    with Child(body) as child:
        assert child.told() is True


def test_when_the_memory_is_full_the_newest_is_kept() -> None:
    store = SharedTokenStore()
    store.put(ONE, TOKEN)
    large = Token("x" * (_shared.SIZE - 120), 1, 2)
    store.put(TWO, large)
    assert store.get(TWO) == large
    assert store.get(ONE) is None
    store.put(ONE, TOKEN)
    assert store.get(ONE) == TOKEN


def test_a_token_larger_than_the_memory_is_not_kept() -> None:
    store = SharedTokenStore()
    store.put(ONE, TOKEN)
    store.put(TWO, Token("x" * _shared.SIZE, 1, 2))
    assert store.get(TWO) is None
    assert store.get(ONE) == TOKEN


def packed(content: bytes, length: int | None = None) -> bytes:
    return _shared._LENGTH.pack(len(content) if length is None else length) + content


GARBAGE = {
    "nothing": b"\0" * 64,
    "all ones": b"\xff" * 64,
    "cut off": packed(b'{"a":'),
    "no text": packed(b"\xff\xfe\xfd"),
    "too long": packed(b"{}", _shared.SIZE),
    "longer than it is": packed(b"{}", 100),
    "a list": packed(b"[]"),
    "null": packed(b"null"),
    "a number": packed(b"5"),
    "a number for a token": packed(b'{"%s": 5}' % ONE.encode()),
    "half a token": packed(b'{"%s": ["x"]}' % ONE.encode()),
    "a text for a token": packed(b'{"%s": "abc"}' % ONE.encode()),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_survived(kind: str, memory: mmap.mmap) -> None:
    garbage = GARBAGE[kind]
    memory[: len(garbage)] = garbage
    store = SharedTokenStore()
    assert store.get(ONE) is None
    store.put(ONE, TOKEN)
    assert store.get(ONE) == TOKEN


def test_a_writer_killed_half_way_leaves_nothing_half(memory: mmap.mmap) -> None:
    """The length is the last thing that is written."""
    store = SharedTokenStore()
    store.put(ONE, TOKEN)

    class Killed(Exception):
        pass

    class Breaking:
        def __init__(self) -> None:
            self.writes = 0

        def __setitem__(self, where: slice, what: bytes) -> None:
            memory[where.start : where.start + len(what) // 2] = what[: len(what) // 2]
            raise Killed

        def __getitem__(self, where: slice) -> bytes:
            return memory[where]

    real = _shared._LENGTH

    class Length:
        size = real.size

        def pack_into(self, target: object, offset: int, value: int) -> None:
            real.pack_into(memory, offset, value)

        def unpack_from(self, source: object, offset: int) -> tuple[int]:
            return t.cast("tuple[int]", real.unpack_from(memory, offset))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_shared, "_memory", Breaking())
        patch.setattr(_shared, "_LENGTH", Length())
        with pytest.raises(Killed):
            store.put(TWO, TOKEN)
    assert store.get(ONE) is None
    assert store.get(TWO) is None
    store.put(TWO, TOKEN)
    assert store.get(TWO) == TOKEN
