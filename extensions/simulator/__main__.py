# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line: python -m simulator --scenario FILE_OR_NAME, or --snapshot FILE."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

from .rehearsal import scenario_of
from .scenario import ScenarioError, load_scenario, scenario_names
from .simulator import Simulator
from .snapshot import SnapshotError, load_snapshot
from .switches import table


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulator", description="A local simulator of IBM Cloud, without network.")
    parser.add_argument("--scenario", help="a scenario file, or the name of one that comes with the simulator")
    parser.add_argument("--snapshot", type=Path, metavar="FILE", help="a file that the role snapshot wrote")
    parser.add_argument(
        "--write-scenario", type=Path, metavar="FILE", help="write what the snapshot becomes into this file, and end"
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="write the port into this file when ready")
    parser.add_argument("--env-file", type=Path, help="write export lines for a shell into this file when ready")
    parser.add_argument("--account", help="whose API key goes into the env file (id or name; default: the first)")
    parser.add_argument("--prefix", action="store_true", help="endpoints in the env file carry a path")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="serve https with this certificate chain (PEM)")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key (PEM, without passphrase)")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when the parent process ends")
    parser.add_argument("--list-scenarios", action="store_true", help="print the names of all scenarios")
    parser.add_argument("--list-switches", action="store_true", help="print all switches")
    return parser


def _publish(path: Path, text: str) -> None:
    """Write a file so that nobody sees half of it; it may hold an API key, so only the owner may read it."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not options.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key, password=str)  # never ask for one
    except OSError as problem:
        raise OSError(f"{options.tls_cert} and {options.tls_key} are no certificate with its key: {problem}") from None
    return context


def _of_snapshot(path: Path) -> dict[str, Any]:
    """Return the scenario of a snapshot, and tell what of it is assumed."""
    scenario, assumed = scenario_of(load_snapshot(path))
    for line in assumed:
        print(f"simulator: {line}", file=sys.stderr)
    return scenario


def _run(options: argparse.Namespace) -> int:
    parent = os.getppid()
    scenario = _of_snapshot(options.snapshot) if options.snapshot else options.scenario
    if options.write_scenario:
        _publish(options.write_scenario, json.dumps(load_scenario(scenario), indent=2, ensure_ascii=False) + "\n")
        return 0
    simulator = Simulator(scenario, options.port, tls=_tls(options))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: simulator.ended.set())
    with simulator:
        try:
            variables = simulator.environment(options.account, prefix=options.prefix)
        except KeyError as problem:
            print(f"simulator: {problem.args[0]}", file=sys.stderr)
            return 2
        if options.env_file:
            lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
            _publish(options.env_file, "".join(lines))
        if options.port_file:
            _publish(options.port_file, simulator.url.rpartition(":")[2] + "\n")
        print(f"simulator ready at {simulator.url}", flush=True)
        while not simulator.ended.wait(0.2):
            if options.exit_with_parent and os.getppid() != parent:
                break
    return 0


def main() -> int:
    """Run the command line."""
    parser = _arguments()
    options = parser.parse_args()
    if options.list_switches:
        print(table())
        return 0
    if options.list_scenarios:
        for name in scenario_names():
            print(f"{name}: {load_scenario(name).get('description', '')}")
        return 0
    if bool(options.scenario) == bool(options.snapshot):
        parser.error("one of --scenario and --snapshot is needed")
    if options.write_scenario and not options.snapshot:
        parser.error("--write-scenario goes with --snapshot")
    if bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key go together")
    try:
        return _run(options)
    except (ScenarioError, SnapshotError) as problem:
        print(f"simulator: {problem}", file=sys.stderr)
    except (OSError, OverflowError) as problem:
        print(f"simulator: cannot start: {problem}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
