# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the repository is released, and everything that could be forgotten is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
VERSION = str(yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"])
RELEASE = shutil.which("antsibull-changelog", path=str(Path(sys.executable).parent))
KEPT = ("galaxy.yml", "CHANGELOG.rst", "changelogs", "meta", "plugins", "roles", "playbooks")

needs_release = pytest.mark.skipif(RELEASE is None, reason="antsibull-changelog is in .venv only")


def git(copy: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=copy, check=True, stdout=subprocess.DEVNULL)


def checked(copy: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/release.py"), str(copy)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that was released as CONTRIBUTING says."""
    folder = tmp_path_factory.mktemp("release")
    copy = folder / "ansible_collections/mirrorops/event_streams"
    copy.mkdir(parents=True)
    for name in KEPT:
        one = ROOT / name
        (shutil.copytree if one.is_dir() else shutil.copy)(one, copy / name)
    for cache in [*copy.rglob("__pycache__"), copy / "changelogs/.plugin-cache.yaml"]:
        shutil.rmtree(cache) if cache.is_dir() else cache.unlink(missing_ok=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder), "PATH": path}
    subprocess.run([RELEASE or "", "release"], cwd=copy, env=environment, check=True, capture_output=True)
    (copy / "changelogs/.plugin-cache.yaml").unlink(missing_ok=True)
    git(copy, "init", "-q")
    git(copy, "add", "-A")
    git(copy, "commit", "-qm", "Release")
    git(copy, "tag", VERSION)
    return copy


def cut_version(copy: Path) -> None:
    path = copy / "galaxy.yml"
    path.write_text(path.read_text().replace(f"version: {VERSION}", "version: 1.0"))


def lower_version(copy: Path) -> None:
    path = copy / "galaxy.yml"
    path.write_text(path.read_text().replace(f"version: {VERSION}", "version: 0.0.1"))


def add_fragment(copy: Path) -> None:
    (copy / "changelogs/fragments/9-late.yml").write_text("bugfixes: [late]\n")


def forget_text(copy: Path) -> None:
    path = copy / "CHANGELOG.rst"
    path.write_text(path.read_text().replace(f"\nv{VERSION}\n", "\nv0.0.1\n"))


@needs_release
def test_a_release_can_be_published(released: Path) -> None:
    assert checked(released) == (0, "Version, changelog, working tree and tag are those of a release.\n")


@needs_release
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (cut_version, "'1.0' in galaxy.yml is no semantic version"),
        (lower_version, "The changelog has no release 0.0.1"),
        (lower_version, "There are tags of newer versions"),
        (add_fragment, "No release has what these say yet: 9-late.yml"),
        (forget_text, f"CHANGELOG.rst does not tell of v{VERSION}"),
        (add_fragment, "The working tree has 1 changes that are not committed"),
        (lambda copy: git(copy, "tag", "-d", VERSION), f"The commit has no tag {VERSION}"),
        (lambda copy: git(copy, "tag", "99.0.0"), "There are tags of newer versions: 99.0.0"),
    ],
)
def test_what_was_forgotten_is_told(spoil: Callable[[Path], None], told: str, released: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(released, copy)
    spoil(copy)
    code, output = checked(copy)
    assert code == 1
    assert told in output
