# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that must never be templated. Private to this collection: it may change at any time."""

from __future__ import annotations

import re
import typing as t

from ansible.utils.unsafe_proxy import wrap_var

_COULD_BE_A_TEMPLATE = re.compile(r"[{}]|\A#jinja2:")


def make_unsafe(value: t.Any) -> t.Any:
    """Marks every text that could be taken for a template, however deep. The others stay as they are, because older
    ansible-cores print the mark with ``ansible-inventory --list``."""
    if isinstance(value, dict):
        return {make_unsafe(key): make_unsafe(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [make_unsafe(entry) for entry in value]
    return wrap_var(value) if isinstance(value, str) and _COULD_BE_A_TEMPLATE.search(value) else value
