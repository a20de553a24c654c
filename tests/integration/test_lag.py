# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit for lag where it is hard to tell which topics count, which of their values, and when that was."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.test_headroom import findings, takes_in
from ansible_collections.mirrorops.event_streams.tests.integration.test_monitoring import (
    ENABLED,
    MONITORING,
    RULES,
    SOURCE,
    TARGET,
    asked,
    drawn,
    lags,
    metrics,
    validate,
    waits_for_lag,
)

EVERY_SECOND = {"metrics_interval_seconds": 1}
JAVA = ["^payments$", "^orders?+$"]


def lag_of(result: dict[str, Any]) -> dict[str, Any]:
    """The finding about lag, also if it passed and is not returned."""
    found = [one for one in result["findings"] if one["rule"] == "lag"]
    assert bool(found) != ("lag" in result["passed"])
    return dict(found[0]) if found else {"status": "pass"}


def selecting(*patterns: str) -> dict[str, Any]:
    """A mirrored pair with another selection."""
    return {**ENABLED, "target": {**ENABLED["target"], "selection": list(patterns)}}


def test_metrics_info_warns_of_topics_that_have_no_number(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, series=lags(orders=[[90000, 2]], payments=[[90000, "NaN"]]), **ENABLED)
    (result,) = metrics(playbook, max_lag=60).worked().results("metrics_info")
    (found,) = result["findings"]
    assert (found["status"], found["evidence"]["silent"]) == ("warn", ["payments"])


@pytest.mark.parametrize(("late", "verdict", "status"), [(900, "behind", "fail"), (1, "mirroring", "warn")])
def test_patterns_that_only_the_service_understands(
    late: int, verdict: str, status: str, simulate: Any, playbook: Any, tmp_path: Any
) -> None:
    simulate(monitoring=MONITORING, series=lags(orders=[[90000, late]], payments=[[90000, 1]]), **selecting(*JAVA))
    page = tmp_path / "page.html"
    result = validate(playbook, mirroring_max_lag=60, mirroring_topics=JAVA, mirroring_page=str(page)).facts[
        "validate_result"
    ]
    found = lag_of(result)
    assert (result["verdict"], found["status"]) == (verdict, status)
    assert "can only be told by the service: ^orders?+$" in found["message"]
    assert "ot selected" not in found["message"]
    assert "not selected" not in page.read_text()


@pytest.mark.parametrize("patterns", [[], ["^later$"]])
def test_nothing_selected_is_not_waited_for(patterns: list[str], simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, **selecting(*patterns))
    result = waits_for_lag(playbook, mirroring_topics=patterns)
    assert (result["verdict"], lag_of(result)["status"], result["lag"]["state"]) == ("mirroring", "pass", "within")
    assert result["duration"] < 60


def test_one_topic_is_called_on_the_target_as_another_is_on_the_source(simulate: Any, playbook: Any) -> None:
    """Of orders nothing is known any more; that the other one is well says nothing of it."""
    transform = {"type": "rename", "rename": {"add_prefix": "dr-"}}
    topics = ["^orders$", "^dr-orders$"]
    mirrored = {**ENABLED["target"]["mirroring"], "options": {"topic_name_transform": transform}}
    simulate(
        monitoring=MONITORING,
        source={"topics": [{"name": name, "partitions": 1} for name in ("orders", "dr-orders")]},
        series=lags(**{"orders": [[90000, 900], [420, None]], "dr-orders": [[90000, 1]]}),
        policies=ENABLED["policies"],
        target={"mirroring": mirrored, "selection": topics},
    )
    options = {"mirroring_topics": topics, "mirroring_topic_name_transform": transform, "mirroring_topics_timeout": 1}
    result = waits_for_lag(playbook, **options)
    assert (result["lag"]["state"], result["lag"]["stopped"]) == ("unknown", ["orders"])


@pytest.mark.slow
def test_topics_without_a_value_are_waited_for(simulate: Any, playbook: Any) -> None:
    """After enabling, one topic has a value before the other one, which is behind."""
    simulate(
        monitoring=MONITORING,
        timing=EVERY_SECOND,
        series=lags(orders=[[90000, 1]], payments=[[-10, 900], [-16, 1]]),
        **ENABLED,
    )
    result = waits_for_lag(playbook, mirroring_topics_timeout=60)
    assert (result["lag"]["state"], result["lag"]["silent"], len(result["lag"]["topics"])) == ("within", [], 2)
    assert lag_of(result)["status"] == "pass"


