# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a run, as one page to look at. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import seconds
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pick import Pick
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.record import SIDES, Record
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.document import (
    Child,
    Column,
    badge,
    element,
    facts,
    name,
    render,
    section,
    table,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.scale import moment
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import in_words

TONES = {
    "done": "pass",
    "unchanged": "pass",
    "nothing to do": "pass",
    "pass": "pass",
    "unfinished": "warn",
    "refused": "warn",
    "not confirmed": "warn",
    "skipped": "warn",
    "under way": "warn",
    "warn": "warn",
    "failed": "fail",
    "fail": "fail",
}
NOT_KNOWN = "not known"
NOTHING = "-"
OUTCOMES = {
    "unfinished": "unfinished",
    "done": "done",
    "failed": "failed",
    "refused": "refused, nothing was begun",
    "not confirmed": "not confirmed, the plan was only shown",
    "nothing to do": "nothing to do",
}
SHOWN_TOPICS = 20
SETTINGS = {
    "source_crn": "source",
    "source_alias": "source alias",
    "target_alias": "target alias",
    "topic_name_transform": "topic names",
    "group_id_transform": "group ids",
    "schemas": "schemas",
}


def draw_record(record: Record, file: str, secrets: t.Collection[str] = ()) -> bytes:
    """The page of a record of which the JSON is called so, without the secrets."""
    parts = [
        _header(record),
        _people(record),
        _plan(record),
        *_steps(record),
        *_notes(record),
        _sides(record),
        *_findings(record),
        _end(record, file),
    ]
    return render(_title(record), *parts, secrets=secrets)


def _verb(record: Record) -> str:
    return (record["verb"] or "run").capitalize()


def _title(record: Record) -> str:
    return f"{_verb(record)}: {' → '.join(_called(record['pair'][side]) for side in SIDES)}"


def _called(one: Record) -> str:
    where = f" ({one['region']})" if one["region"] else ""
    return f"{one['name'] or 'an instance without a name'}{where}"


def _instance(one: Record) -> list[Child]:
    region = one["region"] or one["alias"]
    shown: list[Child] = [name(one["name"] or "an instance without a name")]
    return [*shown, " ", element("span", {"class": "region"}, f"({region})")] if region else shown


def _header(record: Record) -> ET.Element:
    """What was done to which pair, how it ended, and what was measured."""
    source, target = (_instance(record["pair"][side]) for side in SIDES)
    heading = element("h1", None, f"{_verb(record)}: ", *source, " → ", *target)
    told: list[tuple[str, Child]] = [("Outcome", badge(TONES[record["outcome"]], OUTCOMES[record["outcome"]]))]
    told += [("Mode", record["mode"])] if record["mode"] else []
    took = record["recovery_time"]["seconds"]
    behind = record["recovery_point"]["seconds"]
    told += [
        ("Began", _time(record["started_at"])),
        ("Ended", _time(record["ended_at"])),
        ("Recovery time", NOT_KNOWN if took is None else in_words(took)),
        ("Recovery point", NOT_KNOWN if behind is None else f"{seconds(behind)}, {record['recovery_point']['how']}"),
    ]
    message = [element("p", None, record["message"])] if record["message"] else []
    measured = [
        element("p", {"class": "soft"}, f"{what}: {words}")
        for what, words in (
            ("Recovery time", record["recovery_time"]["explanation"]),
            ("Recovery point", record["recovery_point"]["words"]),
        )
    ]
    directions = (
        f"Before: {record['direction_before'] or NOT_KNOWN}. At the end: {record['direction_after'] or NOT_KNOWN}."
    )
    normal = f" Normally: {record['normal']}." if record["normal"] else ""
    return element("header", None, heading, element("p", None, directions + normal), *message, facts(told), *measured)


def _people(record: Record) -> ET.Element:
    """Who ran it."""
    who = record["who"]
    told: list[tuple[str, Child]] = [
        ("Identity", name(who["identity"] or NOT_KNOWN)),
        ("Login", name(who["user"] or NOT_KNOWN)),
        ("Machine", name(who["host"] or NOT_KNOWN)),
    ]
    told += [(f"Job: {key}", NOTHING if value is None else str(value)) for key, value in (who["job"] or {}).items()]
    earlier = record["continues"]
    more = []
    if earlier:
        words = f"This run continues an earlier one ({earlier['verb']}, {earlier['outcome']}) that began at {_time(earlier['started_at'])}: "
        more = [element("p", None, words, name(earlier["path"] or NOT_KNOWN))]
    return section("Who", facts(told), *more)


def _plan(record: Record) -> ET.Element:
    """What was to be done."""
    if not record["plan"]:
        return section("Plan", element("p", None, "There was no step to do."))
    rows: list[list[Child]] = []
    for number, step in enumerate(record["plan"], 1):
        expected = "no estimate" if not step["seconds"] else f"up to {in_words(step['seconds'])}"
        rows.append([str(number), element("div", None, element("p", None, step["words"]), *_where(step)), expected])
    columns = (Column("Step"), Column("What, and where"), Column("Expected to take"))
    return section("Plan", table("Plan", columns, rows))


def _where(step: Record) -> list[ET.Element]:
    """On which instance a step acts, and in which direction."""
    told: list[Child] = [name(step["instance"])] if step["instance"] else []
    told += [", " if told else "", step["direction"]] if step["direction"] else []
    told += ["; cannot be undone" if told else "cannot be undone"] if step["final"] else []
    return [element("p", {"class": "soft"}, *told)] if told else []


def _steps(record: Record) -> list[ET.Element]:
    """What became of each step."""
    if not record["steps"]:
        return []
    rows: list[list[Child]] = []
    for step in record["steps"]:
        told = [element("p", None, step["words"])]
        told += [element("p", {"class": "soft"}, step["message"])] if step["message"] else []
        told += [_write(one) for one in step["writes"]]
        left = step["write_count"] - len(step["writes"])
        told += [element("p", {"class": "soft"}, f"and {left:,} more requests")] if left > 0 else []
        rows.append(
            [badge(TONES.get(step["outcome"], "unknown"), step["outcome"]), _when(step), element("div", None, *told)]
        )
    columns = (Column("Outcome"), Column("When"), Column("Step, and the requests that it sent to change something"))
    return [section("Steps", table("Steps", columns, rows))]


def _when(step: Record) -> Child:
    """When a step began and ended."""
    if step["started_at"] is None:
        return NOTHING
    told = [_time(step["started_at"]), f"to {_time(step['ended_at'])}"]
    told += [] if step["seconds"] is None else [f"({in_words(step['seconds'])})"]
    return element("div", {"class": "when"}, *(element("p", None, one) for one in told))


def _write(write: Record) -> ET.Element:
    answer = "no answer" if write["status"] is None else f"HTTP {write['status']}"
    request = f"{_time(write['at'])}: {write['method'] or 'a request to'} {write['path'] or NOT_KNOWN}, {answer}, transaction "
    return element("p", {"class": "soft"}, request, name(write["transaction_id"] or NOT_KNOWN))


def _sides(record: Record) -> ET.Element:
    """Both instances before and at the end."""
    looks = {"Before": record["before"], "At the end": record["after"]}
    lead = " ".join(f"{when}: {_time(look['at']) if look else 'not looked at'}." for when, look in looks.items())
    parts: list[Child] = [element("p", {"class": "soft"}, lead)]
    for side in SIDES:
        seen = {when: look["sides"][side] if look else None for when, look in looks.items()}
        rows: list[list[Child]] = []
        for what, told in ASPECTS.items():
            cells = [_labelled(when, NOT_KNOWN if one is None else told(one)) for when, one in seen.items()]
            rows.append([what, *cells])
        columns = (Column(f"The {side}"), *(Column(when) for when in seen))
        made = table(f"The {side} before and at the end", columns, rows)
        made.set("class", f"{made.get('class')} sides")
        parts += [element("p", None, f"The {side}: ", *_instance(record["pair"][side])), made]
    return section("Before and after", *parts)


def _labelled(when: str, fact: Child) -> ET.Element:
    """A fact that says when it held where the head of the table is not shown."""
    return element("div", None, element("span", {"class": "label"}, f"{when}: "), fact)


def _state(side: Record) -> Child:
    if side["asked"] is False:
        return "not asked"
    return f"not readable: {side['unreadable']}" if side["unreadable"] else side["state"] or NOT_KNOWN


def _operation(side: Record) -> Child:
    found = side["operation"] or {}
    when = found.get("updated_at")
    at = when if Pick.time(when) is None else _time(when)
    return " ".join(filter(None, (found.get("type"), found.get("state"), at))) or NOT_KNOWN


def _mirroring(side: Record) -> Child:
    """What an instance mirrors, and how that is known."""
    found = side["mirroring"]
    if not found or found["enabled"] is None:
        return NOT_KNOWN
    if not found["enabled"]:
        return f"nothing ({found['known']['enabled'] or NOT_KNOWN})"
    told = []
    for key, words in SETTINGS.items():
        value = found[key]
        if value is not None:
            text = value["type"] if isinstance(value, dict) else str(value)
            told.append(
                element("p", None, f"{words}: ", name(text or NOT_KNOWN), f" ({found['known'][key] or NOT_KNOWN})")
            )
    return element(
        "div", None, element("p", None, f"mirroring is on ({found['known']['enabled'] or NOT_KNOWN})"), *told
    )


def _topics(side: Record) -> Child:
    topics = side["topics"]
    if topics is None and not (side["mirroring"] and side["mirroring"]["enabled"] is False):
        return NOT_KNOWN
    if not topics:
        return "none"
    left = side["topic_count"] - len(topics[:SHOWN_TOPICS])
    more = [element("p", {"class": "soft"}, f"and {left:,} more")] if left > 0 else []
    return element("div", None, *(element("p", None, name(one)) for one in topics[:SHOWN_TOPICS]), *more)


def _authorized(side: Record) -> Child:
    return {True: "yes", False: "no"}.get(side["authorized"], NOT_KNOWN)


ASPECTS: dict[str, t.Callable[[Record], Child]] = {
    "State": _state,
    "Last operation": _operation,
    "Mirrors": _mirroring,
    "Selected topics": _topics,
    "Authorized": _authorized,
}


def _findings(record: Record) -> list[ET.Element]:
    """What did not pass, before and at the end."""
    rows: list[list[Child]] = []
    for when, look in (("before", record["before"]), ("at the end", record["after"])):
        for one in look["findings"] if look else []:
            told = [element("p", None, one[key]) for key in ("message", "remedy") if one[key]]
            status = one["status"] or "unknown"
            rows.append(
                [
                    badge(TONES.get(status, "unknown"), status),
                    f"{one['rule'] or NOT_KNOWN}, {when}",
                    element("div", None, *told),
                ]
            )
    columns = (Column("Status"), Column("Check"), Column("What was found, and what to do"))
    return [section("What did not pass", table("What did not pass", columns, rows))] if rows else []


def _notes(record: Record) -> list[ET.Element]:
    """What there is to know, and what is left to people."""
    parts = []
    for heading, lines in (("What people have to do themselves", record["manual"]), ("Notes", record["notes"])):
        if lines:
            parts.append(section(heading, element("ul", None, *(element("li", None, line) for line in lines))))
    return parts


def _end(record: Record, file: str) -> ET.Element:
    words = "The same, and more of it, is in the JSON beside this page: "
    return section("Charge", element("p", None, record["charge"]), element("p", {"class": "soft"}, words, name(file)))


def _time(text: str | None) -> str:
    when = Pick.time(text)
    return NOT_KNOWN if when is None else moment(when)
