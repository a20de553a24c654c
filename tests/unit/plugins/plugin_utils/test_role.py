# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

from ansible_collections.mirrorops.event_streams.plugins.modules import (
    failover_readiness_info,
    mirroring,
    mirroring_info,
    readiness_info,
    recovery_info,
    remote_topics,
    topic_selection,
)
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._role import (
    DEFAULTS,
    NOUNS,
    OWN,
    beside_variables,
    is_plain,
    missing,
    options_of_role,
    told_by_variables,
    wants_failback,
)

ROOT = pathlib.Path(__file__).parents[4]
MODULES = {
    "setup": [readiness_info],
    "enable": [mirroring, topic_selection],
    "validate": [mirroring_info],
    **{
        verb: [mirroring_info, topic_selection, mirroring, recovery_info]
        for verb in ("disable", "failover", "reverse", "failback")
    },
    "cleanup": [remote_topics],
    "audit": [failover_readiness_info],
}
PAIR = {"source": "a", "target": "b"}
VARIABLES = {"setup_source": "a", "setup_target": "b", "validate_source": "a", "validate_target": "b"}
VARIABLES |= {"enable_source": "a", "enable_target": "b", "cleanup_source": "a", "cleanup_target": "b"}


def found(role: str, module: t.Any, **variables: t.Any) -> dict[str, t.Any]:
    return options_of_role(role, "target", module.SPEC.options, {**VARIABLES, **variables}, lambda name, value: value)


@pytest.mark.parametrize(
    ("variables", "topics"),
    [
        ({}, None),
        ({"mirroring_topics": ["^a$"]}, ["^a$"]),
        ({"setup_topics": ["^b$"]}, ["^b$"]),
        ({"setup_topics": ["^b$"], "mirroring_topics": ["^a$"]}, ["^b$"]),
        ({"setup_topics": [], "mirroring_topics": ["^a$"]}, []),
        ({"setup_topics": None, "mirroring_topics": ["^a$"]}, ["^a$"]),
        ({"mirroring_topics": None}, None),
        ({"enable_topics": ["^b$"]}, None),
    ],
)
def test_the_roles_own_argument_goes_before_the_pair_variable(variables: dict[str, t.Any], topics: t.Any) -> None:
    assert found("setup", readiness_info, **variables).get("topics") == topics


def test_credentials_and_addresses_of_the_target_are_the_options_without_a_side() -> None:
    given = {"mirroring_target_api_key": "t", "mirroring_source_api_key": "s", "enable_target_admin_url": "https://t"}
    options = found("enable", mirroring, **given)
    assert (options["ibmcloud_api_key"], options["source_api_key"], options["admin_url"]) == ("t", "s", "https://t")
    assert "ibmcloud_api_key" not in found("enable", mirroring, mirroring_source_api_key="s")


def test_where_the_source_is_gone_its_identity_and_addresses_are_nothing() -> None:
    """Empty, so that the environment does not stand in for them either."""
    given = {"mirroring_source_api_key": "s", "mirroring_source_iam_profile": "p", "mirroring_target_api_key": "t"}
    machine = {"mirroring_source_compute_resource": "vpc"}
    options = found("failover", mirroring, failover_mode="unplanned", **given, **machine)
    of_source = {
        name: value for name, value in options.items() if name.startswith("source_") and name != "source_alias"
    }
    assert of_source == dict.fromkeys(("source_api_key", "source_iam_token", "source_iam_profile"), "")
    assert options["ibmcloud_api_key"] == "t"
    planned = found("failover", mirroring, failover_mode="planned", **given)
    assert (planned["source_api_key"], planned["source_iam_profile"]) == ("s", "p")


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ({}, {"compute_resource", "iam_profile", "source_api_key", "request_timeout"}),
        ({"ibmcloud_api_key": "t"}, {"source_api_key", "request_timeout"}),
        ({"ibmcloud_api_key": ""}, {"source_api_key", "request_timeout"}),
        ({"iam_profile": "t"}, {"compute_resource", "source_api_key", "request_timeout"}),
        ({"source_compute_resource": "vpc"}, {"compute_resource", "iam_profile", "request_timeout"}),
        ({"source_iam_profile": "s"}, {"compute_resource", "iam_profile", "source_api_key", "request_timeout"}),
    ],
)
def test_what_variables_say_of_who_one_is_is_not_mixed_with_defaults(found: dict[str, str], left: set[str]) -> None:
    """A profile alone is taken by what the defaults give; a text that is empty means that there is nothing."""
    defaults = {"compute_resource": "vpc", "iam_profile": "d", "source_api_key": "d", "request_timeout": 30}
    assert beside_variables(defaults, found) == {option: defaults[option] for option in left}


