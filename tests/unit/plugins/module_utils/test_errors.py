# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors

CONFLICT = {
    "trace": "ee0b",
    "status_code": 409,
    "errors": [
        {
            "code": "policy_conflict_error",
            "message": "The policy wasn't created because an access policy already exists.",
            "details": {"conflicts_with": {"etag": "1-e", "policy": {"id": "p1", "message": "not this one"}}},
        }
    ],
}
BROKER = {
    "error_code": "RC-ServiceBrokerErrorResponse",
    "message": "Please contact the Service Provider for this error. [409, Conflict] busy",
    "details": '{"status_code":409,"name":"ConflictError"}',
    "status_code": 422,
    "transaction_id": "bss-1",
}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        pytest.param(
            {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found.", "errorDetails": "x"},
            "BXNIM0415E",
            "Provided API key could not be found.",
            id="iam-token",
        ),
        pytest.param(
            {"trace": "1", "errors": [{"code": "invalid_access_token", "message": "bad"}], "status_code": 401},
            "invalid_access_token",
            "bad",
            id="iam-token-new",
        ),
        pytest.param(
            {"errors": [{"message_code": "BXNIM0102E", "message": "gone"}]}, "BXNIM0102E", "gone", id="iam-v1"
        ),
        pytest.param(
            CONFLICT,
            "policy_conflict_error",
            "The policy wasn't created because an access policy already exists.",
            id="iam",
        ),
        pytest.param(
            [{"StatusCode": 400, "code": "missing_token_in_request"}], "missing_token_in_request", "", id="iam-array"
        ),
        pytest.param(
            {"error_code": "RC-IamErrorResponse", "message": "Token is expired", "status_code": 401},
            "RC-IamErrorResponse",
            "Token is expired",
            id="resource-controller",
        ),
        pytest.param(BROKER, "RC-ServiceBrokerErrorResponse", BROKER["message"], id="broker"),
        pytest.param(
            {"error_code": 50301, "message": "Unknown Kafka Error", "incident_id": "17af"},
            "50301",
            "Unknown Kafka Error",
            id="admin",
        ),
        pytest.param(
            {"trace": "1", "error": {"code": "invalid_type", "message": "no such type", "target": {"type": "field"}}},
            "invalid_type",
            "no such type",
            id="producer",
        ),
        pytest.param({"error": "just text"}, None, "just text", id="error-text"),
        pytest.param({"errorDetails": "only details"}, None, "only details", id="details-only"),
        pytest.param({"errors": []}, None, "", id="no-errors"),
        pytest.param({"errors": ["text"], "message": "outer"}, None, "outer", id="errors-of-text"),
        pytest.param({"errors": None, "code": 0, "message": None}, None, "", id="nulls"),
        pytest.param({"code": ["a"], "message": {"de": "nein"}}, "['a']", "{'de': 'nein'}", id="odd-types"),
        pytest.param({}, None, "", id="empty-object"),
        pytest.param([], None, "", id="empty-array"),
        pytest.param([[]], None, "", id="array-of-arrays"),
        pytest.param(["text"], None, "text", id="array-of-text"),
        pytest.param(None, None, "", id="null"),
        pytest.param("a string", None, "a string", id="string"),
        pytest.param(17, None, "17", id="number"),
        pytest.param({"message": "two\n  lines\t"}, None, "two lines", id="one-line"),
    ],
)
def test_json_bodies(body: t.Any, code: str | None, message: str) -> None:
    assert _errors.describe_body(json.dumps(body)) == (code, message, body)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ""),
        ("   \n", ""),
        ("An 404 error occurred in iam-gateway.", "An 404 error occurred in iam-gateway."),
        (
            "<html><head><title>502 Bad Gateway</title><style>p { color: red }</style></head>\n<body><h1>Bad</h1>"
            "<script>alert('x < y')</script></body></html>",
            "502 Bad Gateway Bad",
        ),
        ("<h1>never closed <b", "never closed <b"),
        ('{"error_code": "RC-Iam', '{"error_code": "RC-Iam'),
        ("\ufeff{}", "{}"),
        ("\x1b[2Jbell\x07 and\x00null", "[2Jbell and null"),
        ("NaN", "NaN"),
        ("words " * 10**6, ("words " * 100)[:600] + "..."),
    ],
)
def test_bodies_that_are_not_json(text: str, message: str) -> None:
    assert _errors.describe_body(text) == (None, message, None)


def test_a_long_text_is_shortened() -> None:
    for text in ("x" * 5000, json.dumps({"message": "x" * 5000}), "<p>" + "x" * 5000):
        assert _errors.describe_body(text)[1] == "x" * _errors.MAX_TEXT + "..."
    assert _errors.describe_body(json.dumps({"code": "c" * 5000}))[0] == "c" * _errors.MAX_TEXT + "..."
    assert _errors.describe_body("y" * _errors.MAX_TEXT)[1] == "y" * _errors.MAX_TEXT


NESTINGS = {
    "arrays": ("[", "]", ""),
    "objects": ('{"a":', "}", "1"),
    "error": ('{"error":', "}", "{}"),
    "errors": ('{"errors":[', "]}", "{}"),
    "mixed": ('[{"error":', "}]", "{}"),
    "message": ('{"message":', "}", "1"),
}


