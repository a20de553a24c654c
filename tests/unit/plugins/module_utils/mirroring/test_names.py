# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    DEFAULT_GROUP_TRANSFORM,
    DEFAULT_TOPIC_TRANSFORM,
    RENAMES,
    Transform,
    check_alias,
    checkpoint_aliases,
    derive_aliases,
    is_internal,
    parse_transform,
    remote_base,
)


@pytest.mark.parametrize(
    ("transform", "name", "stripped", "remote"),
    [
        (Transform("use_alias"), "app1-topic", "app1-topic", "app1-topic.source"),
        (Transform("none"), "app1-topic", "app1-topic", "app1-topic"),
        (Transform("rename", remove_prefix="app1-", add_prefix="dr-"), "app1-topic", "topic", "dr-topic"),
        (Transform("rename", remove_prefix="app1-", add_prefix="dr-"), "app2-topic", None, None),
        (Transform("rename", remove_prefix="app1-"), "app1-", None, None),
        (Transform("rename", remove_suffix="-o", add_suffix="-n"), "a-o", "a", "a-n"),
        (Transform("rename", remove_suffix="-o"), "a-o-o", "a-o", "a-o"),
        (Transform("rename", remove_prefix="o-", remove_suffix="-o"), "o-o", None, None),
        (Transform("rename", remove_prefix="o-", remove_suffix="-o"), "o-x-o", "x", "x"),
        (Transform("rename", remove_prefix="aa", remove_suffix="aa"), "aaa", None, None),
        (Transform("rename", remove_prefix="a", remove_suffix="a"), "aa", None, None),
        (Transform("rename", remove_prefix="a", remove_suffix="a"), "aaa", "a", "a"),
        (Transform("rename", add_prefix="x.", add_suffix=".y"), "a", "a", "x.a.y"),
        (Transform("rename", remove_prefix="a.c"), "abc-1", None, None),
    ],
)
def test_what_transforms_do(transform: Transform, name: str, stripped: str | None, remote: str | None) -> None:
    assert transform.stripped(name) == stripped
    assert transform.remote_name(name, "source") == remote


def test_the_services_own_defaults() -> None:
    assert DEFAULT_TOPIC_TRANSFORM.remote_name("orders", "us-south") == "orders.us-south"
    assert DEFAULT_GROUP_TRANSFORM.remote_name("group", "us-south") == "group"


# "a" and "." often, so that prefixes, suffixes and names overlap.
kafka = st.text(alphabet="aab.-_X0", min_size=1, max_size=8)
part = st.text(alphabet="aab.-", max_size=3)


@given(name=kafka, add_prefix=part, remove_prefix=part, add_suffix=part, remove_suffix=part)
def test_renaming_agrees_with_a_substitution(name: str, **parts: str) -> None:
    """The rules of API §5.2 as one regular expression: parts to remove around something that is left."""
    shape = re.compile(f"{re.escape(parts['remove_prefix'])}(?P<rest>.+){re.escape(parts['remove_suffix'])}")
    expected = (
        shape.sub(lambda m: parts["add_prefix"] + m["rest"] + parts["add_suffix"], name)
        if shape.fullmatch(name)
        else None
    )
    assert Transform("rename", **parts).remote_name(name, "alias") == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ({"type": "none"}, Transform("none")),
        ({"type": "use_alias", "rename": None}, Transform("use_alias")),
        ({"type": "none", "rename": {"add_prefix": None, "add_suffix": ""}}, Transform("none")),
        ({"type": "rename", "rename": {"add_prefix": "x-"}}, Transform("rename", add_prefix="x-")),
        (
            {"type": "rename", "rename": {"add_prefix": "x" * 248, "remove_suffix": "y" * 248}},
            Transform("rename", add_prefix="x" * 248, remove_suffix="y" * 248),
        ),
        (
            {
                "type": "rename",
                "rename": {"add_prefix": "a", "remove_prefix": "b", "add_suffix": "c", "remove_suffix": "d"},
            },
            Transform("rename", "a", "b", "c", "d"),
        ),
        ({"type": "rename", "rename": {"add_prefix": "x", "add_suffix": None}}, Transform("rename", add_prefix="x")),
    ],
)
def test_parsing_transforms(value: t.Any, expected: Transform | None) -> None:
    assert parse_transform(value, "topic_name_transform") == expected


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({}, "must have a type"),
        ("rename", "must have a type"),
        ([], "must have a type"),
        ({"type": None}, "must have a type"),
        ({"type": "upper"}, "must have a type"),
        ({"type": ["rename"]}, "must have a type"),
        ({"type": "none", "rename": {"add_prefix": "x"}}, "works with type rename only"),
        ({"type": "use_alias", "rename": {"remove_suffix": "x"}}, "works with type rename only"),
        ({"type": "none", "rename": "x"}, "rename"),
        ({"type": "use_alias", "rename": ["add_prefix"]}, "rename"),
        ({"type": "rename", "rename": {"add_prefix": "x" * 249}}, "add_prefix and add_suffix of 249 characters"),
        ({"type": "rename", "rename": {"add_prefix": "x" * 200, "add_suffix": "y" * 49}}, "of 249 characters together"),
        (
            {"type": "rename", "rename": {"remove_suffix": "x" * 300}},
            "remove_prefix and remove_suffix of 300 characters",
        ),
        ({"type": "rename"}, "renames nothing"),
        ({"type": "rename", "rename": None}, "renames nothing"),
        ({"type": "rename", "rename": {}}, "renames nothing"),
        ({"type": "rename", "rename": {"add_prefix": ""}}, "renames nothing"),
        ({"type": "rename", "rename": "x"}, "rename"),
        ({"type": "rename", "rename": {"add_prefix": "a b"}}, "rename.add_prefix has characters"),
        ({"type": "rename", "rename": {"add_suffix": "ä"}}, "rename.add_suffix has characters"),
        ({"type": "rename", "rename": {"remove_prefix": 5}}, "rename.remove_prefix has characters"),
        ({"type": "rename", "rename": {"remove_suffix": "x\n"}}, "rename.remove_suffix has characters"),
    ],
)
def test_transforms_that_cannot_work(value: t.Any, why: str) -> None:
    with pytest.raises(InvalidInput, match="topic_name_transform") as caught:
        parse_transform(value, "topic_name_transform")
    assert why in caught.value.reason
    assert caught.value.remedy


