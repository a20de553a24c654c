# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the unit tests of the plugins share."""

from __future__ import annotations

import os
import typing as t

import pytest
from hypothesis import settings

from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import FakeClock

settings.register_profile("plugins", deadline=None)
settings.load_profile("plugins")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own environment reaches a test."""
    for name in list(os.environ):
        if name.startswith(("IC_", "IBMCLOUD_")) or name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", os.devnull)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that only moves by sleeping."""
    return FakeClock()


@pytest.fixture
def server() -> t.Iterator[Scripted]:
    """A scripted server; at the end of the test its script must have been followed to the end."""
    scripted = Scripted()
    try:
        yield scripted
    finally:
        scripted.close()
    assert not scripted.problems()
