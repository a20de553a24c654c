# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known about the mirroring of a target, and how it is known (API §5.5). Pure.

Private to this collection: it may change at any time. There is no documented read-back of mirroring parameters, so state is put
together from several observations, and what none of them tells is unknown.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import same_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    DEFAULT_GROUP_TRANSFORM,
    DEFAULT_TOPIC_TRANSFORM,
    Transform,
    checkpoint_aliases,
    parse_transform,
)

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance

How = t.Literal["echoed", "observed", "inferred", "unknown"]
FIELDS = ("source_crn", "source_alias", "target_alias", "topic_name_transform", "group_id_transform", "schemas")


class Known(t.NamedTuple):
    """A value and how it is known."""

    value: t.Any
    how: How


UNKNOWN = Known(None, "unknown")


class Unreadable(t.NamedTuple):
    """A selection that could not be read, and why; not the same as one that is not there. ``lasting``: no later try changes that.
    ``remedy``: what to do, if that depends on the reason."""

    reason: str
    lasting: bool = False
    remedy: str = ""


Selection: t.TypeAlias = "list[str] | Unreadable | None"
"""The patterns; None = the API says that mirroring is not enabled here (404)."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a user asks for. None = leave that as it is."""

    source_crn: str
    source_alias: str
    target_alias: str
    topic_name_transform: Transform | None = None
    group_id_transform: Transform | None = None
    schemas: str | None = None

    def to_parameters(self) -> dict[str, t.Any]:
        """The ``mirroring`` member of the update that enables (API §5.1)."""
        parameters: dict[str, t.Any] = {
            "source_crn": self.source_crn,
            "source_alias": self.source_alias,
            "target_alias": self.target_alias,
        }
        if self.topic_name_transform is not None or self.group_id_transform is not None:
            # Both go together, as the safest reading of the sources: what is not given has the service's own default.
            parameters["options"] = {
                "topic_name_transform": (self.topic_name_transform or DEFAULT_TOPIC_TRANSFORM).to_parameters(),
                "group_id_transform": (self.group_id_transform or DEFAULT_GROUP_TRANSFORM).to_parameters(),
            }
        if self.schemas is not None:
            parameters["schemas"] = self.schemas
        return parameters


@dataclasses.dataclass(frozen=True)
class State:
    """The mirroring of one target as observed at one moment."""

    enabled: Known
    fields: dict[str, Known]
    selection: Selection
    contradictory: bool = False

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return: each value, and under ``known`` how it is known."""
        return {
            "enabled": self.enabled.value,
            **{name: _plain(self.fields[name].value) for name in FIELDS},
            "known": {"enabled": self.enabled.how, **{name: self.fields[name].how for name in FIELDS}},
        }


def observe(instance: Instance, selection: Selection, topics: t.Iterable[str] | None = None) -> State:
    """Puts observations together. ``topics`` are the names of the target's topics, None when they were not read.

    The selection API decides whether mirroring is on (API §5.5); an echo fills in when that cannot be read.
    """
    echo_off = bool(instance.echo and instance.echo.get("disable") is True)
    echo = None if echo_off else instance.echo
    echo_on = bool(echo and echo.get("source_crn") and isinstance(echo["source_crn"], str))
    contradictory = False
    if isinstance(selection, list):
        enabled = Known(True, "observed")
    elif selection is None and instance.operation.unfinished:
        enabled = UNKNOWN
    elif selection is None:
        enabled = Known(False, "observed")
        contradictory = echo_on
    elif echo_on:
        enabled = Known(True, "echoed")
    elif echo_off:
        enabled = Known(False, "echoed")
    else:
        enabled = UNKNOWN
    fields = dict.fromkeys(FIELDS, UNKNOWN)
    if echo and echo.get("source_crn") and enabled.value is not False:
        fields = _echoed(echo)
    elif enabled.value is True and topics is not None:
        aliases = checkpoint_aliases(topics)
        if len(aliases) == 1:
            fields["source_alias"] = Known(aliases[0], "inferred")
    return State(enabled, fields, selection, contradictory)


def compare(state: State, wanted: Settings) -> tuple[dict[str, tuple[t.Any, t.Any]], list[str]]:
    """What differs, as field: (now, wanted), counting only what was read from the cloud; and what cannot be told.

    A setting that is None is left as it is, so it never differs.
    """
    differences: dict[str, tuple[t.Any, t.Any]] = {}
    unknown: list[str] = []
    for name in FIELDS:
        want = getattr(wanted, name)
        now = state.fields[name]
        if want is None:
            continue
        if now.how not in ("echoed", "observed"):
            unknown.append(name)
        elif name == "source_crn":
            same = same_instance(now.value, want)
            if same is None:
                unknown.append(name)
            elif not same:
                differences[name] = (now.value, want)
        elif now.value != want:
            differences[name] = (_plain(now.value), _plain(want))
    return differences, unknown


def wanted_state(wanted: Settings) -> dict[str, t.Any]:
    """The wanted settings in the shape of State.to_result, for diffs and predictions."""
    values = {name: _plain(getattr(wanted, name)) for name in FIELDS}
    return {"enabled": True, **values}


def _echoed(echo: dict[str, t.Any]) -> dict[str, Known]:
    """Settings out of an echo. A part that is missing has its default value: nothing was asked for when enabling."""
    options = echo.get("options")
    options = options if isinstance(options, dict) else {}
    fields = {name: Known(echo[name], "echoed") if isinstance(echo.get(name), str) else UNKNOWN for name in FIELDS[:3]}
    for name, default in (
        ("topic_name_transform", DEFAULT_TOPIC_TRANSFORM),
        ("group_id_transform", DEFAULT_GROUP_TRANSFORM),
    ):
        try:
            fields[name] = Known(parse_transform(options.get(name) or echo.get(name), name) or default, "echoed")
        except InvalidInput:
            fields[name] = UNKNOWN
    schemas = echo.get("schemas") or "inactive"
    fields["schemas"] = Known(schemas, "echoed") if isinstance(schemas, str) else UNKNOWN
    return fields


def _plain(value: t.Any) -> t.Any:
    return value.to_parameters() if isinstance(value, Transform) else value
