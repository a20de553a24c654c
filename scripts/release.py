# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what keeps the commit that is checked out from being published as the version that it names."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import yaml
from packaging.version import InvalidVersion, Version

VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
"""Semantic versions of releases: what is published is no pre-release."""


def problems(root: Path) -> list[str]:
    """What is wrong with the version, the changelog, the working tree and the tag, each with what to do; nothing if all is well."""
    version = str(yaml.safe_load((root / "galaxy.yml").read_text())["version"])
    if not VERSION.fullmatch(version):
        return [f"{version!r} in galaxy.yml is no semantic version of a release, as 1.2.3 is."]
    return [*_of_changelog(root, version), *_of_git(root, version)]


def _of_changelog(root: Path, version: str) -> list[str]:
    releases = yaml.safe_load((root / "changelogs/changelog.yaml").read_text())["releases"]
    fragments = sorted(path.name for path in (root / "changelogs/fragments").glob("*.y*ml"))
    found = []
    if version not in releases:
        found.append(f"The changelog has no release {version}: run antsibull-changelog release.")
    elif version != max(releases, key=Version):
        found.append(f"The changelog has a newer release than {version}: raise the version in galaxy.yml.")
    if fragments:
        found.append(f"No release has what these say yet: {', '.join(fragments)}. Run antsibull-changelog release.")
    if f"\nv{version}\n" not in (root / "CHANGELOG.rst").read_text():
        found.append(f"CHANGELOG.rst does not tell of v{version}: run antsibull-changelog generate.")
    return found


def _of_git(root: Path, version: str) -> list[str]:
    def git(*arguments: str) -> list[str]:
        return subprocess.check_output(["git", *arguments], cwd=root, text=True).splitlines()

    found = []
    changed = git("status", "--porcelain")
    if changed:
        found.append(f"The working tree has {len(changed)} changes that are not committed.")
    if version not in git("tag", "--points-at", "HEAD"):
        found.append(f"The commit has no tag {version}: set it with git tag {version}.")
    newer = [tag for tag in git("tag") if (other := _version(tag)) and other > Version(version)]
    if newer:
        found.append(f"There are tags of newer versions: {', '.join(newer)}.")
    return found


def _version(tag: str) -> Version | None:
    try:
        return Version(tag)
    except InvalidVersion:
        return None


def main() -> int:
    """Prints what is wrong. Returns 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, nargs="?", default=Path(__file__).resolve().parent.parent)
    found = problems(parser.parse_args().root)
    print("\n".join(found) or "Version, changelog, working tree and tag are those of a release.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
