# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which topics should have a latency, and which of them a name in Monitoring means. Pure. Private to this collection: it may change at
any time."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import Preview, undecided
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.validation import Evidence


@dataclasses.dataclass(frozen=True)
class Expected:
    """The selected topics of a source, which count, and the names of its other topics, which do not."""

    previews: t.Sequence[Preview]
    others: t.Collection[str] = ()

    @functools.cached_property
    def selected(self) -> frozenset[str]:
        """The names of those that count, on the source."""
        return frozenset(one.topic for one in self.previews)

    @property
    def mirrored(self) -> list[Preview]:
        """Those that count and can be mirrored at all."""
        return [one for one in self.previews if not one.problem]

    def meanings(self, names: t.Iterable[str]) -> dict[str, frozenset[str]]:
        """The topics, by their names on the source, that each name in one answer of Monitoring may mean, which uses either the names on
        the source or those on the target (API §11.19): of a name that is one topic's own and another's on the target the rest of the
        answer tells which, or nothing does. Names that mean none are left out."""
        sources = {*self.selected, *self.others}
        remotes = {one.remote_topic: one.topic for one in self.previews}
        listed = set(names)
        by_source = any(name in sources and name not in remotes for name in listed)
        by_remote = any(name in remotes and name not in sources for name in listed)
        found: dict[str, frozenset[str]] = {}
        for name in listed:
            own = {name} if name in sources and (name not in remotes or not by_remote or by_source) else set()
            other = (
                {remotes[name]} if name in remotes and (name not in sources or not by_source or by_remote) else set()
            )
            if own | other:
                found[name] = frozenset(own | other)
        return found


def expected_of(evidence: Evidence) -> Expected | Unreadable:
    """The topics that should have a latency; why nobody knows which they are, if nobody does."""
    if isinstance(evidence.source_topics, Unreadable):
        return Unreadable("those of the source could not be read", remedy="Make its admin API reachable.")
    selection = evidence.state.selection
    patterns = evidence.topics if evidence.topics is not None else selection if isinstance(selection, list) else None
    if patterns is None:
        return Unreadable("the selection could not be read", remedy="Make the admin API of the target reachable.")
    unclear = undecided(patterns)
    if unclear:
        return Unreadable(
            f"what these patterns match can only be told by the service: {some(unclear)}",
            remedy="Write them without constructs of Java.",
        )
    selected = {one.topic for one in evidence.previews}
    return Expected(evidence.previews, [one.name for one in evidence.source_topics if one.name not in selected])
