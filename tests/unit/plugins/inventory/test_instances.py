# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib
import inspect
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mirrorops.event_streams.plugins.doc_fragments import auth, endpoints
from ansible_collections.mirrorops.event_streams.plugins.inventory import instances
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import SPEC, read_options
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import ENDPOINTS

DOCUMENTED = {
    **yaml.safe_load(auth.ModuleDocFragment.PROFILE)["options"],
    **yaml.safe_load(endpoints.ModuleDocFragment.DOCUMENTATION)["options"],
    **yaml.safe_load(instances.DOCUMENTATION)["options"],
}


def shape(options: dict[str, t.Any], inner: str) -> dict[str, t.Any]:
    """What both the documentation and the check say of options."""
    return {
        name: {
            "type": "dict" if one["type"] == "raw" else one["type"],
            "elements": one.get("elements"),
            "default": one.get("default"),
            "choices": one.get("choices"),
            "required": one.get("required", False),
            "suboptions": shape(one.get(inner, {}), inner),
        }
        for name, one in options.items()
    }


def test_the_documentation_says_what_is_checked() -> None:
    documented = {name: one for name, one in DOCUMENTED.items() if name != "plugin"}
    assert shape(documented, "suboptions") == shape(SPEC.options, "options")
    assert set(ENDPOINTS.options) < set(documented)


def test_environment_variables_are_documented() -> None:
    for option, names in SPEC.environment_names().items():
        assert all(f"E({name})" in str(DOCUMENTED[option]["description"]) for name in names), option


def test_the_examples_are_options_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IC_API_KEY", "k")
    files = list(yaml.safe_load(instances.EXAMPLES).values())
    assert len(files) == 5
    for options in files:
        assert options["plugin"] == instances.InventoryModule.NAME
        read_options({name: value for name, value in options.items() if name in SPEC.options}, set())


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("event_streams.yml", True),
        ("my.event_streams.yaml", True),
        ("my_event_streams.yml", True),
        ("event_streams.json", False),
        ("instances.yml", False),
        ("event_streams.yml.bak", False),
    ],
)
def test_names_of_files(tmp_path: Path, name: str, taken: bool) -> None:
    (tmp_path / name).touch()
    assert instances.InventoryModule().verify_file(str(tmp_path / name)) is taken
    assert instances.InventoryModule().verify_file(str(tmp_path / "missing" / name)) is False


def test_the_plugin_decides_nothing() -> None:
    """It knows neither HTTP nor instances; those who do know nothing of Ansible's plugins."""
    source = inspect.getsource(instances)
    assert "_cloud" not in source and "_http" not in source
    for name in ("discovery", "fleet_options", "hosts", "pairs"):
        path = f"ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.{name}"
        text = inspect.getsource(importlib.import_module(path))
        assert "ansible.plugins" not in text and "plugin_utils" not in text
