# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in README files and guides that say they can be run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mirrorops.event_streams.tests.integration.conftest import SOURCE, TARGET
from ansible_collections.mirrorops.event_streams.tests.integration.test_monitoring import ENABLED, MONITORING
from ansible_collections.mirrorops.event_streams.tests.pages import GUIDES, ROOT, Block, blocks, blocks_of

EXAMPLES = blocks_of("yaml")
WITH_EXAMPLES = [
    ROOT / "README.md",
    *sorted((ROOT / "roles").glob("*/README.md")),
    *(guide for guide in GUIDES if guide.stem != "guide_contributing"),
]
TURNED_ROUND = {
    "policies": [{"subject": TARGET, "resource": SOURCE}, {"subject": SOURCE, "resource": TARGET}],
    "target": {"topics": [{"name": "orders", "partitions": 1}]},
    "source": {
        "mirroring": {"source": TARGET, "source_alias": "us-east", "target_alias": "us-south"},
        "selection": ["^orders$"],
    },
}
EVERY_SECOND = {"metrics_interval_seconds": 1}
WORLDS: dict[str, dict[str, Any]] = {
    "": {},
    "while mirroring": ENABLED,
    "with Monitoring": {"monitoring": MONITORING, "timing": EVERY_SECOND, **ENABLED},
    "after a failover": {**ENABLED, "target": {**ENABLED["target"], "selection": [], **TURNED_ROUND["target"]}},
    "on a virtual server": {"scenario": "two_accounts"},
    "while turned round": {"monitoring": MONITORING, "timing": EVERY_SECOND, **TURNED_ROUND},
}
"""What an example needs, by what its first line says."""


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_has_an_example(page: Path) -> None:
    assert [block for block in blocks(page) if block.needs is not None]


def run_twice(simulate: Any, playbook: Any, observe: Any, example: Block) -> None:
    """Runs an example in the world that it needs; the second time nothing is to be done."""
    simulator = simulate(**WORLDS[str(example.needs)])
    if example.needs == "on a virtual server":
        environment = playbook.environment(simulator)
        del environment["IC_API_KEY"]
        playbook.environment = lambda *_: environment
    plays = yaml.safe_load(example.text)
    assert isinstance(plays, list)
    playbook(plays).worked()
    simulator.clear_journal()
    assert playbook(plays).worked().changed == 0
    observe(simulator).untouched()


@pytest.mark.parametrize("example", [block for block in EXAMPLES if block.needs is not None], ids=str)
def test_examples_run_twice(simulate: Any, playbook: Any, observe: Any, example: Block) -> None:
    run_twice(simulate, playbook, observe, example)


@pytest.mark.parametrize("example", [block for block in EXAMPLES if block.needs is None], ids=str)
def test_other_playbooks_can_be_read(playbook: Any, example: Block) -> None:
    """What is no playbook is an inventory, or variables; tests/unit/test_pages.py looks at those."""
    content = yaml.safe_load(example.text)
    if isinstance(content, list):
        playbook(content, environment=playbook.environment(None), arguments=("--syntax-check",)).worked()
    else:
        assert isinstance(content, dict)


def test_the_pair_in_the_readme_is_the_one_of_the_demo() -> None:
    shown = re.search(r"here in `pair.yml`:\n\n```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown
    assert yaml.safe_load(shown[1]) == yaml.safe_load((ROOT / "examples/pair.yml").read_text())
