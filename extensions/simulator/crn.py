# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud resource names of service instances (API §3.2)."""

from __future__ import annotations

import re
from typing import NamedTuple

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Crn(NamedTuple):
    """The parts of an instance CRN that differ between instances."""

    service: str
    region: str
    account: str
    guid: str

    def __str__(self) -> str:
        return f"crn:v1:bluemix:public:{self.service}:{self.region}:a/{self.account}:{self.guid}::"


def parse(text: str) -> Crn:
    """Read a full instance CRN with its trailing ``::``; ValueError says what is wrong."""
    parts = text.split(":")
    if len(parts) != 10:
        raise ValueError("a CRN has ten segments (an instance CRN ends with ::)")
    if parts[:4] != ["crn", "v1", "bluemix", "public"]:
        raise ValueError("a CRN starts with crn:v1:bluemix:public")
    if not parts[6].startswith("a/") or not parts[7]:
        raise ValueError("scope or instance missing in the CRN")
    if parts[8] or parts[9]:
        raise ValueError("this CRN does not name an instance")
    return Crn(parts[4], parts[5], parts[6][2:], parts[7])
