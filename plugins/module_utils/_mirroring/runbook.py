# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people have to do themselves, before and after each verb (API §10). Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery import Action, Mode, Verb
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery_pair import Pair

STREAMS = "Kafka Streams and Kafka Connect are not made to be failed over: start them anew, and plan for state that is rebuilt."


class Manual(t.NamedTuple):
    """Something to do before or after the run."""

    when: t.Literal["before", "after"]
    what: str

    def line(self) -> str:
        """For people."""
        return f"{self.when.capitalize()}: {self.what}"


def manual_steps(verb: Verb, pair: Pair, mode: Mode, actions: t.Sequence[Action]) -> list[Manual]:
    """What this collection cannot do, in order; of a plan that has begun before, what is left. A failover that has nothing left to do may be
    one that was interrupted, so what comes after it is told all the same."""
    source, target = pair.source_alias, pair.target.alias
    clears = "clear_selection" in actions
    if verb == "failover":
        return [*(_stopped(source, mode) if clears else []), *_moved(source, target, pair.suffix or source)]
    if not actions:
        return []
    if verb == "reverse":
        return [
            Manual("before", f"See that applications use {target}, and that nothing writes to {source} any more."),
            Manual(
                "before",
                f"See that {source} is fully operational again; topics that are to be mirrored back are not written to there.",
            ),
            Manual("after", f"Go on using {target}. Topics come back to {source} with the suffix .{target}."),
        ]
    if verb == "failback":
        if "enable" not in actions:
            return []
        return [*(_stopped(target, "planned") if clears else []), *_moved(target, source, target)]
    return [Manual("before", f"See that nobody depends on what arrives in {target} from {source}.")]


def _stopped(old: str, mode: Mode) -> list[Manual]:
    if mode == "unplanned":
        return [
            Manual(
                "before",
                f"Keep producers from writing to {old}, should it come back: what they write there is not mirrored.",
            )
        ]
    return [
        Manual("before", f"Stop the producers that write to {old}, or the lag never ends."),
        Manual(
            "before",
            f"Let consumers on {old} read to the end and commit; offsets are translated for groups that are not active on the other side.",
        ),
    ]


def _moved(old: str, new: str, suffix: str) -> list[Manual]:
    return [
        Manual(
            "before",
            f"See that the topics that producers will write to are on {new}: mirroring makes copies only, such as orders.{suffix}, and not orders.",
        ),
        Manual(
            "after",
            f"Start producers on {new} as soon as no topics are selected there; they need not wait for steps that come after. They write to local "
            f"topics, such as orders, never to remote ones, such as orders.{suffix}.",
        ),
        Manual(
            "after",
            f"Stop consumers on {old}, where they still run, and start them on {new}, subscribed to local and remote topics, such as orders and "
            f"orders.{suffix}.",
        ),
        Manual("after", f"Where order matters, read orders.{suffix} to its end before orders."),
        Manual("after", STREAMS),
    ]
