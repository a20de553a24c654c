# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which topics of a cluster are its own, where another one mirrored to it before (API §4.4, §10.3). Pure. Private to this collection: it
may change at any time.

A selection must not choose the remote topics of the opposite direction: what once came from a cluster would be copied back to it.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    DEFAULT_TOPIC_TRANSFORM,
    Transform,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    Compiled,
    compile_patterns,
    preview,
)


@dataclasses.dataclass(frozen=True)
class Came:
    """How topics came to a cluster before: from whom, by all aliases that are known, and under which names."""

    aliases: tuple[str, ...]
    transform: Transform

    def certainly(self, topic: str) -> bool:
        """Whether the name is that of a topic that came. With a transform that keeps names, those cannot be told from others."""
        if topic.endswith(tuple(f".{alias}" for alias in self.aliases)):
            return True
        added = self.transform.add_prefix, self.transform.add_suffix
        return any(added) and topic.startswith(added[0]) and topic.endswith(added[1])

    @property
    def under_other_names(self) -> bool:
        """Whether what came can be told by its name."""
        return self.transform.type == "use_alias" or bool(self.transform.add_prefix or self.transform.add_suffix)


@dataclasses.dataclass(frozen=True)
class Selected:
    """The patterns to select with, which topics they were narrowed to leave out, and which patterns may choose some of these without anybody
    knowing."""

    patterns: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


def own_topics(
    patterns: t.Sequence[Compiled],
    topics: t.Iterable[tuple[str, int | None]],
    came: Came,
    transform: Transform,
    alias: str,
) -> Selected:
    """The patterns as they are, if they choose no topic that came to the cluster before; else one for each topic of its own that they
    choose. ``transform`` and ``alias`` are those of the direction to come. Raises MatchingTooSlow."""
    listed = list(topics)
    unread = tuple(one.pattern for one in patterns if one.regex is None)
    if unread and any(came.certainly(name) for name, _partitions in listed):
        return Selected((), undecided=unread)
    chosen = preview(listed, patterns, transform, alias)
    left_out = tuple(one.topic for one in chosen if came.certainly(one.topic))
    if not left_out:
        return Selected(tuple(one.pattern for one in patterns))
    own = [one.topic for one in chosen if not came.certainly(one.topic)]
    return Selected(tuple(f"^{_escaped(transform.stripped(name) or name)}$" for name in own), left_out)


def selected_names(names: t.Iterable[str], selection: t.Sequence[str] | None, alias: str) -> set[str]:
    """Those of the names, be they of the source or of the target, that a selection may choose; all of them where that cannot be told,
    because nobody asks which (None), or because only the service can read the patterns."""
    found = list(names)
    try:
        patterns = compile_patterns(selection or ())
        if selection is None or not all(one.regex for one in patterns):
            return set(found)
        bare = {name: name.removesuffix(f".{alias}") for name in found}
        listed = [(name, None) for name in dict.fromkeys(bare.values())]
        chosen = {one.topic for one in preview(listed, patterns, DEFAULT_TOPIC_TRANSFORM, alias)}
    except InvalidInput:
        return set(found)
    return {name for name in found if bare[name] in chosen}


def _escaped(name: str) -> str:
    """A topic name as a pattern of every dialect: of its characters (API §5.3) only the dot means more than itself."""
    return name.replace(".", "\\.")
