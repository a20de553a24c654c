# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  visibility:
    description:
      - Which endpoints of the platform are used where none is given. V(private) takes those that are reachable from IBM Cloud's
        private network, also through virtual private endpoints, and nowhere else; V(public-and-private) is the same as
        V(public).
      - If not set, E(IC_VISIBILITY) is used, then E(IBMCLOUD_VISIBILITY).
    type: str
    choices: [public, private, public-and-private]
    default: public
  endpoint_region:
    description:
      - The region in which the task runs. With O(visibility=private), the endpoints of that region are used where it has some of its own.
      - If not set, E(IC_REGION) is used, then E(IBMCLOUD_REGION), then those private endpoints that serve all regions.
    type: str
  iam_endpoint:
    description:
      - Base URL of IAM; it may have a path, and may end in C(/identity/token).
      - Plain C(http) is accepted for loopback addresses only. This holds for every endpoint but O(metadata_endpoint) at its usual address.
      - If not set, E(IBMCLOUD_IAM_API_ENDPOINT) is used, then the default for O(visibility).
    type: str
  resource_controller_endpoint:
    description:
      - Base URL of the Resource Controller; it may have a path.
      - If not set, E(IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT) is used, then the default for O(visibility).
    type: str
  metadata_endpoint:
    description:
      - Base URL of the metadata service of a virtual server, which gives it a token. No proxy is used to reach it.
      - If not set, E(IBMCLOUD_CR_VPC_URL) is used.
    type: str
    default: http://169.254.169.254
  validate_certs:
    description: Whether certificates of servers are verified. Switch this off for experiments only.
    type: bool
    default: true
  ca_path:
    description: A file with the certificates of the authorities to trust, instead of those that C(requests) brings along.
    type: path
  request_timeout:
    description:
      - How long to wait for one answer, in seconds.
      - If not set, E(IC_TIMEOUT) is used, then E(IBMCLOUD_TIMEOUT).
    type: float
    default: 60
  retry_timeout:
    description:
      - For how long a read that failed in passing is repeated, in seconds. V(0) means that it is not repeated.
      - While an update is waited for, also the time for which its target may refuse to be read.
      - A write is never simply repeated. When its answer was lost, what it should have changed is read first.
    type: float
    default: 120
"""

    ADMIN = r"""
options:
  admin_url:
    description:
      - Base URL of the target's administration REST API.
      - If not set, the one that the instance's document publishes is used. Give it where that is not reachable, for instance
        because the instance has public and private endpoints and only the other one is published.
    type: str
  admin_domains:
    description:
      - More domains under which a published admin URL is trusted with credentials. The vendor's own are always trusted.
    type: list
    elements: str
    default: []
"""

    SOURCE_ADMIN = r"""
options:
  source_admin_url:
    description: Like O(admin_url), for the source.
    type: str
"""

    MONITORING = r"""
options:
  monitoring_instance:
    description:
      - The instance of IBM Cloud Monitoring that gets the platform metrics of the region, by GUID or CRN. A CRN has to be of that
        region.
      - If not set, it is looked for with the same identity. It has to be given if there are several in the region, and the cloud does not
        show which of them it is.
    type: str
  monitoring_endpoint:
    description:
      - Base URL of IBM Cloud Monitoring; it may have a path. In it C({region}) stands for the region.
      - If not set, E(IBMCLOUD_MONITORING_API_ENDPOINT) is used, then the default for O(visibility).
    type: str
  metric_names:
    description:
      - Names of metrics, where they are not the usual ones. The keys are C(mirroring_latency), C(mirroring_throughput), C(bytes_in),
        C(bytes_out), C(topic_bytes_in), C(topic_bytes_out), C(partitions) and C(utilization).
      - In the past, the first two were called C(ibm_eventstreams_instance_mirroring_latency) and
        C(ibm_eventstreams_instance_mirroring_throughput).
    type: dict
    default: {}
"""
