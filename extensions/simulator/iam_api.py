# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM on the wire: policies v1 and v2 (API §2); tokens are in ``token_api.py``."""

from __future__ import annotations

import base64
import json
from typing import Any

from . import policy_views, shapes, token_api
from .accounts import Caller
from .clock import iso_millis
from .policies import ROLE_PREFIX, ROLES, Policy
from .wire import Answer, Call, Refusal, Route, choice, whole_number

LARGE_PAGE = 100
SORTS = ("id", "type", "href", "created_at", "created_by_id", "last_modified_at", "last_modified_by_id", "state")
LIST_V1 = [
    "account_id",
    "type",
    "state",
    "service_type",
    "iam_id",
    "access_group_id",
    "tag_name",
    "tag_value",
    "sort",
    "format",
    "limit",
    "start",
]
LIST_V2 = [
    "account_id",
    "type",
    "state",
    "service_type",
    "service_name",
    "service_group_id",
    "iam_id",
    "access_group_id",
    "sort",
    "format",
    "limit",
    "start",
]


def authenticate(call: Call) -> None:
    """Find the caller (API §2.10)."""
    header = call.request.headers.get("authorization")
    if not header:
        raise Refusal(401, "missing_token_in_request", "Authorization header missing.", violation=True)
    kind, _dummy, token = header.partition(" ")
    known = call.world.tokens.check(token, call.now) if kind.lower() == "bearer" else "unknown"
    if not isinstance(known, Caller):
        raise Refusal(401, "invalid_token", "The provided IAM token is invalid.")
    call.caller = known


def error(refusal: Refusal, call: Call) -> Answer:
    """Put a refusal into IAM's shapes (API §1.5, §2.10)."""
    headers = {"Transaction-Id": call.transaction, **refusal.headers}
    if call.request.path == "/identity/token" and call.world.switches["token_error_shape"] == "bxnim":
        code = refusal.code if refusal.code.startswith("BXNIM") else "BXNIM0109E"
        moment = iso_millis(call.now)
        context = {
            "requestId": call.transaction,
            "requestType": "incoming.Identity_Token",
            "userAgent": call.request.headers.get("user-agent", ""),
            "url": policy_views.HOST,
            "instanceId": "iamid-simulator",
            "threadId": "1",
            "host": "iamid-simulator",
            "startTime": moment,
            "endTime": moment,
            "elapsedTime": "1",
            "locale": "en_US",
            "clusterName": "iam-id-simulator",
        }
        body: dict[str, Any] = {"errorCode": code, "errorMessage": refusal.message, "context": context}
        return Answer(refusal.status, body, headers)
    entry: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.details is not None:
        entry["details"] = refusal.details
    trace = call.transaction.replace("-", "")
    return Answer(refusal.status, {"trace": trace, "errors": [entry], "status_code": refusal.status}, headers)


def _dates(call: Call) -> bool:
    return call.world.switches["created_at"] == "present"


def _shown_v1(call: Call, policy: Policy) -> dict[str, Any] | None:
    """Return how v1 shows a policy, or None if it hides it."""
    if policy.version == "v1":
        return policy_views.view_v1(policy, _dates(call))
    mode = call.world.switches["v2_in_v1_list"]
    if mode == "hidden":
        return None
    return policy_views.placeholder(policy, "access" if mode.endswith("access") else policy.type)


def _readable(call: Call, policy: Policy) -> bool:
    return policy.created + call.world.timing["policy_readable_seconds"] <= call.now


def _service_fits(call: Call, policy: Policy) -> bool:
    wanted, mode = call.query.get("service_name"), call.world.switches["v2_service_name_filter"]
    if wanted is None or mode == "ignored":
        return True
    sides = policy.resource if mode == "resource" else [*policy.resource, *policy.subject]
    return any(attribute.key == "serviceName" and attribute.covers(wanted) for attribute in sides)


