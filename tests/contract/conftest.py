# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""IBM's own clients, pointed at the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from eventstreams_sdk.adminrest_v1 import AdminrestV1
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from ibm_platform_services import IamPolicyManagementV1, ResourceControllerV2, ResourceManagerV2

from simulator import Simulator, load_scenario

READER = "crn:v1:bluemix:public:iam::::serviceRole:Reader"


@dataclass
class Clients:
    """The clients of one caller."""

    sim: Simulator
    iam: Any
    controller: Any
    groups: Any
    authenticator: Any

    def admin(self, name: str) -> Any:
        """Return the admin client of an instance, found as a client would find it."""
        document = self.controller.get_resource_instance(self.sim.instance(name).guid).get_result()
        client = AdminrestV1(authenticator=self.authenticator)
        client.set_service_url(document["extensions"]["kafka_http_url"])
        return client

    @property
    def source(self) -> Any:
        return self.sim.instance("es-source-us-south")

    @property
    def target(self) -> Any:
        return self.sim.instance("es-target-us-east")

    def sides(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the attributes of subject and resource."""
        both = [
            {"accountId": instance.account, "serviceName": "messagehub", "serviceInstance": instance.guid}
            for instance in (self.target, self.source)
        ]
        return both[0], both[1]

    def authorize(self) -> Any:
        """Create the v1 authorization."""
        sides = [[{"name": name, "value": value} for name, value in side.items()] for side in self.sides()]
        return self.iam.create_policy(
            type="authorization",
            subjects=[{"attributes": sides[0]}],
            roles=[{"role_id": READER}],
            resources=[{"attributes": sides[1]}],
        )

    def authorize_v2(self, *, swapped: bool = False) -> Any:
        """Create the v2 authorization; swapped, it is the one for failback."""
        sides = [
            [{"key": name, "operator": "stringEquals", "value": value} for name, value in side.items()]
            for side in self.sides()[:: -1 if swapped else 1]
        ]
        return self.iam.create_v2_policy(
            control={"grant": {"roles": [{"role_id": READER}]}},
            type="authorization",
            subject={"attributes": sides[0]},
            resource={"attributes": sides[1]},
        )

    def update(self, **mirroring: Any) -> Any:
        """Send a mirroring block to the target."""
        return self.controller.update_resource_instance(self.target.guid, parameters={"mirroring": mirroring})

    def enable(self) -> Any:
        """Send the smallest block that enables."""
        return self.update(source_crn=str(self.source.crn), source_alias="us-south", target_alias="us-east")


Connect = Callable[..., Clients]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Start a scenario whose clock stands still, and connect IBM's clients to it."""
    running: list[Simulator] = []

    def begin(scenario: str = "friendly", *, prefix: bool = False, **parts: Any) -> Clients:
        sim = Simulator({**load_scenario(scenario), **parts}).start()
        sim.clock.speed = 0
        running.append(sim)
        environment = sim.environment(prefix=prefix)
        iam_url = environment["IBMCLOUD_IAM_API_ENDPOINT"]
        controller_url = environment["IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT"]
        authenticator = IAMAuthenticator(environment["IC_API_KEY"], url=iam_url)
        clients = Clients(
            sim,
            IamPolicyManagementV1(authenticator=authenticator),
            ResourceControllerV2(authenticator=authenticator),
            ResourceManagerV2(authenticator=authenticator),
            authenticator,
        )
        clients.iam.set_service_url(iam_url)
        clients.controller.set_service_url(controller_url)
        clients.groups.set_service_url(controller_url)
        return clients

    yield begin
    for sim in running:
        sim.stop()
    broken = [entry for sim in running for entry in sim.violations()]
    assert broken == [], "an IBM client broke the contract that the simulator enforces"


@pytest.fixture
def clients(connect: Connect) -> Clients:
    """The friendly pair."""
    return connect()
