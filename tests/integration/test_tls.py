# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where credentials go: to servers whose certificate holds, and neither to redirect targets nor to hosts that a document names."""

from __future__ import annotations

import datetime
import http.client
import ipaddress
import os
import re
import select
import socket
import ssl
import textwrap
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trustme
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, carry_out
from ansible_collections.mirrorops.event_streams.plugins.modules import (
    authorization_policy,
    failover_readiness_info,
    instance_info,
    mirroring,
    mirroring_info,
    remote_topics,
    topic_selection,
    topics_info,
)
from simulator import Simulator, load_scenario

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
KEY = "simulated-key-main"
TIMING = {
    "operation_seconds": 0.4,
    "remote_topic_seconds": 0.1,
    "active_topic_seconds": 0.1,
    "enabling_visibility_seconds": 0.4,
}
VARIABLES: dict[str, Any] = {
    "mirroring_source": SOURCE,
    "mirroring_target": TARGET,
    "mirroring_topics": ["^orders$", "^payments$"],
    "mirroring_poll_interval": 0.1,
    "mirroring_settle_timeout": 3,
    "mirroring_topics_timeout": 20,
}
GUIDE = Path(__file__).parents[2] / "docs/docsite/rst/guide_authentication.rst"
MIRROR = "mirrorops.event_streams.mirror"
INFO = "mirrorops.event_streams.instance_info"
LOOK = {"name": "Look", INFO: {"instance": SOURCE}}
AUTHORIZED = [{"subject": TARGET, "resource": SOURCE}]
ROLES = [f"mirrorops.event_streams.{role}" for role in ("setup", "bindings", "enable", "validate")]


def play(tasks: list[dict[str, Any]] | None = None, **keywords: Any) -> list[dict[str, Any]]:
    """A play with these tasks, or with the roles of the playbook `mirror`."""
    content: dict[str, Any] = {"roles": ROLES} if tasks is None else {"tasks": tasks}
    return [{"name": "Somebody's own play", "hosts": "localhost", "gather_facts": False, **content, **keywords}]


def defaults(**options: Any) -> dict[str, Any]:
    """Options for all modules of the collection, in roles too."""
    return {"module_defaults": {"group/mirrorops.event_streams.all": options}}


def carried_out(module: ModuleType, **options: Any) -> dict[str, Any]:
    """The result of a module, in this process. Raises what it raises."""
    checked = ArgumentSpecValidator(module.SPEC.options, **module.SPEC.rules()).validate(options)
    assert checked.error_messages == []
    result: dict[str, Any] = carry_out(module.run, Call(params=checked.validated_parameters))
    return result


def endpoints(base: str) -> dict[str, str]:
    """Options that name a simulator, and its key."""
    return {"iam_endpoint": base, "resource_controller_endpoint": base, "ibmcloud_api_key": KEY}


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs in this process sees no credentials, proxies and CA bundles of the developer."""
    for name in list(os.environ):
        if name.startswith(("IC_", "IBMCLOUD_")) or name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)


# -- certificates


@dataclass
class Certificates:
    """Server certificates by what is wrong with them, and files with authorities."""

    folder: Path
    root: trustme.CA = field(default_factory=trustme.CA)

    def __post_init__(self) -> None:
        self._issuer = self.root.create_child_ca()
        self.root_path = self._write("root.pem", self.root.cert_pem.bytes())
        self.stranger_path = self._write("stranger.pem", trustme.CA().cert_pem.bytes())

    def _write(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def context(self, kind: str = "good") -> ssl.SSLContext:
        """What a server with such a certificate needs; it comes with the intermediate authority's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind == "self-signed":
            path = self._write("self-signed.pem", _self_signed())
            context.load_cert_chain(path)
            return context
        now = datetime.datetime.now(datetime.timezone.utc)
        settings: dict[str, Any] = {}
        if kind == "expired":
            settings = {
                "not_before": now - datetime.timedelta(days=9),
                "not_after": now - datetime.timedelta(hours=1),
            }
        names = ["other.example.com"] if kind == "wrong host" else ["127.0.0.1", "*.platform.example.com"]
        self._issuer.issue_cert(*names, **settings).configure_cert(context)
        return context


