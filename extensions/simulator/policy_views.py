# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies as they look on the wire: v1, v2 and the v1 placeholder of a v2 policy (API §2.3 to §2.5)."""

from __future__ import annotations

from typing import Any

from . import shapes
from .clock import iso_millis
from .policies import ROLE_PREFIX, ROLES, Attribute, Policy

HOST = "https://iam.cloud.ibm.com"
OPERATORS_V1 = ("stringEquals", "stringMatch")
OPERATORS_TEXT = ("stringEquals", "stringMatch")
OPERATORS_LIST = ("stringEqualsAnyOf", "stringMatchAnyOf")
ATTRIBUTE_NAMES = (
    "accountId",
    "serviceName",
    "serviceInstance",
    "region",
    "resourceType",
    "resource",
    "resourceGroupId",
)
_VALUE = shapes.text(shortest=1, longest=1000)
_ROLE = shapes.mapping({"role_id": shapes.text()}, {"display_name": shapes.anything, "description": shapes.anything})
_SUBJECT_V1 = shapes.mapping({"name": shapes.text(choices=ATTRIBUTE_NAMES), "value": _VALUE})
_RESOURCE_V1 = shapes.mapping(
    {"name": shapes.text(choices=ATTRIBUTE_NAMES), "value": _VALUE},
    {"operator": shapes.text(choices=OPERATORS_V1)},
)
_ATTRIBUTE_V2 = shapes.either(
    shapes.mapping(
        {
            "key": shapes.text(choices=ATTRIBUTE_NAMES),
            "operator": shapes.text(choices=OPERATORS_TEXT),
            "value": _VALUE,
        }
    ),
    shapes.mapping(
        {
            "key": shapes.text(choices=ATTRIBUTE_NAMES),
            "operator": shapes.text(choices=OPERATORS_LIST),
            "value": shapes.array(_VALUE),
        }
    ),
    shapes.mapping(
        {
            "key": shapes.text(choices=ATTRIBUTE_NAMES),
            "operator": shapes.text(choices=("stringExists",)),
            "value": shapes.boolean,
        }
    ),
)
_TYPE = shapes.text(choices=("authorization",))
_DESCRIPTION = shapes.text(longest=300)
BODY_V1 = shapes.mapping(
    {
        "type": _TYPE,
        "subjects": shapes.array(shapes.mapping({"attributes": shapes.array(_SUBJECT_V1)})),
        "roles": shapes.array(_ROLE),
        "resources": shapes.array(shapes.mapping({"attributes": shapes.array(_RESOURCE_V1)})),
    },
    {"description": _DESCRIPTION},
)
_SIDE_V2 = shapes.mapping({"attributes": shapes.array(_ATTRIBUTE_V2)})
BODY_V2 = shapes.mapping(
    {
        "type": _TYPE,
        "subject": _SIDE_V2,
        "resource": _SIDE_V2,
        "control": shapes.mapping({"grant": shapes.mapping({"roles": shapes.array(_ROLE)})}),
    },
    {"description": _DESCRIPTION},
)


def read_v1(body: dict[str, Any]) -> tuple[list[Attribute], list[Attribute], list[str]]:
    """Return subject, resource and role ids of a v1 body."""
    sides = [
        [Attribute(a["name"], a.get("operator", "stringEquals"), a["value"]) for a in side[0]["attributes"]]
        for side in (body["subjects"], body["resources"])
    ]
    return sides[0], sides[1], [role["role_id"] for role in body["roles"]]


def read_v2(body: dict[str, Any]) -> tuple[list[Attribute], list[Attribute], list[str]]:
    """Return subject, resource and role ids of a v2 body."""
    sides = [
        [Attribute(a["key"], a["operator"], a["value"]) for a in body[side]["attributes"]]
        for side in ("subject", "resource")
    ]
    return sides[0], sides[1], [role["role_id"] for role in body["control"]["grant"]["roles"]]


def problems_of_grant(subject: list[Attribute], resource: list[Attribute], roles: list[str], account: str) -> list[str]:
    """Return what IAM refuses in an authorization whose shape is right (API §2.4)."""
    found = []
    asked = {attribute.key: attribute.value for attribute in resource}
    asking = {attribute.key: attribute.value for attribute in subject}
    if "accountId" not in asking or "accountId" not in asked:
        found.append("accountId is required on the subject and on the resource")
    if "serviceName" not in asking and "resourceGroupId" not in asking:
        found.append("the subject needs serviceName or resourceGroupId")
    if "serviceName" not in asked:
        found.append("the resource needs serviceName")
    if asked.get("accountId", account) != account:
        found.append("the resource belongs to another account")
    if not roles or any(role not in [ROLE_PREFIX + name for name in ROLES] for role in roles):
        found.append("a role is not valid for messagehub")
    return found


def _roles(policy: Policy) -> list[dict[str, str]]:
    return [
        {
            "role_id": role,
            "display_name": role.rpartition(":")[2],
            "description": f"Simulated description of {role.rpartition(':')[2]}.",
        }
        for role in policy.roles
    ]


def _common(policy: Policy, version: str, dates: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": policy.id,
        "type": policy.type,
        "state": policy.state,
        "href": f"{HOST}/{version}/policies/{policy.id}",
        "created_at": iso_millis(policy.created) if dates else None,
        "created_by_id": policy.created_by if dates else None,
        "last_modified_at": iso_millis(policy.modified) if dates else None,
        "last_modified_by_id": policy.modified_by if dates else None,
    }
    if policy.description is not None:
        document["description"] = policy.description
    document.update(policy.extras)
    return document


def view_v1(policy: Policy, dates: bool = True) -> dict[str, Any]:
    """Return a policy in v1 syntax."""
    return {
        **_common(policy, "v1", dates),
        "subjects": [{"attributes": [{"name": a.key, "value": a.value} for a in policy.subject]}],
        "roles": _roles(policy),
        "resources": [
            {"attributes": [{"name": a.key, "value": a.value, "operator": a.operator} for a in policy.resource]}
        ],
    }


def view_v2(policy: Policy, dates: bool = True, href_version: str = "v2") -> dict[str, Any]:
    """Return a policy in v2 syntax."""
    sides = {
        name: {"attributes": [a._asdict() for a in attributes]}
        for name, attributes in (("subject", policy.subject), ("resource", policy.resource))
    }
    return {**_common(policy, href_version, dates), **sides, "control": {"grant": {"roles": _roles(policy)}}}


def placeholder(policy: Policy, shown_type: str) -> dict[str, Any]:
    """Return how a v1 list shows a policy that exists in v2 syntax only (API §2.3)."""
    words = "This policy has a version that this list does not support; GET the href to read it."
    return {
        "id": policy.id,
        "type": shown_type,
        "description": words,
        "subjects": [{"attributes": [{"name": "iam_id", "value": "unsupported version"}]}],
        "roles": [
            {
                "role_id": "crn:v1:bluemix:public:iam::::role:UnsupportedVersion",
                "display_name": "Unsupported Version",
                "description": words,
            }
        ],
        "resources": [{"attributes": [{"name": "accountId", "value": policy.account}]}],
        "href": f"{HOST}/v2/policies/{policy.id}",
    }
