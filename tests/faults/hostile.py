# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that no service should give, and a small cloud that gives them.

``Wire`` replaces the sockets, and nothing above them: requests, urllib3 and http.client read real bytes. ``World`` is a cloud with a
state that answers every request rightly. A ``Tamper`` turns a right answer into the bytes of a hostile one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import io
import json
import re
import typing as t
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Iterator

import pytest
import urllib3.connection
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    EPOCH,
    SOURCE,
    TARGET,
    FakeClock,
    document,
    operation,
    policy_v1,
    policy_v2,
    token_reply,
)

NOTHING = object()
"""What a body means that is not JSON."""

OPERATION_SECONDS = 90.0
SOURCE_TOPICS = [{"name": name, "partitions": 3} for name in ("orders", "payments", "__internal")]
IDENTITY = "identity-of-the-virtual-server"
TARGET_TOPICS = [{"name": name, "partitions": 3} for name in ("orders.us-south", "us-south.checkpoints.internal")]
V2_ID, PLACEHOLDER_ID = "p-of-v2", "p-behind-placeholder"


class Request(t.NamedTuple):
    """A request as it came in."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    body: bytes
    head: str


class Answer(t.NamedTuple):
    """A right answer, before anybody meddles with it."""

    status: int
    document: t.Any
    headers: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass
class Served:
    """An answer that went out. ``meaning`` is what its body says to whoever reads JSON, computed here and not by the collection;
    ``certain``, whether all of it can be read; ``clean``, whether nothing but the document is not what it should be."""

    kind: str
    status: int
    meaning: t.Any
    size: int
    hostile: bool
    certain: bool
    clean: bool


# --- the wire ---------------------------------------------------------------------------------------------------------


class _Socket:
    """A connected socket as http.client uses one."""

    def __init__(self, host: str, respond: Callable[[Request], t.BinaryIO]) -> None:
        self._host, self._respond = host, respond
        self._sent = bytearray()

    def sendall(self, data: t.Any) -> None:
        self._sent += bytes(data)

    def makefile(self, *mode: t.Any, **settings: t.Any) -> t.BinaryIO:
        head, _mark, body = bytes(self._sent).partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        method, target, _version = text.split("\r\n")[0].split(" ")
        parts = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        return self._respond(Request(method, self._host, parts.path, query, body, text))

    def settimeout(self, seconds: t.Any) -> None:
        """Time does not pass here."""

    def shutdown(self, how: int) -> None:
        """Nothing to shut."""

    def close(self) -> None:
        """Nothing to close."""


@contextlib.contextmanager
def wired(respond: Callable[[Request], t.BinaryIO]) -> Iterator[None]:
    """Every connection, TLS or not, leads to a function; each request has a connection of its own."""

    def connect(connection: t.Any) -> None:
        connection.sock = _Socket(connection.host, respond)
        connection.is_verified = True
        connection.proxy_is_verified = None

    with pytest.MonkeyPatch.context() as patch:
        for kind in (urllib3.connection.HTTPConnection, urllib3.connection.HTTPSConnection):
            patch.setattr(kind, "connect", connect)
            patch.setattr(kind, "is_connected", property(lambda connection: False))
        yield


class Stream(io.RawIOBase):
    """Bytes that are made while they are read, and counted."""

    def __init__(self, chunks: Iterable[bytes], each: Callable[[], None] | None = None) -> None:
        self._chunks = iter(chunks)
        self._left = b""
        self._each = each
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        if not self._left:
            self._left = next(self._chunks, b"")
            if self._each is not None:
                self._each()
        part, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(part)] = part
        self.taken += len(part)
        return len(part)


class _Broken(io.RawIOBase):
    """Bytes, and then an error instead of an end."""

    def __init__(self, data: bytes, error: OSError) -> None:
        self._data, self._error = io.BytesIO(data), error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        number = self._data.readinto(buffer)
        if not number:
            raise self._error
        return number


def plain_response(status: int, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A well-formed response."""
    head = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *(f"{n}: {v}" for n, v in headers)]
    return "\r\n".join([*head, "", ""]).encode("latin-1", "replace") + body


def streamed(
    chunks: Iterable[bytes], *headers: str, each: Callable[[], None] | None = None
) -> tuple[Stream, t.BinaryIO]:
    """A response of status 200 whose body is made while it is read, without a length; and the counter of its bytes."""
    head = "\r\n".join(["HTTP/1.1 200 OK", *headers, "", ""]).encode()

    def parts() -> Iterator[bytes]:
        yield head
        yield from chunks

    stream = Stream(parts(), each)
    return stream, t.cast(t.BinaryIO, io.BufferedReader(stream, 65536))


# --- the cloud that answers rightly -----------------------------------------------------------------------------------


METRICS = "/api/prometheus/api/v1/"


