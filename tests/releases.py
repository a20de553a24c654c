# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier releases told people to write: their examples that can be run, out of the tag of a release."""

from __future__ import annotations

import subprocess
from pathlib import Path

from packaging.version import Version

from ansible_collections.mirrorops.event_streams.scripts.release import VERSION
from ansible_collections.mirrorops.event_streams.tests.pages import Block, blocks_in


def _git(root: Path, *arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], cwd=root, text=True)


def last_release(root: Path, version: str) -> str | None:
    """The tag of the newest release before a version; of the same major version, because only those promise anything."""
    tags = [tag for tag in _git(root, "tag").splitlines() if VERSION.fullmatch(tag)]
    earlier = [tag for tag in tags if Version(tag) < Version(version) and Version(tag).major == Version(version).major]
    return max(earlier, key=Version, default=None)


def examples_of(root: Path, tag: str) -> list[Block]:
    """The examples of that release in README files and guides that say they can be run, in order of their pages."""
    names = _git(root, "ls-tree", "-r", "-z", "--name-only", tag).split("\0")
    pages = sorted(name for name in names if name.endswith((".md", ".rst")))
    found = [block for name in pages for block in blocks_in(_git(root, "show", f"{tag}:{name}"), root / name)]
    return [block for block in found if block.language == "yaml" and block.needs is not None]
