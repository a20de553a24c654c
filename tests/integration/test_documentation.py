# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the roles' documentation that say they can be run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted((Path(__file__).parents[2] / "roles").glob("[!.]*/"))
BLOCK = re.compile(r"^```ya?ml\n# runnable\b[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples() -> list[Any]:
    """Every block of YAML whose first line says that it can be run."""
    return [
        pytest.param(block, id=f"{role.name}-{number}")
        for role in ROLES
        if (role / "README.md").exists()
        for number, block in enumerate(BLOCK.findall((role / "README.md").read_text()), 1)
    ]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_role_has_an_example(role: Path) -> None:
    assert BLOCK.findall((role / "README.md").read_text())


@pytest.mark.parametrize("example", examples())
def test_examples_run_twice(simulator: Any, playbook: Any, observe: Any, example: str) -> None:
    plays = yaml.safe_load(example)
    assert isinstance(plays, list)
    playbook(plays).worked()
    simulator.clear_journal()
    assert playbook(plays).worked().changed == 0
    observe(simulator).untouched()
