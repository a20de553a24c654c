# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath expressions of users. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._libraries import load_jmespath

LANGUAGE = "See https://jmespath.org for the language."


class Query:
    """One expression, ready to use. Raises InvalidInput for what is none, LibraryMissing."""

    def __init__(self, expression: str) -> None:
        library = load_jmespath()
        self._troubles = (library.exceptions.JMESPathError, ValueError, OverflowError, RecursionError)
        try:
            self._compiled = library.compile(expression)
        except self._troubles as error:
            raise InvalidInput(f"query is no JMESPath expression: {error}", remedy=LANGUAGE) from error

    def search(self, found: t.Any, remedy: str = LANGUAGE) -> t.Any:
        """What the expression makes of that. Raises InvalidInput, with this remedy, if it fails."""
        try:
            return self._compiled.search(found)
        except self._troubles as error:
            raise InvalidInput(f"query failed: {error}", remedy=remedy) from error
