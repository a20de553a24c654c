# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client of the Resource Controller (API §3). Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import (
    SERVICE_ID,
    Instance,
    parse_instance,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import (
    SERVICE,
    is_guid,
    looks_like_crn,
    parse_crn,
)

MONITORING_SERVICE = "sysdig-monitor"
PAGE_SIZE = 100
MOST_PAGES = 1000
REMOVED = ("removed", "pending_removal", "pending_reclamation")


class ResourceController:
    """Event Streams instances of the accounts that an identity can see."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get(self, identity: str) -> Instance:
        """Reads an instance by GUID or CRN (API §3.1). Raises NotFound, also for one that was removed (§3.7)."""
        attempt = f"read instance {identity}"
        answer = self._api.get(_path(identity), attempt=attempt, instance=identity)
        instance = _instance(answer.body, attempt, identity)
        if instance.state in REMOVED:
            raise _errors.NotFound(f"the instance is {instance.state}", attempt=attempt, instance=instance.label)
        if instance.service != SERVICE:
            raise _errors.InvalidInput(
                f"{identity} is not an Event Streams instance but {instance.crn}",
                remedy="Name an instance of the service messagehub.",
            )
        return instance

    def find(self, identity: str, option: str) -> Instance:
        """Reads the instance that a user named by CRN, GUID or unique name.

        Raises InvalidInput for a malformed CRN, NotFound, and NotUnique with all candidates (names are not unique, API §3.3).
        """
        identity = identity.strip()
        if not identity:
            raise _errors.InvalidInput(
                f"{option} is empty",
                remedy=f"Give a CRN, a GUID or a name; in the roles and playbooks as mirroring_{option}.",
            )
        if looks_like_crn(identity):
            return self.get(str(parse_crn(identity, option)))
        if is_guid(identity):
            return self.get(identity.lower())
        matches = [found for found in self.matching({"name": identity}) if found.name == identity]
        if not matches:
            raise _errors.NotFound(
                f"there is no Event Streams instance named {identity!r} that this identity can see",
                attempt=f"find {option} {identity!r}",
                instance=identity,
                remedy="Check the name, the account of the API key and its Viewer role, or give the CRN.",
            )
        if len(matches) > 1:
            raise _errors.NotUnique(
                f"{option} {identity!r} is the name of {len(matches)} instances: {', '.join(i.crn for i in matches)}",
                instance=identity,
                remedy="Give the CRN or the GUID of the one that is meant.",
                details={"candidates": [found.crn for found in matches]},
            )
        return matches[0]

    def matching(self, filters: dict[str, str]) -> t.Sequence[Instance]:
        """All Event Streams instances that match the API's own filters (API §3.3), over all pages.

        Asks for the service by its catalog id, and once more without if that finds nothing: the id is inferred (API §8.2).
        """
        return self._all({**filters, "resource_id": SERVICE_ID}) or self._all(filters)

    def monitoring(self) -> t.Sequence[Instance]:
        """All instances of IBM Cloud Monitoring. Their catalog id is not known, so all instances are listed."""
        return self._all({}, MONITORING_SERVICE)

    def _all(self, filters: dict[str, str], service: str = SERVICE) -> t.Sequence[Instance]:
        attempt = "list instances"
        query: dict[str, t.Any] = {"type": "service_instance", "limit": PAGE_SIZE, **filters}
        found: list[Instance] = []
        seen: set[str] = set()
        while True:
            answer = self._api.get("/v2/resource_instances", attempt=attempt, query=query)
            documents = answer.body.get("resources") if isinstance(answer.body, dict) else None
            if not isinstance(documents, list):
                raise _errors.UnusableAnswer(
                    "the answer holds no list of instances",
                    attempt=attempt,
                    status=answer.status,
                    transaction_id=answer.transaction_id,
                )
            parsed = (parse_instance(document) for document in documents)
            found += [one for one in parsed if one and one.service == service and one.state not in REMOVED]
            try:
                start = _start(answer.body.get("next_url"))
            except ValueError as error:
                raise _errors.UnusableAnswer("the link to the next page is no URL", attempt=attempt) from error
            if start is None:
                return found
            if start in seen or len(seen) >= MOST_PAGES:
                raise _errors.UnusableAnswer("the pages of the list do not end", attempt=attempt)
            seen.add(start)
            query = {"start": start, "limit": PAGE_SIZE}

    def update(self, guid: str, label: str, parameters: dict[str, t.Any], attempt: str) -> Instance:
        """Sends an update, one time (API §3.5). Returns the instance as the answer shows it.

        Raises ExchangeError; with ``processed == "maybe"`` the instance must be read before anything is sent again.
        """
        answer = self._api.send("PATCH", _path(guid), attempt=attempt, instance=label, body={"parameters": parameters})
        return _instance(answer.body, attempt, label)


def _path(identity: str) -> str:
    return f"/v2/resource_instances/{urllib.parse.quote(identity, safe='')}"


def _instance(body: t.Any, attempt: str, identity: str) -> Instance:
    instance = parse_instance(body)
    if instance is None:
        raise _errors.UnusableAnswer("the answer is not an instance", attempt=attempt, instance=identity)
    return instance


def _start(next_url: t.Any) -> str | None:
    """The page token out of next_url, which may be absolute, relative, null, empty or missing (API §3.3). Raises ValueError."""
    if not isinstance(next_url, str):
        return None
    return next(iter(urllib.parse.parse_qs(urllib.parse.urlsplit(next_url).query).get("start", [])), None)
