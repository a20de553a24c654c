# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: session, time-outs, what is repeated, Retry-After, transaction ids.

Private to this collection: it may change at any time. Nothing here knows what is being asked.

* A read is repeated after everything that may pass: resets, time-outs, 408, 429, 5xx, and bodies that are cut off.
* A write is sent once. When its outcome is not known the error says so (``processed == "maybe"``) and the caller looks
  before it sends again. The one exception is a 401: the request was refused at the door, so it is sent again with a new token.
"""

from __future__ import annotations

import dataclasses
import email.utils
import functools
import http.client
import math
import os
import random
import re
import ssl
import typing as t
import urllib.parse

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Write
from ansible_collections.mirrorops.event_streams.plugins.module_utils._libraries import requests, urllib3
from ansible_collections.mirrorops.event_streams.plugins.module_utils._version import COLLECTION_VERSION

USER_AGENT = f"mirrorops.event_streams/{COLLECTION_VERSION} (Ansible collection)"
LARGEST_BODY = 16 * 1024 * 1024
LONGEST_PAUSE = 60.0
QUIET_SECONDS = 3.0
LONGEST_TRANSACTION_ID = 200
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*")
NO_PROXIES = {"http": None, "https": None, "all": None}
TRANSACTION_HEADERS = ("X-Global-Transaction-Id", "Transaction-Id", "X-Request-Id")


class Answer(t.NamedTuple):
    """A complete, successful answer. ``body`` is parsed JSON, or None when the answer had no body."""

    status: int
    headers: t.Mapping[str, str]
    body: t.Any
    transaction_id: str | None


class Http:
    """One ``requests`` session with this task's settings."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.clock = call.clock
        params = call.params
        self.request_timeout = float(params["request_timeout"])
        self.retry_timeout = float(params["retry_timeout"])
        if not 0 < self.request_timeout < 86400 or not 0 <= self.retry_timeout < 86400:
            raise _errors.InvalidInput(
                "request_timeout must be more than 0, retry_timeout 0 or more, both less than a day"
            )
        self.verify: bool | str = params.get("ca_path") or True
        if not params.get("validate_certs", True):
            self.verify = False

    def within(self, most: float) -> Http:
        """The same with time limits of so many seconds at most, for what one can do without."""
        limits = {name: min(float(self.call.params[name]), most) for name in ("request_timeout", "retry_timeout")}
        return Http(dataclasses.replace(self.call, params={**self.call.params, **limits}))

    @functools.cached_property
    def _session(self) -> t.Any:
        """Made with the first request: most tasks of a run without changes make none."""
        session = requests.Session()
        session.headers["User-Agent"] = USER_AGENT
        session.headers["Accept"] = "application/json"
        return session

    def once(
        self,
        method: str,
        url: str,
        *,
        attempt: str,
        instance: str | None = None,
        bearer: str | None = None,
        query: dict[str, t.Any] | None = None,
        form: dict[str, str] | None = None,
        body: t.Any = None,
        headers: dict[str, str] | None = None,
        number: int = 1,
        proxied: bool = True,
    ) -> Answer:
        """Sends a request one time; through the environment's proxy, unless it must not be ``proxied``. Returns an Answer for 2xx,
        raises an ExchangeError for everything else."""
        self.call.check_wanted()
        started, at = self.clock.monotonic(), self.clock.time()
        path = urllib.parse.urlsplit(url).path
        status: int | None = None
        transaction_id = None
        try:
            status, answer_headers, text = self._transfer(method, url, bearer, query, form, body, headers, proxied)
            transaction_id = _transaction_id(answer_headers)
            return self._judge(status, answer_headers, text, method)
        except _errors.ExchangeError as error:
            error.attempt, error.instance = attempt, instance
            raise
        finally:
            seconds = self.clock.monotonic() - started
            outcome = status or "no answer"
            self.call.trace(
                f"{method} {path} -> {outcome}, attempt {number}, transaction {transaction_id}, {seconds:.3f} s"
            )
            if bearer is not None and method != "GET":
                self.call.writes.append(
                    Write(at, method, path, status, transaction_id or _transaction_id(headers or {}))
                )

    def read(self, fetch: t.Callable[[int], Answer]) -> Answer:
        """Repeats ``fetch(number)`` while its error may pass, with growing jittered pauses, within retry_timeout."""
        started = self.clock.monotonic()
        deadline = started + self.retry_timeout
        number = 1
        told = False
        while True:
            try:
                return fetch(number)
            except _errors.ExchangeError as error:
                pause = backoff(number, error.retry_after)
                if not error.transient or error.exhausted:
                    raise
                if self.clock.monotonic() + pause > deadline:
                    error.exhausted = True
                    if number > 1:
                        error.reason = f"{error.reason.rstrip('. ')}, also after {number} attempts"
                    raise
                if not told and self.clock.monotonic() - started >= QUIET_SECONDS:
                    told = True
                    self.call.progress(f"{error.attempt}: {error.reason}; trying on for up to {self.retry_timeout:g} s")
            self.clock.sleep(pause)
            number += 1

    def _transfer(
        self,
        method: str,
        url: str,
        bearer: str | None,
        query: dict[str, t.Any] | None,
        form: dict[str, str] | None,
        body: t.Any,
        headers: dict[str, str] | None,
        proxied: bool,
    ) -> tuple[int, t.Mapping[str, str], str]:
        deadline = self.clock.monotonic() + self.request_timeout
        try:
            with self._session.request(
                method,
                url,
                params=query,
                data=form,
                json=body,
                headers=headers,
                auth=_Authorization(bearer),
                timeout=self.request_timeout,
                verify=self.verify,
                proxies=None if proxied else dict(NO_PROXIES),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, self._body(response, deadline)
        except requests.exceptions.SSLError as error:
            self._check_authorities()
            if not _was_refused_by_us(error):
                raise _errors.NoAnswer(f"no complete answer from {_host(url)}: {_cause(error)}") from error
            raise _errors.TlsFailed(
                f"the certificate of {_host(url)} could not be verified: {_cause(error)}"
            ) from error
        except requests.exceptions.Timeout as error:
            failure = _errors.NoAnswer(f"no answer from {_host(url)} within {self.request_timeout:g} s")
            if isinstance(error, requests.exceptions.ConnectTimeout):
                failure.processed = "no"
            raise failure from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            # ValueError: ``requests`` reads a Location that is no URL even where no redirect is followed.
            failure = _errors.NoAnswer(f"no complete answer from {_host(url)}: {_cause(error)}")
            if any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in _causes(error)):
                failure.processed = "no"
            raise failure from error
        except OSError:
            self._check_authorities()
            raise

    def _check_authorities(self) -> None:
        """Raises InvalidInput when the certificates to trust cannot be read; what ``requests`` says then names neither file nor cause."""
        path = self.verify
        if path is True:
            path = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        if not isinstance(path, str):
            return
        place = {"capath": path} if os.path.isdir(path) else {"cafile": path}
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**place)
        except OSError as error:
            raise _errors.InvalidInput(
                f"the certificates to trust cannot be read from {path}: {error}",
                remedy="Correct ca_path, or REQUESTS_CA_BUNDLE in the environment.",
            ) from error

    def _body(self, response: t.Any, deadline: float) -> str:
        """The body as it comes in, so that an answer that drips or swells is ended in time."""
        chunks, size = [], 0
        for chunk in _arriving(response):
            chunks.append(chunk)
            size += len(chunk)
            if size > LARGEST_BODY:
                raise _errors.AnswerTooLarge(
                    f"the answer is larger than {LARGEST_BODY} bytes",
                    status=response.status_code,
                    transaction_id=_transaction_id(response.headers),
                )
            if self.clock.monotonic() > deadline:
                raise _errors.NoAnswer(f"the answer did not end within {self.request_timeout:g} s")
        return b"".join(chunks).decode("utf-8", errors="replace")

    def _judge(self, status: int, headers: t.Mapping[str, str], text: str, method: str) -> Answer:
        transaction_id = _transaction_id(headers)
        if 200 <= status < 300:
            if not text.strip():
                if method == "GET":
                    raise _errors.UnusableAnswer("the answer is empty", status=status, transaction_id=transaction_id)
                return Answer(status, headers, None, transaction_id)
            try:
                return Answer(status, headers, _errors.parse_json(text), transaction_id)
            except (ValueError, RecursionError) as error:
                raise _errors.UnusableAnswer(
                    f"the answer is not JSON, or cut off: {_errors.describe_body(self._without_secrets(text))[1][:120]!r}",
                    status=status,
                    transaction_id=transaction_id,
                ) from error
        if 300 <= status < 400:
            raise _errors.Redirected(
                "the service answered with a redirect, which is not followed because it would carry credentials elsewhere",
                status=status,
                transaction_id=transaction_id,
            )
        code, message, body = _errors.describe_body(self._without_secrets(text))
        kind = _errors.error_for_status(status)
        if status == 400 and code == "RC-IamErrorResponse":
            kind = _errors.AuthenticationFailed
        failure = kind(message or "the service gave no reason", status=status, code=code, transaction_id=transaction_id)
        failure.body = body
        failure.retry_after = parse_retry_after(headers.get("Retry-After"), self.clock.time())
        raise failure

    def _without_secrets(self, text: str) -> str:
        """What a service repeats of a request is cut where it is too long, so secrets are taken out before; and tokens, because an error may
        carry one that nobody has used yet."""
        for secret in sorted(filter(None, self.call.secrets), key=len, reverse=True):
            text = text.replace(secret, "***")
        return JWT.sub("***", text)