def test_only_what_a_module_has_is_taken() -> None:
    options = found("enable", topic_selection, mirroring_poll_interval=1, mirroring_settle_timeout=2)
    assert "poll_interval" not in options
    assert options["settle_timeout"] == 2


def test_variables_that_happen_to_have_such_a_name_are_left_alone() -> None:
    """Nobody wants mirroring to be disabled by a variable that he uses for something else."""
    names = {option: f"mirroring_{option}" for option in mirroring.SPEC.options if option not in NOUNS}
    assert {"state", "submitted", "iam_token", "validate_certs"} <= names.keys()
    options = found("enable", mirroring, **dict.fromkeys(names.values(), "absent"))
    assert options.keys() == {"source", "target", *(DEFAULTS.keys() & mirroring.SPEC.options.keys())}


def test_what_cannot_be_undone_is_asked_for_by_the_roles_own_variables_only() -> None:
    names = {"delete": "topics", "delete_matching": "matching", "confirm": "confirm"}
    other = [f"mirroring_{name}" for one in names.items() for name in one]
    other += ["cleanup_delete", "cleanup_delete_matching", "enable_topics"]
    assert found("cleanup", remote_topics, **{name: ["x"] for name in other}).keys() == {"source", "target"}
    own = {f"cleanup_{noun}": [option] for option, noun in names.items()}
    assert {option: [option] for option in names}.items() <= found("cleanup", remote_topics, **own).items()
    text = "Elements value for option 'delete' is of type dict"
    assert told_by_variables("cleanup", "target", text, {**own, "mirroring_topics": [{}]}).endswith("cleanup_topics.")


def test_defaults_of_roles() -> None:
    assert found("validate", mirroring_info)["wait"] is True
    assert mirroring_info.SPEC.options["wait"]["default"] is False
    assert found("validate", mirroring_info, mirroring_wait=False)["wait"] is False
    assert found("setup", readiness_info)["max_age"] == 300
    assert found("setup", readiness_info, mirroring_max_age=0)["max_age"] == 0


@pytest.mark.parametrize(("side", "key"), [("target", "t"), ("source", "s")])
def test_whose_key_and_whose_instance_it_is(side: str, key: str) -> None:
    variables = {"mirroring_target_api_key": "t", "bindings_source_api_key": "s", "bindings_max_age": 5}
    variables |= {"mirroring_target": "to", "mirroring_source": "from"}
    wanted = {"instance", "ibmcloud_api_key", "max_age"}
    options = options_of_role("bindings", side, wanted, variables, lambda name, value: value)
    assert options == {"instance": "to" if side == "target" else "from", "ibmcloud_api_key": key, "max_age": 5}


def test_a_pair_that_is_turned_round() -> None:
    """With the source as the side, everything that the variables say of the pair is taken the other way round."""
    variables = {
        f"mirroring_{side}{noun}": f"{side}{noun}"
        for side in ("source", "target")
        for noun in ("", "_alias", "_api_key", "_admin_url", "_monitoring_instance")
    }
    there, back = (
        options_of_role("reverse", side, mirroring_info.SPEC.options, variables, lambda name, value: value)
        for side in ("target", "source")
    )
    swapped = {"source": "target", "source_alias": "target_alias", "source_api_key": "ibmcloud_api_key"}
    swapped["source_admin_url"] = "admin_url"
    for one, other in swapped.items():
        assert (there[one], there[other]) == (back[other], back[one])
    assert back["target"] == "source"
    assert (there["monitoring_instance"], back["monitoring_instance"]) == (
        "target_monitoring_instance",
        "source_monitoring_instance",
    )


