# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens: form-encoded only, JWT-shaped, and good until they expire."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

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


# -- trusted profiles

SOURCE_PROFILE, TARGET_PROFILE = (f"Profile-{digit * 8}-aaaa-4bbb-8ccc-0000000000{digit * 2}" for digit in "12")
GRANT = "urn:ibm:params:oauth:grant-type:"
QUERY = "?version=2022-03-01"


def granted(cloud: Any, grant: str, **fields: str) -> Any:
    return cloud.send("POST", "/identity/token", urlencode({"grant_type": GRANT + grant, **fields}).encode(), FORM)


def claims_of(reply: Any) -> Any:
    payload = reply.json["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.mark.parametrize(
    "fields",
    [
        {"profile_id": SOURCE_PROFILE},
        {
            "profile_crn": f"crn:v1:bluemix:public:iam-identity::a/a1b2c3d4e5f60718293a4b5c6d7e8f90::profile:{SOURCE_PROFILE}"
        },
        {"profile_name": "mirroring", "account": "a1b2c3d4e5f60718293a4b5c6d7e8f90"},
    ],
    ids=["id", "crn", "name"],
)
def test_a_profile_is_assumed(start: Any, fields: dict[str, str]) -> None:
    cloud = start("two_accounts")
    claims = claims_of(granted(cloud, "assume", access_token=cloud.token("simulated-key-target"), **fields))
    assert claims["account"]["bss"] == cloud.account
    assert claims["iam_id"] == f"iam-{SOURCE_PROFILE}" and claims["grant_type"] == GRANT + "assume"
    assert cloud.sim.violations() == []
    assert cloud.sim.writes() == []


@pytest.mark.parametrize(
    ("fields", "status", "violations"),
    [
        ({"profile_id": "Profile-none"}, 400, 0),
        ({"profile_name": "mirroring", "account": "0" * 32}, 400, 0),
        ({"profile_name": "mirroring"}, 400, 1),
        ({"profile_id": SOURCE_PROFILE, "account": "0" * 32}, 400, 1),
        ({"profile_id": SOURCE_PROFILE, "profile_name": "mirroring"}, 400, 1),
        ({}, 400, 1),
        ({"access_token": "unknown", "profile_id": SOURCE_PROFILE}, 401, 0),
        ({"profile_id": SOURCE_PROFILE, "apikey": "x"}, 400, 1),
    ],
)
def test_a_profile_is_not_assumed(start: Any, fields: dict[str, str], status: int, violations: int) -> None:
    cloud = start("two_accounts")
    reply = granted(cloud, "assume", **{"access_token": cloud.token("simulated-key-target"), **fields})
    assert (reply.status, len(cloud.sim.violations())) == (status, violations)
    assert reply.json["errorMessage"]


@pytest.mark.parametrize(
    ("fields", "profile"),
    [
        ({"profile_id": TARGET_PROFILE}, TARGET_PROFILE),
        ({"profile_name": "mirroring", "profile_id": TARGET_PROFILE}, TARGET_PROFILE),
        ({"profile_name": "mirroring"}, SOURCE_PROFILE),
    ],
)
def test_a_workload_gets_a_token(start: Any, fields: dict[str, str], profile: str) -> None:
    cloud = start("two_accounts")
    reply = granted(cloud, "cr-token", cr_token="simulated-cr-token", **fields)
    assert claims_of(reply)["iam_id"] == f"iam-{profile}"
    assert "simulated-cr-token" not in json.dumps(cloud.sim.journal)


@pytest.mark.parametrize(
    ("fields", "violations"),
    [
        ({"cr_token": "unknown", "profile_id": TARGET_PROFILE}, 0),
        ({"cr_token": "simulated-cr-token", "profile_id": TARGET_PROFILE, "profile_name": "other"}, 0),
        ({"cr_token": "simulated-cr-token"}, 1),
        ({"profile_id": TARGET_PROFILE}, 1),
    ],
)
def test_a_workload_gets_none(start: Any, fields: dict[str, str], violations: int) -> None:
    cloud = start("two_accounts")
    assert granted(cloud, "cr-token", **fields).status == 400
    assert len(cloud.sim.violations()) == violations


def metadata(cloud: Any, method: str, path: str, body: Any = None, *, query: str = QUERY, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    return cloud.send(
        method, f"/instance_identity/v1/{path}{query}", data, {"Content-Type": "application/json", **sent}
    )


def identity_of(cloud: Any) -> str:
    reply = metadata(cloud, "PUT", "token", {"expires_in": 300}, Metadata_Flavor="ibm")
    return f"Bearer {reply.json['access_token']}"


@pytest.mark.parametrize(
    ("body", "profile"), [(None, SOURCE_PROFILE), ({"trusted_profile": {"id": TARGET_PROFILE}}, TARGET_PROFILE)]
)
def test_a_virtual_server_gets_a_token(start: Any, body: Any, profile: str) -> None:
    cloud = start("two_accounts")
    reply = metadata(cloud, "POST", "iam_token", body, Authorization=identity_of(cloud))
    assert claims_of(reply)["iam_id"] == f"iam-{profile}"
    listed = cloud.send(
        "GET", "/v2/resource_instances", None, {"Authorization": f"Bearer {reply.json['access_token']}"}
    )
    assert listed.status == 200
    assert cloud.sim.violations() == [] and cloud.sim.writes() == []


def test_what_a_virtual_server_must_say(start: Any) -> None:
    cloud = start("two_accounts")
    assert metadata(cloud, "PUT", "token", {"expires_in": 300}).status == 400
    assert metadata(cloud, "PUT", "token", {"expires_in": 300}, query="", Metadata_Flavor="ibm").status == 400
    assert len(cloud.sim.violations()) == 2
    assert metadata(cloud, "POST", "iam_token").status == 401
    assert (
        metadata(cloud, "POST", "iam_token", Authorization=f"Bearer {cloud.token('simulated-key-target')}").status
        == 401
    )
    unknown = {"trusted_profile": {"id": "Profile-none"}}
    refused = metadata(cloud, "POST", "iam_token", unknown, Authorization=identity_of(cloud))
    assert (refused.status, refused.json["errors"][0]["code"]) == (403, "not_authorized")
    early = identity_of(cloud)
    cloud.sim.clock.advance(301)
    assert metadata(cloud, "POST", "iam_token", Authorization=early).status == 401


def test_the_identity_of_a_virtual_server_is_no_token_for_the_cloud(start: Any) -> None:
    cloud = start("two_accounts")
    reply = cloud.send("GET", f"/v1/policies?account_id={cloud.account}", None, {"Authorization": identity_of(cloud)})
    assert reply.json["policies"] == []


def test_ids_of_profiles_are_unique(start: Any) -> None:
    profile = {"id": "Profile-1", "name": "one"}
    accounts = [{"id": "a" * 32, "api_keys": [{"key": "k"}], "trusted_profiles": [profile, profile]}]
    with pytest.raises(ValueError, match="trusted profiles must be unique"):
        start(accounts=accounts, instances=[])
