# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.plugin_utils import _unsafe
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._unsafe import make_unsafe


class Marked(str):
    """Stands in for the mark, which newer ansible-cores make by leaving another one away."""

    __slots__ = ()


@pytest.fixture(autouse=True)
def visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_unsafe, "wrap_var", Marked)


@pytest.mark.parametrize("text", ["{{ x }}", "{% x %}", "{# x #}", "a } b", "#jinja2: line_statement_prefix: '%'\n% x"])
def test_texts_that_could_be_templates(text: str) -> None:
    marked = make_unsafe({"a": [text, {text: text}]})
    assert marked == {"a": [text, {text: text}]}
    inner = marked["a"][1]
    assert all(isinstance(one, Marked) for one in (marked["a"][0], *inner, *inner.values()))


@pytest.mark.parametrize("value", ["es-target", "", "crn:v1:x", "a\n#jinja2:", 5, None, True, 1.5])
def test_others_stay_as_they_are(value: t.Any) -> None:
    assert make_unsafe([value])[0] is value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="ab{}%#"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet="ab{}"), inner),
)


@given(JSON)
def test_values_stay_equal(value: t.Any) -> None:
    assert make_unsafe(value) == value
