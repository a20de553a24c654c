# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances of IBM Cloud Monitoring, which platform metrics go to (API §7.1)."""

from __future__ import annotations

from dataclasses import dataclass

from .crn import Crn
from .instances import Instance, Operation

MONITORING_PLAN = "graduated-tier"
MONITORING_RESOURCE_ID = "090c2c10-8c38-11e8-bec2-493df9c49eb8"
REGIONS = {"che01": "in-che"}
"""What monitoring calls a region where Event Streams has another name for it (API §7.1)."""


@dataclass(frozen=True)
class Monitor:
    """One monitoring instance. ``receives`` tells whether the platform metrics of its region go there."""

    guid: str
    name: str
    account: str
    region: str
    resource_group: str
    created: float
    receives: bool = True
    plan: str = MONITORING_PLAN
    resource_id: str = MONITORING_RESOURCE_ID
    state: str = "active"
    locked: bool = False
    deleted_at: float | None = None

    @property
    def crn(self) -> Crn:
        """Return the CRN."""
        return Crn("sysdig-monitor", self.region, self.account, self.guid)

    @property
    def updated(self) -> float:
        """Return the time of the last change: there is none after the creation."""
        return self.created

    @property
    def operation(self) -> Operation:
        """Return the last operation."""
        words = "Completed create instance operation"
        return Operation("create", "succeeded", words, self.created, is_async=False, finished=self.created)

    def sees(self, instance: Instance) -> bool:
        """Tell whether metrics of an Event Streams instance go here."""
        region = REGIONS.get(instance.region, instance.region)
        return self.receives and (self.account, self.region) == (instance.account, region)
