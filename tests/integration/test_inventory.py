# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances as hosts: `ansible-inventory` and `ansible-playbook` with the inventory plugin, seen from the simulator."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.inventory import Inventory
from simulator import load_scenario

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/docsite/rst/guide_inventory.rst"
SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
KEY = "simulated-key-main"
ENTERPRISE = "ibm.message.hub.enterprise.3nodes.2tb"
SHOW = [
    {
        "name": "Look at one instance, and show variables",
        "hosts": "all",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": [
            {"name": "Look", "mirrorops.event_streams.instance_info": {"instance": "{{ event_streams_guid }}"}},
            {
                "name": "Show",
                "ansible.builtin.debug": {
                    "msg": "{{ [inventory_hostname, event_streams_name, made | default('')] + groups['all'] }}"
                },
            },
        ],
    }
]


@pytest.fixture
def inventory(playbook: Any, tmp_path: Path) -> Inventory:
    """Runs `ansible-inventory` with the simulator that the test has started."""
    return Inventory(tmp_path, playbook)


def paths(simulator: Any, *, tokens: bool = False) -> list[str]:
    """What was asked for, in order."""
    return [f"{one['method']} {one['path']}" for one in simulator.journal if tokens or "identity" not in one["path"]]


def lists(simulator: Any) -> list[dict[str, str]]:
    """The queries of all listings."""
    return [one["query"] for one in simulator.journal if one["path"] == "/v2/resource_instances"]


def guid(simulator: Any, name: str) -> str:
    return str(simulator.instance(name).guid)


def test_the_readme_shows_the_tree_of_its_example(inventory: Any, simulate: Any) -> None:
    readme = (ROOT / "README.md").read_text()
    example = re.search(r"^```yaml\n(plugin: .*?)^```", readme, re.MULTILINE | re.DOTALL)
    tree = re.search(
        r"^\$ ansible-inventory -i examples/pairs.event_streams.yml --graph\n(.*?)^```",
        readme,
        re.MULTILINE | re.DOTALL,
    )
    assert example
    assert tree
    simulate("demo")
    assert inventory.graph(inventory.write(example[1])) == tree[1]
    assert inventory.graph(ROOT / "examples/pairs.event_streams.yml") == tree[1]


@pytest.mark.every_core
@pytest.mark.parametrize(
    ("example", "scenario"), [("instances", "demo"), ("pairs", "demo")], ids=["instances", "pairs"]
)
def test_the_guide_shows_the_trees_of_the_examples(inventory: Any, simulate: Any, example: str, scenario: str) -> None:
    command = f"$ ansible-inventory -i examples/{example}.event_streams.yml --graph\n"
    shown = re.search(rf"^    {re.escape(command)}((?:    [^\n]+\n)+)", GUIDE.read_text(), re.MULTILINE)
    assert shown
    simulator = simulate(scenario)
    assert inventory.graph(ROOT / f"examples/{example}.event_streams.yml") == textwrap.dedent(shown[1])
    assert simulator.writes() == []


@pytest.mark.every_core
def test_every_variable_of_an_instance(inventory: Any, simulator: Any) -> None:
    hosts = inventory.hosts({})
    assert sorted(hosts) == [SOURCE, TARGET]
    target, instance = hosts[TARGET], simulator.instance(TARGET)
    facts = {name.removeprefix("event_streams_"): value for name, value in target.items()}
    assert {**facts, "last_operation": None, "updated_at": None, "mirroring": None} == {
        "account": "default",
        "account_id": ACCOUNT,
        "admin_url": simulator.admin_url(TARGET),
        "crn": str(instance.crn),
        "guid": instance.guid,
        "last_operation": None,
        "locked": False,
        "mirroring": None,
        "name": TARGET,
        "plan": "enterprise",
        "private_addresses": ["166.9.14.10"],
        "region": "us-east",
        "resource_group_id": instance.resource_group,
        "resource_plan_id": ENTERPRISE,
        "service_endpoints": "public",
        "state": "active",
        "storage_size": 2048,
        "throughput": 150,
        "updated_at": None,
    }
    assert facts["last_operation"]["state"] == "succeeded"
    assert (facts["mirroring"]["enabled"], facts["mirroring"]["how"]) == (False, "observed")


