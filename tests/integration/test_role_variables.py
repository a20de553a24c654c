# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of roles as people write them: templates, vaults, omitted, null, texts for other types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

pytestmark = pytest.mark.every_core
TOPICS = ["^orders$", "^payments$"]
ROLES = [f"mirrorops.event_streams.{role}" for role in ("setup", "bindings", "enable", "validate")]


def play(variables: dict[str, Any], roles: list[str] = ROLES, **keywords: Any) -> list[dict[str, Any]]:
    """A play with the roles; its variables are text in YAML, so that templates are trusted as those of a user are."""
    return [
        {
            "name": "Somebody's own play",
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables},
            "roles": [{"role": role} for role in roles],
            **keywords,
        }
    ]


def pair(playbook: Any, *without: str) -> dict[str, Any]:
    """The pair of the tests, without some of its variables."""
    return {name: value for name, value in playbook.pair.items() if name not in without}


@pytest.mark.parametrize(
    ("variables", "selection"),
    [
        ({"mirroring_topics": "{{ wanted }}", "wanted": TOPICS}, TOPICS),
        (
            {"mirroring_topics": "{{ ['^' ~ wanted ~ '$'] }}", "wanted": "orders"},
            ["^orders$"],
        ),
        ({"enable_topics": ["{{ prefix }}orders$"], "validate_topics": ["^orders$"], "prefix": "^"}, ["^orders$"]),
        ({"mirroring_source_alias": "{{ nothing | default(omit) }}", "mirroring_topics": TOPICS}, TOPICS),
        ({"mirroring_target_api_key": "{{ nothing | default(omit) }}", "mirroring_topics": TOPICS}, TOPICS),
        ({"mirroring_schemas": None, "mirroring_max_age": None, "mirroring_topics": TOPICS}, TOPICS),
        ({"mirroring_wait": "y", "mirroring_topics": TOPICS}, TOPICS),
        (
            {"mirroring_wait": "{{ 'yes' }}", "mirroring_wait_timeout": "{{ 50 + 10 }}", "mirroring_topics": TOPICS},
            TOPICS,
        ),
        ({"mirroring_topics": None}, []),
        ({}, []),
    ],
)
def test_variables_are_taken_as_they_are_meant(
    simulator: Any, playbook: Any, variables: dict[str, Any], selection: list[str]
) -> None:
    plays = play(variables)
    run = playbook(plays, pair(playbook, "mirroring_topics", *variables)).worked()
    target = simulator.instance("es-target-us-east")
    assert target.mirroring is not None
    assert target.selection == selection
    assert run.facts["validate_result"]["verdict"] == "mirroring"
    assert run.facts["enable_result"]["topics_set"] is bool(selection)


def test_a_key_out_of_a_vault(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    """A value of its own, as `ansible-vault encrypt_string` makes it."""
    simulator = simulate()
    environment = playbook.environment(simulator)
    key = environment.pop("IC_API_KEY")
    secret = VaultLib([("default", VaultSecret(b"open sesame"))]).encrypt(key.encode()).decode()
    indented = "\n".join(f"  {line}" for line in secret.splitlines())
    (tmp_path / "password").write_text("open sesame")
    (tmp_path / "keys.yml").write_text(
        f"mirroring_target_api_key: !vault |\n{indented}\nmirroring_source_api_key: !vault |\n{indented}\n"
    )
    arguments = ("-e", f"@{tmp_path / 'keys.yml'}", "--vault-password-file", str(tmp_path / "password"), "-vvv")
    run = playbook(play({}), pair(playbook), environment=environment, arguments=arguments).worked()
    assert simulator.instance("es-target-us-east").selection == TOPICS
    assert key not in run.output


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"mirroring_wait": "perhaps"}, "wait"),
        ({"mirroring_poll_interval": "often"}, "poll_interval"),
        ({"mirroring_recreate": "maybe"}, "recreate"),
        ({"mirroring_source_alias": "{{ nothing_there }}"}, "nothing_there"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_enabled(
    simulate: Any, playbook: Any, variables: dict[str, Any], told: str
) -> None:
    """Also where nobody has checked before."""
    simulator = simulate(policies=[{"subject": "es-target-us-east", "resource": "es-source-us-south"}])
    run = playbook(play(variables, ROLES[2:]), pair(playbook, *variables))
    assert told in run.failure
    assert simulator.writes() == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_role_that_does_not_know_its_pair(simulator: Any, playbook: Any, role: str, side: str, value: Any) -> None:
    name = f"mirroring_{side}"
    run = playbook(play({name: value}, [role]), pair(playbook, name))
    assert f"{name} (or {role.rpartition('.')[2]}_{side})" in run.failure
    assert simulator.writes() == []


def test_a_failback_that_makes_no_sense(simulator: Any, playbook: Any) -> None:
    run = playbook(play({"mirroring_failback": "perhaps"}, ROLES[1:2]), pair(playbook))
    assert run.rc == 2
    assert "mirroring_failback is 'perhaps': set it to true or false." in run.output
    assert simulator.writes() == []


@pytest.mark.parametrize("way", ["connection", "async"])
def test_what_an_ordinary_module_wrote_is_seen(simulator: Any, playbook: Any, way: str) -> None:
    """It runs elsewhere, so nobody here sees it write: nothing that was read before counts."""
    options = {"target": "es-target-us-east", "state": "absent", "poll_interval": 0.1}
    task: dict[str, Any] = {"name": "Disable", "mirrorops.event_streams.mirroring": options}
    task |= {"vars": {"ansible_connection": "elsewhere"}} if way == "connection" else {"async": 60, "poll": 1}
    again = {"name": "Enable again", "ansible.builtin.include_role": {"name": ROLES[2]}}
    run = playbook(play({}, tasks=[task, again]), pair(playbook)).worked()
    assert run.facts["enable_result"]["action"] == "enabled"
    assert len(simulator.instance("es-target-us-east").updates) == 3
    assert simulator.instance("es-target-us-east").mirroring is not None


def test_check_mode_of_a_role_alone(simulate: Any, playbook: Any) -> None:
    """The keyword instead of the option of the command."""
    simulator = simulate()
    plays = play({}, roles=[])
    plays[0]["roles"] = [{"role": role, "check_mode": True} for role in ROLES]
    run = playbook(plays, pair(playbook)).worked()
    assert simulator.writes() == []
    assert run.changed == 3


def test_an_instance_that_comes_into_being_meanwhile(simulate: Any, playbook: Any, observe: Any) -> None:
    """That it was not there a moment ago is no reason to fail."""
    simulator = simulate()
    seen = observe(simulator)
    target = simulator.instance("es-target-us-east")
    true_name, target.name = target.name, "another"
    look = {"mirrorops.event_streams.instance_info": {"instance": true_name, "max_age": 300}, "name": "Look"}
    wait = {"name": "Wait", "ansible.builtin.wait_for": {"path": "{{ flag }}", "timeout": 60}}
    flag = Path(playbook.environment(simulator)["HOME"]) / "flag"
    tasks = [{**look, "ignore_errors": True}, wait, look]

    def rename() -> None:
        seen.until(lambda: any(entry["path"] == "/v2/resource_instances" for entry in simulator.journal))
        target.name = true_name
        flag.touch()

    run = playbook(play({}, roles=[], tasks=tasks), {"flag": str(flag)}, meanwhile=rename).worked()
    assert run.results("instance_info")[-1]["instances"][0]["name"] == true_name
