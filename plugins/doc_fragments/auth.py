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
      - A ready-made IAM token, used when no API key is given. It cannot be renewed, so it suits short tasks only.
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
  source_iam_token:
    description:
      - Like O(iam_token), for the source.
      - If not set, E(IC_IAM_TOKEN) is used, then E(IBMCLOUD_IAM_TOKEN), then the identity of the target.
    type: str
  source_compute_resource:
    description: Like O(compute_resource), for the source.
    type: str
    choices: [container, vpc]
  source_iam_profile:
    description:
      - Like O(iam_profile), for the source. If nothing else is known of the source, it is the profile that the identity of the target takes for
        the source.
      - If not set, E(IC_IAM_PROFILE_ID) is used, then E(IBMCLOUD_IAM_PROFILE_ID), E(IC_IAM_PROFILE_NAME) and E(IBMCLOUD_IAM_PROFILE_NAME), as for
        O(iam_profile).
    type: str
"""

    PROFILE = r"""
options:
  compute_resource:
    description:
      - Takes the identity of the machine on which the task runs, in place of an API key or a token.
      - V(container) is a workload of Kubernetes or Code Engine that has a compute resource token in a file, see O(cr_token_file). It
        needs O(iam_profile).
      - V(vpc) is a virtual server of a VPC whose metadata service is switched on, see O(metadata_endpoint). Without O(iam_profile), the
        metadata service takes the trusted profile that is linked to the server.
      - A key or a token of the environment does not count beside it. It is refused together with O(ibmcloud_api_key) or O(iam_token).
    type: str
    choices: [container, vpc]
  cr_token_file:
    description:
      - The file that holds the compute resource token, with V(container). It is read anew for each token, on the machine on which the task
        runs.
      - If not set, those that the platforms use are tried in turn, C(/var/run/secrets/tokens/vault-token),
        C(/var/run/secrets/tokens/sa-token) and
        C(/var/run/secrets/codeengine.cloud.ibm.com/compute-resource-token/token).
    type: path
  iam_profile:
    description:
      - The trusted profile to act as, by its ID (C(Profile-...)), its CRN or its name.
      - With O(ibmcloud_api_key) or O(iam_token), their identity assumes the profile. A name is looked for in the account of that identity; give
        the ID or the CRN of a profile in another account.
      - With O(compute_resource), the machine is given a token for the profile. Whether V(vpc) takes a name is for its metadata service to say.
      - If not set, E(IC_IAM_PROFILE_ID) is used, then E(IBMCLOUD_IAM_PROFILE_ID), E(IC_IAM_PROFILE_NAME) and E(IBMCLOUD_IAM_PROFILE_NAME), where the
        key or the token is that of the environment, too, and with O(compute_resource). An empty text means none.
    type: str
"""
