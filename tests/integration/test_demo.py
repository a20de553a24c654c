# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make demo`` as a newcomer runs it: a fresh copy, an empty home, no terminal, and the transcript of the README."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.integration


def load_transcript() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("transcript", ROOT / "scripts/transcript.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fresh_copy(target: Path) -> Path:
    """What git would clone, uncommitted work included."""
    listed = subprocess.check_output(["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, text=True)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def demo(folder: Path, home: Path, **extra: str) -> str:
    passed_on = ("PATH", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "SSL_CERT_FILE")
    environment = {name: os.environ[name] for name in passed_on if name in os.environ}
    done = subprocess.run(
        ["make", "demo"],
        cwd=folder,
        env={**environment, "HOME": str(home), **extra},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_runs_on_a_fresh_copy_and_prints_what_the_readme_shows(tmp_path: Path) -> None:
    transcript = load_transcript()
    home = tmp_path / "home"
    home.mkdir()
    folder = fresh_copy(tmp_path / "an empty folder" / "event_streams")

    first = demo(folder, home)
    assert ".venv" in first.split("A simulated IBM Cloud")[0], "the first run says what it installs"
    expected = transcript.normalised(transcript.shown())
    assert transcript.normalised(first) == expected

    again = demo(folder, home, DEMO_PREFIX="1")
    assert again.startswith("A simulated IBM Cloud"), "the second run installs nothing"
    assert transcript.normalised(again) == expected
