# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.modules import topics_info
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._action import InProcessAction


class ActionModule(InProcessAction):
    """Runs M(mirrorops.event_streams.topics_info) in process."""

    module: t.ClassVar = topics_info