def _self_signed() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    forms = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, *forms)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority with an intermediate one below it, and one that has nothing to do with them."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@dataclass
class Secured:
    """A simulator behind https, and how many handshakes were begun with it."""

    simulator: Simulator
    handshakes: int = 0


@pytest.fixture
def secured(certificates: Certificates, playbook: Any) -> Iterator[Callable[..., Secured]]:
    """Starts simulators behind https; at the end no request may have broken the documented contract."""
    running: list[Secured] = []

    def start(kind: str = "good", **members: Any) -> Secured:
        context = certificates.context(kind)
        scenario = {**load_scenario("friendly"), "timing": TIMING, **members}
        one = Secured(Simulator(scenario, tls=context).start())
        running.append(one)

        def count(*_: Any) -> None:
            one.handshakes += 1

        context.sni_callback = count
        playbook.simulator = one.simulator
        return one

    yield start
    for one in running:
        one.simulator.stop()
    for one in running:
        assert one.simulator.violations() == []


@pytest.mark.every_core
def test_module_defaults_give_the_authority_to_all_roles(
    secured: Any, playbook: Any, observe: Any, certificates: Certificates
) -> None:
    """With the example of the guide."""
    one = secured(admin="port")
    example = textwrap.dedent(GUIDE.read_text().rpartition(".. code-block:: yaml\n\n")[2])
    assert "/etc/pki/our-ca.pem" in example
    plays = yaml.safe_load(example.replace("/etc/pki/our-ca.pem", certificates.root_path))
    run = playbook(plays, VARIABLES).worked()
    observe(one.simulator).mirrored()
    assert {entry["api"] for entry in one.simulator.journal} == {"iam", "resource_controller", "admin"}
    assert "InsecureRequestWarning" not in run.output


@pytest.mark.parametrize("where", ["process", pytest.param("play", marks=pytest.mark.slow)])
def test_the_authority_can_come_from_the_environment(
    secured: Any, playbook: Any, observe: Any, certificates: Certificates, where: str
) -> None:
    one = secured()
    bundle = {"REQUESTS_CA_BUNDLE": certificates.root_path}
    environment = playbook.environment(one.simulator)
    if where == "process":
        playbook(MIRROR, VARIABLES, environment={**environment, **bundle}).worked()
    else:
        playbook(play(environment=bundle), VARIABLES, environment=environment).worked()
    observe(one.simulator).mirrored()


def test_certificates_are_verified_by_default(secured: Any, playbook: Any) -> None:
    one = secured()
    run = playbook(MIRROR, VARIABLES)
    assert "certificate" in run.failure
    assert "ca_path" in run.failure
    (failed,) = [entry for entry in run.tasks if entry["status"] == "failed"]
    assert failed["result"]["failure"]["kind"] == "tls_failed"
    assert failed["result"]["changed"] is False
    assert one.simulator.journal == []
    assert one.handshakes == 1


WRONG = {
    "nobody we know": ("good", None),
    "a stranger's authority": ("good", "stranger_path"),
    "expired": ("expired", "root_path"),
    "wrong host": ("wrong host", "root_path"),
    "self-signed": ("self-signed", None),
    "self-signed, with an authority": ("self-signed", "root_path"),
}


