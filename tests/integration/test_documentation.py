# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in README files and guides that say they can be run."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mirrorops.event_streams.tests.integration.conftest import SOURCE, TARGET
from ansible_collections.mirrorops.event_streams.tests.integration.test_monitoring import ENABLED, MONITORING

ROOT = Path(__file__).parents[2]
ROLES = sorted((ROOT / "roles").glob("[!.]*/"))
PAGES = [
    ROOT / "README.md",
    *(role / "README.md" for role in ROLES),
    *sorted((ROOT / "docs/docsite/rst").glob("*.rst")),
]
MARKDOWN = re.compile(r"^```ya?ml\n# runnable\b([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TURNED_ROUND = {
    "policies": [{"subject": TARGET, "resource": SOURCE}, {"subject": SOURCE, "resource": TARGET}],
    "target": {"topics": [{"name": "orders", "partitions": 1}]},
    "source": {
        "mirroring": {"source": TARGET, "source_alias": "us-east", "target_alias": "us-south"},
        "selection": ["^orders$"],
    },
}
WORLDS: dict[str, dict[str, Any]] = {
    "": {},
    "with Monitoring": {"monitoring": MONITORING, **ENABLED},
    "after a failover": {**ENABLED, "target": {**ENABLED["target"], "selection": [], **TURNED_ROUND["target"]}},
    "while turned round": {"monitoring": MONITORING, **TURNED_ROUND},
}
"""What an example needs, by what its first line says."""

RST = re.compile(r"^\.\. code-block:: yaml\n\n    # runnable\b([^\n]*)\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Every block of YAML whose first line says that it can be run, and what else that line says."""
    pattern = RST if page.suffix == ".rst" else MARKDOWN
    return [(needs.strip(), textwrap.dedent(block)) for needs, block in pattern.findall(page.read_text())]


def examples() -> list[Any]:
    """The blocks of all pages."""
    return [
        pytest.param(needs, block, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, (needs, block) in enumerate(blocks(page), 1)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_has_an_example(page: Path) -> None:
    assert blocks(page)


@pytest.mark.parametrize(("needs", "example"), examples())
def test_examples_run_twice(simulate: Any, playbook: Any, observe: Any, needs: str, example: str) -> None:
    simulator = simulate(**WORLDS[needs])
    plays = yaml.safe_load(example)
    assert isinstance(plays, list)
    playbook(plays).worked()
    simulator.clear_journal()
    assert playbook(plays).worked().changed == 0
    observe(simulator).untouched()


def test_the_pair_in_the_readme_is_the_one_of_the_demo() -> None:
    shown = re.search(r"here in `pair.yml`:\n\n```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown
    assert yaml.safe_load(shown[1]) == yaml.safe_load((ROOT / "examples/pair.yml").read_text())
