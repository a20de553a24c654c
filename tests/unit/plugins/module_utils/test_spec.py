# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import AnsibleFallbackNotFound

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _spec
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import ArgSpec, first_set


def check(spec: ArgSpec, **arguments: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    result = ArgumentSpecValidator(spec.options, **spec.rules()).validate(arguments)
    return result.validated_parameters, result.error_messages


def test_merging_keeps_both_and_changes_neither() -> None:
    one = ArgSpec(
        {"a": {"type": "str"}},
        required_if=[("a", "x", ("b",))],
        required_one_of=[("a", "b")],
        mutually_exclusive=[("a", "b")],
        required_together=[("a", "b")],
    )
    other = ArgSpec(
        {"b": {"type": "int"}},
        required_if=[("b", 1, ("a",))],
        required_one_of=[("b",)],
        mutually_exclusive=[("b",)],
        required_together=[("b",)],
    )
    merged = one.merge(other, ArgSpec({"c": {"type": "str"}}))
    assert set(merged.options) == {"a", "b", "c"}
    assert merged.rules() == {
        "required_if": [("a", "x", ("b",)), ("b", 1, ("a",))],
        "required_one_of": [("a", "b"), ("b",)],
        "mutually_exclusive": [("a", "b"), ("b",)],
        "required_together": [("a", "b"), ("b",)],
    }
    assert set(one.options) == {"a"}
    assert set(other.options) == {"b"}
    assert len(one.required_if) == len(other.required_if) == 1
    assert len(one.mutually_exclusive) == len(other.mutually_exclusive) == 1


def test_an_option_can_be_defined_once_only() -> None:
    with pytest.raises(ValueError, match="options defined twice: a, b"):
        ArgSpec({"a": {}, "b": {}}).merge(ArgSpec({"b": {}, "a": {}, "c": {}}))


def test_the_first_variable_that_is_not_empty_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleFallbackNotFound):
        first_set("IC_ONE", "IC_TWO")
    monkeypatch.setenv("IC_TWO", "two")
    assert first_set("IC_ONE", "IC_TWO") == "two"
    monkeypatch.setenv("IC_ONE", "")
    assert first_set("IC_ONE", "IC_TWO") == "two"
    monkeypatch.setenv("IC_ONE", "one")
    assert first_set("IC_ONE", "IC_TWO") == "one"


@pytest.mark.parametrize(
    ("option", "variables"),
    [
        ("ibmcloud_api_key", ("IC_API_KEY", "IBMCLOUD_API_KEY")),
        ("iam_token", ("IC_IAM_TOKEN", "IBMCLOUD_IAM_TOKEN")),
        ("visibility", ("IC_VISIBILITY", "IBMCLOUD_VISIBILITY")),
        ("iam_endpoint", ("IBMCLOUD_IAM_API_ENDPOINT",)),
        ("resource_controller_endpoint", ("IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT",)),
        ("request_timeout", ("IC_TIMEOUT", "IBMCLOUD_TIMEOUT")),
    ],
)
def test_fallbacks_are_the_variables_that_users_have(
    option: str, variables: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _spec.CLOUD.environment_names()[option] == variables
    value: str | float = "private" if option == "visibility" else "7" if option == "request_timeout" else "https://a.b"
    default = {"visibility": "public", "request_timeout": 60}.get(option)
    assert check(_spec.CLOUD)[0][option] == default
    for variable in reversed(variables):
        monkeypatch.setenv(variable, str(value))
        assert str(check(_spec.CLOUD)[0][option]).removesuffix(".0") == value
    given = {"visibility": "public-and-private", "request_timeout": 3}.get(option, "given")
    assert check(_spec.CLOUD, **{option: given})[0][option] == given


def test_the_source_key_falls_back_to_the_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBMCLOUD_API_KEY", "k")
    assert check(_spec.SOURCE_AUTH)[0] == {
        "source_api_key": "k",
        "source_iam_token": None,
        "source_compute_resource": None,
        "source_iam_profile": None,
    }


@pytest.mark.parametrize("spec", [_spec.AUTH, _spec.SOURCE_AUTH])
def test_credentials_are_secret_and_have_no_aliases(spec: ArgSpec) -> None:
    secret = {name for name, definition in spec.options.items() if definition.get("no_log")}
    assert secret == {name for name in spec.options if name.endswith(("api_key", "iam_token"))}
    assert all("aliases" not in definition for definition in spec.options.values())


@pytest.mark.parametrize(("spec", "option"), [(_spec.AUTH, "iam_profile"), (_spec.SOURCE_AUTH, "source_iam_profile")])
def test_a_trusted_profile_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, spec: ArgSpec, option: str
) -> None:
    """An ID goes before a name, and the short prefix before the long one (API §1.7)."""
    for name in ("IBMCLOUD_IAM_PROFILE_NAME", "IC_IAM_PROFILE_NAME", "IBMCLOUD_IAM_PROFILE_ID", "IC_IAM_PROFILE_ID"):
        monkeypatch.setenv(name, name.lower())
        assert check(spec)[0][option] == name.lower()


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("topic_name_transform", {"type": "rename", "rename": {"add_prefix": "x-"}}, None),
        ("topic_name_transform", {"type": "use_alias"}, None),
        ("topic_name_transform", {"type": "rename"}, "rename"),
        ("topic_name_transform", {"rename": {"add_prefix": "x-"}}, "type"),
        ("topic_name_transform", {"type": "upper"}, "value of type must be one of"),
        ("topic_name_transform", {"type": "rename", "rename": {"prefix": "x-"}}, "prefix"),
        ("group_id_transform", {"type": "none"}, None),
        ("group_id_transform", {"type": "use_alias"}, "value of type must be one of"),
        ("schemas", "read-only", None),
        ("schemas", "readonly", "value of schemas must be one of"),
    ],
)
def test_transforms(option: str, value: t.Any, error: str | None) -> None:
    _params, errors = check(_spec.TRANSFORMS, **{option: value})
    if error is None:
        assert errors == []
    else:
        assert error in " ".join(errors)


def test_times_take_fractions() -> None:
    params, errors = check(_spec.WAIT, wait_timeout="0.5", poll_interval=0.25)
    assert (params["wait"], params["wait_timeout"], params["poll_interval"], errors) == (True, 0.5, 0.25, [])
