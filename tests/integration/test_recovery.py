# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The round trip: fail over, turn round, fail back, disable (API §10)."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import PATIENCE, SOURCE, TARGET
from .recovery import BACK, MIRRORS, STILL, THERE, TOPICS, VERBS, World, lagging, topics

ACCOUNTS = {"mirroring_source_api_key": "simulated-key-source", "mirroring_target_api_key": "simulated-key-target"}


@pytest.fixture
def world(simulate: Any, playbook: Any, tmp_path: Path) -> World:
    return World(simulate, playbook, tmp_path / "records")


def told_twice(run: Any) -> str:
    """The message of a run of which a step failed: where that happened, and at the end, after the record was written."""
    assert (run.rc, len(run.failures)) == (2, 2), run.output
    assert "Traceback" not in run.output
    assert run.failures[1].endswith(run.failures[0])
    return str(run.failures[1])


@pytest.mark.parametrize(
    "scenario",
    ["friendly", *(pytest.param(one, marks=pytest.mark.slow) for one in ("no_echo", "nasty", "two_accounts"))],
)
def test_the_round_trip(scenario: str, world: World, observe: Any) -> None:
    """Each playbook is shown in check mode, run, and run again; at the end everything is as it was."""
    # Under their old names the metrics would have to be named; that is tried elsewhere.
    simulator = world.begin(scenario, "fresh", switches={"metric_names": "with_units"})
    keys = ACCOUNTS if scenario == "two_accounts" else {}
    if scenario == "nasty":
        keys = {
            f"mirroring_{side}_admin_url": simulator.admin_url(name)
            for side, name in (("source", SOURCE), ("target", TARGET))
        }
    world.run("mirror", mirroring_failback=True, **keys).worked()
    for verb, direction, selected in (
        ("failover", "forward", ([], [])),
        ("reverse", "backward", (TOPICS, [])),
        ("failback", "forward", ([], TOPICS)),
    ):
        observe(simulator).later()
        simulator.clear_journal()
        shown = world.run(verb, "--check", **keys).worked()
        assert shown.facts[f"{verb}_result"]["outcome"] == "planned"
        world.untouched()

        done = world.run(verb, **keys).worked()
        assert done.facts[f"{verb}_result"]["outcome"] == "done"
        assert world.direction == direction
        assert (world.selected(world.source), world.selected(world.target)) == selected
        assert shown.facts[f"{verb}_result"]["actions"] == done.facts[f"{verb}_result"]["actions"]

        observe(simulator).later()
        simulator.clear_journal()
        again = world.run(verb, **keys).worked()
        assert (again.changed, again.facts[f"{verb}_result"]["outcome"]) == (0, "nothing to do")
        world.untouched()
    assert world.run("mirror", mirroring_failback=True, **keys).worked().changed == 0
    done = world.run("disable", **keys).worked()
    assert (world.direction, done.facts["disable_result"]["now"]) == (
        "none",
        "nothing is mirrored to us-east (es-source-us-south was not asked)",
    )
    assert {topic.name for topic in world.target.live_topics()} >= {"orders.us-south", "payments.us-south"}


def test_the_output_tells_which_is_which(world: World) -> None:
    """At every step the direction; the plan, what it costs, and what people have to do."""
    world.begin(state="backward")
    run = world.run("failback").worked()
    summary = run.facts["failback_result"]["summary"]
    assert summary[:2] == ["failback of us-south -> us-east: done", "Now: us-south -> us-east"]
    begins = ("After: Start producers on us-south", "Recovery time: ", "Recovery point: 0", "Record: ", "Page: ")
    assert [sum(line.startswith(one) for line in summary) for one in begins] == [1] * len(begins)
    assert not [line for line in summary if line.startswith("Before: ")]
    text = run.output
    for told in (
        "Now: us-east -> us-south, turned round",
        "es-source-us-south is the source of the pair, and the target now.",
        "es-target-us-east is the target of the pair, and the source now.",
        "1. [us-east -> us-south] wait until es-source-us-south has everything",
        "3. [us-east -> us-south] disable mirroring on es-source-us-south",
        "(up to 2 h, cannot be undone)",
        "4. [us-south -> us-east] let es-target-us-east mirror es-source-us-south (up to 2 h)",
        "Mirroring to es-target-us-east is charged until it is disabled.",
        "Before: Stop the producers that write to us-east",
        "After: Start producers on us-south",
        "Kafka Streams and Kafka Connect",
        "failback of us-south -> us-east: done",
        "Now: us-south -> us-east",
    ):
        assert told in text
    assert text.index("1. [us-east -> us-south]") < text.index(
        "TASK [mirrorops.event_streams.recovery : Select no topics]"
    )


STATES = {"disable": "forward", "failover": "forward", "reverse": "cleared", "failback": "backward"}


