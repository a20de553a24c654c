# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.origin import (
    is_foreign,
    unclear,
    unverified_origin,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import State, observe
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import SOURCE, THIRD, crn, instance

ECHO = {"source_crn": crn(), "source_alias": "us-south", "target_alias": "us-east"}
NAME = "es-source"


def mirrors(echo: t.Any = None, topics: list[str] | None = None, selection: t.Any = ()) -> State:
    parameters = {} if echo is None else {"mirroring": echo}
    return observe(instance(parameters=parameters), None if selection is None else list(selection), topics)


@pytest.mark.parametrize(
    ("state", "other", "given", "alias", "foreign"),
    [
        (mirrors(ECHO), crn(), NAME, "dc1", False),
        (mirrors(ECHO), crn(THIRD), NAME, "us-south", True),
        (mirrors(ECHO), None, crn(), "dc1", False),
        (mirrors(ECHO), None, crn(THIRD), "us-south", True),
        (mirrors(ECHO), None, SOURCE.upper(), "dc1", False),
        (mirrors(ECHO), None, THIRD, "us-south", True),
        # By a name nobody can tell, so the alias decides, if one is known.
        (mirrors(ECHO), None, NAME, "dc1", True),
        (mirrors(ECHO), None, NAME, None, False),
        (mirrors(None, ["us-south.checkpoints.internal"]), crn(), NAME, "us-south", False),
        (mirrors(None, ["us-south.checkpoints.internal"]), crn(), NAME, "dc1", True),
        (mirrors(None, []), crn(), NAME, "dc1", False),
        (mirrors(None, [], None), crn(THIRD), NAME, "dc1", False),
    ],
)
def test_whether_it_mirrors_something_else(
    state: State, other: str | None, given: str, alias: str | None, foreign: bool
) -> None:
    assert is_foreign(state, other, given, alias) is foreign


def test_of_several_that_have_left_traces_none_is_chosen() -> None:
    traces = ["eu-de", "us-south"]
    told = unclear("es-target", mirrors(None, []), traces, "us-south")
    assert "from eu-de and from us-south" in told and "this pair is about us-south" in told
    assert "this pair" not in unclear("es-target", mirrors(None, []), traces, None)
    for state, found in ((mirrors(ECHO), traces), (mirrors(None, []), traces[:1]), (mirrors(None, [], None), traces)):
        assert unclear("es-target", state, found, None) == ""


@pytest.mark.parametrize(
    ("state", "given", "words"),
    [
        (mirrors(ECHO), NAME, f"It shows {crn()} as its source; whether that is es-source was not asked"),
        (mirrors(None, ["us-south.checkpoints.internal"]), crn(), "It shows us-south as its source"),
        (mirrors(None, []), NAME, "It does not show its source"),
        (mirrors(ECHO), crn(), ""),
        (mirrors(ECHO), SOURCE, ""),
        (mirrors(None, [], None), NAME, ""),
    ],
)
def test_what_nobody_has_asked_is_told(state: State, given: str, words: str) -> None:
    told = " ".join(unverified_origin("es-target", state, given))
    assert words in told and bool(told) is bool(words)
