# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Resource Controller on the wire (API §3) and the resource group list (API §8.2)."""

from __future__ import annotations

import base64
import json
import re
from datetime import date
from typing import Any

from . import broker, shapes
from .accounts import Caller
from .crn import parse
from .instances import STATES, Change, Instance, Operation
from .monitors import Monitor
from .wire import Answer, Call, Refusal, Route, choice, whole_number

HOST = "https://resource-controller.cloud.ibm.com"
LARGE_PAGE = 100
NAME = re.compile(r"[A-Za-z0-9\-._: ]{1,180}")
FILTERS = [
    "guid",
    "name",
    "resource_id",
    "resource_plan_id",
    "resource_group_id",
    "type",
    "sub_type",
    "state",
    "updated_from",
    "updated_to",
    "limit",
    "start",
]
PATCH_BODY = shapes.mapping(
    optional={
        "name": shapes.text(),
        "parameters": shapes.mapping(others=shapes.anything),
        "resource_plan_id": shapes.text(),
        "allow_cleanup": shapes.boolean,
    }
)


def authenticate(call: Call) -> None:
    """Find the caller (API §3.8)."""
    header = call.request.headers.get("authorization")
    if not header:
        raise Refusal(401, "RC-IamErrorResponse", "The Authorization header is missing", violation=True)
    kind, _dummy, token = header.partition(" ")
    known = call.world.tokens.check(token, call.now) if kind.lower() == "bearer" else "unknown"
    if not isinstance(known, Caller):
        words = "Token is expired" if known == "expired" else "The token is not valid"
        raise Refusal(401, "RC-IamErrorResponse", words)
    call.caller = known


def error(refusal: Refusal, call: Call) -> Answer:
    """Put a refusal into the shape of this API (API §3.8)."""
    code = refusal.code if refusal.code.startswith("RC-") else "RC-InvalidRequest"
    transaction = call.transaction
    body: dict[str, Any] = {
        "error_code": code,
        "message": refusal.message,
        "status_code": refusal.status,
        "transaction_id": transaction,
    }
    if refusal.details is not None:
        body["details"] = refusal.details
    return Answer(refusal.status, body, {"Transaction-Id": transaction, **refusal.headers})


def _broker_refusal(call: Call, status: int, broker_status: int, name: str, words: str, violation: bool) -> Refusal:
    """Wrap an answer of the broker (API §3.8): ``details`` is a string that holds JSON."""
    details = {"status_code": broker_status, "name": name, "message": {}, "description": words}
    return Refusal(
        status,
        "RC-ServiceBrokerErrorResponse",
        f"Please contact the Service Provider for this error. [{broker_status}, {name}] {words}",
        details=json.dumps(details),
        violation=violation,
    )


def _visible(call: Call, instance: Instance | Monitor) -> bool:
    return call.who.instances != "none" and call.who.account == instance.account


def _named(call: Call) -> Instance | Monitor:
    """Find the instance of the path: GUID or CRN (API §3.1)."""
    text = call.arguments["id"]
    guid = text
    if text.startswith("crn:"):
        try:
            guid = parse(text).guid
        except ValueError:
            guid = ""
    instance = call.world.instances.get(guid) or call.world.monitors.get(guid)
    if instance is None or not _visible(call, instance) or text not in (guid, str(instance.crn)):
        code = call.world.switches["instance_error_code"]
        code = code if code.startswith("RC-") else "RC-DatabaseErrorResponse"
        raise Refusal(404, code, f"The resource instance cannot be found: {text}")
    call.guid = guid
    return instance


def _changeable(call: Call, *, locked_matters: bool = True) -> Instance:
    """Find the instance and check that the caller may change it (API §3.7, §3.9)."""
    instance = _named(call)
    if call.who.instances != "edit":
        raise Refusal(403, "RC-Forbidden", "You are not authorized for resource-controller.instance.update")
    if isinstance(instance, Monitor):
        raise Refusal(501, "not_implemented", "changing a monitoring instance is not simulated", violation=True)
    if instance.gone:
        raise Refusal(410, "RC-InstanceGone", f"The resource instance was removed: {instance.guid}")
    if instance.locked and locked_matters:
        status = int(call.world.switches["locked_status"])
        raise Refusal(status, "RC-InstanceLocked", "The resource instance is locked")
    return instance


def _ok(call: Call, body: Any, status: int = 200) -> Answer:
    return Answer(status, body, {"Transaction-Id": call.transaction})


# -- reading


