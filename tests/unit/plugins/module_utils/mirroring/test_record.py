# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.readiness import CHARGE
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.record import (
    OUTCOMES,
    Run,
    Who,
    assemble,
    goes_on,
    is_unverified,
    stem_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.record_page import draw_record
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.records import (
    LARGEST,
    is_record,
    to_json,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import parse_time
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.module_utils.page.reader import Page
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.recovered import (
    AFTER,
    BEFORE,
    BEGAN,
    FORWARD,
    PLAN,
    SKIPPED,
    STEPS,
    STEPS_OF_A_FAILURE,
    SUBMITTED,
    WAITED,
    changed,
    crn,
    evidence,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import KEY, SOURCE, TARGET

ENDED = "2026-01-01T10:44:12Z"
NOW = parse_time(ENDED) or 0.0


def record_of(secrets: t.Iterable[str] = (), **changes: t.Any) -> dict[str, t.Any]:
    """The record of the failover, with something else about it."""
    run: dict[str, t.Any] = {
        "state": "ended",
        "before": BEFORE,
        "after": AFTER,
        "steps": STEPS,
        "job": {"id": 4711, "template": "failover"},
        "failed": False,
        "message": None,
        "who": Who("runner", "awx-1"),
        "now": NOW,
    }
    return assemble(Run(**{**run, **changes}), secrets)


def outcomes(record: dict[str, t.Any]) -> list[tuple[str, str]]:
    return [(step["action"], step["outcome"]) for step in record["steps"]]


def test_who_and_when_and_what() -> None:
    record = record_of()
    assert record["who"] == {
        "identity": "IBMid-550000ABCD",
        "user": "runner",
        "host": "awx-1",
        "job": {"id": 4711, "template": "failover"},
    }
    assert (record["started_at"], record["ended_at"]) == (BEGAN, ENDED)
    assert (record["verb"], record["mode"], record["outcome"], record["message"]) == ("failover", "planned", "done", "")
    assert record["pair"]["target"] == {
        "name": "es-target",
        "crn": crn("us-east", TARGET),
        "guid": TARGET,
        "region": "us-east",
        "alias": "us-east",
    }
    assert (record["normal"], record["direction_before"], record["direction_after"]) == (
        FORWARD,
        FORWARD,
        "nothing is mirrored",
    )
    assert record["notes"] == BEFORE["notes"]
    assert record["manual"] == BEFORE["manual"]
    assert [one["words"] for one in record["plan"]] == [one["words"] for one in PLAN]


def test_each_step_with_times_and_transaction_ids() -> None:
    record = record_of()
    assert outcomes(record) == [
        ("wait_for_lag", "done"),
        ("clear_selection", "done"),
        ("disable", "done"),
        ("revoke", "skipped"),
        ("validate", "done"),
    ]
    disable = record["steps"][2]
    assert (disable["started_at"], disable["ended_at"], disable["seconds"]) == (
        "2026-01-01T10:02:10Z",
        "2026-01-01T10:43:22Z",
        2472.0,
    )
    assert [(one["status"], one["transaction_id"]) for one in disable["writes"]] == [
        (None, "bss-one"),
        (202, "bss-two"),
    ]
    assert disable["write_count"] == 2
    assert record["steps"][3]["message"] == "Conditional result was False"
    assert record["steps"][4]["message"] == "nothing is mirrored"
    assert record["skipped"] == ["revoke"]


def test_before_and_after() -> None:
    record = record_of()
    before, after = record["before"]["sides"]["target"], record["after"]["sides"]["target"]
    assert (before["mirroring"]["enabled"], after["mirroring"]["enabled"]) == (True, False)
    assert before["mirroring"]["topic_name_transform"] == {"type": "rename", "rename": {"add_prefix": "dr."}}
    assert before["mirroring"]["known"]["source_alias"] == "inferred"
    assert (before["topics"], before["topic_count"]) == (["^orders$", "^payments$"], 2)
    assert (after["topics"], after["topic_count"]) == (None, None)
    assert [one["rule"] for one in record["before"]["findings"]] == ["network"]


def test_what_was_begun() -> None:
    """Nobody knows yet which steps were reached, so none is said not to have been."""
    record = record_of(state="begun", after=None, steps=[])
    assert (record["outcome"], record["ended_at"], record["steps"], record["after"]) == ("unfinished", None, [], None)
    assert "it was interrupted" in record["message"]
    assert len(record["plan"]) == len(PLAN)
    assert record["recovery_time"]["seconds"] is None
    assert record["recovery_point"]["how"] == "last reading"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"failed": True, "steps": STEPS_OF_A_FAILURE}, "failed"),
        ({"failed": True, "steps": [], "begun": {"started_at": BEGAN}}, "failed"),
        ({"failed": True, "steps": []}, "refused"),
        ({"failed": True, "steps": [{"action": "disable", "results": [SKIPPED, {}]}]}, "refused"),
        ({"failed": True, "steps": [], "before": changed(BEFORE, confirmed=False)}, "not confirmed"),
        ({"failed": True, "steps": [], "before": changed(BEFORE, confirmed=False, refused=True)}, "refused"),
        ({"before": changed(BEFORE, steps=[]), "steps": []}, "nothing to do"),
        ({"after": changed(AFTER, steps=PLAN[:1])}, "unfinished"),
        ({"after": changed(AFTER, refused=True)}, "unfinished"),
        ({"steps": [{"action": "disable", "results": [changed(SUBMITTED, left_running=True), SKIPPED]}]}, "unfinished"),
    ],
)
def test_outcomes(changes: dict[str, t.Any], outcome: str) -> None:
    record = record_of(**changes)
    assert record["outcome"] == outcome
    assert record["recovery_time"]["seconds"] is None
    assert record["recovery_time"]["explanation"]
    assert bool(record["message"]) == (outcome == "unfinished")


