# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import typing as t
import zlib

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Read, Token
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils import _shared
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._memory import Table
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._shared import SharedReadStore, SharedTokenStore

TOKEN = Token("a.b.c", 100.5, 200.25)
READ = Read(0, 12.5, 200, {"Link": "<x>; rel=next"}, {"topics": ["orders", "\u00e4", None, 1.5]}, "t-1")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


ONE, TWO = digest("one"), digest("two")


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """A table of its own for each test."""
    fresh = Table()
    monkeypatch.setattr(_shared, "_table", fresh)
    return fresh


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


def test_keeping_a_read() -> None:
    store = SharedReadStore()
    assert store.get(ONE) is None
    store.put(ONE, READ)
    assert SharedReadStore().get(ONE) == READ
    assert isinstance(store.get(ONE), Read)


def test_a_write_begins_a_new_generation() -> None:
    store = SharedReadStore()
    before = store.generation()
    store.put(ONE, READ)
    assert store.generation() == before
    store.outdate()
    assert store.generation() not in (before, -1)
    assert store.get(ONE) == READ, "whether it counts is for the reader to say"


def test_a_read_of_an_unknown_generation_is_not_kept() -> None:
    """Else it would count as long as the generation cannot be told."""
    store = SharedReadStore()
    store.put(ONE, READ._replace(generation=-1))
    assert store.get(ONE) is None


def test_a_read_that_cannot_be_written_down_is_not_kept() -> None:
    deep: t.Any = []
    for _dummy in range(100_000):
        deep = [deep]
    store = SharedReadStore()
    store.put(ONE, READ._replace(body=deep))
    assert store.get(ONE) is None
    while deep:
        deep = deep.pop()


def test_after_giving_up_no_read_counts() -> None:
    store = SharedReadStore()
    store.give_up()
    store.put(ONE, READ._replace(generation=store.generation()))
    assert (store.generation(), store.get(ONE)) == (-1, None)


def test_topics_take_little_room(table: Table) -> None:
    """The answers of a large fleet fit: names of topics are alike."""
    topics = [
        {"name": f"orders-of-the-shop-{number}", "partitions": 6, "retentionMs": 86400000} for number in range(1000)
    ]
    SharedReadStore().put(ONE, READ._replace(body=topics))
    assert len(t.cast(bytes, table.get(ONE))) < len(json.dumps(topics)) / 8


@pytest.mark.parametrize("content", ["[]", "null", "5", "[1]", '"abc"', "{}"])
def test_what_is_no_token_and_no_read_is_none(content: str, table: Table) -> None:
    table.put(ONE, content.encode())
    table.put(TWO, zlib.compress(content.encode()))
    assert SharedTokenStore().get(ONE) is None
    assert SharedReadStore().get(TWO) is None


def test_one_asks_at_a_time() -> None:
    for store in (SharedTokenStore(), SharedReadStore()):
        with store.exclusive(ONE, 1), store.exclusive(TWO, 1):
            pass
