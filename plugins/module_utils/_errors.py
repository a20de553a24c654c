# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exception tree and its wording. Private to this collection: it may change at any time."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._python import require_python

# Whatever a module imports first imports this, and then what only newer versions of Python have.
require_python()

MAX_TEXT = 600
MAX_READ = 20000
LONGEST = {"attempt": 500, "reason": 2500, "instance": 300, "code": 200, "transaction_id": 200, "remedy": 1000}
"""How many characters of a service's or a user's own words a message has room for."""


class MirrorOpsError(Exception):
    """Root of everything this collection raises on purpose.

    Attributes: ``attempt`` (what was being done, as "read instance x"), ``reason``, ``instance``,
    ``status`` (HTTP), ``code`` (the service's own), ``transaction_id``, ``remedy`` (what to do next).
    """

    kind = "error"
    default_remedy = ""

    def __init__(
        self,
        reason: str,
        *,
        attempt: str = "",
        instance: str | None = None,
        status: int | None = None,
        code: str | None = None,
        transaction_id: str | None = None,
        remedy: str | None = None,
        details: dict[str, t.Any] | None = None,
    ) -> None:
        self.reason = reason
        self.attempt = attempt
        self.instance = instance
        self.status = status
        self.code = code
        self.transaction_id = transaction_id
        self.remedy = self.default_remedy if remedy is None else remedy
        self.details = details or {}
        super().__init__(reason)

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """One paragraph: attempt, instance, status, the service's words, transaction id, remedy."""
        shown = self._shown()
        parts = [f"Failed to {shown['attempt']}: {shown['reason']}" if shown["attempt"] else f"{shown['reason']}"]
        if shown["instance"] and shown["instance"] not in parts[0]:
            parts.append(f"Instance: {shown['instance']}.")
        facts = []
        if self.status is not None:
            facts.append(f"HTTP {self.status}")
        if shown["code"]:
            facts.append(f"code {shown['code']}")
        if shown["transaction_id"]:
            facts.append(f"transaction {shown['transaction_id']}")
        head = parts[0].rstrip(". ")
        parts[0] = f"{head} ({', '.join(facts)})." if facts else f"{head}."
        if shown["remedy"]:
            parts.append(shown["remedy"])
        return " ".join(parts)

    def failure(self) -> dict[str, t.Any]:
        """The same as a dictionary, for playbooks that branch on ``result.failure``."""
        return {"kind": self.kind, "status": self.status, **self._shown(), **self.details}

    def _shown(self) -> dict[str, str | None]:
        """The texts as they can be shown, whatever a service wrote into them."""
        texts: dict[str, str | None] = {name: getattr(self, name) for name in LONGEST}
        return {name: None if text is None else printable(text, LONGEST[name]) for name, text in texts.items()}


class InvalidInput(MirrorOpsError):
    """An option has a value that cannot work. Raised before anything is written."""

    kind = "invalid_input"


class NotUnique(InvalidInput):
    """A name stands for more than one instance (API §3.3: names are not unique)."""

    kind = "not_unique"


class Defect(MirrorOpsError):
    """Something that nobody foresaw. ``details`` holds the traceback."""

    kind = "defect"
    default_remedy = "This is a defect of the collection; please report it."


class Abandoned(MirrorOpsError):
    """The process that started this one has ended, so nothing more is sent."""

    kind = "abandoned"


class OperationFailed(MirrorOpsError):
    """An asynchronous update of an instance ended as failed (API §3.6)."""

    kind = "operation_failed"


class WaitExpired(MirrorOpsError):
    """The time limit passed while something was still under way."""

    kind = "wait_expired"


class ExchangeError(MirrorOpsError):
    """Something went wrong with an HTTP exchange.

    ``processed`` tells whether the service may have acted on the request: ``"no"`` or ``"maybe"``.
    ``transient`` tells whether a read may succeed when it is repeated, ``exhausted`` that this was tried often enough,
    or for as long as retry_timeout allows. ``retry_after`` is in seconds.
    """

    processed: t.Literal["no", "maybe"] = "maybe"
    transient = False
    exhausted = False
    retry_after: float | None = None
    body: t.Any = None


class NoAnswer(ExchangeError):
    """No complete answer arrived: refused, reset, timed out, or TLS failed."""

    kind = "no_answer"
    transient = True
    default_remedy = "Check the endpoint and the network between here and there, then run again."


class TlsFailed(NoAnswer):
    """The server's certificate could not be verified. Repeating does not help."""

    kind = "tls_failed"
    transient = False
    processed: t.Literal["no", "maybe"] = "no"
    default_remedy = "Give the CA bundle of the endpoint with ca_path, or correct the endpoint."


class UnusableAnswer(ExchangeError):
    """The status said success, the body cannot be used (cut off, HTML, empty, wrong types)."""

    kind = "unusable_answer"
    transient = True
    default_remedy = "Run again later; is the endpoint the right one, and is there a proxy in between?"