@given(st.dictionaries(st.sampled_from(RENAMES), kafka, min_size=1))
def test_what_is_sent_is_what_was_given(rename: dict[str, str]) -> None:
    parsed = parse_transform({"type": "rename", "rename": rename}, "x")
    assert parsed is not None
    sent = parsed.to_parameters()
    assert sent == {"type": "rename", "rename": rename}
    assert parse_transform(sent, "x") == parsed


@pytest.mark.parametrize("kind", ["use_alias", "none"])
def test_simple_transforms_are_sent_without_rename(kind: t.Literal["use_alias", "none"]) -> None:
    assert Transform(kind).to_parameters() == {"type": kind}


@pytest.mark.parametrize("alias", ["us-south", "a", "A.b_c-9", "x" * 200, "x" * 228])
def test_usable_aliases(alias: str) -> None:
    check_alias(alias, "source_alias")


@pytest.mark.parametrize("alias", ["", " ", "us south", "us/south", "ü", "a\n", "a:b", "*"])
def test_unusable_aliases(alias: str) -> None:
    with pytest.raises(InvalidInput, match=r"source_alias .* cannot be part of a topic name"):
        check_alias(alias, "source_alias")


@pytest.mark.parametrize("length", [229, 249, 5000])
def test_an_alias_that_no_topic_name_has_room_for(length: int) -> None:
    """Together with .checkpoints.internal it has more than 249 characters."""
    with pytest.raises(InvalidInput, match=f"target_alias has {length} characters, more than 228") as caught:
        check_alias("x" * length, "target_alias")
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("given_aliases", "regions", "expected"),
    [
        ((None, None), ("us-south", "us-east"), ("us-south", "us-east")),
        (("a", "b"), ("us-south", "us-south"), ("a", "b")),
        (("a", None), ("us-south", "us-east"), ("a", "us-east")),
        ((None, "b"), ("us-south", "us-east"), ("us-south", "b")),
        (("", ""), ("us-south", "us-east"), ("us-south", "us-east")),
    ],
)
def test_aliases_come_from_regions(
    given_aliases: tuple[str | None, str | None], regions: tuple[str, str], expected: tuple[str, str]
) -> None:
    assert derive_aliases(*given_aliases, *regions) == expected


@pytest.mark.parametrize(
    ("given_aliases", "regions", "why"),
    [
        ((None, None), ("eu-de", "eu-de"), "both instances are in eu-de"),
        (("a", None), ("eu-de", "eu-de"), "both instances are in eu-de"),
        ((None, "b"), ("eu-de", "eu-de"), "both instances are in eu-de"),
        (("a", "a"), ("eu-de", "eu-gb"), "are both 'a'"),
        (("eu-gb", None), ("eu-de", "eu-gb"), "are both 'eu-gb'"),
        (("a b", "c"), ("eu-de", "eu-gb"), "source_alias 'a b'"),
        (("a", "b/c"), ("eu-de", "eu-gb"), "target_alias 'b/c'"),
    ],
)
def test_aliases_that_cannot_be_had(
    given_aliases: tuple[str | None, str | None], regions: tuple[str, str], why: str
) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        derive_aliases(*given_aliases, *regions)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("us-south.checkpoints.internal", True),
        ("mm2-offset-syncs.us-south.internal", True),
        (".internal", True),
        ("__consumer_offsets", True),
        ("__x", True),
        ("internal", False),
        ("orders.internal.v1", False),
        ("orders-internal", False),
        ("_schemas", False),
        ("a__b", False),
        ("ordersXinternal", False),
    ],
)
def test_internal_topics(topic: str, expected: bool) -> None:
    assert is_internal(topic) is expected


def test_aliases_in_checkpoint_topics() -> None:
    topics = ["b.checkpoints.internal", "us-south.checkpoints.internal", "b.checkpoints.internal", "orders"]
    assert checkpoint_aliases(topics) == ["b", "us-south"]
    assert checkpoint_aliases([".checkpoints.internal", "xcheckpoints.internal", "a.checkpoints.internal.old"]) == []


@given(kafka, kafka)
def test_the_base_of_a_remote_topic_is_the_way_back(name: str, alias: str) -> None:
    remote = DEFAULT_TOPIC_TRANSFORM.remote_name(name, alias)
    assert remote is not None
    if not is_internal(name) and not is_internal(remote):
        assert remote_base(remote, alias) == name


@pytest.mark.parametrize(
    "topic", ["orders", ".us-south", "us-south", "__x.us-south", "x.internal.us-south", "a b.us-south"]
)
def test_topics_without_a_base(topic: str) -> None:
    assert remote_base(topic, "us-south") is None
