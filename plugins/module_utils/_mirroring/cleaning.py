# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the remote_topics module does. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import (
    looks_like_crn,
    parse_crn,
    same_instance,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import ExchangeError, InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.deleting import delete_topics
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import count
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    derive_aliases,
    parse_transform,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.remote import (
    Feed,
    RemoteTopic,
    Removal,
    find_remote,
    lines,
    observe_feed,
    obstacles,
    plan_removal,
    refuse_all,
    unrecognisable,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    Compiled,
    compile_patterns,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import State, Unreadable, observe
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.survey import (
    read_active_topics,
    read_selection,
    read_selection_twice,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import Progress, check_seconds


class NotDeletable(InvalidInput):
    """A topic that was asked to be deleted is local, internal or fed, or nobody can tell."""

    kind = "not_deletable"


class NotConfirmed(InvalidInput):
    """Something would be deleted for good, and the instance was not named once more."""

    kind = "not_confirmed"


class Cleaning:
    """One task's look at the remote topics of one target. Whatever decides about a deletion is read by this task."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._params = params = call.params
        check_seconds(params)
        self._named, self._confirm = _texts(params["delete"]), _texts(params["confirm"])
        self._patterns = _patterns(params["delete_matching"])
        self._transform = parse_transform(params["topic_name_transform"], "topic_name_transform")
        source = (params["source"] or "").strip()
        if not source and not params["source_alias"]:
            raise InvalidInput(
                "source is empty",
                remedy="Give a CRN, a GUID or a name (in the role as mirroring_source), or source_alias.",
            )
        crn = parse_crn(source, "source") if looks_like_crn(source) else None
        self._cloud = connect(call)
        self._target = self._cloud.target.instances.find(params["target"], "target")
        guid, region = source.lower(), ""
        if crn:
            guid, region = crn.instance, crn.region
        elif not params["source_alias"]:
            found = self._look_up(source)
            guid, region = found.guid.lower(), found.region
        if source and (guid == self._target.guid.lower() or source == params["target"].strip()):
            raise InvalidInput(
                f"source and target are the same instance, {self._target.label}", remedy="Give two different instances."
            )
        # With an alias of its own, the source's region does not matter.
        region = "" if params["source_alias"] else region
        self._aliases = derive_aliases(params["source_alias"], params["target_alias"], region, self._target.region)
        self._label = " -> ".join(self._aliases)

    def _look_up(self, source: str) -> Instance:
        """The source, which may be gone."""
        try:
            return self._cloud.source.instances.find(source, "source")
        except ExchangeError as error:
            error.remedy = f"{error.remedy} If it is gone, give its CRN, or source_alias: then it is not asked."
            raise

    def result(self) -> Result:
        """Looks, deletes what is asked for, and reports."""
        admin = self._cloud.target.admin(self._target)
        listed = admin.topics()
        state, active = self._observe()
        feed = observe_feed(self._target.operation, state, active)
        hidden = unrecognisable(self._transform, state)
        if hidden:
            remote, removal = [], refuse_all(hidden, self._named, self._patterns)
        else:
            remote = find_remote(listed, self._aliases[0], feed)
            names = {topic.name for topic in listed}
            removal = plan_removal(remote, names, self._aliases[0], self._named, self._patterns)
        planned = [] if removal.refused else removal.planned
        removal = removal._replace(planned=planned)
        confirmed = any(map(self._is_target, self._confirm))
        head = f"{self._label}: remote topics on {self._target.label}"
        deleted: list[str] = []
        if not self._params["list_only"]:
            self._check(removal, confirmed)
            deleted = planned
        shown = remote, removal
        if deleted and not self._call.check_mode:
            delete_topics(self._call, admin, deleted, Progress(self._call, self._label))
            head = f"{self._label}: deleted on {self._target.label}, and no longer listed: {', '.join(deleted)}"
            shown = [one for one in remote if one.name not in planned], removal._replace(planned=[])
        told = [f"{hidden[:1].upper()}{hidden[1:]}."] if hidden else [feed.words, *lines(*shown)]
        return self._report(remote, feed, removal, deleted, confirmed, [head, *told, *self._advice(*shown)])

    def _observe(self) -> tuple[State, list[str] | Unreadable | None]:
        """Whether and how the target mirrors, and which topics; looked at more closely where some are to be deleted because it does not."""
        account, target = self._cloud.target, self._target
        deletes = not self._params["list_only"] and bool(self._named or self._patterns)
        selection = read_selection_twice(self._call, account, target) if deletes else read_selection(account, target)
        asks = isinstance(selection, list) or (deletes and not target.operation.unfinished)
        return observe(target, selection), read_active_topics(account, target) if asks else None

    def _check(self, removal: Removal, confirmed: bool) -> None:
        """Raises where something stands in the way of the plan."""
        if removal.refused:
            told, remedy = obstacles(removal.refused)
            raise NotDeletable(f"nothing was deleted: {told}", instance=self._target.label, remedy=remedy)
        if removal.planned and not confirmed and not self._call.check_mode:
            raise NotConfirmed(
                f"deleting {count(len(removal.planned), 'topic')} cannot be undone and is not confirmed, so nothing was deleted: "
                f"{', '.join(removal.planned)}",
                instance=self._target.label,
                remedy=f"To do it, set confirm: [{self._target.name}].",
            )

    def _is_target(self, text: str) -> bool:
        """Whether somebody means the target by that."""
        return (
            text in (self._target.name, self._params["target"].strip())
            or text.lower() == self._target.guid.lower()
            or same_instance(text, self._target.crn) is True
        )

    def _advice(self, remote: t.Sequence[RemoteTopic], removal: Removal) -> list[str]:
        """What no look at the target can tell."""
        if not remote:
            return []
        cautions = [
            f"They are told by their names alone: a local topic that ends with .{self._aliases[0]} would be listed, too."
        ]
        if any(not one.fed for one in remote):
            cautions.append(
                "After a failover a consumer may still have to read one to its end, and nothing here looks at consumers."
            )
        if removal.planned:
            cautions.append("A deletion cannot be undone.")
        return [" ".join(cautions)]

    def _report(
        self,
        remote: list[RemoteTopic],
        feed: Feed,
        removal: Removal,
        deleted: list[str],
        confirmed: bool,
        summary: list[str],
    ) -> Result:
        gone = set(deleted)
        told, remedy = obstacles(removal.refused)
        after = [one.to_result() for one in remote if one.name not in gone]
        names = [one.name for one in remote]
        return {
            "changed": bool(deleted),
            "requested": {"source": self._params["source"], "target": self._params["target"]},
            "instance": self._target.identity,
            "aliases": dict(zip(("source", "target"), self._aliases, strict=True)),
            "enabled": feed.enabled,
            "remote_topics": after,
            "planned": removal.planned,
            "deleted": deleted,
            "left": removal.left,
            "missing": removal.missing,
            "confirmed": confirmed,
            "awaits_confirmation": bool(removal.planned) and not confirmed and not self._call.check_mode,
            "problems": f"{self._label}: nothing is deleted on {self._target.label}. {told}. {remedy}" if told else "",
            "summary": summary,
            "diff": {
                "before": {"remote_topics": names},
                "after": {"remote_topics": [name for name in names if name not in gone]},
            },
        }


def _texts(given: list[str] | None) -> list[str]:
    """A list as people and templates write it, without what is empty."""
    return [text.strip() for text in given or [] if text and text.strip()]


def _patterns(given: list[str] | None) -> list[Compiled]:
    """Patterns of names to be deleted. Raises InvalidInput, also for those that only the service could match."""
    compiled = compile_patterns(filter(None, given or []))
    hidden = [one.pattern for one in compiled if one.regex is None]
    if hidden:
        raise InvalidInput(
            f"delete_matching has what only the service's own regular expressions know: {', '.join(map(repr, hidden))}",
            remedy="Write it as a regular expression of Python; it has to match the whole name.",
        )
    return compiled