@pytest.mark.every_core
def test_a_wrong_certificate_is_one_error_and_nothing_is_sent(
    secured: Any, playbook: Any, certificates: Certificates
) -> None:
    servers = {name: secured(kind) for name, (kind, _path) in WRONG.items()}
    tasks = []
    for name, (_kind, path) in WRONG.items():
        url = servers[name].simulator.url
        options = {"instance": SOURCE, "iam_endpoint": url, "resource_controller_endpoint": url}
        if path:
            options["ca_path"] = getattr(certificates, path)
        tasks.append({"name": name, INFO: options, "ignore_errors": True})
    run = playbook(play(tasks), environment=playbook.environment(next(iter(servers.values())).simulator)).worked()

    assert [(entry["task"], entry["status"]) for entry in run.tasks] == [(name, "ignored") for name in WRONG]
    for entry in run.tasks:
        result, one = entry["result"], servers[entry["task"]]
        assert result["failure"]["kind"] == "tls_failed", entry
        assert "certificate of 127.0.0.1:" in result["msg"]
        assert "ca_path" in result["failure"]["remedy"]
        assert "Unexpected" not in result["msg"]
        assert one.simulator.journal == [], entry["task"]
        assert one.handshakes == 1, entry["task"]
    reasons = {entry["task"]: entry["result"]["failure"]["reason"] for entry in run.tasks}
    assert "expired" in reasons["expired"]
    assert "127.0.0.1" in reasons["wrong host"].partition("verified")[2]
    assert "self-signed" in reasons["self-signed"].replace("self signed", "self-signed")


def test_verification_can_be_switched_off(secured: Any, playbook: Any, observe: Any) -> None:
    one = secured("self-signed")
    playbook(play(**defaults(validate_certs=False)), VARIABLES).worked()
    observe(one.simulator).mirrored()


def test_the_option_wins_over_the_environment(secured: Any, playbook: Any, certificates: Certificates) -> None:
    one = secured()
    environment = playbook.environment(one.simulator)
    tasks = [
        {"name": name, INFO: {"instance": SOURCE, **options}, "environment": bundle, "ignore_errors": True}
        for name, options, bundle in (
            ("right", {"ca_path": certificates.root_path}, {"REQUESTS_CA_BUNDLE": certificates.stranger_path}),
            ("wrong", {"ca_path": certificates.stranger_path}, {"REQUESTS_CA_BUNDLE": certificates.root_path}),
            ("off", {"validate_certs": False}, {"REQUESTS_CA_BUNDLE": certificates.stranger_path}),
            ("restored", {}, {}),
        )
    ]
    run = playbook(play(tasks), environment=environment).worked()
    found = [(entry["task"], entry["status"]) for entry in run.tasks]
    assert found == [("right", "ok"), ("wrong", "ignored"), ("off", "ok"), ("restored", "ignored")]


@pytest.mark.parametrize("content", ["missing", "empty", "no certificates"])
@pytest.mark.parametrize("how", ["option", "environment"])
def test_an_authority_that_cannot_be_read_is_said_plainly(
    secured: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, how: str
) -> None:
    one = secured()
    path = tmp_path / "authorities.pem"
    if content != "missing":
        path.write_text("" if content == "empty" else "nothing that is a certificate\n")
    options = endpoints(one.simulator.url)
    if how == "option":
        options["ca_path"] = str(path)
    else:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with pytest.raises(_errors.MirrorOpsError) as caught:
        carried_out(instance_info, instance=SOURCE, retry_timeout=0, **options)
    assert not isinstance(caught.value, _errors.Defect), caught.value.message
    assert str(path) in caught.value.message
    assert one.simulator.journal == []


# -- transport that fails behind https