@pytest.mark.every_core
def test_a_cache_hit_sends_nothing(inventory: Any, simulator: Any) -> None:
    first = inventory.hosts(inventory.cached)
    assert sorted(paths(simulator)) == [
        *(f"GET /es/{guid(simulator, name)}/admin/mirroring/topic-selection" for name in (SOURCE, TARGET)),
        "GET /v2/resource_instances",
    ]
    assert not [secret for secret in simulator.state.tokens.secrets() if secret in inventory.cache_files()]
    simulator.clear_journal()
    assert inventory.hosts(inventory.cached) == first
    assert inventory.hosts({**inventory.cached, "vars_prefix": "es_"})[SOURCE]["es_name"] == SOURCE
    grouped = {**inventory.cached, "keyed_groups": [{"key": "event_streams_throughput | string", "prefix": "mbs"}]}
    assert inventory.groups(grouped)["mbs_150"] == [SOURCE, TARGET]
    assert simulator.journal == []

    inventory.flush(inventory.cached)
    assert len(lists(simulator)) == 1
    simulator.clear_journal()
    assert sorted(inventory.hosts({**inventory.cached, "filters": {"name": SOURCE}})) == [SOURCE]
    assert len(lists(simulator)) == 1


@pytest.mark.every_core
def test_several_files_in_one_run(inventory: Any, simulator: Any) -> None:
    pairs = inventory.write((ROOT / "examples/pairs.event_streams.yml").read_text(), "pairs.event_streams.yml")
    run = inventory.run({"filters": {"region": "us-east"}}, "-i", str(pairs), "--graph")
    assert (run.returncode, run.stderr) == (0, "")
    assert "@event_streams_instances:" in run.stdout and "@event_streams_pairs:" in run.stdout
    assert paths(simulator, tokens=True).count("POST /identity/token") == 1


def test_a_cache_hit_needs_no_key_and_no_network(inventory: Any, simulator: Any) -> None:
    first = inventory.hosts(inventory.cached)
    simulator.stop()
    inventory.environment.pop("IC_API_KEY")
    assert inventory.hosts(inventory.cached) == first
    assert inventory.refused({}).startswith("no credentials for IBM Cloud")


@pytest.mark.every_core
def test_a_run_asks_for_one_token(inventory: Any, playbook: Any, simulator: Any) -> None:
    playbook(SHOW, arguments=("-i", str(inventory.write({})))).worked()
    assert paths(simulator, tokens=True).count("POST /identity/token") == 1
    assert {entry["host"] for entry in playbook_results(playbook)} == {SOURCE, TARGET}


def playbook_results(playbook: Any) -> list[dict[str, Any]]:
    """What the tasks of the last run recorded."""
    record = max(playbook._folder.glob("*-record.jsonl"))
    return [entry for line in record.read_text().splitlines() if "task" in (entry := json.loads(line))]


@pytest.mark.every_core
@pytest.mark.parametrize("cached", [False, True], ids=["read", "out of the cache"])
def test_what_the_cloud_says_is_never_templated(
    inventory: Any, playbook: Any, simulate: Any, tmp_path: Path, cached: bool
) -> None:
    proof = tmp_path / "proof"
    evil = f"{{{{ lookup('pipe', 'touch {proof}') }}}}"
    header = f"#jinja2: variable_start_string: '[%', variable_end_string: '%]'\n[% lookup('pipe', 'touch {proof}') %]"
    entry = {"account": ACCOUNT, "region": "us-south"}
    operation = {"type": "update", "state": "failed", "description": f"{evil} {{% if {evil} %}}"}
    others = load_scenario("friendly")["instances"]
    evils = [{**entry, "name": evil, "last_operation": operation}, {**entry, "name": header}]
    simulate(instances=[*others, *evils])
    options = {
        **(inventory.cached if cached else {}),
        "strict": True,
        "compose": {
            "made": "event_streams_name ~ event_streams_last_operation.description",
            "plain": "event_streams_name",
        },
        "groups": {"named": "event_streams_name != ''"},
        "keyed_groups": [{"key": "event_streams_name", "prefix": "key"}],
    }
    if cached:
        inventory.hosts(options)
    hosts = inventory.hosts(options)
    assert {evil, header} < {one["event_streams_name"] for one in hosts.values()}
    assert not any(set("{}") & set(name) for name in hosts)
    run = playbook(SHOW, arguments=("-i", str(inventory.write(options)))).worked()
    shown = [entry["result"]["msg"] for entry in run.tasks if entry["action"].endswith("debug")]
    assert {evil, header} < {message[1] for message in shown}
    assert f"{evil}{operation['description']}" in {message[2] for message in shown}
    assert not proof.exists()


