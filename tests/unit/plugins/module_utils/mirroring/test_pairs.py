# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput, NotFound, NotUnique
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import read_options
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pairs import (
    Fleet,
    Found,
    Pairs,
    find,
    make_pairs,
    read_tag,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import SOURCE, TARGET, THIRD, crn, instance

Side = t.Literal["source", "target"]


def found(
    guid: str = SOURCE,
    name: str = "es-source",
    region: str = "us-south",
    tags: t.Sequence[str] = (),
    account: str = "default",
    mirroring: dict[str, t.Any] | None = None,
    **changes: t.Any,
) -> Found:
    facts = instance(guid=guid, name=name, region=region, **changes).to_result()
    return Found(account=account, facts=facts, tags=list(tags), mirroring=mirroring)


def fleet(*instances: Found, skipped: t.Sequence[str] = ()) -> Fleet:
    return Fleet(instances=list(instances), skipped=[{"account": name, "reason": "no"} for name in skipped])


def target(**details: t.Any) -> Found:
    return found(**{"guid": TARGET, "name": "es-target", "region": "us-east", **details})


def declared(everything: Fleet, *pairs: tuple[str, str]) -> Pairs:
    given = [{"name": f"p{number}", "source": one, "target": two} for number, (one, two) in enumerate(pairs)]
    return make_pairs(read_options({"mode": "pairs", "pairs": given}, set()), everything)


def made(pairs_from: str, *instances: Found) -> Pairs:
    options = read_options({"mode": "pairs", "pairs_from": pairs_from}, set())
    return make_pairs(options, json.loads(json.dumps(fleet(*instances))))


def names(pairs: Pairs) -> list[tuple[str, str, str]]:
    return [
        (one.name, one.source["facts"]["name"] if one.source else "?", one.target["facts"]["name"])
        for one in pairs.pairs
    ]


BOTH = fleet(found(), target())


@pytest.mark.parametrize(
    "text", ["es-target", TARGET, TARGET.upper(), crn(TARGET, "us-east"), crn(TARGET, "us-east")[:-2]]
)
def test_instances_have_several_names(text: str) -> None:
    assert find(BOTH, text, "x")["facts"]["guid"] == TARGET


@pytest.mark.parametrize("text", ["es-targe", "ES-TARGET", THIRD, crn(TARGET, "eu-de"), crn(THIRD)])
def test_what_is_not_there(text: str) -> None:
    with pytest.raises(NotFound) as error:
        find(BOTH, text, "target of pair 'p'")
    assert "es-source" in error.value.message and "es-target" in error.value.message


def test_candidates_are_the_most_similar_and_not_too_many() -> None:
    many = fleet(*(found(guid=f"{n:08x}-aaaa-4bbb-8ccc-000000000001", name=f"es-{n}") for n in range(20)), target())
    with pytest.raises(NotFound) as error:
        find(many, "es-targe", "x")
    assert "were found: es-target (" in error.value.message
    assert "and 13 more" in error.value.message
    with pytest.raises(NotFound, match="were found: none"):
        find(fleet(), "x", "x")


def test_a_name_of_two() -> None:
    with pytest.raises(NotUnique) as error:
        find(fleet(found(), target(name="es-source")), "es-source", "source of pair 'p'")
    assert crn() in error.value.message and crn(TARGET, "us-east") in error.value.message


def test_declared_pairs_by_name() -> None:
    pairs = declared(
        fleet(found(), target(), found(guid=THIRD, name="third")), ("es-source", TARGET), (TARGET, "third")
    )
    assert names(pairs) == [("p0", "es-source", "es-target"), ("p1", "es-target", "third")]
    assert {one.how for one in pairs.pairs} == {"declared"}
    assert (pairs.mistakes, pairs.warnings) == ([], [])


def test_a_declared_instance_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="target of pair 'p0' 'elsewhere' is not among"):
        declared(BOTH, ("es-source", "elsewhere"))


def test_one_instance_by_two_names() -> None:
    with pytest.raises(InvalidInput, match="are the same instance"):
        declared(BOTH, ("es-source", SOURCE))


def test_a_target_of_two_pairs_is_told_for_each() -> None:
    pairs = declared(
        fleet(found(), target(), found(guid=THIRD, name="third")), ("es-source", TARGET), ("third", TARGET)
    )
    assert len(pairs.pairs) == len(pairs.warnings) == 2
    assert "one source only" in pairs.warnings[0]


def test_a_pair_of_a_skipped_account_is_left_out() -> None:
    pairs = declared(fleet(found(), target(), skipped=["other"]), ("es-source", "elsewhere"), ("es-source", TARGET))
    assert names(pairs) == [("p1", "es-source", "es-target")]
    assert "because accounts were skipped (other)" in pairs.warnings[0]
    with pytest.raises(NotUnique):
        declared(fleet(found(), target(name="es-source"), skipped=["other"]), ("es-source", TARGET))


