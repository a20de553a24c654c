# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath expressions of users. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._libraries import jmespath, require_libraries


def compile_query(query: str | None) -> t.Any:
    """A JMESPath expression ready to use; None without one. Raises InvalidInput, LibraryMissing."""
    if query is None:
        return None
    require_libraries("jmespath")
    try:
        return jmespath.compile(query)
    except (jmespath.exceptions.JMESPathError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"query is no JMESPath expression: {error}", remedy="See https://jmespath.org for the language."
        ) from error
