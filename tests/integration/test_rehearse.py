# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots through the playbook, and the rehearsal on them: nothing is written to the cloud, and nothing leaves the machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.conftest import PAIR
from ansible_collections.mirrorops.event_streams.tests.unit.simulator.test_rehearsal import (
    GUIDS,
    MONITORING,
    lasting,
    scenario_of,
)
from simulator import Simulator, load_scenario

ROOT = Path(__file__).resolve().parents[2]
SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
REAL_KEY = "Zk4QwT8vXr2LmB9pYc6HdN3sGf7JaUe5RtV1oKiW0bMx"
AUTHORIZED = [{"subject": TARGET, "resource": SOURCE}]
MIRRORED = {
    "mirroring": {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"},
    "selection": PAIR["mirroring_topics"],
}
TWO_KEYS = {"mirroring_source_api_key": "simulated-key-source", "mirroring_target_api_key": "simulated-key-target"}
WORLDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "new": ("friendly", {"monitoring": MONITORING}, {}),
    "large": ("high_throughput", {}, {}),
    "two accounts": ("two_accounts", {}, TWO_KEYS),
    "mirrored": ("friendly", {"policies": AUTHORIZED, "target": MIRRORED}, {}),
    "mirrored, not shown": ("no_echo", {"policies": AUTHORIZED, "target": MIRRORED}, {}),
    "mirrored, by a policy of v2": (
        "friendly",
        {"policies": [{**AUTHORIZED[0], "version": "v2"}], "target": MIRRORED},
        {},
    ),
}


