# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a fleet takes to be enabled, in units of one operation, with Ansible's default of 5 forks. Prints Markdown."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from cases import CASES, Scene, run
from cloud import Cloud

GOAL = 1.25


def main() -> None:
    """Enables a fleet, runs again without changes, and prints what the operations added."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20, help="number of pairs (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="how long an update takes (default: %(default)s)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        with Cloud(folder, given.pairs, mirrored=False, seconds=given.seconds) as cloud:
            scene = Scene(folder / "scene", cloud, given.pairs)
            fresh = run(CASES["collection"], scene, 1)
            again = run(CASES["collection"], scene, 2)
    ratio = (fresh.wall - again.wall) / given.seconds
    print(f"""## Side by side

{given.pairs} pairs, each update takes {given.seconds:g} s, 5 forks. Enabling all of them took {fresh.wall:.1f} s, a run without changes {again.wall:.1f} s: the
updates added {ratio:.2f} times the length of one. At most {GOAL}: **{"met" if ratio <= GOAL else "not met"}**.
One by one they would add {given.pairs} times, five at a time {-(-given.pairs // 5)} times.""")


if __name__ == "__main__":
    main()
