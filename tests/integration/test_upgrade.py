# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was written for the last release works with this version: semantic versioning promises that."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mirrorops.event_streams.tests.integration.test_documentation import run_twice
from ansible_collections.mirrorops.event_streams.tests.pages import ROOT, Block
from ansible_collections.mirrorops.event_streams.tests.releases import examples_of, last_release

VERSION = str(yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"])
LAST = last_release(ROOT, VERSION)
EXAMPLE = """
# runnable
- name: As the last release showed it
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: List instances
      mirrorops.event_streams.instance_info:
"""


@pytest.mark.skipif(LAST is None, reason=f"there is no release before {VERSION}")
@pytest.mark.parametrize("example", examples_of(ROOT, LAST) if LAST else [], ids=str)
def test_examples_of_the_last_release_still_run(simulate: Any, playbook: Any, observe: Any, example: Block) -> None:
    run_twice(simulate, playbook, observe, example)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with some releases. What is on a page now is not what was on it then."""

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    for version, text in (
        ("0.9.0", "old"),
        ("1.2.0", EXAMPLE),
        ("1.10.0", EXAMPLE + "      retries: 3\n"),
        ("2.0.0", "new"),
    ):
        (tmp_path / "README.md").write_text(f"Text.\n\n```yaml{text}```\n")
        (tmp_path / "other.md").write_text("```yaml\n# not runnable\na: 1\n```\n")
        git("add", "--all")
        git("commit", "--message", version)
        git("tag", version)
    git("tag", "1.11.0rc1")
    return tmp_path


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("1.10.1", "1.10.0"),
        ("1.10.0", "1.2.0"),
        ("2.0.0", None),
        ("2.1.0", "2.0.0"),
        ("1.2.0", None),
        ("0.9.1", "0.9.0"),
    ],
)
def test_which_release_was_the_last_one(repository: Path, version: str, tag: str | None) -> None:
    assert last_release(repository, version) == tag


def test_an_example_of_a_release_is_taken_from_its_tag_and_run(
    repository: Path, simulate: Any, playbook: Any, observe: Any
) -> None:
    (example,) = examples_of(repository, "1.2.0")
    assert example.text == EXAMPLE.lstrip("\n") and example.page == repository / "README.md"
    run_twice(simulate, playbook, observe, example)
    assert examples_of(repository, "2.0.0") == []
