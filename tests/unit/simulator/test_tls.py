# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator behind https."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import simulator
from simulator import Simulator, load_scenario

EXTENSIONS = Path(simulator.__file__).parents[1]
ALIVE = "/es/22222222-aaaa-4bbb-8ccc-000000000002/alive"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificates."""
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What a client needs."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def start(authority: trustme.CA) -> Iterator[Callable[..., Simulator]]:
    """Starts a simulator behind https."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    running: list[Simulator] = []

    def begin(**members: Any) -> Simulator:
        running.append(Simulator({**load_scenario("friendly"), **members}, tls=context).start())
        return running[-1]

    yield begin
    for one in running:
        one.stop()


def address(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    host, port = url.removeprefix("https://").partition("/")[0].split(":")
    return host, int(port)


def connection(url: str, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    """A client."""
    return http.client.HTTPSConnection(*address(url), timeout=5, context=context)


def status(url: str, context: ssl.SSLContext, path: str = ALIVE) -> int:
    """What a GET is answered with."""
    client = connection(url, context)
    try:
        client.request("GET", path)
        answer = client.getresponse()
        answer.read()
        return answer.status
    finally:
        client.close()


def test_every_address_says_https(start: Any, trusting: ssl.SSLContext) -> None:
    one = start()
    addresses = [one.url, one.iam_url, one.rc_url, one.search_url, one.monitoring_url]
    addresses += [one.admin_url("es-target-us-east")]
    addresses += [value for name, value in one.environment().items() if name.endswith("ENDPOINT")]
    assert len(addresses) == 10
    assert [url for url in addresses if not url.startswith("https://127.0.0.1:")] == []
    assert one.instance("es-target-us-east").guid in one.admin_url("es-target-us-east")
    assert status(one.url, trusting) == 200
    client = connection(one.url, trusting)
    client.request("GET", "/_control/health")
    assert json.loads(client.getresponse().read())["url"] == one.url
    client.close()


def test_an_admin_port_of_its_own(start: Any, trusting: ssl.SSLContext) -> None:
    one = start(admin="port")
    url = one.admin_url("es-source-us-south")
    assert url.startswith("https://127.0.0.1:")
    assert address(url) != address(one.url)
    assert status(url, trusting, "/alive") == 200


def test_without_tls_nothing_changes() -> None:
    with Simulator("friendly") as one:
        assert one.url.startswith("http://127.0.0.1:")
        assert one.admin_url("es-source-us-south").startswith(one.url)


def test_a_connection_is_kept(start: Any, trusting: ssl.SSLContext) -> None:
    client = connection(start().url, trusting)
    for _dummy in range(3):
        client.request("GET", ALIVE)
        answer = client.getresponse()
        answer.read()
        assert not answer.will_close
    client.close()


def test_who_does_not_shake_hands_blocks_nobody(start: Any, trusting: ssl.SSLContext) -> None:
    one = start()
    silent = [socket.create_connection(address(one.url), timeout=5) for _dummy in range(3)]
    assert status(one.url, trusting) == 200
    for client in silent:
        client.close()


@pytest.mark.parametrize("how", ["distrust", "plain http", "no more"])
def test_a_failed_handshake_is_no_news(start: Any, trusting: ssl.SSLContext, how: str, capfd: Any) -> None:
    one = start()
    if how == "distrust":
        with pytest.raises(ssl.SSLCertVerificationError):
            status(one.url, ssl.create_default_context())
    else:
        with socket.create_connection(address(one.url), timeout=5) as client:
            if how == "plain http":
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b"HTTP/" not in client.recv(1000)
    assert status(one.url, trusting) == 200
    assert [entry["path"] for entry in one.journal] == [ALIVE]
    one.stop()
    assert capfd.readouterr() == ("", "")


def test_stop_leaves_nothing_running(start: Any, trusting: ssl.SSLContext) -> None:
    before = set(threading.enumerate())
    one = start(admin="port")
    assert status(one.url, trusting) == 200
    idle = connection(one.url, trusting)
    idle.request("GET", ALIVE)
    idle.getresponse().read()
    silent = socket.create_connection(address(one.url), timeout=5)
    where = address(one.url)
    began = time.monotonic()
    one.stop()
    assert time.monotonic() - began < 4, "nobody had to be given up on"
    assert set(threading.enumerate()) <= before
    idle.close()
    silent.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=5)


def test_an_answer_that_is_on_its_way_is_finished_when_it_stops(start: Any, trusting: ssl.SSLContext) -> None:
    one = start()
    asked, released = threading.Event(), threading.Event()
    listener = one._main
    answering = listener.handle

    def slowly(request: Any) -> Any:
        asked.set()
        assert released.wait(10)
        return answering(request)

    listener.handle = slowly
    outcome: list[int] = []
    caller = threading.Thread(target=lambda: outcome.append(status(where, trusting)))
    where = one.url
    caller.start()
    assert asked.wait(10)
    stopping = threading.Thread(target=one.stop)
    stopping.start()
    deadline = time.monotonic() + 4
    while listener.fileno() != -1 and time.monotonic() < deadline:  # then the port is closed, and stop() waits
        time.sleep(0.005)
    released.set()
    caller.join(10)
    stopping.join(10)
    assert outcome == [200]


@pytest.mark.parametrize("action", ["cut_connection", "reset_after", "reset_before", "truncated_json"])
def test_faults_work_as_without(start: Any, trusting: ssl.SSLContext, action: str) -> None:
    one = start()
    one.add_fault(action, api="admin")
    if action == "truncated_json":
        assert status(one.url, trusting) == 200
    else:
        with pytest.raises((http.client.HTTPException, ConnectionResetError)):
            status(one.url, trusting)
    assert status(one.url, trusting) == 200


# -- the command line


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """A certificate and its key in files."""
    leaf = authority.issue_cert("127.0.0.1")
    contents = {"cert": b"".join(pem.bytes() for pem in leaf.cert_chain_pems), "key": leaf.private_key_pem.bytes()}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in contents}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "simulator", "--scenario", "friendly", *arguments]


