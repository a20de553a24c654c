# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is and what is wanted to what to do. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Settings, State, compare

Step = t.Literal["disable", "enable"]
LARGEST_DEFAULT_THROUGHPUT = 150
LARGEST_THROUGHPUT = 10**6


class Plan(t.NamedTuple):
    """The updates to send, in order, and what to tell the user."""

    steps: tuple[Step, ...]
    warning: str | None = None


class CannotTell(InvalidInput):
    """Whether mirroring is on could not be found out, and acting blindly would be a guess."""

    kind = "cannot_tell"


class MustRecreate(InvalidInput):
    """Settings differ that can be set only while mirroring is being enabled (API §5.2)."""

    kind = "must_recreate"


def plan_present(state: State, wanted: Settings, *, recreate: bool, force: bool) -> Plan:
    """What makes a target mirror as wanted. Raises MustRecreate and CannotTell; sends nothing.

    An enabled pair whose details cannot be read is left alone with a warning, unless forced.
    """
    if state.enabled.value is None:
        if not force:
            raise _cannot_tell(state)
        return Plan(("enable",))
    if state.enabled.value is False:
        return Plan(("enable",))
    differences, unknown = compare(state, wanted)
    if differences:
        told = "; ".join(f"{name} is {now!r}, wanted {want!r}" for name, (now, want) in differences.items())
        if not recreate:
            raise MustRecreate(
                f"mirroring is enabled with other settings: {told}",
                remedy="They can be set only while mirroring is being enabled. Set recreate: true to disable and enable again "
                "(up to two hours each, nothing is mirrored in between), or ask for what is there.",
                details={
                    "differences": {name: {"before": now, "after": want} for name, (now, want) in differences.items()}
                },
            )
        return Plan(("disable", "enable"))
    if unknown and force:
        return Plan(("disable", "enable") if recreate else ("enable",))
    if unknown:
        return Plan(
            (),
            f"Mirroring is enabled, and the cloud does not show its {', '.join(unknown)}: they are taken as they are. "
            "Set force: true to send the settings again (with recreate: true to disable and enable), if you know that they differ.",
        )
    return Plan(())


CONTRADICTION = (
    "The mirroring API says that mirroring is off (HTTP 404), while the instance's document goes on showing settings."
)


def plan_absent(state: State, *, force: bool) -> Plan:
    """What makes a target stop mirroring. Raises CannotTell; sends nothing.

    Where the mirroring API says that it is off, while the instance's document goes on showing settings, that is taken as off with a
    warning: nobody documents that the document follows.
    """
    if force and (state.enabled.value is None or state.contradictory):
        return Plan(("disable",))
    if state.enabled.value is None:
        raise _cannot_tell(state)
    if state.contradictory:
        return Plan(
            (),
            f"{CONTRADICTION} It is taken as off. If the target still mirrors, correct admin_url, or set force: true to send the update that disables it.",
        )
    return Plan(() if state.enabled.value is False else ("disable",))


def update_parameters(step: Step, wanted: Settings | None, throughput: int | None) -> dict[str, t.Any]:
    """The ``parameters`` of an update. Above 150 MB/s the current throughput must go along (API §3.5), as a string."""
    if step == "disable":
        mirroring: dict[str, t.Any] = {"disable": True}
    elif wanted is not None:
        mirroring = wanted.to_parameters()
    else:
        raise ValueError("enabling needs settings")
    if throughput is not None and throughput > LARGEST_DEFAULT_THROUGHPUT:
        return {"throughput": str(throughput), "mirroring": mirroring}
    return {"mirroring": mirroring}


def check_throughput(throughput: int | None) -> None:
    """Raises InvalidInput for a throughput that no instance can have (API §6.1)."""
    if throughput is not None and not 0 < throughput < LARGEST_THROUGHPUT:
        shown = throughput if abs(throughput) < LARGEST_THROUGHPUT else "beyond what any instance has"
        raise InvalidInput(f"throughput is {shown}", remedy="Give the target's throughput in MB/s, such as 300.")


def _cannot_tell(state: State) -> CannotTell:
    why = getattr(state.selection, "reason", "an update is running")
    return CannotTell(
        f"whether mirroring is enabled could not be found out: {why}",
        remedy="Make the target's admin API reachable for an identity with Manager on its cluster (admin_url overrides its "
        "address), or set force: true if you know the state.",
    )
