# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles in playbooks of somebody else: with their own arguments only, together and each alone."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.every_core

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
TOPICS = ["^orders$", "^payments$"]
WAIT = {"poll_interval": 0.1, "wait_timeout": 60}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "setup": {"source": SOURCE, "target": TARGET, "topics": TOPICS},
    "bindings": {"source": SOURCE, "target": TARGET},
    "enable": {"source": SOURCE, "target": TARGET, "topics": TOPICS, "settle_timeout": 3, **WAIT},
    "validate": {"source": SOURCE, "target": TARGET, "topics": TOPICS, "topics_timeout": 20, **WAIT},
    "audit": {"source": SOURCE, "target": TARGET, "topics": TOPICS},
}
RESULTS = {f"{role}_result" for role in ARGUMENTS}
MIRROR = ("setup", "bindings", "enable", "validate")
"""The roles that in check mode take for done what those before would have done."""
AUTHORIZED = {"policies": [{"subject": TARGET, "resource": SOURCE}]}
MIRRORING = {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"}


def arguments(role: str) -> dict[str, Any]:
    """A role's own arguments, by their full names."""
    return {f"{role}_{name}": value for name, value in ARGUMENTS[role].items()}


def play(how: str, *roles: str, **keywords: Any) -> list[dict[str, Any]]:
    """A play that uses roles in one of Ansible's three ways."""
    names = {role: f"mirrorops.event_streams.{role}" for role in roles}
    head = {"name": "Somebody's own play", "hosts": "localhost", "gather_facts": False, **keywords}
    if how == "roles":
        return [{**head, "roles": [{"role": name, "vars": arguments(role)} for role, name in names.items()]}]
    tasks = [
        {"name": f"Use {role}", f"ansible.builtin.{how}": {"name": name}, "vars": arguments(role)}
        for role, name in names.items()
    ]
    return [{**head, "tasks": tasks}]


@pytest.mark.parametrize("how", ["include_role", "import_role", "roles"])
def test_all_roles(simulator: Any, playbook: Any, observe: Any, how: str) -> None:
    seen = observe(simulator)
    plays = play(how, *MIRROR)
    playbook(plays, arguments=("--check",)).worked()
    seen.untouched()

    run = playbook(plays).worked()
    seen.mirrored()
    assert run.facts.keys() >= {f"{role}_result" for role in MIRROR}

    simulator.clear_journal()
    assert playbook(plays).worked().changed == 0
    seen.untouched()


@pytest.mark.parametrize(
    ("role", "world"),
    [
        pytest.param("setup", {}, id="setup"),
        pytest.param("bindings", {}, id="bindings"),
        pytest.param("enable", AUTHORIZED, id="enable"),
        pytest.param(
            "validate", {**AUTHORIZED, "target": {"mirroring": MIRRORING, "selection": TOPICS}}, id="validate"
        ),
        pytest.param("audit", {**AUTHORIZED, "target": {"mirroring": MIRRORING, "selection": TOPICS}}, id="audit"),
    ],
)
def test_one_role_alone(simulate: Any, playbook: Any, observe: Any, role: str, world: dict[str, Any]) -> None:
    simulator = simulate(**world)
    seen = observe(simulator)
    plays = play("include_role", role)

    playbook(plays, arguments=("--check",)).worked()
    seen.untouched()
    run = playbook(plays).worked()
    assert run.facts.keys() & RESULTS == {f"{role}_result"}
    writes = [(entry["method"], entry["path"].rpartition("/")[2]) for entry in simulator.writes()]
    guid = simulator.instance(TARGET).guid
    assert writes == {
        "bindings": [("POST", "policies")],
        "enable": [("PATCH", guid), ("POST", "topic-selection")],
    }.get(role, [])

    simulator.clear_journal()
    assert playbook(plays).worked().changed == 0
    seen.untouched()


def test_become_for_the_whole_play(simulator: Any, playbook: Any, observe: Any) -> None:
    """No role needs other rights on the controller, so none is asked for."""
    playbook(play("include_role", *ARGUMENTS, become=True, become_user="nobody")).worked()
    observe(simulator).mirrored()


@pytest.mark.parametrize("how", ["include_role", "import_role"])
def test_tags_choose_all_of_a_role_or_nothing(simulator: Any, playbook: Any, observe: Any, how: str) -> None:
    plays = play(how, *MIRROR)
    for task in plays[0]["tasks"]:
        task["tags"] = ["mirroring"]
        if how == "include_role":
            task["ansible.builtin.include_role"]["apply"] = {"tags": ["mirroring"]}
    playbook(plays, arguments=("--skip-tags", "mirroring")).worked()
    assert simulator.journal == []
    playbook(plays, arguments=("--tags", "mirroring")).worked()
    observe(simulator).mirrored()


@pytest.mark.parametrize("how", ["roles", pytest.param("include_role", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "keywords",
    [
        pytest.param({"gather_facts": True, "any_errors_fatal": True}, id="facts, and any error is fatal"),
        pytest.param({"strategy": "ansible.builtin.free"}, id="free"),
        pytest.param({"strategy": "ansible.builtin.host_pinned"}, id="host_pinned", marks=pytest.mark.slow),
        pytest.param({"serial": 1}, id="serial", marks=pytest.mark.slow),
        pytest.param(
            {"connection": "elsewhere", "become": True, "become_user": "root"},
            id="another connection, with become",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_as_other_plays_are_run(
    simulator: Any, playbook: Any, observe: Any, how: str, keywords: dict[str, Any]
) -> None:
    """Another connection without become is tried in test_modules.py, with a check first."""
    python = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    plays = play(how, *MIRROR, vars=python, **keywords)
    playbook(plays).worked()
    seen = observe(simulator)
    seen.mirrored()
    simulator.clear_journal()
    assert playbook(plays).worked().changed == 0
    seen.untouched()


def test_validate_says_no(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(**AUTHORIZED)
    run = playbook(play("include_role", "validate"))
    assert "Mirroring is not enabled on the target" in run.failure
    assert run.facts["validate_result"]["verdict"] == "not_mirroring"
    observe(simulator).untouched()
