# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client of IBM Cloud Monitoring, the part of it that is Prometheus' HTTP API (API §7). It knows nothing of what the queries mean.

Private to this collection: it may change at any time.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api, Bearer
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.resource_controller import (
    MONITORING_SERVICE,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import SERVICE, is_guid, looks_like_crn
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import parse_http_date

PATH = "/api/prometheus/api/v1"
REGIONS = {"che01": "in-che"}
"""What Monitoring calls a region of Event Streams, where that is not the same (API §7.1)."""

MOST_WARNINGS = 3
FIRST_TIME, LAST_TIME = 1420070400.0, 4102444800.0
"""The years 2015 to 2099: any other time is none at which anything was measured."""

Point: t.TypeAlias = "tuple[float, float | None]"
"""Seconds since the epoch, and the value; None is a value that is no number, which tells nothing."""


class Series(t.NamedTuple):
    """Labels, and points in order of time: one point in the answer to an instant query."""

    labels: dict[str, str]
    points: list[Point]


class Monitoring(Api):
    """What one Monitoring instance, given by its GUID, knows of one Event Streams instance. ``warnings`` are those of its answers: where
    there is any, an answer may hold only a part."""

    def __init__(self, http: Http, base_url: str, bearer: Bearer, guid: str, instance: Instance) -> None:
        super().__init__(http, base_url.removesuffix("/api"), bearer, "X-Request-Id", headers={"IBMInstanceID": guid})
        self.guid = guid
        self.warnings: list[str] = []
        self._instance = instance
        self._ahead = 0.0

    @property
    def now(self) -> float:
        """What time it is for Monitoring, as its last answer to an instant query shows, in seconds since the epoch; where none shows it,
        by our own clock."""
        return self.http.clock.time() + self._ahead

    def instant(self, query: str, what: str) -> list[Series]:
        """The newest values, each at most five minutes old; what is older is not there (API §7.1). ``what`` is asked for, in words.

        Raises ExchangeError.
        """
        return self._ask("/query", {"query": query}, what, "vector")

    def over(self, query: str, start: float, end: float, step: float, what: str) -> list[Series]:
        """The values at each step of a time, all in seconds. Raises ExchangeError."""
        times = {name: f"{value:.3f}" for name, value in (("start", start), ("end", end), ("step", step))}
        return self._ask("/query_range", {"query": query, **times}, what, "matrix")

    def _ask(self, path: str, query: dict[str, t.Any], what: str, kind: str) -> list[Series]:
        attempt = f"ask Monitoring for {what}"
        try:
            answer = self.get(PATH + path, attempt=attempt, instance=self._instance.label, query=query)
        except (_errors.AuthenticationFailed, _errors.PermissionDenied) as error:
            error.remedy = (
                f"Is {self.guid} the instance of IBM Cloud Monitoring that gets the platform metrics of {self._instance.region}? "
                "The identity needs the service role Reader on it."
            )
            raise
        except _errors.AnswerTooLarge as error:
            error.remedy = "Give a shorter window: Monitoring has more values of that time than one answer can bring."
            raise
        try:
            found = parse_answer(answer.body, kind)
            self.warnings += warnings_of(answer.body)
            if kind == "vector":
                self._learn_time(found, answer.headers)
            return found
        except ValueError as error:
            raise _errors.UnusableAnswer(
                str(error),
                attempt=attempt,
                instance=self._instance.label,
                status=answer.status,
                transaction_id=answer.transaction_id,
            ) from error

    def _learn_time(self, found: list[Series], headers: t.Mapping[str, str]) -> None:
        """How far its clock is ahead of ours: the values say for when they are, else the answer says when it was given."""
        times = [*(one.points[0][0] for one in found[:1]), parse_http_date(headers.get("Date"))]
        shown = [when for when in times if when is not None and FIRST_TIME < when < LAST_TIME]
        if shown:
            self._ahead = shown[0] - self.http.clock.time()


def monitoring_region(region: str) -> str:
    """What Monitoring calls a region of Event Streams (API §7.1)."""
    return REGIONS.get(region, region)


def read_guid(given: str, option: str, instance: Instance | None = None) -> str:
    """The GUID of a Monitoring instance out of what a user gives; it has to be one for this Event Streams instance, as far as a CRN
    shows that. Raises InvalidInput."""
    text = given.strip()
    parts = text.split(":") if looks_like_crn(text) else []
    guid = parts[7] if len(parts) > 7 else text
    wrong = ""
    if not is_guid(guid):
        wrong = "is neither a GUID nor a CRN"
    elif parts and parts[4] == SERVICE:
        wrong = "is the CRN of an Event Streams instance, not of one of IBM Cloud Monitoring"
    elif parts and parts[4] != MONITORING_SERVICE:
        wrong = f"is the CRN of an instance of {parts[4] or 'no service'}, not of IBM Cloud Monitoring, which is {MONITORING_SERVICE}"
    elif parts and instance is not None and parts[5] != monitoring_region(instance.region):
        region = monitoring_region(instance.region)
        wrong = f"is in {parts[5] or 'no region'}, and the metrics of {instance.label} are in {region}"
    if wrong:
        raise _errors.InvalidInput(
            f"{option} {given!r} {wrong}",
            remedy="Give that of the instance of IBM Cloud Monitoring that gets the platform metrics of the region. If it is the right "
            "one, give its GUID.",
        )
    return guid.lower()


def parse_answer(body: t.Any, kind: str) -> list[Series]:
    """The series of a ``vector`` or a ``matrix`` (API §7.3). Raises ValueError, with the reason."""
    if isinstance(body, dict) and body.get("status") == "error":
        raise ValueError(f"the query failed: {_errors.printable(str(body.get('error')), 300)}")
    if isinstance(body, dict) and body.get("status") != "success":
        raise ValueError("the answer does not say that the query succeeded")
    data = body.get("data") if isinstance(body, dict) else None
    found = data.get("result") if isinstance(data, dict) and data.get("resultType") == kind else None
    if not isinstance(found, list):
        raise ValueError(f"the answer holds no {kind}")
    return [_series(one, kind) for one in found]


def warnings_of(body: t.Any) -> list[str]:
    """What an answer warns of, such as results that were left out."""
    warnings = body.get("warnings") if isinstance(body, dict) else None
    listed = warnings if isinstance(warnings, list) else [warnings] if warnings else []
    return [_errors.printable(str(one), 300) for one in listed[:MOST_WARNINGS]]


def _series(one: t.Any, kind: str) -> Series:
    labels = one.get("metric") if isinstance(one, dict) else None
    if not isinstance(labels, dict):
        raise ValueError("a series has no labels")
    points = [one.get("value")] if kind == "vector" else one.get("values")
    if not isinstance(points, list):
        raise ValueError("a series has no values")
    texts = {str(name): _errors.printable(str(value), 1000) for name, value in labels.items()}
    return Series(texts, [_point(point) for point in points])


def _point(point: t.Any) -> Point:
    """A time and a value, which is a text and may be NaN or infinite (API §7.3). Raises ValueError."""
    if not isinstance(point, list) or len(point) != 2 or isinstance(point[0], bool):
        raise ValueError("a value has no time")
    try:
        when, value = float(point[0]), float(point[1])
    except (TypeError, OverflowError) as error:
        raise ValueError(f"a value is no number: {error}") from error
    if not math.isfinite(when):
        raise ValueError("a time is no number")
    return when, value if math.isfinite(value) else None
