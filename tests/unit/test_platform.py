# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files for AWX and for event-driven Ansible are what those accept, fit each other and the collection, and launch nothing that writes unasked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import UndefinedError

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import HOSTS
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import AUTH, ENDPOINTS, MONITORING
from ansible_collections.mirrorops.event_streams.tests import controller

ROOT = Path(__file__).parents[2]
PLAYBOOKS = sorted(path.name for path in (ROOT / "playbooks").glob("*.yml"))
LIMIT = 4 * 3600
WRITES = {"mirror", "failover", "reverse", "failback", "disable", "cleanup"}
WAITS = {
    "mirror": 1,
    "validate": 1,
    "failover": 1,
    "reverse": 2,
    "failback": 3,
    "disable": 1,
}
"""How often a playbook waits for up to its wait_timeout: for an update, or for lag."""

SHORTER_WAITS = 300 + 300
"""For an authorization and for topics."""

FIELD = {"id", "label", "type", "secret", "multiline", "format", "choices", "help_text", "ask_at_runtime", "default"}
SECRET = re.compile(r"api_key|token|password|secret", re.IGNORECASE)


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def credential_type() -> dict[str, Any]:
    (kind,) = controller.wanted()["controller_credential_types"]
    return kind


def fields() -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in credential_type()["inputs"]["fields"]}


def templates() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in controller.wanted()["controller_templates"]}


def workflows() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in controller.wanted()["controller_workflows"]}


def surveyed() -> list[dict[str, Any]]:
    return [*templates().values(), *workflows().values()]


def playbook_of(template: dict[str, Any]) -> str:
    return Path(template["playbook"]).stem


def options_of(playbook: str) -> dict[str, dict[str, Any]]:
    """The arguments of the roles that a playbook imports."""
    text = (ROOT / f"playbooks/{playbook}.yml").read_text()
    roles = re.findall(r"name: mirrorops\.event_streams\.(\w+)", text)
    assert roles
    specs = [load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"] for role in roles]
    return {name: option for spec in specs for name, option in spec.items()}


def option_of(variable: str, playbook: str) -> dict[str, Any]:
    """The argument that a variable gives: a role's own, or one of each role that has it."""
    options = options_of(playbook)
    noun = variable.removeprefix("mirroring_")
    found = [option for name, option in options.items() if name == variable or name.partition("_")[2] == noun]
    assert found, f"the playbook {playbook} knows no {variable}"
    return found[0]


# The credential


def test_the_fields_are_as_awx_wants_them() -> None:
    assert set(credential_type()["inputs"]) <= {"fields", "required"}
    assert len(fields()) == len(credential_type()["inputs"]["fields"])
    for name, field in fields().items():
        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) and name != "tower"
        assert field.keys() <= FIELD and field["label"]
        assert field["type"] in ("string", "boolean")
        assert not field.keys() & {"choices", "secret", "multiline", "format"} or field["type"] == "string"
    assert set(credential_type()["inputs"].get("required", [])) <= set(fields())


def test_what_is_secret_is_marked_and_is_nowhere_but_in_the_environment() -> None:
    assert {name for name in fields() if SECRET.search(name)} == {
        name for name, field in fields().items() if field.get("secret")
    }
    # Variables of a job are stored and shown; a file would be one more place to look after.
    assert set(credential_type()["injectors"]) == {"env"}
    (entry,) = controller.wanted()["controller_credentials"]
    assert "inputs" not in entry


def test_every_injector_uses_fields_that_exist() -> None:
    assert set(controller.injected(dict.fromkeys(fields(), "x"), strict=True).values()) == {"x"}
    for left_out in fields():
        with pytest.raises(UndefinedError):
            controller.injected({name: "x" for name in fields() if name != left_out}, strict=True)


def test_every_variable_is_one_that_somebody_reads() -> None:
    names = set(credential_type()["injectors"]["env"])
    assert not [name for name in names if name.startswith("ANSIBLE_")]
    fallbacks = [found for spec in (AUTH, ENDPOINTS, MONITORING) for found in spec.environment_names().values()]
    read = {name for found in fallbacks for name in found} | {"IBMCLOUD_GS_API_ENDPOINT"}
    (inventory,) = controller.wanted()["controller_inventories"]
    assert names - read == {"MIRRORING_SOURCE_API_KEY", "MIRRORING_SOURCE_IAM_PROFILE"}
    for noun in ("api_key", "iam_profile"):
        assert f"'MIRRORING_SOURCE_{noun.upper()}'" in inventory["variables"][f"mirroring_source_{noun}"]
    assert set(HOSTS) <= set(fields()), "every endpoint can be filled in"
    assert fields()["visibility"]["choices"] == ENDPOINTS.options["visibility"]["choices"]


# Templates and their surveys


def test_every_playbook_has_a_template_and_every_template_a_playbook() -> None:
    assert {Path(one["playbook"]).name for one in templates().values()} == set(PLAYBOOKS)
    assert {str(Path(one["playbook"]).parent) for one in templates().values()} == {"playbooks"}


