#!/bin/sh
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Unpacks Debian's package prometheus into .cache/prometheus, for tests only, unless it is installed already. Needs no rights of an
# administrator. Where it cannot be had, the tests that need it are skipped and say so.
set -eu
cd "$(dirname "$0")/.."

folder=.cache/prometheus
if command -v prometheus >/dev/null && command -v promtool >/dev/null || [ -x "$folder/usr/bin/promtool" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "Prometheus is missing, and this is no Debian to get it from."
    exit 0
fi
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
if ! apt-get -qq download prometheus 2>/dev/null; then
    [ "$(id -u)" != 0 ] || apt-get -qq update || true
    apt-get -qq download prometheus || { echo "The package prometheus cannot be had."; exit 0; }
fi
dpkg-deb --extract prometheus_*.deb .
rm prometheus_*.deb
