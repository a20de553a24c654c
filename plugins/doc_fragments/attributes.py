# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would change, without changing anything.
  diff_mode:
    description: Returns what has changed, or would change in C(check_mode), in diff mode.
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing and sends no writing request.
  action_group:
    description: Use C(group/mirrorops.event_streams.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - mirrorops.event_streams.all
  in_process:
    description:
      - Runs inside Ansible's own worker process when the connection is local, without C(become) and C(async). Nothing is transferred,
        and progress is shown while it goes on. In every other case it runs as an ordinary module on the host it is delegated to.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module changes nothing.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing.
  idempotent:
    support: full
    details:
      - This module changes nothing.
"""
