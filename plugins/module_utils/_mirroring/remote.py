# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remote topics of a target: which there are, whether anything feeds them, which may be deleted. Pure, apart from a time limit on
matching.

Private to this collection: it may change at any time. A topic deleted on the source stays on the target, and so does one that is no
longer selected; cleaning up is the owner's job (API §5.4). Only their names tell remote topics from local ones, so nothing is taken
for one that does not carry the source's alias. What may be fed counts as fed, and what nobody can tell is unknown.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import count
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    Transform,
    checkpoint_aliases,
    is_internal,
    is_topic_name,
    remote_base,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.plan import CONTRADICTION
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    SHOWN_TOPICS,
    Compiled,
    MatchingTooSlow,
    compile_patterns,
    matches,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import State, Unreadable

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Operation

Obstacle = t.Literal["local", "internal", "foreign", "fed", "unknown", "unrecognisable"]
REMEDIES: dict[Obstacle, str] = {
    "local": "Only remote topics are deleted: take what is local out of delete (cleanup_topics).",
    "internal": "Take what is internal out of delete (cleanup_topics): mirroring needs it.",
    "foreign": "Name the source that such topics come from, or its alias.",
    "fed": "Take what is fed out of the selection (mirroring_topics, module topic_selection), or disable mirroring, before it is deleted.",
    "unknown": "Run again when that can be told: when no operation is running, and the target's admin API can be read (admin_url).",
    "unrecognisable": "Look at such topics yourself, and delete them with the vendor's tools.",
}
WORDS = {True: "fed", False: "not fed", None: "unknown"}


@dataclasses.dataclass(frozen=True)
class Feed:
    """What a target mirrors. ``enabled`` is None where that is not known; ``reason`` says why it is not, or is off. ``source_alias`` is
    that of the source that it mirrors from now, None if nothing shows it."""

    enabled: bool | None
    reason: str = ""
    patterns: tuple[Compiled, ...] = ()
    active: frozenset[str] = frozenset()
    source_alias: str | None = None

    @property
    def words(self) -> str:
        """The same for people."""
        if self.enabled is None:
            return f"Whether anything feeds them is not known: {self.reason.rstrip('. ')}."
        if not self.enabled:
            return f"Nothing feeds them: {self.reason}."
        return f"Mirroring is enabled; {count(len(self.patterns), 'pattern')} selected, {count(len(self.active), 'topic')} active."


@dataclasses.dataclass(frozen=True)
class RemoteTopic:
    """A topic of the target that carries the source's alias. ``base`` is its name on the source; ``fed`` is None if nobody can tell."""

    name: str
    base: str
    partitions: int | None
    fed: bool | None
    why: str

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        return dataclasses.asdict(self)

    def line(self) -> str:
        """The topic for people."""
        size = f" ({count(self.partitions, 'partition')})" if self.partitions else ""
        return f"{self.name}{size}: {WORDS[self.fed]}, {self.why}"


class Refusal(t.NamedTuple):
    """A topic that was asked to be deleted and is not, or a pattern."""

    name: str
    obstacle: Obstacle
    why: str


class Removal(t.NamedTuple):
    """What is to be deleted. ``left`` are those that a pattern matches and that are fed, ``missing`` those named that are not there.
    With a single refusal nothing is deleted."""

    planned: list[str]
    left: list[str]
    missing: list[str]
    refused: list[Refusal]


def observe_feed(operation: Operation, state: State, active: list[str] | Unreadable | None) -> Feed:
    """Puts together what tells whether topics are fed; ``active`` are the topics that are being mirrored, None where that API says that none
    can be (HTTP 404)."""
    if operation.unfinished:
        return Feed(None, f"an operation of the target is running ({operation.type or 'operation'} {operation.state})")
    if isinstance(state.selection, Unreadable):
        return Feed(None, state.selection.reason)
    if state.contradictory:
        return Feed(None, CONTRADICTION)
    if isinstance(active, Unreadable):
        return Feed(None, active.reason)
    if state.selection is None and active:
        return Feed(None, "the target shows no topic selection (HTTP 404), and topics that it mirrors")
    if state.selection is None:
        return Feed(False, "mirroring is not enabled on the target")
    if active is None:
        return Feed(None, "the target shows a topic selection, and says that it mirrors nothing (HTTP 404)")
    try:
        patterns = _compiled(state.selection)
    except InvalidInput as error:
        return Feed(None, f"the topic selection of the target cannot be read here: {error.reason}")
    alias = state.fields["source_alias"]
    return Feed(True, "", patterns, frozenset(active), alias.value if alias.how == "echoed" else None)


def unrecognisable(asked: Transform | None, state: State) -> str | None:
    """Why remote topics cannot be told from local ones; None if they can (API §5.2)."""
    for transform in (asked, state.fields["topic_name_transform"].value):
        if transform is not None and transform.type != "use_alias":
            return (
                f"the topic_name_transform is {transform.type}, so remote topics do not carry the source's alias and cannot be told "
                "from local ones"
            )
    return None


def find_remote(topics: t.Iterable[tuple[str, int | None]], source_alias: str, feed: Feed) -> list[RemoteTopic]:
    """The remote topics of a source among (name, partitions), in their order."""
    listed = list(topics)
    foreign = _longer_aliases((name for name, _partitions in listed), source_alias, feed)
    found = [
        (name, base, partitions)
        for name, partitions in listed
        if (base := remote_base(name, source_alias)) is not None and not name.endswith(foreign)
    ]
    try:
        # Where the transform is not shown, a topic could also come from one that has its name on the source.
        selecting = matches({text for name, base, _partitions in found for text in (name, base)}, feed.patterns)
    except MatchingTooSlow as error:
        feed, selecting = Feed(None, error.reason), {}
    return [
        RemoteTopic(
            name, base, partitions, *_fed(name, base, source_alias, feed, selecting.get(base) or selecting.get(name))
        )
        for name, base, partitions in found
    ]


