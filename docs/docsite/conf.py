# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for `make docs`. antsibull-docs writes the sources; nothing is fetched."""

from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref
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


def setup(app: Sphinx) -> None:
    app.connect("missing-reference", link_to_ansible)
