# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no tool can beat: plain requests, one after the other in one session, of everything that a run has read.

limit.py FILE, where FILE holds a JSON list of paths with their queries. Address and key come from the environment.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import requests

GRANT = "urn:ibm:params:oauth:grant-type:apikey"
SECONDS = 60


def main() -> None:
    """Gets a token, then reads everything. The simulator answers for all APIs at one address."""
    address = os.environ["IBMCLOUD_IAM_API_ENDPOINT"]
    with requests.Session() as session:
        form = {"grant_type": GRANT, "apikey": os.environ["IC_API_KEY"]}
        token = session.post(f"{address}/identity/token", data=form, timeout=SECONDS)
        token.raise_for_status()
        session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        for path in json.loads(Path(sys.argv[1]).read_text()):
            session.get(address + path, timeout=SECONDS).json()


if __name__ == "__main__":
    main()
