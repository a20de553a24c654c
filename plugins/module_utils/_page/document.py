# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A page of HTML that stands alone: no scripts, nothing loaded from elsewhere. Pure.

Private to this collection: it may change at any time. Whatever a text holds, it is shown as text: the library escapes it, and what no
document can hold, or what would reorder its surroundings, is replaced.
"""

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.style import STYLE
from ansible_collections.mirrorops.event_streams.plugins.module_utils._secrets import masking

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
REPLACEMENT = "\ufffd"
SPOKEN = {"title", "aria-label"}
"""Attributes that hold text from elsewhere."""

_UNFIT = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f"  # control characters except tab and line feed
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # halves of characters, and what is none
    "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]"  # what reorders text
    f"|[{''.join(chr(plane * 0x10000 + last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))}]"
)

Child: t.TypeAlias = "ET.Element | str"


class Column(t.NamedTuple):
    """A column of a table; numbers are aligned to the right."""

    heading: str
    numbers: bool = False


def clean(text: str) -> str:
    """The text as a page can hold it."""
    return _UNFIT.sub(REPLACEMENT, text)


def element(tag: str, attributes: dict[str, str] | None = None, *children: Child) -> ET.Element:
    """An element with texts and other elements in it."""
    made = ET.Element(tag, attributes or {})
    for child in children:
        if isinstance(child, ET.Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + child
        else:
            made.text = (made.text or "") + child
    return made


def name(text: str) -> ET.Element:
    """A name from elsewhere: however long, and in whatever direction it is written, it leaves its surroundings alone."""
    return element("bdi", {"class": "name", "title": text}, text)


def badge(tone: str, words: str) -> ET.Element:
    """A state in words; the tone, which is ``pass``, ``warn``, ``fail`` or ``unknown``, only adds a colour."""
    return element("span", {"class": f"badge {tone}"}, words)


def facts(pairs: t.Iterable[tuple[str, Child]]) -> ET.Element:
    """What there is to know, each with what it is."""
    return element(
        "dl",
        None,
        *(element("div", None, element("dt", None, what), element("dd", None, fact)) for what, fact in pairs),
    )


def table(label: str, columns: t.Sequence[Column], rows: t.Iterable[t.Sequence[Child]]) -> ET.Element:
    """A table in a box of its own, in which it is moved where the screen is narrow. One without numbers is told row by row there."""

    def cell(tag: str, column: Column, child: Child) -> ET.Element:
        more = {"scope": "col"} if tag == "th" else {}
        return element(tag, {**({"class": "number"} if column.numbers else {}), **more}, child)

    head = element("tr", None, *(cell("th", column, column.heading) for column in columns))
    body = [
        element("tr", None, *(cell("td", column, child) for column, child in zip(columns, row, strict=True)))
        for row in rows
    ]
    made = element("table", None, element("thead", None, head), element("tbody", None, *body))
    kind = "compact" if any(column.numbers for column in columns) else "told"
    return element("div", {"class": f"scroll {kind}", "role": "region", "aria-label": label, "tabindex": "0"}, made)


def section(heading: str, *children: Child) -> ET.Element:
    """A part of the page."""
    return element("section", None, element("h2", None, heading), *children)


def render(title: str, *children: Child, secrets: t.Collection[str] = ()) -> bytes:
    """The whole document, in UTF-8. No text shows any of the secrets: nobody masks a file, as Ansible does with results."""
    head = element(
        "head",
        None,
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("title", None, title),
        element("style", None, STYLE),
    )
    root = element("html", {"lang": "en"}, head, element("body", None, element("main", None, *children)))
    masked = masking(secrets)
    for one in root.iter():
        one.text = clean(masked(one.text)) if one.text and one.tag != "style" else one.text
        one.tail = clean(masked(one.tail)) if one.tail else None
        for attribute in SPOKEN & one.attrib.keys():
            one.attrib[attribute] = clean(masked(one.attrib[attribute]))
    return f"<!DOCTYPE html>\n{ET.tostring(root, encoding='unicode', method='html')}\n".encode()