class _Authorization:
    """Sets our header and nothing else; being given, it keeps ``requests`` from sending what .netrc holds."""

    def __init__(self, bearer: str | None) -> None:
        self._bearer = bearer

    def __call__(self, request: t.Any) -> t.Any:
        if self._bearer is not None:
            request.headers["Authorization"] = f"Bearer {self._bearer}"
        return request


def backoff(number: int, retry_after: float | None = None) -> float:
    """Seconds to pause after so many failed attempts: 0.5, 1, 2, 4 ... 15, jittered; a longer Retry-After wins, up to 60."""
    pause = min(15.0, 0.5 * 2.0 ** min(number - 1, 10)) * random.uniform(0.8, 1.2)
    return max(pause, min(retry_after or 0.0, LONGEST_PAUSE))


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Seconds out of a Retry-After header, which may be a number or a date; None when it makes no sense."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def _was_refused_by_us(error: BaseException) -> bool:
    """Whether a certificate was not accepted. Everything else that breaks TLS, a handshake or a record, may pass, and may have come after
    the request."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """An error of ``requests`` and all that urllib3 wrapped into it. Only their types tell something for certain: texts may come from the service."""
    causes: list[t.Any] = [error]
    while causes:
        cause = causes.pop()
        yield cause
        causes += [inner for inner in (getattr(cause, "reason", None), *cause.args) if isinstance(inner, BaseException)]


def _arriving(response: t.Any) -> t.Iterator[bytes]:
    """Whatever has arrived, again and again; older urllib3 can only collect chunks of a given size."""
    if not hasattr(response.raw, "read1"):
        yield from response.iter_content(256)
        return
    while chunk := response.raw.read1(65536, decode_content=True):
        yield chunk


def _transaction_id(headers: t.Mapping[str, str]) -> str | None:
    found = next((headers[name] for name in TRANSACTION_HEADERS if headers.get(name)), None)
    return None if found is None else _errors.printable(found, LONGEST_TRANSACTION_ID)


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _cause(error: BaseException) -> str:
    """The innermost reason, without the object addresses that urllib3 puts into its texts. Of what came and is no HTTP only the kind is told:
    where a service breaks the protocol, that may be the line with the token."""
    while True:
        inner = getattr(error, "reason", None) or next(
            (arg for arg in error.args if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            if isinstance(error, (http.client.HTTPException, ValueError)) and not isinstance(error, OSError):
                return type(error).__name__
            return f"{type(error).__name__}: {str(error).rpartition(': ')[2]}" if str(error) else type(error).__name__
        error = inner