class World:
    """Two instances, policies, topics and mirroring, over virtual time."""

    def __init__(self, clock: FakeClock, *, enabled: bool = False, authorized: bool = True) -> None:
        self.clock = clock
        self.enabled = enabled
        self.selection: list[str] = ["^orders$"] if enabled else []
        self.policies = {"p1": policy_v1("p1")} if authorized else {}
        self.policies["p-other"] = policy_v1("p-other", subject=SOURCE, resource=TARGET)
        self.patches = self.posts = self.deletes = self.selects = 0
        self.target_topics = list(TARGET_TOPICS)
        self.deletions: list[str] = []
        self._ends: float | None = None
        self._aim = enabled
        self._updates = 0

    def answer(self, request: Request) -> tuple[str, Answer]:
        """The kind of a request and the right answer to it. The world changes as it would."""
        path = request.path
        self._settle()
        if path.endswith(("/identity/token", "/v1/iam_token")):
            return "token", Answer(200, token_reply())
        if path.endswith("/instance_identity/v1/token"):
            return "identity", Answer(200, {"access_token": IDENTITY, "expires_in": 300})
        if path == "/v2/resource_instances":
            name = request.query.get("name")
            listed = [self._instance(guid) for guid in (SOURCE, TARGET)]
            listed = [one for one in listed if name in (None, one["name"])]
            return "list", Answer(200, {"rows_count": len(listed), "next_url": None, "resources": listed})
        if path.startswith("/v2/resource_instances/"):
            return self._one_instance(request, urllib.parse.unquote(path.rpartition("/")[2]))
        if path.startswith(("/v1/policies", "/v2/policies")):
            return self._policies(request)
        if path.startswith(METRICS):
            return self._metrics(request)
        return self._admin(request)

    def accepted(self) -> int:
        """Writes of all kinds that were accepted."""
        removed = len(TARGET_TOPICS) - len(self.target_topics)
        return self.patches + self.posts + self.deletes + self.selects + removed

    def _settle(self) -> None:
        if self._ends is not None and self.clock.now >= self._ends:
            self._ends, self.enabled = None, self._aim
            self._updates += 1
            if not self.enabled:
                self.selection = []

    def _instance(self, guid: str) -> dict[str, t.Any]:
        if guid == SOURCE:
            return document(guid=SOURCE, region="us-south", name="es-source")
        state = operation("in progress", "update") if self._ends is not None else operation()
        return document(last_operation=state, updated_at=f"2025-08-28T19:41:{self._updates:02}Z")

    def _one_instance(self, request: Request, identity: str) -> tuple[str, Answer]:
        guid = next((guid for guid in (SOURCE, TARGET) if guid in identity), None)
        if guid is None:
            return "instance", Answer(404, {"error_code": "RC-InstanceNotFound", "message": "no such instance"})
        if request.method != "PATCH":
            return "instance", Answer(200, self._instance(guid))
        if self._ends is not None:
            return "patch", Answer(
                422, {"error_code": "RC-ServiceBrokerErrorResponse", "message": "an update is in progress"}
            )
        self.patches += 1
        self._updates += 1
        self._aim = not json.loads(request.body)["parameters"]["mirroring"].get("disable")
        self._ends = self.clock.now + OPERATION_SECONDS
        return "patch", Answer(202, self._instance(guid))

    def _policies(self, request: Request) -> tuple[str, Answer]:
        path, method = request.path, request.method
        if method == "POST":
            body = json.loads(request.body)
            if any(_same_policy(body, policy) for policy in self.policies.values()):
                error = {"code": "policy_conflict_error", "message": "an identical policy already exists"}
                error["details"] = {"conflicts_with": {"policy": {"id": "p-new"}}}  # type: ignore[assignment]
                return "create", Answer(409, {"trace": "1", "errors": [error], "status_code": 409})
            self.posts += 1
            self.policies["p-new"] = {
                **body,
                "id": "p-new",
                "state": "active",
                "created_at": "2026-01-01T00:16:40.000Z",
            }
            return "create", Answer(201, self.policies["p-new"], (("ETag", "1-d2308696cbd77da3fd25a4a2a1a9ee3f"),))
        if method == "DELETE":
            self.deletes += 1
            self.policies.pop(path.rpartition("/")[2], None)
            return "delete", Answer(204, None)
        if path == "/v1/policies":
            hidden = policy_v1(PLACEHOLDER_ID, href=f"https://iam.cloud.ibm.com/v2/policies/{PLACEHOLDER_ID}")
            listed = [*self.policies.values(), hidden]
            return "v1", Answer(200, {"limit": 50, "first": {"href": "https://iam.cloud.ibm.com/"}, "policies": listed})
        other = policy_v2(V2_ID, subject=SOURCE, resource=TARGET)
        if path == "/v2/policies":
            return "v2", Answer(200, {"limit": 50, "policies": [other]})
        return "policy", Answer(200, {**other, "id": PLACEHOLDER_ID})

    def _metrics(self, request: Request) -> tuple[str, Answer]:
        """One value for each topic, whatever was asked."""
        over = request.path.endswith("_range")
        kind, key, value = ("matrix", "values", [[now_of(self.clock), "1.5"]]) if over else ("vector", "value", None)
        found = [
            {"metric": {"ibm_eventstreams_topic": name}, key: value or [now_of(self.clock), "1.5"]}
            for name in ("orders", "payments")
        ]
        return kind, Answer(200, {"status": "success", "data": {"resultType": kind, "result": found}})

    def _admin(self, request: Request) -> tuple[str, Answer]:
        path, is_target = request.path, TARGET[:8] in request.host
        off = Answer(404, {"error_code": 40400, "message": "mirroring is not enabled", "incident_id": "17afe715"})
        on = is_target and self.enabled
        if path == "/admin/topics":
            topics = self.target_topics if is_target else SOURCE_TOPICS
            page = int(request.query.get("page", 1))
            total = (("X-Total-Count", str(len(topics))),)
            return "topics", Answer(200, topics if page == 1 else [], total if page == 1 else ())
        if request.method == "DELETE":
            name = urllib.parse.unquote(path.rpartition("/")[2])
            self.deletions.append(name)
            left = [topic for topic in self.target_topics if topic["name"] != name]
            found = len(left) < len(self.target_topics)
            self.target_topics = left
            return "remove", Answer(202, {}) if found else Answer(
                404, {"error_code": 40403, "message": "no such topic"}
            )
        if path == "/admin/mirroring/topic-selection" and request.method == "POST":
            if on:
                self.selects += 1
                self.selection = json.loads(request.body)["includes"]
            return "select", Answer(200, {"includes": self.selection}) if on else off
        if path == "/admin/mirroring/topic-selection":
            return "selection", Answer(200, {"includes": self.selection}) if on else off
        if path == "/admin/mirroring/active-topics":
            return "active", Answer(200, {"active_topics": ["orders"]}) if on else off
        return "status", Answer(200, {"status": "available"})


