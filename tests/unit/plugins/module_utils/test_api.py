# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which reads are used again."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, PrivateReadStore, Read
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import FakeClock, StaticBearer, make_call

AGE = 300.0


class Somebody(StaticBearer):
    """An identity of its own."""

    def __init__(self, name: str = "0") -> None:
        super().__init__("t1", "t2")
        self.identity = name * 64


@pytest.fixture
def call(clock: FakeClock) -> Call:
    return make_call(clock)


def api(call: Call, server: Scripted, max_age: float = AGE, who: str = "0") -> Api:
    return Api(Http(call), server.url, Somebody(who), "Transaction-Id", max_age)


def read(one: Api, path: str = "/thing", **query: t.Any) -> t.Any:
    return one.get(path, attempt="read thing", query=query or None).body


def test_a_read_is_used_again(call: Call, server: Scripted) -> None:
    server.expect("GET", "/thing", {"n": 1}, reply_headers={"X-Total-Count": "7", "Transaction-Id": "abc"})
    first, second = api(call, server), api(call, server)
    assert (read(first), first.reused) == ({"n": 1}, False)
    assert (read(second), second.reused) == ({"n": 1}, True)
    answer = second.get("/thing", attempt="read thing")
    assert (answer.status, answer.headers.get("X-Total-Count"), answer.transaction_id) == (200, "7", "abc")


def test_by_those_who_ask_for_it_only(call: Call, server: Scripted) -> None:
    server.expect("GET", "/thing", {"n": 1})
    server.expect("GET", "/thing", {"n": 2})
    assert read(api(call, server)) == {"n": 1}
    fresh = api(call, server, max_age=0)
    assert (read(fresh), fresh.reused) == ({"n": 2}, False)
    assert read(api(call, server)) == {"n": 2}, "and what they read counts for all"


@pytest.mark.parametrize(("seconds", "again"), [(0, True), (AGE, True), (AGE + 0.1, False)])
def test_up_to_an_age(seconds: float, again: bool, call: Call, clock: FakeClock, server: Scripted) -> None:
    server.expect("GET", "/thing", {"n": 1})
    read(api(call, server))
    clock.now += seconds
    if not again:
        server.expect("GET", "/thing", {"n": 2})
    assert read(api(call, server)) == {"n": 1 if again else 2}


def test_as_the_same_identity_and_with_the_same_question_only(call: Call, server: Scripted) -> None:
    for number, query in enumerate(({}, {}, {"name": "a"}, {"name": "b"})):
        server.expect("GET", "/thing", {"n": number}, query=query)
    assert read(api(call, server)) == {"n": 0}
    assert read(api(call, server, who="1")) == {"n": 1}
    assert read(api(call, server), name="a") == {"n": 2}
    assert read(api(call, server), name="b") == {"n": 3}
    assert read(api(call, server), name="a") == {"n": 2}


@pytest.mark.parametrize("outcome", [{"status": 200}, {"status": 500}, {"fault": "reset"}])
def test_not_after_a_write_that_was_or_may_have_been_accepted(
    outcome: dict[str, t.Any], call: Call, server: Scripted
) -> None:
    """Whatever was written, and wherever: nobody needs to know what depends on what."""
    server.expect("GET", "/thing", {"n": 1})
    server.expect("POST", "/other", {}, body={}, **outcome)
    server.expect("GET", "/thing", {"n": 2})
    read(api(call, server))
    try:
        api(call, server).send("POST", "/other", attempt="write", body={})
    except _errors.ExchangeError as error:
        assert error.processed == "maybe"
    assert read(api(call, server)) == {"n": 2}


def test_not_even_after_one_that_was_refused(call: Call, server: Scripted) -> None:
    """Reads are outdated before a write is sent, because what becomes of it may never be known."""
    server.expect("GET", "/thing", {"n": 1})
    server.expect("POST", "/other", {"message": "no"}, status=400, body={})
    server.expect("GET", "/thing", {"n": 2})
    read(api(call, server))
    with pytest.raises(_errors.ApiError):
        api(call, server).send("POST", "/other", attempt="write", body={})
    assert read(api(call, server)) == {"n": 2}


