# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check found. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import typing as t

Status = t.Literal["pass", "warn", "fail", "unknown"]
SHOWN_NAMES = 5


@dataclasses.dataclass(frozen=True)
class Finding:
    """The outcome of one rule: what was seen, and what to do about it."""

    rule: str
    status: Status
    message: str
    remedy: str = ""
    evidence: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        return dataclasses.asdict(self)


def told(findings: t.Sequence[Finding], *, brief: bool = False) -> dict[str, list[t.Any]]:
    """What modules return of their findings: all of them, or only those that did not pass, and the names of the rules that did."""
    return {
        "findings": [finding.to_result() for finding in findings if not (brief and finding.status == "pass")],
        "passed": [finding.rule for finding in findings if finding.status == "pass"],
    }


def failed(findings: t.Iterable[Finding]) -> bool:
    """Whether any rule failed."""
    return any(finding.status == "fail" for finding in findings)


def some(names: t.Sequence[str]) -> str:
    """A few of many names, for a message."""
    shown = ", ".join(names[:SHOWN_NAMES])
    return shown if len(names) <= SHOWN_NAMES else f"{shown} and {len(names) - SHOWN_NAMES} more"


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def problems(label: str, findings: t.Sequence[Finding], *, also_unknown: bool = False) -> str:
    """Everything that failed (or, if asked for, could not be told) and what to do about it, in one paragraph that begins with
    the label; empty if there is nothing."""
    wanted = ("fail", "unknown") if also_unknown else ("fail",)
    told = [f"{finding.message} {finding.remedy}".strip() for finding in findings if finding.status in wanted]
    return " ".join([f"{label}:", *told]) if told else ""


def lines(findings: t.Sequence[Finding]) -> list[str]:
    """What people want to read: how many passed, and everything else in full."""
    totals = ", ".join(
        f"{sum(finding.status == status for finding in findings)} {status}"
        for status in ("pass", "warn", "fail", "unknown")
    )
    rest = [
        f"[{finding.status}] {finding.rule}: {finding.message} {finding.remedy}".rstrip()
        for status in ("fail", "warn", "unknown")
        for finding in findings
        if finding.status == status
    ]
    return [f"{len(findings)} checks: {totals}", *rest]