def _same_policy(one: dict[str, t.Any], other: dict[str, t.Any]) -> bool:
    """IAM's own test: the same attributes and roles."""

    def core(policy: dict[str, t.Any]) -> str:
        sides = [policy[side] for side in ("subjects", "resources")]
        return json.dumps([sides, [role["role_id"] for role in policy["roles"]]])

    return core(one) == core(other)


# --- what makes an answer hostile -------------------------------------------------------------------------------------


class Raw(str):
    """A piece of text that goes into the JSON as it is, also where it is none."""


class Twice(t.NamedTuple):
    """Two values for one key."""

    first: t.Any
    second: t.Any


class Change(t.NamedTuple):
    """One thing done to a document; ``where`` leads to a place in whatever document that is."""

    what: str
    where: tuple[int, ...]
    value: t.Any


@dataclasses.dataclass(frozen=True)
class Tamper:
    """How a right answer becomes a hostile one. ``reaches``: whether the service saw the request at all."""

    changes: tuple[Change, ...] = ()
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    text: str = "plain"
    framing: str = "length"
    share: float = 0.5
    reaches: bool = True

    @property
    def clean(self) -> bool:
        """Whether only the document is not what it should be."""
        return (self.text, self.framing, self.status, self.headers) == ("plain", "length", None, ())

    def apply(self, kind: str, answer: Answer, request: Request) -> tuple[t.BinaryIO, Served]:
        """The stream of bytes, and what it says."""
        tree = answer.document
        for change in self.changes:
            tree = _changed(tree, change)
        body = TEXTS[self.text]("" if tree is None else write(tree), self.share, request)
        message = Message(answer.status if self.status is None else self.status, (*answer.headers, *self.headers), body)
        framed = FRAMINGS[self.framing](message, self.share)
        status = message.status if framed.status is None else framed.status
        arrived = b"" if _bodiless(status) else framed.arrived
        return framed.stream, Served(kind, status, meaning(arrived), len(body), True, framed.certain, self.clean)


