# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import (
    Crn,
    is_guid,
    looks_like_crn,
    parse_crn,
    same_instance,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import ACCOUNT, SOURCE, TARGET, crn

FULL = crn()
SHORT = FULL.removesuffix("::")


@pytest.mark.parametrize("text", [FULL, SHORT, SHORT + ":", f"  {FULL}\n", FULL.replace(SOURCE, SOURCE.upper())])
def test_every_spelling_of_a_crn_is_the_same(text: str) -> None:
    parsed = parse_crn(text)
    assert parsed == Crn("bluemix", "public", "messagehub", "us-south", f"a/{ACCOUNT}", SOURCE)
    assert str(parsed) == FULL
    assert parsed.account_id == ACCOUNT


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not begin with crn:v1:"),
        ("es-source", "does not begin with crn:v1:"),
        (FULL.replace("crn:v1", "crn:v2"), "does not begin with crn:v1:"),
        ("crn:v1:bluemix:public:messagehub:us-south:a/1", "7 segments"),
        (FULL + ":", "11 segments"),
        (SHORT + ":topic:orders", "resource inside the instance"),
        (SHORT + ":mirroring-config:", "resource inside the instance"),
        (FULL.replace("messagehub", "kms"), "'kms'"),
        (FULL.replace("bluemix", ""), "is empty"),
        (FULL.replace(":public:", "::"), "is empty"),
        (FULL.replace("us-south", ""), "is empty"),
        (FULL.replace("us-south", "us south"), "characters"),
        (FULL.replace(f"a/{ACCOUNT}", ""), "a/<account id>"),
        (FULL.replace(f"a/{ACCOUNT}", "a/"), "a/<account id>"),
        (FULL.replace("a/", "o/"), "a/<account id>"),
        (FULL.replace(SOURCE, ""), "not a GUID"),
        (FULL.replace(SOURCE, SOURCE[:-1]), "not a GUID"),
        (FULL.replace(SOURCE, SOURCE[:-1] + "g"), "not a GUID"),
    ],
)
def test_a_bad_crn_is_refused_with_the_option_and_the_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_crn(text, "source")
    assert caught.value.message.startswith("source is not the CRN")
    assert why in caught.value.reason
    assert "Expected crn:v1:bluemix:public:messagehub:" in caught.value.remedy


segment = st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)


@given(segment, segment, segment, st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True), st.uuids())
def test_what_is_formatted_parses_to_the_same(cname: str, ctype: str, region: str, account: str, guid: object) -> None:
    made = Crn(cname, ctype, "messagehub", region, f"a/{account}", str(guid))
    assert parse_crn(str(made)) == made


@given(st.text(max_size=60) | st.text(alphabet="crn:v1a/0-", max_size=60))
def test_no_text_causes_anything_but_invalid_input(text: str) -> None:
    try:
        parse_crn(text)
    except InvalidInput:
        pass
    else:
        assert looks_like_crn(text)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (FULL, SHORT, True),
        (FULL, FULL.upper().replace("CRN:V1:BLUEMIX:PUBLIC:MESSAGEHUB:US-SOUTH:A/", "x"), None),
        (FULL, FULL.replace(SOURCE, SOURCE.upper()), True),
        (FULL, crn(TARGET), False),
        (FULL, crn(region="us-east"), False),
        (FULL, FULL.replace("bluemix", "staging"), False),
        (FULL, FULL.replace(ACCOUNT, ACCOUNT[::-1]), False),
        (FULL, None, None),
        (None, FULL, None),
        ("", FULL, None),
        (FULL, "nonsense", None),
    ],
)
def test_instances_are_compared_by_what_identifies_them(
    one: str | None, other: str | None, expected: bool | None
) -> None:
    assert same_instance(one, other) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SOURCE, True),
        (SOURCE.upper(), True),
        (SOURCE + "\n", False),
        (SOURCE.replace("-", ""), False),
        (f"{{{SOURCE}}}", False),
        ("", False),
    ],
)
def test_guids(text: str, expected: bool) -> None:
    assert is_guid(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"), [(FULL, True), (" CRN:oops", True), ("crn", False), ("my crn: x", False), (SOURCE, False)]
)
def test_what_is_meant_as_a_crn(text: str, expected: bool) -> None:
    assert looks_like_crn(text) is expected
