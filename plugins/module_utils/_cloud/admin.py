# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client of an instance's Administration REST API (API §4). Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Answer

PAGE_SIZE = 1000
MOST_PAGES = 1000
MOST_PARTITIONS = 10**6


class Topic(t.NamedTuple):
    """A topic, as far as mirroring cares."""

    name: str
    partitions: int | None


class Admin:
    """Topics and mirroring controls of one instance."""

    def __init__(self, api: Api, instance: str) -> None:
        self._api = api
        self.instance = instance

    def topics(self) -> list[Topic]:
        """All topics over all pages, by name (API §4.5)."""
        attempt = f"list the topics of {self.instance}"
        found: dict[str, Topic] = {}
        for page in range(1, MOST_PAGES + 1):
            answer = self._get("/admin/topics", attempt, {"per_page": PAGE_SIZE, "page": page})
            if not isinstance(answer.body, list):
                raise self._unusable(answer, attempt, "the answer is not a list of topics")
            before = len(found)
            for document in answer.body:
                if isinstance(document, dict) and isinstance(document.get("name"), str):
                    found[document["name"]] = Topic(document["name"], _partitions(document.get("partitions")))
            if not answer.body or len(found) == before or _is_last(answer, len(found)):
                return sorted(found.values())
        raise self._unusable(answer, attempt, "the pages of the list do not end")

    def delete_topic(self, name: str) -> bool:
        """Deletes a topic, one time; False when the service says that there is none. It is done in the background, so the topic can be
        listed for a while (API §4.5)."""
        if name in ("", ".", ".."):
            return False  # Kafka has no such topic, and such a path would be another one
        path = f"/admin/topics/{urllib.parse.quote(name, safe='')}"
        try:
            self._api.send(
                "DELETE", path, attempt=f"delete the topic {name} of {self.instance}", instance=self.instance
            )
        except _errors.NotFound:
            return False
        return True

    def selection(self, patient: bool = True) -> list[str] | None:
        """The patterns that decide what is mirrored; None when mirroring is not enabled here (404, API §4.4).

        ``[]``, ``[""]`` and a missing list all mean that nothing is selected. Order is kept. Without patience it asks once: while an
        update runs, 503 may just mean "not yet" (API §11.10).
        """
        attempt = f"read the topic selection of {self.instance}"
        try:
            answer = self._get("/admin/mirroring/topic-selection", attempt, patient=patient)
        except _errors.NotFound:
            return None
        return self._includes(answer, attempt)

    def select(self, patterns: list[str]) -> list[str]:
        """Replaces the whole selection (API §4.4). Returns the new one. An empty one is sent in its documented form."""
        attempt = f"set the topic selection of {self.instance}"
        answer = self._api.send(
            "POST",
            "/admin/mirroring/topic-selection",
            attempt=attempt,
            instance=self.instance,
            body={"includes": patterns or [""]},
        )
        return self._includes(answer, attempt)

    def active_topics(self, patient: bool = True) -> list[str] | None:
        """Names of the topics being mirrored now, source or remote names (API §4.4); None when mirroring is not enabled."""
        attempt = f"read the active topics of {self.instance}"
        try:
            answer = self._get("/admin/mirroring/active-topics", attempt, patient=patient)
        except _errors.NotFound:
            return None
        names = answer.body.get("active_topics") if isinstance(answer.body, dict) else None
        if names is None and isinstance(answer.body, dict):
            return []
        if not isinstance(names, list):
            raise self._unusable(answer, attempt, "the answer holds no list of active topics")
        return [name for name in names if isinstance(name, str) and name]

    def status(self) -> str:
        """``available``, ``degraded``, ``offline`` or ``unknown`` (API §4.6)."""
        attempt = f"read the status of {self.instance}"
        answer = self._get("/admin/status", attempt)
        status = answer.body.get("status") if isinstance(answer.body, dict) else None
        return status if isinstance(status, str) else "unknown"

    def _get(self, path: str, attempt: str, query: dict[str, t.Any] | None = None, patient: bool = True) -> Answer:
        return self._api.get(path, attempt=attempt, instance=self.instance, query=query, patient=patient)

    def _includes(self, answer: Answer, attempt: str) -> list[str]:
        if not isinstance(answer.body, dict):
            raise self._unusable(answer, attempt, "the answer is not a topic selection")
        includes = answer.body.get("includes")
        if includes is None:
            return []
        if not isinstance(includes, list):
            raise self._unusable(answer, attempt, "the answer's includes is not a list")
        return [pattern for pattern in includes if isinstance(pattern, str) and pattern]

    def _unusable(self, answer: Answer, attempt: str, reason: str) -> _errors.UnusableAnswer:
        return _errors.UnusableAnswer(
            reason, attempt=attempt, instance=self.instance, status=answer.status, transaction_id=answer.transaction_id
        )


def _partitions(value: t.Any) -> int | None:
    """A number of partitions; None for what cannot be one."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value < MOST_PARTITIONS else None


def _is_last(answer: Answer, seen: int) -> bool:
    """Whether the headers say that no page follows (API §4.3, §4.5); without them only an empty page ends the list."""
    link = answer.headers.get("Link")
    if link:
        return 'rel="next"' not in link and "rel=next" not in link
    try:
        return 0 <= int(answer.headers.get("X-Total-Count", "")) <= seen
    except ValueError:
        return False
