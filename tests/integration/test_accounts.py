# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts and instances are meant: two keys, names, GUIDs, CRNs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import PAIR, SOURCE, TARGET
from .recovery import World

SOURCE_KEY, TARGET_KEY = "simulated-key-source", "simulated-key-target"


@pytest.mark.parametrize("target_key", ["variable", "environment"])
def test_two_accounts(simulate: Any, playbook: Any, observe: Any, target_key: str) -> None:
    simulator = simulate("two_accounts")
    seen = observe(simulator)
    environment = playbook.environment(simulator)
    variables = {"mirroring_source_api_key": SOURCE_KEY}
    if target_key == "variable":
        del environment["IC_API_KEY"]
        variables["mirroring_target_api_key"] = TARGET_KEY
    else:
        environment["IC_API_KEY"] = TARGET_KEY
    playbook.environment = lambda *_: environment

    playbook.mirror("--check", **variables).worked()
    seen.untouched()
    playbook.mirror(**variables).worked()
    seen.mirrored()

    source, target = simulator.instance(SOURCE), simulator.instance(TARGET)
    (policy,) = simulator.state.policies.by_id.values()
    assert policy.account == source.account
    assert {entry["account"] for entry in seen.patches()} == {target.account}

    simulator.clear_journal()
    assert playbook.mirror(**variables).worked().changed == 0
    seen.untouched()


@pytest.mark.parametrize("form", ["guid", "crn", "crn without its end"])
def test_instances_are_named_in_other_ways(simulator: Any, playbook: Any, observe: Any, form: str) -> None:
    def named(name: str) -> str:
        instance = simulator.instance(name)
        return (
            str(instance.guid) if form == "guid" else str(instance.crn).removesuffix("::" if "without" in form else "")
        )

    variables = {"mirroring_source": named(SOURCE), "mirroring_target": named(TARGET)}
    playbook.mirror(**variables).worked()
    observe(simulator).mirrored()


def test_a_key_in_a_file(simulator: Any, playbook: Any, observe: Any, tmp_path: Path) -> None:
    environment = playbook.environment(simulator)
    (tmp_path / "key.json").write_text(json.dumps({"name": "operator", "apikey": environment["IC_API_KEY"]}))
    environment["IC_API_KEY"] = f"@{tmp_path / 'key.json'}"
    playbook.environment = lambda *_: environment
    playbook.mirror().worked()
    observe(simulator).mirrored()


