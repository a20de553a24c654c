# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Version of the collection. Private to this collection: it may change at any time."""

from __future__ import annotations

COLLECTION_VERSION = "1.0.0"