def _fits(call: Call, instance: Instance | Monitor, filters: dict[str, str]) -> bool:
    actual = {
        "guid": instance.guid,
        "name": instance.name,
        "resource_id": instance.resource_id,
        "resource_plan_id": instance.plan,
        "resource_group_id": instance.resource_group,
        "type": "service_instance",
        "sub_type": "",
    }
    if any(name in filters and filters[name] != value for name, value in actual.items()):
        return False
    day = date.fromtimestamp(instance.updated).isoformat()
    if not filters.get("updated_from", "") <= day <= filters.get("updated_to", "9999"):
        return False
    wanted = filters.get("state")
    return instance.state == wanted if wanted else instance.state in ("active", "provisioning")


def list_instances(call: Call) -> Answer:
    """List instances; ``start`` makes all other parameters ignored (API §3.3)."""
    largest = LARGE_PAGE if call.world.switches["instance_page_size"] == "large" else 1
    if "start" in call.query:
        try:
            token = json.loads(base64.urlsafe_b64decode(call.query["start"].encode()))
            filters, limit, first = dict(token["filters"]), int(token["limit"]), int(token["row"])
        except (ValueError, KeyError, TypeError):
            raise Refusal(400, "RC-InvalidRequest", "start is not a page token", violation=True) from None
    else:
        choice(call, "state", STATES)
        choice(call, "type", ("service_instance", "composite_instance"))
        for name in ("updated_from", "updated_to"):
            if name in call.query and not re.fullmatch(r"\d{4}-\d\d-\d\d", call.query[name]):
                raise Refusal(400, "RC-InvalidRequest", f"{name} is not a date", violation=True)
        limit = min(whole_number(call, "limit", largest, 1, LARGE_PAGE), largest)
        filters, first = {name: value for name, value in call.query.items() if name != "limit"}, 0
    instances = [
        instance for instance in call.world.services() if _visible(call, instance) and _fits(call, instance, filters)
    ]
    page = instances[first : first + limit]
    body: dict[str, Any] = {"rows_count": len(page), "next_url": None}
    form = call.world.switches["next_url_form"]
    if first + limit < len(instances):
        start = {"filters": filters, "limit": limit, "row": first + limit}
        text = base64.urlsafe_b64encode(json.dumps(start).encode()).decode().replace("=", "%3D")
        relative = f"/v2/resource_instances?start={text}&limit={limit}"
        body["next_url"] = HOST + relative if form == "absolute" else relative
    elif form == "empty":
        body["next_url"] = ""
    elif form == "missing":
        del body["next_url"]
    body["resources"] = [call.world.shown(instance) for instance in page]
    return _ok(call, body)


def get(call: Call) -> Answer:
    """Read one instance."""
    return _ok(call, call.world.shown(_named(call)))


def resource_groups(call: Call) -> Answer:
    """List the resource groups of an account (API §8.2)."""
    choice(call, "default", ("true", "false"))
    choice(call, "include_deleted", ("true", "false"))
    rows = []
    for index, group in enumerate(call.world.resource_groups):
        first = group is next(g for g in call.world.resource_groups if g.account == group.account)
        wanted = {"name": group.name, "account_id": group.account, "default": "true" if first else "false"}
        if group.account != call.who.account or call.who.instances == "none":
            continue
        if any(name in call.query and call.query[name] != value for name, value in wanted.items()):
            continue
        scope = f"crn:v1:bluemix:public:resource-controller::a/{group.account}::resource-group:{group.id}"
        rows.append(
            {
                "id": group.id,
                "crn": scope,
                "account_id": group.account,
                "name": group.name,
                "state": "ACTIVE",
                "default": first,
                "quota_id": f"{index:032x}",
                "created_at": "2025-01-01T00:00:00.000Z",
                "updated_at": "2025-01-01T00:00:00.000Z",
            }
        )
    return _ok(call, {"resources": rows})


# -- writing


def patch(call: Call) -> Answer:
    """Update an instance: rename at once, parameters through the broker (API §3.5, §3.7)."""
    body: dict[str, Any] = call.json
    if not body:
        raise Refusal(400, "RC-InvalidRequest", "nothing to update", violation=True)
    instance = _changeable(call)
    plan_id = body.get("resource_plan_id", instance.plan)
    if plan_id != instance.plan:
        raise Refusal(400, "RC-InvalidRequest", "this plan cannot be changed")
    name = body.get("name", instance.name)
    if not NAME.fullmatch(name):
        raise Refusal(400, "RC-InvalidRequest", "the name is not valid", violation=True)
    parameters: dict[str, Any] = body.get("parameters") or {}
    if instance.busy:
        return _busy(call, instance, parameters)
    if parameters:
        return _update(call, instance, parameters, name)
    instance.name = name
    broker.finish_at_once(call.world, instance, broker.Plan(Change()), call.now)
    call.processed = True
    return _ok(call, call.world.view(instance))


