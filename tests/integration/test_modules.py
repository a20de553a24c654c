# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same tasks as ordinary modules: same results as in process, with the credentials of the controller."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import ansible
import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import mirroring
from ansible_collections.mirrorops.event_streams.tests.integration.test_monitoring import MONITORING

pytestmark = pytest.mark.every_core

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
TOPICS = ["^orders$", "^payments$"]
PAIR = {"source": SOURCE, "target": TARGET}
MIRRORING = {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"}
PASSING = {
    "duration", "invocation", "http_trace", "ansible_job_id", "results_file", "started", "finished", "stdout", "stderr",
    "stdout_lines", "stderr_lines", "deprecations", "warnings", "ansible_facts", "failed", "at", "evidence",
}  # fmt: skip
ELSEWHERE = {"ansible_connection": "elsewhere", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def tasks(simulator: Any, **keywords: Any) -> list[dict[str, Any]]:
    """One task for every module; nothing is left to change once the pair is mirrored."""
    grant = {
        "account_id": simulator.instance(SOURCE).account,
        "source_service_instance_id": simulator.instance(TARGET).guid,
        "target_service_instance_id": simulator.instance(SOURCE).guid,
    }
    asked: dict[str, dict[str, Any]] = {
        "instance_info": {"instance": SOURCE, "query": "[].name"},
        "readiness_info": {**PAIR, "topics": TOPICS},
        "authorization_policy": grant,
        "authorization_policy_info": grant,
        "mirroring": {**PAIR, "poll_interval": 0.1, "settle_timeout": 3},
        "topic_selection": {**PAIR, "topics": TOPICS},
        "mirroring_info": {**PAIR, "topics": TOPICS, "wait": True, "poll_interval": 0.1},
        "metrics_info": {"instance": TARGET},
        "recovery_info": {**PAIR, "verb": "failover"},
        "remote_topics": {**PAIR, "delete_matching": ["none.*"], "confirm": [TARGET]},
        "failover_readiness_info": {**PAIR, "topics": TOPICS},
        "topics_info": {"instance": SOURCE},
    }
    return [
        {"name": f"Use {name}", f"mirrorops.event_streams.{name}": options, **keywords}
        for name, options in asked.items()
    ]


def play(listed: list[dict[str, Any]], hosts: str = "localhost", **keywords: Any) -> list[dict[str, Any]]:
    """A play with these tasks."""
    return [{"name": "Somebody's own play", "hosts": hosts, "gather_facts": False, "tasks": listed, **keywords}]


def outcomes(run: Any) -> list[tuple[str, dict[str, Any]]]:
    """What the tasks returned, without what differs from run to run."""
    return [
        (
            entry["task"],
            {
                name: {**value, "at": None} if name == "lag" and value else value
                for name, value in entry["result"].items()
                if name not in PASSING and not name.startswith("_")
            },
        )
        for entry in run.worked().tasks
        if entry["task"].startswith("Use ")
    ]


def tokens(simulator: Any) -> int:
    """How many tokens were fetched: one a run in process, one a task as ordinary modules."""
    return sum(entry["path"].endswith("/identity/token") for entry in simulator.journal)


@pytest.mark.parametrize(
    "way", ["connection", *(pytest.param(way, marks=pytest.mark.slow) for way in ("delegate_to", "async"))]
)
def test_ordinary_modules_return_the_same(simulate: Any, playbook: Any, observe: Any, tmp_path: Any, way: str) -> None:
    simulator = simulate(
        monitoring=MONITORING,
        policies=[{"subject": TARGET, "resource": SOURCE}],
        target={"mirroring": MIRRORING, "selection": TOPICS},
    )
    seen = observe(simulator)
    inventory = tmp_path / "hosts.json"
    inventory.write_text('{"all": {"hosts": {"bastion": {}}}}')
    bastion = {"ansible_connection": "elsewhere", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    here = play(tasks(simulator), vars={"ansible_python_interpreter": "{{ ansible_playbook_python }}"})
    there = {
        "connection": play(tasks(simulator), "bastion", vars=bastion),
        "delegate_to": play(tasks(simulator, delegate_to="bastion", vars=bastion)),
        "async": play(
            tasks(simulator, **{"async": 60, "poll": 1}),
            vars={"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        ),
    }[way]

    expected = outcomes(playbook(here))
    assert tokens(simulator) == 1
    simulator.clear_journal()
    found = outcomes(playbook(there, arguments=("-i", str(inventory))))
    assert found == expected
    assert tokens(simulator) == len(expected)
    seen.untouched()


def test_all_roles_on_another_host(simulator: Any, playbook: Any, observe: Any, tmp_path: Any) -> None:
    seen = observe(simulator)
    inventory = tmp_path / "hosts.json"
    inventory.write_text('{"all": {"hosts": {"bastion": {}}}}')
    variables = {
        "mirroring_source": SOURCE,
        "mirroring_target": TARGET,
        "mirroring_topics": TOPICS,
        "mirroring_poll_interval": 0.1,
        "mirroring_settle_timeout": 3,
        **ELSEWHERE,
    }
    roles = [f"mirrorops.event_streams.{role}" for role in ("setup", "bindings", "enable", "validate")]
    plays = [{"name": "On a bastion", "hosts": "bastion", "gather_facts": False, "roles": roles}]
    options = ("-i", str(inventory))

    predicted = playbook(plays, variables, arguments=(*options, "--check")).worked()
    seen.untouched()
    done = playbook(plays, variables, arguments=options).worked()
    assert done.changes == predicted.changes
    seen.mirrored()
    simulator.clear_journal()
    assert playbook(plays, variables, arguments=options).worked().changed == 0
    seen.untouched()
    assert tokens(simulator) > 1


def test_a_failure_of_an_ordinary_module(simulator: Any, playbook: Any, tmp_path: Any) -> None:
    inventory = tmp_path / "hosts.json"
    inventory.write_text('{"all": {"hosts": {"bastion": {}}}}')
    missing = [{"name": "Look", "mirrorops.event_streams.instance_info": {"instance": "nobody"}}]
    here = playbook(play(missing)).failure
    there = playbook(play(missing, "bastion", vars=ELSEWHERE), arguments=("-i", str(inventory))).failure
    assert here == there
    assert "no Event Streams instance named 'nobody'" in there


def test_every_module_is_covered(simulator: Any, pytestconfig: Any) -> None:
    """What a record returns differs from run to run; test_recovery_record.py runs it everywhere."""
    modules = {path.stem for path in (pytestconfig.rootpath / "plugins/modules").glob("[!_]*.py")}
    assert {task["name"].removeprefix("Use ") for task in tasks(simulator)} == modules - {"recovery_record"}


def too_old() -> str | None:
    """A Python that Ansible starts modules with and this collection does not work with, if there is one here."""
    neighbours = sorted(Path(sys.base_prefix).parent.glob("3.9*/bin"))  # as pyenv has them
    folders = [*neighbours, *(Path(one) for one in os.get_exec_path())]
    found = (folder / "python3.9" for folder in folders if folder.name != "shims")
    return next((str(one) for one in found if one.exists()), None)


@pytest.mark.skipif(too_old() is None, reason="Python 3.9 is not here")
def test_a_python_that_is_too_old_is_told_in_one_line(simulator: Any, playbook: Any, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.json"
    inventory.write_text('{"all": {"hosts": {"bastion": {}}}}')
    old = {**ELSEWHERE, "ansible_python_interpreter": too_old()}
    run = playbook(play(tasks(simulator)[:1], "bastion", vars=old), arguments=("-i", str(inventory)))
    assert "the collection mirrorops.event_streams needs 3.10 or later" in run.failure
    assert "ansible_python_interpreter" in run.failure
    assert len(run.failure.splitlines()) == 1
    assert simulator.journal == []


@pytest.mark.parametrize("name", sorted(path.stem for path in Path(mirroring.__file__).parent.glob("[!_]*.py")))
@pytest.mark.skipif(too_old() is None, reason="Python 3.9 is not here")
def test_every_module_says_so_first(name: str) -> None:
    """Whatever a module imports, nothing that only newer versions have comes before that."""
    command = f"import sys; sys.argv = ['']; import ansible_collections.mirrorops.event_streams.plugins.modules.{name}"
    folders = [str(Path(ansible.__file__).parents[1]), str(Path(mirroring.__file__).parents[5])]
    environment = {"PYTHONPATH": os.pathsep.join(folders), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [too_old() or "", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    assert "needs 3.10 or later" in json.loads(done.stdout)["msg"]
    assert (done.returncode, done.stderr) == (1, "")
