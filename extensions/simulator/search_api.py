# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Global Search on the wire (API §8.1), as far as instances and their tags go."""

from __future__ import annotations

import base64
import json
import re
import uuid
from typing import Any

from . import shapes
from .accounts import Caller
from .instances import Instance
from .wire import Answer, Call, Refusal, Route, whole_number

DEFAULT_FIELDS = ("crn", "name", "family", "type", "account_id")
INFERRED_FIELDS = ("service_name", "region", "tags")
DEFAULT_LIMIT, LARGEST_LIMIT = 10, 100
ONE_TERM = re.compile(r'([a-z_]+):(?:"([^"]+)"|([A-Za-z0-9_-]+))')
SEARCH_BODY = shapes.mapping(
    optional={
        "query": shapes.text(shortest=1),
        "fields": shapes.array(shapes.text(shortest=1)),
        "search_cursor": shapes.text(shortest=1),
    }
)


def authenticate(call: Call) -> None:
    """Find the caller."""
    header = call.request.headers.get("authorization")
    if not header:
        raise Refusal(401, "unauthorized", "The Authorization header is missing", violation=True)
    kind, _dummy, token = header.partition(" ")
    known = call.world.tokens.check(token, call.now) if kind.lower() == "bearer" else "unknown"
    if not isinstance(known, Caller):
        raise Refusal(401, "unauthorized", "The token is expired or not valid")
    call.caller = known


def error(refusal: Refusal, call: Call) -> Answer:
    """Put a refusal into a shape; no source shows the one of this API."""
    entry = {"code": refusal.code, "message": refusal.message}
    body = {"errors": [entry], "status_code": refusal.status, "trace": _request_id(call)}
    return Answer(refusal.status, body, {"X-Request-Id": _request_id(call), **refusal.headers})


def _request_id(call: Call) -> str:
    return call.request.headers.setdefault("x-request-id", str(uuid.uuid4()))


def _item(instance: Instance) -> dict[str, Any]:
    """Return all fields of one instance."""
    return {
        "crn": str(instance.crn),
        "name": instance.name,
        "family": "resource_controller",
        "type": "resource-instance",
        "account_id": instance.account,
        "service_name": "messagehub",
        "region": instance.region,
        "tags": list(instance.tags),
    }


def _asked(call: Call) -> tuple[str, list[str], int, int]:
    """Return query, fields, page size and first row: of the body, or of the cursor, which comes alone."""
    body: dict[str, Any] = call.json
    limit = whole_number(call, "limit", DEFAULT_LIMIT, 1, LARGEST_LIMIT)
    if "search_cursor" in body:
        if len(body) > 1:
            raise Refusal(400, "invalid_body", "only search_cursor is sent for the next page", violation=True)
        try:
            query, fields, row = json.loads(base64.urlsafe_b64decode(body["search_cursor"].encode()))
            return str(query), [str(field) for field in fields], limit, int(row)
        except (ValueError, TypeError):
            raise Refusal(400, "invalid_cursor", "search_cursor is not a cursor", violation=True) from None
    if "query" not in body:
        raise Refusal(400, "invalid_body", "query or search_cursor is needed", violation=True)
    return body["query"], body.get("fields", list(DEFAULT_FIELDS)), limit, 0


def _visible_items(call: Call) -> list[dict[str, Any]]:
    if call.who.instances == "none":
        return []
    instances = call.world.instances.values()
    return [_item(one) for one in instances if one.account == call.who.account and not one.gone]


def _fits(value: Any, wanted: str) -> bool:
    return wanted in value if isinstance(value, list) else bool(wanted == value)


def search(call: Call) -> Answer:
    """Find the caller's resources; a query is one term, the only form of the Lucene syntax that is simulated."""
    query, fields, limit, row = _asked(call)
    term = ONE_TERM.fullmatch(query)
    if term is None:
        raise Refusal(400, "invalid_query", f"the query {query!r} is not simulated", violation=True)
    name, wanted = term[1], term[2] or term[3]
    if name not in (*DEFAULT_FIELDS, *INFERRED_FIELDS):
        raise Refusal(400, "invalid_query", f"the field {name!r} is not simulated", violation=True)
    searchable = name in DEFAULT_FIELDS or call.world.switches["search_fields"] == "all"
    found = [item for item in _visible_items(call) if searchable and _fits(item[name], wanted)]
    page = found[row : row + limit]
    body: dict[str, Any] = {"limit": limit, "items": [_chosen(item, fields) for item in page]}
    if len(page) == limit:
        cursor = json.dumps([query, fields, row + limit])
        body["search_cursor"] = base64.urlsafe_b64encode(cursor.encode()).decode()
    return Answer(200, body, {"X-Request-Id": _request_id(call)})


def _chosen(item: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    if "*" in fields:
        return item
    return {name: value for name, value in item.items() if name == "crn" or name in fields}


ROUTES = (Route("POST", "/v3/resources/search", search, ["limit"], SEARCH_BODY),)
