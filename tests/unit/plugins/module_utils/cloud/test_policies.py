# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.policies import (
    Grant,
    Policy,
    Side,
    is_placeholder,
    may_concern,
    parse_policy,
    placeholder_id,
    policy_body,
    role_crn,
    role_name,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    GROUP,
    OTHER_ACCOUNT,
    READER,
    SOURCE,
    TARGET,
    THIRD,
    policy_v1,
    policy_v2,
)

GRANT = Grant(Side(ACCOUNT, "messagehub", TARGET, GROUP), Side(ACCOUNT, "messagehub", SOURCE, GROUP))
PLAIN = Grant(Side(ACCOUNT, "messagehub", TARGET), Side(ACCOUNT, "messagehub", SOURCE))


def parsed(document: dict[str, t.Any]) -> Policy:
    policy = parse_policy(document)
    assert policy is not None
    return policy


def attributes(side: t.Literal["subject", "resource"], *conditions: tuple[str, str, t.Any]) -> dict[str, t.Any]:
    """A v2 policy for the pair, with other conditions on one side."""
    return policy_v2(
        **{side: None},
    ) | {side: {"attributes": [{"key": k, "operator": o, "value": v} for k, o, v in conditions]}}


BASE = (("accountId", "stringEquals", ACCOUNT), ("serviceName", "stringEquals", "messagehub"))


@pytest.mark.parametrize("make", [policy_v1, policy_v2])
def test_the_exact_policy_covers_and_equals(make: t.Callable[..., dict[str, t.Any]]) -> None:
    policy = parsed(make())
    assert policy.covers(GRANT)
    assert policy.equals(GRANT)
    assert not policy.covers(GRANT.reversed())
    assert not policy.equals(GRANT.reversed())


@pytest.mark.parametrize("make", [policy_v1, policy_v2])
@pytest.mark.parametrize(
    "changes",
    [{"subject": None}, {"resource": None}, {"subject": None, "resource": None}],
    ids=["any subject", "any resource", "service to service"],
)
def test_wider_policies_cover_without_being_equal(
    make: t.Callable[..., dict[str, t.Any]], changes: dict[str, t.Any]
) -> None:
    policy = parsed(make(**changes))
    assert policy.covers(GRANT)
    assert not policy.equals(GRANT)


@pytest.mark.parametrize("make", [policy_v1, policy_v2])
@pytest.mark.parametrize(
    "changes",
    [
        {"subject": THIRD},
        {"resource": THIRD},
        {"subject": SOURCE, "resource": TARGET},
        {"state": "deleted"},
        {"state": "something new"},
        {"role": "crn:v1:bluemix:public:iam::::role:Viewer"},
        {"role": "crn:v1:bluemix:public:iam::::serviceRole:UnsupportedVersion"},
    ],
)
def test_policies_that_do_not_cover(make: t.Callable[..., dict[str, t.Any]], changes: dict[str, t.Any]) -> None:
    assert not parsed(make(**changes)).covers(GRANT)


def test_a_policy_for_another_account_does_not_cover() -> None:
    policy = parsed(policy_v1(subject_account=OTHER_ACCOUNT))
    assert not policy.covers(GRANT)
    assert policy.covers(Grant(Side(OTHER_ACCOUNT, "messagehub", TARGET), GRANT.resource))


