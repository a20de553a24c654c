# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a task's options to clients: endpoints, identities, admin URLs. Private to this collection: it may change at any time."""

from __future__ import annotations

import functools
import typing as t
import urllib.parse

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api, Bearer
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Admin
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.iam import Iam
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import (
    Monitoring,
    monitoring_region,
    read_guid,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.resource_controller import (
    ResourceController,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.search import Search
from ansible_collections.mirrorops.event_streams.plugins.module_utils._endpoint import check_endpoint, is_loopback
from ansible_collections.mirrorops.event_streams.plugins.module_utils._grants import (
    ByApiKey,
    ByAssumption,
    ByComputeResource,
    ByVirtualServer,
    Profile,
    read_profile,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http
from ansible_collections.mirrorops.event_streams.plugins.module_utils._identity import OWN, SOURCE, Side
from ansible_collections.mirrorops.event_streams.plugins.module_utils._token import (
    FixedToken,
    IamToken,
    iam_id,
    read_api_key,
)

HOSTS = {
    "iam_endpoint": {
        "public": "https://iam.cloud.ibm.com",
        "private": "https://private.iam.cloud.ibm.com",
        "regional": "https://private.{region}.iam.cloud.ibm.com",
    },
    "resource_controller_endpoint": {
        "public": "https://resource-controller.cloud.ibm.com",
        "private": "https://private.resource-controller.cloud.ibm.com",
        "regional": "https://private.{region}.resource-controller.cloud.ibm.com",
    },
    "monitoring_endpoint": {
        "public": "https://{region}.monitoring.cloud.ibm.com",
        "private": "https://private.{region}.monitoring.cloud.ibm.com",
    },
    "search_endpoint": {
        "public": "https://api.global-search-tagging.cloud.ibm.com",
        "private": "https://api.private.us-south.global-search-tagging.cloud.ibm.com",
        "regional": "https://api.private.{region}.global-search-tagging.cloud.ibm.com",
    },
}
"""Default endpoints by visibility; a regional one is private, too (API §1.1, §1.8, §7.1)."""

PRIVATE_REGIONS = {
    "iam_endpoint": ("us-south", "us-east"),
    "resource_controller_endpoint": ("us-south", "us-east"),
    "search_endpoint": ("us-south", "au-syd", "eu-gb", "eu-de"),
}
"""The regions that have a private endpoint of their own (API §1.1, §1.8)."""

METADATA_ENDPOINT = "http://169.254.169.254"
"""Where a virtual server reaches its metadata service (API §1.4): an address that no router passes on, so that http is no risk there."""

LONGEST_METADATA = 15.0
"""Seconds after which a metadata service that does not answer is not there."""

ADMIN_DOMAINS = ("containers.appdomain.cloud", "messagehub.appdomain.cloud", "eventstreams.cloud.ibm.com")
"""Where the vendor's instances have their admin URL (API §4.1)."""


class Account:
    """The clients of one identity. Those of ``recent`` may use again what earlier tasks of the run have read, for up to the task's
    ``max_age``; all others ask anew."""

    def __init__(self, http: Http, bearer: Bearer, params: dict[str, t.Any], max_age: float = 0.0) -> None:
        self._http = http
        self._bearer = bearer
        self._params = params
        self._max_age = max_age
        self._apis: list[Api] = []
        self.iam = Iam(self._api(endpoint(params, "iam_endpoint"), "Transaction-Id"))
        self._controller_url = endpoint(params, "resource_controller_endpoint")
        self.instances = ResourceController(self._api(self._controller_url, "Transaction-Id"))

    def recent(self) -> Account:
        """The same identity, content with what was read a moment ago. For looks only, never right before a write."""
        return Account(self._http, self._bearer, self._params, float(self._params.get("max_age") or 0.0))

    @property
    def reused(self) -> bool:
        """Whether anything that was read with these clients was read by an earlier task."""
        return any(api.reused for api in self._apis)

    def _api(self, url: str, transaction_header: str) -> Api:
        self._apis.append(Api(self._http, url, self._bearer, transaction_header, self._max_age))
        return self._apis[-1]

    def own_account_id(self) -> str | None:
        """The account of the identity, when it can be told. Raises ExchangeError."""
        return self._bearer.account_id() if isinstance(self._bearer, IamToken) else None

    def iam_id(self) -> str | None:
        """Whose identity it is, when that can be told. Raises ExchangeError."""
        return iam_id(self._bearer.current())

    def search(self) -> Search:
        """Global Search. Raises InvalidInput when its endpoint cannot be used."""
        return Search(self._http, endpoint(self._params, "search_endpoint"), self._bearer, "X-Request-Id")

    def monitoring(
        self, instance: Instance, given: str | None, *, most: float | None = None, option: str = "monitoring_instance"
    ) -> Monitoring:
        """IBM Cloud Monitoring, as it holds the metrics of an Event Streams instance: in the Monitoring instance that was given by GUID
        or CRN as that option, else in the one of the region (API §7.1). ``most`` limits for how many seconds it is waited for, and tried again.

        Raises InvalidInput and NotFound, NotUnique with all candidates, and ExchangeError.
        """
        region = monitoring_region(instance.region)
        url = endpoint(self._params, "monitoring_endpoint", region)
        guid = read_guid(given, option, instance) if given else self._receiver(region).guid
        http = self._http if most is None else self._http.within(most)
        return Monitoring(http, url, self._bearer, guid, instance)

    @functools.cached_property
    def _monitoring_instances(self) -> t.Sequence[Instance]:
        return self.recent().instances.monitoring()

    def _receiver(self, region: str) -> Instance:
        """The instance that gets the region's platform metrics: the only one there is, or the only one that is shown to get them."""
        found = [one for one in self._monitoring_instances if one.region == region]
        marked = [one for one in found if str(one.parameters.get("default_receiver")).lower() == "true"]
        candidates = marked or found
        if len(candidates) == 1:
            return candidates[0]
        attempt = f"find the Monitoring instance of {region}"
        remedy = "Give the GUID of the one that gets the region's platform metrics as monitoring_instance."
        if candidates:
            raise _errors.NotUnique(
                f"{len(candidates)} Monitoring instances are in {region}: {', '.join(one.label for one in candidates)}",
                attempt=attempt,
                remedy=remedy,
                details={"candidates": [one.crn for one in candidates]},
            )
        raise _errors.NotFound(
            f"this identity can see no instance of IBM Cloud Monitoring in {region}",
            attempt=attempt,
            remedy="Create one and enable platform metrics for the region, or give the identity Viewer on it; if it is in another account, "
            "give its GUID as monitoring_instance.",
        )

    def admin(self, instance: Instance, option: str = "admin_url") -> Admin:
        """The admin API of an instance: where the option says, else where its document says.

        Raises InvalidInput when the document shows no URL, or one outside the vendor's domains: the token must not go there.
        """
        given = self._params.get(option)
        if given:
            url = check_endpoint(given, option)
        elif instance.admin_url:
            url = self._published(instance.admin_url, instance, option)
        else:
            raise _errors.InvalidInput(
                f"the document of {instance.label} shows no admin URL (kafka_http_url)",
                instance=instance.label,
                remedy=f"Give it as {option}; a service credential of the instance shows it as kafka_admin_url.",
            )
        return Admin(self._api(url, "X-Global-Transaction-Id"), instance.label)

    def _published(self, url: str, instance: Instance, option: str) -> str:
        try:
            scheme, host = urllib.parse.urlsplit(url).scheme, urllib.parse.urlsplit(url).hostname or ""
        except ValueError:
            scheme, host = "", ""
        simulated = is_loopback(host) and is_loopback(urllib.parse.urlsplit(self._controller_url).hostname)
        domains = (*ADMIN_DOMAINS, *(domain.strip(". ").lower() for domain in self._params.get("admin_domains") or []))
        trusted = scheme == "https" and any(host == d or host.endswith(f".{d}") for d in domains if d)
        if not trusted and not simulated:
            raise _errors.InvalidInput(
                f"the admin URL that {instance.label} publishes, {url!r}, is not https under a domain of the vendor, "
                "so no credentials are sent there",
                instance=instance.label,
                remedy=f"If it is right, allow its domain with admin_domains, or give the URL as {option}.",
            )
        return check_endpoint(url, f"the admin URL of {instance.label}")


def find(account: Account, recent: Account, identity: str, option: str) -> Instance:
    """The instance that a user named, as an earlier task found it a moment ago; looked for anew if it did not. Raises like
    ResourceController.find."""
    try:
        return recent.instances.find(identity, option)
    except _errors.MirrorOpsError:
        if not recent.reused:
            raise
    return account.instances.find(identity, option)


class Cloud(t.NamedTuple):
    """Both identities of a task; they are one and the same unless the source has options of its own."""

    target: Account
    source: Account

    def recent(self) -> Cloud:
        """Both, content with what was read a moment ago."""
        return Cloud(self.target.recent(), self.source.recent())

    @property
    def reused(self) -> bool:
        """Whether anything that was read through it was read by an earlier task."""
        return self.target.reused or self.source.reused


def connect(call: Call) -> Cloud:
    """Clients for a task. Raises InvalidInput for missing credentials or endpoints that cannot be used. Sends nothing."""
    params = call.params
    for option in ("admin_url", "source_admin_url"):
        if params.get(option):
            check_endpoint(params[option], option)
    for option in ("monitoring_instance", "source_monitoring_instance"):
        if params.get(option):
            read_guid(params[option], option)
    if "monitoring_endpoint" in params:
        endpoint(params, "monitoring_endpoint", "us-south")
    if not 0 <= float(params.get("max_age") or 0.0) < 86400:
        raise _errors.InvalidInput("max_age must be 0 or more, and less than a day, in seconds")
    http = Http(call)
    if params.get("cr_token_file") and "container" not in (params.get(side.compute_resource) for side in (OWN, SOURCE)):
        call.warn("cr_token_file is not used, because no compute_resource is container.")
    target = Account(http, _bearer(http, OWN), params)
    if not any(params.get(option) for option in SOURCE):
        return Cloud(target, target)
    return Cloud(target, Account(http, _bearer(http, SOURCE), params))


def endpoint(params: dict[str, t.Any], option: str, region: str = "") -> str:
    """The base URL of a platform API: the option, else the default for the visibility, in both of which ``{region}`` stands for the
    given region. Of the private ones it is that of ``endpoint_region``, if that has one. Raises InvalidInput.

    IAM's may be given with the path of its token call, as IBM's SDK accepts it (API §1.1).
    """
    if params.get(option):
        return check_endpoint(params[option].replace("{region}", region), option).removesuffix("/identity/token")
    if params.get("visibility") != "private":
        return HOSTS[option]["public"].replace("{region}", region)
    own = str(params.get("endpoint_region") or "").strip().lower()
    if own in PRIVATE_REGIONS.get(option, ()):
        return HOSTS[option]["regional"].replace("{region}", own)
    return HOSTS[option]["private"].replace("{region}", region)


def _bearer(http: Http, side: Side) -> Bearer:
    """Tokens of the identity that the options of a side describe. Raises InvalidInput."""
    params = http.call.params
    iam_endpoint = endpoint(params, "iam_endpoint")
    profile = read_profile(params[side.profile], side.profile) if params.get(side.profile) else None
    given = side if any(params.get(option) for option in side.bases) else OWN
    key, token, resource = (params.get(option) for option in given.bases)
    if resource:
        if key or token:
            raise _errors.InvalidInput(
                f"{given.compute_resource} is given, and {given.api_key if key else given.token} is as well",
                remedy="Leave out one of them.",
            )
        patience = http.within(LONGEST_METADATA) if resource == "vpc" else http
        return IamToken(patience, _machine(patience, iam_endpoint, resource, profile, side.profile))
    if not key and not token:
        raise _errors.InvalidInput(
            "no credentials for IBM Cloud",
            remedy="Export IC_API_KEY (or IBMCLOUD_API_KEY), or set ibmcloud_api_key or compute_resource.",
        )
    base: Bearer
    if key:
        base = IamToken(http, ByApiKey(http, iam_endpoint, read_api_key(key, given.api_key)))
    else:
        base = FixedToken(str(token))
        http.call.secrets.add(base.current())
    return IamToken(http, ByAssumption(http, iam_endpoint, base, profile, side.profile)) if profile else base


def _machine(
    http: Http, iam_endpoint: str, resource: str, profile: Profile | None, option: str
) -> ByComputeResource | ByVirtualServer:
    """The grant of the machine on which the task runs, for the profile of that option. Raises InvalidInput."""
    params = http.call.params
    if resource == "container":
        if profile is None:
            raise _errors.InvalidInput(
                f"{option} is missing",
                remedy="A container is given a token for a trusted profile: give its ID, its CRN or its name.",
            )
        return ByComputeResource(http, iam_endpoint, params.get("cr_token_file"), profile)
    url = str(params["metadata_endpoint"]).strip().rstrip("/")
    if url != METADATA_ENDPOINT:
        url = check_endpoint(url, "metadata_endpoint")
    return ByVirtualServer(http, url, profile)
