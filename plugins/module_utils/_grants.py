# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to be given a token: by API key, as a machine that runs in IBM Cloud, by assuming a trusted profile (API §1.2, §1.4).

Private to this collection: it may change at any time.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Bearer
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Answer, Http
from ansible_collections.mirrorops.event_streams.plugins.module_utils._token import (
    REFUSED_STATUSES,
    IamToken,
    account_of,
    keep_secret,
    read_access_token,
    spellings,
)

GRANT_TYPE = "urn:ibm:params:oauth:grant-type:"
CR_TOKEN_FILES = (
    "/var/run/secrets/tokens/vault-token",
    "/var/run/secrets/tokens/sa-token",
    "/var/run/secrets/codeengine.cloud.ibm.com/compute-resource-token/token",
)
"""Where Kubernetes and Code Engine put the token of a workload, in the order in which they are tried (API §1.4)."""

METADATA_VERSION = "2022-03-01"
IDENTITY_SECONDS = 300
LONGEST_CR_TOKEN = 65536
_PROFILE_ID = re.compile(r"(?:iam-)?(Profile-[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})")
_PROFILE_CRN = re.compile(r"crn:v1:[^:]*:[^:]*:iam-identity:[^:]*:a/[^:]*:[^:]*:profile:([^:]+)")


class Profile(t.NamedTuple):
    """A trusted profile: its ID, else its name; the other is None."""

    id: str | None
    name: str | None

    def __str__(self) -> str:
        return self.id or self.name or ""

    def form(self) -> dict[str, str]:
        """The field of a token request that names it (API §1.4)."""
        return {"profile_id": self.id} if self.id else {"profile_name": self.name or ""}


def read_profile(text: str, option: str) -> Profile:
    """A trusted profile by its ID (also as the IAM ID of its tokens, API §1.3), by its CRN, which ends in the ID, or by its name. Raises
    InvalidInput."""
    given = text.strip()
    by_id = _PROFILE_ID.fullmatch(given) or _PROFILE_CRN.fullmatch(given)
    if by_id:
        return Profile(by_id[1], None)
    if not given or given.lower().startswith("crn:"):
        raise _errors.InvalidInput(
            f"{option} is {'no CRN of a trusted profile' if given else 'empty'}",
            remedy="Give the ID (Profile-...), the CRN or the name of the trusted profile.",
        )
    return Profile(None, given)


class ByApiKey:
    """A token for an API key (API §1.2)."""

    attempt = "get a token from IBM Cloud IAM"
    refusal = "IBM Cloud does not accept the API key"
    remedy = _errors.AuthenticationFailed.default_remedy

    def __init__(self, http: Http, iam_endpoint: str, api_key: str) -> None:
        self._http = http
        self._url = f"{iam_endpoint}/identity/token"
        self._api_key = api_key
        http.call.secrets.update(spellings(api_key))
        self.identity = _digest(self._url, api_key)

    def ask(self, number: int) -> Answer:
        """Asks IAM once. Raises ExchangeError."""
        form = {"grant_type": f"{GRANT_TYPE}apikey", "apikey": self._api_key, "response_type": "cloud_iam"}
        return self._http.once("POST", self._url, attempt=self.attempt, form=form, number=number)


class ByComputeResource:
    """A token for a workload of Kubernetes or Code Engine, in exchange for the one that the platform keeps in a file (API §1.4)."""

    attempt = "get a token from IBM Cloud IAM for this compute resource"
    remedy = "Does the trusted profile exist, and does it trust this compute resource?"

    def __init__(self, http: Http, iam_endpoint: str, file: str | None, profile: Profile) -> None:
        self._http = http
        self._url = f"{iam_endpoint}/identity/token"
        self._files = (file,) if file else CR_TOKEN_FILES
        self._profile = profile
        self.identity = _digest(self._url, "container", *self._files, *profile.form().items())
        self.refusal = f"IBM Cloud does not give this compute resource the trusted profile {profile}"

    def ask(self, number: int) -> Answer:
        """Reads the file anew, because the platform replaces it, and asks IAM once. Raises ExchangeError."""
        form = {"grant_type": f"{GRANT_TYPE}cr-token", "cr_token": self._read(), **self._profile.form()}
        return self._http.once("POST", self._url, attempt=self.attempt, form=form, number=number)

    def _read(self) -> str:
        reasons = []
        for path in self._files:
            try:
                with open(path, encoding="utf-8") as file:
                    token = file.read(LONGEST_CR_TOKEN).strip()
            except (OSError, ValueError) as error:
                reasons.append(f"{path}: {getattr(error, 'strerror', None) or 'no text'}")
                continue
            if token:
                keep_secret(self._http, token)
                return token
            reasons.append(f"{path}: empty")
        raise _errors.AuthenticationFailed(
            f"there is no compute resource token ({'; '.join(reasons)})",
            attempt=self.attempt,
            remedy="Have the platform project a token into the container, or name its file with cr_token_file.",
        )


