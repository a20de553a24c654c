# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, stopping, the control routes, the command line and scenarios."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator import ScenarioError, Simulator, load_scenario, scenario_names
from simulator.clock import Clock, iso_nanos, parse_time

EXTENSIONS = Path(simulator.__file__).parents[1]
SHIPPED = [
    "demo",
    "duplicate_names",
    "friendly",
    "high_throughput",
    "mismatch",
    "nasty",
    "no_echo",
    "two_accounts",
    "unsupported_plans",
]


def control(cloud: Any, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    return cloud.send(method, f"/_control/{path}", data)


def test_stop_leaves_nothing_running(start: Any) -> None:
    before = set(threading.enumerate())
    cloud = start(admin="port")
    cloud.get()
    assert set(threading.enumerate()) > before
    address = cloud.sim.url.removeprefix("http://")
    idle = http.client.HTTPConnection(address, timeout=5)
    idle.request("GET", f"/es/{cloud.target}/alive")
    idle.getresponse().read()
    cloud.sim.stop()
    assert set(threading.enumerate()) <= before
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(address, timeout=5).connect()


def test_the_clock() -> None:
    clock = Clock(100, 0)
    clock.advance(2.5)
    assert clock.now() == 102.5
    clock.speed = 1000
    time.sleep(0.01)
    clock.speed = 0
    now = clock.now()
    assert 112 < now == clock.now()
    with pytest.raises(ValueError):
        clock.advance(-1)
    moment = parse_time("2025-08-28T16:35:07.650372748Z")
    assert iso_nanos(moment).startswith("2025-08-28T16:35:07.65037")


def test_only_the_loopback_address() -> None:
    with pytest.raises(ValueError, match="127"):
        Simulator("friendly", host="0.0.0.0")
    with Simulator("friendly") as sim:
        assert sim.url.startswith("http://127.0.0.1:")


def test_many_callers_at_once(cloud: Any) -> None:
    cloud.token()
    statuses: list[int] = []

    def work() -> None:
        statuses.extend(cloud.authorize().status for _dummy in range(5))

    workers = [threading.Thread(target=work) for _dummy in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(statuses) == [201] + [409] * 39
    assert [entry["number"] for entry in cloud.sim.journal] == list(range(1, 42))


def test_connections_are_kept(cloud: Any) -> None:
    connection = http.client.HTTPConnection(cloud.sim.url.removeprefix("http://"))
    for _dummy in range(3):
        connection.request("GET", f"/es/{cloud.target}/alive")
        answer = connection.getresponse()
        answer.read()
        assert answer.version == 11 and not answer.will_close
    connection.close()


def test_control_routes(cloud: Any) -> None:
    assert control(cloud, "GET", "health").json["url"] == cloud.sim.url
    now = cloud.sim.clock.now()
    assert control(cloud, "POST", "clock", {"advance": 5, "speed": 0}).json == {"now": now + 5, "speed": 0}
    assert control(cloud, "POST", "switches", {"echo": "none"}).json["echo"] == "none"
    assert control(cloud, "GET", "switches").json == cloud.sim.switches
    fault = control(cloud, "POST", "faults", {"action": "status", "status": 503}).json["id"]
    assert control(cloud, "GET", "faults").json[0]["id"] == fault
    assert control(cloud, "DELETE", "faults").status == 200 and cloud.sim.faults == []
    topics = {"instance": cloud.source, "create": "new", "partitions": 7}
    assert control(cloud, "POST", "topics", topics).status == 200
    assert control(cloud, "GET", "state").json["instances"][cloud.source]["topics"]["new"] == 7
    control(cloud, "POST", "topics", {"instance": cloud.source, "delete": "new"})
    assert control(cloud, "POST", "stop_producers").status == 200
    gone = {"action": "reset_before", "instance": cloud.source, "times": None}
    assert control(cloud, "POST", "faults", gone).status == 200
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        cloud.send("GET", f"/es/{cloud.source}/alive")
    cloud.sim.clear_faults()
    cloud.sim.clear_journal()
    assert cloud.sim.journal == []
    cloud.authorize()
    assert control(cloud, "GET", "journal").json == cloud.sim.journal
    assert control(cloud, "DELETE", "journal").status == 200 and cloud.sim.journal == []
    assert control(cloud, "POST", "reset").status == 200
    assert cloud.sim.snapshot()["policies"] == [] and cloud.sim.switches["echo"] == "full"
    assert cloud.call("GET", "/v2/resource_instances").status == 401, "a reset forgets tokens"
    assert control(cloud, "POST", "shutdown").status == 200 and cloud.sim.ended.is_set()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("DELETE", "clock", None, 405),
        ("POST", "clock", {"back": 5}, 400),
        ("POST", "clock", None, 400),
        ("POST", "switches", {"nothing": "x"}, 400),
        ("POST", "faults", {"action": "explode"}, 400),
        ("POST", "topics", {"instance": "nothing", "create": "x"}, 400),
        ("POST", "topics", {"instance": "es-source-us-south", "delete": "x"}, 400),
    ],
)
def test_wrong_control_requests(cloud: Any, method: str, path: str, body: Any, status: int) -> None:
    reply = control(cloud, method, path, body)
    assert reply.status == status and reply.json["message"]


# -- scenarios


def test_the_shipped_scenarios(start: Any) -> None:
    assert scenario_names() == SHIPPED
    for name in SHIPPED:
        scenario = load_scenario(name)
        assert scenario["description"] and start(name).sim.snapshot()["instances"]


def change(*path: Any, value: Any) -> Any:
    def apply(scenario: Any) -> None:
        for step in path[:-1]:
            scenario = scenario[step]
        scenario[path[-1]] = value

    return apply


