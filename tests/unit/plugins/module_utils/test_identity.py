# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nobody acts as somebody who was put together from two places."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._identity import OWN, SOURCE, completed, has_base
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import AUTH, SOURCE_AUTH

OPTIONS = AUTH.merge(SOURCE_AUTH).options
KEY, TOKEN = {"IC_API_KEY": "ek"}, {"IBMCLOUD_IAM_TOKEN": "et"}
PROFILE = {"IC_IAM_PROFILE_NAME": "ep"}


def identities(given: dict[str, t.Any], environment: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What each side is in the end, without what is empty."""
    whole = {**completed(given, OPTIONS, environment), **given}
    own, source = (
        {name: whole[option] for name, option in side._asdict().items() if whole.get(option)} for side in (OWN, SOURCE)
    )
    return own, source


@pytest.mark.parametrize(
    ("given", "environment", "own", "source"),
    [
        ({}, KEY, {"api_key": "ek"}, {"api_key": "ek"}),
        ({}, TOKEN, {"token": "et"}, {"token": "et"}),
        ({}, KEY | PROFILE, {"api_key": "ek", "profile": "ep"}, {"api_key": "ek", "profile": "ep"}),
        ({}, PROFILE, {}, {}),
        # A key of one's own is the whole identity.
        ({"ibmcloud_api_key": "k"}, KEY | TOKEN | PROFILE, {"api_key": "k"}, {"api_key": "ek", "token": "et", "profile": "ep"}),
        ({"source_api_key": "k"}, KEY | PROFILE, {"api_key": "ek", "profile": "ep"}, {"api_key": "k"}),
        ({"ibmcloud_api_key": "k"}, PROFILE, {"api_key": "k"}, {}),
        ({"iam_token": "t"}, KEY, {"token": "t"}, {"api_key": "ek"}),
        # With a token in the environment, the other side's key is not taken for it.
        ({"ibmcloud_api_key": "k"}, TOKEN, {"api_key": "k"}, {"token": "et"}),
        # A profile of one's own goes on top of what the environment has.
        ({"iam_profile": "p"}, KEY | PROFILE, {"api_key": "ek", "profile": "p"}, {"api_key": "ek", "profile": "ep"}),
        ({"iam_profile": "p"}, KEY, {"api_key": "ek", "profile": "p"}, {"api_key": "ek"}),
        # The machine has no variable, so the profile may come from there, and what else is there does not count.
        ({"compute_resource": "vpc"}, KEY | PROFILE, {"compute_resource": "vpc", "profile": "ep"}, {"api_key": "ek", "profile": "ep"}),
        ({"compute_resource": "vpc", "iam_profile": "p"}, PROFILE, {"compute_resource": "vpc", "profile": "p"}, {}),
        # What is given and empty is meant so.
        ({"iam_profile": ""}, KEY | PROFILE, {"api_key": "ek"}, {"api_key": "ek", "profile": "ep"}),
        ({"ibmcloud_api_key": None}, KEY, {}, {"api_key": "ek"}),
        (dict.fromkeys(SOURCE, ""), KEY | PROFILE, {"api_key": "ek", "profile": "ep"}, {}),
    ],
)  # fmt: skip
def test_who_each_side_is(
    given: dict[str, t.Any], environment: dict[str, str], own: dict[str, str], source: dict[str, str]
) -> None:
    assert identities(given, environment) == (own, source)


def test_no_identity_is_mixed() -> None:
    """Of everything that a task can give and the environment can have: beside a key or token that is given, nothing of the environment;
    and what a task gives is never changed."""
    mine: list[dict[str, t.Any]] = [
        dict(zip(OWN, values, strict=True))
        for values in itertools.product(("k", None), ("t", None), ("vpc", None), ("p", None))
    ]
    environments = [{**a, **b, **c} for a, b, c in itertools.product((KEY, {}), (TOKEN, {}), (PROFILE, {}))]
    for given, environment in itertools.product(mine, environments):
        shown = {name: value for name, value in given.items() if value}
        own, _source = identities(shown, environment)
        assert shown.items() <= {option: own.get(name) for name, option in OWN._asdict().items()}.items()
        theirs = {value for value in own.values() if value.startswith("e")}
        if given[OWN.api_key] or given[OWN.token]:
            assert theirs <= ({"ep"} if given[OWN.compute_resource] else set())
        if theirs == {"ep"}:
            assert given[OWN.compute_resource]


def test_only_options_that_there_are() -> None:
    assert completed({}, AUTH.options, KEY) == {"ibmcloud_api_key": "ek", "iam_token": "", "iam_profile": ""}
    assert completed({}, {}, KEY) == {}


@pytest.mark.parametrize(
    ("environment", "has"), [(KEY, True), (TOKEN, True), (PROFILE, False), ({"IC_API_KEY": " "}, False)]
)
def test_whether_the_environment_has_somebody(environment: dict[str, str], has: bool) -> None:
    assert has_base(environment) is has