class Relay:
    """Passes connections on to a simulator, except the first ones, which it hangs up on: before or after the client spoke.

    Once ``garble()`` is true, it puts a broken record in the place of what the server answers next, one time.
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        refuse: int = 0,
        after_hello: bool = False,
        garble: Callable[[], bool] = lambda: False,
    ) -> None:
        self._port = urllib.parse.urlsplit(simulator.url).port
        self._refuse, self._after_hello, self._garble = refuse, after_hello, garble
        self.garbled = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepted = 0
        self._thread = threading.Thread(target=self._run)
        self._workers: list[threading.Thread] = []
        self._thread.start()

    def _run(self) -> None:
        while True:
            client, _address = self._listener.accept()
            if self._refuse < 0:
                client.close()
                return
            self.accepted += 1
            if self._refuse:
                self._refuse -= 1
                if self._after_hello:
                    client.recv(10000)
                client.close()
                continue
            self._workers.append(threading.Thread(target=self._pass_on, args=(client,)))
            self._workers[-1].start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            other = {client: server, server: client}
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    try:
                        data = ready.recv(65536)
                        if not data:
                            return
                        if ready is server and not self.garbled and self._garble():
                            self.garbled += 1
                            data = b"\x17\x03\x03\x00\x40" + bytes(64)
                        other[ready].sendall(data)
                    except OSError:
                        return

    def close(self) -> None:
        """Ends it."""
        self._refuse = -1
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join(10)
        self._listener.close()
        for worker in self._workers:
            worker.join(10)


@pytest.mark.parametrize(
    "after_hello",
    [pytest.param(False, id="at once", marks=pytest.mark.slow), pytest.param(True, id="during the handshake")],
)
def test_a_handshake_that_is_cut_off_is_repeated(secured: Any, certificates: Certificates, after_hello: bool) -> None:
    """A load balancer that restarts is no wrong certificate."""
    one = secured()
    relay = Relay(one.simulator, refuse=2, after_hello=after_hello)
    try:
        options = {**endpoints(relay.url), "ca_path": certificates.root_path, "retry_timeout": 20}
        assert carried_out(instance_info, instance=SOURCE, **options)["instances"][0]["name"] == SOURCE
        assert relay.accepted >= 3
    finally:
        relay.close()


@pytest.mark.parametrize("action", ["reset_before", "reset_after", "cut_connection"])
def test_a_write_whose_answer_is_lost_behind_https(
    secured: Any, observe: Any, certificates: Certificates, action: str
) -> None:
    one = secured(policies=AUTHORIZED)
    one.simulator.add_fault(action, api="resource_controller", method="PATCH")
    options = {**endpoints(one.simulator.url), "ca_path": certificates.root_path}
    result = carried_out(mirroring, source=SOURCE, target=TARGET, poll_interval=0.1, settle_timeout=1.5, **options)
    assert result["changed"] is True
    assert len(observe(one.simulator).patches()) == 1
    assert one.simulator.faults[0]["seen"] >= 1


def test_a_write_whose_answer_is_garbled_behind_https(secured: Any, observe: Any, certificates: Certificates) -> None:
    """An error of TLS after the request went out says nothing about certificates, and not that nothing happened."""
    one = secured(policies=AUTHORIZED)
    seen = observe(one.simulator)
    relay = Relay(one.simulator, garble=lambda: bool(seen.patches()))
    try:
        options = {**endpoints(relay.url), "ca_path": certificates.root_path}
        result = carried_out(mirroring, source=SOURCE, target=TARGET, poll_interval=0.1, settle_timeout=1.5, **options)
        assert result["changed"] is True
        assert relay.garbled == 1
        assert len(seen.patches(accepted=False)) == 1
    finally:
        relay.close()


# -- no credentials without encryption

PLAIN = {
    "iam_endpoint": {"iam_endpoint": "http://example.com"},
    "resource_controller_endpoint": {"resource_controller_endpoint": "http://resource-controller.cloud.ibm.com"},
    "admin_url": {"admin_url": "http://mh-x.us-south.containers.appdomain.cloud"},
    "source_admin_url": {"source_admin_url": "http://127.0.0.1.example.com:8080"},
    "IBMCLOUD_IAM_API_ENDPOINT": {"IBMCLOUD_IAM_API_ENDPOINT": "http://localhost.example.com/iam"},
    "IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT": {"IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT": "http://10.0.0.1"},
}


@pytest.mark.every_core
def test_plain_http_to_elsewhere_is_refused_before_any_request(simulator: Any, playbook: Any) -> None:
    tasks = []
    for name, given in PLAIN.items():
        pair = {"source": SOURCE, "target": TARGET, **({} if name.startswith("IBMCLOUD") else given)}
        task = {"name": name, "mirrorops.event_streams.mirroring_info": pair, "ignore_errors": True}
        tasks.append({**task, "environment": given} if name.startswith("IBMCLOUD") else task)
    run = playbook(play(tasks)).worked()
    assert [entry["status"] for entry in run.tasks] == ["ignored"] * len(PLAIN)
    for entry in run.tasks:
        (url,) = PLAIN[entry["task"]].values()
        host = urllib.parse.urlsplit(url).hostname
        assert f"unencrypted to {host}" in entry["result"]["msg"]
        assert entry["result"]["failure"]["kind"] == "invalid_input"
    assert simulator.journal == []


@pytest.mark.parametrize("option", ["iam_endpoint", "resource_controller_endpoint", "admin_url", "source_admin_url"])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.example.com",
        "localhost.example.com",
        "localhost@example.com",
        "127.0.0.1:80@example.com",
        "example.com#127.0.0.1",
        "example.com?127.0.0.1",
        "example.com\\@127.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "[::ffff:8.8.8.8]",
        "2130706433",
        "0x7f000001",
    ],
)
def test_hosts_that_only_look_like_this_machine(simulator: Any, option: str, host: str) -> None:
    options = {**endpoints(simulator.url), option: f"http://{host}"}
    with pytest.raises(_errors.InvalidInput, match=option):
        carried_out(mirroring_info, source=SOURCE, target=TARGET, **options)
    assert simulator.journal == []


# -- redirects


class Recorder(ThreadingHTTPServer):
    """A server that writes down whatever arrives, the connection itself included, and answers with an error."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _RecorderHandler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.connections = 0
        self.received: list[tuple[str, str, dict[str, str], bytes]] = []
        self.port = self.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Counts a connection."""
        self.connections += 1
        return True

    def close(self) -> None:
        """Ends it."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _RecorderHandler(BaseHTTPRequestHandler):
    server: Recorder

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        self.close_connection = True
        if not self.raw_requestline or not self.parse_request():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.received.append((self.command, self.path, dict(self.headers.items()), body))
        self.answer(body)

    def answer(self, body: bytes) -> None:
        """Says no."""
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Writes nothing."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Somebody who must not get anything."""
    server = Recorder()
    yield server
    server.close()