def test_the_command_line_serves_https(files: dict[str, str], trusting: ssl.SSLContext, tmp_path: Path) -> None:
    exports = tmp_path / "simulator.env"
    arguments = ["--tls-cert", files["cert"], "--tls-key", files["key"], "--env-file", str(exports)]
    process = subprocess.Popen(
        command(*arguments),
        env={**os.environ, "PYTHONPATH": str(EXTENSIONS)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert url.startswith("https://127.0.0.1:")
        assert f"IBMCLOUD_IAM_API_ENDPOINT={url}\n" in exports.read_text()
        assert status(url, trusting) == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"cert": "cert"}, "go together", id="no key"),
        pytest.param({"key": "key"}, "go together", id="no certificate"),
        pytest.param({"cert": "missing", "key": "key"}, "missing", id="missing file"),
        pytest.param({"cert": "key", "key": "cert"}, "no certificate with its key", id="swapped"),
    ],
)
def test_what_is_no_certificate_is_one_message(
    files: dict[str, str], tmp_path: Path, given: dict[str, str], words: str
) -> None:
    arguments = [part for name, value in given.items() for part in (f"--tls-{name}", str(tmp_path / value))]
    environment = {**os.environ, "PYTHONPATH": str(EXTENSIONS)}
    done = subprocess.run(command(*arguments), env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(
    files: dict[str, str], authority: trustme.CA, tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives import serialization as forms

    key: Any = forms.load_pem_private_key(Path(files["key"]).read_bytes(), None)
    locked = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.BestAvailableEncryption(b"x"))
    (tmp_path / "locked").write_bytes(locked)
    done = subprocess.run(
        command("--tls-cert", files["cert"], "--tls-key", str(tmp_path / "locked")),
        env={**os.environ, "PYTHONPATH": str(EXTENSIONS)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "no certificate with its key" in done.stderr
