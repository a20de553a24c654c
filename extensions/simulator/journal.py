# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of every API request, without secrets."""

from __future__ import annotations

import json
from typing import Any

from .clock import iso_millis
from .wire import Call

REDACTED = "<redacted>"
READING = ("/identity/token", "/v3/resources/search", "/instance_identity/v1/token", "/instance_identity/v1/iam_token")
SECRET_FIELDS = ("apikey", "refresh_token", "access_token", "passcode", "cr_token")


def is_write(method: str, path: str) -> bool:
    """Tell whether a request can change state: everything except GET, the token call and a search."""
    return method != "GET" and not (method in ("POST", "PUT") and path.endswith(READING))


class Journal:
    """Entries in the order in which requests were taken up."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._number = 0

    def record(self, call: Call, status: int | None, fault: str | None) -> dict[str, Any]:
        """Write one entry; ``status`` is None when no answer was sent."""
        self._number += 1
        request, secrets = call.request, call.world.tokens.secrets()
        entry = {
            "number": self._number,
            "time": iso_millis(call.now),
            "clock": call.now,
            "api": call.api,
            "instance": call.guid,
            "method": request.method,
            "path": _clean(request.full_path, secrets),
            "query": {name: _clean(value, secrets) for name, value in request.query},
            "content_type": request.content_type or None,
            "authorization": _scheme(request.headers),
            "body": _body(call, secrets),
            "status": status,
            "write": is_write(request.method, request.path),
            "processed": call.processed,
            "account": call.caller.account if call.caller else None,
            "caller": call.caller.name if call.caller else None,
            "fault": fault,
            "violation": call.violation,
        }
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget everything except the numbering."""
        self.entries = []


def _scheme(headers: dict[str, str]) -> str | None:
    if "authorization" in headers:
        return headers["authorization"].partition(" ")[0] + " " + REDACTED
    return REDACTED if "x-auth-token" in headers else None


def _body(call: Call, secrets: list[str]) -> Any:
    body = call.json
    if body is None and call.request.body:
        try:
            body = json.loads(call.request.body)
        except (ValueError, RecursionError):
            body = call.request.body.decode("utf-8", "replace")[:2000]
    return _clean(body, secrets)


def _clean(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {name: REDACTED if name in SECRET_FIELDS else _clean(entry, secrets) for name, entry in value.items()}
    if isinstance(value, list):
        return [_clean(entry, secrets) for entry in value]
    if isinstance(value, str):
        for secret in secrets:
            if secret in value:
                value = value.replace(secret, REDACTED)
    return value
