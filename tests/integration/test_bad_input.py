# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot work ends with one clear message before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
CRN = "crn:v1:bluemix:public:messagehub:us-south:a/a1b2c3d4e5f60718293a4b5c6d7e8f90:11111111-aaaa-4bbb-8ccc-000000000001::"
MIRRORING = "mirrorops.event_streams.mirroring"


def case(name: str, *texts: str, world: dict[str, Any] | None = None, slow: bool = False, **variables: Any) -> Any:
    """A world, what is asked of it, and what the message has to say."""
    return pytest.param(world or {}, variables, texts, id=name, marks=[pytest.mark.slow] if slow else [])


CASES = [
    case("malformed CRN", "CRN", mirroring_source="crn:v1:bluemix:public:messagehub:us-south"),
    case("CRN of another service", "cloudantnosqldb", mirroring_source=CRN.replace("messagehub", "cloudantnosqldb")),
    case("unknown GUID", "99999999-aaaa", mirroring_source="99999999-aaaa-4bbb-8ccc-000000000009", slow=True),
    case("unknown name", "'nobody'", mirroring_target="nobody"),
    case("no source", "source", mirroring_source=None, slow=True),
    case("same instance twice", "same instance", mirroring_source=TARGET),
    case("same instance twice, by CRN", "same instance", mirroring_source=CRN, mirroring_target=SOURCE, slow=True),
    case("illegal alias", "source_alias 'us/south'", mirroring_source_alias="us/south"),
    case("equal aliases", "both 'us-east'", mirroring_source_alias="us-east"),
    case("one region", "in us-east", "source_alias", world={"source": {"region": "us-east"}}),
    case("broken pattern", "'^orders('", mirroring_topics=["^orders("]),
    case("empty pattern", "empty pattern", mirroring_topics=["", "^orders$"], slow=True),
    case(
        "transform without effect",
        "renames nothing",
        mirroring_topic_name_transform={"type": "rename", "rename": {}},
    ),
    case("unknown transform", "use_alias", mirroring_topic_name_transform={"type": "other"}, slow=True),
    case("alias for groups", "group_id_transform", mirroring_group_id_transform={"type": "use_alias"}, slow=True),
    case("unknown schemas", "proxied", mirroring_schemas="other", slow=True),
    case("Standard source", "plan standard", SOURCE, world={"source": {"plan": "standard"}}),
    case("Standard target", "plan standard", TARGET, world={"target": {"plan": "standard"}}),
    case("Gen 2 target", "enterprise-gen2", TARGET, world={"target": {"plan": "enterprise-gen2"}}),
    case("throughput", "150", "300", "MB/s", world={"source": {"throughput": "300", "storage_size": "4096"}}),
    case("storage", "2048", "4096", "GB", world={"source": {"storage_size": "4096"}}),
    case("locked target", TARGET, "locked", "unlock", world={"target": {"locked": True}}),
    case("inactive source", SOURCE, "inactive", world={"source": {"state": "inactive"}}, mirroring_source=CRN),
    case("inactive source, by name", f"'{SOURCE}'", world={"source": {"state": "inactive"}}, slow=True),
    case(
        "local topic of that name",
        "orders",
        world={"target": {"topics": [{"name": "orders"}]}},
        mirroring_topic_name_transform={"type": "none"},
        slow=True,
    ),
    case(
        "no room",
        "limit",
        "partitions",
        world={"source": {"topics": [{"name": "orders", "partitions": 2999}, {"name": "payments", "partitions": 2}]}},
    ),
    case(
        "too long a name",
        "long",
        world={"source": {"topics": [{"name": "o" * 245}]}},
        mirroring_topics=["^o*$"],
        slow=True,
    ),
    case(
        "copies of the target",
        "cycle",
        world={"source": {"topics": [{"name": "orders.us-east"}]}},
        mirroring_topics=["^.*$"],
        slow=True,
    ),
    case("no interval", "poll_interval is 0", mirroring_poll_interval=0),
    case("an endless wait", "wait_timeout is inf", mirroring_wait_timeout="inf"),
    case("negative patience", "authorization_timeout is -1", mirroring_authorization_timeout=-1, slow=True),
    case("negative topics time-out", "topics_timeout is -1", mirroring_topics_timeout=-1, slow=True),
    case("no throughput", "throughput is 0", mirroring_throughput=0, slow=True),
    case("a word for a number", "poll_interval", mirroring_poll_interval="fast", slow=True),
    case("no yes and no no", "wait", mirroring_wait="maybe", slow=True),
    case("unencrypted admin URL", "admin_url", "unencrypted", mirroring_target_admin_url="http://example.org"),
]


@pytest.mark.parametrize(("world", "variables", "texts"), CASES)
def test_what_cannot_work(
    simulate: Any,
    playbook: Any,
    observe: Any,
    world: dict[str, Any],
    variables: dict[str, Any],
    texts: tuple[str, ...],
) -> None:
    simulator = simulate(**world)
    failure = playbook.mirror(**variables).failure
    assert [text for text in texts if text not in failure] == [], failure
    observe(simulator).untouched()


@pytest.mark.parametrize(
    ("key", "texts"),
    [
        pytest.param("simulated-key-nobody", ("see",), id="without rights"),
        pytest.param("simulated-key-viewer", ("Manager",), id="viewer"),
        pytest.param("no-such-key-4711", ("API key", "HTTP 400"), id="wrong"),
        pytest.param(None, ("no credentials", "IC_API_KEY"), id="none"),
        pytest.param("@no/such/file", ("no/such/file",), id="missing file"),
    ],
)
def test_credentials_that_do_not_do(
    simulator: Any, playbook: Any, observe: Any, key: str | None, texts: tuple[str, ...]
) -> None:
    environment = playbook.environment(simulator)
    del environment["IC_API_KEY"]
    if key:
        environment["IC_API_KEY"] = key
    playbook.environment = lambda *_: environment
    run = playbook.mirror()
    assert [text for text in texts if text not in run.failure] == [], run.failure
    assert "no-such-key-4711" not in run.output
    observe(simulator).untouched()


@pytest.mark.parametrize("name", ["IBMCLOUD_IAM_API_ENDPOINT", "IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT"])
def test_plain_http_to_elsewhere(simulator: Any, playbook: Any, observe: Any, name: str) -> None:
    environment = {**playbook.environment(simulator), name: "http://proxy.example.com/api"}
    playbook.environment = lambda *_: environment
    failure = playbook.mirror().failure
    assert "unencrypted to proxy.example.com" in failure
    assert simulator.journal == []


def test_nobody_listens(simulator: Any, playbook: Any) -> None:
    environment = playbook.environment(simulator)
    environment["IBMCLOUD_IAM_API_ENDPOINT"] = "http://127.0.0.1:9"
    task = {"name": "Look", "mirrorops.event_streams.instance_info": {"instance": SOURCE, "retry_timeout": 1}}
    plays = [{"name": "Somebody's own play", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]
    assert "127.0.0.1:9" in playbook(plays, environment=environment).failure


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param({"source": SOURCE, "target": TARGET, "sauce": 1}, "sauce", id="unknown"),
        pytest.param({"target": TARGET}, "source", id="missing"),
        pytest.param({"source": SOURCE, "target": TARGET, "wait": "perhaps"}, "wait", id="wrong type"),
    ],
)
def test_arguments(simulator: Any, playbook: Any, observe: Any, options: dict[str, Any], text: str) -> None:
    task = {"name": "Enable", MIRRORING: options}
    plays = [{"name": "Somebody's own play", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]
    assert text in playbook(plays).failure
    observe(simulator).untouched()
