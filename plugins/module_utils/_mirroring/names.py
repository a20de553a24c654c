# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Aliases, name transforms and what a topic is called on the target (API §5.1 to §5.4). Pure.

Private to this collection: it may change at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput

LONGEST_NAME = 249
LONGEST_ALIAS = 30
LONGEST_POSSIBLE_ALIAS = LONGEST_NAME - len(".checkpoints.internal")
"""Characters of an alias beyond which the service's own topics could not have their names (API §5.1, §5.3)."""

RENAMES = ("add_prefix", "remove_prefix", "add_suffix", "remove_suffix")
_KAFKA_NAME = re.compile(r"[A-Za-z0-9._-]+")
_INTERNAL = re.compile(r".*\.internal|__.*", re.DOTALL)
_CHECKPOINTS = re.compile(r"(.+)\.checkpoints\.internal")


@dataclasses.dataclass(frozen=True)
class Transform:
    """How names change on their way (API §5.2). ``use_alias`` is also what happens to topics when nothing is given."""

    type: t.Literal["rename", "use_alias", "none"]
    add_prefix: str = ""
    remove_prefix: str = ""
    add_suffix: str = ""
    remove_suffix: str = ""
    given: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    def stripped(self, name: str) -> str | None:
        """The name that selection patterns are matched against; None when it lacks a part that is to be removed."""
        if self.type != "rename":
            return name
        if not name.startswith(self.remove_prefix):
            return None
        name = name[len(self.remove_prefix) :]
        if not name.endswith(self.remove_suffix):
            return None
        return name[: len(name) - len(self.remove_suffix)] or None

    def remote_name(self, name: str, source_alias: str) -> str | None:
        """What a source topic is called on the target; None when this transform leaves it out."""
        stripped = self.stripped(name)
        if stripped is None:
            return None
        if self.type == "use_alias":
            return f"{name}.{source_alias}"
        return f"{self.add_prefix}{stripped}{self.add_suffix}"

    def to_parameters(self) -> dict[str, t.Any]:
        """The member of the update (API §5.1). Parts of a rename go out as they were given, empty ones too; the others are
        left out, since nobody knows whether they may be empty or must be there (API §11.26)."""
        if self.type != "rename":
            return {"type": self.type}
        return {"type": "rename", "rename": {part: getattr(self, part) for part in RENAMES if part in self.given}}


DEFAULT_TOPIC_TRANSFORM = Transform("use_alias")
DEFAULT_GROUP_TRANSFORM = Transform("none")


def parse_transform(value: t.Any, option: str) -> Transform | None:
    """A transform out of an option or an echoed parameter; None when none is given. Raises InvalidInput."""
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("type") not in ("rename", "use_alias", "none"):
        raise InvalidInput(
            f"{option} must have a type: rename, use_alias or none", remedy="See the module's documentation."
        )
    rename = value.get("rename") or {}
    if not isinstance(rename, dict):
        raise InvalidInput(f"{option}.rename is not a dictionary", remedy="See the module's documentation.")
    if value["type"] != "rename":
        if any(rename.values()):
            raise InvalidInput(f"{option} has rename, which works with type rename only", remedy="Leave rename out.")
        return Transform(value["type"])
    parts = {part: rename.get(part) or "" for part in RENAMES}
    for part, text in parts.items():
        if not isinstance(text, str) or (text and not _KAFKA_NAME.fullmatch(text)):
            raise InvalidInput(
                f"{option}.rename.{part} has characters that Kafka names cannot have: {text!r}",
                remedy="Use letters, digits, dot, underscore and hyphen.",
            )
    if not any(parts.values()):
        raise InvalidInput(
            f"{option} has type rename and renames nothing",
            remedy="Give at least one of add_prefix, remove_prefix, add_suffix, remove_suffix, or use type none.",
        )
    for what in ("add", "remove"):
        length = len(parts[f"{what}_prefix"]) + len(parts[f"{what}_suffix"])
        if length >= LONGEST_NAME:
            raise InvalidInput(
                f"{option}.rename has {what}_prefix and {what}_suffix of {length} characters together, and a topic name has at most "
                f"{LONGEST_NAME}, so nothing could be mirrored",
                remedy="Give shorter ones.",
            )
    return Transform("rename", **parts, given=tuple(part for part in RENAMES if rename.get(part) is not None))


def check_alias(alias: str, option: str) -> None:
    """Raises InvalidInput for an alias that cannot become part of a topic name (API §5.3)."""
    if not _KAFKA_NAME.fullmatch(alias):
        raise InvalidInput(
            f"{option} {alias!r} cannot be part of a topic name",
            remedy="Use letters, digits, dot, underscore and hyphen, such as us-south.",
        )
    if len(alias) > LONGEST_POSSIBLE_ALIAS:
        raise InvalidInput(
            f"{option} has {len(alias)} characters, more than {LONGEST_POSSIBLE_ALIAS}, so topics could not carry it",
            remedy=f"Keep it to {LONGEST_ALIAS} characters, such as us-south.",
        )


def check_aliases(source_alias: str, target_alias: str) -> None:
    """Raises InvalidInput unless both aliases can be used, and differ."""
    check_alias(source_alias, "source_alias")
    check_alias(target_alias, "target_alias")
    if source_alias == target_alias:
        raise InvalidInput(
            f"source_alias and target_alias are both {source_alias!r}",
            remedy="Give two different aliases; regions make good ones when the regions differ.",
        )


def derive_aliases(
    source_alias: str | None, target_alias: str | None, source_region: str, target_region: str
) -> tuple[str, str]:
    """Aliases as given, else the regions when those differ. Raises InvalidInput when they cannot be derived, or are unusable."""
    if (not source_alias or not target_alias) and source_region == target_region:
        raise InvalidInput(
            f"both instances are in {source_region}, so aliases cannot be derived from the regions",
            remedy="Give source_alias and target_alias.",
        )
    source_alias, target_alias = source_alias or source_region, target_alias or target_region
    check_aliases(source_alias, target_alias)
    return source_alias, target_alias


def is_internal(topic: str) -> bool:
    """Whether a topic belongs to Kafka or MirrorMaker, never to an application (API §5.4, §11.23)."""
    return _INTERNAL.fullmatch(topic) is not None


def remote_base(topic: str, source_alias: str) -> str | None:
    """What a topic that carries the source's alias is called on the source; None for every other topic. Internal ones, on either side,
    and names that Kafka does not have are none (API §5.2, §5.4)."""
    base = topic.removesuffix(f".{source_alias}")
    if base in ("", topic) or is_internal(topic) or is_internal(base):
        return None
    return base if is_topic_name(topic) else None


def is_topic_name(name: str) -> bool:
    """Whether a topic can be called like that (API §5.3)."""
    return len(name) <= LONGEST_NAME and _KAFKA_NAME.fullmatch(name) is not None


class Traces(t.NamedTuple):
    """What on a cluster tells of the sources that mirrored to it."""

    own: list[str]
    other_aliases: list[str]


def source_traces(topics: t.Iterable[str], alias: str) -> Traces:
    """The topics that carry a source's alias, and the aliases of other sources (API §5.4)."""
    names = list(topics)
    own = [name for name in names if name.endswith(f".{alias}") or name == f"{alias}.checkpoints.internal"]
    return Traces(sorted(own), [other for other in checkpoint_aliases(names) if other != alias])


def checkpoint_aliases(topics: t.Iterable[str]) -> list[str]:
    """The aliases of all sources that ever mirrored to the cluster with these topics (API §5.4, §5.5)."""
    return sorted({found[1] for topic in topics if (found := _CHECKPOINTS.fullmatch(topic))})