MIRRORED = {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"}
PAIR = {"source": SOURCE, "target": TARGET}
REDIRECTED: dict[str, tuple[dict[str, str], ModuleType, dict[str, Any], dict[str, Any]]] = {
    "token": ({"api": "iam", "path": "/identity/token"}, instance_info, {"instance": SOURCE}, {}),
    "policies": ({"api": "iam", "method": "GET", "path": "/policies"}, authorization_policy, {}, {}),
    "new policy": ({"api": "iam", "method": "POST", "path": "/policies$"}, authorization_policy, {}, {}),
    "instance": ({"api": "resource_controller", "method": "GET"}, instance_info, {"instance": SOURCE}, {}),
    "update": (
        {"api": "resource_controller", "method": "PATCH"},
        mirroring,
        {**PAIR, "poll_interval": 0.1, "settle_timeout": 1},
        {},
    ),
    "admin": (
        {"api": "admin", "method": "GET"},
        topic_selection,
        {"target": TARGET, "topics": ["^orders$"]},
        {"mirroring": MIRRORED},
    ),
    "topics": ({"api": "admin", "path": "/admin/topics"}, topics_info, {"instance": SOURCE}, {}),
    "selection": (
        {"api": "admin", "method": "POST", "path": "topic-selection$"},
        topic_selection,
        {"target": TARGET, "topics": ["^orders$"]},
        {"mirroring": MIRRORED},
    ),
    "deletion": (
        {"api": "admin", "method": "DELETE"},
        remote_topics,
        {"target": TARGET, "source_alias": "us-south", "delete": ["audit.us-south"], "confirm": [TARGET]},
        {"topics": [{"name": "audit.us-south"}]},
    ),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("what", REDIRECTED)
def test_no_redirect_is_followed(simulate: Any, observe: Any, recorder: Recorder, what: str, status: int) -> None:
    fault, module, options, target = REDIRECTED[what]
    simulator = simulate(target=target, policies=[] if module is authorization_policy else AUTHORIZED)
    if module is authorization_policy:
        source, reader = simulator.instance(SOURCE), simulator.instance(TARGET)
        options = {
            "account_id": source.account,
            "source_service_instance_id": reader.guid,
            "target_service_instance_id": source.guid,
        }
    location = recorder.url.replace("127.0.0.1", "localhost" if status % 2 else "127.0.0.1") + "/identity/token"
    simulator.add_fault("status", status=status, times=None, headers={"Location": location}, **fault)
    with pytest.raises(_errors.ApiError, match="redirect") as caught:
        carried_out(module, retry_timeout=5, **endpoints(simulator.url), **options)
    assert caught.value.status == status
    assert "endpoint" in caught.value.remedy
    hit = [entry for entry in simulator.journal if entry["fault"]]
    assert [entry["status"] for entry in hit] == [status], "once, not again and again"
    assert recorder.connections == 0

    socket.create_connection(("127.0.0.1", recorder.port), timeout=5).close()
    observe(simulator).until(lambda: recorder.connections == 1)  # it would have noticed
    assert recorder.received == []


@pytest.mark.parametrize(
    "what", ["token", *(pytest.param(name, marks=pytest.mark.slow) for name in ("update", "selection"))]
)
def test_a_redirect_ends_the_run(simulator: Any, playbook: Any, recorder: Recorder, what: str) -> None:
    fault = REDIRECTED[what][0]
    simulator.add_fault("status", status=307, times=None, headers={"Location": recorder.url}, **fault)
    failure = playbook.mirror().failure
    assert "redirect" in failure
    assert "HTTP 307" in failure
    assert "Correct the endpoint" in failure
    assert recorder.connections == 0


# -- addresses that an instance's document names


class Names:
    """Every name that is looked up, and a name service where all of them are this machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: set[str] = set()
        real = socket.getaddrinfo

        def lookup(host: Any, *args: Any, **settings: Any) -> Any:
            self.asked.add(str(host))
            return real("127.0.0.1", *args, **settings)

        monkeypatch.setattr(socket, "getaddrinfo", lookup)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Leads all names to this machine."""
    return Names(monkeypatch)


REFUSED = "no credentials are sent there|must have neither user"
PUBLISHED = [
    "http://kafka.example.com:{port}",
    "https://kafka.example.com:{port}",
    "http://mh-x.us-south.containers.appdomain.cloud:{port}",
    "https://evil-containers.appdomain.cloud:{port}",
    "https://containers.appdomain.cloud.example.com:{port}",
    "https://mh-x.containers.appdomain.cloud@example.com:{port}",
    "https://example.com:{port}#.containers.appdomain.cloud",
    "https://example.com:{port}?x=.containers.appdomain.cloud",
    "https://example.com:{port}\\.containers.appdomain.cloud",
    "https://somebody@mh-x.containers.appdomain.cloud:{port}",
    "https://127.0.0.1.example.com:{port}",
    "http://localhost@example.com:{port}",
    "ftp://mh-x.containers.appdomain.cloud:{port}",
    "//mh-x.containers.appdomain.cloud:{port}",
    "file:///etc/hostname",
]


@pytest.fixture
def encrypted(certificates: Certificates) -> Iterator[Recorder]:
    """Somebody behind https who must not get anything."""
    server = Recorder(certificates.context())
    yield server
    server.close()


@pytest.mark.parametrize("published", PUBLISHED)
def test_a_document_cannot_lead_credentials_away(
    simulate: Any, encrypted: Recorder, recorder: Recorder, names: Names, published: str
) -> None:
    simulator = simulate(target={"mirroring": MIRRORED}, policies=AUTHORIZED)
    server = encrypted if published.startswith(("https", "//")) else recorder
    url = published.format(port=server.port)
    simulator.state.admin_url = lambda instance: url
    options = {**endpoints(simulator.url), "validate_certs": False, "retry_timeout": 0}
    with pytest.raises(_errors.InvalidInput, match=REFUSED) as caught:
        carried_out(topic_selection, target=TARGET, topics=["^orders$"], **options)
    assert caught.value.status is None
    looked = carried_out(mirroring_info, **PAIR, **options)
    assert looked["verdict"] == "unknown"
    assert re.search(REFUSED, looked["problems"])
    audited = carried_out(failover_readiness_info, **PAIR, **options)
    assert audited["verdict"] == "unknown"
    assert re.search(REFUSED, audited["problems"])
    assert {entry["api"] for entry in simulator.journal} == {"iam", "resource_controller"}
    assert names.asked == {"127.0.0.1"}
    assert (recorder.connections, encrypted.connections) == (0, 0)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_document_cannot_lead_from_the_platform_to_this_machine(
    secured: Any, certificates: Certificates, recorder: Recorder, encrypted: Recorder, names: Names, scheme: str
) -> None:
    """A loopback address is trusted only where the platform itself is simulated."""
    one = secured(policies=AUTHORIZED)
    port = urllib.parse.urlsplit(one.simulator.url).port
    server = encrypted if scheme == "https" else recorder
    one.simulator.state.admin_url = lambda instance: server.url
    options = {**endpoints(f"https://rc.platform.example.com:{port}"), "ca_path": certificates.root_path}
    with pytest.raises(_errors.InvalidInput, match=REFUSED):
        carried_out(topic_selection, target=TARGET, topics=["^orders$"], retry_timeout=0, **options)
    assert one.simulator.journal
    assert names.asked == {"rc.platform.example.com"}
    assert (recorder.connections, encrypted.connections) == (0, 0)


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("kafka.example.com", ["example.com"]),
        ("kafka.example.com", ["other.org", ".Example.COM."]),
        ("mh-x.us-south.containers.appdomain.cloud", []),
    ],
)
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_more_domains_can_be_trusted(
    simulator: Any, encrypted: Recorder, names: Names, host: str, domains: list[str]
) -> None:
    """This is also the proof that what goes to such a host is seen here."""
    simulator.state.admin_url = lambda instance: f"https://{host}:{encrypted.port}"
    options = {"validate_certs": False, "retry_timeout": 0, "admin_domains": domains}
    with pytest.raises(_errors.MirrorOpsError):
        carried_out(topic_selection, target=TARGET, topics=["^orders$"], **endpoints(simulator.url), **options)
    assert encrypted.received
    assert all(headers["Authorization"].startswith("Bearer ") for _method, _path, headers, _body in encrypted.received)
    assert host in names.asked


