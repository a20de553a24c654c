# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Could a pair fail over now? Real runs of the playbook audit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.test_fleet import kinds
from ansible_collections.mirrorops.event_streams.tests.integration.test_monitoring import (
    ACCOUNT,
    ENABLED,
    MONITORING,
    lags,
)

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
FORTH, BACK = {"subject": TARGET, "resource": SOURCE}, {"subject": SOURCE, "resource": TARGET}
MIRRORING = ENABLED["target"]["mirroring"]
TURNED = {"source": TARGET, "source_alias": "us-east", "target_alias": "us-south"}
TOPICS = ["^orders$", "^payments$"]
NOBODY = "http://127.0.0.1:9"
"""Where nothing answers."""

FAILED = {"type": "update", "state": "failed", "description": "The broker gave up"}
RUNNING = {"type": "update", "state": "in progress", "description": "Scaling"}


def mirrored(**target: Any) -> dict[str, Any]:
    """A world in which the pair could fail over, unless the target is changed."""
    return {
        "monitoring": MONITORING,
        "policies": [FORTH, BACK],
        "target": {"mirroring": MIRRORING, "selection": TOPICS, **target},
    }


def audit(playbook: Any, *arguments: str, **variables: Any) -> Any:
    """The playbook audit for the pair, with everything declared that can be."""
    wanted = {"mirroring_failback": True, "mirroring_max_lag": 60, **variables}
    return playbook.mirror(*arguments, play="audit", **wanted)


def judged(run: Any) -> tuple[int, str, bool]:
    """How a run ended, and what it said of the pair."""
    result = run.facts["audit_result"]
    return run.rc, result["verdict"], result["ready"]


