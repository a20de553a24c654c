# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that only moves when told, and the documents and objects that many tests start from."""

from __future__ import annotations

import base64
import json
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance, parse_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http

EPOCH = 1767225600.0
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
OTHER_ACCOUNT = "0f9e8d7c6b5a49382716051423324150"
GROUP = "5c49eabcf5e85881a37e2d100a33b3df"
SOURCE = "11111111-aaaa-4bbb-8ccc-000000000001"
TARGET = "22222222-aaaa-4bbb-8ccc-000000000002"
THIRD = "33333333-aaaa-4bbb-8ccc-000000000003"
ENTERPRISE = "ibm.message.hub.enterprise.3nodes.2tb"
READER = "crn:v1:bluemix:public:iam::::serviceRole:Reader"
KEY = "test-api-key-Zq7-do-not-show"
GRANT_TYPE = "urn:ibm:params:oauth:grant-type:apikey"
TOKEN_FORM = {"grant_type": GRANT_TYPE, "apikey": KEY, "response_type": "cloud_iam"}


class FakeClock:
    """Time that moves by sleeping only; ``tick`` lets every look at it take a moment."""

    def __init__(self, now: float = 1000.0, tick: float = 0.0) -> None:
        self.now = now
        self.tick = tick
        self.slept: list[float] = []

    def monotonic(self) -> float:
        self.now += self.tick
        return self.now

    def time(self) -> float:
        return EPOCH + self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0, f"sleeping for {seconds}"
        self.slept.append(seconds)
        self.now += seconds


class StaticBearer:
    """An identity whose tokens come out of a list."""

    identity = "0" * 64

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.rejected: list[str] = []

    def current(self) -> str:
        return self.tokens[0]

    def renewed(self, rejected: str) -> str:
        self.rejected.append(rejected)
        self.tokens.pop(0)
        return self.tokens[0]


def make_call(clock: FakeClock | None = None, **params: t.Any) -> Call:
    """A call with the parameters that every client looks at; ``trace`` and ``progress`` collect their lines."""
    defaults = {"request_timeout": 5, "retry_timeout": 120, "validate_certs": True, "ca_path": None}
    return Call(params={**defaults, **params}, clock=clock or FakeClock())


def make_api(url: str, call: Call | None = None, *tokens: str) -> Api:
    """An API client with a fixed identity."""
    return Api(Http(call or make_call()), url, StaticBearer(*(tokens or ("t1", "t2"))), "Transaction-Id")


def crn(guid: str = SOURCE, region: str = "us-south", account: str = ACCOUNT) -> str:
    """The CRN of an instance."""
    return f"crn:v1:bluemix:public:messagehub:{region}:a/{account}:{guid}::"


def operation(state: str = "succeeded", kind: str = "create", description: str = "") -> dict[str, t.Any]:
    """A last_operation as published (API §3.6)."""
    return {"type": kind, "state": state, "description": description, "updated_at": None, "cancelable": False}


def document(
    guid: str = TARGET, region: str = "us-east", name: str = "es-target", account: str = ACCOUNT, **changes: t.Any
) -> dict[str, t.Any]:
    """An instance document (API §3.4)."""
    return {
        "id": crn(guid, region, account),
        "crn": crn(guid, region, account),
        "guid": guid,
        "name": name,
        "region_id": region,
        "account_id": account,
        "resource_plan_id": ENTERPRISE,
        "resource_group_id": GROUP,
        "state": "active",
        "locked": False,
        "updated_at": "2025-08-28T19:41:53.419092609Z",
        "parameters": {"service-endpoints": "public", "throughput": "150", "storage_size": "2048"},
        "extensions": {
            "kafka_http_url": f"https://mh-{guid[:8]}.{region}.containers.appdomain.cloud",
            "kafka_brokers_sasl": ["kafka-0.example:9093"],
            "virtual_private_endpoints": {"endpoints": [{"ip_address": "166.9.14.10", "zone": "wdc04"}]},
        },
        "last_operation": operation(),
        **changes,
    }


def instance(**changes: t.Any) -> Instance:
    """The instance that such a document describes."""
    parsed = parse_instance(document(**changes))
    assert parsed is not None
    return parsed


def source_instance(**changes: t.Any) -> Instance:
    """The mirroring source of most tests."""
    return instance(**{"guid": SOURCE, "region": "us-south", "name": "es-source", **changes})


def jwt(number: int = 1, account: str | None = ACCOUNT, lifetime: int = 3600) -> str:
    """A decodable token (API §1.3)."""
    claims: dict[str, t.Any] = {"iat": int(EPOCH), "exp": int(EPOCH) + lifetime, "iam_id": f"IBMid-{number}"}
    if account:
        claims["account"] = {"bss": account}
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{middle}.c2ln{number}"


def token_reply(number: int = 1, lifetime: int = 3600, **changes: t.Any) -> dict[str, t.Any]:
    """The answer to a token request (API §1.2)."""
    token = jwt(number, lifetime=lifetime)
    return {
        "access_token": token,
        "refresh_token": "not_supported",
        "token_type": "Bearer",
        "expires_in": lifetime,
        "expiration": int(EPOCH) + lifetime,
        **changes,
    }


def policy_v1(
    identity: str = "p1",
    subject: str | None = TARGET,
    resource: str | None = SOURCE,
    role: str = READER,
    subject_account: str = ACCOUNT,
    **changes: t.Any,
) -> dict[str, t.Any]:
    """An authorization in v1 syntax (API §2.4), in IAM's words."""

    def side(account: str, guid: str | None) -> list[dict[str, t.Any]]:
        pairs = {"accountId": account, "serviceName": "messagehub", "serviceInstance": guid}
        return [{"attributes": [{"name": name, "value": value} for name, value in pairs.items() if value]}]

    return {
        "id": identity,
        "type": "authorization",
        "state": "active",
        "subjects": side(subject_account, subject),
        "roles": [{"role_id": role, "display_name": "x"}],
        "resources": side(ACCOUNT, resource),
        "href": f"https://iam.cloud.ibm.com/v1/policies/{identity}",
        "created_at": "2026-01-01T10:00:00.000Z",
        **changes,
    }


def policy_v2(
    identity: str = "p2",
    subject: str | None = TARGET,
    resource: str | None = SOURCE,
    role: str = READER,
    **changes: t.Any,
) -> dict[str, t.Any]:
    """An authorization in v2 syntax (API §2.5)."""

    def side(guid: str | None) -> dict[str, t.Any]:
        pairs = {"serviceName": "messagehub", "accountId": ACCOUNT, "serviceInstance": guid}
        return {"attributes": [{"key": k, "operator": "stringEquals", "value": v} for k, v in pairs.items() if v]}

    return {
        "id": identity,
        "type": "authorization",
        "state": "active",
        "subject": side(subject),
        "resource": side(resource),
        "control": {"grant": {"roles": [{"role_id": role}]}},
        "href": f"https://iam.cloud.ibm.com/v2/policies/{identity}",
        "created_at": "2026-01-01T10:00:00.000Z",
        **changes,
    }
