# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import email.utils
import http.client
import pathlib
import re
import socket
import time
import typing as t
import unittest.mock

import pytest
from urllib3.exceptions import InvalidChunkLength, ProtocolError

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors, _http
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http
from ansible_collections.mirrorops.event_streams.plugins.module_utils._version import COLLECTION_VERSION
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    FakeClock,
    StaticBearer,
    make_api,
    make_call,
)

OK = {"fine": True}
SECRET = "s3cr3t-token"


def read(api: Api) -> t.Any:
    return api.get("/thing", attempt="read thing", instance="es (1)").body


def traced(call: Call) -> list[str]:
    lines: list[str] = []
    call.trace = lines.append
    return lines


PASSING = {
    "reset": {"fault": "reset"},
    "cut inside": {"reply": {"a": "x" * 2000}, "fault": "cut"},
    "cut JSON": {"reply": '{"fine": tr'},
    "HTML": {"reply": "<html>maintenance</html>"},
    "empty": {"reply": None},
    "408": {"status": 408},
    "429": {"status": 429, "reply": {"error_code": 42900}},
    "500": {"status": 500, "reply": "<h1>oops</h1>"},
    "502": {"status": 502, "reply_headers": {"Retry-After": "0"}},
    "503": {"status": 503},
    "504": {"status": 504},
    "520": {"status": 520},
    "599": {"status": 599},
}


@pytest.mark.parametrize("trouble", PASSING)
def test_a_read_is_repeated_after_what_may_pass(trouble: str, server: Scripted, clock: FakeClock) -> None:
    server.expect("GET", "/thing", times=3, **PASSING[trouble])
    server.expect("GET", "/thing", OK)
    assert read(make_api(server.url, make_call(clock))) == OK
    assert len(clock.slept) == 3
    assert clock.slept[0] < clock.slept[1] < clock.slept[2]


def test_all_kinds_of_trouble_in_a_row(server: Scripted, clock: FakeClock) -> None:
    for trouble in PASSING.values():
        server.expect("GET", "/thing", **trouble)
    server.expect("GET", "/thing", OK)
    assert read(make_api(server.url, make_call(clock, retry_timeout=1000))) == OK


@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 409, 410, 415, 418, 422, 451])
def test_a_read_is_not_repeated_after_what_does_not_pass(status: int, server: Scripted, clock: FakeClock) -> None:
    server.expect("GET", "/thing", {"message": "no", "error_code": 7}, status=status)
    with pytest.raises(_errors.ApiError) as caught:
        read(make_api(server.url, make_call(clock)))
    assert (caught.value.status, caught.value.code, caught.value.reason) == (status, "7", "no")
    assert (caught.value.attempt, caught.value.instance) == ("read thing", "es (1)")
    assert clock.slept == []


def test_a_read_is_given_up_after_retry_timeout(server: Scripted, clock: FakeClock) -> None:
    server.expect("GET", "/thing", times=6, status=503, reply={"message": "down"})
    with pytest.raises(_errors.ServiceFailed, match="down, also after 6 attempts") as caught:
        read(make_api(server.url, make_call(clock, retry_timeout=20)))
    assert caught.value.status == 503
    assert sum(clock.slept) <= 20


