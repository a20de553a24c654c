# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bearer tokens: cache, refresh, renewal. Private to this collection: it may change at any time."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import typing as t
import urllib.parse

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Token
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Answer, Http, backoff
from ansible_collections.mirrorops.event_streams.plugins.module_utils._secrets import SECRET_VARIABLES

REFUSED_STATUSES = (400, 401, 403)
REFUSED_RETRIES = 2
_HALF_A_TOKEN = re.compile(r"access_token\W{1,6}(\S{8}|\*\*\*)")
NO_TOKEN = "the answer holds no usable token"
SHORTEST_SECRET = 8
"""A shorter text is no token, and masked everywhere it would make a riddle of all that is shown."""
SAFETY_MARGIN = 10.0
DEFAULT_LIFETIME = 300.0
HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
"""What html.escape() does, without the tables of that package, which every worker would have to carry."""


class FixedToken:
    """A ready-made IAM token; it cannot be renewed."""

    def __init__(self, token: str) -> None:
        self._token = token.removeprefix("Bearer ").strip()
        if not _fits_a_header(self._token):
            raise _errors.InvalidInput("iam_token is empty or has characters that a token cannot have")
        self.identity = hashlib.sha256(self._token.encode()).hexdigest()

    def current(self) -> str:
        """The token."""
        return self._token

    def renewed(self, rejected: str) -> str:
        """Raises AuthenticationFailed: there is no other."""
        raise _errors.AuthenticationFailed(
            "the given iam_token was rejected and cannot be renewed",
            attempt="use the given iam_token",
            status=401,
            remedy="Give a fresh iam_token, or an ibmcloud_api_key, from which tokens can be renewed during long waits.",
        )


class Grant(t.Protocol):
    """One way to be given a token (``_grants.py``). ``identity`` is a digest of who asks whom for what, ``attempt`` what is being done,
    ``refusal`` what it means if that is refused, ``remedy`` what to do then."""

    identity: str
    attempt: str
    refusal: str
    remedy: str

    def ask(self, number: int) -> Answer:
        """Asks once, for the given time; the answer should hold an ``access_token``. Raises ExchangeError."""


class IamToken:
    """Tokens of one grant, shared with the other tasks of the run, refreshed ahead of expiry (API §1.6)."""

    def __init__(self, http: Http, grant: Grant) -> None:
        self._http = http
        self._grant = grant
        self._store = http.call.tokens
        self.identity = grant.identity

    def current(self) -> str:
        """A valid token; a new one once 80 % of the lifetime have passed, tried for once a minute while the old one is good.
        Raises AuthenticationFailed where it is refused."""
        token = self._store.get(self.identity)
        now = self._http.clock.monotonic()
        if token is not None and now < token.refresh_at:
            return self._noted(token)
        try:
            return self._exchange(
                None if token is None else token.value, patient=token is None or now >= token.expires_at
            )
        except _errors.ExchangeError:
            if token is None or now >= token.expires_at:
                raise
            self._store.put(self.identity, token._replace(refresh_at=min(now + 60.0, token.expires_at)))
            return self._noted(token)

    def renewed(self, rejected: str) -> str:
        """A token other than the rejected one, somebody else's newer one if there is one."""
        return self._exchange(rejected)

    def account_id(self) -> str | None:
        """The account of the identity, when the token tells. Raises ExchangeError."""
        return account_of(self.current())

    def _exchange(self, outdated: str | None, patient: bool = True) -> str:
        with self._store.exclusive(self.identity, self._http.request_timeout):
            token = self._store.get(self.identity)
            if token is None or token.value == outdated or self._http.clock.monotonic() >= token.refresh_at:
                token = self._request(patient)
                self._store.put(self.identity, token)
        return self._noted(token)

    def _noted(self, token: Token) -> str:
        keep_secret(self._http, token.value)
        return token.value

    def _request(self, patient: bool) -> Token:
        refusals = 0
        while True:
            try:
                return self._read_token(patient)
            except _errors.ApiError as error:
                if error.status is None or error.transient or error.exhausted or isinstance(error, _errors.Redirected):
                    raise
                refused = error.status in REFUSED_STATUSES
                refusals += 1
                if not refused or refusals > REFUSED_RETRIES:
                    # Of another kind, so that nobody takes a 404 or a 409 for the word of the service that was to be asked.
                    failure = _errors.AuthenticationFailed(
                        f"{self._grant.refusal}: {error.reason}" if refused else error.reason,
                        attempt=self._grant.attempt,
                        status=error.status,
                        code=error.code,
                        transaction_id=error.transaction_id,
                        remedy=self._grant.remedy if refused else "Is what was asked for a token the right endpoint?",
                    )
                    failure.exhausted = True
                    raise failure from error
            self._http.clock.sleep(backoff(refusals))

    def _read_token(self, patient: bool) -> Token:
        received = self._http.clock.monotonic()
        answer = self._http.read(self._ask) if patient else self._ask(1)
        value = read_access_token(answer, self._grant.attempt)
        lifetime = _lifetime(answer.body, value)
        return Token(value, received + 0.8 * lifetime, received + max(0.0, lifetime - SAFETY_MARGIN))

    def _ask(self, number: int) -> Answer:
        """Asks once. What cannot be used is an error like others that may pass, and is not quoted: it may hold half a token."""
        try:
            answer = self._grant.ask(number)
        except _errors.ExchangeError as error:
            if isinstance(error, _errors.UnusableAnswer) or _HALF_A_TOKEN.search(error.reason):
                error.reason = NO_TOKEN
            raise
        read_access_token(answer, self._grant.attempt)
        return answer


