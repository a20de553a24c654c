# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens: form-encoded only, JWT-shaped, and good until they expire."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

BX = {"Authorization": "Basic " + base64.b64encode(b"bx:bx").decode()}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_the_token_can_be_decoded(cloud: Any) -> None:
    body = cloud.token_reply("simulated-key-main").json
    header, payload, signature = body["access_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "RS256" and signature
    assert claims["exp"] - claims["iat"] == body["expires_in"] == 3600
    assert claims["exp"] == body["expiration"] == int(cloud.sim.clock.now() + 3600)
    assert claims["account"]["bss"] == cloud.account
    assert claims["iss"] == "https://iam.cloud.ibm.com/identity"
    assert claims["iam_id"].startswith("IBMid-")
    assert body["token_type"] == "Bearer" and body["refresh_token"] == "not_supported"


def test_the_bx_client_gets_a_refresh_token(cloud: Any) -> None:
    data = b"grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=simulated-key-main"
    reply = cloud.send("POST", "/identity/token", data, {**FORM, **BX})
    assert reply.json["refresh_token"] != "not_supported"


def test_an_unknown_key(cloud: Any) -> None:
    reply = cloud.token_reply("no such key")
    assert (reply.status, reply.json["errorCode"]) == (400, "BXNIM0415E")
    assert {"errorMessage", "context"} <= set(reply.json) and "requestId" in reply.json["context"]
    assert "Transaction-Id" in reply.headers
    assert cloud.sim.violations() == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"apikey": "simulated-key-main"}', {"Content-Type": "application/json"}),
        (b"grant_type=password&apikey=simulated-key-main", FORM),
        (b"grant_type=urn:ibm:params:oauth:grant-type:apikey", FORM),
        (b"grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey=simulated-key-main&more=1", FORM),
    ],
    ids=["json", "grant type", "no key", "unknown field"],
)
def test_wrong_requests_are_violations(cloud: Any, body: bytes, headers: dict[str, str]) -> None:
    assert cloud.send("POST", "/identity/token", body, headers).status == 400
    assert len(cloud.sim.violations()) == 1


def test_an_expired_token_is_refused_by_each_api_in_its_own_shape(start: Any) -> None:
    cloud = start(timing={"token_seconds": 60})
    paths = ("/v2/resource_instances", f"/v1/policies?account_id={cloud.account}", f"/es/{cloud.target}/admin/status")
    assert [cloud.call("GET", path).status for path in paths] == [200, 200, 200]
    cloud.sim.clock.advance(59)
    assert [cloud.call("GET", path).status for path in paths] == [200, 200, 200]
    cloud.sim.clock.advance(2)
    controller, iam, admin = (cloud.call("GET", path) for path in paths)
    assert (controller.status, iam.status, admin.status) == (401, 401, 401)
    assert controller.json["error_code"] == "RC-IamErrorResponse"
    assert controller.json["message"] == "Token is expired"
    assert iam.json["errors"][0]["code"] == "invalid_token" and iam.json["status_code"] == 401
    assert admin.json["error_code"] == 40100 and admin.json["incident_id"]
    assert cloud.sim.violations() == []


def test_no_credential_is_a_violation(cloud: Any) -> None:
    paths = ("/v2/resource_instances", f"/v1/policies?account_id={cloud.account}", f"/es/{cloud.target}/admin/status")
    assert [cloud.send("GET", path).status for path in paths] == [401, 401, 401]
    assert len(cloud.sim.violations()) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer simulated-key-main"},
        {"Authorization": "Basic " + base64.b64encode(b"token:simulated-key-main").decode()},
        {"X-Auth-Token": "simulated-key-main"},
    ],
    ids=["bearer", "basic", "x-auth-token"],
)
def test_the_admin_api_takes_an_api_key_too(cloud: Any, headers: dict[str, str]) -> None:
    assert cloud.send("GET", f"/es/{cloud.target}/admin/status", None, headers).json == {"status": "available"}
    assert cloud.send("GET", "/v2/resource_instances", None, headers).status == 401
