# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: pair_outcomes
short_description: What became of each pair of a run
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - One line with numbers and one for each pair, out of what the roles of this collection left behind. The playbooks show it at the end
    of a run for several pairs, also when some, or all, have failed.
positional: hosts
options:
  _input:
    description: The variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts to tell about, such as C(ansible_play_hosts_all); one host is one pair.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the outcome of every pair
  ansible.builtin.debug:
    msg: "{{ hostvars | mirrorops.event_streams.pair_outcomes(ansible_play_hosts_all) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample: ["2 pairs: 1 mirroring, 1 failed", "orders: us-south -> us-east: mirroring", "payments: failed in setup: ..."]
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.outcomes import report


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Ansible's entry point."""
        return {"pair_outcomes": lambda hostvars, hosts: report(hosts, hostvars)}
