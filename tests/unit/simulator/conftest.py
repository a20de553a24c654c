# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP client that knows nothing of the simulator's insides, and the clouds the tests use."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from simulator import Simulator, load_scenario

SOURCE = "11111111-aaaa-4bbb-8ccc-000000000001"
TARGET = "22222222-aaaa-4bbb-8ccc-000000000002"
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
READER = "crn:v1:bluemix:public:iam::::serviceRole:Reader"
GRANT = "urn:ibm:params:oauth:grant-type:apikey"


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


class Cloud:
    """A running simulator whose clock stands still, and the calls that tests make."""

    source, target, account = SOURCE, TARGET, ACCOUNT

    def __init__(self, simulator: Simulator) -> None:
        self.sim = simulator
        self.sim.clock.speed = 0
        self.keys = [key for entry in simulator.scenario["accounts"] for key in entry["api_keys"]]
        self._tokens: dict[str, str] = {}

    # -- HTTP

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        address = self.sim.url.removeprefix("http://")
        if path.startswith("http://"):
            address, _dummy, path = path.removeprefix("http://").partition("/")
            path = "/" + path
        connection = http.client.HTTPConnection(address, timeout=5)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def token_reply(self, key: str, **fields: str) -> Reply:
        form = {"grant_type": GRANT, "apikey": key, "response_type": "cloud_iam", **fields}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", "/identity/token", urlencode(form).encode(), headers)

    def token(self, who: str = "operator", *, fresh: bool = False) -> str:
        if fresh or who not in self._tokens:
            key = next((entry["key"] for entry in self.keys if entry.get("name") == who), who)
            self._tokens[who] = self.token_reply(key).json["access_token"]
        return self._tokens[who]

    def call(self, method: str, path: str, body: Any = None, *, who: str = "operator", **headers: str) -> Reply:
        sent = {"Authorization": f"Bearer {self.token(who)}"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.send(method, path, data, sent)

    def admin(self, method: str, path: str, body: Any = None, *, at: str = TARGET, who: str = "operator") -> Reply:
        return self.call(method, f"/es/{at}{path}", body, who=who)

    # -- the flow

    def grant(self, version: str = "v1", *, subject: str = TARGET, resource: str = SOURCE, **more: Any) -> Any:
        sides = [self._side(guid) for guid in (subject, resource)]
        roles = [{"role_id": READER}]
        if version == "v1":
            old = [{"attributes": [{"name": name, "value": value} for name, value in side]} for side in sides]
            return {"type": "authorization", "subjects": old[:1], "resources": old[1:], "roles": roles, **more}
        new = [
            {"attributes": [{"key": name, "operator": "stringEquals", "value": value} for name, value in side]}
            for side in sides
        ]
        control = {"grant": {"roles": roles}}
        return {"type": "authorization", "subject": new[0], "resource": new[1], "control": control, **more}

    def _side(self, guid: str) -> list[tuple[str, str]]:
        instance = self.sim.instance(guid)
        return [("accountId", instance.account), ("serviceName", "messagehub"), ("serviceInstance", guid)]

    def authorize(self, version: str = "v1", **more: Any) -> Reply:
        return self.call("POST", f"/{version}/policies", self.grant(version, **more))

    def crn(self, guid: str = SOURCE) -> str:
        return str(self.sim.instance(guid).crn)

    def block(self, **more: Any) -> dict[str, Any]:
        return {"source_crn": self.crn(), "source_alias": "us-south", "target_alias": "us-east", **more}

    def patch(self, parameters: dict[str, Any], guid: str = TARGET, **headers: str) -> Reply:
        return self.call("PATCH", f"/v2/resource_instances/{guid}", {"parameters": parameters}, **headers)

    def mirror(self, **more: Any) -> Reply:
        return self.patch({"mirroring": self.block(**more)})

    def get(self, guid: str = TARGET, who: str = "operator") -> Any:
        return self.call("GET", f"/v2/resource_instances/{guid}", who=who).json

    def wait(self) -> None:
        self.sim.clock.advance(100)

    def enable(self, **more: Any) -> None:
        self.authorize()
        self.wait()
        assert self.mirror(**more).status in (200, 202)
        self.wait()

    def disable(self) -> None:
        assert self.patch({"mirroring": {"disable": True}}).status in (200, 202)
        self.wait()

    def select(self, *patterns: str) -> Reply:
        return self.admin("POST", "/admin/mirroring/topic-selection", {"includes": list(patterns)})

    def selection(self) -> Reply:
        return self.admin("GET", "/admin/mirroring/topic-selection")

    def active(self) -> list[str]:
        found: list[str] = self.admin("GET", "/admin/mirroring/active-topics").json["active_topics"]
        return found

    def topics(self, guid: str = TARGET) -> list[str]:
        return [topic["name"] for topic in self.admin("GET", "/admin/topics", at=guid).json]


Start = Callable[..., Cloud]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a scenario (name or dictionary) with some of its parts replaced."""
    running: list[Simulator] = []

    def begin(scenario: Any = "friendly", **parts: Any) -> Cloud:
        simulator = Simulator({**load_scenario(scenario), **parts})
        running.append(simulator)
        return Cloud(simulator.start())

    yield begin
    for simulator in running:
        simulator.stop()


@pytest.fixture
def cloud(start: Start) -> Cloud:
    """The friendly pair."""
    return start()
