# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: instances
short_description: Event Streams instances, or mirroring pairs, as hosts
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Finds the Event Streams instances of one or several accounts and makes each a host, or makes a host of each mirroring pair.
  - The name of its file must end in C(event_streams.yml) or C(event_streams.yaml).
  - It only reads. With a valid cache it sends no request at all, not even for a token. Credentials never become variables and are never
    part of the cache.
  - Values that come from the cloud are never templated.
options:
  plugin:
    description: Says that a file belongs to this plugin.
    type: str
    required: true
    choices: [mirrorops.event_streams.instances]
  accounts:
    description:
      - The accounts to look into, each with an identity of its own. Their values may be templates, such as lookups.
      - If not set, one account named V(default), with O(ibmcloud_api_key), O(iam_token) or O(compute_resource), and O(iam_profile).
      - An instance that several of them can see is counted for the first.
    type: list
    elements: dict
    suboptions:
      name:
        description: What the account is called here. It becomes a variable and a group, so that C(group_vars) can map keys to it.
        type: str
        required: true
      ibmcloud_api_key:
        description:
          - As O(ibmcloud_api_key), without the environment. Each account has this, O(accounts[].iam_token) or O(accounts[].compute_resource).
        type: str
      iam_token:
        description: As O(iam_token), without the environment.
        type: str
      compute_resource:
        description: As O(compute_resource).
        type: str
        choices: [container, vpc]
      cr_token_file:
        description: As O(cr_token_file).
        type: path
      iam_profile:
        description: As O(iam_profile), without the environment. One key whose identity several profiles trust reaches several accounts so.
        type: str
  ibmcloud_api_key:
    description:
      - The IBM Cloud API key of the only account; may be a template. Exchanged for a token, which the tasks of the same run use as well.
      - A value such as V(@/path/to/file) names a file that holds the key, bare or as the JSON that the vendor's CLI writes.
      - If not set, E(IC_API_KEY) is used, then E(IBMCLOUD_API_KEY).
    type: str
  iam_token:
    description:
      - A ready-made IAM token, used when there is no API key.
      - If not set, E(IC_IAM_TOKEN) is used, then E(IBMCLOUD_IAM_TOKEN).
    type: str
  search_endpoint:
    description:
      - Base URL of Global Search, which tells the tags; it may have a path.
      - If not set, E(IBMCLOUD_GS_API_ENDPOINT) is used, then the default for O(visibility).
    type: str
  admin_domains:
    description: More domains under which an instance's admin URL is trusted with credentials. The vendor's own are always trusted.
    type: list
    elements: str
    default: []
  strict_permissions:
    description:
      - Whether an account that cannot be read (a key or a trusted profile that is refused, HTTP 401 or 403) fails the inventory.
      - With V(false) it is left out, with a warning. Declared pairs that need it are then left out as well.
    type: bool
    default: true
  mode:
    description: Whether a host is an instance or a mirroring pair.
    type: str
    choices: [instances, pairs]
    default: instances
  pairs_from:
    description:
      - Where pairs come from, with O(mode=pairs).
      - V(declared) takes those in O(pairs).
      - V(tags) takes those whose instances have tags, see O(tag_prefix). A pair with too few or too many tags is left out with a
        warning, or with O(strict=true) fails the inventory.
      - V(observed) takes the instances that mirror now. Where the cloud does not show the source, it is inferred if the source's alias is
        the region of exactly one of the other instances found; else the pair is left out with a warning. What O(filters) and O(query)
        leave out counts as not there.
    type: str
    choices: [declared, tags, observed]
    default: declared
  pairs:
    description: The pairs, with O(pairs_from=declared).
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the pair's host.
        type: str
        required: true
      source:
        description: The mirroring source, by CRN, GUID or unique name, in whichever of the accounts.
        type: str
        required: true
      target:
        description: The mirroring target, likewise.
        type: str
        required: true
      vars:
        description: Further variables of the host, such as C(mirroring_topics). Templates in them stay templates.
        type: dict
  tag_prefix:
    description: Instances of pair C(p) have the tags C(mirroring:p:source) and C(mirroring:p:target), with this in place of C(mirroring).
    type: str
    default: mirroring
  filters:
    description: Only instances that match all of these. The Resource Controller applies all but O(filters.region), which it does not have.
    type: dict
    suboptions:
      name:
        description: Name; not unique.
        type: str
      guid:
        description: GUID.
        type: str
      resource_group_id:
        description: Resource group.
        type: str
      resource_plan_id:
        description: Id of the plan in the catalog.
        type: str
      state:
        description: State. If not set, V(active) and V(provisioning).
        type: str
        choices: [active, inactive, failed, provisioning, pre_provisioning]
      region:
        description: Region.
        type: str
  query:
    description:
      - A JMESPath expression that is applied to the list of instances, as M(mirrorops.event_streams.instance_info) returns them, after
        O(filters). It must yield such a list. It is not templated.
    type: str
  hostname:
    description:
      - Whether an instance's host has the instance's name or its GUID. Instances that share a name have the first eight characters of their
        GUIDs appended, as in V(orders-22222222). Characters that names of instances cannot have are replaced by underscores.
    type: str
    choices: [name, guid]
    default: name
  vars_prefix:
    description: What the names of variables begin with, but for C(mirroring_source) and C(mirroring_target).
    type: str
    default: event_streams_
