# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirroring settings, what they do to names, and which topics a selection chooses (API §4.4, §5.1, §5.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .crn import Crn

LONGEST_TOPIC_NAME = 249
RENAME_MEMBERS = ("add_prefix", "remove_prefix", "add_suffix", "remove_suffix")


def without_nulls(value: Any) -> Any:
    """Drop members that are null: they mean the same as members left out (API §3.5)."""
    if isinstance(value, dict):
        return {name: without_nulls(entry) for name, entry in value.items() if entry is not None}
    return value


@dataclass(frozen=True)
class Transform:
    """How a name on the source becomes a name on the target."""

    type: str
    add_prefix: str = ""
    remove_prefix: str = ""
    add_suffix: str = ""
    remove_suffix: str = ""

    @classmethod
    def of(cls, options: dict[str, Any], which: str, default: str) -> Transform:
        """Read one transform out of ``options``."""
        given = options.get(which) or {"type": default}
        rename = given.get("rename") or {}
        members = rename if given["type"] == "rename" else {}
        return cls(given["type"], **{name: members.get(name) or "" for name in RENAME_MEMBERS})

    def bare(self, name: str) -> str | None:
        """Return the name that patterns are matched against, or None if the name does not carry what is removed."""
        if not name.startswith(self.remove_prefix):
            return None
        name = name[len(self.remove_prefix) :]
        if not name.endswith(self.remove_suffix):
            return None
        return name[: len(name) - len(self.remove_suffix)]

    def result(self, bare: str, alias: str) -> str:
        """Return the name on the target."""
        if self.type == "use_alias":
            return f"{bare}.{alias}"
        return f"{self.add_prefix}{bare}{self.add_suffix}"


@dataclass(frozen=True)
class MirroringConfig:
    """The settings of an enabled mirroring target."""

    source: Crn
    source_alias: str
    target_alias: str
    topics: Transform
    groups: Transform
    schemas: str
    block: dict[str, Any] = field(compare=False)

    @classmethod
    def of(cls, block: dict[str, Any], source: Crn) -> MirroringConfig:
        """Read the settings out of a checked ``mirroring`` block."""
        clean = without_nulls(block)
        options = clean.get("options") or {}
        return cls(
            source,
            clean["source_alias"],
            clean["target_alias"],
            Transform.of(options, "topic_name_transform", "use_alias"),
            Transform.of(options, "group_id_transform", "none"),
            clean.get("schemas", "inactive"),
            clean,
        )

    def remote_name(self, topic: str, chosen: Selection) -> str | None:
        """Return what a source topic is called on the target, or None if it is not mirrored (API §5.2, §5.3)."""
        if topic.endswith(".internal") or topic.startswith("__"):
            return None
        bare = self.topics.bare(topic)
        if bare is None or not chosen.matches(bare):
            return None
        name = self.topics.result(bare, self.source_alias)
        return name if 0 < len(name) <= LONGEST_TOPIC_NAME else None

    def internal_topics(self, more: bool) -> list[str]:
        """Return the internal topics that enabling creates on the target (API §5.4)."""
        names = [f"{self.source_alias}.checkpoints.internal"]
        if more:
            names += ["heartbeats", f"mm2-offset-syncs.{self.source_alias}.internal"]
        return names


class Selection:
    """The patterns of one target."""

    def __init__(self, includes: list[str], *, search: bool, comma_separates: bool) -> None:
        texts = [part for text in includes for part in (text.split(",") if comma_separates else [text])]
        self._patterns = [compiled for compiled in map(_compile, filter(None, texts)) if compiled]
        self._search = search

    def matches(self, name: str) -> bool:
        """Tell whether any pattern chooses the name."""
        if self._search:
            return any(pattern.search(name) for pattern in self._patterns)
        return any(pattern.fullmatch(name) for pattern in self._patterns)


def _compile(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:
        return None


def bad_patterns(includes: list[str]) -> list[str]:
    """Return the patterns that do not compile."""
    return [text for text in includes if _compile(text) is None]