@pytest.mark.parametrize(
    ("apply", "words"),
    [
        (change("colour", value="red"), "unknown member 'colour'"),
        (change("timing", "nothing", value=1), "unknown member 'nothing'"),
        (change("instances", 0, "colour", value=1), "unknown member 'colour'"),
        (change("instances", 0, "throughput", value=150), "must be a string"),
        (change("instances", 0, "account", value="x"), "unknown account"),
        (change("instances", 0, "guid", value="x"), "not a GUID"),
        (change("instances", 1, "guid", value="11111111-aaaa-4bbb-8ccc-000000000001"), "used twice"),
        (change("instances", 0, "resource_group", value="x"), "unknown resource group"),
        (change("accounts", 0, "id", value="x"), "32 hexadecimal digits"),
        (change("accounts", 0, "api_keys", 0, "rights", value="god"), "must be one of"),
        (change("accounts", value=[]), "needs an account"),
        (change("switches", value={"echo": "maybe"}), "cannot be 'maybe'"),
        (change("switches", value={"nothing": "x"}), "unknown switch"),
        (change("clock", "start", value="yesterday"), "must be a time"),
        (change("admin", value="socket"), "must be one of"),
        (change("policies", value=[{}]), "v1 body, a v2 body or the short form"),
        (change("policies", value=[{"subject": "x", "resource": "y"}]), "policy cannot be read"),
        (change("instances", 0, "mirroring", value={"source": "x"}), "lacks 'source_alias'"),
        (
            change(
                "instances",
                0,
                "mirroring",
                value={
                    "source": "es-target-us-east",
                    "source_alias": "a",
                    "target_alias": "b",
                    "options": {"topic_name_transform": {}},
                },
            ),
            "lacks 'type'",
        ),
    ],
)
def test_a_wrong_scenario_is_an_error(apply: Any, words: str) -> None:
    scenario = load_scenario("friendly")
    apply(scenario)
    with pytest.raises(ScenarioError, match=words):
        Simulator(scenario)


def test_guids_come_from_names(start: Any) -> None:
    scenario = load_scenario("friendly")
    for instance in scenario["instances"]:
        del instance["guid"]
    first, second = (list(start(scenario).sim.state.instances) for _dummy in range(2))
    assert first == second and len(set(first)) == 2


def test_full_policy_bodies_and_rights(start: Any, cloud: Any) -> None:
    made = cloud.authorize().json
    rights = {"policies": "read", "cluster": "reader"}
    scenario = load_scenario("friendly")
    scenario["policies"] = [{**made, "created_at": "2025-01-01T00:00:00.000Z"}]
    scenario["accounts"][0]["api_keys"].append({"key": "some", "name": "some", "rights": rights})
    other = start(scenario)
    assert other.call("GET", f"/v1/policies/{made['id']}", who="some").json["created_at"][:4] == "2025"
    assert other.call("GET", "/v2/resource_instances", who="some").json["resources"] == []
    assert other.mirror().status == 200


def test_environment(start: Any) -> None:
    sim = start("two_accounts").sim
    assert sim.environment()["IC_API_KEY"] == "simulated-key-source"
    assert sim.environment("target-account")["IC_API_KEY"] == "simulated-key-target"
    assert sim.environment()["IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT"] == sim.url
    with pytest.raises(KeyError):
        sim.environment("nobody")


# -- command line


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(EXTENSIONS)}
    command = [sys.executable, "-m", "simulator", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)


def test_command_line_lists() -> None:
    assert [line.partition(":")[0] for line in run("--list-scenarios").stdout.splitlines()] == SHIPPED
    assert "next_url_form" in run("--list-switches").stdout


@pytest.mark.parametrize("text", [None, "{", '{"accounts": []}'])
def test_command_line_refuses_a_bad_scenario(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "scenario.json"
    if text is not None:
        file.write_text(text)
    done = run("--scenario", str(file))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, None], ids=["TERM", "INT", "shutdown"])
def test_command_line_runs_until_told(tmp_path: Path, number: signal.Signals | None) -> None:
    names = {"--env-file": tmp_path / "env", "--port-file": tmp_path / "port"}
    arguments = [text for name, path in names.items() for text in (name, str(path))]
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "--scenario", "friendly", "--prefix", *arguments],
        env={**os.environ, "PYTHONPATH": str(EXTENSIONS)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        lines = names["--env-file"].read_text().splitlines()
        assert lines[0] == "export IC_API_KEY=simulated-key-main"
        assert lines[1] == f"export IBMCLOUD_IAM_API_ENDPOINT={url}/iam"
        assert names["--env-file"].stat().st_mode & 0o77 == 0
        assert names["--port-file"].read_text().strip() == url.rpartition(":")[2]
        if number is None:
            import urllib.request

            urllib.request.urlopen(urllib.request.Request(f"{url}/_control/shutdown", b"null", method="POST")).close()
        else:
            process.send_signal(number)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_command_line_ends_with_its_parent(tmp_path: Path) -> None:
    port = tmp_path / "port"
    script = (
        "import subprocess, sys, time, pathlib\n"
        "subprocess.Popen([sys.executable, '-m', 'simulator', '--scenario', 'friendly', '--exit-with-parent',"
        f" '--port-file', {str(port)!r}])\n"
        f"while not pathlib.Path({str(port)!r}).exists(): time.sleep(0.02)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(EXTENSIONS)}
    subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, timeout=20, check=True)
    import socket

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port.read_text()))) != 0:
                return
        time.sleep(0.05)
    pytest.fail("the simulator outlived its parent")
