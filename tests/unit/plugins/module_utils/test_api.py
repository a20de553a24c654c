# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which reads are used again."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
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