@pytest.mark.parametrize("side", ["subject", "resource"])
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("resourceGroupId", "stringEquals", GROUP), True),
        (("resourceGroupId", "stringEquals", "other"), False),
        (("resourceGroupId", "stringExists", True), True),
        (("resourceGroupId", "stringExists", "true"), True),
        (("resourceGroupId", "stringExists", False), False),
        (("serviceInstance", "stringMatch", "*"), True),
        (("serviceInstance", "stringMatch", "9*"), False),
        (("serviceInstance", "stringMatch", "????????-*-*"), True),
        (("serviceInstance", "stringMatch", "[12]*"), False),
        (("serviceInstance", "stringMatch", "*?" * 400 + "!"), False),
        (("serviceInstance", "stringMatch", "*" * 10**6), False),
        (("serviceInstance", "stringEqualsAnyOf", [THIRD, SOURCE, TARGET]), True),
        (("serviceInstance", "stringEqualsAnyOf", [THIRD]), False),
        (("serviceInstance", "stringEqualsAnyOf", f"{SOURCE},{TARGET}"), False),
        (("serviceInstance", "stringMatchAnyOf", ["9*", "1111*", "2222*"]), True),
        (("serviceInstance", "stringMatchAnyOf", ["9*", 3]), False),
        (("serviceInstance", "stringMatchAnyOf", "*"), False),
        (("serviceInstance", "stringEquals", None), False),
        (("serviceInstance", "stringEquals", [SOURCE, TARGET]), False),
        (("serviceInstance", "stringMatch", 5), False),
        (("serviceInstance", "stringDiffers", THIRD), False),
        (("region", "stringEquals", "us-south"), False),
        (("resourceType", "stringEquals", "topic"), False),
        (("resource", "stringExists", True), False),
    ],
)
def test_conditions(side: t.Literal["subject", "resource"], condition: tuple[str, str, t.Any], expected: bool) -> None:
    """Only what is certainly met counts: unknown keys and operators are not."""
    assert parsed(attributes(side, *BASE, condition)).covers(GRANT) is expected


def test_a_resource_group_that_is_not_known_is_not_certain() -> None:
    policy = parsed(attributes("subject", *BASE, ("resourceGroupId", "stringEquals", GROUP)))
    assert policy.covers(GRANT)
    assert not policy.covers(PLAIN)


@pytest.mark.parametrize("side", ["subject", "resource"])
@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), False),
        (BASE[:1], False),
        (BASE[1:], False),
        ((BASE[0], ("resourceGroupId", "stringEquals", GROUP)), True),
        ((BASE[0], ("serviceInstance", "stringMatch", "*")), False),
    ],
)
def test_a_side_needs_account_and_service_or_group(
    side: t.Literal["subject", "resource"], conditions: tuple[tuple[str, str, t.Any], ...], expected: bool
) -> None:
    assert parsed(attributes(side, *conditions)).covers(GRANT) is expected


ROLES = "crn:v1:bluemix:public:iam::::"


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        ("serviceRole:Reader", "Reader", True),
        ("serviceRole:Writer", "Reader", True),
        ("serviceRole:Manager", "Reader", True),
        ("serviceRole:Manager", "Writer", True),
        ("serviceRole:Reader", "Writer", False),
        ("serviceRole:Reader", "Manager", False),
        ("serviceRole:Reader", READER, True),
        ("role:Administrator", "Viewer", True),
        ("role:Viewer", "Administrator", False),
        ("role:Administrator", "Reader", False),
        ("serviceRole:Manager", "Viewer", False),
        ("serviceRole:Manager", "Custom", False),
        ("serviceRole:Custom", "Custom", True),
    ],
)
def test_higher_roles_cover_lower_ones(have: str, want: str, expected: bool) -> None:
    policy = parsed(policy_v1(role=ROLES + have))
    assert policy.covers(Grant(GRANT.subject, GRANT.resource, (want,))) is expected


def test_an_accounts_own_role_that_is_called_reader_is_not_reader() -> None:
    own = f"crn:v1:bluemix:public:iam-access-management::a/{ACCOUNT}::customRole:Reader"
    assert not parsed(policy_v1(role=own)).covers(GRANT)


def test_all_roles_are_needed() -> None:
    both = Grant(GRANT.subject, GRANT.resource, ("Reader", "Viewer"))
    one = parsed(policy_v1())
    two = parsed(policy_v1(roles=[{"role_id": READER}, {"role_id": ROLES + "role:Viewer"}]))
    assert not one.covers(both)
    assert two.equals(both)
    assert two.covers(GRANT)
    assert not two.equals(GRANT)


