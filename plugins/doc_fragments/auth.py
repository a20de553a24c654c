# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  ibmcloud_api_key:
    description:
      - The IBM Cloud API key of the identity that the task acts as. Exchanged for short-lived tokens, which are renewed as needed.
      - A value such as V(@/path/to/file) names a file that holds the key, bare or as the JSON that the vendor's CLI writes.
      - If not set, E(IC_API_KEY) is used, then E(IBMCLOUD_API_KEY). Where the task runs as an ordinary module on another host,
        the key is part of what Ansible transfers to that host.
    type: str
  iam_token:
    description:
      - A ready-made IAM token, used when there is no API key. It cannot be renewed, so it suits short tasks only.
      - If not set, E(IC_IAM_TOKEN) is used, then E(IBMCLOUD_IAM_TOKEN).
    type: str
requirements:
  - python >= 3.10
  - requests
"""

    SOURCE = r"""
options:
  source_api_key:
    description:
      - The API key for the account of the mirroring source, when that needs another identity than O(ibmcloud_api_key), which is
        then used for the target only. Takes V(@/path/to/file) as well.
      - If not set, E(IC_API_KEY) is used, then E(IBMCLOUD_API_KEY), then the identity of the target.
    type: str
"""
