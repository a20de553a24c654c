# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What surrounds a task: its `environment:`, `no_log`, verbosity; and that secrets stay secret."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.every_core

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
KEY = "simulated-key-main"
WRONG_KEY = "wrong-key-4711-that-nobody-knows"
TRACE = re.compile(r"(GET|POST|PATCH) (/\S+) -> (\d+|no answer), attempt \d+, transaction (\S+), \d+\.\d{3} s")
INFO = "mirrorops.event_streams.instance_info"


def play(tasks: list[dict[str, Any]], **keywords: Any) -> list[dict[str, Any]]:
    """A play with these tasks."""
    return [{"name": "Somebody's own play", "hosts": "localhost", "gather_facts": False, "tasks": tasks, **keywords}]


def assert_no_secrets(run: Any, simulator: Any, *more: str) -> None:
    """Neither a key nor a token that the simulator knows is shown."""
    secrets = [*simulator.state.tokens.secrets(), *more]
    assert len(secrets) > 1
    assert [secret for secret in secrets if secret in run.output] == []
    assert "Bearer ey" not in run.output


def test_environment_selects_the_account(simulate: Any, playbook: Any) -> None:
    simulator = simulate("two_accounts")
    own = playbook.environment(simulator)
    del own["IC_API_KEY"]
    tasks = [
        {"name": "By the play", INFO: {}},
        {"name": "By the task", INFO: {}, "environment": {"IC_API_KEY": "{{ other_key }}"}},
        {"name": "By the play again", INFO: {}},
    ]
    plays = play(tasks, environment={"IC_API_KEY": "simulated-key-source"})
    run = playbook(plays, {"other_key": "simulated-key-target"}, environment=own).worked()
    names = [[one["name"] for one in result["instances"]] for result in run.results("instance_info")]
    assert names == [[SOURCE], [TARGET], [SOURCE]]
    callers = [entry["account"] for entry in simulator.journal if entry["path"] == "/v2/resource_instances"]
    accounts = [simulator.instance(name).account for name in (SOURCE, TARGET, SOURCE)]
    assert callers == accounts


@pytest.mark.parametrize("silent", [False, True])
def test_no_log_silences_progress(simulate: Any, playbook: Any, observe: Any, silent: bool) -> None:
    simulator = simulate(policies=[{"subject": TARGET, "resource": SOURCE}], timing={"operation_seconds": 2})
    options = {"source": SOURCE, "target": TARGET, "poll_interval": 0.1, "settle_timeout": 3}
    task = {"name": "Enable", "mirrorops.event_streams.mirroring": options, "no_log": silent}
    run = playbook(play([task]), arguments=("-vvv",)).worked()
    assert len(observe(simulator).patches()) == 1
    shown = [text for text in ("update accepted", "in progress", "-> 200, attempt") if text in run.output]
    assert shown == ([] if silent else ["update accepted", "in progress", "-> 200, attempt"])


def test_every_request_is_traced(simulator: Any, playbook: Any, observe: Any) -> None:
    run = playbook.mirror("-vvv", "--diff").worked()
    traced = TRACE.findall(run.output)
    journal = [(entry["method"], entry["path"], str(entry["status"])) for entry in simulator.journal]
    assert [(method, path, status) for method, path, status, _transaction in traced] == journal
    assert all(re.fullmatch(r"[0-9a-f-]{36}", transaction) for _method, _path, _status, transaction in traced)
    assert_no_secrets(run, simulator)
    observe(simulator).mirrored()


def test_secrets_stay_secret_when_a_run_fails(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(switches={"refusals": "late"}, timing={"policy_propagation_seconds": 1000})
    run = playbook.mirror("-vvv", mirroring_target_api_key=KEY, mirroring_authorization_timeout=0)
    assert "not authorized" in run.failure
    assert_no_secrets(run, simulator)


@pytest.mark.parametrize("where", ["environment", "variable"])
def test_a_wrong_key_stays_secret(simulator: Any, playbook: Any, observe: Any, where: str) -> None:
    environment = playbook.environment(simulator)
    variables = {"mirroring_source_api_key": WRONG_KEY, "mirroring_target_api_key": WRONG_KEY}
    if where == "environment":
        environment["IC_API_KEY"] = WRONG_KEY
        variables = {}
    playbook.environment = lambda *_: environment
    run = playbook.mirror("-vvv", **variables)
    assert "API key" in run.failure
    assert_no_secrets(run, simulator, WRONG_KEY)
    observe(simulator).untouched()


def test_ordinary_modules_keep_secrets_too(simulator: Any, playbook: Any, tmp_path: Any) -> None:
    inventory = tmp_path / "hosts.json"
    inventory.write_text('{"all": {"hosts": {"bastion": {}}}}')
    tasks = [
        {"name": "Look", INFO: {"instance": SOURCE}},
        {"name": "Look for what is not there", INFO: {"instance": "nobody", "ibmcloud_api_key": KEY}},
    ]
    elsewhere = {"ansible_connection": "elsewhere", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    plays = [{**play(tasks)[0], "hosts": "bastion", "vars": elsewhere}]
    run = playbook(plays, arguments=("-vvv", "-i", str(inventory)))
    assert "nobody" in run.failure
    (worked, _failed) = run.results("instance_info")
    assert len(worked["http_trace"]) == 2
    assert all(TRACE.fullmatch(line) for line in worked["http_trace"])
    assert_no_secrets(run, simulator)