def test_equal_means_the_very_role() -> None:
    manager = parsed(policy_v1(role=ROLES + "serviceRole:Manager"))
    assert manager.covers(GRANT)
    assert not manager.equals(GRANT)


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": {"operator": "timeLessThan"}},
        {"subjects": policy_v1()["subjects"] * 2},
        {"resources": policy_v1()["resources"] + [{"attributes": []}]},
        {"resources": policy_v1()["resources"] + ["and something else"]},
        {"resources": [{"attributes": [*policy_v1()["resources"][0]["attributes"], "serviceInstance=other"]}]},
        {"resources": [{"attributes": [{**one, "operator": []} for one in policy_v1()["resources"][0]["attributes"]]}]},
    ],
)
def test_what_holds_under_conditions_only_does_not_count(changes: dict[str, t.Any]) -> None:
    assert not parsed(policy_v1(**changes)).covers(GRANT)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {},
        {"type": "access", "id": "x"},
        {"type": "authorization"},
        {"type": "authorization", "id": ""},
        {"type": "authorization", "id": 7},
        policy_v1(type="access"),
    ],
)
def test_what_is_no_authorization(document: t.Any) -> None:
    assert parse_policy(document) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"subjects": None},
        {"subjects": "x"},
        {"subjects": [None]},
        {"subjects": [{"attributes": "x"}]},
        {"roles": None},
        {"roles": [None, {"role_id": None}]},
        {"state": None, "subjects": []},
        {"resources": {}},
        {"state": False},
        {"state": []},
        {"state": 0},
    ],
)
def test_odd_documents_cover_nothing(changes: dict[str, t.Any]) -> None:
    assert not parsed(policy_v1(**changes)).covers(GRANT)


@pytest.mark.parametrize("value", [5, 1.5, None, {"x": 1}, [["x"]], ["x", 5], [None]])
def test_values_of_types_that_conditions_do_not_have_are_not_shown(value: t.Any) -> None:
    shown = parsed(attributes("resource", *BASE, ("serviceInstance", "stringEquals", value))).to_result()["resource"]
    assert shown[-1] == {"key": "serviceInstance", "operator": "stringEquals", "value": None}


def test_missing_state_and_operator_have_their_defaults() -> None:
    document = policy_v1()
    del document["state"]
    document["resources"][0]["attributes"][0]["operator"] = None
    assert parsed(document).equals(GRANT)


@pytest.mark.parametrize(
    ("document", "expected", "identity"),
    [
        (policy_v1(), False, "p1"),
        (policy_v1(href="https://evil.example/v2/policies/88b?x=1"), True, "88b"),
        (policy_v1(href="/v2/policies/88b/"), True, "88b"),
        (policy_v1(href="https://iam.cloud.ibm.com/v2/policies/"), True, None),
        (policy_v1(href=None, role="crn:v1:bluemix:public:iam::::role:UnsupportedVersion"), True, "p1"),
        (policy_v1(roles=[None, {}, {"role_id": "x:UnsupportedVersion"}]), True, "p1"),
        ({"roles": "x", "href": 5}, False, None),
    ],
)
def test_placeholders(document: dict[str, t.Any], expected: bool, identity: str | None) -> None:
    assert is_placeholder(document) is expected
    assert placeholder_id(document) == identity


@pytest.mark.parametrize(
    ("role", "crn"),
    [
        ("Reader", READER),
        ("Manager", ROLES + "serviceRole:Manager"),
        ("Viewer", ROLES + "role:Viewer"),
        ("Administrator", ROLES + "role:Administrator"),
        (READER, READER),
    ],
)
def test_roles_by_name(role: str, crn: str) -> None:
    assert role_crn(role) == crn
    assert role_name(crn) == crn.split(":")[-1]


def test_the_body_of_a_creation() -> None:
    assert policy_body(GRANT, "why") == {
        "type": "authorization",
        "description": "why",
        "subjects": [
            {
                "attributes": [
                    {"name": "accountId", "value": ACCOUNT},
                    {"name": "serviceName", "value": "messagehub"},
                    {"name": "serviceInstance", "value": TARGET},
                ]
            }
        ],
        "roles": [{"role_id": READER}],
        "resources": [
            {
                "attributes": [
                    {"name": "accountId", "value": ACCOUNT},
                    {"name": "serviceName", "value": "messagehub"},
                    {"name": "serviceInstance", "value": SOURCE},
                ]
            }
        ],
    }
    assert "description" not in policy_body(GRANT, None)
    assert "description" not in policy_body(GRANT, "")