def test_a_failure() -> None:
    record = record_of(
        steps=STEPS_OF_A_FAILURE, failed=True, message="It failed.", after={"failed": True, "msg": "No."}
    )
    assert outcomes(record)[2:] == [("disable", "failed"), ("revoke", "not reached"), ("validate", "not reached")]
    assert record["steps"][2]["message"] == "Failed to disable mirroring: no answer."
    assert record["steps"][2]["writes"][0]["transaction_id"] is None
    assert (record["outcome"], record["message"], record["after"]) == ("failed", "It failed.", None)
    assert record["notes"][-1] == "The pair could not be looked at afterwards: No."
    assert record["charge"] == CHARGE


def results(action: str, *found: t.Any, failed: bool = False) -> dict[str, t.Any]:
    (step,) = record_of(
        before=changed(BEFORE, steps=[]), steps=[{"action": action, "results": list(found)}], failed=failed
    )["steps"]
    return step


@pytest.mark.parametrize(
    ("action", "found", "outcome"),
    [
        ("enable", [{"changed": False}], "unchanged"),
        ("enable", [{"changed": False}, {"changed": True}], "done"),
        ("enable", [{"changed": True}, {"unreachable": True, "msg": "gone"}], "failed"),
        ("enable", [SKIPPED, {"changed": False}], "unchanged"),
        ("enable", [{"results": [SKIPPED, {"changed": True}]}], "done"),
        ("enable", [{"changed": True, "left_running": True}, SKIPPED], "under way"),
        ("validate", [{"changed": False}], "done"),
        ("validate", [{"changed": False, "accepted": False, "problems": "No."}], "done"),
    ],
)
def test_what_becomes_of_a_step(action: str, found: list[t.Any], outcome: str) -> None:
    assert results(action, *found)["outcome"] == outcome


def test_what_a_failed_run_did_not_accept_is_what_failed() -> None:
    step = results("validate", {"changed": False, "accepted": False, "problems": "Nothing is mirrored."}, failed=True)
    assert (step["outcome"], step["message"]) == ("failed", "Nothing is mirrored.")


def test_a_step_outside_of_the_plan_is_told_where_it_was() -> None:
    """One without a result was simply not planned."""
    extra = {"action": "select", "results": [{"changed": True}]}
    record = record_of(steps=[*STEPS[:2], extra, {"action": "enable", "results": [{}]}, *STEPS[2:]])
    assert [action for action, _outcome in outcomes(record)] == [
        "wait_for_lag",
        "clear_selection",
        "select",
        "disable",
        "revoke",
        "validate",
    ]


