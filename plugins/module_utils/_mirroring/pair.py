# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a task's options to the two instances and what is wanted of them. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Cloud
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import Crn, parse_crn
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    derive_aliases,
    parse_transform,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Settings


def read_pair(params: dict[str, t.Any], cloud: Cloud) -> tuple[Instance, Instance, Settings]:
    """Reads source and target, each with its own identity. Raises InvalidInput, NotFound, NotUnique, ExchangeError."""
    target = cloud.target.instances.find(params["target"], "target")
    source = cloud.source.instances.find(params["source"], "source")
    return source, target, wanted_settings(params, parse_crn(source.crn, "the CRN of the source"), target)


def wanted_settings(params: dict[str, t.Any], source: Crn, target: Instance) -> Settings:
    """The settings that a task asks for. Raises InvalidInput for the same instance twice, and for unusable aliases or transforms."""
    if source.instance == target.guid.lower():
        raise InvalidInput(
            f"source and target are the same instance, {target.label}", remedy="Give two different instances."
        )
    source_alias, target_alias = derive_aliases(
        params["source_alias"], params["target_alias"], source.region, target.region
    )
    return Settings(
        source_crn=str(source),
        source_alias=source_alias,
        target_alias=target_alias,
        topic_name_transform=parse_transform(params["topic_name_transform"], "topic_name_transform"),
        group_id_transform=parse_transform(params["group_id_transform"], "group_id_transform"),
        schemas=params["schemas"],
    )
