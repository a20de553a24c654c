# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  source_alias:
    description:
      - The alias of the source. It becomes the suffix of remote topics, as in C(orders.us-south).
      - If not set, the source's region, when the regions of the two instances differ.
    type: str
  target_alias:
    description:
      - The alias of the target.
      - If not set, the target's region, when the regions of the two instances differ.
    type: str
  topic_name_transform:
    description:
      - What topics are called on the target. If not set, that is left as it is; when mirroring is being enabled, the service then
        adds the source's alias as a suffix.
      - It can be set only while mirroring is being enabled.
    type: dict
    suboptions:
      type:
        description: V(use_alias) adds the source's alias, V(none) keeps the name, V(rename) replaces parts of it.
        type: str
        choices: [rename, use_alias, none]
        required: true
      rename:
        description:
          - What to take off and what to put on, with V(rename). Only topics that carry the parts to be removed are mirrored.
          - Selection patterns are matched against what is left after removing, before anything is added.
          - Parts that are not given are not sent. An empty string does nothing, and is sent as such.
        type: dict
        suboptions:
          add_prefix:
            description: Put in front.
            type: str
          remove_prefix:
            description: Taken off the front.
            type: str
          add_suffix:
            description: Put at the end.
            type: str
          remove_suffix:
            description: Taken off the end.
            type: str
  group_id_transform:
    description:
      - What consumer groups are called on the target. If not set, that is left as it is; when mirroring is being enabled, the
        service then keeps the names.
      - It can be set only while mirroring is being enabled.
    type: dict
    suboptions:
      type:
        description: V(none) keeps the name, V(rename) replaces parts of it.
        type: str
        choices: [rename, none]
        required: true
      rename:
        description: As in O(topic_name_transform).
        type: dict
        suboptions:
          add_prefix:
            description: Put in front.
            type: str
          remove_prefix:
            description: Taken off the front.
            type: str
          add_suffix:
            description: Put at the end.
            type: str
          remove_suffix:
            description: Taken off the end.
            type: str
  schemas:
    description:
      - What the target's schema registry does with requests. If not set, that is left as it is; when mirroring is being enabled, the
        service then takes V(inactive).
      - It can be set only while mirroring is being enabled.
    type: str
    choices: [proxied, read-only, inactive]
"""
