# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run measured of the two objectives of a recovery: the time that it took, and the point up to which nothing is missing. Pure.

Private to this collection: it may change at any time. What was not measured is None with a reason, never a number.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import count
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import seconds
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pick import WORDS, Pick
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import in_words

LOOKS = ("wait_for_lag", "validate")
"""Steps that change nothing."""

MOST_SILENT = 100
UNKNOWN_SINCE = "What was written to the source after the last reading is not known."
NO_READING = "There is no reading of it, so what was written to the source and is missing on the target is not known."
MAY_MISS = "What was written to the source in that time may be missing on the target."
REASONS = {
    "unfinished": "Not all was done when this was written.",
    "failed": "The run failed, so the time until all was done is not known.",
    "refused": "Nothing was begun.",
    "not confirmed": "Nothing was begun.",
    "nothing to do": "There was nothing to do.",
}


def recovery_time(
    outcome: str, steps: t.Sequence[dict[str, t.Any]], began: str | None, earlier: str | None
) -> dict[str, t.Any]:
    """From the start of the run, or of the ``earlier`` one that it continues, to the end of the last step that changed something;
    times in ISO 8601. Steps are as the record has them."""
    since = earlier or began
    told: dict[str, t.Any] = {"seconds": None, "from": since, "to": None}
    if outcome != "done":
        return {**told, "explanation": REASONS[outcome]}
    changing = [one for one in steps if one["outcome"] == "done" and one["action"] not in LOOKS]
    if not changing:
        return {**told, "explanation": "This run changed nothing, so there is nothing to measure."}
    start = Pick.time(since)
    ends = [(at, one["action"]) for one in changing if (at := Pick.time(one["ended_at"])) is not None]
    if start is None or len(ends) < len(changing):
        return {**told, "explanation": "It is not known when the run began, or when each step ended."}
    end, last = max(ends, key=lambda one: one[0])
    if end < start:
        return {**told, "explanation": "The clock was set back while the run went on."}
    which = "the earlier run that this one continues" if earlier else "the run"
    return {
        "seconds": end - start,
        "from": since,
        "to": next(one["ended_at"] for one in changing if Pick.time(one["ended_at"]) == end),
        "explanation": f"{in_words(end - start)} from the start of {which} to the end of the last step that changed something{f', {last}' if last else ''}.",
    }


def recovery_point(pick: Pick, before: t.Mapping[t.Any, t.Any], gates: t.Sequence[t.Any]) -> dict[str, t.Any]:
    """How far the topic that is furthest behind was behind: as measured by the gates (results of wait_for_lag, the last one counts), else
    as last read before the run, else not known."""
    for gate in reversed(gates):
        measured = pick.mapping(gate.get("lag"))
        found = _reading(pick, measured)
        if found["seconds"] is not None and measured.get("state") in ("within", "behind"):
            words = f"Measured by this run{_when(found)}: {_behind(found)}.{_limits(pick, measured)} {MAY_MISS}"
            return {**found, "how": "measured", "words": words}
    lag = pick.mapping(before.get("lag"))
    found = _reading(pick, lag)
    if found["seconds"] is not None:
        words = f"Read last before the run acted{_when(found)}: {_behind(found)}. {MAY_MISS} {UNKNOWN_SINCE}"
        return {**found, "how": "last reading", "words": words}
    reason = pick.text(lag.get("reason"), WORDS)
    told = f"How far the topics were behind is not known{f': {reason.rstrip(chr(46))}' if reason else ''}. {NO_READING}"
    return {**found, "how": "unknown", "words": told}


def _reading(pick: Pick, lag: t.Mapping[t.Any, t.Any]) -> dict[str, t.Any]:
    """The worst topic of a reading, and when that was; nothing where it does not say how far that is behind."""
    worst = pick.mapping(lag.get("worst"))
    behind = pick.seconds(worst.get("seconds"))
    if behind is None or lag.get("known") is False:
        return {"seconds": None, "topic": None, "at": None}
    return {"seconds": behind, "topic": pick.text(worst.get("topic")), "at": pick.moment(lag.get("at"))}


def _limits(pick: Pick, measured: t.Mapping[t.Any, t.Any]) -> str:
    """What was accepted, and that some topics had no value."""
    accepted = pick.seconds(measured.get("accepted"))
    told = "" if accepted is None else f" Accepted were {seconds(accepted)}."
    silent = len(pick.items(measured.get("silent"), MOST_SILENT))
    return (
        f"{told} Nothing is known of {count(silent, 'selected topic')}, as is usual without traffic."
        if silent
        else told
    )


def _when(reading: dict[str, t.Any]) -> str:
    return f" at {reading['at']}" if reading["at"] else ""


def _behind(reading: dict[str, t.Any]) -> str:
    return f"the topic that is furthest behind, {reading['topic'] or 'whose name is not known'}, is behind by {seconds(reading['seconds'])}"