def keep_secret(http: Http, token: str) -> None:
    """Sees to it that a token is not shown."""
    if len(token) >= SHORTEST_SECRET:
        http.call.secrets.update(spellings(token))


def read_access_token(answer: Answer, attempt: str) -> str:
    """The token that an answer holds. Raises UnusableAnswer, without a word of it."""
    value = answer.body.get("access_token") if isinstance(answer.body, dict) else None
    if not isinstance(value, str) or not _fits_a_header(value):
        raise _errors.UnusableAnswer(
            NO_TOKEN, attempt=attempt, status=answer.status, transaction_id=answer.transaction_id
        )
    return value


def iam_id(token: str) -> str | None:
    """Whose token it is, as IAM calls them (API §1.3); None when it does not say."""
    identity = _claims(token).get("iam_id")
    return identity if isinstance(identity, str) else None


def account_of(token: str) -> str | None:
    """The account of the identity, out of the token's claims (API §1.3); None when they do not say."""
    account = _claims(token).get("account")
    identity = account.get("bss") if isinstance(account, dict) else None
    return identity if isinstance(identity, str) else None


def spellings(secret: str) -> set[str]:
    """A secret as it is, and as messages of libraries and answers of services may spell it."""
    return {
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        secret.translate(HTML),
        urllib.parse.quote(secret),
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
    }


def read_api_key(text: str, option: str) -> str:
    """The API key itself, or what the file named by ``@path`` holds: the bare key, or JSON with ``apikey``, as the vendor's
    CLI writes it. Raises InvalidInput when the file cannot be read or the key is empty."""
    key = text.strip()
    if key.startswith("@"):
        path = os.path.expanduser(key[1:])
        try:
            with open(path, encoding="utf-8") as file:
                key = file.read(65536).strip()
        except (OSError, ValueError) as error:
            raise _errors.InvalidInput(f"{option} names a file that cannot be read: {path}") from error
        if key.startswith("{"):
            try:
                key = json.loads(key)["apikey"].strip()
            except (ValueError, KeyError, AttributeError, RecursionError) as error:
                raise _errors.InvalidInput(f"{option} names a JSON file without apikey: {path}") from error
    if not key:
        raise _errors.InvalidInput(f"{option} is empty", remedy="Set it, or export IC_API_KEY.")
    return key


def secrets_of_environment() -> set[str]:
    """The credentials that the environment holds or names, in every spelling. A file that cannot be read has let nobody use its key."""
    found: set[str] = set()
    for value in filter(None, (os.environ.get(name, "").strip() for name in SECRET_VARIABLES)):
        with contextlib.suppress(_errors.InvalidInput):
            key = read_api_key(value, "the environment")
            found |= spellings(key) | spellings(key.removeprefix("Bearer ").strip() or key)
    return found


def _fits_a_header(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _lifetime(body: dict[str, t.Any], token: str) -> float:
    """Seconds a token is valid, counted from now: ``expires_in``, else the claims; never assumed to be an hour (API §1.2)."""
    seconds = _number(body.get("expires_in"))
    if seconds is None:
        claims = _claims(token)
        issued, expires = _number(claims.get("iat")), _number(claims.get("exp"))
        if issued is None or expires is None:
            return DEFAULT_LIFETIME
        seconds = expires - issued
    return float(min(max(seconds, 0), 86400))


def _number(value: t.Any) -> float | None:
    """A number that can be calculated with: JSON has room for others."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and -1e15 < value < 1e15 else None


def _claims(token: str) -> dict[str, t.Any]:
    """The claims of a JWT, not verified: they are hints about our own token. Empty when it is not a JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = _errors.parse_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