@pytest.mark.every_core
def test_instances_that_share_a_name(inventory: Any, simulate: Any) -> None:
    simulator = simulate("duplicate_names")
    namesakes = [one for one in simulator.state.instances.values() if one.name == SOURCE]
    assert sorted(inventory.hosts({})) == sorted([TARGET, *(f"{SOURCE}-{one.guid[:8]}" for one in namesakes)])
    assert sorted(inventory.hosts({"hostname": "guid"})) == sorted(simulator.state.instances)


def test_states_and_plans_make_groups(inventory: Any, simulate: Any) -> None:
    entry = {"account": ACCOUNT, "region": "eu-de"}
    extra = [
        {**entry, "name": "busy", "last_operation": {"type": "update", "state": "in progress"}},
        {**entry, "name": "broken", "last_operation": {"type": "update", "state": "failed"}},
        {**entry, "name": "old", "last_operation": None},
        {**entry, "name": "standard", "plan": "standard"},
        {**entry, "name": "gen2", "plan": "enterprise-gen2"},
        {**entry, "name": "gone", "state": "pending_reclamation"},
        {
            **entry,
            "name": "copy",
            "mirroring": {"source": SOURCE, "source_alias": "us-south", "target_alias": "eu-de"},
        },
    ]
    simulator = simulate(instances=[*load_scenario("friendly")["instances"], *extra])
    groups = inventory.groups({})
    assert "gone" not in groups["event_streams_instances"]
    assert groups["plan_standard"] == ["standard"]
    assert groups["plan_enterprise_gen2"] == ["gen2"]
    assert groups["operation_running"] == ["busy"]
    assert groups["operation_failed"] == ["broken"]
    assert groups["operation_none"] == ["old"]
    assert groups["mirroring_unknown"] == ["busy", "gen2", "standard"]
    assert groups["mirroring_on"] == ["copy"]
    asked = [one for one in simulator.journal if one["api"] == "admin"]
    assert len(asked) == len({one["instance"] for one in asked}) == 6


