# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record that a run leaves behind: what is in its files, and how its page looks in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.records import newest
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import parse_time
from ansible_collections.mirrorops.event_streams.tests.integration import test_page
from ansible_collections.mirrorops.event_streams.tests.integration.processes import descendants
from ansible_collections.mirrorops.event_streams.tests.integration.test_modules import ELSEWHERE, play
from ansible_collections.mirrorops.event_streams.tests.integration.test_monitoring import ENABLED, SOURCE, TARGET
from ansible_collections.mirrorops.event_streams.tests.integration.test_page import HOSTILE, Looking
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.recovered import (
    AFTER,
    BEFORE,
    PLAN,
    STEPS,
    STEPS_OF_A_FAILURE,
)

driver, browser = test_page.driver, test_page.browser

PATIENCE = 60
RECORD = "mirrorops.event_streams.recovery_record"
PAIR = {"source": SOURCE, "target": TARGET}


def recorded(state: str, folder: Path | str, **options: Any) -> dict[str, Any]:
    """A task that writes a record."""
    return {"name": f"Record {state}", RECORD: {"state": state, "folder": str(folder), **options}, "register": state}


def given(folder: Path | str, **options: Any) -> dict[str, Any]:
    """One that writes what is known of the failover that others recorded."""
    return recorded("ended", folder, **{"before": BEFORE, "after": AFTER, "steps": STEPS, **options})


def look(name: str) -> dict[str, Any]:
    return {
        "name": f"Look {name}",
        "mirrorops.event_streams.recovery_info": {**PAIR, "verb": "disable"},
        "register": f"looked_{name}",
    }


