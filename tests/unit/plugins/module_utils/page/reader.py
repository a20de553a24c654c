# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a page back, as a browser would, for tests."""

from __future__ import annotations

import html.parser

VOID = {"meta", "br", "hr", "img", "link", "input"}
KNOWN = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1", "h2", "p", "span", "bdi", "dl", "div", "dt",
    "dd", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "figure", "figcaption", "svg", "desc", "line", "path",
    "ul", "li",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "title", "role", "aria-label", "aria-hidden", "tabindex", "scope", "open",
    "style", "viewbox", "preserveaspectratio", "x1", "x2", "y1", "y2", "d",
}  # fmt: skip


class Page(html.parser.HTMLParser):
    """The elements in order, each with its attributes and the text right in it, and where tables end; raises AssertionError for what no page has."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(page.decode())
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        assert tag in KNOWN, tag
        attributes = {name: value or "" for name, value in attrs}
        assert attributes.keys() <= ATTRIBUTES, attributes
        self.elements.append((tag, attributes, []))
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        assert self._open.pop()[0] == tag
        if tag == "table":
            self.elements.append(("/table", {}, []))

    def handle_data(self, data: str) -> None:
        """Text."""
        if self._open:
            self._open[-1][2].append(data)

    def handle_comment(self, data: str) -> None:
        """No page has a comment."""
        raise AssertionError(data)

    def texts(self, tag: str, kind: str | None = None) -> list[str]:
        """The texts right in elements of a kind, in order."""
        return [
            "".join(text)
            for name, attributes, text in self.elements
            if name == tag and kind in (None, attributes.get("class"))
        ]

    def attributes(self, tag: str, name: str) -> list[str]:
        """The values of an attribute, in order."""
        return [attributes[name] for one, attributes, _text in self.elements if one == tag and name in attributes]

    @property
    def text(self) -> str:
        """All text that is not style."""
        return " ".join("".join(text) for tag, _attributes, text in self.elements if tag != "style")
