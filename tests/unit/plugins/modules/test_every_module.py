# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every module."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import types
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _libraries
from ansible_collections.mirrorops.event_streams.plugins.modules import (
    authorization_policy,
    authorization_policy_info,
    failover_readiness_info,
    instance_info,
    metrics_info,
    mirroring,
    mirroring_info,
    readiness_info,
    recovery_info,
    remote_topics,
    topic_selection,
    topics_info,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    KEY,
    SOURCE,
    TARGET,
    TOKEN_FORM,
)

MINIMAL: dict[types.ModuleType, dict[str, t.Any]] = {
    authorization_policy: {
        "account_id": ACCOUNT,
        "source_service_instance_id": TARGET,
        "target_service_instance_id": SOURCE,
    },
    authorization_policy_info: {"account_id": ACCOUNT},
    failover_readiness_info: {"target": TARGET, "source": SOURCE},
    instance_info: {"instance": TARGET},
    metrics_info: {"instance": TARGET},
    mirroring: {"target": TARGET, "source": SOURCE},
    mirroring_info: {"target": TARGET},
    readiness_info: {"target": TARGET, "source": SOURCE},
    recovery_info: {"verb": "failover", "target": TARGET, "source": SOURCE},
    remote_topics: {"target": TARGET, "source": SOURCE},
    topic_selection: {"target": TARGET, "topics": ["^a$"]},
    topics_info: {"instance": TARGET},
}
OFFLINE = {"recovery_record"}
"""Those that ask no cloud."""

every_module = pytest.mark.parametrize("module", MINIMAL, ids=lambda module: module.__name__.rpartition(".")[2])
ROOT = pathlib.Path(__file__).resolve().parents[4]


def test_all_modules_are_here() -> None:
    files = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - {"__init__"}
    assert {module.__name__.rpartition(".")[2] for module in MINIMAL} | OFFLINE == files


@every_module
def test_no_credentials(module: types.ModuleType, cloud: Cloud) -> None:
    ran = run_main(module, {**MINIMAL[module], **cloud.endpoints})
    assert ran.code == 1
    assert ran.result["msg"].startswith("no credentials for IBM Cloud.")
    assert "IC_API_KEY" in ran.result["msg"]
    assert ran.result["failure"]["kind"] == "invalid_input"


@every_module
def test_an_endpoint_that_would_show_the_key(module: types.ModuleType, cloud: Cloud) -> None:
    ran = run_main(module, {**MINIMAL[module], **cloud.base, "iam_endpoint": "http://iam.example.com"})
    assert ran.failed
    assert "iam_endpoint would send credentials unencrypted" in ran.result["msg"]


@pytest.mark.parametrize(
    "module", [one for one in MINIMAL if "max_age" in one.SPEC.options], ids=lambda one: one.__name__
)
@pytest.mark.parametrize("max_age", [-1, 86400, float("nan"), float("inf")])
def test_an_age_that_makes_no_sense(module: types.ModuleType, max_age: float, cloud: Cloud) -> None:
    ran = run_main(module, {**MINIMAL[module], **cloud.base, "max_age": max_age})
    assert ran.failed
    assert "max_age must be 0 or more" in ran.result["msg"]


@pytest.mark.parametrize(
    "module", [one for one in MINIMAL if "monitoring_instance" in one.SPEC.options], ids=lambda one: one.__name__
)
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"monitoring_instance": "mine"}, "monitoring_instance 'mine' is neither a GUID nor a CRN"),
        (
            {"monitoring_endpoint": "http://{region}.example.com"},
            "monitoring_endpoint would send credentials unencrypted",
        ),
        ({"monitoring_endpoint": "{region}"}, "monitoring_endpoint is not"),
        ({"metric_names": {"lag": "x"}}, "metric_names has 'lag'"),
    ],
)
def test_where_metrics_are_is_checked_before_anything_is_sent(
    module: types.ModuleType, changes: dict[str, t.Any], told: str, cloud: Cloud
) -> None:
    ran = run_main(module, {**MINIMAL[module], **cloud.base, **changes})
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.calls() == []