def plan_removal(
    remote: t.Sequence[RemoteTopic],
    listed: t.Container[str],
    source_alias: str,
    named: t.Iterable[str],
    patterns: t.Sequence[Compiled],
) -> Removal:
    """What of the remote topics is to be deleted, by name or because a pattern matches the whole name. ``listed`` are all topics of the
    target. Raises MatchingTooSlow."""
    known = {one.name: one for one in remote}
    matched = matches(known, patterns, whole=True)
    planned: set[str] = set()
    left, missing, refused = [], [], []
    for name in dict.fromkeys(named):
        one = known.get(name)
        if one is None:
            refusal = _refusal(name, source_alias, listed)
            if refusal is None:
                missing.append(name)
            else:
                refused.append(refusal)
        elif one.fed is False:
            planned.add(name)
        else:
            refused.append(Refusal(name, "fed" if one.fed else "unknown", one.why))
    told = {refusal.name for refusal in refused}
    for name, one in known.items():
        if not matched[name] or name in told:
            continue
        if one.fed is None:
            refused.append(Refusal(name, "unknown", one.why))
        elif one.fed:
            left.append(name)
        else:
            planned.add(name)
    return Removal(sorted(planned), left, missing, refused)


def refuse_all(reason: str, named: t.Iterable[str], patterns: t.Iterable[Compiled]) -> Removal:
    """The plan where remote topics cannot be told from local ones."""
    asked = [*dict.fromkeys(named), *(one.pattern for one in patterns)]
    return Removal([], [], [], [Refusal(name, "unrecognisable", reason) for name in asked])


def obstacles(refused: t.Sequence[Refusal]) -> tuple[str, str]:
    """Why nothing is deleted, naming every topic, and what to do about it."""
    reasons: dict[str, list[str]] = {}
    for refusal in refused:
        reasons.setdefault(refusal.why.rstrip(". "), []).append(refusal.name)
    told = "; ".join(f"{', '.join(names)}: {why}" for why, names in reasons.items())
    remedies = dict.fromkeys(REMEDIES[refusal.obstacle] for refusal in refused)
    return told, " ".join(remedies)


def lines(remote: t.Sequence[RemoteTopic], removal: Removal) -> list[str]:
    """The topics and the plan for people: whatever is to be deleted, and no more of the others than anybody reads."""
    totals = ", ".join(f"{sum(one.fed is fed for one in remote)} {word}" for fed, word in WORDS.items())
    planned = set(removal.planned)
    rest = [one for one in remote if one.name not in planned]
    shown = [one.line() for one in rest[:SHOWN_TOPICS]]
    return [
        f"{count(len(remote), 'remote topic')}: {totals}",
        *shown,
        *([f"... and {len(rest) - len(shown)} more"] if len(rest) > len(shown) else []),
        *(f"To be deleted: {one.line()}" for one in remote if one.name in planned),
        *([f"Matched and left, because they are fed: {', '.join(removal.left)}"] if removal.left else []),
        *([f"Named and not there: {', '.join(removal.missing)}"] if removal.missing else []),
    ]


def _compiled(selection: t.Sequence[str]) -> tuple[Compiled, ...]:
    """The patterns of a selection, and those that it has if the service takes a comma for a separator (API §4.4). Raises InvalidInput."""
    compiled = compile_patterns(selection)
    for pattern in selection:
        if "," in pattern and "{" not in pattern:
            for piece in filter(None, pattern.split(",")):
                try:
                    compiled += compile_patterns([piece])
                except InvalidInput:
                    continue  # what is no pattern selects nothing
    return tuple(compiled)


def _longer_aliases(names: t.Iterable[str], source_alias: str, feed: Feed) -> tuple[str, ...]:
    """The ends of topics of other sources whose alias ends with this one."""
    aliases = {*checkpoint_aliases(names), *filter(None, [feed.source_alias])}
    return tuple(f".{alias}" for alias in sorted(aliases) if alias.endswith(f".{source_alias}"))


def _fed(
    name: str, base: str, source_alias: str, feed: Feed, selecting: tuple[str, ...] | None
) -> tuple[bool | None, str]:
    """Whether a remote topic is fed, and how that is known."""
    if not feed.enabled:
        return feed.enabled, feed.reason
    if name in feed.active:
        return True, "the target lists it as active"
    if feed.source_alias is not None and feed.source_alias != source_alias:
        return False, f"the target mirrors from a source called {feed.source_alias} now"
    if base in feed.active:
        return True, f"the target lists {base} as active"
    if selecting:
        return True, f"the selection has {selecting[0]}"
    hidden = [one.pattern for one in feed.patterns if one.regex is None]
    if hidden:
        return None, f"only the service can tell whether {hidden[0]} selects it"
    if not feed.patterns:
        return False, "no topic is selected"
    return False, f"no pattern of the selection matches {base}"


def _refusal(name: str, source_alias: str, listed: t.Container[str]) -> Refusal | None:
    """Why a topic that is no remote one is not deleted; None if it could be one, and is not there."""
    if is_internal(name) or is_internal(name.removesuffix(f".{source_alias}")):
        return Refusal(name, "internal", "internal topics are never deleted")
    if not is_topic_name(name):
        return Refusal(name, "local", "no topic has such a name")
    if remote_base(name, source_alias) is None:
        return Refusal(name, "local", f"no remote topic, because those end with .{source_alias}")
    if name in listed:
        return Refusal(name, "foreign", f"it comes from another source, whose alias ends with .{source_alias}")
    return None
