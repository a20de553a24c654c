# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input, generated: whatever is given, it is refused with one clear text before the first writing request.

One case = options that cannot work by construction, and what is run with them: all roles of the playbook mirror, or one module.
Good input is generated as well, so that refusing everything is no way out. See bad_input.py for how both are made.
"""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import MirrorOpsError
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import selection
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import Transform
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    MatchingTooSlow,
    compile_patterns,
    preview,
)
from ansible_collections.mirrorops.event_streams.plugins.modules import readiness_info
from ansible_collections.mirrorops.event_streams.tests.faults import bad_input
from ansible_collections.mirrorops.event_streams.tests.faults.bad_input import (
    LOOKED_UP,
    OFFLINE,
    Case,
    Cases,
    carry_out,
)
from ansible_collections.mirrorops.event_streams.tests.faults.stage import (
    SOURCE,
    TARGET,
    RoleFailed,
    Stage,
    scenario,
)
from simulator import Simulator

LEAST = {
    "CRNs": 200,
    "GUIDs and grants": 190,
    "names and queries": 70,
    "aliases": 120,
    "patterns": 150,
    "catastrophic patterns": 40,
    "transforms": 140,
    "time-outs": 170,
    "endpoints": 240,
    "identities": 90,
    "pages": 60,
    "deletions": 70,
}
"""How many different cases that cannot work each dimension really tries."""

LEAST_IN_TOTAL = 1000
MOST_CHARACTERS = 5000
PATIENCE = 30.0
"""Real seconds within which a case has to end. It takes a few hundredths of one, a catastrophic pattern a tenth."""

Record = Callable[[str, object], None]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own environment reaches a test; pauses have no jitter, so that every run is the same."""
    for name in list(os.environ):
        if name.startswith(("IC_", "IBMCLOUD_")) or name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)


