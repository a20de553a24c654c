# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  max_age:
    description:
      - How old a read of an earlier task may be, in seconds, to be used again. V(0) means that everything is read anew.
      - It must have been made in the same run by the same identity, and nothing may have been written by the run since. What decides
        whether something is written is read anew in any case, right before.
      - Tasks share their reads where they run in process, which is on a local connection, without C(become) and C(async).
    type: float
    default: 0
"""