def test_no_retry_timeout_means_one_attempt(server: Scripted, clock: FakeClock) -> None:
    server.expect("GET", "/thing", status=503)
    with pytest.raises(_errors.ServiceFailed) as caught:
        read(make_api(server.url, make_call(clock, retry_timeout=0)))
    assert "attempts" not in caught.value.message
    assert clock.slept == []


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7.0, 7.0),
        ("7.5", 7.5, 7.5),
        ("0", 0.4, 0.6),
        ("-5", 0.4, 0.6),
        ("soon", 0.4, 0.6),
        ("", 0.4, 0.6),
        ("nan", 0.4, 0.6),
        ("inf", 60, 60),
        ("1e400", 60, 60),
        ("100000000", 60, 60),
        (email.utils.formatdate(FakeClock().time() + 20, usegmt=True), 20, 20),
        (email.utils.formatdate(FakeClock().time() - 20, usegmt=True), 0.4, 0.6),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60, 60),
        ("Fri, 99 Foo 2026 23:59:59 GMT", 0.4, 0.6),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(value: str, least: float, most: float, status: int, server: Scripted, clock: FakeClock) -> None:
    server.expect("GET", "/thing", status=status, reply_headers={"Retry-After": value})
    server.expect("GET", "/thing", OK)
    read(make_api(server.url, make_call(clock)))
    assert len(clock.slept) == 1
    assert least <= clock.slept[0] <= most


def test_a_pause_past_the_limit_is_not_begun(server: Scripted, clock: FakeClock) -> None:
    server.expect("GET", "/thing", status=429, reply_headers={"Retry-After": "30"})
    with pytest.raises(_errors.RateLimited):
        read(make_api(server.url, make_call(clock, retry_timeout=10)))
    assert clock.slept == []


def test_pauses_grow_to_a_limit_and_differ() -> None:
    for number, middle in [(1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 15), (7, 15), (1000, 15)]:
        pauses = {_http.backoff(number) for _dummy in range(50)}
        assert len(pauses) > 10
        assert all(0.8 * middle <= pause <= 1.2 * middle for pause in pauses)


WRITES: list[t.Literal["POST", "PUT", "PATCH", "DELETE"]] = ["POST", "PUT", "PATCH", "DELETE"]
LOST = {
    "reset": ({"fault": "reset"}, _errors.NoAnswer, "maybe"),
    "cut inside": ({"reply": {"a": "x" * 2000}, "fault": "cut"}, _errors.ExchangeError, "maybe"),
    "cut JSON": ({"reply": '{"fine": tr'}, _errors.UnusableAnswer, "maybe"),
    "HTML": ({"reply": "<html>"}, _errors.UnusableAnswer, "maybe"),
    "500": ({"status": 500}, _errors.ServiceFailed, "maybe"),
    "502": ({"status": 502, "reply_headers": {"Retry-After": "0"}}, _errors.ServiceFailed, "maybe"),
    "408": ({"status": 408}, _errors.ServiceFailed, "maybe"),
    "429": ({"status": 429}, _errors.RateLimited, "no"),
    "400": ({"status": 400}, _errors.ApiError, "no"),
    "403": ({"status": 403}, _errors.PermissionDenied, "no"),
    "409": ({"status": 409}, _errors.Conflict, "no"),
    "422": ({"status": 422}, _errors.ApiError, "no"),
}


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("trouble", LOST)
def test_a_write_is_sent_once(
    method: t.Literal["POST", "PUT", "PATCH", "DELETE"], trouble: str, server: Scripted, clock: FakeClock
) -> None:
    details, kind, processed = LOST[trouble]
    server.expect(method, "/thing", body={"a": 1}, **details)
    with pytest.raises(kind) as caught:
        make_api(server.url, make_call(clock)).send(method, "/thing", attempt="change thing", body={"a": 1})
    assert caught.value.processed == processed
    assert caught.value.attempt == "change thing"
    assert clock.slept == []


@pytest.mark.parametrize("method", WRITES)
def test_a_write_is_sent_again_with_a_new_token_after_401(
    method: t.Literal["POST", "PUT", "PATCH", "DELETE"], server: Scripted
) -> None:
    server.expect(method, "/thing", status=401, headers={"Authorization": "Bearer t1"}, body={"a": 1})
    server.expect(method, "/thing", OK, headers={"Authorization": "Bearer t2"}, body={"a": 1})
    assert make_api(server.url).send(method, "/thing", attempt="x", body={"a": 1}).body == OK
    assert server.received[0].headers["Transaction-Id"] == server.received[1].headers["Transaction-Id"]


