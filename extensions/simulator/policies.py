# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one store of IAM policies behind the v1 and v2 APIs, and what a policy allows (API §2)."""

from __future__ import annotations

import fnmatch
import hashlib
import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

ROLE_PREFIX = "crn:v1:bluemix:public:iam::::serviceRole:"
ROLES = ("Reader", "Writer", "Manager")
NAMESPACE = uuid.UUID("6a7f4e38-f218-48ef-9dd2-df408747568e")


class Attribute(NamedTuple):
    """One attribute of a subject or a resource, in the wider v2 sense (API §2.5)."""

    key: str
    operator: str
    value: Any

    def covers(self, actual: str) -> bool:
        """Tell whether an actual value fits the attribute."""
        if self.operator == "stringExists":
            return bool(actual) is self.value
        if self.operator == "stringEquals":
            return bool(actual == self.value)
        if self.operator == "stringMatch":
            return fnmatch.fnmatchcase(actual, str(self.value))
        if self.operator == "stringEqualsAnyOf":
            return actual in self.value
        return any(fnmatch.fnmatchcase(actual, str(pattern)) for pattern in self.value)


@dataclass
class Policy:
    """One policy. ``version`` is the syntax it is kept in."""

    id: str
    version: str
    type: str
    account: str
    subject: list[Attribute]
    resource: list[Attribute]
    roles: list[str]
    created: float
    created_by: str
    description: str | None = None
    state: str = "active"
    modified: float = 0.0
    modified_by: str = ""
    revision: int = 1
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """Return revision, dash and 32 hexadecimal digits (API §2.2)."""
        digest = hashlib.sha256(f"{self.id}/{self.revision}".encode()).hexdigest()[:32]
        return f"{self.revision}-{digest}"

    def touch(self, now: float, who: str) -> None:
        """Note a change."""
        self.revision += 1
        self.modified = now
        self.modified_by = who

    def same_grant(self, other: Policy) -> bool:
        """Tell whether both say the same (API §2.8)."""
        return (
            self.type == other.type
            and sorted(self.roles) == sorted(other.roles)
            and sorted(map(repr, self.subject)) == sorted(map(repr, other.subject))
            and sorted(map(repr, self.resource)) == sorted(map(repr, other.resource))
        )


class Party(NamedTuple):
    """What IAM knows of an instance."""

    account: str
    guid: str
    region: str
    resource_group: str

    def fits(self, attributes: list[Attribute]) -> bool:
        """Tell whether every attribute covers this instance (API §2.6)."""
        actual = {
            "accountId": self.account,
            "serviceName": "messagehub",
            "serviceInstance": self.guid,
            "region": self.region,
            "resourceGroupId": self.resource_group,
            "resourceType": "",
            "resource": "",
        }
        return all(attribute.covers(actual.get(attribute.key, "")) for attribute in attributes)


class PolicyStore:
    """All policies of all accounts."""

    def __init__(self) -> None:
        self.by_id: dict[str, Policy] = {}
        self._stamp: list[tuple[str, int]] = []
        self._changed_at: dict[tuple[Party, Party], float] = {}

    def new_id(self) -> str:
        """Return an id; the same for the same sequence of calls."""
        return str(uuid.uuid5(NAMESPACE, f"policy-{len(self.by_id)}"))

    def add(self, policy: Policy) -> None:
        """Keep a policy."""
        self.by_id[policy.id] = policy

    def of_account(self, account: str) -> list[Policy]:
        """Return the policies of one account, oldest first."""
        return [policy for policy in self.by_id.values() if policy.account == account]

    def duplicate_of(self, new: Policy, description_counts: bool) -> Policy | None:
        """Return the active policy that already says the same."""
        for policy in self.of_account(new.account):
            if policy.state != "active" or policy.id == new.id or not policy.same_grant(new):
                continue
            if not description_counts or policy.description == new.description:
                return policy
        return None

    def allows_mirroring(self, source: Party, target: Party, now: float, delay: float) -> bool:
        """Tell whether the mirroring target may read the mirroring source.

        In IAM's words the mirroring target is the subject and the mirroring source the resource, and the policy
        belongs to the account of the resource (API §2.1). A fresh policy counts only after a delay (API §2.12).
        """
        if (source, target) not in self._changed_at:
            changes = (policy.modified for policy in self._allowing(source, target))
            self._changed_at[source, target] = min(changes, default=math.inf)
        return self._changed_at[source, target] + delay <= now

    def refresh(self) -> None:
        """Forget what was worked out, if any policy has changed since."""
        stamp = [(policy.state, policy.revision) for policy in self.by_id.values()]
        if stamp != self._stamp:
            self._stamp, self._changed_at = stamp, {}

    def _allowing(self, source: Party, target: Party) -> Iterator[Policy]:
        accepted = [ROLE_PREFIX + name for name in ROLES]
        for policy in self.of_account(source.account):
            if (
                policy.type == "authorization"
                and policy.state == "active"
                and any(role in accepted for role in policy.roles)
                and target.fits(policy.subject)
                and source.fits(policy.resource)
            ):
                yield policy