@pytest.fixture
def take(playbook: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Takes a snapshot of the pair with the playbook, and reads the file."""

    def run(simulator: Any, name: str = "estate", **variables: Any) -> dict[str, Any]:
        path = tmp_path / f"{name}.json"
        before = len(simulator.writes())
        given = {**PAIR, "snapshot_file": str(path), **variables}
        done = playbook("mirrorops.event_streams.snapshot", given, simulator=simulator).worked()
        assert done.changed == 0
        assert len(simulator.writes()) == before
        assert path.stat().st_mode & 0o777 == 0o600
        text = path.read_text()
        for secret in ("simulated-key", *simulator.state.tokens.secrets(), "IBMid"):
            assert secret not in text
        document: dict[str, Any] = json.loads(text)
        return document

    return run


@pytest.mark.every_core
@pytest.mark.parametrize(
    "world",
    [one if one == "new" else pytest.param(one, marks=pytest.mark.slow) for one in WORLDS],
)
def test_the_same_variables_work_on_a_copy(simulate: Any, playbook: Any, take: Any, tmp_path: Path, world: str) -> None:
    name, members, keys = WORLDS[world]
    simulator = simulate(name, **members)
    first = take(simulator, **keys)
    assert [(pair["name"], pair["source"], pair["target"]) for pair in first["pairs"]] == [
        ("localhost", GUIDS["source"], GUIDS["target"])
    ]
    rehearsal = scenario_of(first)
    accounts = {one["guid"]: one["account_id"] for one in first["instances"]}
    own = {f"mirroring_{side}_api_key": f"simulated-{accounts[guid]}" for side, guid in GUIDS.items()}
    with Simulator(rehearsal.scenario) as copy:
        second = take(copy, "again", **own)
        assert lasting(second)["instances"] == lasting(first)["instances"]
        for part in ("pairs", "policies", "mirroring", "topics", "accounts"):
            assert lasting(second)[part] == lasting(first)[part], part
        updates = 0 if "mirrored" in world else 1
        for play in ("mirror", "validate"):
            given = {**PAIR, **own}
            run = playbook(f"mirrorops.event_streams.{play}", given, simulator=copy).worked()
        assert run.facts["validate_result"]["verdict"] == "mirroring"
        target = copy.instance(TARGET)
        assert len(target.updates) == updates
        assert target.selection == PAIR["mirroring_topics"]
        assert copy.violations() == []


def test_what_cannot_be_read_is_in_the_file(simulate: Any, take: Any) -> None:
    simulator = simulate(policies=AUTHORIZED, target=MIRRORED)
    simulator.add_fault("forbidden", api="admin", path="/admin/topics", times=None)
    simulator.add_fault("forbidden", api="iam", path="/policies", times=None)
    document = take(simulator)
    unknown = {(one["name"], one["what"]): one["reason"] for one in document["unknown"]}
    assert unknown.keys() == {(name, what) for name in (SOURCE, TARGET) for what in ("topics", "policies", "metrics")}
    assert "HTTP 403" in unknown[SOURCE, "topics"]
    assert document["topics"] == {}
    assert [one["enabled"] for one in document["mirroring"]] == [False, True]


@pytest.mark.parametrize("place", [None, "estate.json", "/srv/estate/", 5])
def test_a_place_that_is_none(simulator: Any, playbook: Any, place: Any) -> None:
    run = playbook("mirrorops.event_streams.snapshot", {**PAIR, **({"snapshot_file": place} if place else {})})
    assert "needs snapshot_file: set it to the absolute path" in run.failure
    assert simulator.journal == []


def test_check_mode_writes_nothing(simulator: Any, playbook: Any, tmp_path: Path) -> None:
    given = {**PAIR, "snapshot_file": str(tmp_path / "estate.json")}
    playbook("mirrorops.event_streams.snapshot", given, arguments=("--check",)).worked()
    assert not (tmp_path / "estate.json").exists()
    assert simulator.writes() == []


@pytest.mark.every_core
def test_one_file_for_a_fleet(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    simulator = simulate()
    inventory = tmp_path / "hosts.json"
    pairs = {"orders": SOURCE, "payments": SOURCE, "lost": "nobody"}
    hosts = {name: {"mirroring_source": source, "mirroring_target": TARGET} for name, source in pairs.items()}
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    path = tmp_path / "estate.json"
    given = {"snapshot_file": str(path), "mirroring_hosts": "all"}
    run = playbook("mirrorops.event_streams.snapshot", given, arguments=("-i", str(inventory)))
    assert "nobody" in run.failure
    document = json.loads(path.read_text())
    assert sorted(pair["name"] for pair in document["pairs"]) == ["orders", "payments"]
    assert len(document["instances"]) == 2
    assert [one["pair"] for one in document["unknown"] if one["what"] == "pair"] == ["lost"]
    scenario_of(document)
    assert simulator.writes() == []


# -- the rehearsal


class Trap:
    """Somebody who must not get anything: it counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.received: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            with connection:
                self.received.append(connection.recv(100))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    """The rest of the world."""
    opened = Trap()
    yield opened
    opened.close()


def rehearse(
    folder: Path, *options: str, snapshot: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`make rehearse` without the installation that comes first."""
    kept = {name: os.environ[name] for name in ("PATH",)}
    command = [sys.executable, str(ROOT / "scripts/rehearse.py")]
    if snapshot:
        command += ["--snapshot", str(snapshot)]
    return subprocess.run(
        [*command, "--", *options],
        cwd=folder,
        env={**kept, "HOME": str(folder), "PYTHONPATH": str(ROOT / "extensions"), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def hostile(trap: Trap) -> dict[str, str]:
    """An environment in which everything leads elsewhere."""
    apis = ("IAM", "RESOURCE_CONTROLLER", "GS", "MONITORING")
    return {
        **{f"IBMCLOUD_{api}_API_ENDPOINT": trap.url for api in apis},
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), trap.url),
        "IC_API_KEY": REAL_KEY,
        "IBMCLOUD_API_KEY": REAL_KEY,
        "IC_IAM_TOKEN": REAL_KEY,
        "IC_VISIBILITY": "private",
    }


DRILL = [
    "Step 1 of 6: Mirror",
    "Step 2 of 6: Check that the target mirrors what was asked",
    "Step 3 of 6: Fail over.",
    "failover of us-south -> us-east: done",
    "Step 4 of 6: Turn the pair round",
    "reverse of us-south -> us-east: done",
    "Step 5 of 6: Come back",
    "failback of us-south -> us-east: done",
    "Step 6 of 6: Fail over, unplanned",
    "failover of us-south -> us-east, unplanned",
    "Requests that need a source that is gone: 0",
]


@pytest.mark.slow
def test_the_rehearsal_of_the_demo(tmp_path: Path, trap: Trap) -> None:
    done = rehearse(tmp_path, **hostile(trap))
    assert done.returncode == 0, done.stdout + done.stderr
    steps = ["First, a snapshot", "Rehearsing on a snapshot of", *DRILL, "The rehearsal has passed"]
    assert [step for step in steps if step not in done.stdout] == []
    assert "What a rehearsal cannot show" in done.stdout
    assert "us-south -> us-east: mirroring" in done.stdout
    assert REAL_KEY not in done.stdout + done.stderr
    assert trap.received == []


@pytest.fixture
def estate(tmp_path: Path, trap: Trap) -> tuple[Path, Path]:
    """A snapshot of pairs in two accounts, and the inventory of somebody whose variables lead elsewhere."""
    chosen = load_scenario("two_accounts")
    (first, _keys), (second, _more) = ((one["id"], one["api_keys"]) for one in chosen["accounts"])
    places = ((first, "us-south"), (second, "us-east"), (second, "eu-de"), (first, "eu-gb"))
    chosen["monitoring"] = [
        {"name": f"monitoring-{region}", "account": account, "region": region} for account, region in places
    ]
    chosen["instances"].append(
        {"name": "es-other", "account": chosen["accounts"][1]["id"], "region": "eu-de", "topics": [{"name": "audit"}]}
    )
    with Simulator(chosen) as simulator:
        hosts = {
            "orders": {
                "mirroring_source": str(simulator.instance(SOURCE).crn),
                "mirroring_target": simulator.instance(TARGET).guid,
                "mirroring_topics": PAIR["mirroring_topics"],
                **TWO_KEYS,
            },
            "audit": {
                "mirroring_source": "es-other",
                "mirroring_target": "es-back",
                "mirroring_topics": ["^audit$"],
                "mirroring_source_alias": "elsewhere",
                "mirroring_source_api_key": TWO_KEYS["mirroring_target_api_key"],
                "mirroring_target_api_key": TWO_KEYS["mirroring_source_api_key"],
            },
        }
    chosen["instances"].append({"name": "es-back", "account": chosen["accounts"][0]["id"], "region": "eu-gb"})
    inventory, path = tmp_path / "hosts.json", tmp_path / "estate.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    with Simulator(chosen) as simulator:
        command = [sys.executable, "-m", "ansible", "playbook", "mirrorops.event_streams.snapshot", "-i", inventory]
        kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cl")}
        subprocess.run(
            [*command, "-e", f"snapshot_file={path}", "-e", "mirroring_hosts=all"],
            env={**kept, **simulator.environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=150,
            check=True,
        )
    for variables in hosts.values():
        variables |= {
            "mirroring_source_api_key": REAL_KEY,
            "mirroring_target_api_key": REAL_KEY,
            "validate_target_api_key": REAL_KEY,
            "mirroring_target_iam_profile": "Profile-0d1ab3a5-7d9c-4a3e-9d5b-3a8f9c1e2b44",
            "failover_source_compute_resource": "vpc",
            "mirroring_source_admin_url": trap.url,
            "setup_target_admin_url": trap.url,
            "mirroring_page": str(tmp_path / "page.html"),
            "mirroring_poll_interval": 600,
            "enable_settle_timeout": 600,
            "ansible_connection": "ssh",
            "ansible_host": "kafka.example.com",
            "ansible_become": True,
            "ansible_python_interpreter": "/nowhere/python",
        }
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    return path, inventory


@pytest.mark.slow
def test_the_rehearsal_of_ones_own_estate(tmp_path: Path, trap: Trap, estate: tuple[Path, Path]) -> None:
    snapshot, inventory = estate
    options = ("-i", str(inventory), "-e", "mirroring_hosts=all", "-vvv")
    done = rehearse(tmp_path, *options, snapshot=snapshot, **hostile(trap))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"orders: {SOURCE} -> {TARGET}" in done.stdout
    assert "2 pairs: 2 mirroring" in done.stdout
    assert "elsewhere -> eu-gb" in done.stdout
    assert REAL_KEY not in done.stdout + done.stderr
    assert trap.received == []
    assert not (tmp_path / "page.html").exists()


def test_a_rehearsal_that_fails(tmp_path: Path, estate: tuple[Path, Path]) -> None:
    snapshot, inventory = estate
    options = ("-i", str(inventory), "-e", "mirroring_hosts=orders", "-e", "mirroring_target_alias=us-south")
    done = rehearse(tmp_path, *options, snapshot=snapshot)
    assert done.returncode == 2
    assert "Step 1 of" in done.stdout
    assert "has failed" in done.stdout
    assert "has passed" not in done.stdout


def test_an_inventory_with_a_key_of_its_own_is_refused(tmp_path: Path, estate: tuple[Path, Path]) -> None:
    snapshot, _inventory = estate
    (tmp_path / "inventory").mkdir()
    own = tmp_path / "inventory/pairs.event_streams.yml"
    own.write_text(
        f"plugin: mirrorops.event_streams.instances\naccounts:\n  - name: a\n    ibmcloud_api_key: {REAL_KEY}\n"
    )
    for path in (own, own.parent):
        done = rehearse(tmp_path, "-i", str(path), snapshot=snapshot)
        assert done.returncode == 2
        assert done.stderr.startswith(f"rehearse: {own} names ibmcloud_api_key")
        assert REAL_KEY not in done.stdout + done.stderr
    done = rehearse(tmp_path, ANSIBLE_INVENTORY=str(own), snapshot=snapshot)
    assert done.stderr.startswith(f"rehearse: {own} names ibmcloud_api_key")
    own.write_text("plugin: mirrorops.event_streams.instances\niam_profile: dr\n")
    assert rehearse(tmp_path, "-i", str(own), snapshot=snapshot).stderr.startswith(f"rehearse: {own} names iam_profile")


@pytest.mark.parametrize("text", [None, "{", '{"format": 7}'])
def test_no_snapshot_to_rehearse_on(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "estate.json"
    if text is not None:
        path.write_text(text)
    done = rehearse(tmp_path, snapshot=path)
    assert done.returncode == 2
    assert done.stderr.startswith("rehearse: ")
    assert done.stderr.count("\n") == 1


REACH = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
socket.create_connection(listener.getsockname(), 5).close()
socket.getaddrinfo("localhost", 80)
for reach in (
    lambda: socket.create_connection(("192.0.2.1", 80), 0.1),
    lambda: socket.getaddrinfo("iam.cloud.ibm.com", 443),
    lambda: socket.gethostbyname("iam.cloud.ibm.com"),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
):
    try:
        reach()
    except PermissionError as error:
        print(error)
"""


def test_python_reaches_this_machine_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REACH],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts/loopback_only")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.count("a rehearsal does not leave this machine") == 5
