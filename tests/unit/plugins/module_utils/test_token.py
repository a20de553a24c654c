# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import html
import json
import pathlib
import typing as t
import urllib.parse

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, PrivateTokenStore, Token
from ansible_collections.mirrorops.event_streams.plugins.module_utils._grants import ByApiKey
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http
from ansible_collections.mirrorops.event_streams.plugins.module_utils._token import (
    FixedToken,
    IamToken,
    read_api_key,
    spellings,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    GRANT_TYPE,
    KEY,
    TOKEN_FORM,
    FakeClock,
    jwt,
    make_call,
    token_reply,
)

UNKNOWN_KEY = {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}


def odd_claims(claims: str) -> str:
    return f"a.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.c"


def identity(server: Scripted, call: Call, path: str = "", key: str = KEY) -> IamToken:
    http = Http(call)
    return IamToken(http, ByApiKey(http, server.url + path, key))


def expect_token(server: Scripted, number: int = 1, lifetime: int = 3600, **changes: t.Any) -> None:
    server.expect(
        "POST",
        "/identity/token",
        token_reply(number, lifetime, **changes),
        form=TOKEN_FORM,
        headers={"Authorization": None, "Accept": "application/json"},
    )


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("", "/identity/token"),
        ("/proxy/iam", "/proxy/iam/identity/token"),
    ],
)
def test_where_tokens_come_from(base: str, path: str, server: Scripted, clock: FakeClock) -> None:
    server.expect(
        "POST", path, token_reply(), form={"grant_type": GRANT_TYPE, "apikey": KEY, "response_type": "cloud_iam"}
    )
    assert identity(server, make_call(clock), base).current() == jwt(1)


def test_a_token_is_kept_until_80_percent_of_its_lifetime(server: Scripted, clock: FakeClock) -> None:
    call = make_call(clock)
    expect_token(server, 1, 1000)
    expect_token(server, 2, 1000)
    bearer = identity(server, call)
    assert bearer.current() == jwt(1, lifetime=1000)
    clock.now += 799.9
    assert bearer.current() == jwt(1, lifetime=1000)
    assert len(server.received) == 1
    clock.now += 0.2
    assert bearer.current() == jwt(2, lifetime=1000)
    assert {jwt(1, lifetime=1000), jwt(2, lifetime=1000)} <= call.secrets


@pytest.mark.parametrize(
    ("changes", "lifetime"),
    [
        ({"expires_in": 100}, 100),
        ({"expires_in": 100.5}, 100.5),
        ({"expires_in": None}, 3600),
        ({"expires_in": "100"}, 3600),
        ({"expires_in": True}, 3600),
        ({"expires_in": None, "access_token": "opaque"}, 300),
        ({"expires_in": 10**9}, 86400),
        ({"expires_in": 10**400, "access_token": "opaque"}, 300),
        ({"expires_in": None, "access_token": odd_claims('{"iat": 1.5, "exp": ' + "9" * 400 + "}")}, 300),
        ({"expires_in": None, "access_token": odd_claims('{"iat": 1e400, "exp": 1e400}')}, 300),
        ({"expires_in": None, "access_token": odd_claims('{"iat": NaN, "exp": 5}')}, 300),
    ],
)
def test_the_lifetime_is_never_assumed_to_be_an_hour(
    changes: dict[str, t.Any], lifetime: float, server: Scripted, clock: FakeClock
) -> None:
    expect_token(server, **changes)
    expect_token(server, 2)
    bearer = identity(server, make_call(clock))
    first = bearer.current()
    clock.now += 0.8 * lifetime - 0.01
    assert bearer.current() == first
    clock.now += 0.02
    assert bearer.current() == jwt(2)


def test_time_that_the_exchange_took_counts_as_used(server: Scripted, clock: FakeClock) -> None:
    server.expect("POST", "/identity/token", status=503, form=TOKEN_FORM, reply_headers={"Retry-After": "50"})
    expect_token(server, 1, 100)
    expect_token(server, 2, 100)
    bearer = identity(server, make_call(clock))
    bearer.current()
    clock.now += 31
    assert bearer.current() == jwt(2, lifetime=100)


@pytest.mark.parametrize("seconds", [0, -5])
def test_a_token_without_a_lifetime_is_used_once(seconds: int, server: Scripted, clock: FakeClock) -> None:
    expect_token(server, 1, expires_in=seconds)
    expect_token(server, 2, expires_in=seconds)
    bearer = identity(server, make_call(clock))
    assert [bearer.current(), bearer.current()] == [jwt(1), jwt(2)]