class ByVirtualServer:
    """A token for a virtual server of a VPC, from the metadata service that each of them can reach (API §1.4)."""

    attempt = "get a token from the instance metadata service of the VPC"
    remedy = "Is the metadata service switched on for this virtual server, and does the trusted profile trust it?"

    def __init__(self, http: Http, metadata_endpoint: str, profile: Profile | None) -> None:
        self._http = http
        self._url = f"{metadata_endpoint}/instance_identity/v1"
        self._profile = profile
        named = profile.form().items() if profile else ()
        self.identity = _digest(self._url, "vpc", *named)
        called = f"the trusted profile {profile}" if profile else "a trusted profile"
        self.refusal = f"the metadata service does not give this virtual server {called}"

    def ask(self, number: int) -> Answer:
        """Asks twice: for the identity of the server, and with that for a token. Never through a proxy, which would be another machine.
        Raises ExchangeError."""
        identity = self._send("PUT", "/token", {"expires_in": IDENTITY_SECONDS}, {}, number)
        token = read_access_token(identity, self.attempt)
        keep_secret(self._http, token)
        named = {"id": self._profile.id} if self._profile and self._profile.id else {"name": str(self._profile)}
        body = {"trusted_profile": named} if self._profile else None
        return self._send("POST", "/iam_token", body, {"Authorization": f"Bearer {token}"}, number)

    def _send(self, method: str, path: str, body: t.Any, headers: dict[str, str], number: int) -> Answer:
        try:
            return self._http.once(
                method,
                self._url + path,
                attempt=self.attempt,
                query={"version": METADATA_VERSION},
                body=body,
                headers={"Metadata-Flavor": "ibm", **headers},
                number=number,
                proxied=False,
            )
        except _errors.ExchangeError as error:
            error.remedy = self.remedy
            raise


class ByAssumption:
    """A token of a trusted profile for another identity that it trusts (API §1.4)."""

    attempt = "assume a trusted profile"
    remedy = "Does the trusted profile exist, does it trust this identity, and is the identity's own token still valid?"

    def __init__(self, http: Http, iam_endpoint: str, base: Bearer, profile: Profile, option: str) -> None:
        self._http = http
        self._url = f"{iam_endpoint}/identity/token"
        self._base = base
        self._profile = profile
        self._option = option
        self._renewed: str | None = None
        self.identity = _digest(self._url, "assume", base.identity, *profile.form().items())
        self.refusal = f"IBM Cloud does not let this identity assume the trusted profile {profile}"

    def ask(self, number: int) -> Answer:
        """Asks IAM once; and once more with a new token of the identity, if one can be had, because which status means that the old one is
        no good is not known (API §1.5). Raises ExchangeError, and InvalidInput for a name of which nobody knows the account."""
        token = self._base.current()
        try:
            return self._assume(token, number)
        except _errors.ApiError as error:
            renewable = isinstance(self._base, IamToken) and token != self._renewed
            if error.status not in REFUSED_STATUSES or not renewable:
                raise
        self._renewed = self._base.renewed(token)
        return self._assume(self._renewed, number)

    def _assume(self, token: str, number: int) -> Answer:
        form = {"grant_type": f"{GRANT_TYPE}assume", "access_token": token, **self._profile.form()}
        if not self._profile.id:
            account = account_of(token)
            if account is None:
                raise _errors.InvalidInput(
                    f"{self._option} is a name, and the token does not tell in which account",
                    remedy="Give the ID (Profile-...) or the CRN of the trusted profile.",
                )
            form["account"] = account
        return self._http.once("POST", self._url, attempt=self.attempt, form=form, number=number)


def _digest(*parts: t.Any) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