@pytest.mark.parametrize(
    ("verb", "confirm"),
    [*((verb, None) for verb in VERBS), *(("failover", one) for one in (True, "another-target", [SOURCE], ""))],
)
def test_nothing_is_done_without_a_confirmation(verb: str, confirm: Any, world: World) -> None:
    world.begin(state=STATES[verb])
    run = world.run(verb, confirm=confirm)
    assert f"run again with {verb}_confirm=es-target-us-east" in run.failure
    assert run.facts[f"{verb}_result"]["outcome"] == "not confirmed"
    assert [one["outcome"] for one in world.records(verb)] == ["not confirmed"]
    world.untouched()


@pytest.mark.parametrize("name", ["several", *(pytest.param(name, marks=pytest.mark.slow) for name in ("guid", "crn"))])
def test_ways_to_confirm(name: str, world: World) -> None:
    world.begin()
    names = {"guid": world.target.guid, "crn": str(world.target.crn), "several": f"another,{TARGET}"}
    world.run("failover", confirm=names[name]).worked()
    assert world.selected(world.target) == []


def test_a_planned_failover_waits_for_lag(world: World) -> None:
    """It stops, and clears nothing, while a topic is behind by more than is accepted; the loss can be accepted."""
    world.begin(series=lagging(orders=0, payments=40))
    late = {"failover_wait_timeout": 2, "mirroring_poll_interval": 0.2}
    failure = told_twice(world.run("failover", **late))
    assert "payments, is behind by 40 s" in failure
    assert "To accept a loss, set failover_max_lag to its seconds." in failure
    world.untouched()
    (record,) = world.records("failover")
    assert (record["outcome"], record["recovery_point"]["seconds"]) == ("failed", 40)

    world.run("failover", failover_max_lag=60).worked()
    assert world.selected(world.target) == []
    assert world.records("failover")[-1]["recovery_point"]["seconds"] == 40


def test_a_planned_failover_without_monitoring_is_refused(world: World) -> None:
    world.begin(monitoring=[], series=[])
    failure = told_twice(world.run("failover"))
    assert "failover_mode: unplanned" in failure
    assert "this identity can see no instance of IBM Cloud Monitoring in us-east" in failure
    world.untouched()


def of_source(entry: dict[str, Any], source: Any) -> bool:
    """Whether a request needs the source: its admin API, its document, its account, or its region."""
    text = f"{entry['path']} {json.dumps(entry['query'])} {json.dumps(entry['body'])}"
    return (
        entry["instance"] == source.guid
        or any(name in text for name in (source.guid, SOURCE, "us-south"))
        or entry["path"].startswith(("/v1/policies", "/v2/policies"))
    )


GONE = {
    "503": {"action": "status", "status": 503},
    "no answer": {"action": "hang", "seconds": 30, "processed": False},
}


@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize("scenario", ["friendly", pytest.param("no_echo", marks=pytest.mark.slow), "two_accounts"])
def test_an_unplanned_failover_asks_nothing_of_the_source(scenario: str, gone: str, world: World) -> None:
    simulator = world.begin(scenario, series=lagging(orders=12, payments=3))
    if scenario == "two_accounts":
        # The account of the source is not to be asked either: there is no key for it.
        simulator.add_fault("unauthorized", path="/identity/token", nth=2, times=None)
    keys = {"mirroring_source_api_key": "no-such-key", "mirroring_target_api_key": "simulated-key-target"}
    simulator.add_fault(instance=world.source.guid, times=None, **GONE[gone])
    given = keys if scenario == "two_accounts" else {}
    run = world.run("failover", failover_mode="unplanned", **given).worked()
    assert world.selected(world.target) == []
    assert [entry["path"] for entry in simulator.journal if of_source(entry, world.source)] == []
    assert "the worst topic, orders, was behind by 12 s" in run.output
    assert (
        "How far it was behind after that reading is not known, nor is anything of topics that had no value"
        in run.output
    )
    assert "es-source-us-south is the source of the pair." in run.output
    assert "es-target-us-east is the target of the pair, and the target now." in run.output
    assert run.facts["failover_result"]["lag"]["worst"] == {"topic": "orders", "seconds": 12}
    (record,) = world.records("failover")
    assert (record["recovery_point"]["how"], record["recovery_point"]["seconds"]) == ("last reading", 12)
    assert record["before"]["sides"]["source"]["asked"] is False
    assert record["recovery_time"]["seconds"] is not None


@pytest.mark.slow
def test_a_planned_failover_says_what_to_do_when_the_source_is_gone(world: World) -> None:
    simulator = world.begin()
    simulator.add_fault("status", status=503, instance=world.source.guid, times=None)
    failure = world.run("failover").failure
    assert "Whether es-source-us-south mirrors is not known" in failure
    assert "failover_mode: unplanned" in failure
    world.untouched()


def test_the_last_reading_may_be_missing_or_old(world: World) -> None:
    world.begin(monitoring=[], series=[])
    run = world.run("failover", failover_mode="unplanned").worked()
    assert "How much is lost is not known" in run.output
    world.begin(series=[{**one, "points": [[90000, 7], [3600, None]]} for one in STILL])
    run = world.run("failover", failover_mode="unplanned").worked()
    assert run.facts["failover_result"]["lag"]["worst"]["seconds"] == 7
    at = run.facts["failover_result"]["lag"]["at"]
    assert at is not None
    assert "was behind by 7 s" in run.output


