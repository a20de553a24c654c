# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, answers and routes: what all simulated APIs share."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from .accounts import Caller
from .shapes import Shape
from .world import World

IAM, RESOURCE_CONTROLLER, ADMIN, SEARCH, MONITORING = "iam", "resource_controller", "admin", "search", "monitoring"
METADATA = "metadata"
HTML = "<html><head><title>Error</title></head><body><h1>An error occurred in the gateway.</h1></body></html>"


@dataclass
class Request:
    """One HTTP request; ``path`` is what is left after the prefix of its API."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    full_path: str

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
        """Read a request line."""
        path, _dummy, query = target.partition("?")
        lowered = {name.lower(): value for name, value in headers.items()}
        return cls(method, path, parse_qsl(query, keep_blank_values=True), lowered, body, path)

    @property
    def segments(self) -> list[str]:
        """Return the decoded parts of the path."""
        return [unquote(part) for part in self.path.split("/")[1:]]

    @property
    def content_type(self) -> str:
        """Return the media type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass
class Answer:
    """One HTTP answer; ``body`` is JSON data, or bytes as they are."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def data(self) -> bytes:
        """Return the bytes of the body."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Refusal(Exception):
    """An error answer, not yet in the shape of an API. ``violation`` marks a mistake of the client."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        violation: bool = False,
        details: Any = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.violation = violation
        self.details = details
        self.body = body
        self.headers = headers or {}


@dataclass
class Call:
    """One request on its way through an API."""

    request: Request
    world: World
    now: float
    api: str
    guid: str | None = None
    caller: Caller | None = None
    processed: bool = False
    violation: str | None = None
    effects: set[str] = field(default_factory=set)
    arguments: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    json: Any = None

    @property
    def who(self) -> Caller:
        """Return the caller of a route that needs one."""
        assert self.caller is not None
        return self.caller

    @property
    def transaction(self) -> str:
        """Return the id of this call: the one that was sent, or a new one (API §2.2, §4.3)."""
        headers = self.request.headers
        sent = headers.get("x-global-transaction-id") or headers.get("transaction-id")
        if not sent:
            sent = headers["transaction-id"] = str(uuid.uuid4())
        return sent


Handler = Callable[[Call], Answer]


class Route(NamedTuple):
    """One documented call."""

    method: str
    path: str
    handler: Handler
    query: Sequence[str] = ()
    body: Shape | None = None
    open: bool = False
    form: bool = False

    def matches(self, segments: list[str]) -> dict[str, str] | None:
        """Return the path arguments if this is the path."""
        parts = self.path.split("/")[1:]
        if len(parts) != len(segments):
            return None
        found = {}
        for part, segment in zip(parts, segments, strict=True):
            if part.startswith("{") and segment:
                found[part[1:-1]] = segment
            elif part != segment:
                return None
        return found


def find(routes: Sequence[Route], request: Request) -> tuple[Route, dict[str, str]]:
    """Return the route of a request; 501 for an unknown path, 405 for an unknown method."""
    known = False
    for route in routes:
        arguments = route.matches(request.segments)
        if arguments is None:
            continue
        known = True
        if route.method == request.method:
            return route, arguments
    words = f"{request.method} {request.full_path} is not a documented call"
    raise Refusal(405 if known else 501, "not_implemented", words, violation=True)


def check_query(route: Route, call: Call) -> None:
    """Refuse unknown and repeated query parameters."""
    for name, value in call.request.query:
        if name not in route.query:
            raise Refusal(400, "invalid_query", f"unknown query parameter {name!r}", violation=True)
        if name in call.query:
            raise Refusal(400, "invalid_query", f"query parameter {name!r} given twice", violation=True)
        call.query[name] = value


def read_body(route: Route, call: Call) -> None:
    """Read and check a JSON body."""
    request = call.request
    if route.form:
        return
    if route.body is None:
        if request.body:
            raise Refusal(400, "invalid_body", "this call takes no body", violation=True)
        return
    if not request.body and not list(route.body(None, "body")):
        return
    if request.content_type != "application/json":
        raise Refusal(415, "unsupported_content_type", "Content-Type must be application/json", violation=True)
    try:
        call.json = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid_body", "the body is not JSON", violation=True) from None
    problems = list(route.body(call.json, "body"))
    if problems:
        raise Refusal(400, "invalid_body", problems[0], violation=True)


def whole_number(call: Call, name: str, default: int, lowest: int = 1, highest: int = 1000) -> int:
    """Return a query parameter that is a whole number."""
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not lowest <= int(text) <= highest:
        raise Refusal(400, "invalid_query", f"{name} is not a number from {lowest} to {highest}", violation=True)
    return int(text)


def choice(call: Call, name: str, values: Sequence[str]) -> str | None:
    """Return a query parameter that has only some values."""
    text = call.query.get(name)
    if text is not None and text not in values:
        raise Refusal(400, "invalid_query", f"{name} must be one of {', '.join(values)}", violation=True)
    return text


def spoil(status: int, kind: str, body: Any) -> tuple[Any, str]:
    """Return an error body in another form, and its content type (API §2.10)."""
    if kind == "html":
        return HTML.encode(), "text/html"
    if kind == "empty":
        return None, "text/plain"
    if kind == "array":
        return [{"StatusCode": status, "code": "error_in_array", "message": "The request failed."}], "application/json"
    data = json.dumps(body).encode()
    if kind == "truncated":
        return data[: max(1, len(data) // 2)], "application/json"
    return body, "application/json"
