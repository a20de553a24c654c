# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says in one line that a Python is too old, where a module runs on another host: the controller's own is new enough. Private to this
collection: it may change at any time.

It is imported before all else, so it has to work with every Python that Ansible starts modules with.
"""

from __future__ import annotations

import json
import sys

OLDEST = (3, 10)


def require_python() -> None:
    """Ends the module with a result that Ansible shows, unless this Python is one that the collection works with."""
    if sys.version_info[:2] >= OLDEST:
        return
    here, oldest = (".".join(map(str, version)) for version in (sys.version_info[:2], OLDEST))
    message = (
        f"This host's Python is {here} ({sys.executable}), and the collection mirrorops.event_streams needs {oldest} or later. Set "
        "ansible_python_interpreter to one, or let the task run on the controller, with a local connection."
    )
    sys.stdout.write(json.dumps({"failed": True, "msg": message}) + "\n")
    raise SystemExit(1)
