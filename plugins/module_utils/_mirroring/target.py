# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mirroring target, read and written. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import State, observe
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.survey import read_selection


@dataclasses.dataclass(frozen=True)
class Observed:
    """A target at one moment."""

    instance: Instance
    state: State

    def is_running(self) -> bool:
        """Whether an operation is running."""
        return self.instance.operation.unfinished


def glance(account: Account, instance: Instance, *, patient: bool = True) -> Observed:
    """An instance, and what tells whether and how it mirrors."""
    return Observed(instance, observe(instance, read_selection(account, instance, patient=patient)))


class Target:
    """The instance whose mirroring is read and changed."""

    def __init__(self, call: Call, account: Account, instance: Instance) -> None:
        self._account = account
        self.guid = instance.guid
        self.label = instance.label
        self.call = call

    def instance(self) -> Instance:
        """Reads the instance."""
        return self._account.instances.get(self.guid)

    def observe(self, instance: Instance | None = None, *, patient: bool = True) -> Observed:
        """Reads what tells whether and how it mirrors."""
        return glance(self._account, instance or self.instance(), patient=patient)

    def send(self, parameters: dict[str, t.Any], attempt: str) -> Instance:
        """Sends an update, one time."""
        return self._account.instances.update(self.guid, self.label, parameters, attempt)