def test_a_planned_step_that_nobody_hands_over_was_not_reached() -> None:
    record = record_of(steps=[STEPS[0], STEPS[4]])
    assert outcomes(record)[1:4] == [
        ("clear_selection", "not reached"),
        ("disable", "not reached"),
        ("revoke", "not reached"),
    ]


def test_the_recovery_time_ends_with_the_last_change() -> None:
    """Looking at the end changes nothing."""
    found = record_of()["recovery_time"]
    assert (found["seconds"], found["from"], found["to"]) == (2602.0, BEGAN, "2026-01-01T10:43:22Z")
    assert found["explanation"].startswith("43 min 22 s from the start of the run")


def test_the_recovery_time_counts_from_the_run_that_is_continued() -> None:
    earlier = {"path": "/r/a.json", "verb": "failover", "outcome": "failed", "started_at": "2026-01-01T09:00:00Z"}
    record = record_of(earlier=earlier)
    assert record["continues"] == {**earlier, "since": "2026-01-01T09:00:00Z"}
    assert (record["recovery_time"]["seconds"], record["recovery_time"]["from"]) == (6202.0, "2026-01-01T09:00:00Z")
    assert record["started_at"] == BEGAN
    first = {"since": "2026-01-01T08:00:00Z"}
    assert record_of(earlier={**earlier, "continues": first})["recovery_time"]["seconds"] == 9802.0


@pytest.mark.parametrize(
    "steps",
    [
        [STEPS[0], STEPS[4]],
        [{"action": "disable", "results": [{"changed": False, "evidence": evidence("10:02:10", "10:03:00")}]}],
        [{"action": "disable", "results": [{"changed": True}]}],
        [{"action": "disable", "results": [{"changed": True, "evidence": evidence("09:02:10", "09:03:00")}]}],
    ],
)
def test_a_recovery_time_that_was_not_measured_is_none(steps: list[t.Any]) -> None:
    found = record_of(steps=steps)["recovery_time"]
    assert (found["seconds"], found["to"]) == (None, None)
    assert found["explanation"]


def test_the_recovery_point_is_what_the_gate_measured() -> None:
    found = record_of()["recovery_point"]
    assert {name: found[name] for name in ("seconds", "topic", "at", "how")} == {
        "seconds": 1.5,
        "topic": "payments",
        "at": "2026-01-01T10:02:00Z",
        "how": "measured",
    }
    for told in ("payments, is behind by 1.5 s", "Accepted were 60 s.", "Nothing is known of 1 selected topic"):
        assert told in found["words"]


@pytest.mark.parametrize("lag", [None, {}, {**WAITED["lag"], "state": "unknown"}, {"state": "within", "worst": None}])
def test_without_a_measured_one_the_last_reading_counts(lag: t.Any) -> None:
    """A gate that does not know all is no measurement."""
    found = record_of(steps=[{"action": "wait_for_lag", "results": [{"changed": False, "lag": lag}]}])["recovery_point"]
    assert (found["seconds"], found["topic"], found["how"]) == (12.0, "orders", "last reading")
    assert "What was written to the source after the last reading is not known." in found["words"]


@pytest.mark.parametrize(
    "lag",
    [
        None,
        {"known": False, "worst": None, "reason": "Monitoring does not answer."},
        {"known": False, "worst": {"topic": "a", "seconds": 1}},
        {"known": True, "worst": {"topic": "a", "seconds": float("nan")}},
    ],
)
def test_without_any_reading_the_recovery_point_is_not_known(lag: t.Any) -> None:
    found = record_of(before=changed(BEFORE, lag=lag), steps=[])["recovery_point"]
    assert (found["seconds"], found["topic"], found["at"], found["how"]) == (None, None, None, "unknown")
    assert "is not known" in found["words"]
    if lag and "reason" in lag:
        assert "is not known: Monitoring does not answer. There is no reading" in found["words"]


def test_the_first_record_says_when_the_run_began() -> None:
    begun = {"started_at": "2026-01-01T09:59:00Z"}
    assert record_of(begun=begun)["started_at"] == "2026-01-01T09:59:00Z"
    assert record_of(before=changed(BEFORE, at=None))["started_at"] == ENDED
    assert record_of(before=changed(BEFORE, at="2027-01-01T00:00:00Z"))["started_at"] == ENDED


