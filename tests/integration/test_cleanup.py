# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remote topics are listed; only those that are named or matched, not fed, and confirmed, are deleted."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

every_core = pytest.mark.every_core
SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
SOURCE_CRN = "crn:v1:bluemix:public:messagehub:us-south:a/a1b2c3d4e5f60718293a4b5c6d7e8f90:11111111-aaaa-4bbb-8ccc-000000000001::"
AUTHORIZED = {"policies": [{"subject": TARGET, "resource": SOURCE}]}
LEFT_OVER = ["audit.us-south", "orders-old.us-south"]
LOCAL = ["orders", "orders.eu-de", "us-south"]
INTERNAL = ["us-south.checkpoints.internal", "__state.us-south", "mm2-offset-syncs.us-south.internal"]
TOPICS = [{"name": name, "partitions": 2} for name in (*LEFT_OVER, *LOCAL, *INTERNAL)]
MIRRORING = {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"}
ON: dict[str, Any] = {
    **AUTHORIZED,
    "target": {"mirroring": MIRRORING, "selection": ["^orders$", "^payments$"], "topics": TOPICS},
}
OFF: dict[str, Any] = {"target": {"topics": [*TOPICS, {"name": "orders.us-south"}]}}
FED = ["orders.us-south", "payments.us-south"]


def topics(simulator: Any, instance: str = TARGET) -> list[str]:
    """The topics that are not deleted, in order."""
    return sorted(topic.name for topic in simulator.instance(instance).live_topics())


def deletions(simulator: Any) -> list[str]:
    """The topics of which a deletion was sent; nothing else may have been written."""
    assert {entry["method"] for entry in simulator.writes()} <= {"DELETE"}
    return [entry["path"].rpartition("/")[2] for entry in simulator.writes()]


def clean_up(playbook: Any, *arguments: str, **variables: Any) -> Any:
    """Runs the playbook; a variable that is None is left out."""
    return playbook.mirror(*arguments, play="cleanup", **variables)


@pytest.fixture
def mirrored(simulate: Any, observe: Any) -> Any:
    """A pair that mirrors, with topics that are left over."""
    simulator = simulate(**ON)
    observe(simulator).until(lambda: set(FED) <= set(topics(simulator)))
    return simulator


@every_core
def test_without_being_told_what_it_only_lists(mirrored: Any, playbook: Any) -> None:
    run = clean_up(playbook).worked()
    found = run.facts["cleanup_result"]
    assert [(one["name"], one["fed"]) for one in found["remote_topics"]] == [
        ("audit.us-south", False),
        ("orders-old.us-south", False),
        ("orders.us-south", True),
        ("payments.us-south", True),
    ]
    assert run.changed == 0
    assert "us-south -> us-east: remote topics on es-target-us-east" in run.output
    assert "consumer may still have to read" in run.output
    assert deletions(mirrored) == []


@every_core
def test_confirmed_it_deletes_what_is_named_and_nothing_again(mirrored: Any, playbook: Any) -> None:
    before = topics(mirrored)
    asked = {"cleanup_topics": LEFT_OVER, "cleanup_confirm": [TARGET]}
    run = clean_up(playbook, **asked).worked()
    assert run.changed == 1
    assert topics(mirrored) == sorted(set(before) - set(LEFT_OVER))
    assert deletions(mirrored) == LEFT_OVER
    assert run.facts["cleanup_result"]["deleted"] == LEFT_OVER

    mirrored.clear_journal()
    again = clean_up(playbook, **asked).worked()
    assert (again.changed, deletions(mirrored)) == (0, [])
    assert again.facts["cleanup_result"]["missing"] == LEFT_OVER


def test_the_plan_is_shown_before_anything_is_deleted(mirrored: Any, playbook: Any) -> None:
    run = clean_up(playbook, cleanup_topics=LEFT_OVER[:1], cleanup_confirm=[TARGET]).worked()
    assert run.output.index("To be deleted: audit.us-south") < run.output.index(
        "TASK [mirrorops.event_streams.cleanup : Delete"
    )


@pytest.mark.parametrize("confirm", [None, [True], [SOURCE_CRN]])
def test_unconfirmed_it_shows_the_plan_and_says_what_to_set(mirrored: Any, playbook: Any, confirm: Any) -> None:
    run = clean_up(playbook, cleanup_topics=LEFT_OVER, cleanup_confirm=confirm)
    assert 'set cleanup_confirm: ["es-target-us-east"]' in run.failure
    assert "To be deleted: audit.us-south" in run.output
    assert run.changed == 0
    assert deletions(mirrored) == []


@pytest.mark.parametrize("by", ["CRN", "text"])
def test_ways_to_confirm(simulate: Any, playbook: Any, by: str) -> None:
    simulator = simulate(**OFF)
    target = simulator.instance(TARGET)
    confirm = {"CRN": [str(target.crn)], "text": f"another, {TARGET}"}
    clean_up(playbook, cleanup_topics=LEFT_OVER, cleanup_confirm=confirm[by]).worked()
    assert deletions(simulator) == LEFT_OVER


@every_core
def test_check_mode_needs_no_confirmation_and_deletes_nothing(mirrored: Any, playbook: Any) -> None:
    run = clean_up(playbook, "--check", "--diff", cleanup_matching=[".*"]).worked()
    assert run.changed == 1
    assert run.facts["cleanup_result"]["deleted"] == LEFT_OVER
    assert run.results("remote_topics")[1]["diff"] == {
        "before": {"remote_topics": [*LEFT_OVER, *FED]},
        "after": {"remote_topics": FED},
    }
    assert deletions(mirrored) == []


@every_core
def test_a_pattern_takes_only_what_is_not_fed(mirrored: Any, playbook: Any) -> None:
    run = clean_up(playbook, cleanup_matching=[".*"], cleanup_confirm=[TARGET]).worked()
    assert deletions(mirrored) == LEFT_OVER
    assert run.facts["cleanup_result"]["left"] == FED
    assert "Matched and left, because they are fed: orders.us-south, payments.us-south" in run.output


def test_a_pattern_has_to_match_the_whole_name(mirrored: Any, playbook: Any) -> None:
    asked = {"cleanup_matching": ["audit", "orders-old"], "cleanup_confirm": [TARGET]}
    assert clean_up(playbook, **asked).worked().changed == 0
    assert deletions(mirrored) == []
    clean_up(playbook, cleanup_matching=["audit.*"], cleanup_confirm=[TARGET]).worked()
    assert deletions(mirrored) == ["audit.us-south"]


@pytest.mark.parametrize("name", [FED[0], LOCAL[0], INTERNAL[0], "not-there"])
def test_what_must_stay_is_refused_before_anything_is_deleted(mirrored: Any, playbook: Any, name: str) -> None:
    run = clean_up(playbook, cleanup_topics=[*LEFT_OVER, name], cleanup_confirm=[TARGET])
    assert f"nothing is deleted on {TARGET}" in run.failure
    assert f"{name}: " in run.failure
    assert deletions(mirrored) == []


def test_all_that_must_stay_is_told_at_once(mirrored: Any, playbook: Any) -> None:
    run = clean_up(playbook, cleanup_topics=[FED[0], LOCAL[0], INTERNAL[0]], cleanup_confirm=[TARGET])
    for told in (*FED[:1], *LOCAL[:1], *INTERNAL[:1], "out of the selection", "cleanup_topics"):
        assert told in run.failure


@pytest.mark.parametrize(("selection", "left"), [([], FED), (["order"], ["payments.us-south"])])
def test_what_is_no_longer_selected_is_not_fed(
    mirrored: Any, playbook: Any, selection: list[str], left: list[str]
) -> None:
    """An unanchored pattern may match a part of a name, so what it could select counts as fed."""
    mirrored.state.select(mirrored.instance(TARGET), selection)
    mirrored.clock.advance(100)
    run = clean_up(playbook, cleanup_matching=[".*"], cleanup_confirm=[TARGET]).worked()
    kept = "orders-old.us-south" if selection == ["order"] else ""
    assert sorted(deletions(mirrored)) == sorted({*LEFT_OVER, *left} - {kept})
    assert run.facts["cleanup_result"]["enabled"] is True


@pytest.mark.parametrize("world", ["friendly", pytest.param("nasty", marks=pytest.mark.slow)])
def test_after_mirroring_was_disabled_nothing_is_fed(simulate: Any, playbook: Any, world: str) -> None:
    """Also where a deleted topic is listed for a while, the service accepts deletions of what is not there, and throttles."""
    simulator = simulate(world, timing={"topic_delete_seconds": 1.5}, **OFF)
    asked = {
        "cleanup_matching": [".*"],
        "cleanup_confirm": [TARGET],
        "mirroring_settle_timeout": 30,
        "mirroring_target_admin_url": simulator.admin_url(TARGET),
    }
    clean_up(playbook, **asked).worked()
    assert topics(simulator) == sorted([*LOCAL, *INTERNAL])
    simulator.clear_journal()
    assert clean_up(playbook, **asked).worked().changed == 0
    assert deletions(simulator) == []


def test_what_goes_on_being_listed_is_told(simulate: Any, playbook: Any) -> None:
    simulator = simulate(switches={"topic_delete": "late"}, timing={"topic_delete_seconds": 1000}, **OFF)
    asked = {"cleanup_topics": LEFT_OVER[:1], "cleanup_confirm": [TARGET], "cleanup_settle_timeout": 0.5}
    run = clean_up(playbook, **asked)
    assert "audit.us-south still listed 0.5 s after the deletion was accepted" in run.failure
    simulator.clock.advance(2000)
    simulator.clear_journal()
    assert clean_up(playbook, **asked).worked().changed == 0
    assert deletions(simulator) == []


def own_play(**variables: Any) -> list[dict[str, Any]]:
    """The role in a play of somebody else, who does not try on for long."""
    head = {"name": "Somebody's own play", "hosts": "localhost", "connection": "local", "gather_facts": False}
    defaults = {"group/mirrorops.event_streams.all": {"retry_timeout": 1}}
    pair = {"mirroring_source": SOURCE, "mirroring_target": TARGET}
    role = {"role": "mirrorops.event_streams.cleanup", "vars": {**pair, "cleanup_confirm": [TARGET], **variables}}
    return [{**head, "module_defaults": defaults, "roles": [role]}]


@pytest.mark.parametrize(
    ("path", "status", "asked"),
    [
        ("topic-selection$", 503, {"cleanup_topics": LEFT_OVER}),
        ("topic-selection$", 404, {"cleanup_matching": [".*"]}),
        ("active-topics$", 403, {"cleanup_matching": [".*"]}),
    ],
)
def test_while_nobody_can_tell_nothing_is_deleted(
    mirrored: Any, playbook: Any, path: str, status: int, asked: dict[str, Any]
) -> None:
    """Nor is it taken for off where the instance's document contradicts that."""
    mirrored.add_fault("status", api="admin", method="GET", path=path, status=status, times=None)
    run = playbook(own_play(**asked))
    assert f"HTTP {status}" in run.failure
    assert "audit.us-south" in run.failure
    assert {one["fed"] for one in run.facts["cleanup_result"]["remote_topics"]} == {None}
    assert deletions(mirrored) == []


def test_while_an_update_runs_nothing_is_deleted(simulate: Any, playbook: Any) -> None:
    """Nobody knows whether it is one that enables mirroring."""
    running = {"type": "update", "state": "in progress", "description": "Update in progress."}
    simulator = simulate(target={"topics": TOPICS, "last_operation": running})
    run = clean_up(playbook, cleanup_topics=LEFT_OVER, cleanup_confirm=[TARGET])
    assert "an operation of the target is running (update in progress)" in run.failure
    assert clean_up(playbook).worked().facts["cleanup_result"]["enabled"] is None
    assert deletions(simulator) == []


def test_what_becomes_fed_after_the_plan_was_shown_is_not_deleted(simulate: Any, playbook: Any) -> None:
    simulator = simulate(**ON)
    plays = own_play(cleanup_topics=LEFT_OVER)
    select = {"target": TARGET, "topics": ["^audit$"]}
    role = plays[0].pop("roles")[0]
    callback = {"name": "Select it again", "mirrorops.event_streams.topic_selection": select}
    first = {
        "name": "Plan",
        "mirrorops.event_streams.remote_topics": {"role": "cleanup", "list_only": True},
        "register": "plan",
    }
    then = {
        "name": "Delete",
        "mirrorops.event_streams.remote_topics": {
            "role": "cleanup",
            "delete": "{{ plan.planned }}",
            "delete_matching": [],
        },
    }
    run = playbook([{**plays[0], "vars": role["vars"], "tasks": [first, callback, then]}])
    assert run.tasks[0]["result"]["planned"] == LEFT_OVER
    assert "audit.us-south: " in run.failure
    assert [entry["method"] for entry in simulator.writes()] == ["POST"]


@pytest.mark.parametrize("source", [{"mirroring_source": SOURCE_CRN}, {"cleanup_source_alias": "us-south"}])
def test_a_source_that_is_gone_is_not_asked(simulate: Any, playbook: Any, source: dict[str, str]) -> None:
    simulator = simulate(**OFF)
    gone = simulator.instance(SOURCE)
    gone.state = "removed"
    simulator.add_fault("status", path=gone.guid, status=503, times=None)
    clean_up(playbook, cleanup_matching=[".*"], cleanup_confirm=[TARGET], **source).worked()
    assert topics(simulator) == sorted([*LOCAL, *INTERNAL])
    assert [str(entry) for entry in simulator.journal if gone.guid in str(entry) or SOURCE in str(entry)] == []


def test_a_source_that_is_gone_and_has_to_be_asked_is_told(simulate: Any, playbook: Any) -> None:
    simulator = simulate(**OFF)
    simulator.instance(SOURCE).state = "removed"
    run = clean_up(playbook, cleanup_matching=[".*"], cleanup_confirm=[TARGET])
    assert "give its CRN, or source_alias" in run.failure
    assert deletions(simulator) == []


def test_the_other_cluster_after_the_direction_was_turned_round_twice(
    simulate: Any, playbook: Any, observe: Any
) -> None:
    """What came from us-east while us-south was the target stays there; the pair is named the other way round."""
    source = {
        "topics": [{"name": name} for name in ("orders", "payments", "orders.us-east", "us-east.checkpoints.internal")]
    }
    simulator = simulate(source=source, **ON)
    other_way = {"mirroring_source": TARGET, "mirroring_target": SOURCE, "cleanup_confirm": [SOURCE]}
    run = clean_up(playbook, cleanup_topics=["orders.us-east"], **other_way).worked()
    assert "us-east -> us-south: deleted on es-source-us-south" in run.output
    assert topics(simulator, SOURCE) == ["orders", "payments", "us-east.checkpoints.internal"]
    assert set(LEFT_OVER) <= set(topics(simulator))


def test_a_target_that_mirrors_from_another_source_now(simulate: Any, playbook: Any) -> None:
    """What came from the lost one is not fed by its successor, although the selection has the same names."""
    mirroring = {**MIRRORING, "source_alias": "eu-de"}
    target = {"mirroring": mirroring, "selection": ["^orders$"], "topics": [{"name": "orders.us-south"}]}
    simulator = simulate(**AUTHORIZED, target=target)
    clean_up(playbook, cleanup_topics=["orders.us-south"], cleanup_confirm=[TARGET]).worked()
    assert deletions(simulator) == ["orders.us-south"]


@pytest.mark.parametrize(("kind", "by"), [("none", "variable"), ("rename", "echo")])
def test_topics_without_the_alias_cannot_be_told_from_local_ones(
    simulate: Any, playbook: Any, kind: str, by: str
) -> None:
    transform: dict[str, Any] = {"type": kind, **({"rename": {"add_prefix": "dr."}} if kind == "rename" else {})}
    options = (
        {"options": {"topic_name_transform": transform, "group_id_transform": {"type": "none"}}} if by == "echo" else {}
    )
    target = {"mirroring": {**MIRRORING, **options}, "selection": [], "topics": TOPICS}
    simulator = simulate(**AUTHORIZED, target=target)
    given = {"mirroring_topic_name_transform": transform} if by == "variable" else {}
    listed = clean_up(playbook, **given).worked()
    assert listed.facts["cleanup_result"]["remote_topics"] == []
    run = clean_up(playbook, cleanup_topics=LEFT_OVER, cleanup_confirm=[TARGET], **given)
    assert f"the topic_name_transform is {kind}" in run.failure
    assert deletions(simulator) == []


@pytest.mark.parametrize(
    "variables",
    [
        {"mirroring_delete": LEFT_OVER, "mirroring_topics": LEFT_OVER, "mirroring_delete_matching": [".*"]},
        {"mirroring_matching": [".*"], "cleanup_delete": LEFT_OVER, "cleanup_delete_matching": [".*"]},
        {"cleanup_topics": "", "cleanup_matching": [""]},
    ],
)
def test_no_other_variable_deletes_anything(simulate: Any, playbook: Any, variables: dict[str, Any]) -> None:
    simulator = simulate(**OFF)
    assert clean_up(playbook, cleanup_confirm=[TARGET], **variables).worked().changed == 0
    assert deletions(simulator) == []


def test_no_pair_variable_confirms(simulate: Any, playbook: Any) -> None:
    simulator = simulate(**OFF)
    run = clean_up(playbook, cleanup_topics=LEFT_OVER, mirroring_confirm=[TARGET])
    assert "set cleanup_confirm" in run.failure
    assert deletions(simulator) == []


def test_in_a_fleet_only_the_pair_that_is_named_is_cleaned(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    source = {"topics": [{"name": "audit.us-east"}]}
    simulator = simulate(source=source, **OFF)
    there = {"mirroring_source": SOURCE, "mirroring_target": TARGET}
    back = {"mirroring_source": TARGET, "mirroring_target": SOURCE}
    hosts = {"hosts": {"there": there, "back": back}, "vars": {"ansible_connection": "local"}}
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": hosts}))
    asked = {"mirroring_hosts": "all", "cleanup_matching": [".*"], "cleanup_confirm": [TARGET]}
    run = playbook("mirrorops.event_streams.cleanup", asked, arguments=("-i", str(inventory)))
    assert 'set cleanup_confirm: ["es-source-us-south"]' in run.failure
    assert topics(simulator, SOURCE) == ["audit.us-east"]
    assert topics(simulator) == sorted([*LOCAL, *INTERNAL])


@pytest.mark.parametrize("processed", [True, False])
def test_a_lost_answer(simulate: Any, playbook: Any, processed: bool) -> None:
    simulator = simulate(**OFF)
    fault = "reset_after" if processed else "reset_before"
    simulator.add_fault(fault, api="admin", method="DELETE", times=1)
    clean_up(playbook, cleanup_topics=LEFT_OVER[:1], cleanup_confirm=[TARGET], cleanup_settle_timeout=0.5).worked()
    assert deletions(simulator) == LEFT_OVER[:1] * (1 if processed else 2)
    assert "audit.us-south" not in topics(simulator)


@every_core
def test_interrupted_in_between_it_is_run_again(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(**OFF)
    seen = observe(simulator)
    asked = {**playbook.pair, "cleanup_topics": [*LEFT_OVER, "orders.us-south"], "cleanup_confirm": [TARGET]}
    simulator.add_fault("hang", api="admin", method="DELETE", nth=2, seconds=2)
    process, _record = playbook.start("mirrorops.event_streams.cleanup", asked)
    seen.until(lambda: len(topics(simulator)) == len(LOCAL + INTERNAL) + 1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    simulator.clear_journal()
    clean_up(playbook, **{name: asked[name] for name in ("cleanup_topics", "cleanup_confirm")}).worked()
    assert topics(simulator) == sorted([*LOCAL, *INTERNAL])
    assert deletions(simulator) == ["orders.us-south"]


@pytest.mark.parametrize("times", [2, None])
def test_wrong_answers_that_mirroring_is_off_delete_nothing_that_is_fed(
    times: int | None, simulate: Any, playbook: Any, observe: Any
) -> None:
    """One 404 for each of the two tasks, or the same for all requests to one path: either way others contradict it."""
    simulator = simulate(**ON, switches={"echo": "none"})
    observe(simulator).until(lambda: set(FED) <= set(topics(simulator)))
    simulator.add_fault("status", api="admin", method="GET", path="topic-selection$", status=404, times=times)
    run = clean_up(playbook, cleanup_topics=[FED[0]], cleanup_confirm=[TARGET])
    told = "and topics that it mirrors" if times is None else "the target lists orders as active"
    assert told in run.failure
    assert deletions(simulator) == []
