# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both sides of a pair as they are now, and which one mirrors which. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import typing as t

Direction = t.Literal["forward", "backward", "none", "both", "unknown"]
Which = t.Literal["source", "target"]


@dataclasses.dataclass(frozen=True)
class Side:
    """One instance of a pair, as what mirrors the other one. None: not known, or not asked.

    ``which`` it is in the normal direction; ``name`` and ``alias``; ``enabled`` whether it mirrors, ``reason`` why that is not known;
    ``topics`` its selection; ``foreign`` whether it mirrors something else than the other one; ``authorized`` whether it may read that,
    ``revocable`` whether by a policy that grants just this and that this collection made; ``running`` an update of it that has not
    ended, in the service's words; ``obstacles`` why an update of it would be refused; ``doubt`` why what was seen of it may be wrong;
    ``aside`` what else is to be known of it; ``unclear`` why nobody can tell which instance it mirrors.
    """

    which: Which
    name: str
    alias: str
    enabled: bool | None
    topics: tuple[str, ...] | None = None
    reason: str = ""
    foreign: bool = False
    authorized: bool | None = None
    revocable: bool | None = None
    running: str = ""
    obstacles: tuple[str, ...] = ()
    doubt: str = ""
    aside: str = ""
    unclear: str = ""

    @property
    def feeds(self) -> bool:
        """Whether it mirrors, and selects topics."""
        return bool(self.enabled) and self.topics != ()


@dataclasses.dataclass(frozen=True)
class Pair:
    """Both sides; the source is None where nothing that belongs to it may be asked. ``mismatch`` says why one could not mirror the
    other one, which is so for both directions. ``suffix`` is what remote names on the target end with, if that is not the source's alias
    as it is told here."""

    source: Side | None
    target: Side
    source_alias: str
    mismatch: str = ""
    suffix: str = ""

    @property
    def sides(self) -> tuple[Side, ...]:
        """Those that were asked."""
        return (self.source, self.target) if self.source else (self.target,)

    @property
    def direction(self) -> Direction:
        """Which one mirrors which now. The service refuses both ways at once (API §5.3), so where the target mirrors, a source that is not
        asked does not; where the target does not, nobody knows."""
        if self.source is None:
            return "forward" if self.target.enabled else "unknown"
        forward, backward = self.target.enabled, self.source.enabled
        if forward is None or backward is None:
            return "unknown"
        if forward and backward:
            return "both"
        return "forward" if forward else "backward" if backward else "none"

    @property
    def forward(self) -> str:
        """The normal direction in words."""
        return f"{self.source_alias} -> {self.target.alias}"

    @property
    def backward(self) -> str:
        """The opposite one."""
        return f"{self.target.alias} -> {self.source_alias}"

    def now(self) -> str:
        """Which way data flows now, in words."""
        unknown = [side.name for side in self.sides if side.enabled is None or side.doubt]
        if unknown:
            return f"not known, because it is not known whether {' and '.join(unknown)} mirrors"
        flows = [
            (self.forward if side is self.target else self.backward)
            + ("" if side.feeds else ", with no topics selected")
            for side in reversed(self.sides)
            if side.enabled
        ]
        unasked = "" if self.source else f" ({self.source_alias} was not asked)"
        turned = ", turned round" if self.direction == "backward" else ""
        nothing = "nothing is mirrored" + ("" if self.source else f" to {self.target.alias}")
        return (" and ".join(flows) + turned if flows else nothing) + unasked
