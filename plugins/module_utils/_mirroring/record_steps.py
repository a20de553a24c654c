# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the steps of a plan, out of the results of their tasks. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.objectives import LOOKS
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pick import MESSAGE, WORDS, Pick
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import format_time

MOST_STEPS, MOST_RESULTS, MOST_WRITES, MOST_COUNTED = 20, 20, 50, 10_000
ACTION, METHOD = 40, 10
"""How many characters the name of an action and an HTTP method have room for."""

Given: t.TypeAlias = "t.Mapping[t.Any, t.Any]"


def read_plan(pick: Pick, steps: t.Any) -> list[dict[str, t.Any]]:
    """The steps of a plan, in their order."""
    return [_planned(pick, pick.mapping(step)) for step in pick.items(steps, MOST_STEPS)]


def read_steps(pick: Pick, plan: t.Sequence[dict[str, t.Any]], given: t.Any, failed: bool) -> list[dict[str, t.Any]]:
    """Every step of the plan, and others of which there is a result, in the order of the plan; ``failed`` is whether the run did."""
    left = dict(enumerate(plan))
    placed: list[tuple[float, dict[str, t.Any]]] = []
    place = -1.0
    for step in (pick.mapping(one) for one in pick.items(given, MOST_STEPS)):
        action = pick.text(step.get("action"), ACTION)
        number = next((number for number, one in left.items() if one["action"] == action), None)
        results = results_of(pick, step)
        if number is None and not any(results):
            continue
        planned = _planned(pick, {"action": action}) if number is None else left.pop(number)
        place = place if number is None else float(number)
        placed.append((place, _step(pick, planned, results, failed)))
    placed += [(float(number), _step(pick, planned, [], failed)) for number, planned in left.items()]
    return [step for _place, step in sorted(placed, key=lambda one: one[0])]


def results_of(pick: Pick, step: Given) -> list[Given]:
    """The results of the tasks of a step; those of a loop one by one."""
    found: list[Given] = []
    for result in (pick.mapping(one) for one in pick.items(step.get("results"), MOST_RESULTS)):
        inner = pick.items(result.get("results"), MOST_RESULTS)
        found += [pick.mapping(one) for one in inner] or [result]
    return found


def gates_of(pick: Pick, given: t.Any) -> list[Given]:
    """The results of the steps that waited for lag."""
    steps = [pick.mapping(one) for one in pick.items(given, MOST_STEPS)]
    return [one for step in steps if step.get("action") == "wait_for_lag" for one in results_of(pick, step)]


def _planned(pick: Pick, step: Given) -> dict[str, t.Any]:
    action = pick.text(step.get("action"), ACTION)
    return {
        "action": action,
        "words": pick.text(step.get("words"), WORDS) or (action or "a step without a name").replace("_", " "),
        "side": pick.text(step.get("side"), ACTION),
        "instance": pick.text(step.get("instance")),
        "direction": pick.text(step.get("direction"), WORDS),
        "seconds": pick.seconds(step.get("seconds")),
        "final": pick.flag(step.get("final")),
    }


def _step(pick: Pick, planned: dict[str, t.Any], results: list[Given], failed: bool) -> dict[str, t.Any]:
    outcome = _outcome(planned["action"], results, failed)
    evidence = [pick.mapping(one.get("evidence")) for one in results]
    starts = [at for one in evidence if (at := pick.time(one.get("started_at"))) is not None]
    ends = [at for one in evidence if (at := pick.time(one.get("ended_at"))) is not None]
    took = [found for one in results if (found := pick.seconds(one.get("duration"))) is not None]
    writes = [one for part in evidence for one in pick.items(part.get("writes"), MOST_COUNTED)]
    return {
        "action": planned["action"],
        "words": planned["words"],
        "instance": planned["instance"],
        "direction": planned["direction"],
        "outcome": outcome,
        "started_at": format_time(min(starts)) if starts else None,
        "ended_at": format_time(max(ends)) if ends else None,
        "seconds": max(0.0, max(ends) - min(starts)) if starts and ends else sum(took) if took else None,
        "writes": [_write(pick, pick.mapping(one)) for one in writes[:MOST_WRITES]],
        "write_count": len(writes),
        "message": " ".join(_messages(pick, outcome, results, failed)),
    }


def _outcome(action: str | None, results: list[Given], failed: bool) -> str:
    """What became of a step, in a word. What a task of a failed run did not accept is what failed."""
    ran = [one for one in results if one and one.get("skipped") is not True]
    if any(_failed(one, failed) for one in ran):
        return "failed"
    if not ran:
        return "skipped" if any(results) else "not reached"
    if any(one.get("left_running") is True for one in ran):
        return "under way"
    return "done" if action in LOOKS or any(one.get("changed") is True for one in ran) else "unchanged"


def _failed(result: Given, failed: bool) -> bool:
    return (
        result.get("failed") is True
        or result.get("unreachable") is True
        or (failed and result.get("accepted") is False)
    )


def _messages(pick: Pick, outcome: str, results: list[Given], failed: bool) -> t.Iterator[str]:
    """What tasks say of a failure, or why they were left out, or what they found."""
    keys = {"failed": ("msg", "problems"), "skipped": ("skip_reason",)}.get(outcome, ("summary", "problems"))
    for result in results:
        if outcome == "failed" and not _failed(result, failed):
            continue
        for key in keys:
            value = result.get(key)
            told = pick.text(next(iter(pick.items(value, 1)), value), MESSAGE)
            if told:
                yield told


def _write(pick: Pick, write: Given) -> dict[str, t.Any]:
    path = write.get("path")
    status = pick.number(write.get("status"))
    return {
        "at": pick.moment(write.get("at")),
        "method": pick.text(write.get("method"), METHOD),
        "path": pick.text(path.partition("?")[0] if isinstance(path, str) else None),
        "status": None if status is None else int(status),
        "transaction_id": pick.text(write.get("transaction_id")),
    }
