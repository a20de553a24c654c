# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README files and guides name only what exists, and their links lead somewhere.

References between guides and reference pages are Sphinx's to check (`make docs-check`), and examples that can be run are run by
tests/integration/test_documentation.py. Nobody here follows links to other hosts: tests work offline.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from ansible_collections.mirrorops.event_streams.tests.pages import MARKDOWN, PAGES, ROOT, Block, blocks, blocks_of

COLLECTION = "mirrorops.event_streams"
HOSTS = {
    "cloud.ibm.com",
    "docs.ansible.com",
    "forum.ansible.com",
    "github.com",
    "jmespath.org",
    "semver.org",
    "www.gnu.org",
}
"""Where links may lead. A new host is a decision: it is read here once more."""

PLAYBOOKS = {path.stem: path for path in (ROOT / "playbooks").glob("*.yml")}
SPECS: dict[str, set[str]] = {
    path.parts[-3]: set(yaml.safe_load(path.read_text())["argument_specs"]["main"].get("options", {}))
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml")
}
OPTIONS = set().union(*SPECS.values())
TABLE = re.search(r"\n### Pair variables\n(.*?)\n### ", (ROOT / "README.md").read_text(), re.DOTALL)
assert TABLE
PAIR_VARIABLES = set(re.findall(r"`(mirroring_\w+)`", "".join(re.findall(r"^\| (.*?) \|", TABLE[1], re.MULTILINE))))
PLATFORM = set(yaml.safe_load((ROOT / "extensions/awx/controller/settings.yml").read_text()))
OURS = re.compile(rf"(?:mirroring|{'|'.join(sorted(SPECS))})_\w+")
TARGETS = set(re.findall(r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))

# A command ends with its line, or with the inline code that it is in. Words that only a shell understands end it, too.
COMMAND = re.compile(rf"ansible-playbook ([^`\n]*{re.escape(COLLECTION)}\.[^`\n]*)")
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"(?:\]\(|<|\blink: |\burl: |\bU\(|\bL\([^,)]+, *)(\w+://[^)>\s]+)")
DOCUMENTED = [
    *PAGES,
    *(
        path
        for kind in ("modules", "inventory", "filter", "doc_fragments")
        for path in (ROOT / "plugins" / kind).glob("*.py")
    ),
    *(ROOT / "roles").glob("*/meta/argument_specs.yml"),
    ROOT / "docs/docsite/links.yml",
]


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands() -> list[Any]:
    """Every command with one of our playbooks, in blocks and in sentences."""
    return [
        pytest.param(command, id=f"{short(page)}-{number}")
        for page in PAGES
        for number, command in enumerate(COMMAND.findall(page.read_text()), 1)
    ]


def words(command: str) -> list[str]:
    """The words of a command without what a shell does with its output."""
    found = shlex.split(command, comments=True)
    ends = [number for number, word in enumerate(found) if re.match(r"\d?>|\|\|?$|&&$|;$", word)]
    return found[: ends[0]] if ends else found


def given(arguments: list[str]) -> Iterator[str]:
    """The names of the variables that a command sets, other than by a file."""
    for option, value in itertools.pairwise(arguments):
        if option == "-e" and value.startswith("{"):
            yield from yaml.safe_load(value)
        elif option == "-e" and not value.startswith("@"):
            yield value.partition("=")[0]


def roles_of(playbook: str) -> set[str]:
    """The roles that a playbook runs."""
    return set(re.findall(rf"{re.escape(COLLECTION)}\.(\w+)", PLAYBOOKS[playbook].read_text())) & set(SPECS)


def keys(node: Any) -> Iterator[str]:
    """Every key of a document that looks like a variable of ours."""
    if isinstance(node, dict):
        for key, value in node.items():
            if OURS.fullmatch(str(key)):
                yield key
            yield from keys(value)
    elif isinstance(node, list):
        for item in node:
            yield from keys(item)


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page in Markdown."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_every_block_is_found(page: Path) -> None:
    text = page.read_text()
    marks = (
        text.count(".. code-block::") if page.suffix == ".rst" else len(re.findall(r"^ *```", text, re.MULTILINE)) / 2
    )
    assert len(list(blocks(page))) == marks


@pytest.mark.parametrize("block", blocks_of("yaml", "json"), ids=str)
def test_data_can_be_read(block: Block) -> None:
    if block.language == "yaml":
        assert yaml.safe_load(block.text)
    else:  # one member of an object is shown without it
        assert json.loads(block.text if block.text.startswith(("{", "[")) else f"{{{block.text}}}")


def test_the_pair_variables_of_the_readme_are_those_of_the_roles() -> None:
    of_roles = {f"mirroring_{name.partition('_')[2]}" for name in OPTIONS}
    assert PAIR_VARIABLES - of_roles == {"mirroring_hosts"}


@pytest.mark.parametrize("command", commands())
def test_commands_name_what_exists(command: str) -> None:
    arguments = words(command)
    (playbook,) = [word.removeprefix(f"{COLLECTION}.") for word in arguments if word.startswith(COLLECTION)]
    assert playbook in PLAYBOOKS
    known = PAIR_VARIABLES.union(*(SPECS[role] for role in roles_of(playbook)))
    assert set(given(arguments)) - known == set()
    files = [word.removeprefix("@") for word in arguments if word.removeprefix("@").startswith("examples/")]
    assert [name for name in files if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("block", blocks_of("yaml"), ids=str)
def test_variables_are_documented(block: Block) -> None:
    assert set(keys(yaml.safe_load(block.text))) - PAIR_VARIABLES - OPTIONS - PLATFORM == set()


def test_inventories_use_options_that_exist() -> None:
    name = f"{COLLECTION}.instances"
    shown = subprocess.check_output(
        [sys.executable, "-m", "ansible.cli.doc", "--json", "--type", "inventory", name],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cl")},
        text=True,
    )
    options = json.loads(shown)[name]["doc"]["options"]
    inventories = [
        content for content in map(yaml.safe_load, (block.text for block in blocks_of("yaml"))) if "plugin" in content
    ]
    assert inventories
    assert [content for content in inventories if content["plugin"] != name or content.keys() - options.keys()] == []


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_names_of_the_collection_exist(page: Path) -> None:
    plugins = {
        path.stem for kind in ("modules", "inventory", "filter") for path in (ROOT / "plugins" / kind).glob("*.py")
    }
    named = set(re.findall(rf"{re.escape(COLLECTION)}\.(\w+)", page.read_text()))
    assert named - plugins - set(SPECS) - set(PLAYBOOKS) <= {"all", "docsite"}  # the action group, and labels of guides


@pytest.mark.parametrize("block", blocks_of("shell", "console"), ids=str)
def test_make_is_asked_for_what_it_has(block: Block) -> None:
    asked = re.findall(r"^(?:\$ )?make ([a-z-]+)", block.text, re.MULTILINE)
    assert set(asked) - {name for names in TARGETS for name in names.split()} == set()


@pytest.mark.parametrize("page", MARKDOWN, ids=short)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    wrong = []
    for link in (one or other for one, other in LINK.findall(page.read_text())):
        address, _hash, anchor = link.partition("#")
        if urlsplit(link).scheme:
            continue
        path = page.parent / address if address else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("page", DOCUMENTED, ids=short)
def test_links_elsewhere_are_well_formed_and_of_an_expected_host(page: Path) -> None:
    found = [urlsplit(link) for link in ELSEWHERE.findall(page.read_text())]
    assert [one.geturl() for one in found if one.scheme != "https" or one.hostname not in HOSTS] == []
