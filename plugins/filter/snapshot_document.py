# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: snapshot_document
short_description: Put together what was read of all pairs of a run
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - One snapshot out of what the role P(mirrorops.event_streams.snapshot#role) has read of each pair. Instances and policies that several
    pairs share are in it once; pairs that could not be read are listed as unknown.
positional: hosts, lines
options:
  _input:
    description: The variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts whose pairs are to be in it, such as C(ansible_play_hosts_all); one host is one pair.
    type: list
    elements: str
    required: true
  lines:
    description: Whether to return lines for people instead, that tell what is in the snapshot and what is not.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Put the snapshot of all pairs together
  ansible.builtin.set_fact:
    document: "{{ hostvars | mirrorops.event_streams.snapshot_document(ansible_play_hosts_all) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The snapshot, in the format that the README of the role describes; with O(lines) a list of lines.
  type: raw
  sample: {"format": 1, "pairs": [{"name": orders}, {"name": payments}], "unknown": []}
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.snapshot import (
    fleet_snapshot,
    snapshot_lines,
)


def _snapshot_document(hostvars: t.Any, hosts: list[str], lines: bool = False) -> t.Any:
    document = fleet_snapshot(hosts, hostvars)
    return snapshot_lines(document) if lines else document


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Ansible's entry point."""
        return {"snapshot_document": _snapshot_document}
