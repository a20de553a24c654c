# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This machine, under another name, so that tasks are handed over to ordinary modules."""

from __future__ import annotations

DOCUMENTATION = r"""
name: elsewhere
short_description: The local connection under another name
description:
  - For the tests. The environment of the controller does not reach what runs here.
author: Contributors to mirrorops.event_streams (@mirrorops)
extends_documentation_fragment:
  - connection_pipelining
notes: []
options: {}
"""

import os
import typing as t

from ansible.plugins.connection.local import Connection as LocalConnection

CREDENTIALS = ("IC_", "IBMCLOUD_")


class Connection(LocalConnection):
    """Runs commands here, without what only the controller's environment knows."""

    transport = "elsewhere"

    def exec_command(self, *args: t.Any, **kwargs: t.Any) -> tuple[int, bytes, bytes]:
        """Runs a command as another machine would."""
        hidden = {name: value for name, value in os.environ.items() if name.startswith(CREDENTIALS)}
        for name in hidden:
            del os.environ[name]
        try:
            answer: tuple[int, bytes, bytes] = super().exec_command(*args, **kwargs)
        finally:
            os.environ.update(hidden)
        return answer