@pytest.mark.parametrize(
    ("verb", "state", "told"),
    [
        ("failover", "backward", "the pair is turned round, us-east -> us-south"),
        ("reverse", "forward", "it has not been failed over to"),
        ("failback", "off", "may be on no other cluster"),
        ("failback", "cleared", "may be on no other cluster"),
        ("failback", "backward, cleared", "may be on no other cluster"),
    ],
)
def test_the_wrong_verb_is_refused_with_the_reason(verb: str, state: str, told: str, world: World) -> None:
    world.begin(state=state)
    assert told in world.run(verb).failure
    world.untouched()
    assert world.records(verb)[-1]["outcome"] == "refused"


def test_both_ways_at_once_is_refused(world: World) -> None:
    """The service does not let it come to that; should it, nobody knows which data is the good one."""
    world.begin(
        state="forward",
        source={
            "mirroring": {"source": TARGET, "source_alias": "us-east", "target_alias": "us-south"},
            "selection": TOPICS,
        },
    )
    for verb in ("failover", "reverse", "failback"):
        assert "Both mirror each other" in world.run(verb).failure
    world.untouched()


@pytest.mark.parametrize(
    ("state", "verb", "end"),
    [
        ("off", "reverse", "backward"),
        ("backward, cleared", "failback", "forward"),
        ("backward, cleared", "reverse", "backward"),
    ],
)
def test_what_is_half_done_is_ended(state: str, verb: str, end: str, world: World) -> None:
    world.begin(state=state, policies=[THERE, BACK])
    world.run(verb, **({"failback_resume": True} if verb == "failback" else {})).worked()
    assert world.direction == end
    assert world.selected(world.source if end == "backward" else world.target) == TOPICS


def test_an_authorization_that_is_missing_is_made(world: World, observe: Any) -> None:
    simulator = world.begin(state="cleared", policies=[THERE])
    world.run("reverse").worked()
    assert sorted(observe(simulator).policies()) == sorted(
        [(world.target.guid, world.source.guid), (world.source.guid, world.target.guid)]
    )


@pytest.mark.slow
def test_an_interrupted_failback_is_ended_by_its_record(world: World) -> None:
    """Without the record nobody can tell it from a failover, so that has to be said."""
    simulator = world.begin(state="backward")
    simulator.add_fault("status", status=422, method="PATCH", path=world.target.guid, times=1)
    assert "Submit the update that enables mirroring" in world.run("failback").failures[-1]
    assert world.direction == "none"
    run = world.run("failback").worked()
    assert (world.direction, world.selected(world.target)) == ("forward", TOPICS)
    assert "This continues the run of" in run.output
    first, second = world.records("failback")
    assert (first["outcome"], second["outcome"]) == ("failed", "done")
    assert second["recovery_time"]["from"] == first["started_at"]

    simulator = world.begin(state="backward")
    world.folder = world.folder / "elsewhere"
    simulator.add_fault("status", status=422, method="PATCH", path=world.target.guid, times=1)
    world.run("failback")
    for path in world.folder.iterdir():
        path.unlink()
    assert "failback_resume: true" in world.run("failback").failure
    world.run("failback", failback_resume=True).worked()
    assert world.direction == "forward"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": {"locked": True}}, "es-source-us-south is locked"),
        ({"target": {"locked": True}}, "es-target-us-east is locked"),
        ({"source": {"throughput": "300", "storage_size": "4096"}}, "which have to be equal"),
    ],
)
def test_nothing_is_begun_that_could_not_be_ended(changes: dict[str, Any], told: str, world: World) -> None:
    world.begin(state="cleared", **changes)
    assert told in world.run("reverse").failure
    world.untouched()


def test_a_source_that_is_not_fully_operational_is_not_mirrored_to(world: World) -> None:
    simulator = world.begin(state="cleared")
    simulator.add_fault("status", status=200, body={"status": "degraded"}, path="/admin/status", times=None)
    assert "is not fully operational: its status is degraded" in world.run("reverse").failure
    world.untouched()


def test_what_came_from_the_source_is_not_sent_back(world: World) -> None:
    """Patterns that also choose remote topics are narrowed to the names of the target's own."""
    world.begin(state="cleared", target={"topics": topics("orders", "orders.us-south", "local", "payments.us-south")})
    run = world.run("reverse", mirroring_topics=[".*"]).worked()
    assert world.selected(world.source) == ["^local$", "^orders$"]
    assert "so each topic of its own is selected by name" in run.output
    again = world.run("reverse", mirroring_topics=[".*"]).worked()
    assert again.changed == 0


