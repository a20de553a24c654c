# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP API and who uses it: tokens, reads that may be used again, writes that outdate them.

Private to this collection: it may change at any time. Nothing here knows what is being asked.
"""

from __future__ import annotations

import hashlib
import math
import typing as t
import uuid

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Read
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Answer, Http

PAGE_HEADERS = ("Link", "X-Total-Count")


class Bearer(t.Protocol):
    """Something that hands out bearer tokens. ``identity`` is a digest that tells whose they are."""

    identity: str

    def current(self) -> str:
        """A token that is valid now."""

    def renewed(self, rejected: str) -> str:
        """Another token than the one that was just rejected; raises AuthenticationFailed when there is none."""


class Api:
    """One HTTP API: a base URL (which may have a path of its own) and the identity it is used with.

    With a ``max_age`` above 0, reads that an earlier task of this run made as the same identity are used again: those that are at
    most so many seconds old, if nothing was written since. ``reused`` tells whether one was. ``headers`` go with every request.
    """

    def __init__(
        self,
        http: Http,
        base_url: str,
        bearer: Bearer,
        transaction_header: str,
        max_age: float = 0.0,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.http = http
        self.base_url = base_url.rstrip("/")
        self.reused = False
        self._oldest = math.inf
        self._bearer = bearer
        self._transaction_header = transaction_header
        self._headers = headers or {}
        self._reads = http.call.reads
        self._max_age = max_age

    def get(
        self,
        path: str,
        *,
        attempt: str,
        instance: str | None = None,
        query: dict[str, t.Any] | None = None,
        patient: bool = True,
    ) -> Answer:
        """Reads; see the module's head for what is repeated. Without patience it asks once."""
        url = self.base_url + path
        key = _digest(self._bearer.identity, url, {**(query or {}), **self._headers}, self.http.verify)

        def fetch(number: int) -> Answer:
            return self._with_token("GET", url, attempt=attempt, instance=instance, query=query, number=number)

        def ask() -> Answer:
            generation, asked_at = self._reads.generation(), self.http.clock.monotonic()
            answer = self.http.read(fetch) if patient else fetch(1)
            headers = {name: answer.headers[name] for name in PAGE_HEADERS if name in answer.headers}
            self._oldest = min(self._oldest, asked_at)
            self._reads.put(key, Read(generation, asked_at, answer.status, headers, answer.body, answer.transaction_id))
            return answer

        if self._max_age <= 0:
            return ask()
        with self._reads.exclusive(key, self.http.request_timeout):
            return self._read_before(key) or ask()

    def portion(
        self, name: str, make: t.Callable[[Api], list[t.Any]], wanted: t.Callable[[int], t.Sequence[int]]
    ) -> list[t.Any]:
        """Of the list that ``make(api)`` makes out of what it reads, the entries at the places that ``wanted(length)`` names.

        Where reads are used again, the entries are kept one by one under ``name``, as old as the oldest read that they were made of. A task
        for one pair of a fleet takes up only its own, however long the list is. It is JSON, and not empty.
        """

        def keys(place: int) -> str:
            asked = {"name": name, "place": place, **self._headers}
            return _digest(self._bearer.identity, self.base_url, asked, self.http.verify)

        kept = self._kept(keys, wanted) if self._max_age > 0 else None
        if kept is not None:
            self.reused = True
            return kept
        generation = self._reads.generation()
        api = Api(self.http, self.base_url, self._bearer, self._transaction_header, self._max_age, self._headers)
        made = make(api)
        self.reused |= api.reused
        if self._max_age > 0:
            with self._reads.exclusive(keys(0), self.http.request_timeout):
                if self._kept(keys, wanted) is None:
                    making = str(uuid.uuid4())
                    # The first is the last to be put: with it, all of them are there.
                    for place, entry in reversed(list(enumerate(made))):
                        self._reads.put(
                            keys(place), Read(generation, api._oldest, 200, {}, [making, len(made), entry], None)
                        )
        return [made[place] for place in wanted(len(made))]

    def _kept(self, keys: t.Callable[[int], str], wanted: t.Callable[[int], t.Sequence[int]]) -> list[t.Any] | None:
        """Entries of one making; None if one of them is lost, too old, or of another making."""
        first = self._valid(keys(0))
        if first is None:
            return None
        making, length, _entry = first.body
        found = [first if place == 0 else self._valid(keys(place)) for place in wanted(length)]
        entries = [one.body[2] for one in found if one is not None and one.body[0] == making]
        return entries if len(entries) == len(found) else None

    def _read_before(self, key: str) -> Answer | None:
        read = self._valid(key)
        if read is None:
            return None
        self.reused = True
        self._oldest = min(self._oldest, read.at)
        return Answer(read.status, read.headers, read.body, read.transaction_id)

    def _valid(self, key: str) -> Read | None:
        """A read that may be used again, if there is one."""
        read = self._reads.get(key)
        if read is None or read.generation != self._reads.generation():
            return None
        return read if 0 <= self.http.clock.monotonic() - read.at <= self._max_age else None

    def send(
        self,
        method: t.Literal["POST", "PUT", "PATCH", "DELETE"],
        path: str,
        *,
        attempt: str,
        instance: str | None = None,
        body: t.Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Writes, one time; see the module's head."""
        url = self.base_url + path
        self._reads.outdate()
        try:
            answer = self._with_token(method, url, attempt=attempt, instance=instance, body=body, headers=headers)
        except _errors.ExchangeError as error:
            if error.processed == "maybe":
                self._written()
            raise
        self._written()
        return answer

    def _written(self) -> None:
        self.http.call.changed = True
        self._reads.outdate()

    def _with_token(self, method: str, url: str, *, headers: dict[str, str] | None = None, **settings: t.Any) -> Answer:
        token = self._token(self._bearer.current)
        headers = {self._transaction_header: str(uuid.uuid4()), **self._headers, **(headers or {})}
        try:
            return self.http.once(method, url, bearer=token, headers=headers, **settings)
        except _errors.AuthenticationFailed:
            rejected = token
        token = self._token(lambda: self._bearer.renewed(rejected))
        return self.http.once(method, url, bearer=token, headers=headers, **settings)

    def _token(self, hand_out: t.Callable[[], str]) -> str:
        """A token. Without one the request itself is not sent, whatever became of the request for the token."""
        try:
            return hand_out()
        except _errors.ExchangeError as error:
            error.processed = "no"
            raise


def _digest(identity: str, url: str, asked: dict[str, t.Any], verify: bool | str) -> str:
    """Who asks what, and whom it trusts to answer."""
    return hashlib.sha256(f"{identity}\n{url}\n{sorted(asked.items())}\n{verify}".encode()).hexdigest()
