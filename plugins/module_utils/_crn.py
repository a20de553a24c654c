# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloud resource names: parse, format, compare. Private to this collection: it may change at any time."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput

SERVICE = "messagehub"
GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_SEGMENT = re.compile(r"[A-Za-z0-9._~%/-]*")


class Crn(t.NamedTuple):
    """An instance's CRN without its empty last two segments (API §3.2)."""

    cname: str
    ctype: str
    service: str
    region: str
    scope: str
    instance: str

    def __str__(self) -> str:
        return f"crn:v1:{':'.join(self)}::"

    @property
    def account_id(self) -> str:
        """The account id out of the scope ``a/<account>``."""
        return self.scope[2:]


def is_guid(text: str) -> bool:
    """Whether the text has the shape of an instance's GUID."""
    return GUID.fullmatch(text) is not None


def looks_like_crn(text: str) -> bool:
    """Whether the text is meant as a CRN, well-formed or not."""
    return text.strip().lower().startswith("crn:")


def parse_crn(text: str, option: str = "CRN") -> Crn:
    """Parses the CRN of an Event Streams instance; a missing trailing ``::`` is forgiven (API §3.2).

    Raises InvalidInput, naming the option, for anything else.
    """
    example = "crn:v1:bluemix:public:messagehub:<region>:a/<account id>:<instance GUID>::"

    def bad(why: str) -> InvalidInput:
        return InvalidInput(
            f"{option} is not the CRN of an Event Streams instance: {why}",
            remedy=f"Expected {example}, as 'ibmcloud resource service-instance NAME --output json' shows it.",
        )

    segments = text.strip().split(":")
    if segments[:2] != ["crn", "v1"]:
        raise bad(f"{text!r} does not begin with crn:v1:")
    if not 8 <= len(segments) <= 10:
        raise bad(f"{text!r} has {len(segments)} segments instead of 10")
    if any(segments[8:]):
        raise bad("its last two segments name a resource inside the instance")
    cname, ctype, service, region, scope, instance = segments[2:8]
    if service != SERVICE:
        raise bad(f"it belongs to the service {service!r}, not to {SERVICE!r}")
    if not all(_SEGMENT.fullmatch(segment) for segment in segments):
        raise bad("it has characters that a CRN cannot have")
    if not cname or not ctype or not region:
        raise bad("cloud name, type or region is empty")
    if not re.fullmatch(r"a/[A-Za-z0-9]+", scope):
        raise bad(f"its scope {scope!r} is not a/<account id>")
    if not is_guid(instance):
        raise bad(f"its instance {instance!r} is not a GUID")
    return Crn(cname, ctype, service, region, scope, instance.lower())


def same_instance(one: str | None, other: str | None) -> bool | None:
    """Compares two CRNs by the segments that identify an instance; None when one of them cannot be read."""
    if not one or not other:
        return None
    try:
        return parse_crn(one) == parse_crn(other)
    except InvalidInput:
        return None
