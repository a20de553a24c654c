# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, their API keys and trusted profiles, what those may do, and bearer tokens."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

ISSUER = "https://iam.cloud.ibm.com/identity"
GRANT_TYPE = "urn:ibm:params:oauth:grant-type:"
NAMED_RIGHTS: dict[str, dict[str, str]] = {
    "full": {"policies": "write", "instances": "edit", "cluster": "manager"},
    "viewer": {"policies": "read", "instances": "view", "cluster": "reader"},
    "none": {"policies": "none", "instances": "none", "cluster": "none"},
}


@dataclass(frozen=True)
class Caller:
    """Somebody with rights (API §2.13, §3.9, §4.2)."""

    name: str
    account: str
    policies: str = "write"
    instances: str = "edit"
    cluster: str = "manager"

    @property
    def iam_id(self) -> str:
        """Return the identity as IAM calls it (API §1.3)."""
        return "IBMid-55" + self.digits

    @property
    def digits(self) -> str:
        """Return eight digits that follow from the name."""
        return str(int(hashlib.sha256(self.name.encode()).hexdigest()[:12], 16))[:8].zfill(8)


@dataclass(frozen=True)
class ApiKey(Caller):
    """The caller behind an API key."""

    key: str = ""


@dataclass(frozen=True)
class TrustedProfile(Caller):
    """A trusted profile, and whom it trusts: API keys by name, holders of compute resource tokens, the virtual server (API §1.4)."""

    id: str = ""
    assumed_by: tuple[str, ...] = ()
    cr_tokens: tuple[str, ...] = ()
    virtual_server: bool = False

    @property
    def iam_id(self) -> str:
        """Return the identity as IAM calls it (API §1.3)."""
        return f"iam-{self.id}"

    @property
    def crn(self) -> str:
        """Return the CRN, which ends in the ID."""
        return f"crn:v1:bluemix:public:iam-identity::a/{self.account}::profile:{self.id}"


@dataclass
class Account:
    """One account with its keys and trusted profiles."""

    id: str
    name: str
    keys: list[ApiKey] = field(default_factory=list)
    profiles: list[TrustedProfile] = field(default_factory=list)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Tokens:
    """Gives out tokens that look like JWTs and knows which are still good (API §1.2, §1.3)."""

    def __init__(self, accounts: list[Account]) -> None:
        self._keys = {key.key: key for account in accounts for key in account.keys}
        self.profiles = [profile for account in accounts for profile in account.profiles]
        self._issued: dict[str, tuple[Caller, float]] = {}

    def key(self, text: str) -> ApiKey | None:
        """Return the API key record of this text."""
        return self._keys.get(text)

    def issue(self, key: Caller, now: float, seconds: float, scope: str, grant: str = "apikey") -> dict[str, Any]:
        """Return the body of a token answer."""
        issued, expires = int(now), int(now + seconds)
        claims = {
            "iam_id": key.iam_id,
            "id": key.iam_id,
            "realmid": "IBMid",
            "jti": f"{len(self._issued):032x}",
            "identifier": key.iam_id.partition("-")[2],
            "sub": f"{key.name}@example.com",
            "email": f"{key.name}@example.com",
            "name": key.name,
            "account": {"valid": True, "bss": key.account},
            "iat": issued,
            "exp": expires,
            "iss": ISSUER,
            "grant_type": f"{GRANT_TYPE}{grant}",
            "scope": scope,
            "client_id": "default",
        }
        signature = hashlib.sha256(json.dumps(claims).encode()).hexdigest()
        token = f"{_part({'kid': 'simulator', 'alg': 'RS256'})}.{_part(claims)}.{signature}"
        self._issued[token] = (key, now + seconds)
        return {
            "access_token": token,
            "refresh_token": "not_supported",
            "ims_user_id": int(key.digits),
            "token_type": "Bearer",
            "expires_in": int(seconds),
            "expiration": expires,
            "scope": scope,
        }

    def check(self, token: str, now: float) -> Caller | str:
        """Return the caller, or ``expired`` or ``unknown``."""
        known = self._issued.get(token)
        if known is None:
            return "unknown"
        return known[0] if now < known[1] else "expired"

    def expire_all(self) -> None:
        """End every token that is out there, before its time."""
        self._issued = {token: (key, 0.0) for token, (key, _expires) in self._issued.items()}

    def secrets(self) -> list[str]:
        """Return every text that a journal must not hold."""
        resources = [text for profile in self.profiles for text in profile.cr_tokens]
        return [*self._keys, *self._issued, *resources]
