# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transcript of `make demo` in the README.

`transcript.py` runs the demo and writes what it prints into the README; a test compares the two.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"(<summary>What <code>make demo</code> prints</summary>\n\n```text\n)(.*?)(\n```\n)", re.DOTALL)
ELAPSED = re.compile(r"\b\d:\d\d:\d\d\b")
SECONDS = re.compile(r"\b\d+(\.\d)? s\b")
RULE = re.compile(r"(?m) \*{3,}$")


def shown() -> str:
    """The transcript in the README."""
    found = BLOCK.search(README.read_text())
    if found is None:
        raise ValueError("the README has no transcript")
    return found[2]


def normalised(text: str) -> str:
    """A transcript without what differs from run to run: times that have passed, and the rules that fill a line."""
    lines = SECONDS.sub("0 s", ELAPSED.sub("0:00:00", RULE.sub("", text))).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("A simulated IBM Cloud"))
    return "\n".join(line.rstrip() for line in lines[start:]).strip()


def main() -> None:
    """Runs the demo, and writes the README."""
    printed = subprocess.run(["make", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    start = printed.index("A simulated IBM Cloud")
    transcript = RULE.sub("", printed[start:]).strip()
    README.write_text(BLOCK.sub(lambda found: found[1] + transcript + found[3], README.read_text()))


if __name__ == "__main__":
    main()