@pytest.mark.parametrize(
    ("asked", "guid"), [(SOURCE, SOURCE), (crn("us-south", SOURCE), SOURCE), ("es-source", None), (None, None)]
)
def test_an_instance_that_was_not_seen_is_what_was_asked_for(asked: t.Any, guid: str | None) -> None:
    before = changed(BEFORE, requested={"source": asked}, sides={"source": None})
    found = record_of(before=before, after=None)["pair"]["source"]
    assert found == {"name": asked, "crn": None, "guid": guid, "region": None, "alias": None}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Mirroring was off on both sides at the end"),
        (
            {
                "direction": "unknown",
                "sides": {"source": {"asked": False}, "target": {"mirroring": {"enabled": False}}},
            },
            "the other one was not asked",
        ),
        (
            {"direction": "unknown", "sides": {"source": {"asked": False}, "target": {"mirroring": {"enabled": None}}}},
            "Mirroring is charged per mirroring capacity unit hour",
        ),
        ({"direction": "forward"}, "Mirroring was on at the end"),
        ({"direction": "unknown"}, "Mirroring is charged per mirroring capacity unit hour"),
    ],
)
def test_what_is_charged(changes: dict[str, t.Any], told: str) -> None:
    assert told in record_of(after=changed(AFTER, **changes))["charge"]


def test_what_a_job_is_called_like_a_secret_is_left_out() -> None:
    job = {"id": 5, "API_key": "a", "vault_password": "b", "token": "c", "x y": "d", "tags": ["e"], 7: "f", "on": True}
    assert record_of(job=job)["who"]["job"] == {"id": 5, "on": True}


def test_nothing_is_copied_that_nobody_listed() -> None:
    def spiked(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {**{name: spiked(one) for name, one in value.items()}, "surprise": "unlisted"}
        return [spiked(one) for one in value] if isinstance(value, list) else value

    record = record_of(before=spiked(BEFORE), after=spiked(AFTER), steps=spiked(STEPS))
    assert record == record_of()
    assert "unlisted" not in json.dumps(record)


def test_queries_of_requests_are_left_out() -> None:
    path = [{"path": "/v1/policies?token=abc", "status": "200"}]
    (found,) = results("authorize", {"changed": True, "evidence": {"writes": path}})["writes"]
    assert (found["path"], found["status"]) == ("/v1/policies", None)


@pytest.mark.parametrize(
    ("verb", "target", "stem"),
    [
        ("failover", "es-target", "20260101T100000Z-failover-es-target"),
        ("../x", "../../etc/pass wd\0", "20260101T100000Z-x-etc-pass-wd"),
        (None, "\u202e", "20260101T100000Z-run-target"),
        ("failback", "n" * 300, f"20260101T100000Z-failback-{'n' * 60}"),
    ],
)
def test_names_of_files(verb: str | None, target: str, stem: str) -> None:
    sides = {"target": {**BEFORE["sides"]["target"], "name": target}}
    assert stem_of(record_of(before=changed(BEFORE, verb=verb, sides=sides, requested={}), after=None)) == stem


def test_the_largest_record_can_be_read_again() -> None:
    """Whatever characters it is made of; the limits are in characters."""
    many = "\U0001f600" * 3000

    def blown(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {name: blown(one) for name, one in value.items()}
        if isinstance(value, list):
            return [blown(one) for one in value] * 700
        return many if isinstance(value, str) else value

    sides = {name: {**side, "topics": [many] * 5000} for name, side in BEFORE["sides"].items()}
    record = record_of(
        before={**BEFORE, "sides": sides, "notes": [many] * 99, "steps": blown(PLAN[:1])},
        after={**AFTER, "sides": sides, "manual": [many] * 99},
        steps=[{"action": one["action"], "results": blown(one["results"])} for one in STEPS],
        job={f"n{number}": many for number in range(99)},
    )
    assert LARGEST / 2 < len(to_json(record)) < LARGEST
    assert record["after"]["sides"]["source"]["topic_count"] == 5000


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(BEGAN) | st.just(10**400)
)
ODD = st.recursive(
    SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(max_size=8), one, max_size=4)
)


