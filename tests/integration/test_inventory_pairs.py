# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs as hosts: declared, tagged and observed, and the playbooks that run on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.inventory import Inventory
from simulator import load_scenario

ROOT = Path(__file__).parents[2]
SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
DECLARED: dict[str, Any] = {"name": "orders", "source": SOURCE, "target": TARGET}
PAIRS: dict[str, Any] = {"mode": "pairs", "pairs": [DECLARED]}
TAGS = {"mode": "pairs", "pairs_from": "tags"}
OBSERVED = {"mode": "pairs", "pairs_from": "observed"}
MIRRORING = {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"}
FRIENDLY = load_scenario("friendly")["instances"]
GIVEN = {"mirroring_hosts": "event_streams_pairs", "mirroring_source": None, "mirroring_target": None}


@pytest.fixture
def inventory(playbook: Any, tmp_path: Path) -> Inventory:
    """Runs `ansible-inventory` with the simulator that the test has started."""
    return Inventory(tmp_path, playbook)


def another(name: str, region: str = "us-south", **details: Any) -> dict[str, Any]:
    """One more instance."""
    return {"account": ACCOUNT, "name": name, "region": region, **details}


@pytest.mark.every_core
def test_the_playbook_runs_on_declared_pairs_twice(inventory: Any, playbook: Any, simulator: Any, observe: Any) -> None:
    example = str(ROOT / "examples/pairs.event_streams.yml")
    arguments = ("-i", example)
    playbook.mirror(*arguments, mirroring_topics=None, **GIVEN).worked()
    observe(simulator).mirrored(["^orders.*", "^payments$"])
    assert sum(entry["path"].endswith("/identity/token") for entry in simulator.journal) == 1
    assert inventory.groups(Path(example).read_text())["mirroring_on"] == ["orders"]

    simulator.clear_journal()
    again = playbook.mirror(*arguments, mirroring_topics=None, **GIVEN).worked()
    assert (again.changed, list(again.stats)) == (0, ["orders"])
    assert simulator.writes() == []


@pytest.mark.every_core
def test_the_variables_of_a_declared_pair(inventory: Any, simulator: Any) -> None:
    pair = {**DECLARED, "vars": {"mirroring_topics": ["^{{ inventory_hostname }}$"], "mirroring_failback": True}}
    hosts = inventory.hosts({"mode": "pairs", "pairs": [pair]})
    assert list(hosts) == ["orders"]
    shown = hosts["orders"]
    assert shown["mirroring_source"] == str(simulator.instance(SOURCE).crn)
    assert shown["mirroring_target"] == str(simulator.instance(TARGET).crn)
    assert shown["mirroring_topics"] == ["^{{ inventory_hostname }}$"]
    assert shown["event_streams_source"]["name"] == SOURCE
    assert shown["event_streams_target"]["throughput"] == 150
    assert (shown["event_streams_source_account"], shown["event_streams_target_account"]) == ("default", "default")
    assert (shown["event_streams_pair_from"], shown["event_streams_mirroring"]["enabled"]) == ("declared", False)
    looks = [entry for entry in simulator.journal if entry["api"] == "admin"]
    assert [entry["instance"] for entry in looks] == [simulator.instance(TARGET).guid]


@pytest.mark.every_core
def test_variables_of_a_pair_are_templated_where_they_are_used(inventory: Any, playbook: Any, simulator: Any) -> None:
    pair = {**DECLARED, "vars": {"topic": "{{ inventory_hostname }}-{{ event_streams_target.region }}"}}
    path = inventory.write({"mode": "pairs", "pairs": [pair], "compose": {"made": "topic ~ '!'"}, "strict": True})
    tasks = [{"name": "Show", "ansible.builtin.debug": {"msg": "{{ topic }} {{ made }}"}}]
    play = [{"name": "Show", "hosts": "event_streams_pairs", "gather_facts": False, "tasks": tasks}]
    run = playbook(play, arguments=("-i", str(path))).worked()
    assert [entry["result"]["msg"] for entry in run.tasks] == ["orders-us-east orders-us-east!"]


@pytest.mark.parametrize("form", ["guid", "crn", "template"])
def test_instances_are_named_in_other_ways(inventory: Any, simulator: Any, form: str) -> None:
    def named(name: str) -> str:
        instance = simulator.instance(name)
        return {
            "guid": instance.guid.upper(),
            "crn": str(instance.crn).removesuffix("::"),
            "template": f"{{{{ '{name}' }}}}",
        }[form]

    pair = {"name": "p", "source": named(SOURCE), "target": named(TARGET)}
    (shown,) = inventory.hosts({"mode": "pairs", "pairs": [pair]}).values()
    assert shown["event_streams_source"]["name"] == SOURCE


@pytest.mark.every_core
def test_a_pair_across_two_accounts(inventory: Any, simulate: Any) -> None:
    simulate("two_accounts")
    (shown,) = inventory.hosts({**inventory.two_accounts, **PAIRS}).values()
    assert (shown["event_streams_source_account"], shown["event_streams_target_account"]) == ("from", "to-here")


def test_a_declared_pair_whose_account_was_skipped_is_left_out(inventory: Any, simulate: Any) -> None:
    simulate("two_accounts")
    accounts = [inventory.two_accounts["accounts"][0], {"name": "broken", "ibmcloud_api_key": "no-such-key"}]
    run = inventory.run({**PAIRS, "accounts": accounts, "strict_permissions": False}, "--graph")
    assert run.returncode == 0
    assert "Pair 'orders' is left out, because accounts were skipped (broken)" in inventory.words(run)
    assert "|--orders" not in run.stdout


def test_a_name_that_is_not_found_is_told_with_candidates(inventory: Any, simulator: Any) -> None:
    pair = {**DECLARED, "source": "es-source-us-sout"}
    message = inventory.refused({"mode": "pairs", "pairs": [pair]})
    assert "source of pair 'orders' 'es-source-us-sout' is not among" in message
    assert message.index(SOURCE) < message.index(TARGET)


def test_a_name_of_two_instances_is_told_with_both(inventory: Any, simulate: Any) -> None:
    simulator = simulate("duplicate_names")
    message = inventory.refused(PAIRS)
    namesakes = [one for one in simulator.state.instances.values() if one.name == SOURCE]
    assert all(str(one.crn) in message for one in namesakes)


def test_the_same_instance_by_two_names(inventory: Any, simulator: Any) -> None:
    pair = {**DECLARED, "target": simulator.instance(SOURCE).guid}
    assert "are the same instance" in inventory.refused({"mode": "pairs", "pairs": [pair]})


@pytest.mark.every_core
@pytest.mark.parametrize("fields", ["all", "documented"])
def test_pairs_by_tags(inventory: Any, simulate: Any, fields: str) -> None:
    both = ["mirroring:orders:source", "mirroring:back:target", "team:x"]
    simulator = simulate(
        source={"tags": both},
        target={"tags": ["mirroring:orders:target", "mirroring:back:source"]},
        switches={"search_fields": fields},
    )
    hosts = inventory.hosts(TAGS)
    assert {name: one["event_streams_source"]["name"] for name, one in hosts.items()} == {
        "orders": SOURCE,
        "back": TARGET,
    }
    assert {one["event_streams_pair_from"] for one in hosts.values()} == {"tags"}
    searches = [entry["body"]["query"] for entry in simulator.journal if entry["api"] == "search"]
    assert searches == ["service_name:messagehub", "family:resource_controller"][: 1 if fields == "all" else 2]
    assert {entry["query"]["limit"] for entry in simulator.journal if entry["api"] == "search"} == {"100"}


def test_tags_over_several_pages(inventory: Any, simulate: Any) -> None:
    instances = [
        another(f"{side}-{number}", tags=[f"dr:{number}:{side}"])
        for number in range(70)
        for side in ("source", "target")
    ]
    simulator = simulate(instances=[*FRIENDLY, *instances])
    assert len(inventory.hosts({**TAGS, "tag_prefix": "dr:"})) == 70
    bodies = [sorted(entry["body"]) for entry in simulator.journal if entry["api"] == "search"]
    assert bodies == [["fields", "query"], ["search_cursor"]]


def test_wrong_tags_are_told(inventory: Any, simulate: Any) -> None:
    simulate(
        source={"tags": ["mirroring:orders:source", "mirroring:alone:source"]},
        target={"tags": ["mirroring:orders:target", "mirroring:double:target"]},
        instances=[*FRIENDLY, another("more", tags=["mirroring:double:target"])],
    )
    run = inventory.run(TAGS, "--graph")
    words = inventory.words(run)
    assert "|--orders" in run.stdout and "|--alone" not in run.stdout and "|--double" not in run.stdout
    assert "mirroring:alone:target is on no instance that was found" in words
    assert "mirroring:double:target is on es-target-us-east" in words
    assert "Pair 'alone' is left out" in inventory.refused({**TAGS, "strict": True})


def test_without_any_tag_that_is_said(inventory: Any, simulator: Any) -> None:
    run = inventory.run(TAGS, "--graph")
    assert run.returncode == 0
    assert "No instance has a tag such as mirroring:<pair>:source." in inventory.words(run)


@pytest.mark.every_core
@pytest.mark.parametrize("echo", ["full", "extensions", "none"])
def test_observed_pairs(inventory: Any, simulate: Any, echo: str) -> None:
    simulator = simulate(target={"mirroring": MIRRORING}, switches={"echo": echo})
    hosts = inventory.hosts(OBSERVED)
    assert list(hosts) == [f"{SOURCE}--{TARGET}"]
    (shown,) = hosts.values()
    assert shown["mirroring_source"] == str(simulator.instance(SOURCE).crn)
    assert shown["event_streams_pair_from"] == ("inferred" if echo == "none" else "echoed")
    topics = [entry for entry in simulator.journal if entry["path"].endswith("/admin/topics")]
    assert len(topics) == (1 if echo == "none" else 0)


@pytest.mark.parametrize("why", ["two in the region", "another alias", "topics unreadable", "none in the region"])
def test_an_observed_source_is_never_guessed(inventory: Any, simulate: Any, why: str) -> None:
    alias = "dr" if why == "another alias" else "us-south"
    more = [another("second")] if why == "two in the region" else [another("cheap", plan="standard")]
    simulator = simulate(
        instances=[*FRIENDLY, *more],
        target={"mirroring": {**MIRRORING, "source_alias": alias}},
        switches={"echo": "none"},
    )
    if why == "topics unreadable":
        simulator.add_fault("forbidden", api="admin", path="/admin/topics", times=None)
    filters = {"filters": {"name": TARGET}} if why == "none in the region" else {}
    run = inventory.run({**OBSERVED, **filters}, "--graph")
    assert run.returncode == 0
    assert "--es-target" not in run.stdout
    words = inventory.words(run)
    assert f"{TARGET} ({simulator.instance(TARGET).guid}) mirrors from a source that is not known" in words
    assert {
        "two in the region": "the alias us-south, which is the region of es-source-us-south",
        "another alias": "the alias dr, which is the region of no instance that was found",
        "topics unreadable": "HTTP 403",
        "none in the region": "which is the region of no instance that was found",
    }[why] in words


def test_an_admin_api_that_fails_is_asked_once_and_told(inventory: Any, simulate: Any) -> None:
    simulator = simulate(target={"mirroring": MIRRORING})
    simulator.add_fault("status", api="admin", status=503, times=None)
    run = inventory.run({**OBSERVED, "retry_timeout": 60}, "--graph")
    assert run.returncode == 0
    # The source's document shows nothing of mirroring, the target's does.
    assert f"{SOURCE}--{TARGET}" in run.stdout
    assert f"Whether {SOURCE}" in inventory.words(run)
    assert sum(entry["api"] == "admin" for entry in simulator.journal) == 2


def test_two_pairs_with_one_target_are_told(inventory: Any, simulate: Any) -> None:
    simulate(instances=[*FRIENDLY, another("second")])
    pairs = [DECLARED, {"name": "other", "source": "second", "target": TARGET}]
    run = inventory.run({"mode": "pairs", "pairs": pairs}, "--graph")
    assert "is the target of pair 'other' and of others" in inventory.words(run)


PAIR = {"name": "p", "source": "a", "target": "b"}
ONE = {"name": "a", "ibmcloud_api_key": "a-key-that-is-long"}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown option": ({"filter": {}}, "no option filter"),
    "unknown filter": ({"filters": {"tag": "x"}}, "no option filters.tag"),
    "broken query": ({"query": "[?"}, "query is no JMESPath expression"),
    "accounts as dictionary": ({"accounts": dict(ONE)}, "accounts is a dictionary"),
    "accounts and a key": ({"accounts": [ONE], "ibmcloud_api_key": "k"}, "are both given"),
    "empty key": ({"accounts": [{"name": "a", "ibmcloud_api_key": "{{ '' }}"}]}, "account 'a' has none of"),
    "undefined variable": ({"ibmcloud_api_key": "{{ nothing }}"}, "ibmcloud_api_key cannot be templated"),
    "file that is missing": ({"ibmcloud_api_key": "@/no/such/file"}, "names a file that cannot be read"),
    "undefined variable of a pair": (
        {"mode": "pairs", "pairs": [{**PAIR, "source": "{{ nothing }}"}]},
        "source of a pair",
    ),
    "pair that is no dictionary": ({"mode": "pairs", "pairs": [1]}, "Elements value for option 'pairs'"),
    "broken CRN": ({"mode": "pairs", "pairs": [{**PAIR, "source": "crn:v1:x"}]}, "source of pair 'p' is not the CRN"),
    "unencrypted endpoint": (
        {**TAGS, "search_endpoint": "http://example.com"},
        "search_endpoint would send credentials",
    ),
    "wrong mode": ({"mode": "hosts"}, "mode"),
    "time-out": ({"request_timeout": 0}, "request_timeout must be more than 0"),
}


@pytest.mark.parametrize(("options", "told"), BAD.values(), ids=BAD)
def test_bad_options_are_told_before_anything_is_sent(inventory: Any, simulator: Any, options: Any, told: str) -> None:
    assert told in inventory.refused(options)
    assert simulator.journal == []


@pytest.mark.parametrize("query", ["[].name", "[0]", "[].{crn: crn}", "length(@)", "sum([].name)"])
def test_a_query_must_yield_instances(inventory: Any, simulator: Any, query: str) -> None:
    assert "query" in inventory.refused({"query": query})
    assert not any(entry["api"] == "admin" for entry in simulator.journal)


@pytest.mark.every_core
@pytest.mark.parametrize("text", ["- a\n- b\n", "", "plugin: mirrorops.event_streams.instances\n  x: [\n"])
def test_files_that_hold_no_options(inventory: Any, simulator: Any, text: str) -> None:
    inventory.refused(text)
    assert simulator.journal == []
