# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _libraries
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import (
    SPEC,
    Declared,
    FleetOptions,
    read_options,
    secrets_in,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import AUTH

LONG_KEY = "a-key-that-is-long-0123"
PAIR = {"name": "p", "source": "a", "target": "b"}
ONE = {"name": "a", "ibmcloud_api_key": LONG_KEY}
TAGS = {"mode": "pairs", "pairs_from": "tags"}
BAD: list[tuple[dict[str, t.Any], str]] = [
    ({"filters": {"tag": "x"}}, "no option filters.tag"),
    ({"filters": {"name": " "}}, "filters has empty values: name"),
    ({"filters": {"state": "removed"}}, "value of state must be one of"),
    ({"filters": ["name"]}, "filters"),
    ({"query": "[?"}, "query is no JMESPath expression"),
    ({"query": "[?x == `1`"}, "query is no JMESPath expression"),
    ({"accounts": []}, "accounts is empty"),
    ({"accounts": "text"}, "Elements value for option 'accounts'"),
    ({"accounts": [{"ibmcloud_api_key": LONG_KEY}]}, "missing required arguments: name"),
    ({"accounts": [{**ONE, "name": " "}]}, "the name of account 1 is empty"),
    ({"accounts": [{**ONE, "name": None}]}, "missing required arguments: name"),
    ({"accounts": [{"name": "a"}]}, "account 'a' has none of"),
    ({"accounts": [{**ONE, "ibmcloud_api_key": ""}]}, "account 'a' has none of"),
    (
        {"accounts": [{**ONE, "iam_token": "a-token-that-is-long"}]},
        "account 'a' has both ibmcloud_api_key and iam_token",
    ),
    ({"accounts": [{**ONE, "compute_resource": "vpc"}]}, "account 'a' has both ibmcloud_api_key and compute_resource"),
    ({"accounts": [{"name": "a", "iam_profile": "Profile-1"}]}, "account 'a' has none of"),
    ({"accounts": [ONE], "iam_profile": "Profile-1"}, "accounts and iam_profile are both given"),
    ({"accounts": [ONE, ONE]}, "two accounts are named 'a'"),
    ({"accounts": [{**ONE, "key": "x"}]}, "no option accounts.key"),
    ({"accounts": [ONE], "ibmcloud_api_key": LONG_KEY}, "accounts and ibmcloud_api_key are both given"),
    ({"accounts": [ONE], "iam_token": "x"}, "accounts and iam_token are both given"),
    ({"pairs": [PAIR]}, "pairs is used with mode: pairs"),
    ({"pairs_from": "tags"}, "pairs_from is given without mode: pairs"),
    ({"mode": "pairs"}, "no pairs are declared"),
    ({"mode": "pairs", "pairs": []}, "no pairs are declared"),
    ({**TAGS, "pairs": [PAIR]}, "pairs is used with mode: pairs"),
    ({"mode": "pairs", "pairs": [1]}, "Elements value for option 'pairs'"),
    ({"mode": "pairs", "pairs": [{"name": "p", "source": "a"}]}, "missing required arguments: target"),
    ({"mode": "pairs", "pairs": [{**PAIR, "topics": []}]}, "no option pairs.topics"),
    ({"mode": "pairs", "pairs": [PAIR, {**PAIR, "name": " p "}]}, "two pairs are named 'p'"),
    ({"mode": "pairs", "pairs": [{**PAIR, "target": "a "}]}, "source and target of pair 'p' are both 'a'"),
    ({"mode": "pairs", "pairs": [{**PAIR, "source": ""}]}, "source of pair 'p' is empty"),
    ({"mode": "pairs", "pairs": [{**PAIR, "target": None}]}, "missing required arguments: target"),
    ({"mode": "pairs", "pairs": [{**PAIR, "name": "\n"}]}, "the name of pair 1 is empty"),
    ({"mode": "pairs", "pairs": [{**PAIR, "source": "crn:v1:x"}]}, "source of pair 'p' is not the CRN"),
    ({"mode": "pairs", "pairs": [{**PAIR, "vars": ["x"]}]}, "vars of pair 'p' is not a dictionary"),
    (
        {"mode": "pairs", "pairs": [{**PAIR, "vars": {"mirroring_source": "x"}}]},
        "mirroring_source, which the inventory sets itself",
    ),
    (
        {"mode": "pairs", "pairs": [{**PAIR, "vars": {"event_streams_x": 1}}]},
        "event_streams_x, which the inventory sets itself",
    ),
    ({"mode": "pairs", "pairs": [{**PAIR, "vars": {"a-b": 1}}]}, "no name of a variable"),
    ({"mode": "pairs", "pairs": [{**PAIR, "vars": {5: 1}}]}, "no name of a variable"),
    ({"vars_prefix": "a-"}, "vars_prefix 'a-' cannot begin"),
    ({**TAGS, "tag_prefix": " "}, "tag_prefix is empty"),
    ({"mode": "hosts"}, "value of mode must be one of"),
    ({"request_timeout": "soon"}, "request_timeout"),
    ({"strict_permissions": "perhaps"}, "strict_permissions"),
]


def read(**options: t.Any) -> FleetOptions:
    return read_options(options, set())


@pytest.mark.parametrize(("options", "told"), BAD, ids=[f"{number}" for number in range(len(BAD))])
def test_options_that_cannot_work(options: dict[str, t.Any], told: str) -> None:
    secrets: set[str] = set()
    with pytest.raises(InvalidInput) as error:
        read_options(options, secrets)
    assert told in error.value.message
    assert error.value.remedy
    assert not any(secret in error.value.message for secret in secrets if len(secret) > 5)


def identity(**given: str) -> dict[str, str | None]:
    return {**dict.fromkeys(AUTH.options), **given}


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IC_API_KEY", "k1")
    monkeypatch.setenv("IBMCLOUD_API_KEY", "k2")
    monkeypatch.setenv("IBMCLOUD_IAM_TOKEN", "t")
    monkeypatch.setenv("IBMCLOUD_GS_API_ENDPOINT", "https://gs")
    monkeypatch.setenv("IC_TIMEOUT", "7")
    options = read(filters=None, accounts=None)
    assert options.credentials == {"default": identity(ibmcloud_api_key="k1", iam_token="t", iam_profile="")}
    assert (options.params["search_endpoint"], options.params["request_timeout"]) == ("https://gs", 7.0)
    assert (options.source, options.hostname, options.prefix) == ("instances", "name", "event_streams_")
    assert (options.filters, options.query, options.declared, options.strict_permissions) == ({}, None, (), True)


def test_given_accounts_never_use_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IC_API_KEY", "k1")
    options = read(accounts=[{"name": " a ", "iam_token": "t"}, {"name": "b", "ibmcloud_api_key": "k"}])
    monkeypatch.setenv("IC_IAM_PROFILE_ID", "Profile-1")
    assert options.credentials == {"a": identity(iam_token="t"), "b": identity(ibmcloud_api_key="k")}
    with pytest.raises(InvalidInput, match="none of"):
        read(accounts=[{"name": "a", "ibmcloud_api_key": " "}])


def test_profiles_of_accounts_belong_to_what_must_be_the_same() -> None:
    """Another profile may see other instances, so what was found before does not count."""
    one = read(accounts=[{**ONE, "iam_profile": "Profile-1"}])
    other = read(accounts=[{**ONE, "iam_profile": "Profile-2"}])
    machine = read(accounts=[{"name": "a", "compute_resource": "vpc"}])
    assert one.credentials == {"a": identity(ibmcloud_api_key=LONG_KEY, iam_profile="Profile-1")}
    elsewhere = read(accounts=[{"name": "a", "compute_resource": "vpc"}], metadata_endpoint="http://127.0.0.1")
    assert len({json.dumps(options.inputs()) for options in (one, other, machine, elsewhere)}) == 4
    assert LONG_KEY not in json.dumps(one.inputs())


def test_declared_pairs_keep_their_variables_as_they_were_given() -> None:
    class Template(str):
        __slots__ = ()

    pair = {"name": " p ", "source": " a", "target": "b ", "vars": {"x": Template("{{ y }}")}}
    options = read(mode="pairs", pairs=[pair])
    assert options.declared == (Declared("p", "a", "b", {"x": "{{ y }}"}),)
    assert isinstance(options.declared[0].variables["x"], Template)


def test_filters_are_trimmed_and_guids_are_lower_case() -> None:
    options = read(filters={"guid": " ABC ", "region": "x", "name": None})
    assert options.filters == {"guid": "abc", "region": "x"}


@pytest.mark.parametrize(("prefix", "kept"), [("dr", "dr"), ("dr:", "dr"), ("a:b", "a:b")])
def test_a_tag_prefix_may_end_in_a_colon(prefix: str, kept: str) -> None:
    assert read(**TAGS, tag_prefix=prefix).tag_prefix == kept


def test_an_empty_prefix_is_possible() -> None:
    assert read(vars_prefix="").prefix == ""


def test_what_decides_about_findings_holds_no_secret() -> None:
    accounts = [{"name": "a", "ibmcloud_api_key": LONG_KEY}, {"name": "b", "iam_token": "another-secret-987"}]
    secrets: set[str] = set()
    options = read_options({"accounts": accounts}, secrets)
    assert secrets == {LONG_KEY, "another-secret-987"}
    text = json.dumps([options.inputs(), options.params])
    assert not any(secret in text for secret in secrets)


CHANGES: list[dict[str, t.Any]] = [
    {"accounts": [{**ONE, "name": "other"}]},
    {"iam_endpoint": "https://x"},
    {"search_endpoint": "https://x"},
    {"visibility": "private"},
    {"strict_permissions": False},
    TAGS,
    {**TAGS, "tag_prefix": "x"},
    {"mode": "pairs", "pairs": [PAIR]},
    {"mode": "pairs", "pairs": [{**PAIR, "source": "c"}]},
    {"filters": {"name": "x"}},
    {"query": "[0:1]"},
]


def test_every_change_of_what_is_to_be_found_counts() -> None:
    seen = [json.dumps(read(**change).inputs()) for change in [{}, *CHANGES]]
    assert len(set(seen)) == len(seen)


def test_what_is_made_of_findings_does_not_count() -> None:
    same = [read(), read(vars_prefix="x_"), read(hostname="guid"), read(retry_timeout=1)]
    assert len({json.dumps(one.inputs()) for one in same}) == 1
    pairs = [read(mode="pairs", pairs=[PAIR]), read(mode="pairs", pairs=[{**PAIR, "vars": {"x": 1}}])]
    assert pairs[0].inputs() == pairs[1].inputs()


def test_jmespath_is_needed_for_a_query_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jmespath", None)
    read()
    with pytest.raises(_libraries.LibraryMissing, match="jmespath"):
        read(query="[]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*SPEC.options, "name", "vars"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(list(SPEC.options)), JSON, max_size=6))
def test_whatever_is_given_is_an_error_for_people_or_works(options: dict[str, t.Any]) -> None:
    secrets: set[str] = set()
    try:
        read = read_options(options, secrets)
    except InvalidInput as error:
        assert error.message
    else:
        json.dumps(read.inputs())
    assert {secret for secret in secrets_in(options) if secret.strip()} <= secrets


@given(JSON)
def test_credentials_are_found_wherever_they_are(value: t.Any) -> None:
    buried = {"x": [value, {"filters": {"iam_token": "the-buried-secret"}}]}
    assert "the-buried-secret" in set(secrets_in(buried))