def test_names_that_are_changed_on_the_way_there_are_not_on_the_way_back() -> None:
    transform = {"type": "none"}
    given = {name: transform for one in ("mirroring", "reverse") for name in (f"{one}_topic_name_transform",)}
    given |= {"mirroring_source": "a", "mirroring_target": "b", "reverse_schemas": "proxied"}
    there, back = (
        options_of_role("reverse", side, mirroring.SPEC.options, given, lambda name, value: value)
        for side in ("target", "source")
    )
    assert (there["topic_name_transform"], there["schemas"]) == (transform, "proxied")
    assert not back.keys() & {"topic_name_transform", "schemas"}


def test_what_is_meant_for_one_role_is_not_meant_for_all() -> None:
    options = dict.fromkeys(OWN)
    given = {f"mirroring_{NOUNS[name]}": "b" for name in OWN}
    assert options_of_role("failover", "target", options, given, lambda name, value: value) == {}
    given |= {f"failover_{NOUNS[name]}": "b" for name in OWN}
    assert options_of_role("failover", "target", options, given, lambda name, value: value) == dict.fromkeys(OWN, "b")


def test_what_a_role_lacks() -> None:
    """A variable that is needed is named in both ways in which it can be given."""
    both = ["mirroring_source (or validate_source)", "mirroring_target (or validate_target)"]
    assert missing("validate", "target", mirroring_info.SPEC.options, {}) == both
    assert missing("validate", "target", mirroring_info.SPEC.options, {"source"}) == both[1:]
    assert missing("validate", "target", mirroring_info.SPEC.options, {"source", "target"}) == []
    assert missing("bindings", "source", {"instance"}, {}) == ["mirroring_source (or bindings_source)"]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("text", True),
        ("^orders$", True),
        (5, True),
        (None, True),
        (["^a$", "b"], True),
        ("{{ x }}", False),
        ("a {% if x %}", False),
        (["^a$", "{{ x }}"], False),
        ('["^a$"]', False),
        (' {"type": "none"}', False),
        ({"type": "none"}, False),
        (object(), False),
    ],
)
def test_only_what_means_just_what_is_written_is_taken_as_it_is(value: t.Any, plain: bool) -> None:
    assert is_plain(value) is plain


RESULTS = {
    "bindings_result": {"requested": PAIR, "authorized_at": "2026-01-01T00:00:00Z", "changed": True},
    "enable_result": {"requested": PAIR, "changed": False, "waiting": True},
}


def test_what_earlier_roles_did_for_the_same_pair() -> None:
    assert found("enable", mirroring, **RESULTS)["authorized_at"] == "2026-01-01T00:00:00Z"
    options = found("validate", mirroring_info, **RESULTS)
    assert (options["assume_changes"], options["update_pending"]) == (True, True)
    settled = {**RESULTS, "enable_result": {"requested": PAIR, "changed": False, "waiting": False}}
    options = found("validate", mirroring_info, **settled)
    assert (options["assume_changes"], options["update_pending"]) == (True, False)


@pytest.mark.parametrize("other", [{"source": "a", "target": "c"}, {"source": "b", "target": "a"}, None])
def test_what_they_did_for_another_pair_does_not_count(other: t.Any) -> None:
    """One host may look after several pairs, one after the other."""
    results = {name: {**result, "requested": other} for name, result in RESULTS.items()}
    assert "authorized_at" not in found("enable", mirroring, **results)
    options = found("validate", mirroring_info, **results)
    assert (options["assume_changes"], options["update_pending"]) == (False, False)