def test_objects_refer_to_objects_that_exist() -> None:
    names = {kind: {one["name"] for one in found} for kind, found in controller.wanted().items()}
    for one in [*templates().values(), *controller.wanted()["controller_inventory_sources"]]:
        assert one["inventory"] in names["controller_inventories"]
        assert one["execution_environment"] in names["controller_execution_environments"]
        assert one.get("project", one.get("source_project")) in names["controller_projects"]
        assert {*one.get("credentials", [one.get("credential")])} <= names["controller_credentials"]
    for one in controller.wanted()["controller_credentials"]:
        assert one["credential_type"] in names["controller_credential_types"]


def test_nothing_is_fetched_when_a_failover_is_launched() -> None:
    assert not [one["name"] for one in controller.wanted()["controller_projects"] if one["scm_update_on_launch"]]
    assert not [one["name"] for one in controller.wanted()["controller_inventory_sources"] if one["update_on_launch"]]
    assert {one["pull"] for one in controller.wanted()["controller_execution_environments"]} == {"missing"}


def test_the_playbooks_are_of_this_version() -> None:
    (project, _pairs) = controller.wanted()["controller_projects"]
    assert project["scm_branch"] == load("galaxy.yml")["version"]


def test_every_template_can_be_run_as_a_check() -> None:
    assert all(one["ask_job_type_on_launch"] for one in templates().values())


def test_nobody_can_smuggle_variables_into_a_job() -> None:
    """So neither can a key be given that way, nor a confirmation that no survey asked for."""
    assert not [one["name"] for one in surveyed() if one.get("ask_variables_on_launch")]


@pytest.mark.parametrize("name", [one.stem for one in (ROOT / "playbooks").glob("*.yml")])
def test_no_job_outlives_the_limit(name: str) -> None:
    for template in (one for one in templates().values() if playbook_of(one) == name):
        assert 0 < template["timeout"] < LIMIT
        variables = {**template.get("extra_vars", {}), **questions_with_default(template)}
        longest = next((value for key, value in variables.items() if key.endswith("_wait_timeout")), 0)
        assert (longest > 0) == (name in WAITS), "what waits says for how long"
        assert WAITS.get(name, 0) * longest + SHORTER_WAITS <= template["timeout"]


def questions_with_default(template: dict[str, Any]) -> dict[str, Any]:
    """The greatest value that may be answered, or the default."""
    spec = template["survey_spec"]["spec"]
    return {one["variable"]: max(one["default"], one["max"]) for one in spec if one["type"] in ("integer", "float")}


def test_surveys_are_as_awx_wants_them() -> None:
    for one in surveyed():
        assert one["survey_enabled"]
        assert one["survey_spec"].keys() == {"name", "description", "spec"}
        spec = one["survey_spec"]["spec"]
        assert len({question["variable"] for question in spec}) == len(spec) > 0
        for question in spec:
            assert question["type"] in controller.ANSWERS, "a password would be a secret in a survey"
            assert question["question_name"] and isinstance(question["required"], bool)
            assert {type(question.get(limit, 0)) for limit in ("min", "max")} == {int}
            if question["type"] == "float":
                assert isinstance(question["default"], float)
            if question["type"] in ("text", "integer", "float"):
                assert question["min"] < question["max"]
            if "default" in question:
                controller.accepted({"spec": [question]}, {})
            assert not SECRET.search(json.dumps(question))


def test_an_answer_that_is_left_empty_is_harmless() -> None:
    """AWX turns it into an empty text, or null, and that hides what the inventory says. Only what no inventory says may be optional."""
    optional = {one["variable"] for each in surveyed() for one in each["survey_spec"]["spec"] if not one["required"]}
    assert optional
    assert not [name for name in optional if not re.fullmatch(r"\w+_confirm|cleanup_(topics|matching)", name)]
    required = [one for each in surveyed() for one in each["survey_spec"]["spec"] if one["required"]]
    assert not [one["variable"] for one in required if one["type"] == "text" and one["min"] < 1]


def test_questions_are_about_arguments_of_the_roles() -> None:
    types = {"text": {"str", "path", "list"}, "integer": {"float", "int"}, "float": {"float"}}
    for template in templates().values():
        playbook = playbook_of(template)
        for question in template["survey_spec"]["spec"]:
            if question["variable"] == "mirroring_hosts":
                continue  # the playbooks' own
            option = option_of(question["variable"], playbook)
            if question["type"] == "multiplechoice":
                choices = option.get("choices", ["false", "true"])
                assert sorted(question["choices"]) == sorted(choices)
                assert question["default"] == str(option["default"]).lower()
            else:
                assert option["type"] in types[question["type"]]
        for variable in template.get("extra_vars", {}):
            option_of(variable, playbook)


def test_whoever_launches_what_writes_for_good_has_to_confirm() -> None:
    verbs = {name for name in PLAYBOOKS if f"{Path(name).stem}_confirm" in options_of(Path(name).stem)}
    assert verbs == {f"{one}.yml" for one in WRITES - {"mirror"}}
    for template in templates().values():
        asked = {one["variable"] for one in template["survey_spec"]["spec"]}
        assert f"{playbook_of(template)}.yml" not in verbs or f"{playbook_of(template)}_confirm" in asked
    text = json.dumps([surveyed(), [one.get("extra_vars") for one in surveyed()]])
    assert not re.search(r'"\w+_confirm": ', text), "nobody confirms beforehand"


