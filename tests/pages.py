# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read: README files and guides, and the blocks of code in them."""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
_LISTED = subprocess.check_output(["git", "ls-files", "-zco", "--exclude-standard", "*.md"], cwd=ROOT, text=True)
MARKDOWN = sorted(ROOT / name for name in _LISTED.split("\0") if name and (ROOT / name).is_file())
PAGES = [*MARKDOWN, *GUIDES]

_FENCED = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_DIRECTIVE = re.compile(r"^( *)\.\. code-block:: (\S+)\n\n((?:\1 {4}[^\n]*\n|\n)+)", re.MULTILINE)
_RUNNABLE = re.compile(r"# runnable\b([^\n]*)\n")


@dataclass(frozen=True)
class Block:
    """One block of code."""

    page: Path
    number: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}, block {self.number}"

    @property
    def needs(self) -> str | None:
        """What the first line says that it needs to be run; None if it does not say that it can be."""
        found = _RUNNABLE.match(self.text)
        return found[1].strip() if found else None


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    return blocks_in(page.read_text(), page)


def blocks_in(content: str, page: Path) -> Iterator[Block]:
    """The blocks of a page as it is now, or as it was once."""
    pattern = _DIRECTIVE if page.suffix == ".rst" else _FENCED
    for number, (_indent, language, text) in enumerate(pattern.findall(content), 1):
        yield Block(page, number, language, textwrap.dedent(text))


def blocks_of(*languages: str) -> list[Block]:
    """The blocks of all pages in these languages."""
    return [block for page in PAGES for block in blocks(page) if block.language in languages]