@pytest.mark.parametrize(
    ("tag", "read"),
    [
        ("mirroring:orders:source", ("orders", "source")),
        ("mirroring:orders:target", ("orders", "target")),
        ("Mirroring:Orders:TARGET", ("Orders", "target")),
        ("mirroring:a:b:source", ("a:b", "source")),
        ("mirroring: a b :source", ("a b", "source")),
        ("mirroring::source", None),
        ("mirroring:source", None),
        ("mirroring: :source", None),
        ("mirroring:orders:sources", None),
        ("mirroring:orders", None),
        ("other:orders:source", None),
        ("xmirroring:orders:source", None),
        ("", None),
        (":", None),
    ],
)
def test_tags(tag: str, read: tuple[str, str] | None) -> None:
    assert read_tag(tag, "mirroring") == read


@given(
    st.text(min_size=1).map(str.strip).filter(bool),
    st.sampled_from(["source", "target"]),
    st.sampled_from(["m", "a:b", "dr"]),
)
def test_every_tag_that_is_written_is_read(name: str, side: str, prefix: str) -> None:
    assert read_tag(f"{prefix}:{name}:{side}", prefix) == (name, side)


@given(st.text())
def test_whatever_a_tag_is(tag: str) -> None:
    read = read_tag(tag, "mirroring")
    assert read is None or (read[0] and read[1] in ("source", "target") and read[0] in tag)


def test_tagged_pairs() -> None:
    pairs = made(
        "tags",
        found(tags=["mirroring:a:source", "mirroring:a:source", "mirroring:b:target", "x"]),
        target(tags=["mirroring:a:target", "mirroring:b:source"]),
    )
    assert names(pairs) == [("a", "es-source", "es-target"), ("b", "es-target", "es-source")]
    assert (pairs.mistakes, pairs.warnings) == ([], [])


@pytest.mark.parametrize(
    ("source_tags", "target_tags"),
    [
        (["mirroring:a:source"], []),
        ([], ["mirroring:a:target"]),
        (["mirroring:a:source", "mirroring:a:target"], []),
        (["mirroring:a:source"], ["mirroring:a:source"]),
        (["mirroring:a:source"], ["mirroring:a:source", "mirroring:a:target"]),
    ],
)
def test_incomplete_and_ambiguous_tags(source_tags: list[str], target_tags: list[str]) -> None:
    pairs = made("tags", found(tags=source_tags), target(tags=target_tags))
    assert pairs.pairs == []
    (mistake,) = pairs.mistakes
    assert mistake.startswith("Pair 'a' is left out: mirroring:a:source is on ")


def mirrored(**details: t.Any) -> dict[str, t.Any]:
    return {"enabled": True, "source_crn": None, "source_alias": None, "reason": "why", **details}


def test_an_echo_tells_the_source() -> None:
    pairs = made("observed", found(mirroring={"enabled": False}), target(mirroring=mirrored(source_crn=crn()[:-2])))
    assert names(pairs) == [("es-source--es-target", "es-source", "es-target")]
    assert (pairs.pairs[0].how, pairs.warnings) == ("echoed", [])


def test_an_echoed_source_that_was_not_found_is_known_by_its_crn() -> None:
    (pair,) = made("observed", target(mirroring=mirrored(source_crn=crn()))).pairs
    assert (pair.name, pair.source_crn, pair.source) == (f"{SOURCE}--es-target", crn(), None)


@pytest.mark.parametrize("echo", [None, "nonsense", 5, "crn:v1:x", {}])
def test_the_only_instance_of_the_region_that_is_the_alias(echo: t.Any) -> None:
    others = [found(guid=THIRD, name="std", plan="x", resource_plan_id="ibm.message.hub.standard.v2")]
    pairs = made("observed", found(), *others, target(mirroring=mirrored(source_crn=echo, source_alias="us-south")))
    assert names(pairs) == [("es-source--es-target", "es-source", "es-target")]
    assert pairs.pairs[0].how == "inferred"


@pytest.mark.parametrize(
    ("others", "details"),
    [
        ([], {"source_alias": "us-south"}),
        ([found()], {"source_alias": "eu-de"}),
        ([found()], {"source_alias": None}),
        ([found(), found(guid=THIRD, name="third")], {"source_alias": "us-south"}),
        ([found()], {"source_alias": "us-east"}),
    ],
)
def test_nothing_is_guessed(others: list[Found], details: dict[str, t.Any]) -> None:
    pairs = made("observed", *others, target(mirroring=mirrored(**details)))
    assert pairs.pairs == []
    assert "mirrors from a source that is not known" in pairs.warnings[-1]
    assert (details["source_alias"] or "why") in pairs.warnings[-1]


@pytest.mark.parametrize("enabled", [False, None])
def test_what_does_not_mirror_is_no_pair(enabled: bool | None) -> None:
    pairs = made("observed", found(), target(mirroring={**mirrored(source_crn=crn()), "enabled": enabled}))
    assert pairs.pairs == []
    assert [warning for warning in pairs.warnings if "es-target" in warning] == (
        [] if enabled is False else [f"Whether es-target ({TARGET}) mirrors is not known: why"]
    )


def test_observed_pairs_of_one_name_are_told_apart() -> None:
    one, two = (
        target(guid=guid, mirroring=mirrored(source_crn=crn()), region=region)
        for guid, region in ((TARGET, "us-east"), (THIRD, "eu-de"))
    )
    assert [pair.name for pair in made("observed", found(), one, two).pairs] == [
        f"es-source--es-target-{TARGET[:8]}",
        f"es-source--es-target-{THIRD[:8]}",
    ]