def meaning(body: bytes) -> t.Any:
    """What a reader of JSON makes of a body."""
    try:
        return json.loads(body.decode("utf-8", "replace"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        return NOTHING


def _no_number(constant: str) -> t.NoReturn:
    raise ValueError(constant)


def write(value: t.Any) -> str:
    """JSON, and what is none."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Twice):
        raise TypeError("only a member can be there twice")
    if isinstance(value, dict):
        members = []
        for key, one in value.items():
            twice = [one.first, one.second] if isinstance(one, Twice) else [one]
            members += [f"{json.dumps(key)}: {write(each)}" for each in twice]
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write, value)) + "]"
    return json.dumps(value)


def _changed(tree: t.Any, change: Change, depth: int = 0) -> t.Any:
    """The document after a change; the way leads down while there is a way, and a child."""
    if isinstance(tree, Twice):
        tree = tree.second
    children = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else []
    if depth < len(change.where) and children and not isinstance(tree, Raw):
        key = children[change.where[depth] % len(children)]
        last = depth + 1 == len(change.where) or not (tree[key] and isinstance(tree[key], (dict, list, Twice)))
        copy = dict(tree) if isinstance(tree, dict) else list(tree)
        if last and change.what == "drop":
            del copy[key]
        elif last and change.what == "twice" and isinstance(tree, dict) and not isinstance(tree[key], Twice):
            copy[key] = Twice(tree[key], change.value)
        elif last and change.what == "repeat" and isinstance(tree, list):
            copy += [tree[key]] * 50
        else:
            copy[key] = _changed(tree[key], change, depth + 1)
        return copy
    if change.what == "wrap":
        return [tree]
    if change.what == "nest":
        return {"errors": [{"errors": tree}]}
    if change.what == "swap":
        return _other_type(tree)
    if change.what == "add" and isinstance(tree, dict):
        return {**tree, "unheard_of": change.value, "": change.value}
    if change.what == "add" and isinstance(tree, list):
        return [*tree, change.value]
    return change.value


def _other_type(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return list(value)
    if isinstance(value, dict):
        return list(value.items())
    return str(value)


def _cut(text: str, share: float, request: Request) -> bytes:
    return text.encode()[: int(len(text) * share)]


def _echo(text: str, share: float, request: Request) -> bytes:
    """What a debugging proxy sends: the request, with everything secret in it, after more or less other text."""
    secret = urllib.parse.unquote_plus(f"{request.head} {request.body.decode('utf-8', 'replace')}")
    return json.dumps({"message": "x" * int(share * 700) + " " + secret}).encode()


TEXTS: dict[str, Callable[[str, float, Request], bytes]] = {
    "plain": lambda text, share, request: text.encode(),
    "bom": lambda text, share, request: b"\xef\xbb\xbf" + text.encode(),
    "utf-16": lambda text, share, request: text.encode("utf-16"),
    "utf-16 without mark": lambda text, share, request: text.encode("utf-16-be"),
    "utf-32": lambda text, share, request: text.encode("utf-32"),
    "not utf-8": lambda text, share, request: text.encode().replace(b"e", b"\xff\xc3", 3),
    "surrogate bytes": lambda text, share, request: text.encode().replace(b"a", b"\xed\xa0\x80", 2),
    "cut": _cut,
    "trailing": lambda text, share, request: text.encode() + b"}]",
    "two documents": lambda text, share, request: f"{text}\n{text}".encode(),
    "html": lambda text, share, request: b"<html><script>var x = {};</script><h1>502 Bad Gateway</h1>" + b"<br>" * 400,
    "half html": lambda text, share, request: b"<script>" * 100 + b"<" * 1000,
    "echo": _echo,
    "empty": lambda text, share, request: b"",
    "spaces": lambda text, share, request: b" \r\n\t" * 100,
    "nul": lambda text, share, request: text.encode() + b"\x00",
    "only nul": lambda text, share, request: b"\x00" * 500,
    "words": lambda text, share, request: b"an upstream error " * 500,
    "control": lambda text, share, request: b"\x1b[2J\x07\x9b\x85" * 30,
    "json with comment": lambda text, share, request: text.encode() + b" // generated",
    "jsonp": lambda text, share, request: f"callback({text})".encode(),
    "deep": lambda text, share, request: b"[" * 100_000,
    "deep and closed": lambda text, share, request: b'{"errors":[' * 20_000 + b"]}" * 20_000,
}


class Message(t.NamedTuple):
    """A response before it is put into bytes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def head(self, *more: str) -> bytes:
        """The bytes before the body."""
        lines = [
            f"HTTP/1.1 {self.status} Whatever",
            *(f"{name}: {value}" for name, value in self.headers),
            *more,
            "",
            "",
        ]
        return "\r\n".join(lines).encode("latin-1", "replace")


class Framed(t.NamedTuple):
    """A response in bytes, which part of the body can arrive at most, whether it does, and the status if it is another one."""

    stream: t.BinaryIO
    arrived: bytes
    certain: bool = True
    status: int | None = None


Framing = Callable[[Message, float], Framed]


def _bodiless(status: int) -> bool:
    return status in (204, 304) or status < 200


def _length(message: Message, share: float) -> Framed:
    return Framed(io.BytesIO(message.head(f"Content-Length: {len(message.body)}") + message.body), message.body)


def _no_length(message: Message, share: float) -> Framed:
    return Framed(io.BytesIO(message.head() + message.body), message.body)


def _said(line: str) -> Framing:
    """A header line about the body that is not true, or makes no sense."""

    def framed(message: Message, share: float) -> Framed:
        head = message.head(line.format(more=len(message.body) + 100))
        return Framed(io.BytesIO(head + message.body), message.body, certain=False)

    return framed


def _encoded(name: str, encode: Callable[[bytes], bytes], certain: bool = False) -> Framing:
    def framed(message: Message, share: float) -> Framed:
        data = encode(message.body)
        head = message.head(f"Content-Encoding: {name}", f"Content-Length: {len(data)}")
        return Framed(io.BytesIO(head + data), message.body, certain)

    return framed


def _chunked(message: Message, share: float) -> Framed:
    body = message.body
    middle = int(len(body) * share)
    parts = [part for part in (body[:middle], body[middle:]) if part]
    data = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    return Framed(io.BytesIO(message.head("Transfer-Encoding: chunked") + data), body)


def _chunks_of(data: bytes) -> Framing:
    def framed(message: Message, share: float) -> Framed:
        return Framed(io.BytesIO(message.head("Transfer-Encoding: chunked") + data), b"", certain=False)

    return framed


def _shorter(message: Message, share: float) -> Framed:
    part = message.body[: int(len(message.body) * share)]
    return Framed(io.BytesIO(message.head(f"Content-Length: {len(part)}") + message.body), part)


def _all(data: bytes) -> Framing:
    """These bytes and nothing else; if they are taken for an answer at all, it is one of status 200."""

    def framed(message: Message, share: float) -> Framed:
        return Framed(io.BytesIO(data), data.rpartition(b"\r\n\r\n")[2], certain=False, status=200)

    return framed


def _ends_with(make: Callable[[], OSError]) -> Framing:
    def framed(message: Message, share: float) -> Framed:
        data = message.head(f"Content-Length: {len(message.body) + 1}") + message.body[: int(len(message.body) * share)]
        return Framed(t.cast(t.BinaryIO, io.BufferedReader(_Broken(data, make()))), b"", certain=False)

    return framed


FRAMINGS: dict[str, Framing] = {
    "length": _length,
    "no length": _no_length,
    "longer than it is": _said("Content-Length: {more}"),
    "shorter than it is": _shorter,
    "length of words": _said("Content-Length: many"),
    "negative length": _said("Content-Length: -5"),
    "two lengths": _said("Content-Length: 3, 5"),
    "huge length": _said("Content-Length: " + "9" * 400),
    "chunked": _chunked,
    "broken chunks": _chunks_of(b"zz\r\nhello\r\n"),
    "huge chunk": _chunks_of(b"f" * 200 + b"\r\n{}"),
    "cut chunk": _chunks_of(b"50\r\n{"),
    "long chunk line": _chunks_of(b"1;" + b"x" * 70_000 + b"\r\n"),
    "gzip": _encoded("gzip", gzip.compress, certain=True),
    "gzip that is none": _encoded("gzip", lambda body: body),
    "gzip cut": _encoded("gzip", lambda body: gzip.compress(body)[:-12]),
    "gzip with a wrong sum": _encoded("gzip", lambda body: gzip.compress(body)[:-8] + b"12345678"),
    "gzip and rubbish": _encoded("gzip", lambda body: gzip.compress(body) + b"rubbish"),
    "gzip twice": _encoded("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    "gzip many times": _encoded(", ".join(["gzip"] * 50), gzip.compress),
    "deflate": _encoded("deflate", zlib.compress),
    "deflate that is none": _encoded("deflate", lambda body: body),
    "unknown encoding": _encoded("br;zstd;q=nan", lambda body: body),
    "no status": _all(b"hello\r\n\r\n"),
    "old protocol": _all(b"HTTP/0.9 200\r\n\r\n{}"),
    "status of words": _all(b"HTTP/1.1 OK fine\r\n\r\n"),
    "huge status": _all(b"HTTP/1.1 99999 OK\r\n\r\n"),
    "nothing": _all(b""),
    "endless status line": _all(b"HTTP/1.1 200 " + b"x" * 70_000),
    "many headers": _all(b"HTTP/1.1 200 OK\r\n" + b"X-More: 1\r\n" * 300 + b"\r\n{}"),
    "long header": _all(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n{}"),
    "rubbish headers": _all(b"HTTP/1.1 200 OK\r\n: none\r\nno colon\r\n \xff\xfe folded\r\n\r\n{}"),
    "reset": _ends_with(lambda: ConnectionResetError(104, "Connection reset by peer")),
    "silence": _ends_with(lambda: TimeoutError("timed out")),
}

STATUSES = (
    100,
    101,
    199,
    200,
    201,
    202,
    204,
    206,
    226,
    299,
    300,
    301,
    302,
    304,
    307,
    308,
    400,
    401,
    402,
    403,
    404,
    405,
)
STATUSES += (
    406,
    408,
    409,
    410,
    412,
    413,
    415,
    418,
    422,
    423,
    425,
    428,
    429,
    431,
    451,
    500,
    501,
    502,
    503,
    504,
    520,
    599,
    999,
)

HEADERS: tuple[tuple[str, str], ...] = (
    *(
        ("Retry-After", value)
        for value in (
            "0", "-1", "1e9", "1e400", "inf", "-inf", "nan", "9" * 500, "0x10", "1_0", " 5 ", "soon", "", "\xb2", "5;q=1",
            "Wed, 21 Oct 2099 07:28:00 GMT", "Mon, 01 Jan 0001 00:00:00 -0000", "Mon, 01 Jan 9999 23:59:59 -2359",
            "Mon, 01 Jan 0000 00:00:00 +9999", "Fri, 31 Feb 2026 25:61:61 GMT", "Mon, 01 Jan 99999 00:00:00 GMT", ",", "()",
            "Thu, 01 Jan 1970 00:00:00", "1 Jan 1800 00:00:00 -0000", "Wed, 21 Oct 2015 07:28:00 +99999999999999999999",
        )
    ),
    *(("X-Total-Count", value) for value in ("", "-1", "0", "1", "9" * 5000, "many", "1e3", "\xb2", "1, 2", "nan")),
    *(
        ("Link", value)
        for value in (
            '<https://x/?page=2>; rel="next"', "rel=next", "next", "<", '<http://[>; rel="last"', "," * 5000,
            '</admin/topics?page=1>; rel="next"; rel="next"',
        )
    ),
    *(
        (name, value)
        for name in ("X-Global-Transaction-Id", "Transaction-Id", "X-Request-Id")
        for value in ("", "\x07\x1b[31m", "\xe9\xff\x80\x85", "t" * 20_000, "{{ lookup('pipe', 'id') }}", "\x00", "a\tb")
    ),
    *(("Content-Type", value) for value in ("text/html", "application/json; charset=utf-16", "x; charset=nonsense", ";", "\xff")),
    ("Set-Cookie", "a=b; expires=never; domain=.ibm.com; path=\xff"),
    ("Location", "http://[evil"),
    ("Content-Type", "multipart/byteranges; boundary=x"),
    ("Trailer", "X"),
    ("Upgrade", "h2c"),
)  # fmt: skip

LONG = 20_000
RUBBISH: tuple[t.Any, ...] = (
    None, True, False, 0, -1, 1, 2, 150, 10**18, 1.5, -0.0,
    Raw("9" * 5000), Raw("-" + "9" * 5000), Raw("9" * 4299), Raw("1" * 4300), Raw("1e400"), Raw("-1e400"), Raw("NaN"),
    Raw("Infinity"), Raw("-Infinity"), Raw("1." + "0" * 5000), Raw("01"), Raw("0x10"), Raw("undefined"), Raw("'x'"), Raw(""),
    Raw('"\\ud800"'), Raw('"name\\udfff"'), Raw('"\\udc00\\ud800"'), Raw('"\\ud83d\\ude00"'), Raw('"\\x"'), Raw('"tab\there"'),
    Raw('{"\\ud800": "\\udbff"}'), Raw("[" * 100_000 + "]" * 100_000), Raw('{"a":' * 300 + "1" + "}" * 300),
    Raw("[" * 60 + "]" * 60), Raw('{"error":' * 200 + "1" + "}" * 200), Raw("[" + "[]," * 5000 + "0]"),
    "", " ", "0", "-1", "150", "150.0", "1_50", " 150 ", "\uff11\uff15\uff10", "9" * 5000, "9" * 4300, "1e400", "nan", "null",
    "x" * LONG, "\u20ac" * LONG, "\U0001f600" * 500, "a b " * (LONG // 4), "\x00", "\x1b[2J\x07", "line\nbreak\r\n", "\u2028\u202e\ufeff",
    "crn:", "crn:v1:::::::", "crn:v1:bluemix:public:kms:us-south:a/x:guid:messagehub:", ":messagehub:", "crn" + ":" * 5000,
    f"crn:v1:bluemix:public:messagehub:us-south:a/{ACCOUNT}:{SOURCE}::",
    f"crn:v1:bluemix:public:messagehub:us-east:a/{ACCOUNT}:{TARGET}::",
    f"crn:v1:bluemix:public:messagehub::a/{ACCOUNT}:../../..::",
    SOURCE, TARGET, ACCOUNT, "..", "../../identity", "/v2/policies/", "http://[", "https://[::1", "https://\u2100.example",
    "/v2/resource_instances?start=", "/v2/resource_instances?start=a&start=b", "https://x/?start=%ED%A0%80", "?start=" + "s" * LONG,
    "in progress", "succeeded", "failed", "SYNC_SUCCEEDED", "update failed", "active", "removed", "deleted", "none", "unheard-of",
    "*", "*" * 30, "*a" * 30 + "!", "?*" * 30 + "!", "stringMatch", "stringExists", "stringEqualsAnyOf", "accountId", "serviceName",
    "(", "[a-", "(?<name>x)", "\\p{L}+", "a{99999999999}", ".*", "^" + "(" * 300 + ")" * 300,
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-13-99T99:99:99Z", "2026-01-01T00:00:00." + "1" * 5000 + "Z",
    "{{ 7 * 7 }}", "https://evil.example.com", "http://169.254.169.254/latest", "https://user:pw@x.containers.appdomain.cloud",
    "https://mh-22222222.us-east.containers.appdomain.cloud:99999", "https://x.containers.appdomain.cloud/" + "p" * 5000,
    [], {}, [[]], [{}], [None], [""], ["x", 5, None, {}], [True], {"": None}, {"start": "again"}, {"start": 5},
    {"href": "http://[", "start": None}, {"href": "https://x/?start=t"}, {"disable": True}, {"source_crn": 5}, {"x": 1},
    {"source_crn": "crn:x", "source_alias": [], "options": 5, "schemas": {"deep": [[[]]]}, "topic_name_transform": {"type": []}},
    {"type": "rename", "rename": {"add_prefix": {"x": 1}}}, {"bss": {"x": 1}}, [{"role_id": ["x"]}], [{"name": {"x": 1}}],
    [{"code": {"a": 1}, "message": ["x"]}], list(range(2000)), [f"t{number}" for number in range(3000)], {"message": "m" * LONG},
)  # fmt: skip


def changes() -> st.SearchStrategy[Change]:
    """Anything done to any place of any document."""
    simple = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    arbitrary = st.recursive(
        simple,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    )
    rubbish = st.sampled_from(range(len(RUBBISH))).map(RUBBISH.__getitem__)
    what = st.sampled_from(
        ("replace", "replace", "replace", "drop", "drop", "add", "twice", "repeat", "wrap", "nest", "swap")
    )
    return st.builds(
        Change,
        what,
        st.lists(st.integers(0, 60), max_size=7).map(tuple),
        st.one_of(rubbish, rubbish, rubbish, arbitrary),
    )


def tampers() -> st.SearchStrategy[Tamper]:
    """Hostile answers: mostly documents, else what surrounds them, or everything at once."""
    status = st.sampled_from(STATUSES)
    share = st.floats(0, 1, allow_nan=False)
    headers = st.lists(st.sampled_from(HEADERS), max_size=3).map(tuple)
    texts, framings = st.sampled_from(tuple(TEXTS)), st.sampled_from(tuple(FRAMINGS))
    some = st.lists(changes(), min_size=1, max_size=3).map(tuple)
    documents = st.builds(Tamper, changes=some)
    return st.one_of(
        documents,
        documents,
        documents,
        st.builds(Tamper, changes=some, status=status, headers=headers, reaches=st.booleans()),
        st.builds(Tamper, changes=some, headers=headers.filter(bool)),
        st.builds(Tamper, status=st.none() | status, text=texts, share=share, headers=headers, reaches=st.booleans()),
        st.builds(Tamper, framing=framings, share=share, headers=headers, status=st.none() | status),
        st.builds(
            Tamper,
            changes=some,
            status=status,
            headers=headers,
            text=texts,
            framing=framings,
            share=share,
            reaches=st.booleans(),
        ),
    )


# --- both together ----------------------------------------------------------------------------------------------------

Choose = Callable[[str, int], "Tamper | None"]


def never(kind: str, number: int) -> Tamper | None:
    """Every answer is right."""
    return None


class Cloud:
    """The world behind the wire. ``choose`` gets the kind and the number of a request and says how to meddle with the answer."""

    def __init__(self, world: World, choose: Choose, most: int) -> None:
        self.world = world
        self.choose = choose
        self.most = most
        self.served: list[Served] = []
        self.requests: list[str] = []

    def __enter__(self) -> Cloud:
        self._wired = wired(self._respond)
        self._wired.__enter__()
        return self

    def __exit__(self, *what: t.Any) -> None:
        self._wired.__exit__(*what)

    @property
    def hostile(self) -> int:
        """How many hostile answers were served."""
        return sum(one.hostile for one in self.served)

    def sent(self) -> int:
        """How many bytes of bodies were served."""
        return sum(one.size for one in self.served)

    def of(self, *kinds: str) -> list[Served]:
        """The answers of some kinds."""
        return [one for one in self.served if one.kind in kinds]

    def _respond(self, request: Request) -> t.BinaryIO:
        self.requests.append(f"{request.method} {request.path[:200]}")
        if len(self.requests) > self.most:
            raise AssertionError(f"more than {self.most} requests; the last: {self.requests[-6:]}")
        kind = kind_of(request)
        tamper = self.choose(kind, len(self.requests))
        if tamper is not None and not tamper.reaches:
            answer = Answer(503, {"message": "upstream"})
        else:
            kind, answer = self.world.answer(request)
        if tamper is None:
            body = b"" if answer.document is None else json.dumps(answer.document).encode()
            self.served.append(Served(kind, answer.status, meaning(body), len(body), False, True, True))
            return io.BytesIO(plain_response(answer.status, body, answer.headers))
        stream, served = tamper.apply(kind, answer, request)
        self.served.append(served)
        return stream


def kind_of(request: Request) -> str:
    """What a request is about, for whoever chooses what to meddle with."""
    method, path = request.method, request.path
    if path.endswith(("/identity/token", "/v1/iam_token")):
        return "token"
    if path.endswith("/instance_identity/v1/token"):
        return "identity"
    if path == "/v2/resource_instances":
        return "list"
    if path.startswith("/v2/resource_instances/"):
        return "patch" if method == "PATCH" else "instance"
    if path.startswith(("/v1/policies", "/v2/policies")):
        if method != "GET":
            return "create" if method == "POST" else "delete"
        return {"/v1/policies": "v1", "/v2/policies": "v2"}.get(path, "policy")
    if method == "DELETE":
        return "remove"
    last = path.rpartition("/")[2]
    return {
        "query": "vector",
        "query_range": "matrix",
        "topics": "topics",
        "active-topics": "active",
        "topic-selection": "select" if method == "POST" else "selection",
    }.get(last, "status")


# --- what may come out ------------------------------------------------------------------------------------------------


def spoken(text: str, longest: int | None = None) -> str:
    """The text, after it has been found fit to be shown."""
    assert isinstance(text, str), type(text)
    text.encode("utf-8")
    assert longest is None or len(text) <= longest, f"{len(text)} characters: {text[:200]!r}"
    return text


def transported(result: t.Any, longest: int) -> str:
    """The result as JSON, after it has been found fit for it: strict JSON in UTF-8, not long, not deep."""
    text = json.dumps(result, allow_nan=False, ensure_ascii=False)
    spoken(text, longest)
    assert depth(result) <= 40
    return text


def depth(value: t.Any) -> int:
    """How deep a value is nested."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            child
            for one in level
            if isinstance(one, (dict, list, tuple))
            for child in (one.values() if isinstance(one, dict) else one)
        ]
    return deepest


def strings(value: t.Any) -> Iterator[str]:
    """All texts in a document, keys included."""
    level = [value]
    while level:
        one = level.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            level += [*one, *one.values()]
        elif isinstance(one, list):
            level += one


def printable(text: str) -> str:
    """A text as it can be written: half characters are replaced, as bytes are that are no UTF-8."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def allows(policy: t.Any, subject: dict[str, str], resource: dict[str, str]) -> bool:
    """Whether a raw policy document lets a subject read a resource: a slow and separate reading of API §2.4 to §2.6."""
    if not isinstance(policy, dict) or policy.get("type", "authorization") != "authorization":
        return False
    if policy.get("state") not in (None, "", "active") or policy.get("rule"):
        return False
    if "control" in policy or isinstance(policy.get("subject"), dict):
        sides, key = [policy.get("subject"), policy.get("resource")], "key"
        control = policy.get("control")
        grant = control.get("grant") if isinstance(control, dict) else None
        roles = grant.get("roles") if isinstance(grant, dict) else None
    else:
        lists = [policy.get("subjects"), policy.get("resources")]
        if not all(isinstance(one, list) and len(one) == 1 for one in lists):
            return False
        sides, key, roles = [one[0] for one in lists if isinstance(one, list)], "name", policy.get("roles")
    named = [role.get("role_id") for role in roles if isinstance(role, dict)] if isinstance(roles, list) else []
    if not any(
        isinstance(role, str) and re.fullmatch(r"(crn:.*:serviceRole:)?(Reader|Writer|Manager)", role, re.DOTALL)
        for role in named
    ):
        return False
    return all(_met(side, key, facts) for side, facts in zip(sides, (subject, resource), strict=True))


def _met(side: t.Any, key: str, facts: dict[str, str]) -> bool:
    attributes = side.get("attributes") if isinstance(side, dict) else None
    if not isinstance(attributes, list):
        return False
    names = []
    for one in attributes:
        if not isinstance(one, dict) or not isinstance(one.get(key), str) or one[key] not in facts:
            return False
        names.append(one[key])
        if not _fits(one.get("operator"), one.get("value"), facts[one[key]]):
            return False
    return "accountId" in names and bool({"serviceName", "resourceGroupId"} & set(names))


def _fits(operator: t.Any, value: t.Any, fact: str) -> bool:
    if operator in (None, "", "stringEquals"):
        return bool(isinstance(value, str) and value == fact)
    if operator == "stringMatch":
        return isinstance(value, str) and _like(value, fact)
    if operator == "stringEqualsAnyOf":
        return isinstance(value, list) and fact in value
    if operator == "stringMatchAnyOf":
        return isinstance(value, list) and any(isinstance(one, str) and _like(one, fact) for one in value)
    return operator == "stringExists" and value in (True, "true")


def _like(pattern: str, text: str) -> bool:
    """Wildcards by table, so that nothing can explode."""
    reach = {0}
    for sign in pattern:
        if sign == "*":
            reach = set(range(min(reach), len(text) + 1)) if reach else reach
        else:
            reach = {at + 1 for at in reach if at < len(text) and sign in ("?", text[at])}
    return len(text) in reach


def now_of(clock: FakeClock) -> float:
    """Seconds since the epoch on a fake clock."""
    return EPOCH + clock.now
