# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values chosen for the switches."""

from __future__ import annotations

from .switch_table import SWITCHES, Switch

BY_NAME: dict[str, Switch] = {switch.name: switch for switch in SWITCHES}


class Switches:
    """The chosen values; a value outside the table is an error."""

    def __init__(self, chosen: dict[str, str] | None = None) -> None:
        self._values = {switch.name: switch.friendly for switch in SWITCHES}
        for name, value in (chosen or {}).items():
            self.set(name, value)

    def set(self, name: str, value: object) -> None:
        """Choose a value; ``null`` and numbers are taken in their written form."""
        if name not in BY_NAME:
            raise ValueError(f"unknown switch {name!r}")
        text = "null" if value is None else str(value)
        if text not in BY_NAME[name].values:
            raise ValueError(f"switch {name} cannot be {text!r}; one of {', '.join(BY_NAME[name].values)}")
        self._values[name] = text

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def as_dict(self) -> dict[str, str]:
        """Return every switch with its value."""
        return dict(self._values)


def table() -> str:
    """Return the switches as lines for people."""
    lines = []
    for switch in SWITCHES:
        values = ", ".join(switch.values)
        lines.append(f"{switch.name}  (API §{switch.api_section})")
        lines.append(f"    {switch.meaning}")
        lines.append(f"    values: {values}; friendly: {switch.friendly}; nasty: {switch.nasty}")
    return "\n".join(lines)


__all__ = ["BY_NAME", "SWITCHES", "Switches", "table"]
