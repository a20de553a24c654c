# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scripted HTTP server on loopback: it expects an ordered list of calls and answers each as told.

Whatever differs from the script (another method, path, query, header or body; a surplus call; a missing one) fails the test.
"""

from __future__ import annotations

import dataclasses
import http.server
import json
import socket
import struct
import threading
import typing as t
import urllib.parse

ANY: t.Any = object()
"""Matches every body."""

HANG_SECONDS = 5.0
DRIP_SECONDS = 0.05

Fault = t.Literal["reset", "cut", "hang", "drip"]


@dataclasses.dataclass
class Expected:
    """One call that must come next, and what it is answered with.

    ``query``, ``form`` and ``body`` must be met exactly, ``headers`` at least (None = must be absent). ``reply`` is sent as JSON,
    text as it is, None as an empty body. Faults: ``reset`` drops the connection before the answer, ``cut`` ends it inside the body,
    ``hang`` never answers, ``drip`` sends the body byte by byte.
    """

    method: str
    path: str
    query: dict[str, str] = dataclasses.field(default_factory=dict)
    headers: dict[str, str | None] = dataclasses.field(default_factory=dict)
    form: dict[str, str] | None = None
    body: t.Any = None
    status: int = 200
    reply: t.Any = None
    reply_headers: dict[str, str] = dataclasses.field(default_factory=dict)
    fault: Fault | None = None

    def payload(self) -> bytes:
        if self.reply is None:
            return b""
        if isinstance(self.reply, bytes):
            return self.reply
        return (self.reply if isinstance(self.reply, str) else json.dumps(self.reply)).encode()


class Received(t.NamedTuple):
    """A call that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    text: str


class Scripted:
    """The server and its script. ``url`` is its base."""

    def __init__(self) -> None:
        self._script: list[Expected] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.complaints: list[str] = []
        self.received: list[Received] = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: t.Any) -> None:
                """Stays silent."""

            def __getattr__(self, name: str) -> t.Any:
                if name.startswith("do_"):
                    return lambda: owner._answer(self)
                raise AttributeError(name)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: t.Any, client_address: t.Any) -> None:
                """A client that goes away is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def expect(
        self, method: str, path: str, reply: t.Any = None, *, times: int = 1, status: int = 200, **details: t.Any
    ) -> None:
        """Adds a call to the end of the script, several times if asked."""
        with self._lock:
            for _dummy in range(times):
                self._script.append(Expected(method, path, reply=reply, status=status, **details))

    def problems(self) -> list[str]:
        """What differed so far, and what has not come yet."""
        with self._lock:
            return [*self.complaints, *(f"missing: {one.method} {one.path} {one.query}" for one in self._script)]

    def calls(self) -> list[str]:
        """Method and path of every call so far."""
        return [f"{one.method} {one.path}" for one in self.received]

    def close(self) -> None:
        """Stops serving."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        text = handler.rfile.read(length).decode()
        parts = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        came = Received(handler.command, parts.path, query, dict(handler.headers.items()), text)
        with self._lock:
            self.received.append(came)
            expected = self._script.pop(0) if self._script else None
            told = f"{came.method} {came.path} {came.query}"
            if expected is None:
                self.complaints.append(f"surplus: {told}")
            else:
                self.complaints += [f"{told}: {difference}" for difference in _differences(expected, came)]
        handler.close_connection = True
        if expected is None:
            expected = Expected("", "", status=418, reply="not in the script")
        if expected.fault == "hang":
            self._ended.wait(HANG_SECONDS)
            return
        if expected.fault == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            return
        payload = expected.payload()
        if "Date" in expected.reply_headers:
            handler.send_response_only(expected.status)
        else:
            handler.send_response(expected.status)
        for name, value in expected.reply_headers.items():
            handler.send_header(name, value)
        handler.send_header("Connection", "close")
        handler.send_header("Content-Length", str(len(payload)))
        handler.end_headers()
        if expected.fault == "drip":
            for byte in payload:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                self._ended.wait(DRIP_SECONDS)
            return
        handler.wfile.write(payload[: len(payload) // 2] if expected.fault == "cut" else payload)
        handler.wfile.flush()


def _differences(expected: Expected, came: Received) -> t.Iterator[str]:
    for name in ("method", "path", "query"):
        if getattr(expected, name) != getattr(came, name):
            yield f"{name} should be {getattr(expected, name)!r}"
    headers = {name.lower(): value for name, value in came.headers.items()}
    for name, value in expected.headers.items():
        if headers.get(name.lower()) != value:
            yield f"header {name} should be {value!r}, is {headers.get(name.lower())!r}"
    if expected.form is not None:
        if headers.get("content-type") != "application/x-www-form-urlencoded":
            yield f"not a form: {headers.get('content-type')}"
        form = dict(urllib.parse.parse_qsl(came.text, keep_blank_values=True))
        if form != expected.form:
            yield f"form should be {expected.form!r}, is {form!r}"
    elif expected.body is None:
        if came.text:
            yield f"should have no body, has {came.text!r}"
    elif expected.body is not ANY:
        if headers.get("content-type") != "application/json":
            yield f"not declared as JSON: {headers.get('content-type')}"
        try:
            body = json.loads(came.text)
        except ValueError:
            body = came.text
        if body != expected.body:
            yield f"body should be {expected.body!r}, is {body!r}"
