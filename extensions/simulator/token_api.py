# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens on the wire: IAM's grants, and the metadata service of a virtual server (API §1.2, §1.4)."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl

from . import shapes
from .accounts import GRANT_TYPE, ApiKey, Caller, TrustedProfile
from .wire import Answer, Call, Refusal, Route

FIELDS = {
    "apikey": ("apikey", "response_type", "scope"),
    "cr-token": ("cr_token", "profile_id", "profile_name", "scope"),
    "assume": ("access_token", "profile_id", "profile_crn", "profile_name", "account"),
}
"""The form fields of each grant, besides its type; the first one is required."""

VERSIONS = ("2021-09-20", "2022-03-01")
IDENTITY_SECONDS = 300
SERVER = Caller("the virtual server", "", "none", "none", "none")


def token(call: Call) -> Answer:
    """Give a token for an API key, a compute resource token, or the token of somebody whom a profile trusts."""
    grant, form = _form(call)
    caller: Caller
    if grant == "apikey":
        caller = _owner(call, form["apikey"])
    elif grant == "cr-token":
        caller = _of_resource(call, form)
    else:
        caller = _assumed(call, form)
    scope = form.get("scope") or "ibm openid"
    answer = _issued(call, caller, scope, grant)
    if call.request.headers.get("authorization") == "Basic " + base64.b64encode(b"bx:bx").decode():
        answer.body["refresh_token"] = f"refresh-{call.transaction}"
    return answer


def _form(call: Call) -> tuple[str, dict[str, str]]:
    """Return the grant and the form, if that has what the grant needs and nothing else."""
    request = call.request
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refusal(400, "BXNIM0109E", "The body must be form-encoded.", violation=True)
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    form = dict(pairs)
    call.json = form
    grant = form.get("grant_type", "").removeprefix(GRANT_TYPE)
    if form.get("grant_type") != GRANT_TYPE + grant or grant not in FIELDS:
        raise Refusal(400, "BXNIM0109E", "Property missing or wrong: grant_type.", violation=True)
    unknown = [name for name in form if name not in (*FIELDS[grant], "grant_type")]
    if unknown or len(form) != len(pairs):
        words = f"unknown form field {unknown[0]!r}" if unknown else "a form field is given twice"
        raise Refusal(400, "BXNIM0109E", words, violation=True)
    needed = FIELDS[grant][0]
    if not form.get(needed) or form.get("response_type", "cloud_iam") != "cloud_iam":
        raise Refusal(400, "BXNIM0109E", f"Property missing or wrong: {needed}, response_type.", violation=True)
    return grant, form


def _owner(call: Call, text: str) -> ApiKey:
    key = call.world.tokens.key(text)
    if key is None:
        status = int(call.world.switches["unknown_key_status"])
        code = "BXNIM0415E" if call.world.switches["token_error_shape"] == "bxnim" else "invalid_api_key"
        raise Refusal(status, code, "Provided API key could not be found.")
    return key


def _of_resource(call: Call, form: dict[str, str]) -> TrustedProfile:
    """Return the profile that a workload asks for; one of its ID and its name is needed, both must fit."""
    asked = {"id": form.get("profile_id"), "name": form.get("profile_name")}
    if not any(asked.values()):
        raise Refusal(400, "BXNIM0109E", "Property missing: profile_id or profile_name.", violation=True)
    for profile in call.world.tokens.profiles:
        fits = all(value in (None, getattr(profile, name)) for name, value in asked.items())
        if fits and form["cr_token"] in profile.cr_tokens:
            return profile
    raise Refusal(400, "BXNIM0514E", "No trusted profile of this ID or name trusts the compute resource.")


def _assumed(call: Call, form: dict[str, str]) -> TrustedProfile:
    """Return the profile that somebody asks for by exactly one of ID, CRN, and name with account."""
    known = call.world.tokens.check(form["access_token"], call.now)
    if not isinstance(known, Caller):
        raise Refusal(401, "BXNIM0408E", "Provided token is expired or not valid.")
    asked = [name for name in ("profile_id", "profile_crn", "profile_name") if form.get(name)]
    if len(asked) != 1 or ("profile_name" in asked) != bool(form.get("account")):
        raise Refusal(400, "BXNIM0109E", "One of profile_id, profile_crn, profile_name with account.", violation=True)
    for profile in call.world.tokens.profiles:
        by_name = asked == ["profile_name"] and form["account"] == profile.account
        shown = {
            "profile_id": profile.id,
            "profile_crn": profile.crn,
            "profile_name": profile.name if by_name else None,
        }
        if form[asked[0]] == shown[asked[0]] and known.name in profile.assumed_by:
            return profile
    raise Refusal(400, "BXNIM0512E", "There is no such trusted profile, or it does not trust this identity.")


def _issued(call: Call, caller: Caller, scope: str, grant: str) -> Answer:
    call.caller = caller
    call.processed = True
    body = call.world.tokens.issue(caller, call.now, call.world.timing["token_seconds"], scope, grant)
    return Answer(200, body, {"Transaction-Id": call.transaction, "Cache-Control": "no-cache, no-store"})


# -- the metadata service


def authenticate(call: Call) -> None:
    """Find the virtual server by its identity token."""
    kind, _dummy, text = call.request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or call.world.tokens.check(text, call.now) is not SERVER:
        raise Refusal(401, "invalid_token", "The instance identity token is missing, expired or not valid.")
    call.caller = SERVER


def error(refusal: Refusal, call: Call) -> Answer:
    """Put a refusal into the shape of the VPC's services."""
    entry: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    return Answer(refusal.status, {"errors": [entry], "trace": call.transaction}, refusal.headers)


def _check_version(call: Call) -> None:
    if call.query.get("version") not in VERSIONS:
        raise Refusal(400, "bad_version", f"version must be one of {', '.join(VERSIONS)}", violation=True)


def identity(call: Call) -> Answer:
    """Give the virtual server a token that says who it is."""
    _check_version(call)
    if call.request.headers.get("metadata-flavor") != "ibm":
        raise Refusal(400, "missing_header", "The header Metadata-Flavor: ibm is needed.", violation=True)
    call.processed = True
    body = call.world.tokens.issue(SERVER, call.now, call.json["expires_in"], "", "identity")
    return Answer(200, {name: body[name] for name in ("access_token", "expires_in")})


def iam_token(call: Call) -> Answer:
    """Give a token for the named trusted profile, else for the one that is linked to the server."""
    _check_version(call)
    asked = (call.json or {}).get("trusted_profile", {})
    for profile in call.world.tokens.profiles:
        fits = all(value == getattr(profile, name) for name, value in asked.items())
        if fits and profile.virtual_server:
            return _issued(call, profile, "ibm openid", "cr-token")
    raise Refusal(403, "not_authorized", "No trusted profile trusts this virtual server.")


_IDENTITY = shapes.mapping({"expires_in": shapes.whole(5, 3600)})
_PROFILE = shapes.mapping(optional={"id": shapes.text(shortest=1), "crn": shapes.text(shortest=1)})
_WANTED = shapes.nullable(shapes.mapping({"trusted_profile": _PROFILE}))
ROUTES = (
    Route("PUT", "/instance_identity/v1/token", identity, ["version"], _IDENTITY, open=True),
    Route("POST", "/instance_identity/v1/iam_token", iam_token, ["version"], _WANTED),
)
