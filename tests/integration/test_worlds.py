# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `mirror` in every kind of world that the real service may turn out to be."""

from __future__ import annotations

import random
from typing import Any

import pytest

from simulator import load_scenario
from simulator.switches import SWITCHES

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
SAMPLE = 6
SEED = 140
OVERRIDDEN = {"absent", "private"}


def unfriendly() -> list[Any]:
    """Every value of every switch that is not the friendly one; a sample always runs."""
    cases = [(one.name, value) for one in SWITCHES for value in one.values if value != one.friendly]
    always = random.Random(SEED).sample(cases, SAMPLE)
    return [
        pytest.param(dict([case]), id="-".join(case), marks=[] if case in always else [pytest.mark.slow])
        for case in cases
    ]


def admin_urls(simulator: Any) -> dict[str, str]:
    """What a user gives where the instances do not show a usable admin URL."""
    if simulator.switches["admin_url_published"] not in OVERRIDDEN:
        return {}
    return {
        "mirroring_source_admin_url": simulator.admin_url("es-source-us-south"),
        "mirroring_target_admin_url": simulator.admin_url("es-target-us-east"),
    }


def three_runs(simulator: Any, playbook: Any, seen: Any, **variables: Any) -> None:
    """Predicted, done, and done again."""
    predicted = playbook.mirror("--check", **variables).worked()
    seen.untouched()

    done = playbook.mirror(**variables).worked()
    assert predicted.changes == done.changes
    assert done.changed == 3
    seen.mirrored()

    simulator.clear_journal()
    again = playbook.mirror(**variables).worked()
    assert again.changed == 0
    seen.untouched()


@pytest.mark.parametrize("switches", unfriendly())
def test_one_switch(simulate: Any, playbook: Any, observe: Any, switches: dict[str, str]) -> None:
    simulator = simulate(switches=switches)
    three_runs(simulator, playbook, observe(simulator), **admin_urls(simulator))


@pytest.mark.parametrize("rate_limit", ["none", pytest.param("429", marks=pytest.mark.slow)])
@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_everything_nasty(simulate: Any, playbook: Any, observe: Any, outcome: str, rate_limit: str) -> None:
    """With either outcome of the earlier operation that stale reads show."""
    timing = {"policy_propagation_seconds": 0, "policy_readable_seconds": 0.3, "stale_seconds": 0.2}
    simulator = simulate("nasty", switches={"stale_operation": outcome, "rate_limit": rate_limit}, timing=timing)
    three_runs(simulator, playbook, observe(simulator), **admin_urls(simulator))


def test_everything_nasty_and_a_slow_authorization(simulate: Any, playbook: Any, observe: Any) -> None:
    """Updates fail until it is effective; each is seen to have ended before the next is sent."""
    timing = {"policy_propagation_seconds": observe.ages, "stale_seconds": 0.2}
    simulator = simulate("nasty", switches={"rate_limit": "none"}, timing=timing)
    seen = observe(simulator)

    def failed_twice() -> bool:
        return len(seen.patches()) >= 2

    variables = {**admin_urls(simulator), "mirroring_authorization_timeout": 60}
    playbook.mirror(**variables, meanwhile=lambda: (seen.until(failed_twice), seen.later())).worked()
    accepted = len(seen.patches())
    assert accepted >= 3
    seen.mirrored(updates=accepted)
    assert {entry["status"] for entry in seen.patches(accepted=False)} == {202}


def test_parameters_that_are_never_shown(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate("no_echo")
    three_runs(simulator, playbook, observe(simulator))


def test_a_pair_that_mirrors_another_source_is_not_taken_for_this_one(
    simulate: Any, playbook: Any, observe: Any
) -> None:
    """Nothing is echoed, the topics have the same names, and only the traces on the target tell."""
    third = {"name": "es-third", "account": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "region": "eu-de"}
    capacity = {"throughput": "150", "storage_size": "2048", "topics": [{"name": "orders", "partitions": 3}]}
    pair = load_scenario("friendly")["instances"]
    mirroring = {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"}
    simulate(
        switches={"echo": "none"},
        instances=[*pair, {**third, **capacity}],
        policies=[{"subject": TARGET, "resource": SOURCE}, {"subject": TARGET, "resource": "es-third"}],
        target={"mirroring": mirroring, "selection": ["^orders$"]},
    )
    transform = {"type": "none"}
    run = playbook.mirror(
        mirroring_source="es-third",
        mirroring_topics=["^orders$"],
        mirroring_topics_timeout=1,
        mirroring_topic_name_transform=transform,
    )
    assert "traces of the sources us-south, and none of eu-de" in run.failure
    assert run.facts["validate_result"]["verdict"] == "not_mirroring"


@pytest.mark.parametrize("echo", ["full", "none"])
def test_source_and_target_swapped(simulate: Any, playbook: Any, observe: Any, echo: str) -> None:
    """A pair that mirrors must not be made to mirror both ways by mistake, whatever the cloud shows of it."""
    simulator = simulate(
        switches={"echo": echo},
        policies=[{"subject": TARGET, "resource": SOURCE}],
        target={
            "mirroring": {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"},
            "selection": ["^orders$"],
        },
    )
    failure = playbook.mirror(mirroring_source=TARGET, mirroring_target=SOURCE).failure
    assert "ever both ways at once" in failure
    observe(simulator).untouched()