def test_a_name_of_two_instances_is_refused(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate("duplicate_names")
    failure = playbook.mirror().failure
    namesakes = [one for one in simulator.state.instances.values() if one.name == SOURCE]
    assert len(namesakes) == 2
    assert all(str(one.crn) in failure for one in namesakes)
    observe(simulator).untouched()


SOURCE_PROFILE, TARGET_PROFILE = (f"Profile-{digit * 8}-aaaa-4bbb-8ccc-0000000000{digit * 2}" for digit in "12")
PROFILES = {"mirroring_source_iam_profile": SOURCE_PROFILE, "mirroring_target_iam_profile": TARGET_PROFILE}
CR_TOKEN = "simulated-cr-token"


@pytest.mark.parametrize("identity", ["assumed", "container", "vpc", "assumed by one key", "container for both"])
def test_a_trusted_profile_on_each_side(
    simulate: Any, playbook: Any, observe: Any, tmp_path: Path, identity: str
) -> None:
    """One key that both profiles trust, and a machine that is given both: no key of either account is needed. What does not come from
    the environment goes through the roles by variables, and by module_defaults as in anybody's playbook. With what a token is given
    for told of the target alone, the source's profile is taken by the same."""
    simulator = simulate("two_accounts")
    seen = observe(simulator)
    environment = playbook.environment(simulator)
    variables = dict(PROFILES)
    defaults: dict[str, Any] = {}
    if identity == "assumed":
        environment["IC_API_KEY"] = TARGET_KEY
    else:
        del environment["IC_API_KEY"]
    if identity == "assumed by one key":
        variables["mirroring_target_api_key"] = TARGET_KEY
    elif identity != "assumed":
        resource = identity.split()[0]
        sides = ["target"] if "both" in identity else ["source", "target"]
        variables |= {f"mirroring_{side}_compute_resource": resource for side in sides}
        (tmp_path / "token").write_text(CR_TOKEN)
        defaults = {"cr_token_file": str(tmp_path / "token")} if resource == "container" else {}
    playbook.environment = lambda *_: environment
    play = in_roles(defaults)

    run = playbook([play], {**PAIR, **variables}, arguments=("-vvv",)).worked()
    seen.mirrored()
    assert CR_TOKEN not in run.output and TARGET_KEY not in run.output
    (policy,) = simulator.state.policies.by_id.values()
    assert policy.account == simulator.instance(SOURCE).account
    by_profile = {(entry["account"], entry["caller"]) for entry in simulator.journal if entry["api"] != "iam"}
    accounts = [simulator.instance(name).account for name in (SOURCE, TARGET)]
    assert by_profile >= {(account, "mirroring") for account in accounts}
    assert {name for _account, name in by_profile} <= {"mirroring", "the virtual server", None}
    tokens = [entry for entry in simulator.journal if entry["path"] == "/identity/token"]
    assert len(tokens) == {"assumed": 3, "container": 2, "vpc": 0}[identity.split()[0]]

    simulator.clear_journal()
    assert playbook([play], {**PAIR, **variables}).worked().changed == 0
    seen.untouched()


def in_roles(defaults: dict[str, Any]) -> dict[str, Any]:
    """A play of anybody's with these module_defaults for all modules of the collection."""
    return {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "module_defaults": {"group/mirrorops.event_streams.all": defaults},
        "roles": [f"mirrorops.event_streams.{role}" for role in ("setup", "bindings", "enable", "validate")],
    }


@pytest.mark.parametrize("default", ["key", "machine"])
def test_variables_of_a_side_go_before_module_defaults(
    simulate: Any, playbook: Any, observe: Any, tmp_path: Path, default: str
) -> None:
    """The defaults say who one is everywhere else, here for the target; in no task are both mixed."""
    simulator = simulate("two_accounts")
    seen = observe(simulator)
    environment = playbook.environment(simulator)
    del environment["IC_API_KEY"]
    playbook.environment = lambda *_: environment
    (tmp_path / "token").write_text(CR_TOKEN)
    machine = {"compute_resource": "container", "cr_token_file": str(tmp_path / "token"), "iam_profile": TARGET_PROFILE}
    play = in_roles({"ibmcloud_api_key": TARGET_KEY} if default == "key" else machine)
    run = playbook([play], {**PAIR, "mirroring_source_api_key": SOURCE_KEY}).worked()
    seen.mirrored()
    assert "cr_token_file" not in run.output, "it is not used for the source, and nobody needs to be warned of that"
    account = simulator.instance(SOURCE).account
    assert [policy.account for policy in simulator.state.policies.by_id.values()] == [account]
    asked = {entry["account"] for entry in simulator.journal if entry["path"] == "/v1/policies"}
    assert asked == {account}


def test_a_pair_is_turned_round_with_profiles(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    """Each side keeps its own identity, whichever way it mirrors; and without the source, its profile is not asked for."""
    world = World(simulate, playbook, tmp_path)
    simulator = world.begin("two_accounts")
    environment = {**playbook.environment(simulator), "IC_API_KEY": TARGET_KEY}
    playbook.environment = lambda *_: environment
    world.run("failover", failover_mode="unplanned", **PROFILES).worked()
    asked = [entry["body"] for entry in simulator.journal if entry["path"] == "/identity/token"]
    assert [form.get("profile_id") for form in asked] == [None, TARGET_PROFILE]
    world.run("reverse", **PROFILES).worked()
    assert world.direction == "backward"
    callers = {entry["caller"] for entry in simulator.journal if entry["api"] in ("resource_controller", "admin")}
    assert callers == {"mirroring"}


def test_a_machine_on_one_side_and_a_key_on_the_other(simulate: Any, playbook: Any, observe: Any) -> None:
    """Whatever the environment has besides: its key is for nobody here."""
    simulator = simulate("two_accounts")
    environment = {**playbook.environment(simulator), "IC_API_KEY": "of-nobody", "IC_IAM_PROFILE_ID": TARGET_PROFILE}
    playbook.environment = lambda *_: environment
    variables = {"mirroring_target_compute_resource": "vpc", "mirroring_source_api_key": SOURCE_KEY}
    playbook.mirror(**variables).worked()
    observe(simulator).mirrored()
    callers = {(entry["account"], entry["caller"]) for entry in simulator.journal if entry["api"] == "admin"}
    assert callers == {
        (simulator.instance(SOURCE).account, "operator"),
        (simulator.instance(TARGET).account, "mirroring"),
    }


def test_the_identity_of_the_target_is_enough(simulator: Any, playbook: Any, observe: Any) -> None:
    """Also for the tasks that talk to the source alone, where the environment has nobody."""
    environment = playbook.environment(simulator)
    key = environment.pop("IC_API_KEY")
    playbook.environment = lambda *_: environment
    playbook.mirror(mirroring_target_api_key=key, mirroring_failback=True).worked()
    observe(simulator).mirrored(failback=True)


@pytest.mark.parametrize("trouble", ["key", "profile"])
def test_an_unplanned_failover_does_not_look_at_the_identity_of_the_source(
    simulate: Any, playbook: Any, tmp_path: Path, trouble: str
) -> None:
    """Nor does the environment's stand in for it: it may be kept in a place that is gone with the source."""
    world = World(simulate, playbook, tmp_path)
    simulator = world.begin("friendly")
    environment = playbook.environment(simulator)
    key = environment["IC_API_KEY"]
    environment |= {"IC_API_KEY": "@/gone/key"} if trouble == "key" else {"IC_IAM_PROFILE_ID": "crn:of nothing"}
    playbook.environment = lambda *_: environment
    world.run("failover", failover_mode="unplanned", mirroring_target_api_key=key).worked()
    assert world.selected(world.target) == []