extends_documentation_fragment:
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.endpoints
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
requirements:
  - python >= 3.10
  - requests
  - jmespath, when O(query) is used
notes:
  - An instance has the variables that M(mirrorops.event_streams.instance_info) returns, and C(account) and C(mirroring), all with the prefix. It is in
    the groups C(event_streams_instances), C(plan_...), C(region_...), C(account_...), C(mirroring_on), C(mirroring_off) or C(mirroring_unknown), and
    C(operation_succeeded), C(operation_failed), C(operation_running), C(operation_unknown) or C(operation_none).
  - A pair has C(mirroring_source) and C(mirroring_target) (CRNs), and with the prefix C(source), C(target), C(source_account), C(target_account), C(mirroring)
    and C(pair_from), which is V(declared), V(tags), V(echoed) or V(inferred). It is in the groups C(event_streams_pairs), C(source_region_...),
    C(target_region_...), and those for the mirroring and the operation of its target.
  - C(mirroring) has C(enabled), C(how) that is known, what M(mirrorops.event_streams.mirroring_info) returns as C(mirroring), and the C(reason) of what is
    unknown. It tells whether data is mirrored B(to) the instance. Each administration API is asked once, for at most 15 seconds; one that does not answer means
    V(unknown). Plans without mirroring are not asked.
  - Ansible takes an inventory that fails for a warning unless E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) is V(true).
seealso:
  - module: mirrorops.event_streams.instance_info
  - module: mirrorops.event_streams.mirroring_info
  - ref: ansible_collections.mirrorops.event_streams.docsite.guide_inventory
    description: The guide with printed trees.
"""

EXAMPLES = r"""
# Each entry is a file of its own; its name ends in event_streams.yml.

# Minimal: the instances of the account of IC_API_KEY.
instances.event_streams.yml:
  plugin: mirrorops.event_streams.instances

# Two accounts with keys from elsewhere, Enterprise only, and groups of one's own.
two_accounts.event_streams.yml:
  plugin: mirrorops.event_streams.instances
  accounts:
    - name: production
      ibmcloud_api_key: "{{ lookup('ansible.builtin.env', 'PRODUCTION_KEY') }}"
    - name: recovery
      ibmcloud_api_key: "@~/.keys/recovery.json"
  filters:
    resource_group_id: 5c49eabcf5e85881a37e2d100a33b3df
  query: "[?plan=='enterprise']"
  keyed_groups:
    - key: event_streams_throughput | string
      prefix: throughput
  groups:
    busy: event_streams_last_operation.state == 'in progress'
  compose:
    console: "'https://cloud.ibm.com/services/messagehub/' ~ (event_streams_crn | urlencode)"
  cache: true
  cache_plugin: ansible.builtin.jsonfile
  cache_connection: ~/.cache/event_streams

# Pairs as they are declared here: ansible-playbook mirrorops.event_streams.mirror -i this file -e mirroring_hosts=event_streams_pairs
declared_pairs.event_streams.yml:
  plugin: mirrorops.event_streams.instances
  mode: pairs
  pairs:
    - name: orders
      source: es-source-us-south
      target: es-target-us-east
      vars:
        mirroring_topics: [^orders.*, ^payments$]

# Pairs as instances are tagged, mirroring:<pair>:source and mirroring:<pair>:target.
tagged_pairs.event_streams.yml:
  plugin: mirrorops.event_streams.instances
  mode: pairs
  pairs_from: tags

# Pairs that mirror now.
observed_pairs.event_streams.yml:
  plugin: mirrorops.event_streams.instances
  mode: pairs
  pairs_from: observed
