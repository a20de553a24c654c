# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does a target mirror what was asked? Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import same_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding, count, some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import source_traces
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    Preview,
    same_selection,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    Settings,
    State,
    Unreadable,
    compare,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.survey import Authorization, Topics

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance

Verdict = t.Literal["mirroring", "not_mirroring", "behind", "pending", "unknown", "predicted"]
PENDING_RULES = (
    "enabled",
    "settings",
    "source",
    "selection",
    "active_topics",
    "remote_topics",
    "authorization",
    "operation",
)
TOPIC_RULES = ("active_topics", "remote_topics")
DECISIVE_RULES = ("enabled", "selection")
LISTING_SECONDS = 60.0


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Everything the rules look at. ``topics`` are the patterns that were asked for, None = whatever is set."""

    target: Instance
    state: State
    wanted: Settings
    topics: list[str] | None
    previews: list[Preview]
    source_topics: Topics
    target_topics: Topics
    active_topics: list[str] | Unreadable | None
    authorization: Authorization


def evaluate(evidence: Evidence) -> list[Finding]:
    """All rules, in the order in which they matter."""
    if evidence.target.operation.unfinished and evidence.state.enabled.value is not True:
        return [_operation(evidence), *map(_not_yet, ("enabled", "settings", "selection")), _authorization(evidence)]
    findings = [_operation(evidence), _enabled(evidence), _settings(evidence), _selection(evidence)]
    if evidence.state.enabled.value is not False:
        findings.append(_source(evidence))
        if findings[3].status == "fail":
            findings += [Finding(rule, "unknown", "Not before the selection is as asked.") for rule in TOPIC_RULES]
        else:
            findings += [_active(evidence), _remote(evidence)]
    return [*findings, _authorization(evidence)]


def verdict(findings: t.Iterable[Finding]) -> Verdict:
    """One word: pending while an update runs, not mirroring if any rule failed, unknown if what decides could not be read."""
    listed = list(findings)
    if any(finding.rule == "operation" and "running" in finding.evidence for finding in listed):
        return "pending"
    if any(finding.status == "fail" for finding in listed):
        return "not_mirroring"
    if any(finding.status == "unknown" and finding.rule in DECISIVE_RULES for finding in listed):
        return "unknown"
    return "mirroring"


def with_lag(lag: Finding) -> Verdict:
    """The word for a target that mirrors what was asked, when it was looked at how far it is behind."""
    if lag.status == "fail":
        return "behind"
    return "unknown" if lag.status == "unknown" else "mirroring"


def patience(findings: t.Iterable[Finding], topics_timeout: float) -> float:
    """For how many seconds what failed may still come by itself: topics of fresh mirroring, and a policy that was just created
    and is not listed yet (API §2.12). 0 if anything else failed, or nothing."""
    failing = {finding.rule for finding in findings if finding.status == "fail"}
    if not failing or failing - {"source", "active_topics", "remote_topics", "authorization"}:
        return 0.0
    return min(topics_timeout, LISTING_SECONDS) if failing == {"authorization"} else topics_timeout


def predicted(findings: t.Iterable[Finding]) -> list[Finding]:
    """In check mode, what this run would have done counts as done: what it would have mended cannot be looked at yet."""
    return [
        dataclasses.replace(
            finding, status="unknown", message=f"This run would have changed it. Now: {finding.message}", remedy=""
        )
        if finding.status == "fail" and finding.rule in PENDING_RULES
        else finding
        for finding in findings
    ]


def _not_yet(rule: str) -> Finding:
    return Finding(rule, "unknown", "Not before the operation has ended.", "Run validate again: it waits for that.")


def _operation(evidence: Evidence) -> Finding:
    operation = evidence.target.operation
    told = f"{operation.type or 'operation'} {operation.state}" + (
        f": {operation.description}" if operation.description else ""
    )
    shown = {"last_operation": operation.to_result()}
    if operation.phase == "succeeded":
        return Finding("operation", "pass", f"The last operation of the target: {told}", evidence=shown)
    if operation.unfinished:
        return Finding(
            "operation",
            "unknown",
            f"An operation of the target is still running: {told}",
            "Run validate again to join it.",
            {**shown, "running": True},
        )
    if operation.phase == "failed":
        status: t.Literal["warn", "fail"] = "warn" if evidence.state.enabled.value is True else "fail"
        return Finding(
            "operation", status, f"The last operation of the target failed: {told}", "Run the enable role again.", shown
        )
    return Finding("operation", "unknown", "The cloud shows no last operation of the target.", evidence=shown)


def _enabled(evidence: Evidence) -> Finding:
    enabled = evidence.state.enabled
    if enabled.value is True:
        return Finding("enabled", "pass", f"Mirroring is enabled ({enabled.how}).")
    if enabled.value is False:
        return Finding("enabled", "fail", "Mirroring is not enabled on the target.", "Run the enable role.")
    reason = getattr(evidence.state.selection, "reason", "an operation is running")
    return Finding(
        "enabled",
        "unknown",
        f"Whether mirroring is enabled could not be read: {reason}",
        "Make its admin API reachable.",
    )


def _settings(evidence: Evidence) -> Finding:
    if evidence.state.enabled.value is False:
        return Finding("settings", "unknown", "There are no settings: mirroring is not enabled.")
    differences, unknown = compare(evidence.state, evidence.wanted)
    if differences:
        told = "; ".join(f"{name} is {now!r}, wanted {want!r}" for name, (now, want) in differences.items())
        return Finding(
            "settings",
            "fail",
            f"Mirroring has other settings: {told}.",
            "Run enable with recreate: true to change them.",
        )
    if unknown:
        return Finding("settings", "unknown", f"The cloud does not show {', '.join(unknown)}.")
    return Finding("settings", "pass", "Source, aliases, transforms and schemas are as asked (echoed).")


def _selection(evidence: Evidence) -> Finding:
    selection = evidence.state.selection
    if isinstance(selection, Unreadable):
        return Finding("selection", "unknown", f"The topic selection could not be read: {selection.reason}")
    if selection is None:
        return Finding(
            "selection",
            "fail",
            "There is no topic selection (HTTP 404): mirroring is not enabled.",
            "Run the enable role.",
        )
    shown = {"topics": selection}
    if not selection and not evidence.topics:
        message = "No topic is selected, so nothing is mirrored, while mirroring is charged."
        return Finding("selection", "warn", message, "Set mirroring_topics, for example [^orders$].", shown)
    if evidence.topics is None:
        return Finding(
            "selection", "pass", f"{count(len(selection), 'pattern')} selected; none were asked for.", evidence=shown
        )
    if same_selection(selection, evidence.topics):
        return Finding(
            "selection", "pass", f"The topic selection is as asked: {count(len(selection), 'pattern')}.", evidence=shown
        )
    return Finding(
        "selection",
        "fail",
        f"The topic selection is {selection}, asked was {evidence.topics}.",
        "Run the playbook mirror, the enable role, or the module topic_selection.",
        shown,
    )


def _source(evidence: Evidence) -> Finding:
    """What ties the target to this source, apart from what is named alike (API §5.4, §5.5)."""
    echoed = evidence.state.fields["source_crn"]
    if echoed.how == "echoed":
        same = same_instance(echoed.value, evidence.wanted.source_crn)
        return Finding("source", "pass" if same else "fail", f"The target mirrors from {echoed.value} (echoed).")
    if isinstance(evidence.target_topics, Unreadable):
        return Finding("source", "unknown", f"The target's topics could not be read: {evidence.target_topics.reason}")
    alias = evidence.wanted.source_alias
    traces = source_traces((topic.name for topic in evidence.target_topics), alias)
    if traces.own:
        return Finding(
            "source", "pass", f"The target has topics of a source called {alias}: {some(traces.own)} (inferred)."
        )
    if traces.other_aliases:
        return Finding(
            "source",
            "fail",
            f"The target has traces of the sources {some(traces.other_aliases)}, and none of {alias}.",
            "Is this the right pair, with the right alias? If they are left over from earlier mirroring, delete "
            f"{some([f'{other}.checkpoints.internal' for other in traces.other_aliases])} on the target.",
        )
    return Finding(
        "source", "unknown", f"Nothing on the target shows which source it mirrors from; called for is {alias}."
    )


def _active(evidence: Evidence) -> Finding:
    active = evidence.active_topics
    if isinstance(active, Unreadable):
        return Finding("active_topics", "unknown", f"The active topics could not be read: {active.reason}")
    names = set(active or [])
    expected = [preview for preview in evidence.previews if preview.certain and not preview.problem]
    idle = [preview.topic for preview in expected if not names & {preview.topic, preview.remote_topic}]
    shown = {"active_topics": sorted(names)}
    if expected and len(idle) == len(expected):
        return Finding(
            "active_topics",
            "fail",
            f"None of the selected topics is being mirrored{' (HTTP 404)' if active is None else ''}.",
            "Look at the target's events and rules.",
            shown,
        )
    if idle:
        return Finding(
            "active_topics",
            "warn",
            f"Selected, but not active: {some(idle)}.",
            "Topics without traffic may be shown late.",
            shown,
        )
    return Finding("active_topics", "pass", f"{count(len(names), 'topic')} being mirrored.", evidence=shown)


def _remote(evidence: Evidence) -> Finding:
    if isinstance(evidence.source_topics, Unreadable):
        reason = evidence.source_topics.reason
        return Finding("remote_topics", "unknown", f"The source's topics could not be read: {reason}")
    if isinstance(evidence.target_topics, Unreadable):
        reason = evidence.target_topics.reason
        return Finding("remote_topics", "unknown", f"The target's topics could not be read: {reason}")
    existing = {topic.name for topic in evidence.target_topics}
    expected = [preview for preview in evidence.previews if preview.certain and not preview.problem]
    missing = [preview.remote_topic for preview in expected if preview.remote_topic not in existing]
    shown = {"present": len(expected) - len(missing), "expected": len(expected), "missing": missing}
    if missing:
        message = f"Missing on the target: {some(missing)}."
        remedy = "Are the aliases and transforms right, and are there partitions left? The network must let the target read the source."
        return Finding("remote_topics", "fail", message, remedy, shown)
    if evidence.state.selection and not evidence.previews:
        message = "The patterns match no topic of the source, so nothing is mirrored, while mirroring is charged."
        return Finding("remote_topics", "warn", message, "Correct the patterns, if no such topic is to come.", shown)
    lost = [preview.topic for preview in evidence.previews if preview.problem]
    if lost:
        return Finding(
            "remote_topics",
            "warn",
            f"Selected, but never mirrored for the length of the name: {some(lost)}.",
            evidence=shown,
        )
    return Finding(
        "remote_topics", "pass", f"All {count(len(expected), 'selected topic')} on the target.", evidence=shown
    )


def _authorization(evidence: Evidence) -> Finding:
    found = evidence.authorization
    shown = {"policy_ids": list(found.policy_ids), "reversed_ids": list(found.reversed_ids)}
    if found.policy_ids:
        return Finding("authorization", "pass", "The target is authorized to read the source.", evidence=shown)
    if found.unreadable:
        return Finding("authorization", "unknown", f"The authorization could not be checked: {found.unreadable}")
    message = "No authorization lets the target read the source"
    if found.reversed_ids:
        message += f"; policy {some(found.reversed_ids)} is the wrong way round"
    return Finding("authorization", "fail", f"{message}. Mirroring stops without it.", "Run the bindings role.", shown)
