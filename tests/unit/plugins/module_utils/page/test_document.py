# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.document import (
    POLICY,
    Column,
    badge,
    clean,
    element,
    facts,
    name,
    render,
    section,
    table,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.module_utils.page.reader import Page

ATTACKS = (
    "<img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)",
    "</style><script>alert(1)</script>",
    "<!-- --><![CDATA[ ]]>&lt;&amp;&#0;&#x202e;",
    "a\0b\x1b[31m\ud800\udfff\ufffe\U0001ffff",
    "\u202etxet\u2069\u2066\u200f",
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
    "n" * 5000,
)


def everything(text: str) -> Page:
    """A page with the text wherever one can be."""
    rows = [(name(text), text, badge("fail", text))]
    parts = (
        element("h1", None, name(text)),
        section(text, facts([(text, text), (text, name(text))])),
        table(text, (Column(text), Column(text, numbers=True), Column("State")), rows),
    )
    return Page(render(text, *parts))


@given(st.text(st.characters(), max_size=60))
@example("")
def test_any_text_is_shown_as_text(text: str) -> None:
    """The reader accepts only the elements and attributes that this collection uses."""
    page = everything(text)
    counted = len(page.elements)
    assert counted == len(everything("x").elements)
    wanted = clean(text)
    assert page.texts("title") == [wanted]
    assert set(page.texts("bdi")) == {wanted}
    assert set(page.attributes("bdi", "title")) == {wanted}
    assert page.texts("span", "badge fail") == [wanted]


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_are_shown_as_text(text: str) -> None:
    page = everything(text)
    assert page.texts("bdi")[0] == clean(text)
    assert not {"script", "img"} & {tag for tag, _attributes, _text in page.elements}


def test_what_would_reorder_or_break_a_page_is_replaced_and_all_else_is_kept() -> None:
    assert clean("a\0b\r\x85c\ud800d\u202ee\u2069f\ufffeg") == "a\ufffdb\ufffd\ufffdc\ufffdd\ufffde\ufffdf\ufffdg"
    kept = "orders-\u00fc \u05d0\u0628\U0001f600\u200d\t\nx"
    assert clean(kept) == kept


def test_it_stands_alone() -> None:
    page = everything("x")
    assert page.attributes("meta", "content")[0] == POLICY == "default-src 'none'; style-src 'unsafe-inline'"
    assert not {"script", "link", "a", "img", "iframe", "form"} & {tag for tag, _attributes, _text in page.elements}
    (style,) = page.texts("style")
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_no_secret_is_shown() -> None:
    """Not even one with characters that are escaped, or with white space only, which is none."""
    secrets = ("k&y<1>", "k&y<1>-longer", "\n", "div")
    page = Page(render("k&y<1>", name("a k&y<1>-longer b"), badge("fail", "k&y<1>\n"), secrets=secrets))
    assert page.texts("title") == ["********"]
    assert page.texts("bdi") == ["a ******** b"] == page.attributes("bdi", "title")
    assert page.texts("span") == ["********\n"]