def test_not_by_those_who_trust_others(server: Scripted, clock: FakeClock) -> None:
    """What came without a certificate that was looked at is nothing for those who look."""
    server.expect("GET", "/thing", {"n": 1})
    server.expect("GET", "/thing", {"n": 2})
    careless, careful = make_call(clock, validate_certs=False), make_call(clock)
    careful.reads = careless.reads
    assert read(api(careless, server)) == {"n": 1}
    assert read(api(careful, server)) == {"n": 2}


def test_a_read_that_a_write_overtakes_does_not_count(call: Call, server: Scripted) -> None:
    """It was asked before, and answered after."""
    server.expect("GET", "/thing", {"n": 1}, status=500)
    server.expect("GET", "/thing", {"n": 1})
    server.expect("GET", "/thing", {"n": 2})
    slept = call.clock.sleep

    def meanwhile(seconds: float) -> None:
        call.reads.outdate()
        slept(seconds)

    call.clock.sleep = meanwhile  # type: ignore[method-assign]
    assert read(api(call, server)) == {"n": 1}
    assert read(api(call, server)) == {"n": 2}


def test_an_error_is_not_remembered(call: Call, server: Scripted) -> None:
    server.expect("GET", "/thing", {}, status=404)
    server.expect("GET", "/thing", {"n": 1})
    with pytest.raises(_errors.NotFound):
        read(api(call, server))
    assert read(api(call, server)) == {"n": 1}


def thirds(anew: Api) -> list[t.Any]:
    """A list of three, made of one read."""
    found = read(anew)["n"]
    return [f"{place} of {found}" for place in range(3)]


def first_and_last(length: int) -> list[int]:
    return [0, length - 1]


def test_of_what_is_made_of_reads_each_takes_its_part(call: Call, server: Scripted) -> None:
    server.expect("GET", "/thing", {"n": 1})
    first, second = api(call, server), api(call, server)
    assert (first.portion("x", thirds, first_and_last), first.reused) == (["0 of 1", "2 of 1"], False)
    assert (second.portion("x", never, lambda length: [length - 2]), second.reused) == (["1 of 1"], True)
    third = api(call, server)
    assert (third.portion("y", thirds, first_and_last), third.reused) == (["0 of 1", "2 of 1"], True), "the read is"
    server.expect("GET", "/thing", {"n": 2})
    assert api(call, server, who="1").portion("x", thirds, first_and_last) == ["0 of 2", "2 of 2"]


def never(anew: Api) -> list[t.Any]:
    """What is not to be made again."""
    raise AssertionError("made again")


def test_parts_are_as_old_as_what_they_were_made_of(call: Call, clock: FakeClock, server: Scripted) -> None:
    """They would otherwise be used for up to twice as long."""
    server.expect("GET", "/thing", {"n": 1})
    assert read(api(call, server)) == {"n": 1}
    clock.now += AGE
    assert api(call, server).portion("x", thirds, first_and_last) == ["0 of 1", "2 of 1"]
    clock.now += 0.1
    server.expect("GET", "/thing", {"n": 2})
    assert api(call, server).portion("x", thirds, first_and_last) == ["0 of 2", "2 of 2"]


@pytest.mark.parametrize("what", ["age", "write"])
def test_parts_that_do_not_count_any_more(what: str, call: Call, clock: FakeClock, server: Scripted) -> None:
    server.expect("GET", "/thing", {"n": 1})
    api(call, server).portion("x", thirds, first_and_last)
    if what == "age":
        clock.now += AGE + 0.1
    if what == "write":
        server.expect("POST", "/thing", {})
        api(call, server).send("POST", "/thing", attempt="write thing")
    server.expect("GET", "/thing", {"n": 2})
    one = api(call, server)
    assert (one.portion("x", thirds, first_and_last), one.reused) == (["0 of 2", "2 of 2"], False)
    assert api(call, server).portion("x", never, first_and_last) == ["0 of 2", "2 of 2"]