"""

import json
import typing as t

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.display import Display

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, carry_out
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput, MirrorOpsError
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.discovery import discover
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import (
    REMEDY,
    SPEC,
    FleetOptions,
    read_options,
    secrets_in,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.hosts import (
    INSTANCES_GROUP,
    PAIRS_GROUP,
    Host,
    instance_hosts,
    pair_hosts,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pairs import Fleet, make_pairs
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._shared import SharedTokenStore
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._unsafe import make_unsafe

display = Display()
CACHE_FORMAT = 1
NOT_TEMPLATED = ("query",)


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Reads options, finds out, and puts hosts into the inventory. Everything that is decided is decided elsewhere."""

    NAME = "mirrorops.event_streams.instances"
    inventory: t.Any
    loader: t.Any

    def verify_file(self, path: str) -> bool:
        """Whether a file is meant for this plugin."""
        return bool(super().verify_file(path)) and path.endswith(("event_streams.yml", "event_streams.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Ansible's entry point. Nothing gets into the inventory before everything is known."""
        super().parse(inventory, loader, path, cache)
        secrets: set[str] = set()
        try:
            options = read_options(self._given(path, secrets), secrets)
            fleet = self._fleet(options, path, cache, secrets)
            hosts, warnings = self._hosts(options, fleet)
        except (AnsibleError, MirrorOpsError) as error:
            trace = getattr(error, "details", {}).get("traceback")
            if trace:
                display.vvv(str(remove_values(trace, secrets)))
            raise AnsibleParserError(str(remove_values(str(error), secrets))) from None
        for warning in warnings:
            display.warning(str(remove_values(warning, secrets)))
        inventory.add_group(INSTANCES_GROUP if options.source == "instances" else PAIRS_GROUP)
        for host in hosts:
            self._add(host)

    def _given(self, path: str, secrets: set[str]) -> dict[str, t.Any]:
        """The options in the file, templates resolved. What is wrong with them may not show a secret, so those are collected first."""
        raw = self.loader.load_from_file(path, cache="none")
        if not isinstance(raw, dict):
            raise InvalidInput(f"{path} holds no options", remedy=REMEDY)
        secrets.update(secrets_in(raw))
        for name in ("accounts", "pairs"):
            if isinstance(raw.get(name), dict):
                raise InvalidInput(f"{name} is a dictionary, not a list of dictionaries", remedy=REMEDY)
        config = self._read_config_data(path)
        unknown = sorted(str(name) for name in config if name not in self._options)
        if unknown:
            raise InvalidInput(f"there is no option {', '.join(unknown)}", remedy=REMEDY)
        self.templar.available_variables = self._vars or {}
        given = {name: config[name] for name in SPEC.options if config.get(name) is not None}
        return {name: value if name in NOT_TEMPLATED else self._templated(value, name) for name, value in given.items()}

    def _templated(self, value: t.Any, name: str) -> t.Any:
        """A value with its templates resolved, but for the variables of pairs, which are the hosts' own."""
        if name == "pairs" and isinstance(value, list):
            return [
                {
                    key: entry if key == "vars" else self._templated(entry, f"{key} of a pair")
                    for key, entry in pair.items()
                }
                if isinstance(pair, dict)
                else pair
                for pair in value
            ]
        try:
            return _plain(self.templar.template(value))
        except AnsibleError as error:
            raise InvalidInput(f"{name} cannot be templated: {error}", remedy=REMEDY) from None

    def _fleet(self, options: FleetOptions, path: str, cache: bool, secrets: set[str]) -> Fleet:
        """What was found: out of the cache, if it was found in the same places in the same way."""
        key, kept = self.get_cache_key(path), bool(self.get_option("cache"))
        wanted = {"format": CACHE_FORMAT, "inputs": json.loads(json.dumps(options.inputs()))}
        if kept and cache:
            before = self._cache.get(key)
            if isinstance(before, dict) and {**before, "fleet": None} == {**wanted, "fleet": None}:
                return t.cast(Fleet, before["fleet"])
        call = Call(
            params=options.params,
            tokens=SharedTokenStore(),
            trace=lambda text: display.vvv(str(remove_values(text, secrets))),
            warn=lambda text: display.warning(str(remove_values(text, secrets))),
            secrets=secrets,
        )
        found = carry_out(lambda call: t.cast("dict[str, t.Any]", discover(call, options)), call)
        fleet = json.loads(json.dumps(remove_values(found, secrets)))
        if kept:
            self._cache[key] = {**wanted, "fleet": fleet}
        return t.cast(Fleet, fleet)

    def _hosts(self, options: FleetOptions, fleet: Fleet) -> tuple[list[Host], list[str]]:
        warnings = [f"Account {one['account']!r} is left out. {one['reason']}" for one in fleet["skipped"]]
        if options.source == "instances":
            return instance_hosts(options, fleet), warnings
        pairs = make_pairs(options, fleet)
        if pairs.mistakes and self.get_option("strict"):
            raise InvalidInput(
                " ".join(pairs.mistakes), remedy="Correct the tags; with strict: false the others are used."
            )
        return pair_hosts(options, pairs.pairs), [*warnings, *pairs.mistakes, *pairs.warnings]

    def _add(self, host: Host) -> None:
        name = self.inventory.add_host(host.name)
        for group in host.groups:
            self.inventory.add_child(self.inventory.add_group(self._sanitize_group_name(group)), name)
        variables = {**host.variables, **{key: make_unsafe(value) for key, value in host.facts.items()}}
        for key, value in variables.items():
            self.inventory.set_variable(name, key, value)
        strict = self.get_option("strict")
        variables["inventory_hostname"] = name
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)


def _plain(value: t.Any) -> t.Any:
    """A value without Ansible's own types, as those for vaulted text."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)
