#!/bin/sh
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Mirrors two simulated clusters, twice. Nothing leaves this machine. DEMO_PREFIX=1 gives the endpoints a path of their own.
set -eu
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
simulator=
finish() {
    if [ -n "$simulator" ]; then
        kill "$simulator" 2>/dev/null || true
        wait "$simulator" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

PYTHONPATH=extensions .venv/bin/python -m simulator --scenario demo --exit-with-parent ${DEMO_PREFIX:+--prefix} \
    --env-file "$folder/environment" >"$folder/simulator.log" 2>&1 &
simulator=$!
tries=0
until grep -q IC_API_KEY "$folder/environment" 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$simulator" 2>/dev/null; then
        echo "The simulator did not start:" >&2
        cat "$folder/simulator.log" >&2
        exit 1
    fi
    sleep 0.1
done
. "$folder/environment"

export ANSIBLE_COLLECTIONS_PATH="$PWD/.cl"
export ANSIBLE_HOME="$folder/ansible"
export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false
export ANSIBLE_CALLBACK_RESULT_FORMAT=yaml
export ANSIBLE_NOCOWS=1

mirror() {
    echo
    echo "\$ ansible-playbook mirrorops.event_streams.mirror -e @examples/pair.yml -e mirroring_poll_interval=2"
    .venv/bin/ansible-playbook mirrorops.event_streams.mirror -e @examples/pair.yml -e mirroring_poll_interval=2
}

echo "A simulated IBM Cloud with two Event Streams clusters is running on this machine. First run: everything is new."
mirror
echo "Second run: everything is there, so nothing changes."
mirror