@pytest.mark.every_core
def test_a_pair_that_is_ready(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(**mirrored())
    seen = observe(simulator)
    for arguments in ((), (), ("--check",)):
        simulator.clear_journal()
        run = audit(playbook, *arguments).worked()
        assert judged(run) == (0, "ready", True)
        assert (run.changed, run.facts["audit_result"]["findings"]) == (0, [])
        seen.untouched()
    summary = run.facts["audit_result"]["summary"]
    assert summary[0] == "us-south -> us-east: ready to fail over"
    assert summary[1] == f"Now the source is {SOURCE} (us-south), the target is {TARGET} (us-east)."
    assert any("charged per mirroring capacity unit hour, from enabling until it is disabled" in one for one in summary)
    assert all(line[:60] in re.sub(r"\s+", " ", run.output) for line in summary)
    direction = run.facts["audit_result"]["direction"]
    assert (direction["state"], direction["now"]) == ("forward", "us-south -> us-east")
    assert direction["source"]["guid"] == simulator.instance(SOURCE).guid
    assert direction["target"]["region"] == "us-east"
    assert run.facts["audit_result"]["lag"]["state"] == "within"


CAUSES: dict[str, tuple[dict[str, Any], str]] = {
    "no way back": ({"policies": [FORTH]}, "No authorization lets the source read the target"),
    "no authorization": ({"policies": [BACK]}, "No authorization lets the target read the source"),
    "throughput": (mirrored(throughput="300"), "The source has 150 MB/s of throughput, the target 300 MB/s"),
    "storage": (mirrored(storage_size="4096"), "The source has 2048 GB of storage, the target 4096 GB"),
    "nothing selected": (mirrored(selection=[]), "No topic is selected"),
    "another selection": (mirrored(selection=["^orders$"]), "The topic selection is ['^orders$'], asked was"),
    "another alias": (
        mirrored(mirroring={**MIRRORING, "target_alias": "east"}),
        "target_alias is 'east', wanted 'us-east'",
    ),
    "behind": ({"series": lags(orders=[[90000, 250]])}, "orders, is behind by 250 s"),
    "last operation": (
        mirrored(last_operation=FAILED),
        "The last operation of the target failed: update failed: The bro",
    ),
    "offline": (mirrored(status="offline"), "The target says that its status is offline"),
    "off": (mirrored(mirroring=None), "Mirroring is off"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_what_stands_in_the_way(cause: str, simulate: Any, playbook: Any, observe: Any) -> None:
    changes, told = CAUSES[cause]
    world = {**mirrored(), **changes}
    world["target"] = {name: value for name, value in world["target"].items() if value is not None}
    if "mirroring" not in world["target"]:
        world["target"].pop("selection")
    simulator = simulate(**world)
    run = audit(playbook)
    assert told in run.failure
    assert run.failure.startswith(f"{SOURCE} -> {TARGET}: ")
    assert judged(run) == (2, "not_ready", False)
    observe(simulator).untouched()


def test_a_way_back_that_nobody_has_declared(simulate: Any, playbook: Any) -> None:
    simulate(**{**mirrored(), "policies": [FORTH]})
    run = audit(playbook, mirroring_failback=None).worked()
    (found,) = run.facts["audit_result"]["findings"]
    assert (found["rule"], found["status"]) == ("authorization_failback", "warn")


def test_lag_without_a_limit(simulate: Any, playbook: Any) -> None:
    simulate(**mirrored(), series=lags(orders=[[90000, 250]]))
    run = audit(playbook, mirroring_max_lag=None).worked()
    assert "Lag: The worst topic, orders, is behind by 250 s" in run.output
    lag = run.facts["audit_result"]["lag"]
    assert (lag["state"], lag["accepted"], lag["worst"]["seconds"]) == ("measured", None, 250)


@pytest.mark.parametrize("echo", ["full", "none"])
def test_a_pair_that_is_turned_round(echo: str, simulate: Any, playbook: Any, observe: Any) -> None:
    """Whoever reads that is not told to enable anything, which would make a cycle."""
    simulator = simulate(
        policies=[FORTH, BACK],
        switches={"echo": echo},
        source={"mirroring": TURNED, "selection": ["^audit$"]},
        target={"topics": [{"name": "audit"}]},
    )
    run = audit(playbook)
    assert "Now us-east -> us-south: the pair is turned round" in run.failure
    assert "The playbook failback brings it back" in run.failure
    assert "enable role" not in run.failure
    result = run.facts["audit_result"]
    assert (result["verdict"], result["direction"]["state"], result["lag"]) == ("not_ready", "turned_round", None)
    assert result["direction"]["source"]["name"] == TARGET
    assert f"Now the source is {TARGET} (us-east), the target is {SOURCE} (us-south)" in run.output
    observe(simulator).untouched()


@pytest.mark.parametrize("side", ["source", "target"])
def test_an_operation_that_is_running(side: str, simulate: Any, playbook: Any) -> None:
    world = mirrored()
    world[side] = {**world.get(side, {}), "last_operation": RUNNING}
    simulate(**world)
    run = audit(playbook)
    assert f"An operation of the {side} is still running: update in progress: Scaling Come back" in run.failure
    assert judged(run) == (2, "unknown", False)


@pytest.mark.every_core
@pytest.mark.parametrize("document", ["there", "gone"])
def test_a_source_that_is_dead(document: str, simulate: Any, playbook: Any, observe: Any) -> None:
    """Nothing answers in its region; in the worst case nobody can read its document either."""
    simulator = simulate(**mirrored())
    source = simulator.instance(SOURCE)
    if document == "gone":
        simulator.add_fault("status", status=503, api="resource_controller", path=source.guid, times=None)
    run = playbook(
        [
            {
                "name": "Somebody's own play",
                "hosts": "localhost",
                "connection": "local",
                "gather_facts": False,
                "module_defaults": {"group/mirrorops.event_streams.all": {"retry_timeout": 2}},
                "roles": ["mirrorops.event_streams.audit"],
            }
        ],
        {
            "mirroring_source": str(source.crn),
            "mirroring_target": TARGET,
            "mirroring_topics": TOPICS,
            "mirroring_source_admin_url": NOBODY,
        },
    )
    assert "an unplanned one is, and loses what has not been mirrored" in run.failure
    assert "If it is gone, fail over with failover_mode: unplanned." in run.failure
    assert judged(run) == (2, "unknown", False)
    result = run.facts["audit_result"]
    assert (result["direction"]["now"], result["direction"]["source"]["region"]) == ("us-south -> us-east", "us-south")
    assert {one["rule"] for one in result["findings"]} >= {"source_reachable", "direction", "remote_topics"}
    assert ("source_active" in result["passed"]) == (document == "there")
    assert {"target_reachable", "selection", "authorization"} <= set(result["passed"])
    observe(simulator).untouched()


def fleet(pairs: int) -> dict[str, Any]:
    """Pairs in a world where each could fail over."""
    spare = [{"name": name, "account": ACCOUNT, "region": "us-south"} for name in (SOURCE, TARGET)]
    return {
        "monitoring": MONITORING,
        "instances": spare
        + [
            one
            for number in range(pairs)
            for one in (
                {"name": f"from-{number}", "account": ACCOUNT, "region": "us-south", "topics": [{"name": "orders"}]},
                {
                    "name": f"to-{number}",
                    "account": ACCOUNT,
                    "region": "us-east",
                    "mirroring": {**MIRRORING, "source": f"from-{number}"},
                    "selection": ["^orders$"],
                },
            )
        ],
        "policies": [
            {"subject": one, "resource": other}
            for number in range(pairs)
            for one, other in ((f"to-{number}", f"from-{number}"), (f"from-{number}", f"to-{number}"))
        ],
    }


def audit_fleet(playbook: Any, folder: Path, pairs: int) -> Any:
    """The playbook audit for all of them, and one more that is not there."""
    hosts = {
        f"pair-{number}": {"mirroring_source": f"from-{number}", "mirroring_target": f"to-{number}"}
        for number in range(pairs)
    }
    inventory = folder / "pairs.json"
    inventory.write_text(json.dumps({"all": {"children": {"pairs": {"hosts": hosts}}}}))
    environment = {**playbook.environment(playbook.simulator), "ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    variables = {
        "mirroring_hosts": "pairs",
        "mirroring_topics": ["^orders$"],
        "mirroring_failback": True,
        "mirroring_max_lag": 60,
    }
    arguments = ("-i", str(inventory), "--forks", "2")
    return playbook("mirrorops.event_streams.audit", variables, environment=environment, arguments=arguments)


def outcome(run: Any) -> list[str]:
    """What was told of every pair at the end."""
    (told,) = [one["result"]["msg"] for one in run.tasks if one["task"] == "Show the outcome of every pair"]
    return list(told)


@pytest.mark.every_core
def test_a_fleet_of_which_one_is_not_ready_and_one_is_not_there(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    simulator = simulate(**fleet(3))
    simulator.instance("to-1").selection = []
    run = audit_fleet(playbook, tmp_path, 4)
    assert run.rc == 2
    lines = outcome(run)
    assert lines[0] == "4 pairs: 2 ready, 1 not ready, 1 failed"
    assert lines[1:3] == [f"pair-{number}: us-south -> us-east: ready" for number in (0, 2)]
    assert lines[3].startswith("pair-1: us-south -> us-east: not ready in audit: from-1 -> to-1: No topic is selected")
    assert lines[4].startswith("pair-3: failed in audit: Failed to find target 'to-3'")
    told = run.artifacts["audit"]
    assert sorted(told) == [f"pair-{number}" for number in range(4)]
    assert [told[name]["verdict"] for name in sorted(told)] == ["ready", "not_ready", "ready", "failed"]
    assert told["pair-0"]["problems"] == ""
    assert told["pair-0"]["direction"]["source"]["name"] == "from-0"
    assert told["pair-0"]["lag"]["state"] == "within"
    assert told["pair-1"]["problems"].startswith("from-1 -> to-1: No topic is selected")
    assert (told["pair-3"]["direction"], told["pair-3"]["lag"]) == (None, None)
    assert "Failed to find target 'to-3'" in told["pair-3"]["problems"]
    assert '"audit"' in run.stdout.partition("CUSTOM STATS")[2]
    assert simulator.writes() == []


def test_what_an_audit_of_a_fleet_asks(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    """Twelve requests for a pair, and those that all share."""
    simulator = simulate(**fleet(3))
    assert audit_fleet(playbook, tmp_path, 3).rc == 0
    asked = kinds(simulator.journal)
    assert asked["POST /identity/token"] == 1
    assert asked["GET /v1/policies"] == 1
    shared = 1 + 1 + 1  # a token, the policies, the instances of Monitoring
    assert sum(asked.values()) == 3 * 12 + shared


def test_a_pair_that_mends_itself_is_seen_to(simulate: Any, playbook: Any, observe: Any) -> None:
    """That an authorization is missing is not taken from what an earlier try has read."""
    simulator = simulate(**mirrored())
    seen = observe(simulator)
    back = list(simulator.state.policies.by_id.values())[1]
    back.state = "deleted"
    task = {
        "name": "Wait until it is ready",
        "mirrorops.event_streams.failover_readiness_info": {"role": "audit", "failback": True},
        "register": "audited",
        "until": "audited.ready",
        "retries": 60,
        "delay": 0.2,
    }
    play = {"name": "Wait", "hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}

    def permit() -> None:
        seen.until(lambda: kinds(simulator.journal)["GET /admin/mirroring/active-topics"] > 1)
        back.state = "active"

    run = playbook([play], playbook.pair, meanwhile=permit).worked()
    (result,) = run.results("failover_readiness_info")
    assert (result["ready"], result["attempts"] > 1) == (True, True)
    seen.untouched()


def test_a_selection_by_name_after_a_failback(simulate: Any, playbook: Any) -> None:
    """The patterns would choose what came from the target, too: no reason to wake anybody, and told."""
    left = [{"name": name, "partitions": 1} for name in ("orders", "orders.us-east")]
    simulate(source={"topics": left}, **mirrored(selection=["^orders$"]))
    run = audit(playbook, mirroring_topics=["^orders.*"])
    (found,) = [one for one in run.facts["audit_result"]["findings"] if one["rule"] == "selection"]
    assert (found["status"], "playbook cleanup" in found["remedy"]) == ("warn", True)
    (other,) = [
        one
        for one in audit(playbook, mirroring_topics=["^o.*", "^x$"]).facts["audit_result"]["findings"]
        if one["rule"] == "selection"
    ]
    assert other["status"] == "warn"
    assert "asked was" in audit(playbook, mirroring_topics=["^orders-old$"]).output