def _busy(call: Call, instance: Instance, parameters: dict[str, Any]) -> Answer:
    running = instance.operation.change if instance.operation else None
    planned = broker.plan(call.world, instance, parameters, call.now)
    call.violation = planned.violation
    same = running is not None and running == planned.change
    if same and not planned.refusal and call.world.switches["busy_identical"] == "accepted":
        return _ok(call, call.world.view(instance), int(call.world.switches["patch_status"]))
    words = "Another operation for this service instance is in progress."
    status = int(call.world.switches["busy_status"])
    raise _broker_refusal(call, status, 422, "ConcurrencyError", words, False)


def _update(call: Call, instance: Instance, parameters: dict[str, Any], name: str) -> Answer:
    world = call.world
    planned = broker.plan(world, instance, parameters, call.now)
    if planned.violation:
        call.violation = planned.violation
    if planned.identical and planned.refusal is None:
        if world.switches["repeat_patch"] == "refused":
            planned.refusal = "mirroring is already enabled"
        elif world.switches["repeat_patch"] == "sync":
            instance.name = name
            broker.finish_at_once(world, instance, planned, call.now)
            call.processed = True
            return _ok(call, world.view(instance))
    late = world.switches["refusals"] == "late" and not planned.violation
    if planned.refusal and not late:
        status = int(world.switches["refusal_status"])
        raise _broker_refusal(call, status, 400, "BadRequest", planned.refusal, planned.violation is not None)
    instance.name = name
    broker.start(world, instance, planned, parameters.get("mirroring"), call.effects, call.now)
    call.processed = True
    return _ok(call, world.view(instance), int(world.switches["patch_status"]))


def lock(call: Call) -> Answer:
    """Lock against update and delete."""
    instance = _changeable(call, locked_matters=False)
    call.processed, instance.locked = not instance.locked, True
    return _ok(call, call.world.view(instance))


def unlock(call: Call) -> Answer:
    """Take the lock off."""
    instance = _changeable(call, locked_matters=False)
    call.processed, instance.locked = instance.locked, False
    return _ok(call, call.world.view(instance))


def cancel(call: Call) -> Answer:
    """Refuse to cancel: no operation of this service is cancelable (API §3.1)."""
    _changeable(call)
    raise Refusal(400, "RC-InvalidRequest", "The last operation is not cancelable")


def delete(call: Call) -> Answer:
    """Delete an instance (API §3.7)."""
    choice(call, "recursive", ("true", "false"))
    instance, world = _changeable(call), call.world
    in_use = instance.mirroring is not None or any(
        other.mirroring is not None and other.mirroring.source.guid == instance.guid and not other.gone
        for other in world.instances.values()
    )
    if in_use and world.switches["delete_while_mirroring"] == "refused":
        raise _broker_refusal(call, 422, 409, "Conflict", "The instance takes part in mirroring.", False)
    if instance.busy:
        return _busy(call, instance, {})
    state = world.switches["delete_result"]
    instance.state, instance.deleted_at, instance.updated = state, call.now, call.now
    kind = "reclamation" if state == "pending_reclamation" else "delete"
    instance.operation = Operation(kind, "succeeded", "Deleted.", call.now, is_async=False, finished=call.now)
    instance.mirroring, instance.stale = None, None
    instance.mirroring_ends(call.now)
    call.processed = True
    return Answer(204, headers={"Transaction-Id": call.transaction})


_ONE = "/v2/resource_instances/{id}"
_GROUP_QUERY = ["account_id", "name", "default", "include_deleted", "date"]
ROUTES = (
    Route("GET", "/v2/resource_instances", list_instances, FILTERS),
    Route("GET", _ONE, get),
    Route("PATCH", _ONE, patch, body=PATCH_BODY),
    Route("DELETE", _ONE, delete, ["recursive"]),
    Route("DELETE", _ONE + "/last_operation", cancel),
    Route("POST", _ONE + "/lock", lock),
    Route("DELETE", _ONE + "/lock", unlock),
    Route("GET", "/v2/resource_groups", resource_groups, _GROUP_QUERY),
)