@pytest.mark.parametrize("result", ["text", [], 5, {"failed": True, "msg": "no"}])
def test_results_that_are_none_do_no_harm(result: t.Any) -> None:
    options = found("validate", mirroring_info, bindings_result=result, enable_result=result)
    assert options["assume_changes"] is False


@pytest.mark.parametrize("role", MODULES)
def test_every_argument_of_a_role_reaches_a_module(role: str) -> None:
    """What meta/argument_specs.yml names is an option of one of the role's modules, with the same type and default."""
    spec = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())
    arguments = spec["argument_specs"]["main"]["options"]
    options = {option: module.SPEC.options[option] for module in MODULES[role] for option in module.SPEC.options}
    reached = {
        f"{role}_{noun.format(side=side, other=other)}": (option, options[option])
        for option, noun in NOUNS.items()
        if option in options
        for side, other in (("target", "source"), ("source", "target"))
    }
    assert set(arguments) <= set(reached)
    for name, argument in arguments.items():
        option, definition = reached[name]
        assert argument["type"] == definition["type"], name
        default = DEFAULTS.get(option, definition.get("default"))
        assert argument.get("default") == default, name


def test_every_pair_variable_of_the_readme_is_known() -> None:
    shown = set(re.findall(r"`mirroring_(\w+)`", (ROOT / "README.md").read_text()))
    assert shown - {"hosts", "info"} <= {noun.format(side="target", other="source") for noun in NOUNS.values()}


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"mirroring_failback": True}, True),
        ({"mirroring_failback": "yes"}, True),
        ({"mirroring_failback": True, "bindings_failback": "no"}, False),
        ({"mirroring_failback": None}, False),
        ({"setup_failback": True}, False),
    ],
)
def test_failing_back_is_wanted_only_if_somebody_says_so(variables: dict[str, t.Any], wanted: bool) -> None:
    assert wants_failback("bindings", variables, lambda _name, value: value) is wanted


def test_neither_yes_nor_no() -> None:
    with pytest.raises(ValueError, match="mirroring_failback is 'maybe': set it to true or false"):
        wants_failback("bindings", {"mirroring_failback": "maybe"}, lambda _name, value: value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "argument 'wait_timeout' is of type str and we were unable to convert to float",
            "wait_timeout is given by mirroring_wait_timeout",
        ),
        ("value of schemas must be one of: proxied, got: x", "schemas is given by enable_schemas"),
        ("Elements value for option 'topics' is of type dict", "topics is given by mirroring_topics"),
        ("argument 'ibmcloud_api_key' is of type dict", "ibmcloud_api_key is given by mirroring_target_api_key"),
    ],
)
def test_who_uses_a_role_is_told_of_its_variables(text: str, told: str) -> None:
    variables = {
        "mirroring_wait_timeout": "soon",
        "mirroring_schemas": "proxied",
        "enable_schemas": "x",
        "mirroring_topics": [{}],
        "mirroring_target_api_key": {},
    }
    assert told_by_variables("enable", "target", text, variables) == f"{text}. Here {told}."


def test_what_no_variable_gives_is_told_as_it_is() -> None:
    text = "argument 'defer' is of type str; argument 'schemas' is of type dict"
    assert told_by_variables("enable", "target", text, {}) == text


def test_what_runs_for_each_pair_has_no_filters() -> None:
    """For one of them Ansible loads all, in each worker (or for good, in the parent), and a fleet pays for that, as often as it is
    mirrored."""
    roles, playbooks = ("setup", "bindings", "enable", "validate"), ("mirror", "validate")
    files = [path for role in roles for path in ROOT.glob(f"roles/{role}/*/main.yml")]
    files += [ROOT / f"playbooks/{playbook}.yml" for playbook in playbooks]
    template = re.compile(r"\{\{.*?\}\}|^ *(?:when|that): [^\n]*$", re.DOTALL | re.MULTILINE)
    texts = {path: template.findall(path.read_text()) for path in files}
    assert sum(map(len, texts.values())) > 10
    assert [path for path, found in texts.items() if any(re.search(r"[\w)\]}'] *\| *\w", text) for text in found)] == []