@pytest.mark.parametrize("shape", NESTINGS)
def test_no_depth_of_nesting_ends_in_a_recursion_error(shape: str) -> None:
    opening, closing, core = NESTINGS[shape]
    for depth in [*range(1, 1200, 7), *range(850, 1010), 1500, 3000, 5000, 9000, 50_000, 200_000]:
        _code, message, _body = _errors.describe_body(opening * depth + core + closing * depth)
        assert len(message) <= _errors.MAX_TEXT + 3


def test_hostile_html_is_read_in_linear_time() -> None:
    for text in ("<" * 200_000, "<script" * 50_000, "<a " * 100_000, "<script>" * 30_000):
        assert len(_errors.describe_body(text)[1]) <= _errors.MAX_TEXT + 3


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["errors", "error", "errorCode", "code", "message", "errorMessage", "description", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_gives_a_code_and_a_line(body: t.Any) -> None:
    code, message, parsed = _errors.describe_body(json.dumps(body))
    assert code is None or code
    assert message == " ".join(message.split())
    assert parsed == body


@pytest.mark.parametrize(
    ("status", "kind", "processed", "transient"),
    [
        (400, _errors.ApiError, "no", False),
        (401, _errors.AuthenticationFailed, "no", False),
        (403, _errors.PermissionDenied, "no", False),
        (404, _errors.NotFound, "no", False),
        (408, _errors.ServiceFailed, "maybe", True),
        (409, _errors.Conflict, "no", False),
        (410, _errors.NotFound, "no", False),
        (415, _errors.ApiError, "no", False),
        (418, _errors.ApiError, "no", False),
        (422, _errors.ApiError, "no", False),
        (429, _errors.RateLimited, "no", True),
        (500, _errors.ServiceFailed, "maybe", True),
        (502, _errors.ServiceFailed, "maybe", True),
        (503, _errors.ServiceFailed, "maybe", True),
        (504, _errors.ServiceFailed, "maybe", True),
        (520, _errors.ServiceFailed, "maybe", True),
        (599, _errors.ServiceFailed, "maybe", True),
    ],
)
def test_what_a_status_means(status: int, kind: type[_errors.ApiError], processed: str, transient: bool) -> None:
    found = _errors.error_for_status(status)
    assert (found, found.processed, found.transient) == (kind, processed, transient)


def test_a_message_says_everything() -> None:
    error = _errors.NotFound(
        "no such thing.",
        attempt="read instance x",
        instance="es (1)",
        status=404,
        code="RC-1",
        transaction_id="t-1",
        remedy="Look again.",
        details={"candidates": []},
    )
    told = (
        "Failed to read instance x: no such thing (HTTP 404, code RC-1, transaction t-1). Instance: es (1). Look again."
    )
    assert str(error) == error.message == told
    assert error.failure() == {
        "kind": "not_found",
        "attempt": "read instance x",
        "reason": "no such thing.",
        "instance": "es (1)",
        "status": 404,
        "code": "RC-1",
        "transaction_id": "t-1",
        "remedy": "Look again.",
        "candidates": [],
    }


def test_a_message_repeats_nothing_and_ends_with_a_stop() -> None:
    assert _errors.MirrorOpsError("broken").message == "broken."
    named = _errors.MirrorOpsError("es (1) is locked", instance="es (1)")
    assert named.message == "es (1) is locked."


def test_a_remedy_is_the_kinds_own_unless_given() -> None:
    assert "API key" in _errors.AuthenticationFailed("no").message
    assert _errors.AuthenticationFailed("no", remedy="").message == "no."


def test_every_kind_has_its_own_name() -> None:
    def below(kind: type[_errors.MirrorOpsError]) -> t.Iterator[type[_errors.MirrorOpsError]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    ours = [
        k for k in below(_errors.MirrorOpsError) if k.__module__ == _errors.__name__ and k is not _errors.ExchangeError
    ]
    assert len({kind.kind for kind in ours}) == len(ours)


def test_whatever_a_service_writes_a_message_is_short_and_can_be_shown() -> None:
    text = "half a \ud800 bell \x07 " + "x" * 10**6
    error = _errors.NotFound(text, attempt=text, instance=text, status=404, code=text, transaction_id=text, remedy=text)
    assert len(error.message.encode()) < 6000
    assert "half a   bell" in error.message
    assert all(len(str(value)) < 3000 and str(value).isprintable() for value in error.failure().values())


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        (r'{"\ud800": "a\udfffb"}', {"\ufffd\ufffd\ufffd": "a\ufffd\ufffd\ufffdb"}),
        (r'["\ud83d\ude00", "\u00fc"]', ["\U0001f600", "\u00fc"]),
        (b'["\\ud800"]', ["\ufffd\ufffd\ufffd"]),
    ],
)
def test_texts_of_json_can_be_written(text: t.Any, parsed: t.Any) -> None:
    assert _errors.parse_json(text) == parsed
    assert json.dumps(_errors.parse_json(text), ensure_ascii=False).encode()


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "", "{", "9" * 5000])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):
        _errors.parse_json(text)


def test_json_that_is_too_deep() -> None:
    with pytest.raises(RecursionError):
        _errors.parse_json("[" * 200_000)


@pytest.mark.parametrize("status", [100, 101, 199, 299, 600])
def test_a_status_that_says_nothing_leaves_the_outcome_open(status: int) -> None:
    assert _errors.error_for_status(status) is _errors.ServiceFailed
