# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nasty world can be survived by a patient client, and no input makes the simulator fall over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import Simulator
from simulator.engine import Engine
from simulator.scenario import load_scenario
from simulator.wire import Request

TARGET = "22222222-aaaa-4bbb-8ccc-000000000002"


def patient(cloud: Any, method: str, path: str, body: Any = None, *, wanted: tuple[int, ...]) -> Any:
    """Ask until one of the wanted statuses comes; time goes on in between."""
    for _dummy in range(20):
        reply = cloud.call(method, path, body)
        if reply.status in wanted:
            return reply
        cloud.sim.clock.advance(0.1)
    raise AssertionError(f"{method} {path} never answered {wanted}, but {reply.status}")


def test_mirroring_can_be_set_up_in_the_nasty_world(start: Any) -> None:
    cloud = start("nasty")
    instance = f"/v2/resource_instances/{TARGET}"
    admin = f"/es/{TARGET}/admin"
    patient(cloud, "POST", "/v1/policies", cloud.grant(), wanted=(201,))
    rows = patient(cloud, "GET", f"/v1/policies?account_id={cloud.account}", wanted=(200,)).json["policies"]
    assert rows == [], "a fresh policy is not readable"
    cloud.sim.clock.advance(1)
    patient(cloud, "PATCH", instance, {"parameters": {"mirroring": cloud.block()}}, wanted=(202,))
    seen = set()
    for _dummy in range(30):
        document = patient(cloud, "GET", instance, wanted=(200,)).json
        seen.add(document["last_operation"]["state"])
        cloud.sim.clock.advance(0.1)
    assert seen == {"succeeded", "in progress", "sync succeeded"}
    assert "mirroring" not in document["parameters"] and "kafka_http_url" not in document["extensions"]
    selection = {"includes": ["orders"]}
    patient(cloud, "POST", f"{admin}/mirroring/topic-selection", selection, wanted=(200,))
    cloud.wait()
    active = patient(cloud, "GET", f"{admin}/mirroring/active-topics", wanted=(200,)).json
    assert active == {"active_topics": ["orders.us-south"]}
    assert cloud.sim.violations() == []


@pytest.fixture(scope="module")
def engine() -> Iterator[tuple[Engine, str]]:
    """An engine without HTTP, and a token for it."""
    built = Engine(load_scenario("friendly"))
    form = b"grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey=simulated-key-main"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = built.handle(Request.of("POST", "/identity/token", headers, form)).answer
    assert answer is not None
    yield built, answer.body["access_token"]


WORDS = st.sampled_from(
    (
        "parameters mirroring disable source_crn source_alias target_alias options topic_name_transform type rename",
        "throughput storage_size includes name configs value subjects subject roles resources attributes control",
        "grant partition_count description 300 ² -1",
    )
).flatmap(lambda line: st.sampled_from(line.split()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
CALLS = st.sampled_from(
    [
        ("POST", "/identity/token"),
        ("POST", "/v1/policies"),
        ("POST", "/v2/policies"),
        ("PATCH", f"/v2/resource_instances/{TARGET}"),
        ("POST", f"/es/{TARGET}/admin/mirroring/topic-selection"),
        ("POST", f"/es/{TARGET}/admin/topics"),
        ("PATCH", f"/es/{TARGET}/admin/topics/orders"),
        ("GET", "/v2/resource_instances"),
        ("GET", f"/es/{TARGET}/admin/topics"),
        ("GET", "/v1/policies"),
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=CALLS, value=VALUES, wrap=st.booleans(), query=st.text("startlimpge_=&1²%{}9", max_size=12))
def test_no_input_makes_it_fall_over(
    engine: tuple[Engine, str], call: tuple[str, str], value: Any, wrap: bool, query: str
) -> None:
    built, token = engine
    method, path = call
    body = json.dumps({"parameters": value} if wrap else value).encode() if method != "GET" else b""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = built.handle(Request.of(method, f"{path}?{query}" if method == "GET" else path, headers, body)).answer
    assert answer is not None and answer.status in (200, 201, 202, 400, 409, 415, 422, 404)
    json.loads(answer.data())


@pytest.mark.parametrize("token", ['{"row": 1}', '{"filters": [1], "limit": 1, "row": 0}', "[]", "9" * 5000, "\xff"])
def test_page_tokens_of_strangers(cloud: Any, token: str) -> None:
    import base64

    text = base64.urlsafe_b64encode(token.encode()).decode().replace("=", "%3D")
    assert cloud.call("GET", f"/v2/resource_instances?start={text}").status == 400
    assert cloud.call("GET", f"/v2/resource_instances?limit={'9' * 5000}").status == 400


def test_broken_http_gets_an_answer_or_a_closed_connection(cloud: Any) -> None:
    import socket

    host, _dummy, port = cloud.sim.url.removeprefix("http://").partition(":")
    for data in (
        b"GARBAGE\r\n\r\n",
        b"POST /identity/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /identity/token HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"\x00\xff\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), 5) as connection:
            connection.sendall(data)
            connection.settimeout(5)
            received = connection.recv(100)
            assert received.startswith(b"HTTP/1.1 4")
    assert [entry["status"] for entry in cloud.sim.violations()] == [411]
    assert cloud.get()["state"] == "active"


def test_a_scenario_may_be_a_path(tmp_path: Any) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(load_scenario("friendly")))
    with Simulator(file) as sim:
        assert sim.instance("es-target-us-east").guid == TARGET
