# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that stand in more than one file of the project agree with each other."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mirrorops.event_streams.tests.pages import blocks_of

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.check_output(["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, text=True).split("\0")
FILES = [ROOT / name for name in LISTED if name and (ROOT / name).is_file()]
SOURCES = [path for path in FILES if path.suffix in {".py", ".sh"} and path.stat().st_size]
SHIPPED = [path for path in FILES if path.relative_to(ROOT).parts[0] in {"meta", "playbooks", "plugins", "roles"}]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py") if path.stem != "__init__")
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())
ROLE_FILES = ["README.md", "defaults/main.yml", "meta/argument_specs.yml", "meta/main.yml", "tasks/main.yml"]
README_SECTIONS = [
    "Description",
    "Requirements",
    "Installation",
    "Use Cases",
    "Testing",
    "Contributing",
    "Support",
    "Release Notes and Roadmap",
    "Related Information",
    "License Information",
]


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def text_of(path: Path) -> str:
    return path.read_text(errors="replace")


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_check() -> None:
    assert MODULES
    assert ROLES
    assert SHIPPED


def test_action_group_lists_every_module() -> None:
    assert load("meta/runtime.yml")["action_groups"]["all"] == MODULES


def test_every_module_has_an_action_of_the_same_name() -> None:
    """An action reached by routing is loaded again in every worker."""
    assert sorted(path.stem for path in (ROOT / "plugins/action").glob("*.py") if path.stem != "__init__") == MODULES


@pytest.mark.parametrize("name", ROLE_FILES)
@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_complete(role: str, name: str) -> None:
    assert (ROOT / "roles" / role / name).is_file()


@pytest.mark.parametrize("role", ROLES)
def test_role_defaults_are_documented(role: str) -> None:
    entry_points = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"].values()
    documented = {option for entry_point in entry_points for option in entry_point.get("options", {})}
    assert set(load(f"roles/{role}/defaults/main.yml") or {}) <= documented


def test_version_is_the_same_everywhere() -> None:
    source = ast.parse(text_of(ROOT / "plugins/module_utils/_version.py"))
    constants = {
        target.id: ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert constants["COLLECTION_VERSION"] == load("galaxy.yml")["version"]


def test_python_requirements_are_the_same_everywhere() -> None:
    floor = load("tests/config.yml")["modules"]["python_requires"]
    assert f'requires-python = "{floor}"' in text_of(ROOT / "pyproject.toml")


def test_the_oldest_core_tested_is_the_oldest_supported() -> None:
    oldest = re.search(r'\[tool\.gate\.cores\]\n"(\d+\.\d+)\.\d+"', text_of(ROOT / "pyproject.toml"))
    assert oldest
    assert load("meta/runtime.yml")["requires_ansible"] == f">={oldest[1]}.0"


def imported_names(path: Path) -> set[str]:
    """Every part of every name that is imported."""
    names = set()
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.Import):
            names |= {part for alias in node.names for part in alias.name.split(".")}
        elif isinstance(node, ast.ImportFrom):
            names |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
    return names


@pytest.mark.parametrize("path", [path for path in SHIPPED if path.suffix == ".py"], ids=short)
def test_shipped_code_does_not_need_what_does_not_ship(path: Path) -> None:
    assert not imported_names(path) & {"extensions", "simulator", "tests", "pytest"}


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_every_source_file_states_its_licence(path: Path) -> None:
    assert "SPDX-License-Identifier: GPL-3.0-or-later" in text_of(path).split('"""')[0]


def test_no_place_of_one_machine_is_committed() -> None:
    """Neither paths below somebody's home or checkout, nor the address of a package registry."""
    places = [
        *(re.escape(f"{place}/") for place in (ROOT, Path.home()) if place != Path("/")),
        r"/(?:home|Users)/\w+/",
        r"://[^/\s]*(?:pypi|pythonhosted|npmjs|deb\.debian)\b",
        r"(?:index|registry)[-_]url\s*[=:]",
    ]
    pattern = re.compile("|".join(places))
    assert [short(path) for path in FILES if path != Path(__file__) and pattern.search(text_of(path))] == []


def test_readme_has_the_sections_of_certified_content_in_order() -> None:
    headings = re.findall(r"^## (.+?)\s*$", text_of(ROOT / "README.md"), re.MULTILINE)
    assert [heading for heading in headings if heading in README_SECTIONS] == README_SECTIONS


def test_every_guide_is_listed() -> None:
    sections = load("docs/docsite/extra-docs.yml")["sections"]
    listed = [name for section in sections for name in section.get("toctree", [])]
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "docs/docsite/rst").glob("*.rst"))


def test_nothing_is_ignored_by_ansible_test() -> None:
    assert [short(path) for path in (ROOT / "tests/sanity").glob("ignore*") if path.stat().st_size] == []


def tasks_in(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every use of one of our modules in a YAML document: the module and its arguments."""
    if isinstance(node, list):
        for item in node:
            yield from tasks_in(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            name = str(key).removeprefix("mirrorops.event_streams.")
            if name != key and name in MODULES and isinstance(value, dict):
                yield name, value
            yield from tasks_in(value)


def test_every_task_uses_options_that_exist() -> None:
    """In roles, playbooks and examples. The rule `args` of ansible-lint skips modules that have an action plugin."""
    names = [f"mirrorops.event_streams.{name}" for name in MODULES]
    documentation = json.loads(
        subprocess.check_output(
            [sys.executable, "-m", "ansible.cli.doc", "--json", "--type", "module", *names],
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cl")},
            text=True,
        )
    )
    texts = {name: entry["examples"] for name, entry in documentation.items()}
    texts |= {
        short(path): text_of(path)
        for path in FILES
        if path.suffix == ".yml" and path.relative_to(ROOT).parts[0] in {"examples", "playbooks", "roles"}
    }
    texts |= {str(block): block.text for block in blocks_of("yaml")}
    wrong = []
    for place, text in texts.items():
        for name, arguments in tasks_in(list(yaml.safe_load_all(text))):
            known = documentation[f"mirrorops.event_streams.{name}"]["doc"]["options"]
            wrong += [f"{place}: {name} has no option {option}" for option in arguments.keys() - known.keys()]
    assert not wrong