def _list(call: Call, version: str) -> Answer:
    """List policies, page by page (API §2.7)."""
    account = call.query.get("account_id")
    if not account:
        raise Refusal(400, "missing_required_query_parameter", "account_id is required.", violation=True)
    kind = choice(call, "type", ("access", "authorization"))
    state = choice(call, "state", ("active", "deleted"))
    choice(call, "service_type", ("service", "platform_service"))
    choice(call, "format", ("include_last_permit", "display"))
    sort = choice(call, "sort", [*SORTS, *("-" + name for name in SORTS)])
    largest = LARGE_PAGE if call.world.switches["policy_page_size"] == "large" else 1
    limit = min(whole_number(call, "limit", largest), largest)
    rows = []
    if call.who.policies != "none" and account == call.who.account:
        for policy in call.world.policies.of_account(account):
            shown = policy_views.view_v2(policy, _dates(call)) if version == "v2" else _shown_v1(call, policy)
            if shown is None or not _readable(call, policy) or (state or "active") != policy.state:
                continue
            if (kind in (None, shown["type"])) and _service_fits(call, policy):
                rows.append(shown)
    if any(name in call.query for name in ("iam_id", "access_group_id", "service_group_id", "tag_name", "tag_value")):
        rows = []
    if sort:
        rows.sort(key=lambda row: str(row.get(sort.lstrip("-"))), reverse=sort.startswith("-"))
    first = _start(call)
    base = f"{policy_views.HOST}/{version}/policies?account_id={account}&limit={limit}"
    body: dict[str, Any] = {"limit": limit, "first": {"href": base}, "policies": rows[first : first + limit]}
    if first + limit < len(rows):
        start = base64.urlsafe_b64encode(json.dumps({"row": first + limit}).encode()).decode()
        body["next"] = {"href": f"{base}&start={start}", "start": start}
    return Answer(200, body, {"Transaction-Id": call.transaction})


def _start(call: Call) -> int:
    text = call.query.get("start")
    if text is None:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(text.encode()))["row"])
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, "invalid_query", "start is not a page token", violation=True) from None


def _get(call: Call, *, for_change: bool = False) -> Policy:
    policy = call.world.policies.by_id.get(call.arguments["id"])
    missing = Refusal(404, "policy_not_found", f"Policy with Id {call.arguments['id']} not found.")
    if policy is None or policy.account != call.who.account:
        raise missing
    if call.who.policies == "none" or (for_change and call.who.policies != "write"):
        raise Refusal(403, "insufficent_permissions", "You are not authorized to use this policy.")
    if not _readable(call, policy):
        raise missing
    return policy


def _answer(call: Call, policy: Policy, status: int, version: str) -> Answer:
    if version == "v2":
        body: dict[str, Any] | None = policy_views.view_v2(policy, _dates(call))
    else:
        body = _shown_v1(call, policy)
    if body is None:
        raise Refusal(404, "policy_not_found", f"Policy with Id {policy.id} not found.")
    return Answer(status, body, {"ETag": policy.etag, "Transaction-Id": call.transaction})


def _read_grant(call: Call, version: str) -> tuple[list[Any], list[Any], list[str]]:
    body = call.json
    if version == "v1" and (len(body["subjects"]) != 1 or len(body["resources"]) != 1):
        raise Refusal(400, "invalid_body", "exactly one subject and one resource are needed", violation=True)
    grant = policy_views.read_v1(body) if version == "v1" else policy_views.read_v2(body)
    problems = policy_views.problems_of_grant(*grant, call.who.account)
    if problems:
        raise Refusal(400, "invalid_body", problems[0])
    return grant


def _create(call: Call, version: str) -> Answer:
    """Create an authorization (API §2.4, §2.5, §2.8)."""
    world, store = call.world, call.world.switches["policy_store"]
    if call.who.policies != "write":
        raise Refusal(403, "insufficent_permissions", "You are not authorized to create this policy.")
    if version == "v2" and store == "v1":
        raise Refusal(400, "unable_to_process", "Authorization policies exist in v1 syntax only.")
    subject, resource, roles = _read_grant(call, version)
    policy = Policy(
        world.policies.new_id(),
        version if store == "as_sent" else store,
        "authorization",
        call.who.account,
        subject,
        resource,
        roles,
        call.now,
        call.who.iam_id,
        call.json.get("description"),
        modified=call.now,
        modified_by=call.who.iam_id,
    )
    other = world.policies.duplicate_of(policy, world.switches["duplicate_rule"] == "also_description")
    if other is not None:
        raise Refusal(
            409,
            "policy_conflict_error",
            "The policy was not created: an access policy with the same attributes and roles is already there.",
            details={"conflicts_with": {"etag": other.etag, "policy": _conflict(call, other)}},
        )
    world.policies.add(policy)
    call.processed = True
    if world.switches["policies_create_view"] == "v2" or version == "v2":
        body = policy_views.view_v2(policy, _dates(call), policy.version)
    else:
        body = policy_views.view_v1(policy, _dates(call))
    return Answer(201, body, {"ETag": policy.etag, "Transaction-Id": call.transaction})


