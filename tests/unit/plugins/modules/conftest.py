# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of modules share."""

from __future__ import annotations

import pytest

from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, use_clock
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import FakeClock


@pytest.fixture
def cloud(server: Scripted, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A scripted cloud, and a clock that moves by sleeping only."""
    use_clock(monkeypatch, clock)
    return Cloud(server)
