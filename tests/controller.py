# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX makes of extensions/awx: the variables as Ansible resolves them, what credentials inject, what surveys accept.

As a program it prints a play of objects.yml with its loops unrolled: linters check no arguments that are templates.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

FOLDER = Path(__file__).parents[1] / "extensions/awx"
ANSWERS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "textarea": (str,),
    "multiplechoice": (str,),
    "integer": (int,),
    "float": (float, int),
}
"""The types of questions that are used, and of their answers. There are also password, and multiselect."""

READ = [
    {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.include_vars": {"dir": str(FOLDER / "controller"), "extensions": ["yml"]}},
            {
                "ansible.builtin.copy": {
                    "dest": "{{ lookup('ansible.builtin.env', 'READ_INTO') }}",
                    "mode": "0600",
                    "content": "{{ dict(names | zip(query('ansible.builtin.vars', *names))) | to_json }}",
                },
                "vars": {"names": "{{ vars | select('match', 'controller_') | list }}"},
            },
        ],
    }
]


@functools.cache
def wanted() -> dict[str, list[dict[str, Any]]]:
    """The variables that begin with ``controller_``."""
    with tempfile.TemporaryDirectory() as folder:
        play, found = Path(folder) / "play.json", Path(folder) / "found.json"
        play.write_text(json.dumps(READ))
        environment = {
            **os.environ,
            "READ_INTO": str(found),
            "ANSIBLE_HOME": folder,
            "ANSIBLE_LOCAL_TEMP": folder,
            "ANSIBLE_REMOTE_TEMP": folder,
        }
        command = [sys.executable, "-m", "ansible", "playbook", str(play)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "duplicate" not in done.stderr, done.stderr
        variables: dict[str, list[dict[str, Any]]] = json.loads(found.read_text())
    return variables


def named(kind: str, name: str) -> dict[str, Any]:
    """One of the objects of a kind, such as ``templates``."""
    (found,) = [one for one in wanted()[f"controller_{kind}"] if one["name"] == name]
    return found


def injected(inputs: dict[str, str], *, strict: bool = False) -> dict[str, str]:
    """The environment that the credential makes of what was filled in; fields that were not are undefined."""
    (kind,) = wanted()["controller_credential_types"]
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined if strict else Undefined)
    return {name: environment.from_string(text).render(inputs) for name, text in kind["injectors"]["env"].items()}


def accepted(survey: dict[str, Any], answers: dict[str, Any], *, ignore: bool = False) -> dict[str, Any]:
    """The variables of a job: the answers, and the defaults of questions that are not answered. A job refuses variables that nobody asks
    for; in a workflow they are left out. Raises AssertionError as AWX answers 400."""
    questions = {one["variable"]: one for one in survey["spec"]}
    unknown = answers.keys() - questions.keys()
    assert ignore or not unknown, f"not allowed on launch: {unknown}"
    variables = {name: one["default"] for name, one in questions.items() if "default" in one}
    variables |= {name: value for name, value in answers.items() if name in questions}
    for name, question in questions.items():
        assert name in variables or not question["required"], f"{name} value missing"
        if name not in variables:
            continue
        value = variables[name]
        assert isinstance(value, ANSWERS[question["type"]]), f"{name} is no {question['type']}"
        assert value in question.get("choices", [value]), f"{name} is none of the choices"
        size = len(value) if isinstance(value, str) else value
        assert question.get("min", size) <= size <= question.get("max", size), f"{name} is too small or too large"
    return variables


def unrolled() -> list[dict[str, Any]]:
    """A play of objects.yml with a task for each object, whose arguments are values."""
    tasks = []
    for task in yaml.safe_load((FOLDER / "objects.yml").read_text()):
        ((module, arguments),) = [(key, value) for key, value in task.items() if "." in key]
        for item in wanted()[task["loop"].strip("{ }")]:
            tasks.append(
                {
                    "name": f"{task['name']}, {item['name']}",
                    module: {key: item[key] for key in arguments if item.get(key) not in (None, "")},
                }
            )
    return [{"name": "Set everything up", "hosts": "localhost", "tasks": tasks}]


if __name__ == "__main__":
    print(yaml.safe_dump(unrolled(), sort_keys=False))