@pytest.mark.parametrize("second", [401, 503])
def test_a_write_is_sent_no_third_time(second: int, server: Scripted, clock: FakeClock) -> None:
    server.expect("PATCH", "/thing", status=401)
    server.expect("PATCH", "/thing", status=second)
    with pytest.raises(_errors.error_for_status(second)):
        make_api(server.url, make_call(clock), "t1", "t2", "t3").send("PATCH", "/thing", attempt="x")


def test_400_with_the_code_of_iam_is_401_in_disguise(server: Scripted) -> None:
    body = {"error_code": "RC-IamErrorResponse", "message": "Token is expired", "status_code": 401}
    server.expect("GET", "/thing", body, status=400, headers={"Authorization": "Bearer t1"})
    server.expect("GET", "/thing", OK, headers={"Authorization": "Bearer t2"})
    assert read(make_api(server.url)) == OK


def test_a_token_rejected_for_good_ends_a_read(server: Scripted, clock: FakeClock) -> None:
    server.expect("GET", "/thing", status=401, reply={"errors": [{"code": "invalid_token", "message": "bad"}]})
    server.expect("GET", "/thing", status=401, reply={"errors": [{"code": "invalid_token", "message": "bad"}]})
    with pytest.raises(_errors.AuthenticationFailed, match="code invalid_token"):
        read(make_api(server.url, make_call(clock)))
    assert clock.slept == []


def test_a_write_without_an_answer_body_is_fine(server: Scripted) -> None:
    server.expect("DELETE", "/thing", status=204)
    answer = make_api(server.url).send("DELETE", "/thing", attempt="x")
    assert (answer.status, answer.body) == (204, None)


def test_a_refused_connection_is_told_from_a_lost_answer(clock: FakeClock) -> None:
    gone = Scripted()
    gone.close()
    with pytest.raises(_errors.NoAnswer) as caught:
        make_api(gone.url, make_call(clock)).send("PATCH", "/thing", attempt="x")
    assert caught.value.processed == "no"
    assert "refused" in caught.value.reason
    assert "0x" not in caught.value.reason


def test_a_server_that_hangs(server: Scripted, clock: FakeClock) -> None:
    server.expect("PATCH", "/thing", fault="hang")
    with pytest.raises(_errors.NoAnswer, match=r"no answer from 127\.0\.0\.1:\d+ within 0\.2 s") as caught:
        make_api(server.url, make_call(clock, request_timeout=0.2)).send("PATCH", "/thing", attempt="x")
    assert caught.value.processed == "maybe"


def test_an_answer_that_drips_is_ended_by_the_clock(server: Scripted) -> None:
    """Every byte comes in time, all of them do not."""
    server.expect("POST", "/thing", "x" * 60, fault="drip")
    call = Call(params=make_call(request_timeout=0.3).params)
    started = time.monotonic()
    with pytest.raises(_errors.NoAnswer, match=r"within 0\.3 s") as caught:
        make_api(server.url, call).send("POST", "/thing", attempt="x")
    assert caught.value.processed == "maybe"
    assert time.monotonic() - started < 2, "all 3 seconds of it were read"


def test_a_long_answer_that_does_not_end_is_ended_by_the_clock(server: Scripted) -> None:
    server.expect("POST", "/thing", "x" * 500_000)
    call = make_call(FakeClock(tick=1.0), request_timeout=3)
    with pytest.raises(_errors.NoAnswer, match="did not end within 3 s") as caught:
        make_api(server.url, call).send("POST", "/thing", attempt="x")
    assert caught.value.processed == "maybe"