def test_a_failing_refresh_is_borne_until_the_token_expires(server: Scripted, clock: FakeClock) -> None:
    expect_token(server, 1, 1000)
    bearer = identity(server, make_call(clock, retry_timeout=0))
    first = bearer.current()
    clock.now += 801
    for trouble in ({"status": 503}, {"status": 500}, {"fault": "reset"}):
        server.expect("POST", "/identity/token", form=TOKEN_FORM, **trouble)
        assert bearer.current() == first
        clock.now += 30
        assert bearer.current() == first, "tried again within a minute"
        clock.now += 31
    clock.now = 1000 + 991
    server.expect("POST", "/identity/token", status=503, form=TOKEN_FORM)
    with pytest.raises(_errors.ServiceFailed, match="get a token from IBM Cloud IAM"):
        bearer.current()
    expect_token(server, 2)
    assert bearer.current() == jwt(2)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_key_is_tried_twice_more(status: int, server: Scripted, clock: FakeClock) -> None:
    server.expect(
        "POST",
        "/identity/token",
        UNKNOWN_KEY,
        times=3,
        status=status,
        form=TOKEN_FORM,
        reply_headers={"Transaction-Id": "x"},
    )
    with pytest.raises(_errors.AuthenticationFailed) as caught:
        identity(server, make_call(clock)).current()
    error = caught.value
    assert error.message.startswith(
        "Failed to get a token from IBM Cloud IAM: IBM Cloud does not accept the API key: "
        f"Provided API key could not be found (HTTP {status}, code BXNIM0415E, transaction x)."
    )
    assert "Check the API key" in error.message
    assert len(clock.slept) == 2
    assert sum(clock.slept) < 5
    assert KEY not in repr(error.failure())


def test_a_key_that_was_not_found_by_mistake(server: Scripted, clock: FakeClock) -> None:
    server.expect("POST", "/identity/token", UNKNOWN_KEY, times=2, status=400, form=TOKEN_FORM)
    expect_token(server)
    assert identity(server, make_call(clock)).current() == jwt(1)


@pytest.mark.parametrize("status", [404, 405, 415])
def test_other_refusals_are_not_blamed_on_the_key(status: int, server: Scripted, clock: FakeClock) -> None:
    server.expect("POST", "/identity/token", "<h1>no such page</h1>", status=status, form=TOKEN_FORM)
    with pytest.raises(_errors.AuthenticationFailed, match="no such page") as caught:
        identity(server, make_call(clock)).current()
    assert "API key" not in caught.value.message and "endpoint" in caught.value.message
    assert clock.slept == []


@pytest.mark.parametrize(
    "trouble", [{"status": 429}, {"status": 503}, {"fault": "reset"}, {"reply": "<html>"}, {"reply": '{"access_tok'}]
)
def test_a_token_request_is_repeated_after_what_may_pass(
    trouble: dict[str, t.Any], server: Scripted, clock: FakeClock
) -> None:
    server.expect("POST", "/identity/token", times=2, form=TOKEN_FORM, **trouble)
    expect_token(server)
    assert identity(server, make_call(clock)).current() == jwt(1)


@pytest.mark.parametrize(
    "reply",
    [
        {},
        [],
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": "two words"},
        {"access_token": "two\nlines"},
        {"access_token": "ü"},
        "null",
    ],
)
def test_an_answer_without_a_usable_token(reply: t.Any, server: Scripted, clock: FakeClock) -> None:
    server.expect("POST", "/identity/token", reply, form=TOKEN_FORM, times=4)
    with pytest.raises(_errors.UnusableAnswer, match="no usable token, also after 4 attempts"):
        identity(server, make_call(clock, retry_timeout=5)).current()


@pytest.mark.parametrize("status", [200, 400, 503])
def test_half_a_token_is_not_quoted(status: int, server: Scripted, clock: FakeClock) -> None:
    half = json.dumps(token_reply())[:200]
    server.expect("POST", "/identity/token", half, status=status, form=TOKEN_FORM, times=3 if status == 400 else 4)
    with pytest.raises(_errors.MirrorOpsError, match="no usable token") as raised:
        identity(server, make_call(clock, retry_timeout=5)).current()
    assert jwt()[:20] not in f"{raised.value.message} {raised.value.failure()}"


@pytest.mark.parametrize("reply", ["", {}, {"access_token": None}])
def test_an_answer_without_a_token_may_be_followed_by_a_better_one(
    reply: t.Any, server: Scripted, clock: FakeClock
) -> None:
    server.expect("POST", "/identity/token", reply, form=TOKEN_FORM)
    expect_token(server)
    assert identity(server, make_call(clock)).current() == jwt(1)


def test_a_redirect_gets_no_key(server: Scripted, clock: FakeClock) -> None:
    elsewhere = Scripted()
    try:
        server.expect(
            "POST",
            "/identity/token",
            status=307,
            form=TOKEN_FORM,
            reply_headers={"Location": elsewhere.url + "/identity/token"},
        )
        with pytest.raises(_errors.ApiError, match="redirect"):
            identity(server, make_call(clock)).current()
        assert elsewhere.received == []
    finally:
        elsewhere.close()


def test_a_rejected_token_is_renewed_before_its_time(server: Scripted, clock: FakeClock) -> None:
    expect_token(server, 1)
    expect_token(server, 2)
    bearer = identity(server, make_call(clock))
    first = bearer.current()
    assert bearer.renewed(first) == jwt(2)
    assert bearer.renewed(first) == jwt(2), "somebody else has renewed it already"
    assert bearer.current() == jwt(2)


