# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Could a pair fail over now? Pure. Private to this collection: it may change at any time.

What cannot be read, and would have counted if it had failed, makes the answer unknown; what the cloud does not show does not.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import validation
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.direction import Direction
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import (
    Finding,
    Status,
    failed,
    lines,
    problems,
    some,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.local_topics import selected_names
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.readiness import (
    CHARGE,
    active,
    equal,
    unlocked,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.survey import Authorization

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance

Verdict = t.Literal["ready", "not_ready", "unknown"]
WORDS: dict[Verdict, str] = {
    "ready": "ready to fail over",
    "not_ready": "not ready to fail over",
    "unknown": "whether it could fail over now is unknown",
}
DECISIVE_RULES = frozenset(
    {
        "direction",
        "target_reachable",
        "source_reachable",
        "target_active",
        "source_active",
        "selection",
        "active_topics",
        "remote_topics",
        "authorization",
    }
)
"""The rules without which nobody can say that a pair is ready."""

WITHOUT_SOURCE = (
    "While the source does not answer, a planned failover, which waits until nothing is behind, is not possible; an unplanned one is, and "
    "loses what has not been mirrored."
)


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything the rules look at. ``source_unread`` says why the document of the source could not be read, in which case ``source`` is
    what its CRN tells; the two ``status`` are those of the admin APIs (API §4.6); ``failback`` tells whether coming back is declared, and
    ``limited`` whether there is a limit for lag, which was not looked at if it is None."""

    source: Instance
    source_unread: str | None
    source_status: str | Unreadable
    target_status: str | Unreadable
    direction: Direction
    evidence: validation.Evidence
    back: Authorization
    failback: bool
    lag: Finding | None
    limited: bool

    @property
    def target(self) -> Instance:
        """The instance that is declared to be the target."""
        return self.evidence.target


def evaluate(facts: Facts) -> list[Finding]:
    """All rules, in the order in which they matter. What mirroring does is looked at only where the target mirrors from the source, or
    may."""
    mirrors = facts.direction.forward is not False
    readable = not facts.evidence.state.contradictory
    return [
        facts.direction.finding,
        _reachable("target", facts.target_status),
        _reachable("source", facts.source_status),
        _operation("target", facts.target),
        *_of_source(facts, _operation("source", facts.source)),
        *(_of_mirroring(facts) if mirrors and readable else []),
        *_of_source(
            facts,
            equal("throughput", facts.source.throughput, facts.target.throughput, "MB/s"),
            equal("storage_size", facts.source.storage, facts.target.storage, "GB"),
            active("source", facts.source),
            unlocked("source", facts.source, mirrors),
        ),
        active("target", facts.target),
        unlocked("target", facts.target, facts.evidence.state.enabled.value is True),
        *(finding for finding in validation.evaluate(facts.evidence) if finding.rule == "authorization"),
        _way_back(facts),
        *([facts.lag] if facts.lag else []),
        Finding("charge", "pass", CHARGE),
    ]


def decisive(facts: Facts) -> frozenset[str]:
    """The rules that decide by being unknown: those that count in any case, and what was asked for."""
    asked = {"authorization_failback": facts.failback, "lag": facts.limited}
    return DECISIVE_RULES | {rule for rule, wanted in asked.items() if wanted}


def verdict(findings: t.Iterable[Finding], deciding: t.Container[str]) -> Verdict:
    """One word: not ready if any rule failed, unknown if what decides could not be read or an operation is running."""
    listed = list(findings)
    if failed(listed):
        return "not_ready"
    return "unknown" if any(_leaves_open(finding, deciding) for finding in listed) else "ready"


def troubles(label: str, findings: t.Iterable[Finding], deciding: t.Container[str]) -> str:
    """Why a pair is not ready, or why that is not known, and what to do about it, in one paragraph; empty if it is ready."""
    listed = list(findings)
    if failed(listed):
        return problems(label, listed)
    return problems(label, [one for one in listed if _leaves_open(one, deciding)], also_unknown=True)


def summary(facts: Facts, findings: t.Sequence[Finding], found: Verdict) -> list[str]:
    """What people want to read: the answer, which is source and which is target now, lag, all that did not pass, and the charge."""
    lag = [f"Lag: {facts.lag.message}"] if facts.lag and facts.lag.status == "pass" else []
    return [
        f"{facts.direction.declared}: {WORDS[found]}",
        facts.direction.line(),
        *lag,
        *lines(findings),
        CHARGE,
    ]


def _leaves_open(finding: Finding, deciding: t.Container[str]) -> bool:
    return finding.status == "unknown" and (finding.rule in deciding or "running" in finding.evidence)


def _of_source(facts: Facts, *findings: Finding) -> list[Finding]:
    """Findings about the document of the source, all of them unknown if it could not be read."""
    if facts.source_unread is None:
        return list(findings)
    message = f"The document of the source could not be read: {facts.source_unread}"
    return [Finding(finding.rule, "unknown", message) for finding in findings]


def _reachable(side: str, status: str | Unreadable) -> Finding:
    """Whether an instance can be used. A failover begins at the target; for one that is planned the source is needed, too
    (API §10.1)."""
    rule = f"{side}_reachable"
    means = WITHOUT_SOURCE if side == "source" else "A failover begins there, with an empty topic selection."
    if isinstance(status, Unreadable):
        message = f"The admin API of the {side} cannot be used: {status.reason.rstrip('. ')}. {means}"
        remedy = "If it is there, make its admin API reachable."
        if side == "source":
            remedy = f"If it is gone, fail over with failover_mode: unplanned. {remedy}"
        return Finding(rule, "unknown", message, remedy)
    shown = {"status": status}
    if status == "available":
        return Finding(rule, "pass", f"The {side} is available.", evidence=shown)
    levels: dict[str, Status] = {"degraded": "warn", "offline": "fail"}
    known = status if status in levels else "unknown"
    message = f"The {side} says that its status is {known}."
    if known == "offline":
        message += f" {means}"
    return Finding(rule, levels.get(known, "unknown"), message, f"Look at the events of the {side}.", shown)


def _operation(side: str, instance: Instance) -> Finding:
    rule, operation = f"{side}_operation", instance.operation
    words = f"{operation.type or 'operation'} {operation.state}"
    told = words + (f": {operation.description}" if operation.description else "")
    shown = {"last_operation": operation.to_result()}
    if operation.phase == "succeeded":
        return Finding(rule, "pass", f"The last operation of the {side}: {told}", evidence=shown)
    if operation.unfinished:
        message = f"An operation of the {side} is still running: {told}"
        return Finding(rule, "unknown", message, "Come back when it has ended.", {**shown, "running": True})
    if operation.phase == "failed":
        message = f"The last operation of the {side} failed: {told}"
        status: Status = "fail" if side == "target" else "warn"
        return Finding(rule, status, message, "Find out what it was to do, and have it done.", shown)
    return Finding(rule, "unknown", f"The cloud shows no last operation of the {side}.", evidence=shown)


def _of_mirroring(facts: Facts) -> list[Finding]:
    """What the target mirrors: as the validate role sees it, but nothing is not enough."""
    rules = ("selection", "settings", "active_topics", "remote_topics")
    found = {finding.rule: finding for finding in validation.evaluate(facts.evidence)}
    return [_something(found[rule], facts) for rule in rules if rule in found]


def _something(finding: Finding, facts: Facts) -> Finding:
    selection = facts.evidence.state.selection
    if finding.rule == "selection" and selection == []:
        message = "No topic is selected, so nothing is mirrored, while mirroring is charged. A failover leaves that behind, too."
        remedy = "Run the playbook mirror with mirroring_topics, unless the pair has failed over."
        return Finding("selection", "fail", message, remedy, finding.evidence)
    if finding.rule == "selection" and finding.status == "fail" and _is_narrowed(facts):
        message = "What the patterns choose is selected by name, without copies that came from the target, as a failback does."
        remedy = (
            "Delete the copies with the playbook cleanup, source and target named the other way round; then the playbook mirror selects with "
            "the patterns again, also what is created later."
        )
        return Finding("selection", "warn", message, remedy, finding.evidence)
    matches = facts.evidence.previews or isinstance(facts.evidence.source_topics, Unreadable)
    if finding.rule == "remote_topics" and finding.status == "warn" and selection and not matches:
        return dataclasses.replace(finding, status="fail", remedy="Correct the patterns.")
    return finding


def _is_narrowed(facts: Facts) -> bool:
    """Whether the selection chooses what the patterns choose, but for what came from the target before (API §10.4)."""
    evidence = facts.evidence
    selection, listed = evidence.state.selection, evidence.source_topics
    if isinstance(listed, Unreadable) or not isinstance(selection, list):
        return False
    asked = {one.topic for one in evidence.previews}
    own = {name for name in asked if not name.endswith(f".{evidence.wanted.target_alias}")}
    return own != asked and own == selected_names(
        [topic.name for topic in listed], selection, evidence.wanted.source_alias
    )


def _way_back(facts: Facts) -> Finding:
    """The authorization that turning the direction round needs (API §10.3)."""
    rule, found = "authorization_failback", facts.back
    shown = {"policy_ids": list(found.policy_ids)}
    if found.policy_ids:
        return Finding(rule, "pass", "The source is authorized to read the target, to come back.", evidence=shown)
    if found.unreadable:
        message = f"The authorization to come back could not be checked: {found.unreadable}"
        return Finding(rule, "unknown", message, "Use an identity that may see the policies of the target's account.")
    message = "No authorization lets the source read the target. A failover works without; coming back does not."
    if found.reversed_ids:
        message += f" Policy {some(found.reversed_ids)} is for the other direction."
    return Finding(
        rule,
        "fail" if facts.failback else "warn",
        message,
        "Run the bindings role with mirroring_failback: true.",
        shown,
    )