def deselect(playbook: Any) -> None:
    """Selects orders alone."""
    task = {"name": "Select", "mirrorops.event_streams.topic_selection": {"target": TARGET, "topics": ["^orders$"]}}
    playbook([{"name": "Select", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]).worked()


@pytest.mark.slow
@pytest.mark.parametrize("change", ["deselected", "deleted"])
def test_a_topic_that_counts_no_more_after_the_wait(change: str, simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(
        monitoring=MONITORING,
        timing=EVERY_SECOND,
        series=lags(orders=[[90000, 2]], payments=[[90000, 900]]),
        **ENABLED,
    )
    options = {**playbook.pair, "mirroring_poll_interval": 0.5, "mirroring_max_lag": 60, "mirroring_wait_for_lag": True}
    options |= {"mirroring_topics": None, "mirroring_wait_timeout": 20}
    process, record = playbook.start("mirrorops.event_streams.validate", options, simulator=simulator)
    observe(simulator).until(lambda: asked(simulator) or process.poll() is not None)
    if change == "deleted":
        simulator.delete_topic(SOURCE, "payments")
    else:
        deselect(playbook)
    result = playbook.finish(process, record).facts["validate_result"]
    assert (result["verdict"], result["lag"]["worst"]) == ("mirroring", {"topic": "orders", "seconds": 2})


def test_a_source_that_could_not_be_read_once(simulate: Any, playbook: Any) -> None:
    series = lags(orders=[[90000, 2]], payments=[[90000, 3]], audit=[[90000, 900]])
    simulator = simulate(monitoring=MONITORING, timing=EVERY_SECOND, series=series, **ENABLED)
    simulator.add_fault("forbidden", path="/admin/topics", nth=2, times=1)
    result = waits_for_lag(playbook, mirroring_wait_timeout=3)
    assert (result["verdict"], lag_of(result)["status"]) == ("mirroring", "pass")


def test_what_was_before_mirroring_was_enabled_says_nothing(simulate: Any, playbook: Any) -> None:
    """The last value of one topic was bad, of the other one good, and now it is the other way round."""
    series = lags(orders=[[90000, 1], [-60, 90]], payments=[[90000, 900], [600, None]])
    simulate(monitoring=MONITORING, timing=EVERY_SECOND, series=series)
    run = playbook.mirror(mirroring_max_lag=60, mirroring_wait_for_lag=True, mirroring_topics_timeout=2)
    lag = run.facts["validate_result"]["lag"]
    assert (lag["stopped"], "payments" in lag["silent"]) == ([], True)


def started(ahead: float) -> dict[str, Any]:
    """A simulated cloud whose clock differs from ours."""
    at = datetime.datetime.fromtimestamp(time.time() + ahead, datetime.timezone.utc)
    return {"start": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "speed": 1}


def test_a_clock_that_differs_from_that_of_monitoring(simulate: Any, playbook: Any) -> None:
    """The peak is within the last two hours of Monitoring's clock, which is two hours ahead of ours."""
    busy = drawn("bytes_out_per_second", [90000, 1e6], [600, 90e6], instance=SOURCE)
    topics = [takes_in(topic, [90000, 1e6]) for topic in ("orders", "payments")]
    simulate(monitoring=MONITORING, clock=started(7200), series=[busy, *topics])
    found = findings(playbook)
    assert found["headroom_source"]["status"] == "fail"
    assert {found[rule]["status"] for rule in RULES[1:]} == {"pass"}


def test_the_trend_is_that_of_the_clock_of_monitoring(simulate: Any, playbook: Any) -> None:
    """It has grown for ten minutes, and shrank before."""
    grows = [[900 - 60 * number, 300 + 60 * number] for number in range(15)]
    orders = [[90000, 3000], *([3600 - 60 * number, 3000 - 60 * number] for number in range(45)), *grows]
    simulate(monitoring=MONITORING, clock=started(900), series=lags(orders=orders, payments=[[90000, 1]]), **ENABLED)
    run = validate(playbook, mirroring_max_lag=60)
    assert "that grows by" in run.failure
    at = datetime.datetime.fromisoformat(run.facts["validate_result"]["lag"]["at"].replace("Z", "+00:00"))
    assert at.timestamp() - time.time() > 600


def test_to_wait_for_lag_takes_waiting(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, series=lags(orders=[[90000, 250]], payments=[[90000, 1]]), **ENABLED)
    run = validate(playbook, mirroring_max_lag=60, mirroring_wait=False, mirroring_wait_for_lag=True)
    assert "wait_for_lag does so only with wait" in run.failure


@pytest.mark.parametrize("fresh", [True, False])
def test_a_value_from_before_the_start_does_not_count_without_waiting_either(
    fresh: bool, simulate: Any, playbook: Any
) -> None:
    simulate(
        monitoring=MONITORING,
        series=lags(orders=[[90000, 0]], payments=[[90000, 0]]),
        timing={"metrics_interval_seconds": 600},
        **ENABLED,
    )
    options = {
        "source": SOURCE,
        "target": TARGET,
        "max_lag": 60,
        "wait_for_lag": True,
        "fresh_lag": fresh,
        "wait": False,
    }
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"mirrorops.event_streams.mirroring_info": options}]}
    (result,) = playbook([play]).worked().results("mirroring_info")
    assert result["verdict"] == ("unknown" if fresh else "mirroring")
    assert ("Monitoring has no values from after the start" in str(result)) is fresh
