# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authorization policies as data: both syntaxes in one model, and what covers what (API §2). Pure: no HTTP.

Private to this collection: it may change at any time. Words here are IAM's: the subject asks, the resource is asked.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import typing as t

SERVICE_ROLES = ("Reader", "Writer", "Manager")
PLATFORM_ROLES = ("Viewer", "Operator", "Editor", "Administrator")
DESCRIPTION = "Event Streams mirroring"
"""What the policies that this collection makes say of themselves."""

LADDERS = {"serviceRole": SERVICE_ROLES, "role": PLATFORM_ROLES}
"""Roles by kind, the lowest first."""

LONGEST_VALUE = 1000
"""Characters in the value of an attribute (API §2.4)."""


@dataclasses.dataclass(frozen=True)
class Side:
    """One side of a grant. ``resource_group`` is only known, never asked for: it tells whether a wider policy covers it."""

    account: str
    service: str
    instance: str | None = None
    resource_group: str | None = None

    def attributes(self) -> dict[str, str]:
        """What a policy for exactly this side says (API §2.4)."""
        known = {"accountId": self.account, "serviceName": self.service, "serviceInstance": self.instance}
        return {key: value for key, value in known.items() if value is not None}


@dataclasses.dataclass(frozen=True)
class Grant:
    """Who may do what on whom: the subject gets the roles on the resource."""

    subject: Side
    resource: Side
    roles: tuple[str, ...] = ("Reader",)

    def reversed(self) -> Grant:
        """The same grant the wrong way round."""
        return Grant(self.resource, self.subject, self.roles)


class Attribute(t.NamedTuple):
    """One condition of a policy."""

    key: str
    operator: str
    value: t.Any


@dataclasses.dataclass(frozen=True)
class Policy:
    """An authorization policy, whichever syntax it was written in."""

    id: str
    version: t.Literal["v1", "v2"]
    state: str
    subject: tuple[Attribute, ...]
    resource: tuple[Attribute, ...]
    roles: tuple[str, ...]
    description: str | None = None
    created_at: str | None = None
    conditional: bool = False

    def covers(self, grant: Grant) -> bool:
        """Whether this policy already allows all of the grant (API §2.6): active, as wide or wider, role as high or higher."""
        return (
            self.state == "active"
            and not self.conditional
            and _side_covers(self.subject, grant.subject)
            and _side_covers(self.resource, grant.resource)
            and all(any(_role_covers(have, want) for have in self.roles) for want in grant.roles)
        )

    def equals(self, grant: Grant) -> bool:
        """Whether this policy says exactly the grant, nothing wider, so that deleting it takes back just that."""
        return (
            self.covers(grant)
            and _plain(self.subject) == grant.subject.attributes()
            and _plain(self.resource) == grant.resource.attributes()
            and {role_crn(role) for role in self.roles} == {role_crn(role) for role in grant.roles}
        )

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        return {
            "id": self.id,
            "version": self.version,
            "state": self.state,
            "description": self.description,
            "roles": [role_name(role) for role in self.roles],
            "subject": [attribute._asdict() for attribute in self.subject],
            "resource": [attribute._asdict() for attribute in self.resource],
            "created_at": self.created_at,
        }


def role_crn(role: str) -> str:
    """The CRN of a role given by name or by CRN (API §2.1)."""
    if role.startswith("crn:"):
        return role
    kind = "role" if role in PLATFORM_ROLES else "serviceRole"
    return f"crn:v1:bluemix:public:iam::::{kind}:{role}"


def role_name(role: str) -> str:
    """The last segment of a role's CRN."""
    return role.rpartition(":")[2]


def is_placeholder(document: dict[str, t.Any]) -> bool:
    """Whether an entry of the v1 list only stands for a v2 policy (API §2.3)."""
    href = document.get("href")
    if isinstance(href, str) and "/v2/policies/" in href:
        return True
    return any(str(role.get("role_id", "")).endswith(":UnsupportedVersion") for role in _dicts(document.get("roles")))


def placeholder_id(document: dict[str, t.Any]) -> str | None:
    """The id of the v2 policy behind a placeholder: out of the path of its href, never its host (API §2.3)."""
    href = document.get("href")
    if isinstance(href, str) and "/v2/policies/" in href:
        return href.rpartition("/v2/policies/")[2].split("?")[0].strip("/") or None
    identity = document.get("id")
    return identity if isinstance(identity, str) else None


def may_concern(document: dict[str, t.Any], instances: t.Collection[str]) -> bool:
    """Whether a policy may have to do with one of these GUIDs. A quick look that spares parsing the thousands that do not: false only
    for one that names another instance, by equality, on either side."""
    return all(value in instances for value in named_instances(document))


def named_instances(document: dict[str, t.Any]) -> t.Iterator[str]:
    """The instances that a policy names by equality, on either side, in either syntax (API §2.4, §2.5)."""
    second = _dict(document.get("subject")), _dict(document.get("resource"))
    for side in (*_dicts(document.get("subjects")), *_dicts(document.get("resources")), *second):
        for attribute in _dicts(side.get("attributes")):
            if "serviceInstance" in (attribute.get("name"), attribute.get("key")):
                plain = attribute.get("operator") in (None, "", "stringEquals")
                value = attribute.get("value")
                if plain and isinstance(value, str):
                    yield value


