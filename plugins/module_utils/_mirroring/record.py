# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of one run of a recovery: who did what and when, to which pair, and what came of it. Pure.

Private to this collection: it may change at any time. What is in a record is picked one by one: what nobody listed here is not in it.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import is_guid
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import RENAMES
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.objectives import (
    LOOKS,
    recovery_point,
    recovery_time,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pick import MESSAGE, WORDS, Pick
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.readiness import CHARGE
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.record_steps import (
    MOST_STEPS,
    Given,
    gates_of,
    read_plan,
    read_steps,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import FIELDS
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import format_time

FORMAT = 1
ACTED = ("unfinished", "done", "failed")
OUTCOMES = (*ACTED, "refused", "not confirmed", "nothing to do")
SIDES = ("source", "target")
MOST_TOPICS, MOST_LINES, MOST_FINDINGS, MOST_FACTS = 500, 30, 30, 40
SHORT = 40
"""How many characters a word has room for, as a state or a status."""

BEGUN = (
    "The run had begun and had not ended when this was written. If it does not go on any more, it was interrupted, and what it did is not "
    "known from here: look at the pair."
)
LEFT = "Something was left to do when the run ended, or went on: look at the pair, and run again."
NOT_LOOKED = "The pair could not be looked at afterwards: "
OFF = "Mirroring was off on both sides at the end, which ends the charge for it."
HALF_OFF = "Mirroring was off at the end on the side that was asked; the other one was not asked."
ON = "Mirroring was on at the end, and it is charged for as long as it is."
_SECRET = re.compile(r"key|token|passw|secret|credential|auth", re.IGNORECASE)
_FACT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
Record: t.TypeAlias = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Who:
    """On whose behalf a run goes on: the login, and the name of the machine."""

    user: str
    host: str


@dataclasses.dataclass(frozen=True)
class Run:
    """What is known of a run. ``before`` and ``after`` are results of recovery_info, each step is {"action", "results"}; all of them may lack
    anything. ``begun`` is the record that was written at the beginning, ``earlier`` that of the run that this one continues, with
    its path. ``now`` is in seconds since the epoch."""

    state: str
    before: Given
    after: Given | None
    steps: t.Sequence[t.Any]
    job: Given | None
    failed: bool
    message: str | None
    who: Who
    now: float
    begun: Record | None = None
    earlier: Record | None = None


def assemble(run: Run, secrets: t.Iterable[str] = ()) -> Record:
    """The record as it is written, without the secrets."""
    pick = Pick(secrets)
    ended = run.state == "ended"
    began = _began(pick, run)
    plan = read_plan(pick, run.before.get("steps"))
    steps = read_steps(pick, plan if ended else [], run.steps, run.failed)
    outcome = _outcome(run, plan, steps) if ended else "unfinished"
    continues = _continues(pick, run.earlier)
    message = pick.text(run.message, MESSAGE)
    after = run.after or {}
    return {
        "format": FORMAT,
        "verb": pick.text(run.before.get("verb"), SHORT),
        "mode": pick.text(run.before.get("mode"), SHORT),
        "outcome": outcome,
        "message": message or ("" if outcome != "unfinished" else LEFT if ended else BEGUN),
        "who": {
            "identity": pick.text(run.before.get("identity")),
            "user": pick.text(run.who.user),
            "host": pick.text(run.who.host),
            "job": _job(pick, run.job),
        },
        "started_at": began,
        "ended_at": format_time(run.now) if ended else None,
        "target_named": pick.flag(run.before.get("target_named")),
        "continues": continues,
        "pair": {side: _instance(pick, run, side) for side in SIDES},
        "normal": pick.text(run.before.get("normal"), WORDS),
        "direction_before": pick.text(run.before.get("now"), WORDS),
        "direction_after": pick.text(after.get("now"), WORDS),
        "recovery_time": recovery_time(outcome, steps, began, continues["since"] if continues else None),
        "recovery_point": recovery_point(pick, run.before, gates_of(pick, run.steps) if ended else []),
        "plan": plan,
        "steps": steps,
        "skipped": [one["action"] for one in steps if one["outcome"] == "skipped"],
        "notes": _lines(pick, run, "notes", NOT_LOOKED),
        "manual": _lines(pick, run, "manual"),
        "charge": _charge(pick, after),
        "before": _seen(pick, run.before),
        "after": _seen(pick, after),
    }


def goes_on(record: Record) -> bool:
    """Whether the run that a record is about had begun to give up mirroring and had not done all. Of one that was killed after its gate,
    nobody knows how far it came. One that had selected topics has left nothing undone that could explain that none are selected now."""
    if record["outcome"] not in ("unfinished", "failed") or _has_selected(record):
        return False
    if record.get("continues"):
        return True
    steps = [Pick.mapping(one) for one in Pick.items(record.get("steps"), MOST_STEPS)]
    planned = [Pick.mapping(one).get("action") for one in Pick.items(record.get("plan"), MOST_STEPS)]
    if record.get("ended_at") is None:
        passed = any(one.get("action") == "wait_for_lag" and one.get("outcome") == "done" for one in steps)
        return passed or "wait_for_lag" not in planned
    return any(
        one.get("action") not in LOOKS
        and (one.get("writes") or one.get("outcome") in ("done", "unchanged", "under way"))
        for one in steps
    )


def is_unverified(record: Record) -> bool:
    """Whether the run that a record is about had done all, and had not seen topics being mirrored in the end."""
    return record["outcome"] in ("unfinished", "failed") and _has_selected(record)


def _has_selected(record: Record) -> bool:
    steps = map(Pick.mapping, Pick.items(record.get("steps"), MOST_STEPS))
    return any(one.get("action") == "select" and one.get("outcome") in ("done", "unchanged") for one in steps)


def stem_of(record: Record) -> str:
    """What the files of a record are called, without what makes them unique: when it began, the verb and the target."""
    when = re.sub("[:-]", "", record["started_at"])
    return f"{when}-{_safe(record['verb'], 'run')}-{_safe(record['pair']['target']['name'], 'target')}"


def _safe(text: str | None, otherwise: str) -> str:
    return _UNSAFE.sub("-", text or "").strip("-._")[:60] or otherwise


def _began(pick: Pick, run: Run) -> str:
    """When the run began: as its first record says, else when it first looked at the pair."""
    told = [run.begun.get("started_at") if run.begun else None, run.before.get("at")]
    known = [at for one in told if (at := pick.time(one)) is not None and at <= run.now]
    return format_time(known[0] if known else run.now)


def _outcome(run: Run, plan: list[Record], steps: list[Record]) -> str:
    reached = any(one["outcome"] not in ("not reached", "skipped") for one in steps)
    if run.failed:
        if reached or run.begun:
            return "failed"
        shown = plan and run.before.get("confirmed") is False and run.before.get("refused") is not True
        return "not confirmed" if shown else "refused"
    after = run.after or {}
    if after.get("steps") or after.get("refused") is True or any(one["outcome"] == "under way" for one in steps):
        return "unfinished"
    return "done" if plan or reached else "nothing to do"


def _continues(pick: Pick, earlier: Record | None) -> Record | None:
    """The run that this one continues, and since when both have been going on."""
    if earlier is None:
        return None
    began = pick.moment(earlier.get("started_at"))
    return {
        "path": pick.text(earlier.get("path"), WORDS),
        "verb": pick.text(earlier.get("verb"), SHORT),
        "outcome": pick.text(earlier.get("outcome"), SHORT),
        "started_at": began,
        "since": pick.moment(pick.mapping(earlier.get("continues")).get("since")) or began,
    }


def _job(pick: Pick, job: Given | None) -> Record | None:
    """What is known of the job that ran this, by name; nothing whose name sounds like a secret."""
    names = [name for name in job or {} if isinstance(name, str) and _FACT.fullmatch(name) and not _SECRET.search(name)]
    found = {name: pick.scalar((job or {})[name]) for name in sorted(names)[:MOST_FACTS]}
    return {name: fact for name, fact in found.items() if fact is not None} or None


def _instance(pick: Pick, run: Run, side: str) -> Record:
    """Which instance that is: as it was seen first, else afterwards, else as it was asked for."""
    looks = [pick.mapping(pick.mapping((look or {}).get("sides")).get(side)) for look in (run.before, run.after)]
    seen = looks[0] or looks[1]
    asked = pick.text(pick.mapping(run.before.get("requested")).get(side), WORDS)
    guid = next((part for part in reversed((asked or "").split(":")) if is_guid(part)), None)
    return {
        "name": pick.text(seen.get("name")) or asked,
        "crn": pick.text(seen.get("crn")),
        "guid": pick.text(seen.get("guid")) or guid,
        "region": pick.text(seen.get("region")),
        "alias": pick.text(seen.get("alias")),
    }


def _seen(pick: Pick, look: Given) -> Record | None:
    """The pair as it was seen at one time; None if it was not."""
    sides = pick.mapping(look.get("sides"))
    if not sides:
        return None
    lag = pick.mapping(look.get("lag"))
    worst = pick.mapping(lag.get("worst"))
    return {
        "at": pick.moment(look.get("at")),
        "direction": pick.text(look.get("direction"), SHORT),
        "now": pick.text(look.get("now"), WORDS),
        "lag": {
            "known": pick.flag(lag.get("known")),
            "worst": {"topic": pick.text(worst.get("topic")), "seconds": pick.seconds(worst.get("seconds"))}
            if worst
            else None,
            "at": pick.moment(lag.get("at")),
            "reason": pick.text(lag.get("reason"), WORDS),
        }
        if lag
        else None,
        "findings": [
            {name: pick.text(finding.get(name), WORDS) for name in ("rule", "status", "message", "remedy")}
            for finding in map(pick.mapping, pick.items(look.get("findings"), MOST_TOPICS))
            if finding.get("status") != "pass"
        ][:MOST_FINDINGS],
        "sides": {side: _side(pick, pick.mapping(sides.get(side))) for side in SIDES},
    }


def _side(pick: Pick, side: Given) -> Record | None:
    """One instance as it was seen; None if it was not."""
    if not side:
        return None
    operation, mirroring = pick.mapping(side.get("operation")), pick.mapping(side.get("mirroring"))
    topics = side.get("topics") if isinstance(side.get("topics"), (list, tuple)) else None
    return {
        **{name: pick.text(side.get(name)) for name in ("name", "crn", "guid", "region", "alias")},
        "asked": pick.flag(side.get("asked", True)),
        "state": pick.text(side.get("state")),
        "operation": {
            name: pick.text(operation.get(name), WORDS) for name in ("type", "state", "description", "updated_at")
        }
        if operation
        else None,
        "mirroring": _mirroring(pick, mirroring) if mirroring else None,
        "authorized": pick.flag(side.get("authorized")),
        "unreadable": pick.text(side.get("unreadable"), WORDS),
        "topic_count": None if topics is None else len(topics),
        "topics": None if topics is None else pick.texts(topics, MOST_TOPICS),
    }


def _mirroring(pick: Pick, mirroring: Given) -> Record:
    """The mirroring of an instance, and how each value is known; transforms in their own shape."""
    known = pick.mapping(mirroring.get("known"))
    names = ("enabled", *FIELDS)
    return {
        **{name: _transform(pick, mirroring.get(name)) for name in names},
        "known": {name: pick.text(known.get(name), SHORT) for name in names},
    }


def _transform(pick: Pick, value: t.Any) -> t.Any:
    transform = pick.mapping(value)
    if not transform:
        return pick.scalar(value)
    rename = pick.mapping(transform.get("rename"))
    parts = {part: pick.text(rename.get(part)) for part in RENAMES if part in rename}
    return {"type": pick.text(transform.get("type"), SHORT), **({"rename": parts} if parts else {})}


def _lines(pick: Pick, run: Run, name: str, failure: str = "") -> list[str]:
    """What both looks tell people under a name, each once; and, if asked for, why there was no second look."""
    looks = [run.before, run.after or {}]
    found = [line for look in looks for line in pick.texts(look.get(name), MOST_LINES, WORDS)]
    told = pick.text(looks[1].get("msg"), MESSAGE) if failure and looks[1].get("failed") is True else None
    return list(dict.fromkeys([*found, *([f"{failure}{told}"] if told else [])]))


def _charge(pick: Pick, after: Given) -> str:
    """What of mirroring is charged at the end; where it is not known whether that is on, what is charged in general."""
    direction = pick.text(after.get("direction"), SHORT)
    sides = pick.mapping(after.get("sides"))
    if direction == "none":
        return OFF
    target = pick.mapping(pick.mapping(sides.get("target")).get("mirroring"))
    if (
        direction == "unknown"
        and target.get("enabled") is False
        and pick.mapping(sides.get("source")).get("asked") is False
    ):
        return f"{HALF_OFF} {CHARGE}"
    known = {"forward": ON, "backward": ON, "both": ON}.get(direction or "")
    return f"{known} {CHARGE}" if known else CHARGE
