# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for `make docs`. antsibull-docs writes the sources; nothing is fetched."""

from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref, toctree
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

project = "mirrorops.event_streams"
author = "Contributors to mirrorops.event_streams"
copyright = author

extensions = ["sphinx_antsibull_ext"]
highlight_language = "YAML+Jinja"
pygments_style = "ansible"

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sphinx = False
html_use_index = False

ANSIBLE = "https://docs.ansible.com/ansible/latest/"
ELSEWHERE = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "ansible_collections.ansible.builtin.selectattr_filter": "collections/ansible/builtin/selectattr_filter.html",
    **{
        variable: f"reference_appendices/config.html#envvar-{variable}"
        for variable in (
            "ANSIBLE_CACHE_PLUGIN",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION",
            "ANSIBLE_CACHE_PLUGIN_PREFIX",
            "ANSIBLE_CACHE_PLUGIN_TIMEOUT",
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED",
        )
    },
}
"""Where Ansible's own documentation has what the generated pages refer to, below its address."""


def link_to_ansible(
    _app: Sphinx, _env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.reference | None:
    """A link for what is in ELSEWHERE. Anything else that is missing stays a warning."""
    page = ELSEWHERE.get(node["reftarget"])
    return page and nodes.reference("", "", text, refuri=ANSIBLE + page, internal=False)


def tidy(_app: Sphinx, page: nodes.document) -> None:
    """Leave out what the theme has at the side of each page, and say in the menu what the lists are."""
    for heading in page.findall(nodes.title):
        name = heading.astext().removeprefix(f"{project}.")
        heading[:] = [nodes.Text(project if name.lower() == project else name)]
        break
    for contents in list(page.findall(lambda node: isinstance(node, nodes.topic) and "contents" in node["classes"])):
        contents.parent.remove(contents)
    for menu in page.findall(toctree):
        if menu["hidden"] and isinstance(menu.parent.parent, nodes.section):
            menu["caption"] = menu["rawcaption"] = menu.parent.parent[0].astext().replace("Role Index", "Roles")


def shorten_menu(app: Sphinx, _page: nodes.document) -> None:
    """In the menu, "name module" is enough of "name module - what it does"."""
    for entry in app.env.tocs[app.env.docname].findall(nodes.reference):
        entry[:] = [nodes.Text(entry.astext().partition(" \N{EN DASH} ")[0])]
        break


def setup(app: Sphinx) -> None:
    app.connect("missing-reference", link_to_ansible)
    app.connect("doctree-read", tidy, priority=100)  # before Sphinx takes the titles for its menus
    app.connect("doctree-read", shorten_menu, priority=900)