# Workflows


def nodes(workflow: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {one["identifier"]: one for one in workflow["workflow_nodes"]}
    assert len(found) == len(workflow["workflow_nodes"])
    return found


def children(node: dict[str, Any]) -> list[str]:
    return [one["identifier"] for found in node.get("related", {}).values() for one in found]


def is_approval(node: dict[str, Any]) -> bool:
    return bool(node["unified_job_template"]["type"] == "workflow_approval")


def paths(found: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """Every way from a node that nothing comes before to each node that is reached."""
    inner = {child for node in found.values() for child in children(node)}
    ways = [[name] for name in found if name not in inner]
    assert ways
    while ways:
        way = ways.pop()
        yield way
        for child in children(found[way[-1]]):
            assert child not in way, f"the graph has a cycle: {[*way, child]}"
            ways.append([*way, child])


@pytest.mark.parametrize("name", ["mirror with approval", "planned failover", "unplanned failover"])
def test_workflows(name: str) -> None:
    assert set(workflows()) == {
        f"Event Streams: {one}" for one in ("mirror with approval", "planned failover", "unplanned failover")
    }
    workflow = workflows()[f"Event Streams: {name}"]
    found = nodes(workflow)
    answers = {one["variable"] for one in workflow["survey_spec"]["spec"]}
    reached = set()
    for way in paths(found):
        reached.add(way[-1])
        node = found[way[-1]]
        if is_approval(node):
            assert node["unified_job_template"]["timeout"] > 0
            # Nobody can approve what they have not seen.
            assert [one for one in way[:-1] if found[one].get("job_type") == "check"]
            assert node["related"].keys() == {"success_nodes"}
            continue
        template = templates()[node["unified_job_template"]["name"]]
        controller.accepted(template["survey_spec"], {"mirroring_hosts": "x", **node.get("extra_data", {})})
        if playbook_of(template) in WRITES and node.get("job_type", template["job_type"]) != "check":
            assert [one for one in way if is_approval(found[one])], f"{way} writes without an approval"
        asked = {one["variable"]: one for one in template["survey_spec"]["spec"]}
        given = answers | node.get("extra_data", {}).keys()
        assert not [key for key, one in asked.items() if one["required"] and "default" not in one and key not in given]
    assert reached == set(found)


def test_the_failovers_differ_in_their_mode_and_ask_for_the_confirmation() -> None:
    for mode in ("planned", "unplanned"):
        workflow = workflows()[f"Event Streams: {mode} failover"]
        modes = [
            node["extra_data"]["failover_mode"]
            for node in workflow["workflow_nodes"]
            if node["unified_job_template"]["name"] == "Event Streams: failover"
        ]
        assert modes == [mode] * 3
        (confirm,) = [one for one in workflow["survey_spec"]["spec"] if one["variable"] == "failover_confirm"]
        assert confirm["required"] and confirm["min"] == 1


# The playbook that applies all this


def test_the_playbook_applies_everything_that_is_wanted() -> None:
    applied = {}
    for task in load("extensions/awx/objects.yml"):
        (module,) = [name for name in task if "." in name]
        (variable,) = re.findall(r"\w+", task["loop"])
        applied[variable] = task[module]
    assert set(applied) == set(controller.wanted())
    for variable, arguments in applied.items():
        used = {re.findall(r"item\.(\w+)", value)[0] for value in arguments.values()}
        assert used == set(arguments), "options are called as the variables call them"
        every = [set(one) for one in controller.wanted()[variable]]
        assert used == set.union(*every), f"{variable} says what nobody applies, or the other way round"
        always = {key for key, value in arguments.items() if "default(omit" not in value}
        assert always <= set.intersection(*every)


# Alerts


def rules() -> list[dict[str, Any]]:
    return [rule for ruleset in load("extensions/eda/rulebooks/lag_alert.yml") for rule in ruleset["rules"]]


def test_alerts_launch_nothing_that_writes_but_a_workflow_that_asks_first() -> None:
    assert len(rules()) == 2
    for rule in rules():
        ((kind, action),) = rule["action"].items()
        assert kind in ("run_job_template", "run_workflow_template")
        if kind == "run_job_template":
            template = templates()[action["name"]]
            assert playbook_of(template) not in WRITES
            survey = template["survey_spec"]
        else:
            survey = workflows()[action["name"]]["survey_spec"]  # each path of these passes an approval: test_workflows
        given = action["job_args"]["extra_vars"]
        assert all("{{ event.payload." in value for value in given.values()), "whatever it says is in the alert"
        controller.accepted(survey, given)
        assert rule["throttle"]


def test_only_who_knows_the_token_can_send_alerts() -> None:
    (ruleset,) = load("extensions/eda/rulebooks/lag_alert.yml")
    (source,) = ruleset["sources"]
    assert source["ansible.eda.webhook"]["token"] == "{{ mirroring_webhook_token }}"
