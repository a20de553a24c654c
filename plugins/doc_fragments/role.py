# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  role:
    description:
      - For the roles of this collection. An option of a pair that is not given is taken from the variable C(<role>_<option>), else from the
        pair variable C(mirroring_<option>), where there is one; both are listed in the README of the role.
      - In that case C(max_age) is 300 and C(wait) is true where no variable says otherwise, and what earlier roles of the run did for the same
        pair is taken from their results.
    type: str
  side:
    description:
      - Whose API key O(role) gives, the one for the account of the source or of the target.
      - It is also the instance whose mirroring the task is about. With V(source) everything that the variables say of source and target is
        taken the other way round, as it is while a pair is turned round; what they say of transforms and schemas then does not count.
    type: str
    choices: [source, target]
    default: target
"""
