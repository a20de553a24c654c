# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pre-flight rules about topics, patterns and names. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding, count, some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import is_internal
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.readiness import Facts
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import advice, undecided
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable

PARTITION_LIMITS = {150: 3000, 300: 6000, 450: 9000}
"""Partitions by throughput in MB/s (API §6.1)."""


def topic_rules(facts: Facts) -> list[Finding]:
    """Rules about what the patterns select and what that is called on the target."""
    findings = [_patterns(facts)]
    if isinstance(facts.source_topics, Unreadable):
        message = f"The source's topics could not be read, so there is no preview: {facts.source_topics.reason}"
        return [
            *findings,
            Finding("preview", "unknown", message, "Give source_admin_url if the published address is not reachable."),
        ]
    return [
        *findings,
        _matches(facts),
        _certainty(facts),
        _lengths(facts),
        _collisions(facts),
        _remote_topics(facts),
        _internal(facts),
        _alias_in_names(facts),
        _partitions(facts),
    ]


def _patterns(facts: Facts) -> Finding:
    if facts.patterns is None:
        return Finding("patterns", "pass", "No topics are given, so the selection is left as it is.")
    if not facts.patterns:
        return Finding(
            "patterns", "warn", "The list of topics is empty: nothing is mirrored, while mirroring is charged."
        )
    dialect = undecided(facts.patterns)
    if dialect:
        message = f"What these patterns match can only be told by the service: {some(dialect)}."
        return Finding("patterns", "unknown", message, "Write them without constructs of Java to get a preview.")
    risks = advice(facts.patterns)
    if risks:
        return Finding("patterns", "warn", f"{'. '.join(risks)}.", evidence={"patterns": facts.patterns})
    return Finding(
        "patterns", "pass", f"{count(len(facts.patterns), 'pattern')}, anchored.", evidence={"patterns": facts.patterns}
    )


def _matches(facts: Facts) -> Finding:
    if not facts.patterns:
        return Finding("matches", "pass", "No pattern, so nothing is selected by this run.")
    selected = [preview for preview in facts.previews if preview.certain]
    used = {pattern for preview in facts.previews for pattern in preview.patterns}
    unclear = undecided(facts.patterns)
    idle = [pattern for pattern in facts.patterns if pattern not in used and pattern not in unclear]
    total = len(facts.source_topics) if not isinstance(facts.source_topics, Unreadable) else 0
    message = f"{len(selected)} of {count(total, 'topic')} on the source are selected."
    if idle:
        return Finding(
            "matches",
            "warn",
            f"{message} Matching nothing yet: {some(idle)}.",
            "Is the pattern right? New topics are picked up.",
        )
    return Finding("matches", "pass", message)


def _certainty(facts: Facts) -> Finding:
    doubtful = [preview.topic for preview in facts.previews if not preview.certain]
    if doubtful:
        message = f"Selected only if the service takes a pattern for a part of a name: {some(doubtful)}."
        return Finding("certainty", "warn", message, "Anchor the patterns with ^ and $ to say what is meant.")
    return Finding("certainty", "pass", "Every reading of the patterns selects the same topics.")


def _lengths(facts: Facts) -> Finding:
    long = [preview.topic for preview in facts.previews if preview.problem]
    if long:
        message = f"Too long a name on the target, so silently not mirrored: {some(long)}."
        return Finding(
            "name_length", "fail", message, "Use a shorter alias or transform, or do not select them.", {"topics": long}
        )
    return Finding("name_length", "pass", "Every name on the target has at most 249 characters.")


def _collisions(facts: Facts) -> Finding:
    if isinstance(facts.target_topics, Unreadable):
        return Finding("collisions", "unknown", f"The target's topics could not be read: {facts.target_topics.reason}")
    existing = {topic.name for topic in facts.target_topics}
    taken = [preview.remote_topic for preview in facts.previews if preview.remote_topic in existing]
    enabled = facts.state.enabled.value
    if not taken:
        return Finding("collisions", "pass", "No topic on the target has one of the names to come.")
    if enabled is True:
        return Finding(
            "collisions",
            "pass",
            f"{count(len(taken), 'name')} exist on the target, as they should: mirroring is enabled.",
        )
    if enabled is None:
        return Finding(
            "collisions", "unknown", f"{some(taken)} exist on the target; whether by mirroring is not known."
        )
    suffix = f".{facts.wanted.source_alias}"
    local = [name for name in taken if not name.endswith(suffix)]
    if local:
        return Finding(
            "collisions",
            "fail",
            f"Topics of the target would be written into: {some(local)}.",
            "Choose another transform, or rename those topics, or do not select theirs.",
            {"topics": local},
        )
    message = f"Left over from earlier mirroring, and continued if mirrored again: {some(taken)}."
    return Finding(
        "collisions", "warn", message, "Delete them on the target first if they are to start empty.", {"topics": taken}
    )


def _remote_topics(facts: Facts) -> Finding:
    suffix = f".{facts.wanted.target_alias}"
    remote = [preview.topic for preview in facts.previews if preview.topic.endswith(suffix)]
    if remote:
        return Finding(
            "remote_topics",
            "fail",
            f"Selected on the source, but copies from the target themselves: {some(remote)}. That makes a cycle.",
            f"Delete them with the playbook cleanup, source and target named the other way round, or leave names that end in {suffix} out of the "
            "patterns.",
            {"topics": remote},
        )
    return Finding("remote_topics", "pass", "No copy from the target is selected.")


def _internal(facts: Facts) -> Finding:
    topics = [] if isinstance(facts.source_topics, Unreadable) else facts.source_topics
    internal = [topic.name for topic in topics if is_internal(topic.name)]
    return Finding(
        "internal_topics", "pass", f"{count(len(internal), 'internal topic')} on the source, never mirrored."
    )


def _alias_in_names(facts: Facts) -> Finding:
    aliases = (facts.wanted.source_alias, facts.wanted.target_alias)
    names = [preview.topic for preview in facts.previews if any(alias in preview.topic for alias in aliases)]
    names = [name for name in names if not name.endswith(f".{facts.wanted.target_alias}")]
    if names:
        return Finding(
            "alias_in_names",
            "warn",
            f"An alias is part of the topic names {some(names)}.",
            "Choose aliases that are in no name.",
        )
    return Finding("alias_in_names", "pass", "No selected topic has an alias in its name.")


def _partitions(facts: Facts) -> Finding:
    if isinstance(facts.target_topics, Unreadable):
        return Finding("partitions", "unknown", f"The target's topics could not be read: {facts.target_topics.reason}")
    existing = {topic.name for topic in facts.target_topics}
    have = [topic.partitions for topic in facts.target_topics]
    come = [preview.partitions for preview in facts.previews if preview.remote_topic not in existing]
    limit = PARTITION_LIMITS.get(facts.target.throughput or 0)
    if limit is None or None in have or None in come:
        return Finding(
            "partitions",
            "unknown",
            "Partitions cannot be counted against the limit: throughput or partitions are not shown.",
        )
    now, more = sum(p for p in have if p is not None), sum(p for p in come if p is not None)
    evidence = {"partitions": now, "to_come": more, "limit": limit}
    message = f"The target has {count(now, 'partition')}, {more} more are to come, the limit is {limit}."
    if now + more > limit:
        remedy = "Delete topics that are not needed, select fewer, or scale both instances up: at the limit no topic is created any more."
        return Finding("partitions", "fail", message, remedy, evidence)
    return Finding("partitions", "pass", message, evidence=evidence)
