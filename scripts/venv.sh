#!/bin/sh
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Sets up .venv from requirements/dev.txt, and again when that file changed. Needs only Python >= 3.10 with its venv module.
set -eu
cd "$(dirname "$0")/.."

python=.venv/bin/python
installed=.venv/installed.txt

# The collection, where Ansible looks for it: <path>/ansible_collections/<namespace>/<name>
mkdir -p .cl/ansible_collections/mirrorops
[ -e .cl/ansible_collections/mirrorops/event_streams ] || ln -s ../../.. .cl/ansible_collections/mirrorops/event_streams

if cmp -s requirements/dev.txt "$installed" && "$python" -c ''; then
    exit 0
fi

if ! "$python" -m pip --version >/dev/null 2>&1; then  # none yet, or made with a Python that is gone
    base=
    for name in python3 python3.13 python3.12 python3.11 python3.10 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            base=$name
            break
        fi
    done
    if [ -z "$base" ]; then
        echo "No Python >= 3.10 found. Please install one (Debian, Ubuntu: apt-get install python3 python3-venv)." >&2
        exit 1
    fi
    if ! "$base" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$base has no venv module. Please install it (Debian, Ubuntu: apt-get install python3-venv)." >&2
        exit 1
    fi
    "$base" -m venv --clear .venv
fi

echo "Setting up .venv ($("$python" --version)): uv, and with it the packages of requirements/dev.txt"
"$python" -m pip install --quiet --disable-pip-version-check "$(grep '^uv==' requirements/dev.txt)"
"$python" -m uv pip install --quiet --python "$python" -r requirements/dev.txt
cp requirements/dev.txt "$installed"
