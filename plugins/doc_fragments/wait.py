# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description: Whether to wait for the update of the instance to end, which takes up to two hours.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait for one update, in seconds. It counts from when the update was sent, if this run did that, else from when the
        waiting begins. When the time is up the task fails; the update goes on, and a later run joins it.
    type: float
    default: 10800
  poll_interval:
    description: The time between two looks at the instance while waiting, in seconds; it is varied a little.
    type: float
    default: 30
"""