def test_the_record_of_what_was_done(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    """The simulator's journal knows what was sent."""
    simulator = simulate(**ENABLED)
    folder = tmp_path / "all/records"
    disable = {"target": TARGET, "state": "absent", "poll_interval": 0.1, "settle_timeout": 3}
    listed = [
        look("before"),
        recorded("begun", folder, before="{{ looked_before }}"),
        {"name": "Disable", "mirrorops.event_streams.mirroring": disable, "register": "disabled"},
        look("after"),
        recorded(
            "ended",
            folder,
            before="{{ looked_before }}",
            after="{{ looked_after }}",
            record="{{ begun.json }}",
            steps=[{"action": "disable", "results": ["{{ disabled }}"]}],
        ),
    ]
    run = playbook(play(listed)).worked()
    begun, ended = run.results("recovery_record")
    assert begun["json"] == ended["json"]
    assert sorted(path.suffix for path in folder.iterdir()) == [".html", ".json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o700, 0o700]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert run.changed == 1

    record = json.loads(Path(ended["json"]).read_text("utf-8"))
    assert record == ended["record"]
    assert (record["verb"], record["outcome"]) == ("disable", "done")
    sent = [(entry["method"], entry["path"], entry["status"]) for entry in simulator.writes()]
    assert [(one["action"], one["outcome"]) for one in record["steps"]] == [
        ("clear_selection", "not reached"),
        ("disable", "done"),
    ]
    writes = record["steps"][1]["writes"]
    assert [(one["method"], one["path"], one["status"]) for one in writes] == sent
    assert len(sent) == 1
    assert all(one["transaction_id"] for one in writes)
    assert record["pair"]["target"]["guid"] == simulator.instance(TARGET).guid
    assert record["pair"]["source"]["name"] == SOURCE
    targets = [record[when]["sides"]["target"] for when in ("before", "after")]
    assert [one["mirroring"]["enabled"] for one in targets] == [True, False]
    assert targets[0]["topics"] == ["^orders$", "^payments$"]
    assert record["recovery_time"]["seconds"] >= 0
    assert (
        record["started_at"] <= record["steps"][1]["started_at"] <= record["recovery_time"]["to"] <= record["ended_at"]
    )
    key = playbook.environment(simulator)["IC_API_KEY"]
    assert not any(key in path.read_text() for path in folder.iterdir())


@pytest.mark.every_core
@pytest.mark.parametrize("where", ["here", "elsewhere", "async"])
def test_it_runs_everywhere(where: str, playbook: Any, tmp_path: Path) -> None:
    """Also as an ordinary module; not in check mode."""
    inventory = tmp_path / "hosts.json"
    inventory.write_text('{"all": {"hosts": {"bastion": {}}}}')
    hosts = "bastion" if where == "elsewhere" else "localhost"
    variables = ELSEWHERE if where == "elsewhere" else {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    folder = tmp_path / "records"
    task = {**given(folder, role="failover"), **({"async": 60, "poll": 1} if where == "async" else {})}
    arguments = ("-i", str(inventory))
    if where != "async":
        checked = playbook(play([task], hosts), variables, arguments=(*arguments, "--check")).worked()
        assert [one["json"] for one in checked.results("recovery_record")] == [None]
        assert not folder.exists()
    run = playbook(play([task], hosts), variables, arguments=arguments).worked()
    assert run.changed == 0
    (path,) = folder.glob("*.json")
    assert path.with_suffix(".html").exists()
    record = json.loads(path.read_text("utf-8"))
    assert (record["outcome"], record["recovery_time"]["seconds"], len(record["steps"])) == ("done", 2602.0, len(PLAN))


def test_the_folder_of_a_role(playbook: Any, tmp_path: Path) -> None:
    """It is given by the variable of the role, and the arguments are not told again."""
    task = given("unused", role="failover")
    del task[RECORD]["folder"]
    variables = {"mirroring_records": str(tmp_path / "all"), "failover_records": str(tmp_path / "own")}
    (result,) = playbook(play([task]), variables).worked().results("recovery_record")
    assert Path(result["json"]).parent == tmp_path / "own"
    assert "invocation" not in result


def test_a_killed_run_leaves_a_record(playbook: Any, tmp_path: Path) -> None:
    folder = tmp_path / "records"
    stays = {"name": "Go on", "ansible.builtin.wait_for": {"path": str(tmp_path / "never"), "timeout": PATIENCE * 10}}
    process, _record = playbook.start(play([recorded("begun", folder, before=BEFORE), stays]))
    limit = time.monotonic() + PATIENCE
    while not list(folder.glob("*.html")):
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGSTOP)  # so that it starts nothing more
    for one in (*descendants(process.pid), process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    process.communicate()
    shortly_after = (parse_time(BEFORE["at"]) or 0.0) + 60
    found = newest(str(folder), *(BEFORE["sides"][side]["guid"] for side in ("source", "target")), shortly_after)
    assert found is not None
    assert (found["outcome"], found["steps"], len(found["plan"])) == ("unfinished", [], len(PLAN))

    (result,) = (
        playbook(play([given(folder, before={**BEFORE, "continues": found["path"]})]))
        .worked()
        .results("recovery_record")
    )
    assert result["record"]["continues"]["outcome"] == "unfinished"


def test_what_cannot_be_written_is_told_once(playbook: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "something else than a directory" in playbook(play([given(tmp_path / "file/records")])).failure


def test_credentials_of_the_environment_are_masked(playbook: Any, tmp_path: Path) -> None:
    """Those of the task, too."""
    keys = {"IC_API_KEY": "Zk4QwT8vXr2LmB9pYc6H", "IBMCLOUD_IAM_TOKEN": "Bearer tN5bLr8WqZ2vTx7KpY4m"}
    environment = {**playbook.environment(None), "IC_API_KEY": keys["IC_API_KEY"]}
    values = [value.removeprefix("Bearer ") for value in keys.values()]
    task = given(tmp_path / "records", reason=f"Refused: {values[0]}", failed=True, job={"note": values[1]})
    listed = [{**task, "environment": {"IBMCLOUD_IAM_TOKEN": keys["IBMCLOUD_IAM_TOKEN"]}}]
    run = playbook(play(listed), environment=environment).worked()
    (result,) = run.results("recovery_record")
    texts = [path.read_text() for path in (tmp_path / "records").iterdir()]
    assert len(texts) == 2
    assert all("Refused: ********" in text for text in texts)
    assert not any(value in text for value in values for text in (*texts, json.dumps(result)))


def page_of(playbook: Any, folder: Path, **options: Any) -> Path:
    """The page of a record."""
    (result,) = playbook(play([given(folder, **options)])).worked().results("recovery_record")
    return Path(result["html"])


def test_the_page_of_a_failover(playbook: Any, browser: Looking, tmp_path: Path) -> None:
    text = browser.open(page_of(playbook, tmp_path, job={"id": 4711}))
    assert "Failover: es-source (us-south) → es-target (us-east)" in text
    for step in PLAN:
        assert text.count(step["words"]) == 2
    for told in (
        "43 min 22 s",
        "1.5 s, measured",
        "IBMid-550000ABCD",
        "Job: id",
        "4711",
        "bss-one",
        "bss-two",
        "5e0f2c1a",
    ):
        assert told in text
    for told in ("2026-01-01 10:02:10 UTC", "to 2026-01-01 10:43:22 UTC", "no answer", "HTTP 202", "skipped"):
        assert told in text
    for told in (*BEFORE["manual"], *BEFORE["notes"], "Nobody knows.", "Mirroring was off on both sides at the end"):
        assert told in text
    browser.looks_right()
    for theme, width in ((theme, width) for theme in test_page.THEMES for width in test_page.WIDTHS):
        browser.show(theme, width)
        seen = browser.run("return document.body.innerText")
        assert all(step["words"] in seen for step in PLAN)
        assert ("At the end: nothing (observed)" in re.sub(r"\s+", " ", seen)) == (width == 360)


def test_the_page_of_a_failure(playbook: Any, browser: Looking, tmp_path: Path) -> None:
    options = {
        "steps": STEPS_OF_A_FAILURE,
        "failed": True,
        "reason": "It failed.",
        "after": {"failed": True, "msg": "No."},
    }
    text = browser.open(page_of(playbook, tmp_path, **options))
    for told in ("It failed.", "failed", "not reached", "Failed to disable mirroring: no answer.", "not looked at"):
        assert told in text
    assert "The pair could not be looked at afterwards: No." in text
    browser.looks_right()


def test_the_page_of_a_run_that_goes_on(playbook: Any, browser: Looking, tmp_path: Path) -> None:
    (result,) = playbook(play([recorded("begun", tmp_path, before=BEFORE)])).worked().results("recovery_record")
    text = browser.open(Path(result["html"]))
    assert "unfinished" in text
    assert "it was interrupted" in text
    assert all(text.count(step["words"]) == 1 for step in PLAN)
    browser.looks_right()


def test_hostile_texts_on_the_page(playbook: Any, browser: Looking, tmp_path: Path) -> None:
    """Names with markup, without spaces, and in another direction."""
    names = [f"^{HOSTILE}$", f"^{'o' * 247}$", "\u202eredro</td></table><h1>"]
    target = {**BEFORE["sides"]["target"], "name": f"es {HOSTILE} {'n' * 160}", "topics": names * 100}
    before = {**BEFORE, "sides": {**BEFORE["sides"], "target": target}, "notes": ["w" * 500], "now": HOSTILE}
    text = browser.open(page_of(playbook, tmp_path, before=before, reason="m" * 2500, job={"j" * 100: "v" * 300}))
    assert f"es {HOSTILE}" in text
    assert f"^{'o' * 247}$" in text
    assert "and 280 more" in text
    assert len(browser.run("return document.querySelectorAll('h1')")) == 1
    browser.looks_right()