def test_who_wants_it_anew_makes_it_anew_and_leaves_the_parts_of_others_alone(call: Call, server: Scripted) -> None:
    server.expect("GET", "/thing", {"n": 1})
    api(call, server).portion("x", thirds, first_and_last)
    server.expect("GET", "/thing", {"n": 2})
    fresh = api(call, server, max_age=0.0)
    assert (fresh.portion("x", thirds, first_and_last), fresh.reused) == (["0 of 2", "2 of 2"], False)
    assert api(call, server).portion("x", never, first_and_last) == ["0 of 1", "2 of 1"]


class Watched(PrivateReadStore):
    """Loses what it is told to lose. ``keys`` are those of what it was given, in that order, ``held`` those that are held."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self.lost: set[str] = set()
        self.held: list[str] = []

    def put(self, key: str, read: Read) -> None:
        self.keys.append(key)
        self.lost.discard(key)
        super().put(key, read)

    def get(self, key: str) -> Read | None:
        return None if key in self.lost else super().get(key)

    @contextlib.contextmanager
    def exclusive(self, key: str, seconds: float) -> t.Iterator[None]:
        self.held.append(key)
        yield
        self.held.remove(key)


@pytest.fixture
def store() -> Watched:
    return Watched()


@pytest.fixture
def watched(clock: FakeClock, store: Watched) -> Call:
    return dataclasses.replace(make_call(clock), reads=store)


PAGE, LAST, MIDDLE, FIRST = range(4)
"""The order in which a list of three that is made of one read is put into a store."""


@pytest.mark.parametrize("place", [FIRST, LAST])
def test_a_part_that_is_lost_is_not_an_empty_one(place: int, watched: Call, store: Watched, server: Scripted) -> None:
    """The table of a run forgets everything when it is full. Who finds out makes all parts again, for the others."""
    server.expect("GET", "/thing", {"n": 1})
    api(watched, server).portion("x", thirds, first_and_last)
    store.lost = {store.keys[place]}
    assert api(watched, server).portion("x", thirds, first_and_last) == ["0 of 1", "2 of 1"]
    assert api(watched, server).portion("x", never, first_and_last) == ["0 of 1", "2 of 1"]


@pytest.mark.parametrize("place", [FIRST, LAST])
def test_parts_of_two_makings_are_not_put_together(place: int, watched: Call, store: Watched, server: Scripted) -> None:
    server.expect("GET", "/thing", {"n": 1})
    api(watched, server).portion("x", thirds, first_and_last)
    older = store.get(store.keys[place])
    assert older is not None
    server.expect("GET", "/thing", {"n": 2})
    read(api(watched, server, max_age=0))
    store.lost = {store.keys[FIRST]}
    assert api(watched, server).portion("x", thirds, first_and_last) == ["0 of 2", "2 of 2"]
    store.put(store.keys[place], older)
    assert api(watched, server).portion("x", thirds, first_and_last) == ["0 of 2", "2 of 2"]


def test_nobody_waits_while_another_makes_the_list(watched: Call, store: Watched, server: Scripted) -> None:
    """The reads that it takes may be many; each is waited for by itself."""

    def unheld(anew: Api) -> list[t.Any]:
        assert store.held == []
        return thirds(anew)

    server.expect("GET", "/thing", {"n": 1})
    assert api(watched, server).portion("x", unheld, first_and_last) == ["0 of 1", "2 of 1"]


def test_what_another_has_made_meanwhile_is_left(watched: Call, store: Watched, server: Scripted) -> None:
    def overtaken(anew: Api) -> list[t.Any]:
        api(watched, server).portion("x", thirds, first_and_last)
        return thirds(anew)

    server.expect("GET", "/thing", {"n": 1})
    assert api(watched, server).portion("x", overtaken, first_and_last) == ["0 of 1", "2 of 1"]
    assert len(store.keys) == 4