@pytest.mark.every_core
def test_a_foreign_admin_url_ends_the_run(simulator: Any, playbook: Any, observe: Any) -> None:
    simulator.state.admin_url = lambda instance: "https://evil-containers.appdomain.cloud"
    failure = playbook.mirror().failure
    assert "evil-containers.appdomain.cloud" in failure
    assert "admin_domains" in failure
    assert observe(simulator).patches(accepted=False) == []
    assert {entry["api"] for entry in simulator.journal} == {"iam", "resource_controller"}


def test_a_foreign_admin_url_is_found_before_anything_is_written(simulator: Any, playbook: Any, observe: Any) -> None:
    simulator.state.admin_url = lambda instance: "https://evil-containers.appdomain.cloud"
    assert "admin_domains" in playbook.mirror().failure
    observe(simulator).untouched()


# -- proxies and .netrc


class Proxy(Recorder):
    """A forward proxy on this machine: passes plain http on and opens tunnels; ``spoken`` is every byte from the client."""

    def __init__(self) -> None:
        self.spoken = b""
        super().__init__()
        self.RequestHandlerClass = _ProxyHandler


class _ProxyHandler(_RecorderHandler):
    server: Proxy

    def answer(self, body: bytes) -> None:
        """Passes it on."""
        if self.command == "CONNECT":
            self._tunnel()
            return
        parts = urllib.parse.urlsplit(self.path)
        onward = http.client.HTTPConnection(parts.netloc, timeout=30)
        headers = {name: value for name, value in self.headers.items() if "connection" not in name.lower()}
        path = urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
        onward.request(self.command, path, body or None, headers)
        answer = onward.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        onward.close()

    def _tunnel(self) -> None:
        host, _colon, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as onward:
            self.send_response_only(200)
            self.end_headers()
            other = {self.connection: onward, onward: self.connection}
            while True:
                for ready in select.select(list(other), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is self.connection:
                        self.server.spoken += data
                    other[ready].sendall(data)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A forward proxy."""
    server = Proxy()
    yield server
    server.close()


def local(proxy: Proxy) -> str:
    """The proxy's URL."""
    return f"http://127.0.0.1:{proxy.port}"


@pytest.mark.every_core
@pytest.mark.parametrize("name", ["HTTP_PROXY", pytest.param("http_proxy", marks=pytest.mark.slow)])
def test_a_proxy_of_the_task_is_used_for_this_task_only(simulator: Any, playbook: Any, proxy: Proxy, name: str) -> None:
    tasks = [
        {**LOOK, "name": "through the proxy", "environment": {name: local(proxy)}},
        {**LOOK, "name": "around it", "environment": {name: local(proxy), "NO_PROXY": "127.0.0.1"}},
        {**LOOK, "name": "without it"},
    ]
    playbook(play(tasks[:1])).worked()
    through = [(method, path.removeprefix(simulator.url)) for method, path, _headers, _body in proxy.received]
    assert through == [(entry["method"], entry["path"] + query(entry)) for entry in simulator.journal]
    assert len(through) == 2
    del proxy.received[:]
    simulator.clear_journal()
    playbook(play(tasks[1:])).worked()
    assert proxy.received == []
    assert len(simulator.journal) == 3


def query(entry: dict[str, Any]) -> str:
    """The query of a request, as it was sent."""
    return "?" + urllib.parse.urlencode(entry["query"]) if entry["query"] else ""


def test_a_proxy_sees_nothing_of_https(
    secured: Any, playbook: Any, proxy: Proxy, observe: Any, certificates: Certificates
) -> None:
    one = secured()
    surroundings = {"HTTPS_PROXY": local(proxy), "REQUESTS_CA_BUNDLE": certificates.root_path}
    playbook(play(environment=surroundings), VARIABLES).worked()
    observe(one.simulator).mirrored()
    host = one.simulator.url.removeprefix("https://")
    assert {(method, path) for method, path, _headers, _body in proxy.received} == {("CONNECT", host)}
    assert [headers for _method, _path, headers, _body in proxy.received if "Authorization" in headers] == []
    secrets = one.simulator.state.tokens.secrets()
    assert len(secrets) > 1
    assert proxy.spoken
    assert [secret for secret in secrets if secret.encode() in proxy.spoken] == []


def test_a_proxy_cannot_pretend_to_be_the_server(
    secured: Any, playbook: Any, certificates: Certificates, proxy: Proxy
) -> None:
    """What sits at the other end of a tunnel has to have the right certificate."""
    one = secured("self-signed")
    surroundings = {"HTTPS_PROXY": local(proxy), "REQUESTS_CA_BUNDLE": certificates.root_path}
    run = playbook(play([{**LOOK, "environment": surroundings}]))
    assert "certificate" in run.failure
    assert one.simulator.journal == []
    assert len(proxy.received) == 1


@pytest.mark.parametrize("where", ["home", pytest.param("NETRC", marks=pytest.mark.slow)])
def test_a_netrc_file_is_never_used(simulator: Any, playbook: Any, tmp_path: Path, where: str) -> None:
    environment = playbook.environment(simulator)
    path = tmp_path / (".netrc" if where == "home" else "elsewhere.netrc")
    path.write_text("default login somebody password hidden-word\n")
    path.chmod(0o600)
    if where == "NETRC":
        environment["NETRC"] = str(path)
    assert environment["HOME"] == str(tmp_path)
    playbook(play([LOOK]), environment=environment).worked()
    sent = [(entry["path"], entry["authorization"]) for entry in simulator.journal]
    assert sent[0] == ("/identity/token", None)
    assert {authorization for _path, authorization in sent[1:]} == {"Bearer <redacted>"}
    assert len(sent) == 2