def test_tasks_share_tokens_by_key_and_endpoint(server: Scripted, clock: FakeClock) -> None:
    first, second = make_call(clock), make_call(clock)
    second.tokens = first.tokens
    expect_token(server, 1)
    assert identity(server, first).current() == identity(server, second).current() == jwt(1)
    assert jwt(1) in second.secrets
    server.expect("POST", "/identity/token", token_reply(2), form={**TOKEN_FORM, "apikey": "other"})
    assert identity(server, second, key="other").current() == jwt(2)
    server.expect("POST", "/elsewhere/identity/token", token_reply(3), form=TOKEN_FORM)
    assert identity(server, second, "/elsewhere").current() == jwt(3)


class Watched(PrivateTokenStore):
    """Remembers what it was asked for, and can slip in somebody else's token while the lock is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self.limits: list[float] = []
        self.slipped: Token | None = None

    def exclusive(self, key: str, seconds: float) -> contextlib.AbstractContextManager[None]:
        self.keys.append(key)
        self.limits.append(seconds)
        if self.slipped:
            self.put(key, self.slipped)
        return super().exclusive(key, seconds)


def test_a_token_that_came_while_waiting_for_the_lock_is_taken(server: Scripted, clock: FakeClock) -> None:
    call = make_call(clock, request_timeout=7)
    store = call.tokens = Watched()
    store.slipped = Token("theirs", clock.now + 800, clock.now + 990)
    assert identity(server, call).current() == "theirs"
    assert store.limits == [7]
    assert KEY not in store.keys[0]
    assert len(store.keys[0]) == 64


@pytest.mark.parametrize(("lifetime", "account", "expected"), [(3600, ACCOUNT, ACCOUNT), (3600, None, None)])
def test_the_account_is_in_the_token(
    lifetime: int, account: str | None, expected: str | None, server: Scripted, clock: FakeClock
) -> None:
    expect_token(server, access_token=jwt(1, account, lifetime))
    assert identity(server, make_call(clock)).account_id() == expected


@pytest.mark.parametrize(
    "token",
    [
        "opaque",
        "a.b",
        "a.!!!.c",
        "a.bm90IGpzb24.c",
        "a.WzFd.c",
        "a.eyJhY2NvdW50IjogMX0.c",
        "a.b.c.d",
        odd_claims('{"account": {"bss": 5}}'),
        odd_claims('{"account": {"bss": {"x": 1}}}'),
    ],
)
def test_a_token_that_names_no_account(token: str, server: Scripted, clock: FakeClock) -> None:
    expect_token(server, access_token=token)
    assert identity(server, make_call(clock)).account_id() is None


@pytest.mark.parametrize("given", ["abc.def", "Bearer abc.def", " abc.def\n", "Bearer  abc.def "])
def test_a_ready_made_token(given: str) -> None:
    bearer = FixedToken(given)
    assert bearer.current() == "abc.def"
    with pytest.raises(_errors.AuthenticationFailed, match="cannot be renewed") as caught:
        bearer.renewed("abc.def")
    assert "ibmcloud_api_key" in caught.value.remedy
    assert "abc.def" not in caught.value.message


@pytest.mark.parametrize("text", [KEY, f"  {KEY}\n"])
def test_a_bare_key(text: str) -> None:
    assert read_api_key(text, "ibmcloud_api_key") == KEY


@pytest.mark.parametrize(
    "content",
    [KEY, KEY + "\n", json.dumps({"apikey": KEY}), json.dumps({"name": "n", "apikey": f" {KEY} ", "id": 1}, indent=2)],
)
def test_a_key_in_a_file(content: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key.json").write_text(content)
    assert read_api_key(f"@{tmp_path}/key.json", "ibmcloud_api_key") == KEY
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_api_key(" @~/key.json", "ibmcloud_api_key") == KEY


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"name": "secret-x"}', "without apikey"),
        (b'{"apikey": ""}', "is empty"),
        (b'{"apikey": "secret-x', "without apikey"),
        (b'{"apikey": null}', "without apikey"),
        (b'{"apikey": ["secret-x"]}', "without apikey"),
    ],
)
def test_a_file_without_a_key(content: bytes | None, why: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(_errors.InvalidInput, match="source_api_key") as caught:
        read_api_key(f"@{path}", "source_api_key")
    assert why in caught.value.reason
    assert "secret-x" not in caught.value.message


@pytest.mark.parametrize("text", ["", "  ", "@", "@/", "@~nobody-here/key", "@a\0b"])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(_errors.InvalidInput, match="ibmcloud_api_key"):
        read_api_key(text, "ibmcloud_api_key")


@pytest.mark.parametrize(
    "spell",
    [
        str,
        html.escape,
        urllib.parse.quote_plus,
        lambda secret: json.dumps(secret)[1:-1],
        lambda secret: repr(secret)[1:-1],
    ],
)
def test_a_secret_is_known_however_a_service_or_a_library_spells_it(spell: t.Callable[[str], str]) -> None:
    secret = "".join(map(chr, range(32, 256))) + "\n&amp;"
    assert spell(secret) in spellings(secret)
