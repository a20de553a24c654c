# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearses on a snapshot of a cloud: loads it into the simulator and runs playbooks on that, with the user's own variables.

Nothing leaves this machine: all endpoints are the simulator's, no credential and no proxy of the user's environment is passed on, and
Ansible's Python can reach the loopback address only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from simulator import Rehearsal, ScenarioError, Simulator, SnapshotError, load_snapshot, scenario_of
from simulator.rehearsal import api_key

ROOT = Path(__file__).resolve().parent.parent
DEMO_OPTIONS = ["-e", f"@{ROOT / 'examples/pair.yml'}"]
FOREIGN = ("IC_", "IBMCLOUD_", "BM_", "BLUEMIX_")
OWN_ADDRESS = re.compile(
    r"^[\s-]*(ibmcloud_api_key|iam_token|compute_resource|iam_profile|"
    r"iam_endpoint|metadata_endpoint|resource_controller_endpoint|search_endpoint)\s*:",
    re.MULTILINE,
)
SIDES = ("source", "target")
SECONDS = {
    "poll_interval": 0.5,
    "wait_timeout": 300,
    "settle_timeout": 5,
    "topics_timeout": 60,
    "authorization_timeout": 60,
}
"""Time limits for a cloud in which an update takes seconds."""

UNPROVEN = (
    "how long the real cloud takes: an update there takes up to two hours",
    "data: the simulator has topics, but no messages in them, and no offsets of consumer groups",
    "whether your API keys have the rights that are needed, and whether networks let everybody through",
    "what the real cloud does in places where nobody documents it",
)


class Step(NamedTuple):
    """One playbook of the rehearsal, and what happens before it: an event that the simulator plays."""

    title: str
    playbook: str
    event: str = ""
    mode: str | None = None


STEPS = (
    Step("Mirror", "mirror"),
    Step("Check that the target mirrors what was asked", "validate"),
    Step("Fail over", "failover", "Producers stop", "planned"),
    Step("Turn the pair round", "reverse", "Applications use the targets, and write to topics there"),
    Step("Come back", "failback"),
    Step("Fail over, unplanned", "failover", "The sources are gone: nobody answers for them any more", "unplanned"),
)
"""What is rehearsed, in order."""


