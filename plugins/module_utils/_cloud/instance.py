# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The instance document as data (API §3.4, §3.6). Pure: no HTTP. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import re
import typing as t

ENTERPRISE_PLAN = "ibm.message.hub.enterprise.3nodes.2tb"
SERVICE_ID = "6a7f4e38-f218-48ef-9dd2-df408747568e"
LONGEST_TEXT = 2000
"""Longer values than that are not what they are called; descriptions are cut there."""

_CAPACITY = re.compile(r" *([0-9]{1,9}) *")

Plan = t.Literal["enterprise", "enterprise-gen2", "standard", "lite", "satellite", "unknown"]
Phase = t.Literal["none", "running", "succeeded", "failed", "unknown"]


@dataclasses.dataclass(frozen=True)
class Operation:
    """The last operation of an instance. Its words are kept as the service wrote them."""

    type: str
    state: str
    description: str
    updated_at: str | None

    @property
    def phase(self) -> Phase:
        """What the state means: any spelling that ends in succeeded or failed is final, all else is not (API §3.6)."""
        state = " ".join(self.state.lower().replace("_", " ").split())
        if state.endswith("succeeded"):
            return "succeeded"
        if state.endswith("failed"):
            return "failed"
        if state == "in progress":
            return "running"
        return "unknown" if state else "none"

    @property
    def unfinished(self) -> bool:
        """Whether it may still take effect: it is in progress, or in a state that nobody knows (API §3.6)."""
        return self.phase in ("running", "unknown")

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        return dataclasses.asdict(self)


NO_OPERATION = Operation(type="", state="", description="", updated_at=None)


@dataclasses.dataclass(frozen=True)
class Instance:
    """An Event Streams instance as the Resource Controller shows it. None = the document does not show it."""

    crn: str
    guid: str
    name: str
    region: str
    account_id: str
    resource_group_id: str | None
    plan_id: str
    plan: Plan
    state: str
    locked: bool
    throughput: int | None
    storage: int | None
    admin_url: str | None
    operation: Operation
    updated_at: str | None
    parameters: dict[str, t.Any]
    echo: dict[str, t.Any] | None
    addresses: tuple[str, ...]
    endpoints: str | None

    @property
    def service(self) -> str:
        """The service that it is an instance of, as its CRN says."""
        return self.crn.split(":")[4]

    @property
    def label(self) -> str:
        """Name and GUID, for messages."""
        return f"{self.name} ({self.guid})"

    @property
    def identity(self) -> dict[str, t.Any]:
        """What tells it from others, as in ``to_result``."""
        return {
            "crn": self.crn,
            "guid": self.guid,
            "name": self.name,
            "region": self.region,
            "account_id": self.account_id,
        }

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        return {
            **self.identity,
            "resource_group_id": self.resource_group_id,
            "plan": self.plan,
            "resource_plan_id": self.plan_id,
            "state": self.state,
            "locked": self.locked,
            "throughput": self.throughput,
            "storage_size": self.storage,
            "admin_url": self.admin_url,
            "service_endpoints": self.endpoints,
            "private_addresses": list(self.addresses),
            "last_operation": self.operation.to_result(),
            "updated_at": self.updated_at,
        }


def parse_instance(document: t.Any) -> Instance | None:
    """An instance out of its document; None when that has no CRN, GUID or account to go by."""
    if not isinstance(document, dict):
        return None
    crn = _text(document.get("crn")) or _text(document.get("id")) or ""
    segments = crn.split(":")
    if len(segments) < 8 or segments[0] != "crn":
        return None
    guid = _text(document.get("guid")) or segments[7]
    if not guid:
        return None
    parameters = _dict(document.get("parameters"))
    extensions = _dict(document.get("extensions"))
    endpoints = _dict(extensions.get("virtual_private_endpoints")).get("endpoints")
    plan_id = _text(document.get("resource_plan_id")) or ""
    return Instance(
        crn=crn,
        guid=guid,
        name=_text(document.get("name")) or guid,
        region=_text(document.get("region_id")) or segments[5],
        account_id=_text(document.get("account_id")) or segments[6].removeprefix("a/"),
        resource_group_id=_text(document.get("resource_group_id")),
        plan_id=plan_id,
        plan=_plan(plan_id, extensions),
        state=_text(document.get("state")) or "unknown",
        locked=document.get("locked") is True,
        throughput=_number(parameters.get("throughput")),
        storage=_number(parameters.get("storage_size")),
        admin_url=_text(extensions.get("kafka_http_url")),
        operation=_operation(document.get("last_operation")),
        updated_at=_text(document.get("updated_at")),
        parameters=parameters,
        echo=_echo(parameters, extensions),
        addresses=tuple(
            endpoint["ip_address"]
            for endpoint in (endpoints if isinstance(endpoints, list) else [])
            if isinstance(endpoint, dict) and _text(endpoint.get("ip_address"))
        ),
        endpoints=_text(parameters.get("service-endpoints")),
    )


def _plan(plan_id: str, extensions: dict[str, t.Any]) -> Plan:
    """Which plan it is. An id that merely contains "enterprise" is not enough: Gen 2 does, too (API §3.4)."""
    lowered = plan_id.lower()
    if "dataservices" in extensions or "gen2" in lowered:
        return "enterprise-gen2" if "enterprise" in lowered or "dataservices" in extensions else "unknown"
    if lowered == ENTERPRISE_PLAN:
        return "enterprise"
    others: tuple[Plan, ...] = ("satellite", "standard", "lite")
    for plan in others:
        if plan in lowered:
            return plan
    first_generation = isinstance(extensions.get("kafka_http_url"), str) and isinstance(
        extensions.get("kafka_brokers_sasl"), list
    )
    return "enterprise" if "enterprise" in lowered and first_generation else "unknown"


def _operation(document: t.Any) -> Operation:
    if not isinstance(document, dict):
        return NO_OPERATION
    description = document.get("description")
    return Operation(
        type=_text(document.get("type")) or "",
        state=_text(document.get("state")) or "",
        description=description[:LONGEST_TEXT] if isinstance(description, str) else "",
        updated_at=_text(document.get("updated_at")),
    )


def _echo(parameters: dict[str, t.Any], extensions: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """Mirroring settings, where the platform shows them; nobody documents that it does, or where (API §11.3)."""
    for place in (parameters, extensions):
        echo = place.get("mirroring")
        if isinstance(echo, dict) and echo:
            return echo
    return None


def _number(value: t.Any) -> int | None:
    """A positive whole number out of a string or number; capacity values are strings (API §6.1)."""
    found = _CAPACITY.fullmatch(str(value)) if isinstance(value, (str, int)) else None
    return int(found[1]) or None if found else None


def _text(value: t.Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT else None


def _dict(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}
