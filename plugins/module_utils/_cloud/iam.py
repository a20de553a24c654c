# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client of IAM Policy Management (API §2). Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud import policies as _policies
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Answer

MOST_PAGES = 1000


class Concerning(t.NamedTuple):
    """Policies that may have to do with two instances. ``none_shown``: the service showed no policies at all, which may only mean that
    the identity may not see them (API §2.7)."""

    policies: list[_policies.Policy]
    none_shown: bool


class _Found:
    """Policies by id, the first one seen of each; only those that may concern ``instances``, if that is given."""

    def __init__(self, instances: set[str] | None = None) -> None:
        self.ids: set[str] = set()
        self.seen = 0
        self._instances = instances
        self._policies: list[_policies.Policy] = []

    def note(self, document: t.Any) -> None:
        """Takes a policy up, if the document is one."""
        if not isinstance(document, dict):
            return
        self.seen += 1
        if self._instances is not None and not _policies.may_concern(document, self._instances):
            self.ids.add(str(document.get("id")))
            return
        policy = _policies.parse_policy(document)
        if policy is not None and policy.id not in self.ids:
            self.ids.add(policy.id)
            self._policies.append(policy)

    def active(self) -> list[_policies.Policy]:
        """Those that are in force."""
        return [policy for policy in self._policies if policy.state == "active"]


class Iam:
    """Authorization policies of the accounts that an identity can see."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def authorizations(self, account_id: str) -> list[_policies.Policy]:
        """All active authorization policies of an account, in v1 and in v2 syntax, each once (API §2.3, §2.7).

        An empty list may only mean that the identity may not see them.
        """
        found = _Found()
        hidden = self._first_view(account_id, found)
        self._second_view(account_id, found, hidden)
        return found.active()

    def concerning(self, account_id: str, grant: _policies.Grant) -> Concerning:
        """The active policies that may have to do with the two instances of a grant; those in v2 syntax are asked for only if none in
        v1 syntax covers it."""
        found = _Found({grant.subject.instance or "", grant.resource.instance or ""})
        hidden = self._first_view(account_id, found)
        if not any(policy.covers(grant) for policy in found.active()):
            self._second_view(account_id, found, hidden)
        return Concerning(found.active(), found.seen == 0)

    def create(self, grant: _policies.Grant, description: str | None) -> _policies.Policy | None:
        """Creates a policy, one time. Returns it, or None when an equal one exists already (409, API §2.8).

        Raises ExchangeError; with ``processed == "maybe"`` the policies must be read before this is tried again.
        """
        attempt = "create the authorization policy"
        try:
            answer = self._api.send(
                "POST", "/v1/policies", attempt=attempt, body=_policies.policy_body(grant, description)
            )
        except _errors.Conflict:
            return None
        policy = _policies.parse_policy(answer.body)
        if policy is None:
            raise _errors.UnusableAnswer(
                "the answer holds no policy",
                attempt=attempt,
                status=answer.status,
                transaction_id=answer.transaction_id,
            )
        return policy

    def delete(self, policy: _policies.Policy) -> bool:
        """Deletes a policy, with the API version it was written in. False if the service says that there is none (404, API §2.9)."""
        try:
            self._api.send(
                "DELETE",
                f"/{policy.version}/policies/{urllib.parse.quote(policy.id, safe='')}",
                attempt=f"delete the authorization policy {policy.id}",
            )
        except _errors.NotFound:
            return False
        return True

    def _first_view(self, account_id: str, found: _Found) -> list[str]:
        """Notes the v1 list. Returns the ids of those in v2 syntax that it only hints at."""
        hidden: list[str] = []
        for document in self._pages("v1", account_id):
            if _policies.is_placeholder(document):
                identity = _policies.placeholder_id(document)
                hidden += [identity] if identity else []
            else:
                found.note(document)
        return hidden

    def _second_view(self, account_id: str, found: _Found, hidden: list[str]) -> None:
        """Notes the v2 list, where the service offers authorizations in v2 syntax (sources disagree, API §2.3), and what it lacks."""
        try:
            for document in self._pages("v2", account_id):
                found.note(document)
        except _errors.ApiError as error:
            if error.status not in (400, 404) or isinstance(error, _errors.AuthenticationFailed):
                raise
        for identity in dict.fromkeys(hidden):
            if identity not in found.ids:
                found.note(self._placeholder_target(identity))

    def _placeholder_target(self, identity: str) -> t.Any:
        try:
            path = f"/v2/policies/{urllib.parse.quote(identity, safe='')}"
            return self._api.get(path, attempt=f"read the authorization policy {identity}").body
        except _errors.NotFound:
            return None

    def _pages(self, version: str, account_id: str) -> t.Iterator[dict[str, t.Any]]:
        attempt = f"list the authorization policies of account {account_id}"
        query = {"account_id": account_id, "type": "authorization"}
        seen: set[str] = set()
        while True:
            answer = self._api.get(f"/{version}/policies", attempt=attempt, query=query)
            documents = answer.body.get("policies") if isinstance(answer.body, dict) else None
            if not isinstance(documents, list):
                raise _errors.UnusableAnswer(
                    "the answer holds no list of policies",
                    attempt=attempt,
                    status=answer.status,
                    transaction_id=answer.transaction_id,
                )
            yield from (document for document in documents if isinstance(document, dict))
            try:
                start = _next_start(answer)
            except ValueError as error:
                raise _errors.UnusableAnswer("the link to the next page is no URL", attempt=attempt) from error
            if start is None:
                return
            if start in seen or len(seen) >= MOST_PAGES:
                raise _errors.UnusableAnswer("the pages of the list do not end", attempt=attempt)
            seen.add(start)
            query = {**query, "start": start}


def _next_start(answer: Answer) -> str | None:
    """The page token, in its own member or in the link. Raises ValueError for a link that is no URL."""
    following = answer.body.get("next")
    if not isinstance(following, dict):
        return None
    start = following.get("start")
    if not start and isinstance(following.get("href"), str):
        start = next(iter(urllib.parse.parse_qs(urllib.parse.urlsplit(following["href"]).query).get("start", [])), None)
    return start if isinstance(start, str) and start else None