def _conflict(call: Call, other: Policy) -> Any:
    form = call.world.switches["conflict_body"]
    if form == "id_string":
        return other.id
    if form == "v2_object_with_v1_href":
        return policy_views.view_v2(other, _dates(call), "v1")
    return policy_views.view_v1(other, _dates(call))


def _check_etag(call: Call, policy: Policy) -> None:
    given = call.request.headers.get("if-match")
    if given is None:
        raise Refusal(400, "invalid_body", "If-Match is required.", violation=True)
    if given.strip('"') not in (policy.etag, "*"):
        status = int(call.world.switches["if_match_status"])
        raise Refusal(status, "policy_conflict_error", "The policy was changed in the meantime.")


def _replace(call: Call, version: str) -> Answer:
    """Replace a policy; v2 also upgrades one that is kept as v1 (API §2.2)."""
    policy = _get(call, for_change=True)
    _check_etag(call, policy)
    if version == "v1" and policy.version == "v2":
        raise Refusal(400, "unable_to_process", "This policy has v2 syntax.")
    if policy.state != "active":
        raise Refusal(400, "unable_to_process", "This policy is deleted.")
    policy.subject, policy.resource, policy.roles = _read_grant(call, version)
    policy.description = call.json.get("description")
    policy.version = version
    policy.touch(call.now, call.who.iam_id)
    call.processed = True
    return _answer(call, policy, 200, version)


def restore(call: Call) -> Answer:
    """Bring a deleted policy back (API §2.9)."""
    policy = _get(call, for_change=True)
    _check_etag(call, policy)
    call.processed = policy.state != "active"
    policy.state = "active"
    policy.touch(call.now, call.who.iam_id)
    return _answer(call, policy, 200, "v1")


def delete(call: Call) -> Answer:
    """Delete a policy; it stays readable (API §2.9)."""
    policy = _get(call, for_change=True)
    if policy.state == "deleted":
        if call.world.switches["delete_deleted"] == "404":
            raise Refusal(404, "policy_not_found", f"Policy with Id {policy.id} not found.")
        return Answer(204, headers={"Transaction-Id": call.transaction})
    policy.state = "deleted"
    policy.touch(call.now, call.who.iam_id)
    call.processed = True
    return Answer(204, headers={"Transaction-Id": call.transaction})


def roles(call: Call) -> Answer:
    """List the roles of a pair of services (API §2.11)."""
    found = [
        {
            "display_name": name,
            "description": f"Simulated description of {name}.",
            "actions": ["messagehub.cluster.read"],
            "crn": ROLE_PREFIX + name,
        }
        for name in ROLES
    ]
    return Answer(200, {"custom_roles": [], "service_roles": found, "system_roles": []})


_STATE = shapes.mapping({"state": shapes.text(choices=("active",))})
_ROLE_QUERY = ["account_id", "service_name", "source_service_name", "policy_type", "service_group_id"]
ROUTES = (
    Route("POST", "/identity/token", token_api.token, open=True, form=True),
    Route("GET", "/v1/policies", lambda call: _list(call, "v1"), LIST_V1),
    Route("POST", "/v1/policies", lambda call: _create(call, "v1"), body=policy_views.BODY_V1),
    Route("GET", "/v1/policies/{id}", lambda call: _answer(call, _get(call), 200, "v1"), ["format"]),
    Route("PUT", "/v1/policies/{id}", lambda call: _replace(call, "v1"), body=policy_views.BODY_V1),
    Route("PATCH", "/v1/policies/{id}", restore, body=_STATE),
    Route("DELETE", "/v1/policies/{id}", delete),
    Route("GET", "/v2/policies", lambda call: _list(call, "v2"), LIST_V2),
    Route("POST", "/v2/policies", lambda call: _create(call, "v2"), body=policy_views.BODY_V2),
    Route("GET", "/v2/policies/{id}", lambda call: _answer(call, _get(call), 200, "v2"), ["format"]),
    Route("PUT", "/v2/policies/{id}", lambda call: _replace(call, "v2"), body=policy_views.BODY_V2),
    Route("DELETE", "/v2/policies/{id}", delete),
    Route("GET", "/v2/roles", roles, _ROLE_QUERY),
)
