# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a service answers, there is a typed error or a right result, after a bounded number of requests and in bounded memory.

What is right is read out of the answers a second time, here, by other code. See hostile.py for how the answers are made.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import gc
import gzip
import io
import itertools
import json
import math
import os
import pathlib
import random
import re
import signal
import tempfile
import tracemalloc
import types
import typing as t
import zlib
from collections.abc import Callable, Iterator

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors, _grants, _http
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud import (
    admin,
    iam,
    monitoring,
    resource_controller,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance, parse_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.policies import Grant, Policy, Side
from ansible_collections.mirrorops.event_streams.plugins.module_utils._grants import (
    ByApiKey,
    ByAssumption,
    ByComputeResource,
    ByVirtualServer,
    Profile,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import is_internal
from ansible_collections.mirrorops.event_streams.plugins.module_utils._token import FixedToken, IamToken
from ansible_collections.mirrorops.event_streams.plugins.modules import (
    authorization_policy,
    authorization_policy_info,
    failover_readiness_info,
    instance_info,
    metrics_info,
    mirroring,
    mirroring_info,
    readiness_info,
    recovery_info,
    remote_topics,
    topic_selection,
    topics_info,
)
from ansible_collections.mirrorops.event_streams.tests.faults.hostile import (
    FRAMINGS,
    HEADERS,
    IDENTITY,
    NOTHING,
    RUBBISH,
    TEXTS,
    Change,
    Choose,
    Cloud,
    Request,
    Served,
    Tamper,
    World,
    allows,
    never,
    plain_response,
    printable,
    spoken,
    streamed,
    strings,
    tampers,
    transported,
    wired,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.module_utils.page.reader import Page
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    GROUP,
    KEY,
    SOURCE,
    TARGET,
    FakeClock,
    StaticBearer,
    document,
    jwt,
    make_call,
    operation,
    policy_v1,
    token_reply,
)

# All numbers. Each example of a client serves at least one hostile answer, and so does each example of a module.
CLIENT_EXAMPLES = 450
MODULE_EXAMPLES = 110
SLOW_FACTOR = 8
LEAST_IN_TOTAL = 10_000
MOST_REQUESTS = 400
LARGEST_PAGE = 400_000
MOST_CHARACTERS = 5_000
MOST_MEGABYTES = 400
MOST_SECONDS = 40

IAM, CONTROLLER = "https://iam.cloud.ibm.com", "https://resource-controller.cloud.ibm.com"
ADMIN = "https://mh-22222222.us-east.containers.appdomain.cloud"
MONITORING, MONITORING_GUID = "https://us-east.monitoring.cloud.ibm.com", "33333333-aaaa-4bbb-8ccc-000000000003"
METADATA, CR_TOKEN = "http://169.254.169.254", "compute-resource-token-do-not-show"
WANTED = Grant(Side(ACCOUNT, "messagehub", TARGET, GROUP), Side(ACCOUNT, "messagehub", SOURCE, GROUP))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own environment reaches a test; pauses have no jitter, so that every run is the same."""
    for name in list(os.environ):
        if name.startswith(("IC_", "IBMCLOUD_")) or name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)


@pytest.fixture(autouse=True)
def a_container(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a compute resource token."""
    (tmp_path / "token").write_text(CR_TOKEN)
    monkeypatch.setattr(_grants, "CR_TOKEN_FILES", (str(tmp_path / "token"),))


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Finalizers that run while a deep document is being read find no stack left, and then other libraries complain."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


def explore(
    name: str, strategy: st.SearchStrategy[t.Any], check: Callable[[t.Any], int], examples: int, offset: int
) -> int:
    """Runs a check with many examples, the same ones in every run. Returns how many hostile answers were served."""
    served = 0

    @seed(zlib.crc32(name.encode()) + offset)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(strategy)
    def run(drawn: t.Any) -> None:
        nonlocal served
        before = served
        served += check(drawn)
        if served // 100 > before // 100:
            gc.collect()

    run()
    return served


# --- what holds for everything that leaves the collection -------------------------------------------------------------


@dataclasses.dataclass
class Task:
    """A call whose every word is kept."""

    call: Call
    clock: FakeClock
    lines: list[str]


def task(module: types.ModuleType | None = None, check_mode: bool = False, **options: t.Any) -> Task:
    """A call, with all of a module's options if there is one."""
    clock = FakeClock()
    lines: list[str] = []
    if module is None:
        call = make_call(clock, retry_timeout=5)
        call.secrets.add(KEY)
    else:
        given_options = {"ibmcloud_api_key": KEY, "request_timeout": 5, "retry_timeout": 8, **options}
        known = {name: value for name, value in given_options.items() if name in module.SPEC.options}
        checked = ArgumentSpecValidator(module.SPEC.options, **module.SPEC.rules()).validate(known)
        assert not checked.error_messages
        call = Call(params=checked.validated_parameters, clock=clock, check_mode=check_mode, secrets={KEY})
    call.trace = call.progress = call.warn = lines.append
    return Task(call, clock, lines)


def outcome(run: Callable[[], t.Any], task: Task, cloud: Cloud) -> tuple[t.Any, _errors.MirrorOpsError | None]:
    """What a run leads to. Everything that is not the collection's own error fails the test by itself."""
    result, error = None, None
    try:
        result = run()
    except _errors.MirrorOpsError as raised:
        error = raised
        told = transported(error.failure(), 3 * MOST_CHARACTERS + cloud.sent() // 2)
        for text in (spoken(error.message, MOST_CHARACTERS), spoken(str(error), MOST_CHARACTERS), told):
            discreet(text, task)
        for name in ("kind", "attempt", "reason", "remedy"):
            spoken(error.failure()[name], MOST_CHARACTERS)
    for line in task.lines:
        discreet(spoken(line, 2 * MOST_CHARACTERS + 2 * cloud.sent()), task)
    return result, error


def discreet(text: str, task: Task) -> None:
    """Nothing secret is left after Ansible has masked what the call says is secret, not even the beginning of it."""
    shown = str(remove_values(text, {*task.call.secrets, KEY}))
    for secret in (KEY, jwt(), CR_TOKEN, IDENTITY):
        assert secret[:16] not in shown, shown


# --- the clients ------------------------------------------------------------------------------------------------------


class Clients:
    """All clients of one call."""

    def __init__(self, call: Call) -> None:
        http = Http(call)
        bearer = StaticBearer(*["fixed-token"] * 99)
        self.token = IamToken(http, ByApiKey(http, IAM, KEY))
        profile = Profile("Profile-1", None)
        self.assumed = IamToken(http, ByAssumption(http, IAM, bearer, profile, "iam_profile"))
        self.container = IamToken(http, ByComputeResource(http, IAM, None, profile))
        self.virtual_server = IamToken(http, ByVirtualServer(http, METADATA, profile))
        self.iam = iam.Iam(Api(http, IAM, bearer, "Transaction-Id"))
        self.instances = resource_controller.ResourceController(Api(http, CONTROLLER, bearer, "Transaction-Id"))
        self.admin = admin.Admin(Api(http, ADMIN, bearer, "X-Global-Transaction-Id"), f"es-target ({TARGET})")
        target = parse_instance(document())
        assert target
        self.monitoring = monitoring.Monitoring(http, MONITORING, bearer, MONITORING_GUID, target)
        self.store = call.tokens


class Case(t.NamedTuple):
    """A method of a client, the kinds of answers it reads, and what is to hold for what it returns.

    ``expected`` reads the right result out of the answers, and raises KeyError where they hold none; without it there is no
    single right result, and ``holds`` checks what was returned.
    """

    kinds: tuple[str, ...]
    run: Callable[[Clients], t.Any]
    expected: Callable[[list[Served]], t.Any] | None = None
    holds: Callable[[t.Any, Cloud], None] = lambda result, cloud: None
    enabled: bool = True


def said(served: list[Served]) -> t.Any:
    """What the last answer says. Raises KeyError where it says nothing that can be used."""
    if not 200 <= served[-1].status < 300 or served[-1].meaning is NOTHING:
        raise KeyError("nothing")
    return served[-1].meaning


def member(value: t.Any, name: str, kind: type) -> t.Any:
    """A member of a document. Raises KeyError where it is missing or something else."""
    found = value[name] if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise KeyError(name)
    return found


def right_topics(served: list[Served]) -> list[tuple[str, int | None]]:
    names: dict[str, int | None] = {}
    said(served)
    for page in served:
        if not 200 <= page.status < 300 or page.meaning is NOTHING:
            continue  # it is asked again, and the next answer counts
        entries = said([page])
        if not isinstance(entries, list):
            raise KeyError("a page")
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                count = entry.get("partitions")
                sensible = isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 10**6
                names[printable(entry["name"])] = t.cast(int, count) if sensible else None
    return sorted(names.items(), key=lambda item: item[0])


def right_selection(served: list[Served]) -> list[str] | None:
    if served[-1].kind == "selection" and served[-1].status in (404, 410):
        return None
    body = said(served)
    if isinstance(body, dict) and body.get("includes") is None:
        return []
    return [printable(one) for one in member(body, "includes", list) if isinstance(one, str) and one]


def right_active(served: list[Served]) -> list[str] | None:
    if served[-1].status in (404, 410):
        return None
    body = said(served)
    if isinstance(body, dict) and body.get("active_topics") is None:
        return []
    return [printable(one) for one in member(body, "active_topics", list) if isinstance(one, str) and one]


def right_status(served: list[Served]) -> str:
    body = said(served)
    found = body.get("status") if isinstance(body, dict) else None
    return printable(found) if isinstance(found, str) else "unknown"


def right_token(served: list[Served]) -> str:
    token = member(said(served), "access_token", str)
    if not re.fullmatch(r"[!-~]+", token):
        raise KeyError("access_token")
    return str(token)


def right_account(served: list[Served]) -> str | None:
    parts = right_token(served).split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode())
    except (ValueError, RecursionError):
        return None
    account = claims.get("account") if isinstance(claims, dict) else None
    found = account.get("bss") if isinstance(account, dict) else None
    return found if isinstance(found, str) else None


def sound_tokens(result: t.Any, cloud: Cloud) -> None:
    assert result is None or isinstance(result, str)


def is_instance(found: Instance, raw: t.Any) -> bool:
    """Whether a document describes this instance, field by field."""
    if not isinstance(raw, dict):
        return False
    crns = [printable(raw[key]) for key in ("crn", "id") if isinstance(raw.get(key), str)]
    if found.crn not in crns or found.crn.split(":")[0] != "crn":
        return False
    segments = found.crn.split(":")
    parameters, extensions, last = (
        raw.get(name) if isinstance(raw.get(name), dict) else {}
        for name in ("parameters", "extensions", "last_operation")
    )
    assert isinstance(parameters, dict) and isinstance(extensions, dict) and isinstance(last, dict)

    def same(value: t.Any, shown: t.Any, *otherwise: t.Any) -> bool:
        return shown == (printable(value) if isinstance(value, str) and value else value) or shown in otherwise

    def number(value: t.Any, shown: int | None) -> bool:
        return shown is None or (
            re.fullmatch(r"\s*[0-9]{1,9}\s*", str(value), re.ASCII) is not None and shown == int(str(value)) > 0
        )

    return (
        same(raw.get("guid"), found.guid, segments[7])
        and same(raw.get("name"), found.name, found.guid)
        and same(raw.get("region_id"), found.region, segments[5])
        and same(raw.get("account_id"), found.account_id, segments[6].removeprefix("a/"))
        and same(raw.get("state"), found.state, "unknown")
        and found.locked is (raw.get("locked") is True)
        and number(parameters.get("throughput"), found.throughput)
        and number(parameters.get("storage_size"), found.storage)
        and same(extensions.get("kafka_http_url"), found.admin_url, None)
        and same(last.get("state"), found.operation.state, "")
        and same(last.get("type"), found.operation.type, "")
        and found.operation.phase in ("none", "running", "succeeded", "failed", "unknown")
        and set(found.addresses) <= {printable(text) for text in strings(extensions)}
    )


def sound_instance(found: t.Any, cloud: Cloud) -> None:
    shown = [one.meaning for one in cloud.of("instance", "patch", "list")]
    listed = [
        raw
        for one in shown
        if isinstance(one, dict) and isinstance(one.get("resources"), list)
        for raw in one["resources"]
    ]
    assert any(is_instance(found, raw) for raw in [*shown, *listed]), found


def sound_service(found: t.Any, cloud: Cloud) -> None:
    assert found.crn.split(":")[4] == "messagehub"
    assert found.state not in ("removed", "pending_removal", "pending_reclamation")
    sound_instance(found, cloud)


def sound_instances(found: t.Any, cloud: Cloud) -> None:
    for one in found:
        sound_service(one, cloud)


def sound_policies(found: list[Policy], cloud: Cloud) -> None:
    raws = []
    for one in cloud.of("v1", "v2", "policy"):
        listed = one.meaning.get("policies") if isinstance(one.meaning, dict) else None
        raws += [*(listed if isinstance(listed, list) else []), one.meaning]
    for policy in found:
        same = [
            raw
            for raw in raws
            if isinstance(raw, dict) and isinstance(raw.get("id"), str) and printable(raw["id"]) == policy.id
        ]
        assert same and policy.state == "active", policy
        for grant in (WANTED, WANTED.reversed()):
            sides = [
                {
                    "accountId": side.account,
                    "serviceName": side.service,
                    "serviceInstance": str(side.instance),
                    "resourceGroupId": GROUP,
                }
                for side in (grant.subject, grant.resource)
            ]
            assert not policy.covers(grant) or any(allows(raw, *sides) for raw in same), (policy, same)
    transported([policy.to_result() for policy in found], 2000 + 3 * cloud.sent())


def sound_creation(found: t.Any, cloud: Cloud) -> None:
    answer = cloud.of("create")[-1]
    if found is None:
        assert answer.status == 409
    else:
        assert isinstance(found, Policy) and 200 <= answer.status < 300
        assert printable(member(answer.meaning, "id", str)) == found.id


def sound_series(result: t.Any, cloud: Cloud) -> None:
    """Texts for labels, and numbers or nothing for values, of all of which JSON can tell."""
    for one in result:
        assert all(spoken(text, 1100) == text for pair in one.labels.items() for text in pair)
        assert all(math.isfinite(when) and (value is None or math.isfinite(value)) for when, value in one.points)


CASES = {
    "token: current": Case(("token",), lambda clients: clients.token.current(), right_token),
    "token: renewed": Case(("token",), lambda clients: clients.token.renewed("old"), right_token),
    "token: account": Case(("token",), lambda clients: clients.token.account_id(), right_account, sound_tokens),
    "token: assumed": Case(("token",), lambda clients: clients.assumed.current(), right_token),
    "token: container": Case(("token",), lambda clients: clients.container.current(), right_token),
    "token: virtual server": Case(
        ("identity", "token"), lambda clients: clients.virtual_server.current(), right_token
    ),
    "instances: get": Case(("instance",), lambda clients: clients.instances.get(TARGET), holds=sound_service),
    "instances: find": Case(("list",), lambda clients: clients.instances.find("es-target", "target"), holds=sound_service),
    "instances: matching": Case(("list",), lambda clients: clients.instances.matching({}), holds=sound_instances),
    "instances: update": Case(
        ("patch",),
        lambda clients: clients.instances.update(TARGET, "es-target", {"mirroring": {"source_crn": "x"}}, "enable"),
        holds=sound_instance,
    ),
    "iam: authorizations": Case(
        ("v1", "v2", "policy"), lambda clients: clients.iam.authorizations(ACCOUNT), holds=sound_policies
    ),
    "iam: first syntax": Case(("v1",), lambda clients: clients.iam.authorizations(ACCOUNT), holds=sound_policies),
    "iam: second syntax": Case(("v2",), lambda clients: clients.iam.authorizations(ACCOUNT), holds=sound_policies),
    "iam: placeholder": Case(("policy",), lambda clients: clients.iam.authorizations(ACCOUNT), holds=sound_policies),
    "iam: create": Case(("create",), lambda clients: clients.iam.create(dataclasses.replace(WANTED, roles=("Writer",)), "x"), holds=sound_creation),
    "iam: delete": Case(
        ("delete",), lambda clients: clients.iam.delete(Policy("p1", "v1", "active", (), (), ())), holds=lambda result, cloud: None
    ),
    "admin: topics": Case(("topics",), lambda clients: [tuple(one) for one in clients.admin.topics()], right_topics),
    "admin: selection": Case(("selection",), lambda clients: clients.admin.selection(), right_selection),
    "admin: select": Case(("select",), lambda clients: clients.admin.select(["^a$"]), right_selection),
    "admin: delete topic": Case(
        ("remove",), lambda clients: clients.admin.delete_topic("orders.us-south"), holds=lambda result, cloud: None
    ),
    "admin: active topics": Case(("active",), lambda clients: clients.admin.active_topics(), right_active),
    "admin: status": Case(("status",), lambda clients: clients.admin.status(), right_status),
    "monitoring: now": Case(("vector",), lambda clients: clients.monitoring.instant("m", "m"), holds=sound_series),
    "monitoring: over time": Case(("matrix",), lambda clients: clients.monitoring.over("m", 0, 60, 60, "m"), holds=sound_series),
}  # fmt: skip


def one_client(case: Case, tamper: Tamper, every: bool) -> int:
    """Calls a method whose answers are hostile: the first one, or every one."""
    done = task()
    bad: list[int] = []

    def choose(kind: str, number: int) -> Tamper | None:
        if kind not in case.kinds or (bad and not every):
            return None
        bad.append(number)
        return tamper

    with Cloud(World(done.clock, enabled=case.enabled), choose, 60) as cloud:
        result, error = outcome(lambda: case.run(Clients(done.call)), done, cloud)
    served = cloud.of(*case.kinds)
    if case.expected is not None:
        rights = right_results(case.expected, served)
        assert error is not None or result in rights, (result, rights)
        assert error is None or not served[-1].clean or not rights, f"{error} instead of {rights!r}"
    if error is None:
        case.holds(result, cloud)
    token = done.call.tokens.get(t.cast(t.Any, Clients(done.call).token).identity)
    if token is not None:
        assert done.clock.now - 60 <= token.refresh_at <= done.clock.now + 86400
        assert math.isfinite(token.expires_at)
    return cloud.hostile


def right_results(expected: Callable[[list[Served]], t.Any], served: list[Served]) -> list[t.Any]:
    """The right result; another one where it is not certain that an answer could be read, and the next one counted instead."""
    rights = []
    for answers in (served, [one for one in served if one.certain]):
        try:
            rights.append(expected(answers))
        except (KeyError, IndexError):
            continue
    return rights


def client_check(case: Case) -> Callable[[tuple[Tamper, bool]], int]:
    return lambda drawn: one_client(case, *drawn)


@pytest.mark.parametrize("name", CASES)
def test_clients_refuse_or_read_rightly_what_is_hostile(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    served = explore(name, st.tuples(tampers(), st.booleans()), client_check(CASES[name]), CLIENT_EXAMPLES, 0)
    record_property("hostile_answers", served)
    assert served >= CLIENT_EXAMPLES


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_clients_with_many_more_answers(name: str, record_property: Callable[[str, object], None]) -> None:
    examples = CLIENT_EXAMPLES * SLOW_FACTOR
    served = explore(name, st.tuples(tampers(), st.booleans()), client_check(CASES[name]), examples, 1)
    record_property("hostile_answers", served)
    assert served >= examples


@pytest.mark.parametrize("feature", [*TEXTS, *FRAMINGS])
def test_every_kind_of_text_and_transport(feature: str, record_property: Callable[[str, object], None]) -> None:
    tamper = Tamper(text=feature) if feature in TEXTS else Tamper(framing=feature)
    served = sum(one_client(case, tamper, every) for case in CASES.values() for every in (True, False))
    record_property("hostile_answers", served)
    assert served >= 2 * len(CASES)


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: f"{header[0]}-{header[1][:20]!r}")
@pytest.mark.parametrize("status", [200, 301, 429, 503])
def test_every_header(header: tuple[str, str], status: int) -> None:
    tamper = Tamper(status=status, headers=(header,))
    for name in ("token: current", "instances: get", "admin: topics", "admin: select"):
        assert one_client(CASES[name], tamper, False) == 1


def test_no_half_of_a_secret_is_shown_where_an_echo_is_cut(record_property: Callable[[str, object], None]) -> None:
    tampers = [Tamper(status=status, text="echo", share=step / 100) for status in (400, 503) for step in range(101)]
    served = sum(one_client(CASES["token: current"], tamper, True) for tamper in tampers)
    record_property("hostile_answers", served)
    assert served >= 2 * len(tampers)


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")) | st.from_regex(r"(Bearer )?\S*"))
@settings(max_examples=300, database=None, derandomize=True, deadline=None)
def test_a_fixed_token_is_taken_as_it_is_or_refused(text: str) -> None:
    try:
        token = FixedToken(text)
    except _errors.InvalidInput as error:
        spoken(error.message, MOST_CHARACTERS)
    else:
        assert token.current() in text and re.fullmatch(r"[!-~]+", token.current())
        with pytest.raises(_errors.AuthenticationFailed):
            token.renewed(token.current())


@pytest.mark.parametrize(
    "claims",
    [
        b"[" * 100_000, b"\xff\xfe", b"5", b"[]", b'{"account": {"bss": {"x": 1}}}', b'{"account": "x"}', b'{"account": {"bss": 5}}',
        b'{"account": {"bss": "\\ud800"}}', b'{"iat": 1.5, "exp": ' + b"9" * 4000 + b"}", b'{"iat": NaN, "exp": 1}',
        b'{"iat": -1e308, "exp": 1e308}', b'{"iat": 1e400, "exp": 1e400}', b'{"iat": true, "exp": 5000}', b'{"exp": 5}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("expires_in", [None, "3600", True, math.nan, math.inf, -math.inf, -5, 0, 10**400])
def test_claims_and_lifetimes_of_tokens(claims: bytes, expires_in: t.Any) -> None:
    token = f"h.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.s"
    body = json.dumps({"access_token": token, "expires_in": expires_in}).encode()
    asked: list[str] = []

    def respond(request: Request) -> t.BinaryIO:
        asked.append(request.path)
        return io.BytesIO(plain_response(200, body))

    done = task()
    with wired(respond):
        http = Http(done.call)
        identity = IamToken(http, ByApiKey(http, IAM, KEY))
        if isinstance(expires_in, float):
            with pytest.raises(_errors.UnusableAnswer):
                identity.current()
            return
        assert identity.current() == token
        account = identity.account_id()
    assert account is None or spoken(account, 10)
    stored = done.call.tokens.get(identity.identity)
    assert stored is not None and done.clock.now - 60 <= stored.refresh_at <= done.clock.now + 86400
    assert len(asked) <= 2


# --- the modules ------------------------------------------------------------------------------------------------------


class Run(t.NamedTuple):
    """A module with options, and the world it runs in."""

    module: types.ModuleType
    options: dict[str, t.Any]
    enabled: bool = False
    authorized: bool = True
    check_mode: bool = False
    hopeless: bool = False


WRITES = ("patch", "create", "delete", "select", "remove")
PAIR = {"source": "es-source", "target": "es-target"}
FIXED = {
    "source": f"crn:v1:bluemix:public:messagehub:us-south:a/{ACCOUNT}:{SOURCE}::",
    "target": f"crn:v1:bluemix:public:messagehub:us-east:a/{ACCOUNT}:{TARGET}::",
}
GRANT = {"source_service_instance_id": TARGET, "target_service_instance_id": SOURCE}
WAITS = {"wait_timeout": 240, "poll_interval": 20, "settle_timeout": 30, "topics_timeout": 30}

CONFIRMED = {"confirm": ["es-target", TARGET], "settle_timeout": 20}

PAGES = tempfile.TemporaryDirectory(prefix="pages-")
PAGE = f"{PAGES.name}/page.html"

RUNS = {
    "all instances": Run(instance_info, {"query": "[].{name: name, throughput: throughput, last: last_operation}"}),
    "one instance": Run(instance_info, {"instance": "es-target"}),
    "topics": Run(topics_info, {"instance": "es-source"}),
    "list policies": Run(authorization_policy_info, GRANT),
    "covering policies": Run(authorization_policy_info, {**GRANT, "covering_only": True}),
    "authorize": Run(authorization_policy, GRANT, authorized=False),
    "authorized already": Run(authorization_policy, GRANT),
    "take access back": Run(authorization_policy, {**GRANT, "state": "absent"}),
    "enable": Run(mirroring, {**FIXED, **WAITS}),
    "enable by name": Run(mirroring, {**PAIR, **WAITS, "authorization_timeout": 60}),
    "enable, do not wait": Run(mirroring, {**PAIR, **WAITS, "wait": False}),
    "enable, check mode": Run(mirroring, {**PAIR, **WAITS}, check_mode=True),
    "enabled already": Run(mirroring, {**FIXED, **WAITS}, enabled=True),
    "disable": Run(mirroring, {**FIXED, **WAITS, "state": "absent"}, enabled=True),
    "look": Run(mirroring_info, {"target": "es-target"}, enabled=True),
    "validate": Run(mirroring_info, {**PAIR, **WAITS, "topics": ["^orders$"], "wait": True}, enabled=True),
    "validate what is off": Run(mirroring_info, {**FIXED, **WAITS}),
    "ready?": Run(readiness_info, {**PAIR, "topics": ["^orders$", "pay.*"], "failback": True}),
    "ready, as it is?": Run(readiness_info, FIXED, enabled=True),
    "fail over": Run(recovery_info, {**PAIR, "verb": "failover", "wait": True, "wait_timeout": 240, "poll_interval": 20}, enabled=True),
    "fail over, the source is gone": Run(
        recovery_info,
        {**FIXED, "verb": "failover", "mode": "unplanned", "monitoring_instance": MONITORING_GUID},
        enabled=True,
    ),
    "turn round": Run(recovery_info, {**PAIR, "verb": "reverse", "topics": ["^orders$", ".*"]}),
    "fail back": Run(recovery_info, {**FIXED, "verb": "failback", "topics": ["^orders$"], "resume": True}),
    "fail over?": Run(
        failover_readiness_info,
        {**FIXED, "topics": ["^orders$"], "failback": True, "max_lag": 60, "monitoring_instance": MONITORING_GUID},
        enabled=True,
    ),
    "fail over, as it is?": Run(failover_readiness_info, PAIR),
    "metrics": Run(
        metrics_info, {"instance": TARGET, "monitoring_instance": MONITORING_GUID, "source": SOURCE, "page": PAGE}
    ),
    "how far behind": Run(
        mirroring_info,
        {
            **FIXED, **WAITS, "topics": ["^orders$"], "max_lag": 60, "monitoring_instance": MONITORING_GUID, "page": PAGE,
        },
        enabled=True,
    ),
    "remote topics": Run(remote_topics, {**FIXED, "delete_matching": [".*"], **CONFIRMED}, enabled=True),
    "clean up": Run(remote_topics, {**FIXED, "delete_matching": [".*"], **CONFIRMED}),
    "clean up one": Run(remote_topics, {**PAIR, "delete": ["orders.us-south"], **CONFIRMED}),
    "clean up, check mode": Run(remote_topics, {**PAIR, "delete": ["orders.us-south"]}, check_mode=True),
    "select": Run(topic_selection, {**PAIR, "topics": ["^payments$"], "settle_timeout": 20}, enabled=True),
    "select right after enabling": Run(topic_selection, {"target": TARGET, "topics": ["a"], "settle_timeout": 20, "just_enabled": True}, hopeless=True),
}  # fmt: skip


class Plan(t.NamedTuple):
    """Which answers of a run are hostile."""

    mode: str
    number: int
    tampers: list[Tamper]

    def chooser(self, kinds: list[str]) -> Choose:
        """Picks the tamper for a request; ``kinds`` are those of the requests of a run without any."""
        which = self.number % len(kinds)

        def choose(kind: str, number: int) -> Tamper | None:
            chosen = self.tampers[number % len(self.tampers)]
            if self.mode == "one":
                return chosen if number == which + 1 else None
            if self.mode == "from then on":
                return chosen if number > which else None
            if self.mode == "kind":
                return chosen if kind == kinds[which] else None
            if self.mode == "kind, the same":
                return self.tampers[0] if kind == kinds[which] else None
            return chosen if (number + which) % 3 == 1 or number == which + 1 else None

        return choose


PLANS = st.builds(
    Plan,
    st.sampled_from(("one", "one", "one", "from then on", "kind", "kind", "kind, the same", "some")),
    st.integers(0, 60),
    st.lists(tampers(), min_size=1, max_size=4),
)


def one_module(run: Run, kinds: list[str], plan: Plan) -> int:
    """Runs a module in a world whose answers are hostile as planned."""
    done = task(run.module, run.check_mode, **run.options)
    world = World(done.clock, enabled=run.enabled, authorized=run.authorized)
    with Cloud(world, plan.chooser(kinds), MOST_REQUESTS) as cloud:
        result, error = outcome(lambda: run.module.run(done.call), done, cloud)
    # An answer that says "refused" to what was done is a lie that nobody can see through.
    lied = any(300 <= one.status < 500 and one.status != 408 for one in cloud.of(*WRITES) if one.hostile)
    assert world.patches <= 1 and world.posts <= 1
    assert not run.check_mode or not world.accepted()
    assert not any(is_internal(name) or "." not in name for name in world.deletions)
    if error is None:
        transported(result, 100_000 + 60 * cloud.sent())
        assert not world.accepted() or lied or result["changed"] is True
        for one in (result.get("mirroring"), result):
            if (
                isinstance(one, dict)
                and one.get("enabled") is True
                and one.get("known", {}).get("enabled") != "inferred"
            ):
                assert shown_enabled(cloud), one
        for text in strings({name: result.get(name) for name in ("msg", "problems", "summary")}):
            discreet(text, done)
        if result.get("page"):
            page = pathlib.Path(PAGE).read_bytes()
            assert len(page) < LARGEST_PAGE
            text = Page(page).text
            assert not any(secret[:16] in text for secret in (KEY, jwt()))
    else:
        assert not world.accepted() or lied or done.call.changed
    return cloud.hostile


def shown_enabled(cloud: Cloud) -> bool:
    """Whether any answer said that mirroring is on: a selection was shown, or a document carries the settings."""
    for one in cloud.of("selection", "select", "instance", "patch", "list"):
        if one.kind in ("selection", "select"):
            if 200 <= one.status < 300 and isinstance(one.meaning, dict):
                return True
            continue
        body = one.meaning if isinstance(one.meaning, dict) else {}
        raws = [body, *(body["resources"] if isinstance(body.get("resources"), list) else [])]
        for raw in raws:
            for place in ("parameters", "extensions"):
                holder = raw.get(place) if isinstance(raw, dict) else None
                echo = holder.get("mirroring") if isinstance(holder, dict) else None
                crn = echo.get("source_crn") if isinstance(echo, dict) else None
                if isinstance(crn, str) and crn:
                    return True
    return False


def module_check(run: Run) -> Callable[[Plan], int]:
    kinds = [one.kind for one in undisturbed(run).served]
    return lambda plan: one_module(run, kinds, plan)


def undisturbed(run: Run) -> Cloud:
    """The cloud after a run without hostile answers."""
    done = task(run.module, run.check_mode, **run.options)
    with Cloud(World(done.clock, enabled=run.enabled, authorized=run.authorized), never, MOST_REQUESTS) as cloud:
        _result, error = outcome(lambda: run.module.run(done.call), done, cloud)
    assert isinstance(error, _errors.NotFound) if run.hopeless else error is None
    return cloud


@pytest.mark.parametrize("name", RUNS)
def test_modules_fail_or_report_rightly_what_is_hostile(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    served = explore(name, PLANS, module_check(RUNS[name]), MODULE_EXAMPLES, 0)
    record_property("hostile_answers", served)
    assert served >= MODULE_EXAMPLES


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_modules_with_many_more_answers(name: str, record_property: Callable[[str, object], None]) -> None:
    served = explore(name, PLANS, module_check(RUNS[name]), MODULE_EXAMPLES * SLOW_FACTOR, 1)
    record_property("hostile_answers", served)
    assert served >= MODULE_EXAMPLES * SLOW_FACTOR


def test_there_are_enough_hostile_answers() -> None:
    """Each test asserts its own part, in whatever process it runs; these parts add up."""
    assert len(CASES) * CLIENT_EXAMPLES + len(RUNS) * MODULE_EXAMPLES >= LEAST_IN_TOTAL


@pytest.mark.parametrize("name", RUNS)
def test_without_hostile_answers_every_run_ends_well(name: str) -> None:
    cloud = undisturbed(RUNS[name])
    assert not cloud.hostile and 2 <= len(cloud.requests) < 60


# --- every place of every document --------------------------------------------------------------------------------------


def places(value: t.Any, way: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """The ways to everything in a document."""
    yield way
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    for number, child in enumerate(children):
        yield from places(child, (*way, number))


def everywhere(run: Run, offset: int, step: int) -> int:
    """Puts rubbish, one piece at a time, into every place of every document of a run."""
    served = 0
    first: dict[str, Served] = {}
    for one in undisturbed(run).served:
        first.setdefault(one.kind, one)
    kinds = list(first)
    ways = [(kind, way) for kind in kinds for way in places(first[kind].meaning)]
    for number, (kind, way) in enumerate(ways):
        for value in RUBBISH[(number + offset) % step :: step]:
            tamper = Tamper(changes=(Change("replace", way, value),))
            served += one_module(run, kinds, Plan("kind", kinds.index(kind), [tamper]))
    return served


@pytest.mark.parametrize(
    "name", ["covering policies", "authorize", "take access back", "enable", "validate", "ready?", "select"]
)
def test_rubbish_in_every_place(name: str, record_property: Callable[[str, object], None]) -> None:
    served = everywhere(RUNS[name], zlib.crc32(name.encode()), len(RUBBISH))
    record_property("hostile_answers", served)
    assert served >= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_much_more_rubbish_in_every_place(name: str, record_property: Callable[[str, object], None]) -> None:
    served = everywhere(RUNS[name], 0, 8)
    record_property("hostile_answers", served)
    assert served >= 400


@pytest.mark.parametrize("name", CASES)
def test_every_rubbish_for_every_client(name: str, record_property: Callable[[str, object], None]) -> None:
    served = sum(
        one_client(CASES[name], Tamper(changes=(Change(what, way, value),)), False)
        for number, value in enumerate(RUBBISH)
        for what, way in (("replace", (number % 7,)), ("replace", (number, number, number)), ("add", ()))
    )
    record_property("hostile_answers", served)
    assert served == 3 * len(RUBBISH)


@pytest.mark.parametrize("created_at", [value for value in RUBBISH if isinstance(value, str) and value[:1].isdigit()])
def test_times_that_are_none_or_beyond_the_calendar(created_at: str) -> None:
    run = RUNS["authorized already"]
    done = task(run.module, **run.options)
    world = World(done.clock)
    world.policies["p1"]["created_at"] = created_at
    with Cloud(world, never, MOST_REQUESTS) as cloud:
        result, error = outcome(lambda: run.module.run(done.call), done, cloud)
    assert error is None
    assert result["authorized_at"] is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", result["authorized_at"])


# --- what is huge, deep or endless ------------------------------------------------------------------------------------


@contextlib.contextmanager
def within_bounds(megabytes: float = MOST_MEGABYTES, seconds: float = MOST_SECONDS) -> Iterator[None]:
    """Ends what takes too long, and fails for what took too much memory."""

    def expired(number: int, frame: t.Any) -> None:
        raise AssertionError(f"not ended after {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert peak < megabytes * 2**20, f"{peak / 2**20:.0f} MB"


def repeated(piece: bytes, times: int | None = None) -> Iterator[bytes]:
    return itertools.repeat(piece) if times is None else itertools.repeat(piece, times)


ZEROS = gzip.compress(b" " * 2**24)
BOMBS = {
    "40 MB": (lambda: repeated(b" " * 2**16, 640), ()),
    "endless": (lambda: repeated(b"[" * 2**16), ()),
    "endless, after a length": (lambda: repeated(b" " * 2**16), ("Content-Length: 99999999999999",)),
    "an endless chunk": (lambda: itertools.chain([b"f" * 15 + b"\r\n"], repeated(b" " * 2**16)), ("Transfer-Encoding: chunked",)),
    "endless chunks": (lambda: repeated(b"10000\r\n" + b" " * 2**16 + b"\r\n"), ("Transfer-Encoding: chunked",)),
    "an endless bomb": (lambda: repeated(ZEROS), ("Content-Encoding: gzip",)),
    "a bomb in a bomb": (lambda: iter([gzip.compress(ZEROS * 640)]), ("Content-Encoding: gzip, gzip",)),
    "deflated": (lambda: iter([zlib.compress(b" " * 2**27)]), ("Content-Encoding: deflate",)),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_no_more_than_the_limit_is_read_or_kept(name: str) -> None:
    make, headers = BOMBS[name]
    done = task()
    done.call.params["retry_timeout"] = 0
    counters = []

    def respond(request: Request) -> t.BinaryIO:
        counter, stream = streamed(make(), *headers)
        counters.append(counter)
        return stream

    with wired(respond), within_bounds(200), pytest.raises(_errors.UnusableAnswer, match="larger than"):
        Clients(done.call).admin.topics()
    assert len(counters) == 1 and counters[0].taken < _http.LARGEST_BODY + 2**20


def test_an_answer_that_drips_is_ended_by_the_clock() -> None:
    done = task()
    done.call.params["retry_timeout"] = 0

    def each() -> None:
        done.clock.now += 0.1

    def respond(request: Request) -> t.BinaryIO:
        counter, stream = streamed(repeated(b" "), each=each)
        counters.append(counter)
        return stream

    counters: list[t.Any] = []
    with wired(respond), within_bounds(20), pytest.raises(_errors.NoAnswer, match="did not end within"):
        Clients(done.call).admin.topics()
    assert counters[0].taken < 500


def answered(*bodies: t.Any, status: int = 200) -> Callable[[Request], t.BinaryIO]:
    """The bodies, one after the other, and then the last one again and again."""
    left = list(bodies)

    def respond(request: Request) -> t.BinaryIO:
        body = left.pop(0) if len(left) > 1 else left[0]
        return io.BytesIO(plain_response(status, body if isinstance(body, bytes) else json.dumps(body).encode()))

    return respond


def test_as_many_topics_as_fit_are_read() -> None:
    names = [f"topic-{number:06}" for number in range(200_000)]
    body = json.dumps([{"name": name, "partitions": 1} for name in names]).encode()
    with wired(answered(body, [])), within_bounds():
        assert [topic.name for topic in Clients(task().call).admin.topics()] == names


@pytest.mark.parametrize(
    "body",
    [
        b'{"message": "' + b"x" * 10 * 2**20 + b'"}',
        b'{"message": "' + b"a " * 5 * 2**20 + b'"}',
        b"words and words " * 2**20,
        b"<p>" * 4 * 2**20,
        b'{"errors": [' + b"[]," * 2**20 + b"0]}",
        b'{"error": ' * 100_000 + b"1" + b"}" * 100_000,
        b'{"code": ' + b"9" * 5000 + b"}",
        b'{"code": ' + b"9" * 4300 + b", " + b'"message": ' + b"9" * 4300 + b"}",
    ],
)
def test_huge_and_deep_errors_are_told_in_few_words(body: bytes) -> None:
    done = task()
    with wired(answered(body, status=400)), within_bounds(), pytest.raises(_errors.ApiError) as raised:
        Clients(done.call).admin.topics()
    spoken(raised.value.message, 2000)
    transported(raised.value.failure(), 4000)
    for line in done.lines:
        spoken(line, 2000)


@pytest.mark.parametrize(
    "member", ["crn", "guid", "name", "state", "region_id", "account_id", "updated_at", "resource_plan_id"]
)
def test_a_huge_text_is_no_value(member: str) -> None:
    huge = {**document(), member: document()["crn"] + "x" * 10 * 2**20}
    with wired(answered(huge)), within_bounds():
        found = Clients(task().call).instances.get(TARGET)
    transported(found.to_result(), 5000)


def test_a_huge_description_is_cut() -> None:
    huge = document(last_operation=operation("failed", "update", "x" * 10 * 2**20))
    with wired(answered(huge)), within_bounds():
        found = Clients(task().call).instances.get(TARGET)
    assert found.operation.phase == "failed" and found.operation.description.startswith("xxx")
    transported(found.to_result(), 5000)


LISTS: dict[str, tuple[Callable[[Clients], t.Any], Callable[[int], t.Any], int]] = {
    "topics": (
        lambda clients: clients.admin.topics(),
        lambda page: [{"name": f"topic-{page}-{number}", "partitions": 1} for number in range(100)],
        admin.MOST_PAGES,
    ),
    "policies": (
        lambda clients: clients.iam.authorizations(ACCOUNT),
        lambda page: {
            "policies": [policy_v1(f"p-{page}-{number}") for number in range(10)],
            "next": {"start": f"s{page}"},
        },
        iam.MOST_PAGES,
    ),
    "instances": (
        lambda clients: clients.instances.matching({}),
        lambda page: {
            "resources": [document(guid=f"g-{page}-{number}") for number in range(10)],
            "next_url": f"/v2/resource_instances?start=s{page}",
        },
        resource_controller.MOST_PAGES,
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_pages_that_never_end_are_ended(name: str) -> None:
    ask, make, most = LISTS[name]
    asked: list[str] = []

    def respond(request: Request) -> t.BinaryIO:
        asked.append(request.path)
        return io.BytesIO(plain_response(200, json.dumps(make(len(asked))).encode()))

    with (
        wired(respond),
        within_bounds(seconds=120),
        pytest.raises(_errors.UnusableAnswer, match="pages of the list do not end"),
    ):
        ask(Clients(task().call))
    assert len(asked) <= most + 1 <= 1001


@pytest.mark.parametrize("other", ["kms", "messagehub-2", "", "x:messagehub"])
def test_instances_of_other_services_do_not_count(other: str) -> None:
    """Not even where the name of the service is somewhere else in the CRN."""
    crn = f"crn:v1:bluemix:public:{other}:us-east:a/{ACCOUNT}:{TARGET}:messagehub:"
    raw = document(id=crn, crn=crn)
    with wired(answered({"resources": [raw], "next_url": None})):
        assert Clients(task().call).instances.matching({}) == []
    with wired(answered(raw)), pytest.raises(_errors.InvalidInput):
        Clients(task().call).instances.get(TARGET)


@pytest.mark.parametrize("link", ["http://[", "https://[::1", "//x]/?start=a", "https://\u2100.example?start=a"])
def test_links_to_the_next_page_that_are_no_urls(link: str) -> None:
    """Such a list is not known to be complete, so it is not taken for one."""
    with wired(answered({"policies": [], "next": {"href": link}, "resources": [], "next_url": link})):
        for ask in (LISTS["policies"][0], LISTS["instances"][0]):
            with pytest.raises(_errors.UnusableAnswer, match="no URL"):
                ask(Clients(task().call))


def test_one_policy_behind_many_placeholders_is_read_once() -> None:
    hidden = [policy_v1("p", href="https://iam.cloud.ibm.com/v2/policies/hidden")] * 5000
    asked: list[str] = []

    def respond(request: Request) -> t.BinaryIO:
        asked.append(request.path)
        answers = {"/v1/policies": (200, {"policies": hidden}), "/v2/policies": (200, {"policies": []})}
        status, body = answers.get(request.path, (404, {}))
        return io.BytesIO(plain_response(status, json.dumps(body).encode()))

    with wired(respond), within_bounds():
        assert Clients(task().call).iam.authorizations(ACCOUNT) == []
    assert asked == ["/v1/policies", "/v2/policies", "/v2/policies/hidden"]


@pytest.mark.parametrize(
    "wildcards", ["*" * 900 + "!", "*?" * 400 + "!", "*1" * 300, "*[" * 300, "?" * 10**6, "*" * (4 * 10**6)]
)
@pytest.mark.parametrize("operator", ["stringMatch", "stringMatchAnyOf"])
def test_wildcards_that_explode(wildcards: str, operator: str) -> None:
    policy = policy_v1("p")
    value = [wildcards] * 3 if operator.endswith("AnyOf") else wildcards
    policy["resources"][0]["attributes"][2].update(operator=operator, value=value)
    with wired(answered({"policies": [policy]})), within_bounds():
        found = Clients(task().call).iam.authorizations(ACCOUNT)
        assert found and not found[0].covers(WANTED)


def test_a_target_that_is_never_the_same_twice_does_not_keep_us_for_ever() -> None:
    """Every update fails with an unknown outcome, and every look at the target shows that it was changed meanwhile."""
    done = task(mirroring, **{**FIXED, **WAITS})
    world = World(done.clock)
    seen: list[int] = []

    def respond(request: Request) -> t.BinaryIO:
        seen.append(len(seen))
        assert len(seen) <= MOST_REQUESTS, "more requests than anybody waits for"
        if request.method == "PATCH":
            return io.BytesIO(plain_response(500, b"{}"))
        if request.path.startswith("/v2/resource_instances/"):
            changed = document(
                updated_at=f"2026-01-01T00:00:00.{len(seen)}Z", last_operation=operation("succeeded", "update")
            )
            return io.BytesIO(plain_response(200, json.dumps(changed).encode()))
        answer = world.answer(request)[1]
        return io.BytesIO(plain_response(answer.status, json.dumps(answer.document).encode()))

    with wired(respond), pytest.raises(_errors.MirrorOpsError) as raised:
        mirroring.run(done.call)
    spoken(raised.value.message, MOST_CHARACTERS)
    assert done.call.changed


@pytest.mark.parametrize(
    "echo",
    [
        {"source_crn": 5},
        {"source_crn": [1]},
        {"x": 1},
        {"disable": "no"},
        {"source_crn": {}},
        {"disable": 1},
    ],
)
@pytest.mark.parametrize("place", ["parameters", "extensions"])
def test_whether_mirroring_is_on_is_not_told_by_rubbish(echo: t.Any, place: str) -> None:
    """Where the admin API cannot be read, only settings that make sense tell anything."""
    done = task(mirroring_info, target=TARGET)
    raw = document()
    raw[place]["mirroring"] = echo

    def respond(request: Request) -> t.BinaryIO:
        if request.path.endswith("/identity/token"):
            return io.BytesIO(plain_response(200, json.dumps(token_reply()).encode()))
        if request.path.startswith("/v2/resource_instances/"):
            return io.BytesIO(plain_response(200, json.dumps(raw).encode()))
        return io.BytesIO(plain_response(403, b"{}"))

    with wired(respond):
        assert mirroring_info.run(done.call)["mirroring"]["enabled"] is None


def test_sums_of_huge_numbers_of_partitions_can_be_told() -> None:
    """JSON allows integers of 4300 digits; their sum has more, and Python does not print it."""
    done = task(readiness_info, **PAIR, topics=[".*"])
    huge = b"9" * 4300
    topics = b'[{"name": "a", "partitions": %s}, {"name": "b", "partitions": %s}]' % (huge, huge)
    world = World(done.clock)

    def respond(request: Request) -> t.BinaryIO:
        kind, answer = world.answer(request)
        if kind == "topics":
            return io.BytesIO(plain_response(200, topics if request.query["page"] == "1" else b"[]"))
        return io.BytesIO(plain_response(answer.status, json.dumps(answer.document).encode()))

    with wired(respond):
        transported(readiness_info.run(done.call), 100_000)


@pytest.mark.parametrize(
    "pattern", ["a" * 10 * 2**20, "(" * 10**6, "(a|" * 10**5, "[" * 10**6, "a{1,9}" * 10**5, "(x+x+)+y"]
)
def test_patterns_that_the_service_shows_are_not_trusted(pattern: str) -> None:
    """The selection that is set is compiled, to preview it."""
    done = task(mirroring_info, **FIXED)
    world = World(done.clock, enabled=True)
    world.selection = [pattern]
    with Cloud(world, never, MOST_REQUESTS) as cloud, within_bounds(800):
        result, error = outcome(lambda: mirroring_info.run(done.call), done, cloud)
    assert error is not None or json.dumps(result)
