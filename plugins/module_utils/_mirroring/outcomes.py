# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of each pair of a run, out of what its roles left behind. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import collections
import typing as t

VERBS = ("failover", "reverse", "failback", "disable")
"""The roles that carry out a plan of recovery."""

STEPS: dict[str, tuple[str, ...]] = {
    "setup": ("__setup_task",),
    "bindings": ("__bindings_source", "__bindings_target", "__bindings_mirroring", "__bindings_failback"),
    "enable": ("__enable_submit", "__enable_wait", "__enable_selection"),
    "validate": ("__validate_task",),
    "audit": ("__audit_task",),
    "recovery": ("__recovery_before", "__recovery_record"),
    **dict.fromkeys(VERBS, ()),
    "cleanup": ("__cleanup_list", "__cleanup_delete"),
}
"""The roles in order, and where their tasks' results are."""

GOOD = {"setup": "ready", "validate": "accepted", **dict.fromkeys(VERBS, "accepted")}
"""What in the result of a role says that it may go on."""

VERDICTS = ("validate", "audit")
"""The roles whose verdict is what became of a pair, if no role came after them."""

LAST = ("not_ready", "unknown", "failed", "stopped", "nothing")
"""The words for what did not come to a good end."""


class Outcome(t.NamedTuple):
    """One pair: ``word`` is a verdict, ``submitted``, ``failed``, ``stopped`` or ``nothing``; ``detail`` says where and why."""

    word: str
    direction: str
    detail: str = ""

    def line(self, host: str) -> str:
        """The pair in one line."""
        where = f"{self.direction}: " if self.direction else ""
        return f"{host}: {where}{self.word.replace('_', ' ')}" + (f" {self.detail}" if self.detail else "")


def outcome(variables: t.Mapping[str, t.Any]) -> Outcome:
    """The outcome of a pair from its host's variables."""
    direction = _direction(variables)
    for step, names in STEPS.items():
        for name in names:
            result = variables.get(name) or {}
            if result.get("failed"):
                return Outcome("failed", direction, f"in {step}: {result.get('msg', 'see above')}")
        result = variables.get(f"{step}_result") or {}
        if step in GOOD and not result.get(GOOD[step], True):
            return Outcome("failed", direction, f"in {step}: {result['problems']}")
    reached = [step for step in STEPS if f"{step}_result" in variables]
    if not reached:
        return Outcome("nothing", direction, "was done: not begun, or stopped at the start")
    if reached[-1] in VERDICTS:
        return _judged(variables, reached[-1], direction)
    if reached[-1] in VERBS:
        return Outcome(f"{reached[-1]} {variables[f'{reached[-1]}_result']['outcome']}", direction)
    if reached[-1] == "cleanup":
        return _cleaned(variables["cleanup_result"])
    return Outcome("stopped", direction, f"after {reached[-1]}, see above")


def report(hosts: t.Iterable[str], hostvars: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """A line with the numbers, then one for each pair, those that did not come to a good end last."""
    outcomes = {host: outcome(hostvars[host]) for host in hosts}
    numbers = collections.Counter(one.word.replace("_", " ") for one in outcomes.values())
    told = ", ".join(f"{number} {word}" for word, number in numbers.most_common())
    ordered = sorted(outcomes, key=lambda host: outcomes[host].word in LAST)
    return [f"{len(outcomes)} pairs: {told}", *(outcomes[host].line(host) for host in ordered)]


def _judged(variables: t.Mapping[str, t.Any], step: str, direction: str) -> Outcome:
    result = variables[f"{step}_result"]
    verdict = result["verdict"]
    waiting = (variables.get("enable_result") or {}).get("waiting")
    if step == "validate" and waiting and verdict != "mirroring":
        return Outcome("submitted", direction, "and not waited for; validate waits and looks")
    # What was not good enough for a role to go on has been told above.
    return Outcome(
        verdict, direction, f"in {step}: {result['problems']}" if result["problems"] and step not in GOOD else ""
    )


def _cleaned(result: t.Mapping[str, t.Any]) -> Outcome:
    if result.get("problems") or result.get("awaits_confirmation"):
        return Outcome("failed", "", f"in cleanup: {result.get('problems') or 'not confirmed'}")
    return Outcome("cleaned up" if result.get("deleted") else "listed", "")


def _direction(variables: t.Mapping[str, t.Any]) -> str:
    """As it is now, if a role has found that out, else as it was declared."""
    results = [variables.get(f"{step}_result") or {} for step in reversed(STEPS)]
    now = next((found for one in results if (found := _now(one))), None)
    aliases = next((one["aliases"] for one in results if one.get("aliases")), None)
    return now or (f"{aliases['source']} -> {aliases['target']}" if aliases else "")


def _now(result: t.Mapping[str, t.Any]) -> str | None:
    """Which way data flows, as the result of a role says it."""
    told = result.get("direction")
    return t.cast("str | None", told.get("now")) if isinstance(told, dict) else result.get("now")
