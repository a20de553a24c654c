# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world is looked through only when something in it may have changed, and nobody can tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engine import Engine
from simulator.instances import Topic
from simulator.scenario import load_scenario
from simulator.wire import Request
from simulator.world import World

SOURCE = "11111111-aaaa-4bbb-8ccc-000000000001"
TARGET = "22222222-aaaa-4bbb-8ccc-000000000002"
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
TIMING = {
    "operation_seconds": 1.0,
    "policy_propagation_seconds": 1.5,
    "remote_topic_seconds": 0.7,
    "active_topic_seconds": 0.4,
    "topic_delete_seconds": 2.0,
}
FORM = b"grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey=simulated-key-main"
READS = [
    f"/v2/resource_instances/{SOURCE}",
    f"/v2/resource_instances/{TARGET}",
    f"/es/{SOURCE}/admin/topics",
    f"/es/{TARGET}/admin/topics",
    f"/es/{TARGET}/admin/mirroring/topic-selection",
    f"/es/{TARGET}/admin/mirroring/active-topics",
    f"/es/{TARGET}/admin/consumergroups",
    f"/v1/policies?account_id={ACCOUNT}&type=authorization",
]


class Client:
    """Asks an engine without HTTP. Its clock stands still."""

    def __init__(self) -> None:
        scenario = load_scenario("friendly")
        scenario["clock"] = {"start": "2026-01-01T00:00:00Z", "speed": 0}
        scenario["timing"] = TIMING
        self.engine = Engine(scenario)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.engine.handle(Request.of("POST", "/identity/token", form, FORM)).answer
        assert answer is not None
        self._token = answer.body["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Transaction-Id": "t", "Content-Type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        answer = self.engine.handle(Request.of(method, path, headers, data)).answer
        assert answer is not None
        return answer.status, answer.body

    def reads(self) -> list[tuple[int, Any]]:
        return [self.call("GET", path) for path in READS]

    def policies(self) -> list[str]:
        return [policy["id"] for policy in self.call("GET", READS[-1])[1]["policies"]]

    def do(self, step: str, value: Any) -> Any:
        """Something that an application or an operator does."""
        instance, selection = READS[1], READS[4]
        if step == "advance":
            return self.engine.clock.advance(value)
        if step == "authorize":
            sides = [
                [("accountId", ACCOUNT), ("serviceName", "messagehub"), ("serviceInstance", guid)]
                for guid in (TARGET, SOURCE)
            ]
            told = [{"attributes": [{"name": name, "value": text} for name, text in side]} for side in sides]
            roles = [{"role_id": "crn:v1:bluemix:public:iam::::serviceRole:Reader"}]
            policy = {"type": "authorization", "subjects": told[:1], "resources": told[1:], "roles": roles}
            return self.call("POST", "/v1/policies", policy)[0]
        if step == "revoke":
            return [self.call("DELETE", f"/v1/policies/{one}")[0] for one in self.policies()]
        if step == "enable":
            crn = self.call("GET", READS[0])[1]["crn"]
            block = {"source_crn": crn, "source_alias": "us-south", "target_alias": "us-east"}
            return self.call("PATCH", instance, {"parameters": {"mirroring": block}})[0]
        if step == "disable":
            return self.call("PATCH", instance, {"parameters": {"mirroring": {"disable": True}}})[0]
        if step == "select":
            return self.call("POST", selection, {"includes": value})[0]
        if step == "create":
            return self.call("POST", f"/es/{SOURCE}/admin/topics", {"name": value, "partition_count": 1})[0]
        return self.call("DELETE", f"/es/{SOURCE}/admin/topics/{value}")[0]


MIRRORED: list[tuple[str, Any]] = [
    ("authorize", None),
    ("advance", 2.0),
    ("enable", None),
    ("advance", 2.0),
    ("select", [".*"]),
]
STEPS = st.one_of(
    st.tuples(st.just("advance"), st.sampled_from([0.1, 0.3, 0.5, 0.8, 1.0, 2.5])),
    st.tuples(st.sampled_from(["authorize", "revoke", "enable", "disable"]), st.none()),
    st.tuples(st.just("select"), st.sampled_from([[".*"], ["orders", "new"], []])),
    st.tuples(st.sampled_from(["create", "delete"]), st.sampled_from(["orders", "new"])),
)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, min_size=3, max_size=14), mirrored=st.booleans())
def test_nobody_can_tell(steps: list[tuple[str, Any]], mirrored: bool) -> None:
    """One world is looked through with each request, the other only when something is due."""
    always, seldom = Client(), Client()
    always.engine.share()
    for step, value in [*(MIRRORED if mirrored else []), *steps]:
        assert always.do(step, value) == seldom.do(step, value)
        assert always.reads() == seldom.reads()


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ([("authorize", None), ("advance", 2.0), ("enable", None)], 1.0),
        ([*MIRRORED], 0.7),
        ([*MIRRORED, ("advance", 2.0), ("delete", "orders")], 2.0),
        ([("authorize", None), ("advance", 1.0)], 0.5),
    ],
    ids=["an update ends", "a remote topic appears", "a deleted topic is gone", "an authorization takes effect"],
)
def test_what_time_brings_is_due_when_it_comes(before: list[tuple[str, Any]], change: float) -> None:
    client = Client()
    for step, value in before:
        client.do(step, value)
    client.reads()
    now = client.engine.clock.now()
    assert client.engine.world.next_due(now) == pytest.approx(now + change)


def test_reads_alone_do_not_look_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    for step, value in [*MIRRORED, ("advance", 100.0)]:
        client.do(step, value)
    looked: list[float] = []
    settle = World.settle
    monkeypatch.setattr(World, "settle", lambda world: looked.append(settle(world)) or looked[-1])
    first = client.reads()
    assert [client.reads() for _again in range(5)] == [first] * 5
    assert len(looked) == 1
    client.do("select", ["orders"])
    client.reads()
    assert len(looked) > 1


@pytest.mark.parametrize("kept", [True, False])
def test_whoever_has_hold_of_the_world_may_change_it(kept: bool) -> None:
    client = Client()
    for step, value in [*MIRRORED, ("advance", 100.0)]:
        client.do(step, value)
    world = client.engine.share() if kept else None
    client.reads()
    (world or client.engine.world).instances[SOURCE].topics["new"] = Topic("new", 1, client.engine.clock.now())
    client.reads()
    client.do("advance", 100.0)
    status, topics = client.call("GET", f"/es/{TARGET}/admin/topics")
    assert (status, "new.us-south" in [topic["name"] for topic in topics]) == (200, True)
