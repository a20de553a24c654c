# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  account_id:
    description:
      - The account that owns the policy, which is the account of the service that is asked.
      - If not set, the account of the API key.
    type: str
  source_service_name:
    description: The service that asks for access.
    type: str
    default: messagehub
  source_service_instance_id:
    description: GUID of the instance that asks for access. For mirroring, this is the B(mirroring target).
    type: str
  source_service_account:
    description: The account of the service that asks. If not set, O(account_id).
    type: str
  source_resource_group_id:
    description: The resource group of the instance that asks. It tells whether a policy for the whole group covers the instance.
    type: str
  target_service_name:
    description: The service that is asked.
    type: str
    default: messagehub
  target_service_instance_id:
    description: GUID of the instance that is asked. For mirroring, this is the B(mirroring source).
    type: str
  target_resource_group_id:
    description: The resource group of the instance that is asked. It tells whether a policy for the whole group covers the instance.
    type: str
  roles:
    description: Names or CRNs of the roles. A higher role of the same kind covers a lower one.
    type: list
    elements: str
    default: [Reader]
"""