class Refused(Exception):
    """The rehearsal cannot be run; the text says why."""


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="rehearse", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--snapshot", type=Path, help="a file that the role snapshot wrote; default: one of the demo's cloud"
    )
    parser.add_argument(
        "options", nargs="*", help="options for ansible-playbook, after --: your inventory and variables"
    )
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
            return rehearse(given.snapshot, given.options, Path(folder))
    except (Refused, ScenarioError, SnapshotError) as problem:
        print(f"rehearse: {problem}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 2


def rehearse(path: Path | None, options: list[str], folder: Path) -> int:
    """Run every step; return the exit code."""
    if path is None:
        options = options or DEMO_OPTIONS
        path = folder / "demo.json"
        say("First, a snapshot of the demo's cloud, as you would take one of yours")
        if take_snapshot(path, options, folder):
            raise Refused("the snapshot could not be taken, see above")
    snapshot = load_snapshot(path)
    refuse_own_addresses(options)
    rehearsal = scenario_of(snapshot)
    tell(snapshot, rehearsal)
    variables = folder / "rehearsal.json"
    variables.write_text(json.dumps(overrides(snapshot, folder / "records"), indent=1))
    with Simulator(rehearsal.scenario) as simulator:
        for number, step in enumerate(STEPS, 1):
            say(f"Step {number} of {len(STEPS)}: {step.title}")
            if step.event:
                print(f"{step.event}.\n", flush=True)
            play(step, snapshot, simulator)
            before = len(simulator.journal)
            given = [*options, "-e", f"@{variables}", "-e", json.dumps(confirmed(step, snapshot))]
            code = run(step.playbook, given, simulator, folder)
            if step.mode == "unplanned" and not code:
                code = refuse_requests(snapshot, simulator.journal[before:])
            if code:
                say(
                    f"Step {number} of {len(STEPS)}, {step.title}, has failed. What it says above, it would say of your cloud"
                )
                return code
        return conclude(snapshot, simulator)


def play(step: Step, snapshot: dict[str, Any], simulator: Simulator) -> None:
    """Let happen what happens before a step."""
    if step.playbook == "failover" and step.mode == "planned":
        simulator.stop_producers()
    if step.playbook == "reverse":
        for guid in {pair["target"] for pair in snapshot["pairs"]}:
            topics = simulator.instance(guid).live_topics()
            there = {topic.name for topic in topics}
            for name in {topic.remote_of for topic in topics if topic.remote_of} - there:
                simulator.create_topic(guid, name)
    if step.mode == "unplanned":
        for guid in gone(snapshot):
            simulator.add_fault("status", status=503, instance=guid, times=None)


def gone(snapshot: dict[str, Any]) -> set[str]:
    """Return the instances that are lost in the unplanned failover: the sources that are nobody's target."""
    return {pair["source"] for pair in snapshot["pairs"]} - {pair["target"] for pair in snapshot["pairs"]}


def refuse_requests(snapshot: dict[str, Any], journal: list[dict[str, Any]]) -> int:
    """Fail if anything was asked of an instance that is lost; return the exit code."""
    asked = [
        f"{entry['method']} {entry['path']}"
        for entry in journal
        if any(guid in (entry["instance"] or entry["path"]) for guid in gone(snapshot))
    ]
    print(f"Requests that need a source that is gone: {len(asked)}", *asked, sep="\n")
    return 1 if asked else 0


def confirmed(step: Step, snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of a step: that all pairs of the snapshot are meant, and how to fail over."""
    targets = sorted({pair["target"] for pair in snapshot["pairs"]})
    return {f"{step.playbook}_confirm": targets, **({"failover_mode": step.mode} if step.mode else {})}


def take_snapshot(path: Path, options: list[str], folder: Path) -> int:
    """Take a snapshot of the demo's cloud with the playbook snapshot."""
    with Simulator("demo") as simulator:
        return run("snapshot", [*options, "-e", f"snapshot_file={path}"], simulator, folder)


def run(playbook: str, options: list[str], simulator: Simulator, folder: Path) -> int:
    """Run one playbook of the collection on a simulator; return its exit code."""
    command = ["ansible-playbook", f"mirrorops.event_streams.{playbook}", *options]
    print("$", *command, flush=True)
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run([program, *command[1:]], env=surroundings(simulator, folder), check=False).returncode


def surroundings(simulator: Simulator, folder: Path) -> dict[str, str]:
    """Return the environment of a run: the simulator's endpoints and keys, and nothing that leads elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) and not name.lower().endswith(("_proxy", "_ca_bundle"))
    }
    collections = [str(ROOT / ".cl"), *filter(None, [os.environ.get("ANSIBLE_COLLECTIONS_PATH")])]
    return {
        **kept,
        **simulator.environment(),
        "no_proxy": "*",
        "NO_PROXY": "*",
        "NETRC": os.devnull,
        "PYTHONPATH": str(ROOT / "scripts/loopback_only"),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(collections),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_CACHE_PLUGIN": "memory",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_NOCOWS": "1",
    }


def overrides(snapshot: dict[str, Any], records: Path) -> dict[str, Any]:
    """Return the variables that go before the user's own: whatever names a key, a place or a time of the real cloud, and where records go.

    Each role has them by its own name too. The keys depend on the pair, which is the host.
    """
    accounts = {one["guid"]: one["account_id"] for one in snapshot["instances"]}
    keys = {one["name"]: {side: api_key(accounts[one[side]]) for side in SIDES} for one in snapshot["pairs"]}
    keys[""] = keys[snapshot["pairs"][0]["name"]]
    own = "rehearsal_keys[inventory_hostname if inventory_hostname in rehearsal_keys else '']"
    nouns: dict[str, Any] = {**SECONDS, "wait": True, "page": None, "records": str(records), "metric_names": {}}
    for side in SIDES:
        nouns |= {f"{side}_api_key": f"{{{{ {own}.{side} }}}}", f"{side}_admin_url": None}
        nouns |= {f"{side}_compute_resource": None, f"{side}_iam_profile": None}
    prefixes = ["mirroring", *sorted(path.name for path in (ROOT / "roles").iterdir())]
    return {
        "rehearsal_keys": keys,
        **{f"{prefix}_{noun}": value for prefix in prefixes for noun, value in nouns.items()},
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }


def refuse_own_addresses(options: list[str]) -> None:
    """Refuse inventories of this collection that name a key or an endpoint: those would go before the simulator's. Raises Refused."""
    for path in inventories(options):
        files = sorted(path.rglob("*event_streams.y*ml")) if path.is_dir() else [path] if path.is_file() else []
        for file in files:
            named = OWN_ADDRESS.search(file.read_text(errors="replace"))
            if file.name.endswith(("event_streams.yml", "event_streams.yaml")) and named:
                raise Refused(
                    f"{file} names {named[1]}, which would go before the simulator's. Take it out, and give it in the "
                    "environment when you work with the real cloud."
                )


def inventories(options: list[str]) -> Iterable[Path]:
    """Return the inventories among options of ansible-playbook, or those of the environment."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-i", "--inventory", "--inventory-file", action="append", default=[])
    given = parser.parse_known_args(options)[0].inventory or os.environ.get("ANSIBLE_INVENTORY", "").split(",")
    return [Path(one) for one in given if one and "," not in one]


def say(text: str) -> None:
    """Show where the rehearsal is."""
    print(f"\n== {text}.\n", flush=True)


def tell(snapshot: dict[str, Any], rehearsal: Rehearsal) -> None:
    """Show what is rehearsed, and what of it is assumed."""
    names = {one["guid"]: one["name"] for one in snapshot["instances"]}
    say(f"Rehearsing on a snapshot of {snapshot['taken_at']}, in a simulated cloud on this machine")
    for pair in snapshot["pairs"]:
        print(f"{pair['name']}: {names[pair['source']]} -> {names[pair['target']]}")
    if rehearsal.assumed:
        print("\nThe snapshot does not have everything:")
    for line in rehearsal.assumed:
        print(f"* {line}")


def conclude(snapshot: dict[str, Any], simulator: Simulator) -> int:
    """Show what was proven and what was not; a request that breaks the documented contract is a failure."""
    violations = simulator.violations()
    for entry in violations:
        print(f"{entry['method']} {entry['path']}: {entry['violation']}")
    if violations:
        say("A request broke the documented contract of the cloud; please report that")
        return 1
    say(f"The rehearsal has passed, with {len(simulator.journal)} requests, all of them on this machine")
    print("With your variables, on a copy of your cloud as of", snapshot["taken_at"] + ":")
    for step in STEPS:
        print(f"* {step.title}: done")
    print("\nWhat a rehearsal cannot show:")
    for line in UNPROVEN:
        print(f"* {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
