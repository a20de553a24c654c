# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instance one mirrors, as far as the cloud shows it (API §5.4, §5.5). Pure. Private to this collection: it may change at any time.

``given`` is how a user named the source: by CRN, GUID or name.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import (
    is_guid,
    looks_like_crn,
    same_instance,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import State


def is_foreign(state: State, other_crn: str | None, given: str, alias: str | None) -> bool:
    """Whether an instance mirrors something else than the other one of its pair, by the CRN that is shown, else by the alias: the service's
    own topics have it in their names (API §5.4). ``other_crn`` is None where the other one was not asked."""
    if state.enabled.value is not True:
        return False
    crn = state.fields["source_crn"]
    if crn.how == "echoed" and (other_crn or looks_like_crn(given)):
        return same_instance(crn.value, other_crn or given) is False
    if crn.how == "echoed" and is_guid(given):
        return given.lower() not in str(crn.value).lower()
    shown = state.fields["source_alias"].value
    return bool(shown and alias and shown != alias)


def unclear(name: str, state: State, mirrored_from: t.Sequence[str], alias: str | None) -> str:
    """Why nobody can tell which instance this one mirrors: nothing is shown, and several have left traces (API §5.4). Empty if that is not so."""
    if state.enabled.value is not True or state.fields["source_crn"].how == "echoed" or len(mirrored_from) < 2:
        return ""
    about = f"; this pair is about {alias}" if alias else ""
    return f"{name} has been mirrored to from {' and from '.join(mirrored_from)}, and the cloud does not show from which of them it is now{about}."


def unverified_origin(name: str, state: State, given: str) -> list[str]:
    """What an instance mirrors from, where nobody asked whether that is the source that was named; empty where that needs no asking."""
    fields = state.fields
    if state.enabled.value is not True or (fields["source_crn"].value and (looks_like_crn(given) or is_guid(given))):
        return []
    shown = fields["source_crn"].value or fields["source_alias"].value
    told = f"It shows {shown} as its source" if shown else "It does not show its source"
    return [f"{told}; whether that is {given} was not asked. The plan is about whatever {name} mirrors."]