class AnswerTooLarge(UnusableAnswer):
    """The answer is larger than any that makes sense. Asked again, it would be as large."""

    kind = "answer_too_large"
    transient = False
    default_remedy = "Is the endpoint the right one? If it is, ask for less at a time."


class ApiError(ExchangeError):
    """The service answered with an error status."""

    kind = "api_error"
    processed: t.Literal["no", "maybe"] = "no"
    default_remedy = "Check the options against what the service says; if they are right, run again later."


class Redirected(ApiError):
    """3xx: the endpoint is elsewhere, or something else answers for it. Neither waiting nor a right helps."""

    kind = "redirected"
    default_remedy = "Correct the endpoint."


class AuthenticationFailed(ApiError):
    """401, or no token to be had: for a refused API key or trusted profile, or from somewhere else than IAM."""

    kind = "authentication_failed"
    default_remedy = "Check the API key or token: is it valid, not locked, and of the right account?"


class PermissionDenied(ApiError):
    """403: the identity is known and lacks a right."""

    kind = "permission_denied"
    default_remedy = (
        "Give the identity the missing role, or use another key. A role granted minutes ago may not be effective yet, "
        "and a network restriction answers the same way."
    )


class NotFound(ApiError):
    """404 or 410: missing, removed, or not visible to this identity."""

    kind = "not_found"
    default_remedy = "Check the name or id, the account of the API key, and that the identity may see it (Viewer)."


class Conflict(ApiError):
    """409: something equal exists or is under way."""

    kind = "conflict"
    default_remedy = "Something equal exists, or another change is under way: run again when it has ended."


class RateLimited(ApiError):
    """429: too many requests, nothing was done."""

    kind = "rate_limited"
    transient = True
    default_remedy = "Run again later, or with fewer tasks at the same time."


class ServiceFailed(ApiError):
    """5xx or 408: whether the request was processed is not known."""

    kind = "service_failed"
    processed: t.Literal["no", "maybe"] = "maybe"
    transient = True
    default_remedy = "Run again later. The vendor's support can look the transaction up."


def error_for_status(status: int) -> type[ApiError]:
    """The exception class for an HTTP error status. One that is neither an error nor a success tells as little as a 5xx."""
    if status == 408 or not 300 <= status < 500:
        return ServiceFailed
    return {
        401: AuthenticationFailed,
        403: PermissionDenied,
        404: NotFound,
        409: Conflict,
        410: NotFound,
        429: RateLimited,
    }.get(status, ApiError)


def parse_json(text: str | bytes) -> t.Any:
    """A JSON document whose texts can be written as UTF-8. Raises ValueError and RecursionError.

    JSON can name halves of characters that do not exist on their own. They are replaced, as bytes are that are no UTF-8.
    """
    document = json.loads(text, parse_constant=_refuse)
    if (b"\\u" in text) if isinstance(text, bytes) else ("\\u" in text):
        encoded = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
        document = json.loads(encoded.decode("utf-8", "replace"))
    return document


def printable(text: str, longest: int) -> str:
    """The text with spaces in place of what cannot be shown, as control characters, and cut where it is too long."""
    shown = text[:longest]
    if not shown.isprintable():
        shown = "".join(character if character.isprintable() else " " for character in shown)
    return shown if len(text) <= longest else f"{shown}..."


def _refuse(constant: str) -> t.NoReturn:
    raise ValueError(f"{constant} is no JSON")


def describe_body(text: str) -> tuple[str | None, str, t.Any]:
    """Reads an error body in any of the shapes seen (API §1.5, §2.10, §3.8, §4.3, §4.7).

    Returns (code or None, message, parsed JSON or None). HTML and plain text become one shortened line.
    """
    try:
        body = parse_json(text)
        code, message = _from_json(body)
    except (ValueError, RecursionError):
        return None, _plain(text), None
    return code, _shorten(message or ""), body


def _from_json(body: t.Any) -> tuple[str | None, str | None]:
    if isinstance(body, list):
        return _from_json(body[0]) if body and not isinstance(body[0], list) else (None, None)
    if not isinstance(body, dict):
        return None, None if body is None else str(body)
    nested = body.get("errors")
    if isinstance(nested, list) and nested and isinstance(nested[0], dict):
        return _from_json(nested[0])
    if isinstance(body.get("error"), dict):
        return _from_json(body["error"])
    code = next((body[key] for key in ("errorCode", "error_code", "code", "message_code") if body.get(key)), None)
    message = next(
        (body[key] for key in ("errorMessage", "message", "error", "errorDetails", "description") if body.get(key)),
        None,
    )
    return (None if code is None else _shorten(str(code)) or None), None if message is None else str(message)


def _plain(text: str) -> str:
    without_code = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", " ", text[:MAX_READ])
    return _shorten(re.sub(r"<[^>]{0,2000}>", " ", without_code))


def _shorten(text: str) -> str:
    line = " ".join(printable(text, MAX_READ).split())
    return line if len(line) <= MAX_TEXT else line[:MAX_TEXT] + "..."