@st.composite
def damaged(draw: t.Any, whole: t.Any) -> t.Any:
    """A document in which anything may be missing, or something else."""
    what = draw(st.integers(0, 11))
    if what == 0:
        return draw(ODD)
    if isinstance(whole, dict):
        kept = {name: one for name, one in whole.items() if what > 1 or draw(st.booleans())}
        return {name: draw(damaged(one)) for name, one in kept.items()}
    if isinstance(whole, list):
        return [draw(damaged(one)) for one in whole] * (1 if what > 1 else 2)
    return whole


@st.composite
def mapping(draw: t.Any, whole: dict[str, t.Any]) -> dict[str, t.Any]:
    """A damaged document that is a dictionary still, which is what the module's options see to."""
    found = draw(damaged(whole))
    return found if isinstance(found, dict) else {}


@given(
    state=st.sampled_from(["begun", "ended"]),
    before=mapping(BEFORE),
    after=st.none() | mapping(AFTER),
    steps=st.lists(mapping(STEPS[0]) | mapping(STEPS[2]) | mapping(STEPS_OF_A_FAILURE[2]), max_size=6),
    job=st.none() | st.dictionaries(st.text(max_size=8), ODD, max_size=4),
    failed=st.booleans(),
    message=st.none() | st.text(max_size=50),
)
def test_whatever_is_handed_over_becomes_a_record_and_a_page(**changes: t.Any) -> None:
    record = record_of(**changes)
    assert record["outcome"] in OUTCOMES
    written = to_json(record)
    assert written == to_json(record_of(**changes))
    assert json.loads(written) == record
    assert is_record(json.loads(written))
    assert Page(draw_record(record, "x.json")).texts("h1")
    stem = stem_of(record)
    assert stem.isascii() and "/" not in stem and len(stem) < 200


