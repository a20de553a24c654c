# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client of IAM Policy Management (API §2). Private to this collection: it may change at any time."""

from __future__ import annotations

import collections
import functools
import typing as t
import urllib.parse
import zlib

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud import policies as _policies
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Answer

MOST_PAGES = 1000
POLICIES_IN_A_SHARE = 16
MOST_SHARES = 256

Document = dict[str, t.Any]


class Concerning(t.NamedTuple):
    """Policies that may have to do with two instances. ``none_shown``: the service showed no policies at all, which may only mean that
    the identity may not see them (API §2.7)."""

    policies: list[_policies.Policy]
    none_shown: bool


class _Found:
    """Policies by id, the first one seen of each; only those that may concern ``instances``, if that is given."""

    def __init__(self, instances: t.Collection[str] | None = None) -> None:
        self._instances = instances
        self._policies: dict[str, _policies.Policy] = {}

    def note(self, documents: t.Iterable[Document]) -> None:
        """Takes up those documents that are policies."""
        for document in documents:
            if self._instances is None or _policies.may_concern(document, self._instances):
                policy = _policies.parse_policy(document)
                if policy is not None:
                    self._policies.setdefault(policy.id, policy)

    def active(self) -> list[_policies.Policy]:
        """Those that are in force."""
        return [policy for policy in self._policies.values() if policy.state == "active"]


class Iam:
    """Authorization policies of the accounts that an identity can see."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def authorizations(self, account_id: str) -> list[_policies.Policy]:
        """All active authorization policies of an account, in v1 and in v2 syntax, each once (API §2.3, §2.7).

        An empty list may only mean that the identity may not see them.
        """
        found = _Found()
        documents, hints = _first_list(self._api, account_id)
        found.note(documents)
        try:
            documents, hints = _second_list(self._api, account_id, hints)
            found.note(documents)
        except _errors.ApiError as error:
            if not _is_unknown(error):
                raise
        found.note(_behind(self._api, hints))
        return found.active()

    def concerning(self, account_id: str, grant: _policies.Grant) -> Concerning:
        """The active policies that may have to do with the two instances of a grant; those in v2 syntax are asked for only if none in
        v1 syntax covers it. Where reads are used again, a list is taken apart once, not again for each pair of a fleet."""
        instances = {grant.subject.instance or "", grant.resource.instance or ""}
        found = _Found(instances)

        def note(name: str, read: t.Callable[[Api], tuple[list[Document], list[str]]]) -> tuple[int, list[str]]:
            places = functools.partial(_places, instances)
            name = f"{name} of {account_id}"
            head, *shares = self._api.portion(name, lambda api: _shares(*read(api)), places)
            numbered = sorted((one for share in (head["others"], *shares) for one in share), key=lambda one: one[0])
            found.note(document for _number, document in numbered)
            return head["count"], head["hints"]

        count, hints = note("v1 policies", lambda api: _first_list(api, account_id))
        if not any(policy.covers(grant) for policy in found.active()):
            try:
                more, hints = note(f"v2 policies beside {hints}", lambda api: _second_list(api, account_id, hints))
                count += more
            except _errors.ApiError as error:
                if not _is_unknown(error):
                    raise
            documents = _behind(self._api, hints)
            found.note(documents)
            count += len(documents)
        return Concerning(found.active(), count == 0)

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


def _first_list(api: Api, account_id: str) -> tuple[list[Document], list[str]]:
    """The v1 list, and the ids of those in v2 syntax that it only hints at."""
    documents: list[Document] = []
    hints: dict[str, None] = {}
    for document in _pages(api, "v1", account_id):
        if _policies.is_placeholder(document):
            identity = _policies.placeholder_id(document)
            hints |= {identity: None} if identity else {}
        else:
            documents.append(document)
    return documents, _without(hints, documents)


def _second_list(api: Api, account_id: str, hints: t.Collection[str]) -> tuple[list[Document], list[str]]:
    """The v2 list, and those hints that it lacks. Raises ApiError where the service offers no authorizations in v2 syntax (sources
    disagree, API §2.3)."""
    documents = list(_pages(api, "v2", account_id))
    return documents, _without(hints, documents)


def _without(hints: t.Collection[str], documents: list[Document]) -> list[str]:
    """Those hints that no policy of a list answers."""
    listed = {policy.id for policy in map(_policies.parse_policy, documents) if policy} if hints else set()
    return [identity for identity in hints if identity not in listed]


def _is_unknown(error: _errors.ApiError) -> bool:
    """Whether a service says that it does not know what it is asked for."""
    return error.status in (400, 404) and not isinstance(error, _errors.AuthenticationFailed)


def _behind(api: Api, hints: t.Iterable[str]) -> list[Document]:
    """The policies that are only hinted at, each asked for by itself."""
    found = (_placeholder_target(api, identity) for identity in hints)
    return [document for document in found if isinstance(document, dict)]


def _placeholder_target(api: Api, identity: str) -> t.Any:
    try:
        path = f"/v2/policies/{urllib.parse.quote(identity, safe='')}"
        return api.get(path, attempt=f"read the authorization policy {identity}").body
    except _errors.NotFound:
        return None


def _pages(api: Api, version: str, account_id: str) -> t.Iterator[Document]:
    attempt = f"list the authorization policies of account {account_id}"
    query = {"account_id": account_id, "type": "authorization"}
    seen: set[str] = set()
    while True:
        try:
            answer = api.get(f"/{version}/policies", attempt=attempt, query=query)
        except _errors.ApiError as error:
            if not seen or not _is_unknown(error):
                raise
            raise _errors.UnusableAnswer(
                "the list ends in the middle", attempt=attempt, status=error.status, transaction_id=error.transaction_id
            ) from error
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


def _shares(documents: list[Document], hints: list[str]) -> list[t.Any]:
    """A list of policies taken apart: a head with those that name no instance, then shares of the others, each by the one of the instances
    it names that fewest others do. Each policy has its number in the list with it."""
    count = min(len(documents) // POLICIES_IN_A_SHARE + 1, MOST_SHARES)
    shares: list[list[tuple[int, Document]]] = [[] for _dummy in range(count)]
    others: list[tuple[int, Document]] = []
    named = [list(_policies.named_instances(document)) for document in documents]
    often = collections.Counter(instance for names in named for instance in names)
    for number, (document, names) in enumerate(zip(documents, named, strict=True)):
        share = shares[_share(min(names, key=often.__getitem__), count)] if names else others
        share.append((number, document))
    return [{"count": len(documents), "hints": hints, "others": others}, *shares]


def _places(instances: t.Collection[str], length: int) -> list[int]:
    """Where in what ``_shares`` makes everything is that may concern these instances."""
    return [0, *sorted({1 + _share(instance, length - 1) for instance in instances})]


def _share(instance: str, shares: int) -> int:
    return zlib.crc32(instance.encode(errors="replace")) % shares


def _next_start(answer: Answer) -> str | None:
    """The page token, in its own member or in the link. Raises ValueError for a link that is no URL."""
    following = answer.body.get("next")
    if not isinstance(following, dict):
        return None
    start = following.get("start")
    if not start and isinstance(following.get("href"), str):
        start = next(iter(urllib.parse.parse_qs(urllib.parse.urlsplit(following["href"]).query).get("start", [])), None)
    return start if isinstance(start, str) and start else None
