# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planned trouble reaches the client, and the journal tells whether the request had its effect."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import pytest

PATCH = {"api": "resource_controller", "method": "PATCH"}


def last(cloud: Any) -> tuple[Any, ...]:
    entry = cloud.sim.journal[-1]
    return entry["fault"], entry["processed"], entry["status"]


def running(cloud: Any) -> bool:
    return cloud.sim.instance(cloud.target).busy


def test_status_with_headers(cloud: Any) -> None:
    cloud.authorize()
    cloud.sim.add_fault("status", **PATCH, status=429, headers={"Retry-After": "0"})
    reply = cloud.mirror()
    assert (reply.status, reply.headers["Retry-After"], reply.json["status_code"]) == (429, "0", 429)
    assert last(cloud) == ("status", False, 429) and not running(cloud)
    assert cloud.mirror().status == 200


@pytest.mark.parametrize(
    ("body", "raw"),
    [("html", b"<html"), ("empty", b""), ("array", b"["), ("truncated", b"{"), ({"a": 1}, b'{"a": 1}')],
)
def test_status_bodies(cloud: Any, body: Any, raw: bytes) -> None:
    cloud.sim.add_fault("status", status=502, body=body)
    reply = cloud.send("GET", "/v2/resource_instances")
    assert reply.status == 502 and reply.raw.startswith(raw)
    if body == "truncated":
        with pytest.raises(json.JSONDecodeError):
            json.loads(reply.raw)
    if raw == b"":
        assert reply.raw == b""


def test_status_after_processing(cloud: Any) -> None:
    cloud.authorize()
    cloud.sim.add_fault("status", **PATCH, status=502, processed=True)
    assert cloud.mirror().status == 502
    assert last(cloud) == ("status", True, 502) and running(cloud)


@pytest.mark.parametrize(("action", "status"), [("unauthorized", 401), ("forbidden", 403), ("not_found", 404)])
def test_errors_in_the_shape_of_the_api(cloud: Any, action: str, status: int) -> None:
    cloud.token()
    cloud.sim.add_fault(action, times=3)
    replies = [
        cloud.call("GET", "/v2/resource_instances"),
        cloud.call("GET", "/v1/policies"),
        cloud.admin("GET", "/admin/topics"),
    ]
    assert [reply.status for reply in replies] == [status] * 3
    assert "error_code" in replies[0].json and "errors" in replies[1].json and "incident_id" in replies[2].json
    assert cloud.call("GET", "/v2/resource_instances").status == 200


@pytest.mark.parametrize(
    ("action", "check"),
    [
        ("truncated_json", lambda raw: raw.startswith(b"{") and not raw.endswith(b"}")),
        ("html_body", lambda raw: raw.startswith(b"<html")),
        ("empty_body", lambda raw: raw == b""),
    ],
)
def test_spoiled_answers_were_processed(cloud: Any, action: str, check: Any) -> None:
    cloud.authorize()
    cloud.sim.add_fault(action, **PATCH)
    reply = cloud.mirror()
    assert reply.status == 200 and check(reply.raw)
    assert last(cloud) == (action, True, 200) and running(cloud)


@pytest.mark.parametrize(("action", "processed"), [("reset_before", False), ("reset_after", True)])
def test_resets(cloud: Any, action: str, processed: bool) -> None:
    cloud.authorize()
    cloud.sim.add_fault(action, **PATCH)
    with pytest.raises((http.client.HTTPException, OSError)):
        cloud.mirror()
    assert last(cloud) == (action, processed, None)
    assert running(cloud) is processed


def test_a_cut_connection(cloud: Any) -> None:
    cloud.authorize()
    cloud.sim.add_fault("cut_connection", **PATCH)
    with pytest.raises(http.client.IncompleteRead):
        cloud.mirror()
    assert running(cloud)


def test_hang_does_not_stop_the_others(cloud: Any) -> None:
    cloud.authorize()
    cloud.sim.add_fault("hang", path="/alive", seconds=30)
    connection = http.client.HTTPConnection(cloud.sim.url.removeprefix("http://"), timeout=0.2)
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        connection.request("GET", f"/es/{cloud.target}/alive")
        connection.getresponse()
    connection.close()
    assert cloud.get()["state"] == "active"
    cloud.sim.stop()
    assert time.monotonic() - begun < 3, "stop() ends requests that hang"


def test_operations_that_go_wrong(cloud: Any) -> None:
    cloud.authorize()
    cloud.sim.add_fault("operation_failed", **PATCH)
    cloud.mirror()
    cloud.wait()
    assert cloud.get()["last_operation"]["state"] == "failed"
    cloud.sim.add_fault("stale_operation", **PATCH)
    cloud.mirror()
    states = [cloud.get()["last_operation"]["state"] for _dummy in range(3)]
    assert states == ["failed", "failed", "in progress"]
    cloud.wait()
    cloud.sim.add_fault("operation_stuck", **PATCH)
    cloud.patch({"mirroring": {"disable": True}})
    cloud.sim.clock.advance(1e6)
    assert running(cloud)


def test_nth_times_and_path(cloud: Any) -> None:
    cloud.token()
    cloud.sim.add_fault("status", path="^/v2/resource_instances$", nth=2, times=2, status=503)
    statuses = [cloud.call("GET", "/v2/resource_instances").status for _dummy in range(4)]
    assert statuses == [200, 503, 503, 200]
    assert cloud.sim.faults[0]["seen"] == 4
    number = cloud.sim.add_fault("status", times=None, status=500)
    assert [cloud.call("GET", "/v2/resource_instances").status for _dummy in range(3)] == [500] * 3
    cloud.sim.clear_faults(number)
    assert cloud.call("GET", "/v2/resource_instances").status == 200
    assert len(cloud.sim.faults) == 1


@pytest.mark.parametrize(
    ("action", "details"),
    [
        ("explode", {}),
        ("status", {"colour": "red"}),
        ("status", {"api": "other"}),
        ("status", {"path": "("}),
        ("status", {"nth": 0}),
        ("status", {"body": "xml"}),
        ("status", {"status": 9}),
    ],
)
def test_a_wrong_fault_is_an_error(cloud: Any, action: str, details: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        cloud.sim.add_fault(action, **details)
    assert cloud.sim.faults == []
