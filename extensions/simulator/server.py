# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP on the loopback address; no state of its own."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .engine import Outcome
from .wire import Answer, Request

LOOPBACK = "127.0.0.1"
LONGEST_BODY = 1_000_000
Handle = Callable[[Request], Outcome]


class Listener(ThreadingHTTPServer):
    """One port. Remembers its connections so that stop() leaves nothing running."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        handle: Handle,
        now: Callable[[], float],
        port: int = 0,
        host: str = LOOPBACK,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if host != LOOPBACK:
            raise ValueError(f"the simulator listens on {LOOPBACK} only")
        self.handle = handle
        self.now = now
        self._tls = tls
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._workers: set[threading.Thread] = set()
        self._guard = threading.Lock()
        super().__init__((host, port), _Handler)
        self._loop = threading.Thread(target=self.serve_forever, args=(0.02,), name="simulator", daemon=True)

    @property
    def port(self) -> int:
        """Return the port in use."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._loop.start()

    def stop(self) -> None:
        """Close the port, let answers that are being written out, close every connection, and wait for all threads."""
        self.stopping.set()
        if self._loop.is_alive():
            self.shutdown()
            self._loop.join()
        with self._guard:
            connections, workers = list(self._open), list(self._workers)
        for connection in connections:
            _hang_up(connection, socket.SHUT_RD)
        self.server_close()
        for worker in workers:
            if worker is not threading.current_thread():
                worker.join(5)
        for connection in connections:
            _hang_up(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection in a thread of its own."""
        worker = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        with self._guard:
            self._open.add(request)
            self._workers.add(worker)
        worker.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._open.discard(request)
                self._workers.discard(threading.current_thread())

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands here, in the connection's own thread, where nobody else has to wait for it."""
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        with self._guard:
            secured = self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            self._open.add(secured)
        try:
            if not self.stopping.is_set():  # else stop() may not have seen this socket
                secured.do_handshake()
                super().finish_request(secured, client_address)
        finally:
            with self._guard:
                self._open.discard(secured)
            self.shutdown_request(secured)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that clients break, in the middle of a handshake as well; show everything else."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with contextlib.suppress(OSError):
        # Not connection.shutdown(): with TLS that would send what is still being written as plain text.
        socket.socket.shutdown(connection, how)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Listener

    def handle_one_request(self) -> None:
        """Read one request, whatever its method, and answer it."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or len(self.raw_requestline) > 65536:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        length = self.headers.get("Content-Length") or "0"
        if re.fullmatch("[0-9]{1,9}", length) is None or int(length) > LONGEST_BODY:
            self.send_error(413)
            return
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True  # the engine refuses it, and its body is not read
        body = self.rfile.read(int(length))
        request = Request.of(self.command, self.path, dict(self.headers.items()), body)
        outcome = self.server.handle(request)
        if outcome.wait and self.server.stopping.wait(outcome.wait):
            outcome.answer = None
        if outcome.answer is None:
            self.close_connection = True
            _hang_up(self.connection)
            return
        self._send(outcome.answer, outcome.cut)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is not even a request, and close."""
        self.close_connection = True
        self.request_version = self.protocol_version
        self._send(Answer(code, {"message": message or "not an acceptable request"}), cut=False)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the journal is the log."""

    def _send(self, answer: Answer, cut: bool) -> None:
        data = answer.data()
        self.send_response_only(answer.status)
        self.send_header("Date", formatdate(self.server.now(), usegmt=True))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(data) + (10 if cut else 0)))
        if cut:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if getattr(self, "command", None) != "HEAD" and answer.status != 204:
            self.wfile.write(data)
        self.wfile.flush()
        if cut:
            _hang_up(self.connection)