@pytest.mark.parametrize("own", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_only_the_authorization_of_this_collection_is_taken_back(own: bool, world: World, observe: Any) -> None:
    simulator = world.begin("friendly", "fresh", policies=[] if own else [THERE])
    world.run("mirror", mirroring_failback=True).worked()
    run = world.run("disable", disable_remove_authorization=True).worked()
    left = {(world.source.guid, world.target.guid), *([] if own else [(world.target.guid, world.source.guid)])}
    assert set(observe(simulator).policies()) == left
    assert ("is left alone" in run.output) is not own
    assert world.run("disable", disable_remove_authorization=True).worked().changed == 0


def test_disable_works_without_the_source(world: World) -> None:
    simulator = world.begin()
    simulator.add_fault("status", status=503, instance=world.source.guid, times=None)
    world.run("disable").worked()
    assert world.direction == "none"
    assert [entry["path"] for entry in simulator.journal if of_source(entry, world.source)] == []


@pytest.mark.slow
def test_throughput_goes_along_where_it_is_needed(world: World) -> None:
    """API §3.5: above 150 MB/s, the change has to carry it."""
    large = {"throughput": "300", "storage_size": "4096"}
    world.begin(state="cleared", switches={"throughput_rule": "required"}, source=large, target=large)
    world.run("reverse").worked()
    sent = [entry["body"]["parameters"] for entry in world.simulator.writes() if entry["method"] == "PATCH"]
    assert [one["throughput"] for one in sent] == ["300", "300"]


@pytest.mark.slow
def test_a_run_that_does_not_wait_is_gone_on_with(world: World, observe: Any) -> None:
    """For schedulers with a time limit: each run submits one update, and the next one goes on."""
    simulator = world.begin(state="cleared", timing={"operation_seconds": 600})
    outcomes = []
    for _dummy in range(3):
        run = world.run("reverse", mirroring_wait=False).worked()
        outcomes.append(run.facts["reverse_result"]["outcome"])
        observe(simulator).later()
    assert outcomes == ["under way", "under way", "done"]
    assert (world.direction, world.selected(world.source)) == ("backward", TOPICS)


@pytest.mark.slow
def test_an_update_that_is_running_is_waited_for(world: World) -> None:
    """A run that was killed while mirroring was being disabled."""
    world.begin(state="cleared", timing={"operation_seconds": 3})
    world.run("reverse", mirroring_wait=False).worked()
    world.run("reverse").worked()
    assert world.direction == "backward"
    assert len([entry for entry in world.simulator.writes() if entry["method"] == "PATCH"]) == 2


def test_the_record(world: World) -> None:
    """Who, when, plan, steps with transaction ids, before and after, times; nothing secret, and nobody else's to read."""
    simulator = world.begin(state="backward")
    run = world.run("failback").worked()
    (record,) = world.records("failback")
    steps = record["steps"]
    assert [one["action"] for one in steps] == run.facts["failback_result"]["actions"]
    assert {one["outcome"] for one in steps} == {"done"}
    assert all(one["started_at"] and one["ended_at"] for one in steps)
    writes = [(write["method"], write["path"]) for one in steps for write in one["writes"]]
    assert writes == [(entry["method"], entry["path"]) for entry in simulator.writes()]
    assert all(write["transaction_id"] for one in steps for write in one["writes"])
    assert (record["before"]["direction"], record["after"]["direction"]) == ("backward", "forward")
    assert record["who"]["identity"]
    assert record["recovery_time"]["seconds"] >= 0
    assert record["recovery_point"]["how"] == "measured"
    files = sorted(world.folder.iterdir())
    assert [path.suffix for path in files] == [".html", ".json"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    key = simulator.environment()["IC_API_KEY"]
    assert not any(key in path.read_text() for path in files)
    assert run.facts["failback_result"]["record"] == str(files[1])


def test_the_commands_of_the_guide(world: World, playbook: Any) -> None:
    """As they are printed, one after the other: what is not confirmed is only shown, all else is done."""
    root = Path(__file__).parents[2]
    guide = (root / "docs/docsite/rst/guide_disaster_recovery.rst").read_text()
    commands = [shlex.split(line) for line in re.findall(r"^ +\$ (ansible-playbook .*)$", guide, re.MULTILINE)]
    assert len(commands) > 6
    world.begin()
    plain = {"mirroring_records": str(world.folder), "mirroring_poll_interval": 0.1, "mirroring_settle_timeout": 3}
    pair, estate = root / "examples/pair.yml", world.folder.parent / "estate.json"
    places = {"@pair.yml": f"@{pair}", "snapshot_file=/tmp/estate.json": f"snapshot_file={estate}"}
    for _program, name, *options in commands:
        run = playbook(name, plain, arguments=tuple(places.get(one, one) for one in options))
        verb = name.rpartition(".")[2]
        shown = verb in VERBS and not any(one.startswith(f"{verb}_confirm=") for one in options)
        assert run.rc == (2 if shown else 0), run.output
        assert ("run again with" in run.output) is shown
    # The pair's own patterns would also choose what came back, until that is deleted.
    assert (world.direction, world.selected(world.target)) == ("forward", ["^orders$", "^payments$"])
    assert estate.exists()


def test_one_pair_of_a_fleet_is_failed_over(world: World, playbook: Any) -> None:
    """The confirmation names it, so the others are only shown."""
    world.begin()
    hosts = {
        name: {
            "mirroring_source": SOURCE,
            "mirroring_target": target,
            "mirroring_records": str(world.folder),
            "ansible_connection": "local",
        }
        for name, target in (("orders", TARGET), ("payments", world.target.guid))
    }
    inventory = Path(playbook._folder, "fleet.json")
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    given = {"mirroring_hosts": "all", "mirroring_poll_interval": 0.1}
    given["failover_confirm"] = "{{ [mirroring_target] if inventory_hostname == 'orders' else [] }}"
    run = playbook("mirrorops.event_streams.failover", given, arguments=("-i", str(inventory)))
    assert (run.rc, run.stats["orders"]["failures"], run.stats["payments"]["failures"]) == (2, 0, 1)
    assert world.selected(world.target) == []


@pytest.mark.parametrize("echo", ["full", pytest.param("none", marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", ["planned", "unplanned"])
def test_one_wrong_404_is_no_proof(echo: str, mode: str, world: World) -> None:
    """Else it would be told that nothing arrives any more, while it does."""
    simulator = world.begin(switches={"echo": echo})
    gone = {"status": 404, "path": "/admin/mirroring/topic-selection", "method": "GET", "instance": world.target.guid}
    simulator.add_fault("status", **gone, times=1)
    world.run("failover", failover_mode=mode).worked()
    assert world.selected(world.target) == []


def test_what_contradicts_itself_is_not_called_failed_over(world: World) -> None:
    simulator = world.begin()
    simulator.add_fault(
        "status", status=404, path="/admin/mirroring", method="GET", instance=world.target.guid, times=None
    )
    assert "while the instance's document goes on showing settings" in world.run("failover").failure
    world.untouched()


THIRD = {"name": "es-third", "account": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "region": "eu-de", "topics": topics("x")}


def beside_a_third(world: World, instance: str, echo: str, selection: list[str], other: dict[str, Any]) -> None:
    """A world in which one instance of the pair mirrors a third one."""
    from simulator import load_scenario

    instances = [*load_scenario("friendly")["instances"], THIRD]
    mirrors = {
        "mirroring": {"source": "es-third", "source_alias": "eu-de", "target_alias": "x"},
        "selection": selection,
    }
    own = {"topics": [*topics("orders"), *topics("eu-de.checkpoints.internal")]}
    changes = {"target": other, "source": {**mirrors, **own}} if instance == SOURCE else {"target": {**mirrors, **own}}
    world.begin(state="off", instances=instances, switches={"echo": echo}, **changes)


@pytest.mark.parametrize("echo", [pytest.param("full", marks=pytest.mark.slow), "none"])
@pytest.mark.parametrize("verb", ["failback", "reverse"])
def test_another_pairs_mirroring_is_left_alone(verb: str, echo: str, world: World) -> None:
    """Where nothing is echoed, the names of the service's own topics tell."""
    beside_a_third(world, SOURCE, echo, [], {})
    assert "mirrors another instance than that of this pair" in world.run(verb).failure
    world.untouched()


@pytest.mark.parametrize("echo", [pytest.param("full", marks=pytest.mark.slow), "none"])
@pytest.mark.parametrize("verb", ["disable", "failover"])
def test_what_the_target_mirrors_is_told_where_the_source_is_not_asked(verb: str, echo: str, world: World) -> None:
    beside_a_third(world, TARGET, echo, ["^x$"], {})
    given = {"failover_mode": "unplanned"} if verb == "failover" else {}
    output = world.run(verb, "--check", **given).output
    shown = "messagehub:eu-de" if echo == "full" else "It shows eu-de as its source"
    assert shown in output
    assert "whether that is es-source-us-south was not asked" in output
    by_alias = world.run(verb, mirroring_source_alias="us-south", **given)
    by_crn = world.run(verb, mirroring_source=str(world.source.crn), **given)
    for run in (by_alias, by_crn):
        assert "mirrors another instance than that of this pair" in run.failure
    world.untouched()


def test_a_source_that_mirrors_a_third_one_can_be_failed_over_from(world: World) -> None:
    beside_a_third(world, SOURCE, "full", ["^x$"], {**MIRRORS, "selection": TOPICS})
    run = world.run("failover").worked()
    assert world.selected(world.target) == []
    assert "Now: us-south -> us-east" in run.output
    assert "itself mirrors another instance" in run.output


@pytest.mark.slow
def test_a_failback_does_not_follow_a_reverse_that_was_interrupted(world: World, observe: Any) -> None:
    """Nothing of what was written to the target has come to the source yet."""
    simulator = world.begin(state="cleared")
    for _dummy in range(2):
        world.run("reverse", mirroring_wait=False).worked()
        observe(simulator).later()
    simulator.clear_journal()
    assert "may be on no other cluster" in world.run("failback").failure
    world.untouched()


@pytest.mark.slow
def test_a_reverse_does_not_follow_a_failback_that_was_interrupted(world: World) -> None:
    simulator = world.begin(state="backward")
    simulator.add_fault("status", status=422, method="PATCH", path=world.target.guid, times=2)
    for _dummy in range(2):
        assert "Submit the update that enables mirroring" in world.run("failback").failures[-1]
    simulator.clear_journal()
    assert "A failback of this pair was interrupted" in world.run("reverse").failure
    world.untouched()
    world.run("failback").worked()
    assert world.direction == "forward"


@pytest.mark.slow
def test_what_was_done_is_told_though_it_cannot_be_looked_at(world: World) -> None:
    simulator = world.begin()
    path = "/v2/resource_instances"
    simulator.add_fault("forbidden", path=path, method="GET", nth=undisturbed(world, simulator, path), times=None)
    run = world.run("failover")
    assert "All steps were taken, and what became of them could not be looked at" in run.failures[-1]
    assert run.facts["failover_result"]["outcome"] == "incomplete"
    assert world.selected(world.target) == []
    (record,) = world.records("failover")
    assert "could not be looked at afterwards" in " ".join(record["notes"])


def undisturbed(world: World, simulator: Any, path: str) -> int:
    """The number of the request to a path that is the first after the selection is cleared."""
    world.run("failover").worked()
    cleared = next(number for number, entry in enumerate(simulator.journal) if entry["write"])
    before = sum(entry["path"].startswith(path) for entry in simulator.journal[:cleared])
    simulator.reset()
    simulator.clear_journal()
    for one in world.folder.iterdir():
        one.unlink()
    return before + 1


@pytest.mark.slow
def test_disable_says_what_it_has_not_asked(world: World) -> None:
    world.begin(state="backward")
    assert "name source and target the other way round" in world.run("disable").worked().output
    world.run("disable", mirroring_source=TARGET, mirroring_target=SOURCE, confirm=SOURCE).worked()
    assert world.direction == "none"


def test_the_key_of_a_source_that_is_gone_is_not_worked_out(world: World) -> None:
    world.begin()
    lost = "{{ lookup('ansible.builtin.file', '/no/such/file') }}"
    world.run("failover", failover_mode="unplanned", mirroring_source_api_key=lost).worked()
    assert world.selected(world.target) == []


@pytest.mark.slow
def test_a_loss_that_is_fine_for_a_check_is_not_accepted_for_a_failover(world: World) -> None:
    world.begin(series=lagging(orders=0, payments=40))
    given = {"mirroring_max_lag": 3600, "failover_wait_timeout": 5, "mirroring_poll_interval": 0.2}
    assert "Accepted are 0 s" in told_twice(world.run("failover", **given))
    world.untouched()
    assert "is behind by 60 s at most" in world.run("failover", failover_max_lag=60, **given).worked().output


@pytest.mark.slow
def test_topics_of_which_nothing_is_known_are_told(world: World) -> None:
    world.begin(series=[{**one, "points": [[90000, None]]} if one["topic"] == "payments" else one for one in STILL])
    run = world.run("failover", mirroring_topics_timeout=1).worked()
    told = "How much of these topics is lost is not known, because Monitoring has no value of them: payments."
    assert told in run.output
    assert told in run.facts["failover_result"]["notes"]


@pytest.mark.slow
def test_topics_that_came_under_another_alias_are_not_sent_back(world: World) -> None:
    came = topics("orders", "orders.prod", "prod.checkpoints.internal")
    world.begin(state="off", target={"topics": came})
    world.run("reverse", mirroring_topics=[".*"]).worked()
    assert world.selected(world.source) == ["^orders$"]


@pytest.mark.slow
def test_what_was_written_is_recorded_before_the_run_ends(world: World) -> None:
    """So that it is in a record also if the run is killed while it waits."""
    world.begin(timing={"operation_seconds": 8})

    def until_written() -> None:
        limit = time.monotonic() + PATIENCE
        written: list[str] = []
        while written != ["POST", "PATCH"]:
            assert time.monotonic() < limit
            time.sleep(0.05)
            (record,) = world.records("disable") or [{"steps": [], "ended_at": None}]
            written = [one["method"] for step in record["steps"] for one in step["writes"] if one["transaction_id"]]
        assert (record["outcome"], record["ended_at"]) == ("unfinished", None)
        assert world.direction == "forward"

    assert world.run("disable", meanwhile=until_written).worked().facts["disable_result"]["outcome"] == "done"


@pytest.mark.slow
def test_what_was_measured_before_the_start_does_not_pass_a_gate(world: World) -> None:
    """A value is up to five minutes old, and the producers have just been stopped."""
    simulator = world.begin(timing={"metrics_interval_seconds": 60})
    run = world.run("failover", failover_wait_timeout=3)
    assert "waiting for values from after the start" in run.output
    assert run.facts["failover_result"]["outcome"] == "failed"
    world.untouched()
    simulator.set_timing("metrics_interval_seconds", 1)
    assert world.run("failover").worked().facts["failover_result"]["recovery_point"] == 0


def test_patterns_that_only_the_service_reads_do_not_send_back_what_came(world: World) -> None:
    came = topics("orders", "orders.us-south", "us-south.checkpoints.internal")
    world.begin(state="off", target={"topics": came})
    run = world.run("reverse", mirroring_topics=["[a-z]++.*"])
    assert "would go back to it" in run.failure
    world.untouched()


@pytest.mark.slow
def test_a_failover_ends_a_failback_that_was_interrupted(world: World, observe: Any) -> None:
    """The source was gone again before all was done, so applications are on the target, with data that is nowhere else."""
    simulator = world.begin(state="backward")
    world.run("failback", mirroring_wait=False).worked()
    observe(simulator).later()
    told = world.run("reverse").failure
    assert f"run failover with failover_mode: unplanned and failover_confirm={TARGET}" in told
    # A mere look at the plan says nothing of where applications are; and a planned failover does not guess.
    world.run("failover", confirm=None, failover_mode="unplanned").worked()
    assert "A failback of this pair was interrupted" in world.run("reverse").failure
    planned = world.run("failover")
    assert "A failback of this pair was interrupted" in planned.failure
    assert "applications use" not in planned.output and "After: " not in planned.output
    assert "This goes on with a failback that was interrupted" in world.run("failback", "--check").output
    run = world.run("failover", failover_mode="unplanned").worked()
    assert run.facts["failover_result"]["outcome"] == "nothing to do"
    assert "After: Start producers on us-east" in run.output
    simulator.clear_journal()
    assert "may be on no other cluster" in world.run("failback").failure
    world.untouched()
    world.run("reverse").worked()
    assert world.direction == "backward"


@pytest.mark.slow
def test_a_failback_without_monitoring(world: World) -> None:
    world.begin(state="backward", monitoring=[])
    assert "failback_accept_unknown_loss: true" in told_twice(world.run("failback", mirroring_topics_timeout=1))
    world.untouched()
    run = world.run("failback", failback_accept_unknown_loss=True).worked()
    assert (
        "How much of what was written to es-target-us-east is not on es-source-us-south is not looked at" in run.output
    )
    assert (world.direction, world.selected(world.target)) == ("forward", TOPICS)


@pytest.mark.slow
@pytest.mark.parametrize("survives", ["yes", "no"])
def test_a_selection_that_outlasts_mirroring_sends_nothing_back(survives: str, world: World) -> None:
    """API §11.11: it may be there again as soon as mirroring is enabled."""
    switches = {"selection_survives_disable": survives}
    world.begin(target={**MIRRORS, "selection": [".*"]}, switches=switches)
    world.run("disable").worked()
    world.run("reverse").worked()
    world.run("failback").worked()
    assert world.selected(world.target) == TOPICS
    assert not [name for name in world.target.topics if name.endswith(".us-east.us-south")]


def test_which_of_several_it_mirrors_is_not_guessed(world: World) -> None:
    beside_a_third(world, SOURCE, "none", [], {})
    world.simulator.create_topic(SOURCE, "us-east.checkpoints.internal")
    run = world.run("failback", failback_resume=True)
    assert "has been mirrored to from eu-de and from us-east" in run.failure
    world.untouched()


def test_a_planned_failover_of_what_is_not_there_names_the_way_on(world: World) -> None:
    simulator = world.begin()
    simulator.add_fault("status", status=404, path=f"/resource_instances/{world.source.guid}", times=None)
    run = world.run("failover", mirroring_source=world.source.guid)
    assert "set failover_mode: unplanned" in run.failure
    world.untouched()


@pytest.mark.slow
def test_a_gate_waits_for_fresh_values_also_where_updates_are_not_waited_for(world: World) -> None:
    """What was measured before the start may be five minutes old, whatever a scheduler says of updates."""
    simulator = world.begin(series=lagging(orders=0, payments=0), timing={"metrics_interval_seconds": 600})
    run = world.run("failover", mirroring_wait=False, failover_wait_timeout=2, mirroring_poll_interval=0.2)
    assert "Monitoring has no values from after the start" in told_twice(run)
    world.untouched()
    assert simulator.journal


@pytest.mark.slow
def test_what_was_not_seen_in_the_end_is_looked_at_again(world: World) -> None:
    """The topics are selected, and none appears: a run after that does not call it done."""
    world.begin(state="backward", timing={"remote_topic_seconds": 3600, "active_topic_seconds": 3600})
    late = {"mirroring_topics_timeout": 0.5}
    told_twice(world.run("failback", **late))
    assert (world.direction, world.selected(world.target)) == ("forward", TOPICS)
    again = world.run("failback", **late)
    assert "see that es-target-us-east mirrors what is selected" in again.output
    told_twice(again)

    # Nothing of it explains that no topics are selected, should that be so later: it is not gone on with then.
    world.target.selection = []
    world.simulator.clear_journal()
    assert "may be on no other cluster" in world.run("failback", **late).failure
    world.untouched()


@pytest.mark.parametrize("trouble", ["from the start", "after the first step"])
def test_an_unplanned_failover_without_a_record(trouble: str, world: World, observe: Any) -> None:
    """It is done all the same, and the result says that there is no record of it."""
    simulator = world.begin()

    def spoil() -> None:
        if world.folder.exists():
            shutil.rmtree(world.folder)
        world.folder.write_text("a file is in the way")

    def spoil_later() -> None:
        observe(simulator).until(lambda: world.selected(world.target) == [])
        spoil()

    if trouble == "from the start":
        spoil()
        run = world.run("failover", failover_mode="unplanned").worked()
    else:
        simulator.add_fault("hang", seconds=2, path="/topic-selection", method="POST", times=1)
        run = world.run("failover", failover_mode="unplanned", meanwhile=spoil_later).worked()
    assert world.selected(world.target) == []
    assert "There is no record of this run: " in run.output
    assert run.facts["failover_result"]["outcome"] == "done"
    assert run.facts["failover_result"]["record"] is None


def test_a_record_that_is_refused_for_another_reason_is_told_as_well(world: World) -> None:
    """Ansible itself refuses the job's facts, before the module looks at anything."""
    world.begin()
    run = world.run("failover", failover_mode="unplanned", __recovery_job="no dictionary").worked()
    assert "There is no record of this run: " in run.output
    assert world.selected(world.target) == []


def test_nothing_is_begun_that_cannot_be_recorded(world: World) -> None:
    world.begin()
    world.folder = Path("/proc/records")
    failure = world.run("failover").failures[-1]
    assert "Begin the record: " in failure and "mirroring_records" in failure and "Nothing was done." in failure
    world.untouched()


@pytest.mark.slow
def test_a_document_that_goes_on_showing_settings_after_a_disable(world: World) -> None:
    """Nobody documents that it follows. What this run has seen go off is off; later runs cannot know, until it is said."""
    world.begin(switches={"echo": "outdated"})
    run = world.run("disable").worked()
    assert run.facts["disable_result"]["outcome"] == "done"
    assert "This run has seen it go off." in run.output
    later = world.run("reverse")
    assert "Whether es-target-us-east mirrors is not known" in later.failure
    assert "Now: not known, because it is not known whether es-target-us-east mirrors" in later.output
    noted = world.run("failover", failover_mode="unplanned", mirroring_force=True).worked()
    assert noted.facts["failover_result"]["outcome"] == "nothing to do"
    world.run("reverse", mirroring_force=True).worked()
    assert world.direction == "backward"


@pytest.mark.slow
def test_mirroring_is_disabled_although_the_selection_cannot_be_read(world: World) -> None:
    """The update needs the platform only. That is not guessed, but can be asked for."""
    simulator = world.begin()
    simulator.add_fault("status", status=403, path="/admin/mirroring", instance=world.target.guid, times=None)
    assert "is not known" in world.run("disable").failure
    world.untouched()
    run = world.run("disable", disable_force=True)
    assert "so it is not cleared" in run.output
    assert world.direction == "none"
    assert [entry["method"] for entry in simulator.writes()] == ["PATCH"]


def test_patterns_that_are_taken_out_are_named(world: World) -> None:
    world.begin(state="forward")
    run = world.run("failback", "--check", mirroring_topics=["^orders$"]).worked()
    assert (
        "and no longer ^payments$: what has not arrived of that by then does not arrive any more (cannot be undone)"
        in run.output
    )
    world.untouched()


def test_a_loss_under_an_alias_that_nobody_knows(world: World) -> None:
    """Two have left traces, and the cloud does not show which one it is now: then every topic counts, and no name is made up."""
    world.begin(
        "no_echo",
        series=lagging(**{"orders.us-south": 45}),
        target={"topics": topics("orders", "us-south.checkpoints.internal", "eu-de.checkpoints.internal")},
    )
    run = world.run("failover", failover_mode="unplanned").worked()
    assert "was behind by 45 s" in run.output
    assert "orders.<alias of the source>" in run.output and "orders.es-source" not in run.output


def test_another_spelling_of_the_target_confirms_as_well(world: World) -> None:
    world.begin()
    run = world.run("failover", confirm=str(world.target.crn).removesuffix("::"), failover_mode="unplanned").worked()
    assert run.facts["failover_result"]["outcome"] == "done"


@pytest.mark.slow
def test_copies_under_the_alias_that_is_shown_are_not_sent_back(world: World) -> None:
    """Whatever the variables and the regions say, and although none of the service's own topics is listed."""
    mirrors = {"source": SOURCE, "source_alias": "dc1", "target_alias": "us-east"}
    target = {"mirroring": mirrors, "selection": [], "topics": topics("orders", "orders.dc1")}
    world.begin(target=target, policies=[THERE, BACK])
    world.target.topics.pop("dc1.checkpoints.internal")
    world.run("reverse", mirroring_topics=["^orders.*"]).worked()
    assert world.direction == "backward"
    assert not [name for name in world.source.topics if "dc1" in name and not name.endswith("internal")]