def parse_policy(document: t.Any) -> Policy | None:
    """A policy out of either syntax; None for anything that is not an authorization policy."""
    if not isinstance(document, dict) or document.get("type", "authorization") != "authorization":
        return None
    identity = document.get("id")
    if not isinstance(identity, str) or not identity:
        return None
    grant = _dict(_dict(document.get("control")).get("grant"))
    second = "control" in document or isinstance(document.get("subject"), dict)
    if second:
        subject = _attributes(_dict(document.get("subject")).get("attributes"), "key")
        resource = _attributes(_dict(document.get("resource")).get("attributes"), "key")
        roles = grant.get("roles")
    else:
        subject = tuple(a for s in _dicts(document.get("subjects")) for a in _attributes(s.get("attributes"), "name"))
        resource = tuple(a for r in _dicts(document.get("resources")) for a in _attributes(r.get("attributes"), "name"))
        roles = document.get("roles")
    description = document.get("description")
    created_at = document.get("created_at")
    several = any(len(_list(document.get(key))) > 1 for key in ("subjects", "resources"))
    return Policy(
        id=identity,
        version="v2" if second else "v1",
        state=_stated(document.get("state"), "active"),
        subject=subject,
        resource=resource,
        roles=tuple(str(role["role_id"]) for role in _dicts(roles) if role.get("role_id")),
        description=description if isinstance(description, str) else None,
        created_at=created_at if isinstance(created_at, str) else None,
        conditional=bool(document.get("rule")) or several,
    )


def policy_body(grant: Grant, description: str | None) -> dict[str, t.Any]:
    """The body that creates a policy for a grant, in v1 syntax (API §2.4)."""

    def side(attributes: dict[str, str]) -> list[dict[str, t.Any]]:
        return [{"attributes": [{"name": name, "value": value} for name, value in attributes.items()]}]

    body: dict[str, t.Any] = {
        "type": "authorization",
        "subjects": side(grant.subject.attributes()),
        "roles": [{"role_id": role_crn(role)} for role in grant.roles],
        "resources": side(grant.resource.attributes()),
    }
    if description:
        body["description"] = description
    return body


def _side_covers(attributes: tuple[Attribute, ...], side: Side) -> bool:
    known = {
        "accountId": side.account,
        "serviceName": side.service,
        "serviceInstance": side.instance,
        "resourceGroupId": side.resource_group,
    }
    keys = {attribute.key for attribute in attributes}
    if "accountId" not in keys or not keys & {"serviceName", "resourceGroupId"}:
        return False
    return all(_holds(attribute, known.get(attribute.key)) for attribute in attributes)


def _holds(attribute: Attribute, value: str | None) -> bool:
    """Whether a condition is certainly met; an unknown key or an unknown value is not certain."""
    if value is None:
        return False
    wanted = attribute.value
    if attribute.operator == "stringEquals":
        return isinstance(wanted, str) and wanted == value
    if attribute.operator == "stringMatch":
        return isinstance(wanted, str) and _matches(wanted, value)
    if attribute.operator == "stringEqualsAnyOf":
        return isinstance(wanted, list) and value in wanted
    if attribute.operator == "stringMatchAnyOf":
        return isinstance(wanted, list) and any(isinstance(one, str) and _matches(one, value) for one in wanted)
    if attribute.operator == "stringExists":
        return wanted is True or wanted == "true"
    return False


def _matches(wildcards: str, value: str) -> bool:
    """Whether a value fits a text in which * stands for anything and ? for one character."""
    return len(wildcards) <= LONGEST_VALUE and fnmatch.fnmatchcase(value, wildcards.replace("[", "[[]"))


def _role_covers(have: str, want: str) -> bool:
    """Whether a role is the wanted one or a higher one of the same kind; an account's own role is only equal to itself."""
    have, want = role_crn(have), role_crn(want)
    kind = have.split(":")[-2]
    ladder = LADDERS.get(kind, ())
    if kind != want.split(":")[-2] or role_name(have) not in ladder or role_name(want) not in ladder:
        return have == want
    return ladder.index(role_name(have)) >= ladder.index(role_name(want))


def _plain(attributes: tuple[Attribute, ...]) -> dict[str, t.Any]:
    return {a.key: a.value if a.operator == "stringEquals" else (a.operator, a.value) for a in attributes}


def _attributes(documents: t.Any, key: str) -> tuple[Attribute, ...]:
    """What a side says. What cannot be read of it becomes one condition that nobody can be certain to meet."""
    found = _dicts(documents)
    if len(found) < len(_list(documents)):
        found.append({})
    return tuple(
        Attribute(
            _stated(document.get(key), ""),
            _stated(document.get("operator"), "stringEquals"),
            _value(document.get("value")),
        )
        for document in found
    )


def _stated(value: t.Any, otherwise: str) -> str:
    """A text, or what is meant where there is none; what is no text means nothing that is known."""
    if value is None or value == "":
        return otherwise
    return value if isinstance(value, str) else "unknown"


def _value(value: t.Any) -> t.Any:
    """A value of the types that conditions have (API §2.5), None for any other."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    return value if isinstance(value, (str, bool)) else None


def _dict(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: t.Any) -> list[dict[str, t.Any]]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []
