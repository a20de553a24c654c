#!/bin/sh
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs Chromium and its driver, for tests only, where this is Debian and we are root. Where they cannot be had, the tests that need
# them are skipped and say so.
set -eu

if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Chromium or its driver is missing, so no page is looked at (Debian: apt-get install chromium chromium-driver)"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive

install() {
    apt-get -qq -y --no-install-recommends install chromium chromium-driver >/dev/null
}

if ! install 2>/dev/null; then
    apt-get -qq update || true
    install || echo "The packages chromium and chromium-driver cannot be had."
fi