@pytest.fixture(autouse=True)
def nobody_else_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request leaves this machine, even where an endpoint is accepted that should not be."""
    look_up = socket.getaddrinfo

    def loopback_only(host: str, *rest: Any, **named: Any) -> Any:
        if host not in ("127.0.0.1", "localhost"):
            raise socket.gaierror(f"{host} is not looked up in a test")
        return look_up(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", loopback_only)


@pytest.fixture(scope="module")
def simulators() -> Iterator[dict[str, Simulator]]:
    """One simulator for each world. Cases reset it."""
    worlds = {
        "two regions": scenario(),
        "one region": scenario(target={"region": "us-south"}),
        "capacity hidden": scenario("high_throughput", switches={"parameters_shown": "none"}),
    }
    with (
        Simulator(worlds["two regions"]) as two,
        Simulator(worlds["one region"]) as one,
        Simulator(worlds["capacity hidden"]) as hidden,
    ):
        yield {"two regions": two, "one region": one, "capacity hidden": hidden}


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Fails the test when something hangs, also in a loop of the regular expression matcher. The limit on matching uses the same
    signal, and puts this one back."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"still not ended after {PATIENCE:g} s")

    handler = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def different(name: str, cases: Cases, examples: int) -> dict[str, list[Case]]:
    """Different cases by category, the same ones in every run."""
    return {category: drawn(f"{name} {category}", strategy, examples) for category, strategy in cases.items()}


def drawn(name: str, strategy: st.SearchStrategy[Case], examples: int) -> list[Case]:
    """Different cases of one category, as many as examples, or as there are."""
    found: dict[str, Case] = {}

    @seed(zlib.crc32(name.encode()))
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(strategy)
    def note(case: Case) -> None:
        found.setdefault(repr(case), case)

    note()
    assert found, name
    return list(found.values())


def outcome(case: Case, simulator: Simulator, check_mode: bool = False) -> tuple[str | None, list[str]]:
    """Runs a case. Returns the text that it was refused with, None if it was not, and what is wrong with how it ended."""
    simulator.reset()
    for instance, topic in case.topics:
        simulator.create_topic(instance, topic)
    simulator.clear_journal()
    try:
        with patience():
            carry_out(case, simulator, check_mode)
    except MirrorOpsError as error:
        spoilt = [] if error.message.isprintable() else [f"unprintable: {error.message!r}"]
        if error.kind == "defect":
            spoilt.append(f"ended as a defect of the collection: {error.message}")
        return error.message, spoilt
    except (RoleFailed, ValueError) as error:
        # A role's assert task, and Ansible's own validation of options.
        return str(error), [] if type(error) in (RoleFailed, ValueError) else [f"ended with {error!r}"]
    return None, []


def judged(case: Case, simulator: Simulator, check_mode: bool = False) -> list[str]:
    """Runs a case that cannot work, and says what is wrong with what came of it."""
    text, found = outcome(case, simulator, check_mode)
    if text is None:
        found.append("accepted")
    else:
        if not any(told in text for told in case.told):
            found.append(f"tells none of {case.told}: {text}")
        if len(text) > MOST_CHARACTERS:
            found.append(f"told in {len(text)} characters")
        if "Traceback" in text:
            found.append(f"a traceback: {text}")
    journal = simulator.journal
    if simulator.writes():
        found.append(f"{len(simulator.writes())} writing requests, the first is {simulator.writes()[0]['path']}")
    if simulator.violations():
        found.append(f"{simulator.violations()[0]['violation']}: {simulator.violations()[0]['path']}")
    if case.reads == OFFLINE and journal:
        found.append(f"{len(journal)} requests, although it can be judged without any")
    if case.reads == LOOKED_UP and any(entry["api"] not in ("iam", "resource_controller") for entry in journal):
        found.append("more was read than the two instances")
    return found


def sweep(
    name: str, cases: Cases, simulators: dict[str, Simulator], record: Record, examples: int, check_mode: bool = False
) -> int:
    """Tries a dimension. Returns how many different cases were run."""
    defects: dict[str, list[str]] = collections.defaultdict(list)
    ran = 0
    for category, tried in different(name, cases, examples).items():
        for case in tried:
            ran += 1
            found = judged(case, simulators[case.world], check_mode)
            if found:
                defects[category].append(f"{str(case)[:300]}: {'; '.join(found)}"[:1000])
    record("bad_inputs_in_check_mode" if check_mode else "bad_inputs", ran)
    shown = [f"{name}: {category}: {len(them)} cases, such as {them[0]}" for category, them in defects.items()]
    assert not shown, "\n".join(shown)
    return ran


def accept(name: str, cases: Cases, simulators: dict[str, Simulator], record: Record, examples: int = 5) -> None:
    """Tries good input: the cases have to succeed, and where everything was run, to have an effect."""
    defects = []
    ran = 0
    for category, tried in different(f"good {name}", cases, examples).items():
        for case in tried:
            ran += 1
            simulator = simulators[case.world]
            text, found = outcome(case, simulator)
            if text is not None:
                found.append(f"refused: {text}")
            elif case.run == "mirror" and simulator.instance(TARGET).mirroring is None:
                found.append("accepted, and nothing is mirrored")
            found += [f"{entry['violation']}: {entry['path']}" for entry in simulator.violations()]
            defects += [f"{category}: {str(case)[:300]}: {'; '.join(found)}"[:1000]] if found else []
    record("good_inputs", ran)
    assert not defects, "\n".join(defects)
    assert ran >= 3 * len(cases)


def test_a_thousand_cases_are_asked_for() -> None:
    assert sum(LEAST.values()) >= LEAST_IN_TOTAL
    assert set(LEAST) == {*bad_input.BAD, "catastrophic patterns"}


@pytest.mark.parametrize("name", bad_input.BAD)
def test_what_cannot_work_is_refused_before_anything_is_written(
    name: str, simulators: dict[str, Simulator], record_property: Record
) -> None:
    cases = bad_input.BAD[name]
    examples = max(4, 1 + LEAST[name] * 4 // (3 * len(cases)))
    assert sweep(name, cases, simulators, record_property, examples) >= LEAST[name]


@pytest.mark.parametrize("name", bad_input.GOOD)
def test_what_can_work_is_accepted(name: str, simulators: dict[str, Simulator], record_property: Record) -> None:
    accept(name, bad_input.GOOD[name], simulators, record_property)


@pytest.mark.parametrize("name", bad_input.BAD)
def test_in_check_mode_bad_input_is_refused_as_well(
    name: str, simulators: dict[str, Simulator], record_property: Record
) -> None:
    cases = bad_input.BAD[name]
    assert sweep(f"{name} in check mode", cases, simulators, record_property, 3, check_mode=True) >= len(cases)


@pytest.mark.parametrize("name", bad_input.GOOD)
def test_in_check_mode_good_input_writes_nothing(name: str, simulators: dict[str, Simulator]) -> None:
    for tried in different(f"good {name} in check mode", bad_input.GOOD[name], 3).values():
        for case in tried:
            simulator = simulators[case.world]
            assert outcome(case, simulator, check_mode=True) == (None, []), case
            assert simulator.journal, case
            assert simulator.writes() == [], case


def test_catastrophic_patterns_do_not_hang(
    simulators: dict[str, Simulator], record_property: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The topics have to be read before matching can take too long; the preview then ends by itself, and nothing is written."""
    monkeypatch.setattr(selection, "MATCHING_SECONDS", 0.1)
    name = "catastrophic patterns"
    ran = sweep(name, {name: bad_input.CATASTROPHIC}, simulators, record_property, LEAST[name] * 4 // 3)
    assert ran >= LEAST[name]


def test_the_real_limit_on_matching(simulators: dict[str, Simulator]) -> None:
    simulator = simulators["two regions"]
    simulator.reset()
    simulator.create_topic(SOURCE, "a" * 200 + "-")
    started = time.monotonic()
    with (
        patience(),
        pytest.raises(MatchingTooSlow, match=rf"longer than {selection.MATCHING_SECONDS:g} s: '\(a\+\)\+\$'"),
    ):
        Stage(simulator).mirror(topics=["(a+)+$"])
    assert selection.MATCHING_SECONDS <= time.monotonic() - started < PATIENCE
    assert simulator.writes() == []


def test_many_patterns_that_are_slow_only_together(
    simulators: dict[str, Simulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is one for all patterns and topics: no single match of these takes a thousandth of a second."""
    monkeypatch.setattr(selection, "MATCHING_SECONDS", 0.2)
    simulator = simulators["two regions"]
    simulator.reset()
    for number in range(200):
        simulator.create_topic(SOURCE, f"{'ab' * 80}{number}")
    patterns = [f"^.*a.*b.*{number}x$" for number in range(2000)]
    with patience(), pytest.raises(MatchingTooSlow) as caught:
        Stage(simulator).run(readiness_info, source=SOURCE, target=TARGET, topics=patterns)
    assert len(caught.value.message) < MOST_CHARACTERS
    assert simulator.writes() == []


def test_a_selection_that_names_each_of_many_topics_is_not_too_slow() -> None:
    """As many topics as a cluster has room for, each with a pattern of its own, within the real limit."""
    topics = [(f"team-{number % 37}.orders-{number}", 1) for number in range(3000)]
    patterns = compile_patterns([f"^{name.replace('.', chr(92) + '.')}$" for name, _partitions in topics])
    found = preview(topics, patterns, Transform("use_alias"), "us-south")
    assert [one.topic for one in found] == [name for name, _partitions in topics]


def test_there_is_no_limit_on_matching_outside_the_main_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals reach the main thread only. Ansible runs tasks in the main threads of its workers."""
    monkeypatch.setattr(selection, "MATCHING_SECONDS", 0.01)
    took: list[float] = []

    def look() -> None:
        started = time.monotonic()
        found = preview([("a" * 22 + "-", 1)], compile_patterns(["^(a+)+$"]), Transform("none"), "us-south")
        assert found == []
        took.append(time.monotonic() - started)

    with patience(), pytest.raises(MatchingTooSlow):
        look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert took
    assert took[0] > selection.MATCHING_SECONDS


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *((option, 10**400) for option in bad_input.SECONDS),
        *((option, value) for option in ("topic_name_transform", "group_id_transform") for value in (3, 1.5, True)),
    ],
)
def test_what_ansible_itself_cannot_convert_gets_no_further(
    option: str, value: object, simulators: dict[str, Simulator]
) -> None:
    """Ansible converts options before a module sees them. With a whole number beyond any float, and a number for a dictionary, it
    ends with an error of Python's own."""
    simulator = simulators["two regions"]
    simulator.reset()
    with pytest.raises((ValueError, OverflowError, TypeError)):
        Stage(simulator, **{option: value}).mirror()
    assert simulator.journal == []


@seed(20261123)
@settings(max_examples=15, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(alias=st.text("adeoprs", min_size=1, max_size=3).filter(lambda text: text in "orders payments"))
def test_an_alias_that_is_part_of_topic_names_is_told(simulators: dict[str, Simulator], alias: str) -> None:
    """It works, and confuses: so it is a warning, which names the topics."""
    simulator = simulators["two regions"]
    simulator.reset()
    ready = Stage(simulator).run(
        readiness_info, source=SOURCE, target=TARGET, source_alias=alias, topics=["^orders$", "^payments$"]
    )
    (finding,) = (one for one in ready["findings"] if one["rule"] == "alias_in_names")
    assert finding["status"] == "warn"
    assert all((name in finding["message"]) is (alias in name) for name in ("orders", "payments"))