@pytest.mark.parametrize("surplus", [0, 1])
def test_the_size_of_an_answer_is_limited(surplus: int, server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = '{"a": "' + "x" * (200_000 - 9 + surplus) + '"}'
    monkeypatch.setattr(_http, "LARGEST_BODY", 200_000)
    server.expect("GET", "/thing", reply, reply_headers={"Transaction-Id": "big"})
    api = make_api(server.url, make_call(retry_timeout=60))
    if not surplus:
        assert len(read(api)["a"]) == 200_000 - 9
        return
    with pytest.raises(_errors.AnswerTooLarge, match="larger than 200000 bytes") as caught:
        read(api)
    assert "ask for less" in caught.value.remedy
    assert len(server.calls()) == 1
    assert (caught.value.status, caught.value.transaction_id) == (200, "big")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_are_not_followed(status: int, method: str, server: Scripted, clock: FakeClock) -> None:
    elsewhere = Scripted()
    try:
        location = elsewhere.url.replace("127.0.0.1", "localhost") + "/thing"
        server.expect(method, "/thing", status=status, reply_headers={"Location": location})
        api = make_api(server.url, make_call(clock))
        with pytest.raises(_errors.ApiError, match="redirect") as caught:
            read(api) if method == "GET" else api.send("POST", "/thing", attempt="x")
        assert caught.value.processed == "no"
        assert caught.value.remedy == "Correct the endpoint."
        assert elsewhere.received == []
        assert clock.slept == []
    finally:
        elsewhere.close()


@pytest.mark.parametrize("bearer", [None, "t1"])
def test_netrc_is_not_used(
    bearer: str | None, server: Scripted, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hidden\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.expect("GET", "/thing", OK, headers={"Authorization": bearer and f"Bearer {bearer}"})
    assert Http(make_call()).once("GET", server.url + "/thing", attempt="x", bearer=bearer).body == OK


def test_what_is_sent_with_every_request(server: Scripted) -> None:
    server.expect(
        "PATCH",
        "/base/path/thing%2F1",
        OK,
        headers={
            "Authorization": "Bearer t1",
            "User-Agent": f"mirrorops.event_streams/{COLLECTION_VERSION} (Ansible collection)",
            "Accept": "application/json",
            "If-Match": "1-e",
        },
        body={"a": "ü"},
    )
    api = make_api(server.url + "/base/path/")
    api.send("PATCH", "/thing%2F1", attempt="x", body={"a": "ü"}, headers={"If-Match": "1-e"})
    assert re.fullmatch(r"[0-9a-f-]{36}", server.received[0].headers["Transaction-Id"])


def test_the_query_is_encoded(server: Scripted) -> None:
    server.expect("GET", "/thing", OK, query={"name": "a b&c=d", "limit": "100"})
    make_api(server.url).get("/thing", attempt="x", query={"name": "a b&c=d", "limit": 100})


@pytest.mark.parametrize(
    "header", ["X-Global-Transaction-Id", "X-Global-Transaction-ID", "Transaction-Id", "X-Request-Id"]
)
def test_the_services_transaction_id_is_told(header: str, server: Scripted) -> None:
    server.expect("GET", "/thing", status=404, reply_headers={header: "tx-9"})
    server.expect("GET", "/thing", OK, reply_headers={header: "tx-10"})
    api = make_api(server.url)
    with pytest.raises(_errors.NotFound, match="transaction tx-9"):
        read(api)
    assert api.get("/thing", attempt="x").transaction_id == "tx-10"


def test_the_trace(server: Scripted) -> None:
    call = make_call(FakeClock(tick=0.25))
    lines = traced(call)
    server.expect("GET", "/thing", status=503, query={"apikey": SECRET})
    server.expect("GET", "/thing", fault="reset", query={"apikey": SECRET})
    server.expect("GET", "/thing", OK, query={"apikey": SECRET}, reply_headers={"Transaction-Id": "tx-1"})
    make_api(server.url + "/iam", call, SECRET)  # nothing is sent yet
    make_api(server.url, call, SECRET).get("/thing", attempt="x", query={"apikey": SECRET})
    times = [float(line.rpartition(", ")[2].removesuffix(" s")) for line in lines]
    assert [line.rpartition(", ")[0] for line in lines] == [
        "GET /thing -> 503, attempt 1, transaction None",
        "GET /thing -> no answer, attempt 2, transaction None",
        "GET /thing -> 200, attempt 3, transaction tx-1",
    ]
    assert all(seconds >= 0.25 for seconds in times)
    assert all(re.fullmatch(r".* \d+\.\d{3} s", line) for line in lines)


TROUBLES: list[dict[str, t.Any]] = [
    *PASSING.values(),
    {"status": 401},
    {"status": 403},
    {"status": 302},
    {"fault": "hang"},
]


@pytest.mark.parametrize("number", range(len(TROUBLES)))
def test_no_secret_in_errors_and_traces(number: int, server: Scripted) -> None:
    server.expect("POST", "/thing", form={"apikey": SECRET}, **TROUBLES[number])
    call = make_call(request_timeout=0.3)
    lines = traced(call)
    with pytest.raises(_errors.ExchangeError) as caught:
        Http(call).once("POST", server.url + "/thing", attempt="x", bearer=SECRET, form={"apikey": SECRET})
        raise _errors.ExchangeError("an empty answer to a write is fine")
    error = caught.value
    assert SECRET not in f"{error} {error.failure()} {lines} {error.__cause__} {error.__cause__!r}"


def test_nothing_is_sent_when_nobody_wants_the_result(server: Scripted) -> None:
    call = make_call()

    def gone() -> None:
        raise _errors.Abandoned("the run has ended")

    call.check_wanted = gone
    api = make_api(server.url, call)
    with pytest.raises(_errors.Abandoned):
        read(api)
    with pytest.raises(_errors.Abandoned):
        api.send("PATCH", "/thing", attempt="x")


@pytest.mark.parametrize(
    ("params", "fine"),
    [
        ({"request_timeout": 0}, False),
        ({"request_timeout": -1}, False),
        ({"request_timeout": float("nan")}, False),
        ({"request_timeout": float("inf")}, False),
        ({"request_timeout": 86400}, False),
        ({"retry_timeout": -1}, False),
        ({"retry_timeout": float("inf")}, False),
        ({"retry_timeout": float("nan")}, False),
        ({"request_timeout": 0.001, "retry_timeout": 0}, True),
        ({"request_timeout": 86399, "retry_timeout": 86399}, True),
    ],
)
def test_time_limits(params: dict[str, float], fine: bool) -> None:
    if fine:
        Http(make_call(**params))
        return
    with pytest.raises(_errors.InvalidInput, match="request_timeout"):
        Http(make_call(**params))


def test_certificates_are_verified_unless_told_otherwise(
    server: Scripted, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with a certificate: tests/integration/test_tls.py. Plain HTTP behind an https address cannot be told from a
    record that was broken later, so it may have been processed."""
    api = Api(Http(make_call(clock)), server.url.replace("http:", "https:"), StaticBearer("t1"), "Transaction-Id")
    with pytest.raises(_errors.NoAnswer) as caught:
        api.send("PATCH", "/thing", attempt="x")
    assert (caught.value.kind, caught.value.processed) == ("no_answer", "maybe")
    seen: list[t.Any] = []
    for params in ({}, {"ca_path": "/ca.pem"}, {"validate_certs": False}, {"validate_certs": False, "ca_path": "/ca"}):
        http = Http(make_call(**params))
        monkeypatch.setattr(http._session, "request", lambda *args, **settings: seen.append(settings) or 1 / 0)
        with pytest.raises(ZeroDivisionError):
            http.once("GET", "https://example.com", attempt="x")
    assert [settings["verify"] for settings in seen] == [True, "/ca.pem", False, False]
    assert all(settings["allow_redirects"] is False and settings["timeout"] for settings in seen)


class Penniless(StaticBearer):
    """An identity that has no token to hand out, at first or once the first was rejected."""

    def current(self) -> str:
        if not self.tokens:
            raise _errors.ServiceFailed("IAM is down", status=503)
        return super().current()

    def renewed(self, rejected: str) -> str:
        raise _errors.ServiceFailed("IAM is down", status=503)


@pytest.mark.parametrize("tokens", [(), ("t1",)])
def test_a_write_without_a_token_was_not_sent(server: Scripted, clock: FakeClock, tokens: tuple[str, ...]) -> None:
    """Whatever became of the request for the token: nothing has to be looked for."""
    call = make_call(clock)
    if tokens:
        server.expect("PATCH", "/thing", status=401, body={"a": 1})
    api = Api(Http(call), server.url, Penniless(*tokens), "Transaction-Id")
    with pytest.raises(_errors.ServiceFailed) as caught:
        api.send("PATCH", "/thing", attempt="x", body={"a": 1})
    assert caught.value.processed == "no"
    assert call.changed is False


@pytest.mark.parametrize(
    "body", ['{"access_token": "%s", "refresh_token": f', '{"message": "%s is no token"}', "<b>%s</b>"]
)
@pytest.mark.parametrize("status", [402, 404])
def test_a_token_that_an_error_carries_is_not_shown(body: str, status: int, server: Scripted, clock: FakeClock) -> None:
    """Nobody has used it yet, so nobody knows it for a secret."""
    token = "eyJhbGciOiJub25lIn0.eyJpYXQiOiAxNzY3MjI1NjAwfQ.c2ln_nature-1"
    server.expect("GET", "/thing", body % token, status=status)
    with pytest.raises(_errors.ApiError) as caught:
        read(make_api(server.url, make_call(clock)))
    shown = f"{caught.value.message} {caught.value.failure()}"
    assert not any(part in shown for part in token.split("."))


def test_what_came_and_is_no_http_is_not_shown(server: Scripted, clock: FakeClock) -> None:
    """After a status that has no body, the body with the token is where the next line of a status should be."""
    server.expect("POST", "/thing", {"access_token": SECRET}, status=100, form={"apikey": "a"})
    call = make_call(clock=clock)
    lines = traced(call)
    with pytest.raises(_errors.NoAnswer, match=r"no complete answer from .*: BadStatusLine") as caught:
        Http(call).once("POST", server.url + "/thing", attempt="x", form={"apikey": "a"})
    assert SECRET not in f"{caught.value} {caught.value.failure()} {lines}"


@pytest.mark.parametrize(
    "error",
    [
        http.client.BadStatusLine(SECRET),
        http.client.UnknownProtocol(SECRET),
        InvalidChunkLength(unittest.mock.Mock(), SECRET.encode()),
        ValueError(f"no URL: {SECRET}"),
    ],
)
def test_of_what_breaks_the_protocol_the_kind_is_told(error: Exception) -> None:
    assert _http._cause(ProtocolError("Connection broken", error)) == type(error).__name__


def test_what_our_own_side_says_is_told() -> None:
    gone = http.client.RemoteDisconnected("Remote end closed connection without response")
    assert _http._cause(ProtocolError("Connection aborted.", gone)) == f"RemoteDisconnected: {gone}"


def test_no_answer_can_say_that_a_request_was_not_sent(server: Scripted, clock: FakeClock) -> None:
    """Else a write could be repeated that has taken effect."""
    server.expect("POST", "/thing", "NewConnectionError", status=100, form={"apikey": "a"})
    with pytest.raises(_errors.NoAnswer) as caught:
        Http(make_call(clock=clock)).once("POST", server.url + "/thing", attempt="x", form={"apikey": "a"})
    assert caught.value.processed != "no"


def test_nothing_is_sent_to_a_name_that_cannot_be_resolved(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_arguments: object) -> t.NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(_errors.NoAnswer) as caught:
        Http(make_call(clock=clock)).once("POST", "https://nowhere.invalid/thing", attempt="x", form={"apikey": "a"})
    assert caught.value.processed == "no"
