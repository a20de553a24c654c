# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client of Global Search (API §8.1), for the one thing that the Resource Controller does not show: tags.

Private to this collection: it may change at any time. The index lags behind reality, so nothing but tags is taken from it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import SERVICE
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Answer

PAGE_SIZE = 100
MOST_PAGES = 1000
PATH = "/v3/resources/search"
ATTEMPT = "search for the tags of instances"
QUERIES = (f"service_name:{SERVICE}", "family:resource_controller")
"""Which fields instances can be searched by is inferred (API §8.1), so a documented one is tried when the first finds nothing."""


class Search(Api):
    """The index of all resources that an identity can see."""

    def tags(self) -> dict[str, list[str]]:
        """The tags of all Event Streams instances, by CRN. Raises ExchangeError."""
        for query in QUERIES:
            found = self._tags(query)
            if found:
                return found
        return {}

    def _tags(self, query: str) -> dict[str, list[str]]:
        """What one query finds, over all pages: those after the first are asked for by nothing but the cursor (API §8.1), which may be
        the same each time. A page of nothing but repetitions is an error."""
        body: dict[str, t.Any] = {"query": query, "fields": ["*"]}
        found: dict[str, list[str]] = {}
        seen: set[str] = set()
        for _dummy in range(MOST_PAGES):
            answer = self._page(body)
            items = answer.body.get("items") if isinstance(answer.body, dict) else None
            if not isinstance(items, list):
                raise self._unusable(answer, "the answer holds no list of items")
            tags = {
                item["crn"]: _texts(item.get("tags"))
                for item in items
                if isinstance(item, dict) and isinstance(item.get("crn"), str)
            }
            found.update({crn: texts for crn, texts in tags.items() if f":{SERVICE}:" in crn})
            cursor = answer.body.get("search_cursor")
            if len(items) < _limit(answer.body) or not isinstance(cursor, str) or not cursor:
                return found
            if seen.issuperset(tags):
                break
            seen.update(tags)
            body = {"search_cursor": cursor}
        raise self._unusable(answer, "the pages of the list do not end")

    def _page(self, body: dict[str, t.Any]) -> Answer:
        """Reads, although it is a POST: repeated like every other read."""
        url = f"{self.base_url}{PATH}"

        def fetch(number: int) -> Answer:
            return self._with_token("POST", url, attempt=ATTEMPT, query={"limit": PAGE_SIZE}, body=body, number=number)

        return self.http.read(fetch)

    def _unusable(self, answer: Answer, reason: str) -> _errors.UnusableAnswer:
        return _errors.UnusableAnswer(
            reason, attempt=ATTEMPT, status=answer.status, transaction_id=answer.transaction_id
        )


def _limit(body: dict[str, t.Any]) -> int:
    """How long a full page is: as the answer says, since nobody documents that a cursor keeps the limit; at least 1."""
    limit = body.get("limit")
    return limit if isinstance(limit, int) and not isinstance(limit, bool) and 0 < limit < PAGE_SIZE else PAGE_SIZE


def _texts(value: t.Any) -> list[str]:
    """Tags: a list of texts (inferred, API §8.1), or a single one."""
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]
