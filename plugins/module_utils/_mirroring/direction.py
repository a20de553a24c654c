# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of two instances mirrors from the other now. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import same_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    checkpoint_aliases,
    source_traces,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import State, Unreadable
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.survey import Topics

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance

Now = t.Literal["forward", "turned_round", "both", "elsewhere", "off", "unknown"]


@dataclasses.dataclass(frozen=True)
class Side:
    """One of the two: the instance, its alias, its mirroring as a target, and its topics."""

    instance: Instance
    alias: str
    state: State
    topics: Topics

    def mirrors_from(self, other: Side) -> bool | None:
        """Whether it mirrors from the other one; None if that cannot be told (API §5.4, §5.5)."""
        if self.state.contradictory or self.state.enabled.value is None:
            return None
        if self.state.enabled.value is False:
            return False
        echoed = self.state.fields["source_crn"]
        if echoed.how == "echoed":
            return same_instance(echoed.value, other.instance.crn)
        if isinstance(self.topics, Unreadable):
            return None
        traces = source_traces((topic.name for topic in self.topics), other.alias)
        if traces.own and traces.other_aliases:
            return None
        return True if traces.own else False if traces.other_aliases else None

    @property
    def why_unknown(self) -> str:
        """Why that cannot be told."""
        if self.state.contradictory:
            return "its document and its mirroring API contradict each other"
        if self.state.enabled.value is None:
            return getattr(self.state.selection, "reason", "an operation is running")
        if isinstance(self.topics, Unreadable):
            return self.topics.reason
        aliases = checkpoint_aliases(topic.name for topic in self.topics)
        if len(aliases) > 1:
            return f"it has been mirrored to from {' and from '.join(aliases)}, and nothing shows from which of them it is now"
        return "nothing shows from where it mirrors"

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        one = self.instance
        return {"name": one.name, "alias": self.alias, "region": one.region, "guid": one.guid, "crn": one.crn}


@dataclasses.dataclass(frozen=True)
class Direction:
    """A declared pair, and what is so now. ``forward``: whether the target mirrors from the source; ``back``: the other way round. None =
    not known."""

    source: Side
    target: Side
    forward: bool | None
    back: bool | None

    @property
    def declared(self) -> str:
        """The declared direction, by aliases."""
        return f"{self.source.alias} -> {self.target.alias}"

    @property
    def now(self) -> Now:
        """What is so now, in one word."""
        if self.forward:
            return "both" if self.back else "forward"
        if self.back:
            return "turned_round"
        if self.forward is None or self.back is None:
            return "unknown"
        return "elsewhere" if self.target.state.enabled.value else "off"

    @property
    def sides(self) -> tuple[Side, Side] | None:
        """Source and target as they are now; None if there is no such pair, or if that is not known."""
        return {"forward": (self.source, self.target), "turned_round": (self.target, self.source)}.get(self.now)

    @property
    def words(self) -> str | None:
        """The direction as it is now, by aliases."""
        return f"{self.sides[0].alias} -> {self.sides[1].alias}" if self.sides else None

    def line(self) -> str:
        """Which is source and which is target now."""
        if self.sides:
            source, target = (f"{side.instance.name} ({side.alias})" for side in self.sides)
            turned = " The declared pair is the other way round." if self.now == "turned_round" else ""
            return f"Now the source is {source}, the target is {target}.{turned}"
        return {
            "both": "Now each of the two mirrors from the other.",
            "elsewhere": f"Now {self.target.instance.name} mirrors from another source.",
            "off": "Now neither of the two mirrors from the other.",
        }.get(self.now, "Which is source and which is target now is not known.")

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        source, target = (side.to_result() for side in self.sides) if self.sides else (None, None)
        return {"state": self.now, "declared": self.declared, "now": self.words, "source": source, "target": target}

    @property
    def finding(self) -> Finding:
        """Whether the pair is the way it is declared. Mirroring works one way at a time (API §5.3)."""
        shown = {"forward": self.forward, "back": self.back}
        source, target = self.source.instance.name, self.target.instance.name
        if self.now == "turned_round":
            message = f"Now {self.words}: the pair is turned round, {source} mirrors from {target}, so failover does not apply."
            return Finding("direction", "fail", message, "The playbook failback brings it back.", shown)
        if self.now == "both":
            message = f"{source} and {target} mirror from each other: never both ways at once."
            remedy = "Disable mirroring on the one that is to be the source (module mirroring, state: absent)."
            return Finding("direction", "fail", message, remedy, shown)
        if self.forward is False:
            return self._not_forward(shown)
        if self.forward is None:
            message = f"Whether {target} mirrors from {source} is not known: {self.target.why_unknown}"
            return Finding("direction", "unknown", message, "Make the target's admin API reachable.", shown)
        if self.back is None:
            message = f"Now {self.words}. Whether {source} mirrors from {target}, too, is not known: {self.source.why_unknown}"
            return Finding("direction", "unknown", message, "Make the source's admin API reachable.", shown)
        if self.source.state.enabled.value:
            fed_by = self.source.state.fields["source_crn"].value or "an instance that the cloud does not show"
            message = f"Now {self.words}. The source is itself a mirroring target, fed by {fed_by}."
            return Finding("direction", "warn", message, "Never mirror its remote topics.", shown)
        return Finding("direction", "pass", f"Now {self.words}: {target} mirrors from {source}.", evidence=shown)

    def _not_forward(self, shown: dict[str, t.Any]) -> Finding:
        source, target = self.source.instance.name, self.target.instance.name
        if self.target.state.enabled.value:
            now = self.target.state.fields["source_crn"].value or "a source with another alias"
            message = f"{target} mirrors from {now}, not from {source}."
            return Finding("direction", "fail", message, "Is this the right pair, with the right alias?", shown)
        if self.back is None:
            message = f"Mirroring is off on {target}. Whether {source} mirrors from it is not known: {self.source.why_unknown}"
            remedy = "Find that out before anything is enabled: never both ways at once."
            return Finding("direction", "fail", message, remedy, shown)
        return Finding(
            "direction",
            "fail",
            f"Mirroring is off: {target} does not mirror from {source}, nor the other way round.",
            "Run the playbook mirror.",
            shown,
        )


def direction(source: Side, target: Side) -> Direction:
    """The direction of a declared pair, out of what was observed on both sides."""
    return Direction(source, target, target.mirrors_from(source), source.mirrors_from(target))