@every_module
def test_what_nobody_foresaw_is_one_message_without_the_key(
    module: types.ModuleType, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(call: t.Any) -> t.NoReturn:
        raise KeyError(f"oops with {call.params['ibmcloud_api_key']}")

    monkeypatch.setattr(module, "run", explode)
    ran = run_main(module, {**MINIMAL[module], **cloud.base})
    assert ran.failed
    assert "Unexpected KeyError" in ran.result["msg"]
    assert "please report it" in ran.result["msg"]
    assert "Traceback" not in ran.result["msg"]
    assert "traceback" not in ran.result["failure"]
    assert ran.result["failure"]["kind"] == "defect"
    assert KEY not in ran.text


@every_module
def test_an_unknown_option(module: types.ModuleType, cloud: Cloud) -> None:
    ran = run_main(module, {**MINIMAL[module], **cloud.base, "surprise": 1})
    assert ran.failed
    assert "surprise" in ran.result["msg"]


@every_module
@pytest.mark.parametrize("option", ["request_timeout", "retry_timeout"])
def test_a_time_limit_that_makes_no_sense(option: str, module: types.ModuleType, cloud: Cloud) -> None:
    ran = run_main(module, {**MINIMAL[module], **cloud.base, option: -1})
    assert ran.failed
    assert option in ran.result["msg"]


@every_module
def test_a_refused_key_ends_in_a_clear_message_without_the_key(module: types.ModuleType, cloud: Cloud) -> None:
    cloud.server.expect(
        "POST",
        "/identity/token",
        {"errorCode": "BXNIM0415E", "errorMessage": f"Provided API key {KEY} could not be found."},
        status=400,
        times=3,
        form=TOKEN_FORM,
    )
    ran = run_main(module, {**MINIMAL[module], **cloud.base}, verbosity=3)
    assert ran.code == 1
    assert "does not accept the API key" in ran.result["msg"]
    assert ran.result["failure"]["code"] == "BXNIM0415E"
    assert KEY not in ran.text
    trace = ran.result["http_trace"]
    assert [line.rpartition(", transaction")[0] for line in trace] == [
        "POST /identity/token -> 400, attempt 1",
    ] * 3


@every_module
def test_the_environment_is_used(module: types.ModuleType, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBMCLOUD_API_KEY", KEY)
    monkeypatch.setenv("IBMCLOUD_IAM_API_ENDPOINT", cloud.server.url)
    monkeypatch.setenv("IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT", cloud.server.url)
    cloud.server.expect("POST", "/identity/token", status=404, form=TOKEN_FORM)
    ran = run_main(module, MINIMAL[module])
    assert ran.failed
    assert ran.result["failure"]["status"] == 404
    assert KEY not in ran.text


@every_module
def test_requests_is_missing(module: types.ModuleType, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_libraries._MISSING, "requests", "Traceback: no requests")
    ran = run_main(module, {**MINIMAL[module], **cloud.base})
    assert ran.failed
    assert "requests" in ran.result["msg"]
    assert "pip install requests" in ran.result["msg"]
    assert ran.result["failure"]["kind"] == "library_missing"


WITHOUT_LIBRARIES = """
import sys
sys.modules["requests"] = sys.modules["jmespath"] = None
import importlib, pathlib
for path in sorted(pathlib.Path(sys.argv[1], "plugins", "modules").glob("*.py")):
    module = importlib.import_module(f"ansible_collections.mirrorops.event_streams.plugins.modules.{path.stem}")
    print(path.stem, callable(module.main))
from ansible_collections.mirrorops.event_streams.plugins.module_utils._libraries import LibraryMissing, load_jmespath, require_requests
for needed in (require_requests, load_jmespath):
    try:
        needed()
    except LibraryMissing as error:
        print(error.message.split(" on ")[0])
"""


def test_modules_can_be_imported_without_the_libraries() -> None:
    """In a process of its own: here they have been imported already."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARIES, str(ROOT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert len([line for line in told if line.endswith(" True")]) == len(MINIMAL) + len(OFFLINE)
    assert told[-2:] == [f"Failed to import the required Python library ({name})" for name in ("requests", "jmespath")]


SOME_ACTIONS = """
import sys
import importlib
for name in sys.argv[1:]:
    importlib.import_module(f"ansible_collections.mirrorops.event_streams.plugins.action.{name}")
for name in sys.modules:
    if name.startswith("ansible_collections.mirrorops.") or name == "jmespath":
        print(name.rpartition("module_utils.")[2])
"""
PAGES = {"_page", "_mirroring.picture"}
MEASURING = {f"_mirroring.{name}" for name in ("lag", "lag_gate", "last_reading", "load", "measure")}


def actions_of_mirror() -> list[str]:
    texts = [
        (ROOT / f"roles/{role}/tasks/main.yml").read_text() for role in ("setup", "bindings", "enable", "validate")
    ]
    return re.findall(r"^  mirrorops\.event_streams\.(\w+):$", "".join(texts), re.MULTILINE)


def all_actions() -> list[str]:
    return sorted(path.stem for path in (ROOT / "plugins/action").glob("*.py"))


@pytest.mark.parametrize(
    ("actions", "used", "unused"),
    [
        (all_actions, {"_mirroring.look", "_mirroring.measure"}, {"jmespath", *PAGES}),
        (actions_of_mirror, {"_mirroring.look", "_mirroring.change"}, {"jmespath", *PAGES, *MEASURING}),
    ],
    ids=["all", "mirror"],
)
def test_what_few_tasks_need_is_not_in_every_worker(
    actions: t.Callable[[], list[str]], used: set[str], unused: set[str]
) -> None:
    """Every worker of a run is a copy of the process that has imported the actions."""
    done = subprocess.run(
        [sys.executable, "-c", SOME_ACTIONS, *actions()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    imported = set(done.stdout.split())
    assert used <= imported
    assert not imported & unused