sides = st.builds(
    Side,
    account=st.sampled_from([ACCOUNT, OTHER_ACCOUNT]),
    service=st.sampled_from(["messagehub", "kms"]),
    instance=st.sampled_from([None, SOURCE, TARGET]),
)
grants = st.builds(
    Grant,
    sides,
    sides,
    st.lists(st.sampled_from(["Reader", "Writer", "Viewer"]), min_size=1, max_size=2, unique=True).map(tuple),
)


@given(grants)
def test_what_is_created_equals_what_was_asked(grant: Grant) -> None:
    """True for grants to named instances, the only ones that the collection creates."""
    policy = parsed({"id": "x", **policy_body(grant, "d")})
    if grant.subject.instance and grant.resource.instance:
        assert policy.equals(grant)
    assert policy.version == "v1"


def naive_covers(grant: Grant, other: Grant) -> bool:
    """Whether a policy made for one grant covers another: per attribute, absent is wider."""
    pairs = itertools.product(("subject", "resource"), ("account", "service", "instance"))
    same = all(
        getattr(getattr(grant, side), part) in (None, getattr(getattr(other, side), part)) for side, part in pairs
    )
    order = {"Reader": 1, "Writer": 2}
    roles = all(
        any(have == want or (have in order and want in order and order[have] > order[want]) for have in grant.roles)
        for want in other.roles
    )
    return same and roles


@given(grants, grants)
def test_covering_agrees_with_a_naive_reading(grant: Grant, other: Grant) -> None:
    assert parsed({"id": "x", **policy_body(grant, None)}).covers(other) is naive_covers(grant, other)


def test_the_shape_of_results() -> None:
    result = parsed(policy_v2(description="d")).to_result()
    assert result["roles"] == ["Reader"]
    assert result["version"] == "v2"
    assert result["description"] == "d"
    assert {"key": "serviceInstance", "operator": "stringEquals", "value": TARGET} in result["subject"]
    assert result["created_at"] == "2026-01-01T10:00:00.000Z"


conditions_of_any_kind = st.fixed_dictionaries(
    {"key": st.sampled_from(["serviceInstance", "serviceName", "accountId", "resourceGroupId"])},
    optional={
        "operator": st.sampled_from(["stringEquals", "stringMatch", "stringEqualsAnyOf", "stringExists", "", None, 5]),
        "value": st.sampled_from(
            [SOURCE, TARGET, THIRD, "*", "messagehub", ACCOUNT, GROUP, [SOURCE, THIRD], True, None]
        ),
    },
)
sides = st.lists(conditions_of_any_kind, max_size=4)


@given(sides, sides, st.booleans())
def test_the_quick_look_leaves_out_only_what_covers_neither_direction(
    subject: list[dict[str, t.Any]], resource: list[dict[str, t.Any]], second: bool
) -> None:
    if second:
        document = policy_v2()
        document["subject"]["attributes"] = subject
        document["resource"]["attributes"] = resource
    else:
        document = policy_v1()
        for key, side in (("subjects", subject), ("resources", resource)):
            document[key] = [{"attributes": [{"name": one["key"], **one} for one in side]}]
    policy = parsed(document)
    if any(policy.covers(grant) for grant in (GRANT, GRANT.reversed(), PLAIN, PLAIN.reversed())):
        assert may_concern(document, {SOURCE, TARGET})


@pytest.mark.parametrize(
    ("document", "concerns"),
    [
        (policy_v1(), True),
        (policy_v2(), True),
        (policy_v1(subject=SOURCE, resource=TARGET), True),
        (policy_v1(subject=None), True),
        (policy_v2(resource=None), True),
        (policy_v1(subject=THIRD), False),
        (policy_v2(resource=THIRD), False),
        ({"id": "x"}, True),
        ({"subjects": 5, "resource": "x"}, True),
    ],
)
def test_the_quick_look(document: dict[str, t.Any], concerns: bool) -> None:
    assert may_concern(document, {SOURCE, TARGET}) is concerns