@given(mapping(BEFORE), mapping(AFTER), st.integers(0, 30))
def test_a_secret_is_nowhere(before: dict[str, t.Any], after: dict[str, t.Any], cut: int) -> None:
    def leaking(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {name: leaking(one) for name, one in value.items()}
        if isinstance(value, list):
            return [leaking(one) for one in value]
        return f"{'x' * cut * 20}{KEY}{value}" if isinstance(value, str) and value != BEGAN else value

    given_over = {"before": leaking(before), "after": leaking(after), "steps": leaking(STEPS), "message": f"no {KEY}"}
    record = record_of({KEY}, job={"note": KEY}, who=Who(KEY, KEY), **given_over)
    assert KEY.encode() not in to_json(record)
    assert KEY.encode() not in draw_record(record, "x.json", {KEY})
    assert "********" in record["message"]


def rows(page: Page, first: str) -> list[str]:
    """The text of every table whose first column is called so."""
    text, found, inside = "", [], False
    for tag, _attributes, parts in page.elements:
        inside = tag == "table" or (inside and tag != "/table")
        text = f"{text if tag != 'table' else ''}{' '.join(parts)}|" if inside else text
        if tag == "/table":
            found.append(text)
    return [one for one in found if first in one]


def test_the_page_shows_it() -> None:
    page = Page(draw_record(record_of(), "x.json"))
    assert page.texts("title")[0] == "Failover: es-source (us-south) → es-target (us-east)"
    assert page.texts("h2") == [
        "Who",
        "Plan",
        "Steps",
        "What people have to do themselves",
        "Notes",
        "Before and after",
        "What did not pass",
        "Charge",
    ]
    assert page.texts("span", "badge pass")[0] == "done"
    assert {"43 min 22 s", "1.5 s, measured", "planned"} <= set(page.texts("dd"))
    assert {"IBMid-550000ABCD", "runner", "awx-1", "bss-one", "bss-two", "x.json"} <= set(page.texts("bdi"))
    (steps,) = rows(page, "Outcome")
    assert all(step["words"] in steps for step in PLAN)
    assert "2026-01-01 10:02:11 UTC: PATCH /v2/resource_instances" in steps
    assert "no answer" in steps
    (target,) = rows(page, "The target")
    assert "mirroring is on (observed)" in target
    assert "nothing (observed)" in target


def test_the_page_of_a_run_that_goes_on() -> None:
    page = Page(draw_record(record_of(state="begun", after=None, steps=[]), "x.json"))
    assert "Steps" not in page.texts("h2")
    assert page.texts("span", "badge warn")[0] == "unfinished"
    assert "it was interrupted" in page.text
    assert "At the end: not looked at." in page.text


def test_the_page_of_nothing() -> None:
    page = Page(draw_record(record_of(before={}, after=None, steps=[], job=None), "x.json"))
    assert page.texts("h1")[0].startswith("Run: ")
    assert "There was no step to do." in page.text


def test_a_source_that_was_not_asked() -> None:
    sides = {**BEFORE["sides"], "source": {"name": "es-source", "alias": "us-south", "asked": False}}
    page = Page(draw_record(record_of(before=changed(BEFORE, sides=sides)), "x.json"))
    (source,) = rows(page, "The source")
    assert "not asked" in source


def test_texts_of_the_page_are_text() -> None:
    hostile = "<script>alert(1)</script>\u202e"
    sides = {**BEFORE["sides"], "target": {**BEFORE["sides"]["target"], "name": hostile, "topics": [hostile]}}
    page = Page(draw_record(record_of(before=changed(BEFORE, sides=sides), message=hostile), hostile))
    assert page.texts("bdi")[1] == "<script>alert(1)</script>"
    assert "\u202e" not in page.text


SELECTED = [{"action": "disable", "outcome": "done", "writes": ["x"]}, {"action": "select", "outcome": "done"}]
GATED = [{"action": "wait_for_lag"}, {"action": "clear_selection"}, {"action": "disable"}]
WRITTEN = [{"at": "2026-01-01T10:00:00Z"}]


@pytest.mark.parametrize(
    ("changes", "on"),
    [
        ({"outcome": "done", "ended_at": "x", "steps": [{"action": "disable", "outcome": "done"}]}, False),
        ({"outcome": "refused", "ended_at": "x"}, False),
        # Killed: before the gate was passed nothing had been given up.
        ({"outcome": "unfinished"}, False),
        ({"outcome": "unfinished", "steps": [{"action": "wait_for_lag", "outcome": "done"}]}, True),
        ({"outcome": "unfinished", "plan": GATED[2:]}, True),
        ({"outcome": "unfinished", "ended_at": "x", "steps": [{"action": "disable", "outcome": "under way"}]}, True),
        ({"outcome": "failed", "ended_at": "x", "steps": [{"action": "wait_for_lag", "outcome": "failed"}]}, False),
        ({"outcome": "failed", "ended_at": "x", "steps": [{"action": "clear_selection", "outcome": "done"}]}, True),
        (
            {
                "outcome": "failed",
                "ended_at": "x",
                "steps": [{"action": "disable", "outcome": "failed", "writes": WRITTEN}],
            },
            True,
        ),
        ({"outcome": "failed", "ended_at": "x", "continues": {"path": "/a"}}, True),
        ({"outcome": "failed", "ended_at": "x", "continues": {"path": "/a"}, "steps": SELECTED}, False),
        ({"outcome": "failed", "ended_at": "x", "steps": SELECTED}, False),
        ({"outcome": "unfinished", "steps": SELECTED}, False),
    ],
)
def test_whether_a_run_goes_on(changes: dict[str, t.Any], on: bool) -> None:
    assert goes_on({"ended_at": None, "continues": None, "steps": [], "plan": GATED, **changes}) is on


@pytest.mark.parametrize(
    ("outcome", "steps", "unverified"),
    [
        ("failed", "select done", True),
        ("unfinished", "select unchanged", True),
        ("failed", "select failed", False),
        ("failed", "enable done", False),
        ("done", "select done", False),
        ("nothing to do", "", False),
    ],
)
def test_whether_a_run_has_not_seen_what_it_was_to_see(outcome: str, steps: str, unverified: bool) -> None:
    action, _space, came = steps.partition(" ")
    record = {"outcome": outcome, "steps": [{"action": action, "outcome": came}] if steps else []}
    assert is_unverified(record) is unverified