def test_a_target_and_how_that_is_known(inventory: Any, simulate: Any) -> None:
    mirroring = {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"}
    simulator = simulate(target={"mirroring": mirroring})
    shown = inventory.hosts({})[TARGET]["event_streams_mirroring"]
    assert (shown["enabled"], shown["how"], shown["reason"]) == (True, "observed", None)
    assert shown["source_crn"] == str(simulator.instance(SOURCE).crn)
    assert shown["known"]["source_alias"] == "echoed"
    assert inventory.groups({})["mirroring_on"] == [TARGET]

    simulator.set_switch("echo", "none")
    shown = inventory.hosts({})[TARGET]["event_streams_mirroring"]
    assert (shown["enabled"], shown["source_crn"]) == (True, None)
    assert shown["reason"] == "the cloud does not show the source"


@pytest.mark.parametrize(
    ("filters", "found", "sent"),
    [
        ({"name": TARGET}, [TARGET], {"name": TARGET}),
        ({"guid": "11111111-aaaa-4bbb-8ccc-000000000001"}, [SOURCE], {"guid": "11111111-aaaa-4bbb-8ccc-000000000001"}),
        ({"resource_plan_id": ENTERPRISE}, [SOURCE, TARGET], {"resource_plan_id": ENTERPRISE}),
        ({"state": "inactive"}, [], {"state": "inactive"}),
        ({"region": "us-east"}, [TARGET], {}),
        ({"resource_group_id": "0" * 32, "name": SOURCE}, [], {"resource_group_id": "0" * 32, "name": SOURCE}),
    ],
)
def test_filters(inventory: Any, simulator: Any, filters: Any, found: list[str], sent: dict[str, str]) -> None:
    assert sorted(inventory.hosts({"filters": filters})) == found
    first = lists(simulator)[0]
    assert {name: value for name, value in first.items() if name not in ("type", "limit", "resource_id")} == sent
    assert {one["instance"] for one in simulator.journal if one["api"] == "admin"} == {
        guid(simulator, n) for n in found
    }


def test_a_query(inventory: Any, simulator: Any) -> None:
    assert sorted(inventory.hosts({"query": "[?region=='us-east']"})) == [TARGET]
    assert inventory.hosts({"query": "[?region=='mars']"}) == {}


@pytest.mark.every_core
def test_two_accounts(inventory: Any, simulate: Any) -> None:
    simulate("two_accounts")
    groups = inventory.groups(inventory.two_accounts)
    assert (groups["account_from"], groups["account_to_here"]) == ([SOURCE], [TARGET])
    hosts = inventory.hosts(inventory.two_accounts)
    assert hosts[TARGET]["event_streams_account"] == "to-here"
    assert "simulated-key" not in json.dumps(hosts)


def test_one_key_and_a_profile_in_each_account(inventory: Any, simulate: Any) -> None:
    """Each account is seen as its own profile sees it; the key's own account tells nothing of that."""
    simulator = simulate("two_accounts")
    accounts = [
        {"name": name, "ibmcloud_api_key": "simulated-key-source", "iam_profile": f"Profile-{middle}"}
        for name, middle in (
            ("from", "11111111-aaaa-4bbb-8ccc-000000000011"),
            ("to", "22222222-aaaa-4bbb-8ccc-000000000022"),
        )
    ]
    groups = inventory.groups({"accounts": accounts})
    assert (groups["account_from"], groups["account_to"]) == ([SOURCE], [TARGET])
    assert len([entry for entry in simulator.journal if entry["path"] == "/identity/token"]) == 3


@pytest.mark.every_core
@pytest.mark.parametrize("fault", ["refused key", "forbidden", "unauthorized"])
def test_an_account_that_cannot_be_read(inventory: Any, simulate: Any, fault: str) -> None:
    simulator = simulate("two_accounts")
    options = json.loads(json.dumps(inventory.two_accounts))
    if fault == "refused key":
        options["accounts"][1]["ibmcloud_api_key"] = "no-such-key-1234567"
    else:
        simulator.add_fault(fault, api="resource_controller", path="/v2/resource_instances", nth=2, times=None)
    message = inventory.refused(options)
    assert "account 'to-here'" in message and "strict_permissions: false" in message

    simulator.clear_faults()
    if fault != "refused key":
        simulator.add_fault(fault, api="resource_controller", path="/v2/resource_instances", nth=2, times=None)
    run = inventory.run({**options, **inventory.cached, "strict_permissions": False}, "--list")
    assert sorted(json.loads(run.stdout)["_meta"]["hostvars"]) == [SOURCE]
    assert inventory.words(run).count("Account 'to-here' is left out.") == 1
    simulator.clear_journal()
    again = inventory.run({**options, **inventory.cached, "strict_permissions": False}, "--list")
    assert again.stdout == run.stdout
    assert inventory.words(again).count("Account 'to-here' is left out.") == 1
    assert simulator.journal == []


def test_other_trouble_is_never_skipped(inventory: Any, simulate: Any) -> None:
    simulator = simulate("two_accounts")
    simulator.add_fault("status", api="resource_controller", status=500, times=None)
    options = {**inventory.two_accounts, "strict_permissions": False, "retry_timeout": 0}
    assert "account 'from'" in inventory.refused(options)


@pytest.mark.every_core
@pytest.mark.parametrize("form", ["lookup", "extra variable", "vault", "file"])
def test_where_a_key_can_come_from(inventory: Any, simulator: Any, tmp_path: Path, form: str) -> None:
    key, arguments = inventory.environment.pop("IC_API_KEY"), []
    text = json.dumps(key)
    if form == "lookup":
        inventory.environment["ELSEWHERE"] = key
        text = "\"{{ lookup('ansible.builtin.env', 'ELSEWHERE') }}\""
    elif form == "extra variable":
        (tmp_path / "extra.json").write_text(json.dumps({"the_key": key}))
        text, arguments = '"{{ the_key }}"', ["-e", f"@{tmp_path / 'extra.json'}"]
    elif form == "file":
        (tmp_path / "key.json").write_text(json.dumps({"apikey": key}))
        text = json.dumps(f"@{tmp_path / 'key.json'}")
    else:
        password = tmp_path / "password"
        password.write_text("word\n")
        text = inventory.vaulted(key, password)
        arguments = ["--vault-password-file", str(password)]
    config = f"plugin: mirrorops.event_streams.instances\naccounts:\n  - name: one\n    ibmcloud_api_key: {text}\n"
    run = inventory.run(config, "--list", "-vvvv", *arguments)
    assert run.returncode == 0, run.stderr
    assert sorted(json.loads(run.stdout[run.stdout.index("\n{") :])["_meta"]["hostvars"]) == [SOURCE, TARGET]
    own = re.sub(r'"the_key": "[^"]*"', "", run.stdout)  # --list shows extra variables as they are
    assert any(secret.startswith("eyJ") for secret in simulator.state.tokens.secrets())
    assert not [secret for secret in simulator.state.tokens.secrets() if secret in own + run.stderr]
    assert "GET /v2/resource_instances -> 200" in inventory.words(run)


@pytest.mark.every_core
def test_constructed_features_are_strict_on_demand(inventory: Any, simulator: Any) -> None:
    options = {"compose": {"made": "event_streams_nothing.at_all", "size": "event_streams_throughput * 2"}}
    assert int(inventory.hosts(options)[SOURCE]["size"]) == 300
    assert "Could not set made" in inventory.refused({**options, "strict": True})


def test_nothing_found_still_makes_the_group(inventory: Any, simulate: Any) -> None:
    rights = [{"id": ACCOUNT, "api_keys": [{"key": KEY, "rights": "none"}]}]
    simulate(accounts=rights)
    run = inventory.run({}, "--graph")
    assert "@event_streams_instances:" in run.stdout
    assert run.returncode == 0


def test_another_name_of_the_file_is_not_taken(inventory: Any, simulator: Any) -> None:
    assert inventory.run({}, "--graph", name="instances.yml").returncode != 0
    assert inventory.run({}, "--graph", name="my_event_streams.yaml").returncode == 0


@pytest.mark.every_core
def test_requests_may_be_missing(inventory: Any, simulator: Any, tmp_path: Path) -> None:
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow/requests.py").write_text("raise ImportError('gone')\n")
    inventory.environment["PYTHONPATH"] = str(tmp_path / "shadow")
    assert "python3 -m pip install requests" in inventory.refused({})
    assert simulator.journal == []


def test_private_endpoints_are_those_of_the_platform(inventory: Any, simulator: Any) -> None:
    for name in [name for name in inventory.environment if name.endswith("_API_ENDPOINT")]:
        del inventory.environment[name]
    inventory.environment |= {"IC_VISIBILITY": "private", "https_proxy": "http://127.0.0.1:9"}
    message = inventory.refused({"retry_timeout": 0, "request_timeout": 2})
    assert "private.iam.cloud.ibm.com" in message


def test_both_ways_to_enable_the_plugin(inventory: Any, simulator: Any) -> None:
    inventory.environment["ANSIBLE_INVENTORY_ENABLED"] = "auto"
    assert sorted(inventory.hosts({})) == [SOURCE, TARGET]


def test_a_subprocess_cannot_tell_the_key(inventory: Any, simulator: Any) -> None:
    """Keys that are given in wrong places are not shown by what complains about them."""
    for options in (
        {"accounts": {"name": "x", "ibmcloud_api_key": "misplaced-key-987"}},
        {"ibmcloud_api_key": {"ibmcloud_api_key": "misplaced-key-987"}},
        {"filters": {"ibmcloud_api_key": "misplaced-key-987"}},
        {"pairs": [{"iam_token": "misplaced-key-987"}]},
        {"accounts": [{"name": "x", "iam_token": "misplaced key 987"}]},
    ):
        run = inventory.run(options, "--list", "-vvvv")
        assert run.returncode != 0
        assert "misplaced" not in run.stdout + run.stderr
    assert simulator.journal == []
