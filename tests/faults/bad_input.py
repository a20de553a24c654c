# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Input that cannot work, and input that can, both by construction: strategies by dimension and category.

What a message has to tell, and how much may be read before, is part of a case. Nothing here looks at how the collection checks.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.modules import (
    authorization_policy,
    failover_readiness_info,
    instance_info,
    mirroring,
    mirroring_info,
    readiness_info,
    recovery_info,
    remote_topics,
    topic_selection,
    topics_info,
)
from ansible_collections.mirrorops.event_streams.tests.faults.stage import (
    ACCOUNT,
    SOURCE,
    SOURCE_GUID,
    TARGET,
    TARGET_GUID,
    RoleFailed,
    Stage,
)
from simulator import Simulator

OFFLINE, LOOKED_UP, READ = "nothing", "the two instances", "anything"
"""What may be read before a case is refused: what can be judged as it stands needs no request. Aliases and transforms could do
without, too, but setup and validate find the instances first. Names and capacities can be judged only with the topics in hand."""

LONGEST_NAME = 249
KAFKA = "abcxyzABC019._-"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIRT = (
    *" \t\n\r\v\f\0\x07\x1b\x7f\x85\xa0",
    *"\u00fc\u0430\u200b\u2028\u202e\u3000\ufeff\uff0d\U0001f600\ud800",
)
"""White space, control characters, letters that look like others, what is not shown, half a character."""

SYMBOLS = tuple("/\\:;*?!\"'@{}()[]<>|,+=&$#%~`^")


@dataclasses.dataclass(frozen=True)
class Case:
    """``run`` is "mirror", or what is in MODULES. The message has to have one of the texts in ``told``. In options,
    {simulator} and {authority} stand for where the simulator is."""

    run: str
    options: dict[str, Any]
    told: tuple[str, ...] = ()
    reads: str = OFFLINE
    world: str = "two regions"
    topics: tuple[tuple[str, str], ...] = ()


Strategy = st.SearchStrategy[Any]
Cases = dict[str, st.SearchStrategy[Case]]

PAIR = {"source": SOURCE, "target": TARGET}
GRANT = {
    "account_id": ACCOUNT,
    "source_service_instance_id": TARGET_GUID,
    "target_service_instance_id": SOURCE_GUID,
}
MODULES: dict[str, tuple[types.ModuleType, dict[str, Any]]] = {
    "readiness_info": (readiness_info, PAIR),
    "failover_readiness_info": (failover_readiness_info, PAIR),
    "mirroring": (mirroring, PAIR),
    "mirroring, absent": (mirroring, {"target": TARGET, "state": "absent"}),
    "mirroring_info": (mirroring_info, PAIR),
    "topic_selection": (topic_selection, {"target": TARGET, "topics": ["^orders$"]}),
    "topic_selection, preview": (topic_selection, {**PAIR, "topics": ["^orders$"]}),
    "recovery_info": (recovery_info, {**PAIR, "verb": "failover"}),
    "remote_topics": (remote_topics, {**PAIR, "delete": ["orders.us-south"], "confirm": [TARGET]}),
    "instance_info": (instance_info, {}),
    "topics_info": (topics_info, {"instance": SOURCE}),
    "authorization_policy": (authorization_policy, GRANT),
}
"""Modules, and what they are given where a case does not say otherwise."""


class Checked(Stage):
    """Everything in check mode, with what the validate role does then."""

    def call(self, module: types.ModuleType, check_mode: bool = False, **options: Any) -> Call:
        return super().call(module, True, **options)

    def validate(self, pair: dict[str, Any]) -> dict[str, Any]:
        looked = self.run(mirroring_info, **pair, assume_changes=True)
        if looked["verdict"] != "predicted":
            raise RoleFailed(looked["problems"])
        return looked


def carry_out(case: Case, simulator: Simulator, check_mode: bool) -> dict[str, Any]:
    """Runs a case. Raises MirrorOpsError, RoleFailed, and ValueError for what Ansible itself refuses."""
    places = {"{simulator}": simulator.url, "{authority}": simulator.url.partition("//")[2]}
    options = dict(case.options)
    for name, value in options.items():
        if isinstance(value, str):
            for place, where in places.items():
                options[name] = options[name].replace(place, where)
    stage = (Checked if check_mode else Stage)(simulator, **{"poll_interval": 600, **options})
    if case.run == "mirror":
        return stage.mirror(**{"poll_interval": 600, **options})
    module, usual = MODULES[case.run]
    return stage.run(module, **{**usual, **options})


def one_of(*values: Any) -> Strategy:
    """One of some values, none of them preferred."""
    return st.sampled_from(values)


def words(alphabet: str | Sequence[str] = KAFKA, least: int = 1, most: int = 12) -> st.SearchStrategy[str]:
    """Short texts."""
    return st.text(st.sampled_from(list(alphabet)), min_size=least, max_size=most)


def dirty(text: st.SearchStrategy[str], dirt: Sequence[str], *, ends: bool = True, start: int = 0) -> Strategy:
    """Texts with one more character, which does not belong there. White space at the ends is forgiven in some places."""

    def insert(drawn: tuple[str, str, int]) -> str:
        clean, character, place = drawn
        first, last = (start, len(clean)) if ends else (max(1, start), len(clean) - 1)
        place = first + place % (last - first + 1)
        return clean[:place] + character + clean[place:]

    return st.tuples(text, st.sampled_from(list(dirt)), st.integers(0, 10**6)).map(insert)


# --- CRNs -------------------------------------------------------------------------------------------------------------

sides = one_of("source", "target")


def crn(side: str) -> list[str]:
    """The ten segments of the CRN of an instance in the simulator."""
    region, guid = ("us-south", SOURCE_GUID) if side == "source" else ("us-east", TARGET_GUID)
    return ["crn", "v1", "bluemix", "public", "messagehub", region, f"a/{ACCOUNT}", guid, "", ""]


def changed(place: int, values: Strategy) -> Strategy:
    """CRNs with another segment, and the side that they are given for."""

    def change(drawn: tuple[str, str]) -> tuple[str, str]:
        side, value = drawn
        segments = crn(side)
        segments[place] = value
        return side, ":".join(segments)

    return st.tuples(sides, values).map(change)


def named_by_crn(given: Strategy, *, known: bool = False) -> st.SearchStrategy[Case]:
    """Cases for (side, CRN). All modules judge it before they ask anything, except where the target is looked up first."""

    def case(drawn: tuple[tuple[str, str], str]) -> Case:
        (side, text), run = drawn
        if run in ("instance_info", "topics_info"):
            return Case(run, {"instance": text}, ("instance is not the CRN", "instance has"))
        if side == "source" and run in ("topic_selection", "mirroring, absent"):
            run = "mirroring"
        reads = LOOKED_UP if side == "source" and run == "topic_selection, preview" else OFFLINE
        return Case(run, {side: text}, (f"{side} is not the CRN", f"{side} has"), reads)

    every = ("mirror", "mirror", "mirror", *MODULES)
    return st.tuples(given, st.sampled_from([run for run in every if run != "authorization_policy"])).map(case)


def unknown_crns(place: int, values: Strategy) -> st.SearchStrategy[Case]:
    """Well-formed CRNs of instances that are not there."""

    def case(drawn: tuple[tuple[str, str], str]) -> Case:
        (side, text), run = drawn
        return Case(run, {side: text}, (text.split(":")[7].lower(),), LOOKED_UP)

    runs = one_of(
        "mirror",
        "readiness_info",
        "recovery_info",
        "failover_readiness_info",
        "mirroring_info",
        "topic_selection, preview",
    )
    return st.tuples(changed(place, values), runs).map(case)


hexadecimal = words("0123456789abcdef", 32, 32)
guids = hexadecimal.map(lambda text: "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]]))
known_guids = one_of(SOURCE_GUID, TARGET_GUID)


def replaced(drawn: tuple[str, str, int]) -> str:
    """A text with another character in one place."""
    text, character, place = drawn
    place %= len(text)
    return text[:place] + character + text[place + 1 :]


bad_guids = {
    "a GUID of another length": st.one_of(
        st.tuples(known_guids, st.integers(1, 35)).map(lambda drawn: drawn[0][: drawn[1]]),
        st.tuples(known_guids, words("0123456789abcdef-", 1, 8)).map("".join),
    ),
    "a GUID with a character that it cannot have": st.tuples(
        known_guids, one_of(*"ghxyzGO_.~", "\u0430", "\u0661", "\uff11"), st.integers(0, 35)
    ).map(replaced),
    "a GUID without its hyphens, or with one elsewhere": st.one_of(
        known_guids.map(lambda guid: guid.replace("-", "")),
        st.tuples(known_guids, st.integers(1, 34))
        .map(lambda drawn: drawn[0].replace("-", "")[: drawn[1]] + "-" + drawn[0].replace("-", "")[drawn[1] :])
        .filter(lambda text: text.count("-") == 1),
    ),
    "a GUID in another notation": st.tuples(known_guids, one_of("{%s}", "urn:uuid:%s", "0x%s", "(%s)", "'%s'")).map(
        lambda drawn: drawn[1] % drawn[0]
    ),
}

CRNS: Cases = {
    "too few segments": named_by_crn(
        st.tuples(sides, st.integers(2, 7)).map(lambda drawn: (drawn[0], ":".join(crn(drawn[0])[: drawn[1]])))
    ),
    "too many segments": named_by_crn(
        st.tuples(sides, st.lists(words(LETTERS, 0, 5), min_size=1, max_size=6)).map(
            lambda drawn: (drawn[0], ":".join([*crn(drawn[0]), *drawn[1]]))
        )
    ),
    "another beginning": named_by_crn(
        st.one_of(
            changed(0, one_of("CRN", "Crn", "cRn", "crN")),
            changed(1, st.one_of(one_of("V1", "v2", "v10", "v", "", "1", "v1.0"), words(LETTERS))),
        )
    ),
    "another service": named_by_crn(
        changed(
            4,
            st.one_of(
                one_of("", "cloudantnosqldb", "kms", "MESSAGEHUB", "messagehub-test", "message", "m\u0435ssagehub"),
                words(LETTERS),
            ),
        )
    ),
    "another scope": named_by_crn(
        changed(
            6,
            st.one_of(
                one_of("", "a", "a/", "/", ACCOUNT, f"A/{ACCOUNT}", f"o/{ACCOUNT}", f"s/{ACCOUNT}", f"a/{ACCOUNT}/x"),
                words("ab/", 1, 6).filter(
                    lambda text: not text.startswith("a/") or text.count("/") != 1 or text == "a/"
                ),
            ),
        )
    ),
    "a bad account": named_by_crn(changed(6, dirty(st.just(f"a/{ACCOUNT}"), (*DIRT, *SYMBOLS[:3], *"-_."), start=2))),
    **{
        category: named_by_crn(changed(7, values.filter(lambda text: ":" not in text)))
        for category, values in bad_guids.items()
    },
    "a missing piece": named_by_crn(st.one_of(*(changed(place, st.just("")) for place in (2, 3, 4, 5, 6, 7)))),
    "a resource inside": named_by_crn(
        st.one_of(changed(8, words()), changed(9, words()), changed(8, st.just("topic")), changed(8, st.just(" ")))
    ),
    "a character that does not belong there": named_by_crn(
        sides.flatmap(
            lambda side: dirty(
                st.just(":".join(crn(side)[:8])), (*DIRT, *"\\'\"<>{}|@$!*(),;=+?#&[]^`"), ends=False, start=4
            ).map(lambda text: (side, f"{text}::"))
        )
    ),
    "one colon more": named_by_crn(
        sides.flatmap(lambda side: dirty(st.just(":".join(crn(side))), ":", start=4).map(lambda text: (side, text)))
    ),
    "of another region": unknown_crns(5, st.one_of(one_of("eu-de", "us-south-1", "US-SOUTH"), words(LETTERS))),
    "of another account": unknown_crns(6, hexadecimal.map(lambda account: f"a/{account}")),
    "of another cloud": unknown_crns(2, words(LETTERS)),
    "of an instance that is not there": unknown_crns(7, guids),
    "of one instance twice": st.tuples(
        one_of("mirror", "readiness_info", "recovery_info", "failover_readiness_info", "mirroring", "mirroring_info"),
        sides,
    ).map(
        lambda drawn: Case(
            drawn[0],
            {"source": ":".join(crn(drawn[1])), "target": ":".join(crn(drawn[1])[: 8 + 2 * (drawn[1] == "source")])},
            ("same instance",),
            LOOKED_UP,
        )
    ),
}

# --- GUIDs and what authorization_policy takes ------------------------------------------------------------------------

guid_options = one_of("source_service_instance_id", "target_service_instance_id")


def granted(options: Strategy, values: Strategy, *told: str) -> st.SearchStrategy[Case]:
    """Cases for one option of authorization_policy. {option} stands for it in what has to be told."""

    def case(drawn: tuple[str, Any, str]) -> Case:
        option, value, state = drawn
        return Case(
            "authorization_policy",
            {option: value, "state": state},
            tuple(text.replace("{option}", option) for text in (*told, "{option} has")),
        )

    return st.tuples(options, values, one_of("present", "present", "absent")).map(case)


def named_by_guid(values: Strategy) -> st.SearchStrategy[Case]:
    """What is no GUID is a name, and no instance is called like that."""
    runs = one_of(
        "mirror",
        "readiness_info",
        "recovery_info",
        "failover_readiness_info",
        "mirroring_info",
        "topic_selection, preview",
    )
    return st.tuples(sides, values, runs).map(
        lambda drawn: Case(drawn[2], {drawn[0]: drawn[1]}, (repr(drawn[1]),), LOOKED_UP)
    )


GUIDS: Cases = {
    **{
        f"{category}, for a policy": granted(guid_options, values, "{option} is not a GUID")
        for category, values in bad_guids.items()
    },
    **{f"{category}, for an instance": named_by_guid(values) for category, values in bad_guids.items()},
    "a GUID with a character more": granted(
        guid_options, dirty(known_guids, (*DIRT, *SYMBOLS)), "{option} is not a GUID"
    ),
    "no GUID": granted(
        guid_options,
        st.one_of(words().filter(bool), one_of(" ", SOURCE, ":".join(crn("source")))),
        "{option} is not a GUID",
    ),
    "a missing GUID": granted(guid_options, one_of("", None), "{option} is missing"),
    "one instance twice": granted(
        st.just("source_service_instance_id"),
        one_of(SOURCE_GUID, SOURCE_GUID.upper(), SOURCE_GUID.title()),
        "same instance",
    ),
    "an instance that is not there": st.tuples(
        sides, guids, one_of("mirror", "readiness_info", "recovery_info", "failover_readiness_info", "mirroring_info")
    ).map(lambda drawn: Case(drawn[2], {drawn[0]: drawn[1]}, (drawn[1],), LOOKED_UP)),
    "one instance twice, of a pair": st.tuples(
        known_guids, one_of("mirror", "readiness_info", "recovery_info", "failover_readiness_info", "mirroring")
    ).map(
        lambda drawn: Case(drawn[1], {"source": drawn[0], "target": drawn[0].upper()}, ("same instance",), LOOKED_UP)
    ),
    "a bad account id": granted(
        one_of("account_id", "source_service_account"),
        st.one_of(
            dirty(st.just(ACCOUNT), (*DIRT, *SYMBOLS, *"-_.")), one_of(f"a/{ACCOUNT}", " ", "a b", "../x", "x" * 1001)
        ),
        "{option} is not an account id",
    ),
    "a bad service": granted(
        one_of("source_service_name", "target_service_name"),
        st.one_of(dirty(st.just("messagehub"), (*DIRT, *SYMBOLS)), one_of("", " ", "x" * 1001)),
        "{option} is not the name of a service",
    ),
    "bad roles": granted(
        st.just("roles"),
        st.one_of(
            dirty(one_of("Reader", "Writer"), (*DIRT, *(set(SYMBOLS) - {","}))).map(lambda role: ["Reader", role]),
            one_of(
                [], [""], [None], ["Reader", ""], "Reader,", ["crn:Reader"], [" "], ["crn:v1:" + ":" * 9], {"Reader": 1}
            ),
        ),
        "{option} is empty",
        "roles has what is neither",
        "'roles'",
    ),
    "a bad state": words(LETTERS).map(lambda text: Case("authorization_policy", {"state": f"x{text}"}, ("state",))),
}

# --- names and queries ------------------------------------------------------------------------------------------------

asking = one_of(
    "mirror", "readiness_info", "recovery_info", "failover_readiness_info", "mirroring_info", "topic_selection, preview"
)
broken_queries = st.tuples(
    one_of("[*].name", "[?name=='x']", "[0]", "length(@)", "a.b", "{n: name}"),
    one_of("[", "{", "(", "..", "]", ")", "|", "&&", "||", "==", "[?", "'", "`", '"', "$", "[a", ".[", "{a}", "&"),
).map("".join)

NAMES: Cases = {
    "no name": st.tuples(sides, words(" \t\n\u3000", 1, 4), asking).map(
        lambda drawn: Case(drawn[2], {drawn[0]: drawn[1]}, (f"{drawn[0]} is empty",), LOOKED_UP)
    ),
    "nothing at all": st.tuples(
        sides, one_of("mirror", "readiness_info", "recovery_info", "failover_readiness_info", "mirroring")
    ).map(
        lambda drawn: (
            Case(drawn[1], {drawn[0]: None}, (drawn[0],))
            if drawn[1] == "mirror"
            else Case("mirror", {"source": None, drawn[0]: None}, (drawn[0], "source"))
        )
    ),
    "nobody's name": st.tuples(
        sides,
        st.one_of(words().map(lambda text: f"no-{text}"), dirty(one_of(SOURCE, TARGET), DIRT[:-1], ends=False)),
        asking,
    ).map(lambda drawn: Case(drawn[2], {drawn[0]: drawn[1]}, (repr(drawn[1]),), LOOKED_UP)),
    "half a character": st.tuples(sides, one_of("\ud800", "es-\udfff", "\udc80x"), asking).map(
        lambda drawn: Case(drawn[2], {drawn[0]: drawn[1]}, (drawn[0],), LOOKED_UP)
    ),
    "half a character in a filter": st.tuples(one_of("name", "resource_group_id"), one_of("\ud800", "x\udfff")).map(
        lambda drawn: Case("instance_info", {drawn[0]: drawn[1]}, (drawn[0],), LOOKED_UP)
    ),
    "two ways of naming": st.tuples(one_of("name", "region", "resource_group_id"), words()).map(
        lambda drawn: Case("instance_info", {"instance": SOURCE, drawn[0]: drawn[1]}, ("mutually exclusive",))
    ),
    "a query that is none": st.one_of(broken_queries, one_of("", " ", "*.", "a b", "@@", "[*", "1", "a[")).map(
        lambda query: Case("instance_info", {"query": query}, ("query is no JMESPath expression",))
    ),
    "a query without end": st.tuples(one_of("(", "[", "!", "{a:", "[?"), st.integers(3000, 9000)).map(
        lambda drawn: Case("instance_info", {"query": drawn[0] * drawn[1]}, ("query is no JMESPath expression",))
    ),
    "a query too deep": st.tuples(one_of("|a", "||a", "[*]", "&&a"), st.integers(3000, 6000)).map(
        lambda drawn: Case("instance_info", {"query": "a" + drawn[0] * drawn[1]}, ("query",), LOOKED_UP)
    ),
    "a query that fails": st.one_of(
        words(LETTERS, 4, 9).map(lambda name: f"x{name}(@)"),
        one_of("length(`1`)", "[::0]", "sort_by(@, &foo)", "join(`1`, @)", 'abs(`"x"`)', "sum(@)", "keys(@)"),
        one_of("ceil(`1e999`)", "floor(`-1e999`)", "[?ceil(`1e999`)]", "[*].floor(`1e999`)"),
    ).map(lambda query: Case("instance_info", {"query": query}, ("query failed",), LOOKED_UP)),
}

# --- aliases ----------------------------------------------------------------------------------------------------------

aliases = words(KAFKA, 1, 20).filter(lambda text: text not in ("us-south", "us-east"))
aliased = one_of(
    "mirror",
    "mirror",
    "readiness_info",
    "failover_readiness_info",
    "mirroring",
    "mirroring_info",
    "topic_selection, preview",
)


def alias_cases(values: Strategy) -> st.SearchStrategy[Case]:
    """Cases for one alias."""
    return st.tuples(sides, values, aliased).map(
        lambda drawn: Case(
            drawn[2],
            {f"{drawn[0]}_alias": drawn[1]},
            (f"{drawn[0]}_alias {drawn[1]!r}"[:200], f"{drawn[0]}_alias has"),
            LOOKED_UP,
        )
    )


def both(source_alias: str | None, target_alias: str | None) -> dict[str, Any]:
    """Both aliases."""
    return {"source_alias": source_alias, "target_alias": target_alias}


def underivable(drawn: tuple[str, str | None, str | None, bool]) -> dict[str, Any]:
    """At most one alias; the other is not given, or empty."""
    alias, one, other, first = drawn
    return both(alias, other) if first else both(one, other if other != alias else None)


ALIASES: Cases = {
    "a character that no topic name can have": alias_cases(dirty(aliases, (*DIRT, *SYMBOLS))),
    "blank": alias_cases(words(" \t\n", 1, 4)),
    "too long": alias_cases(st.tuples(aliases, st.integers(229, 700)).map(lambda drawn: (drawn[0] * 700)[: drawn[1]])),
    "equal": st.tuples(aliases, aliased).map(
        lambda drawn: Case(drawn[1], both(drawn[0], drawn[0]), (f"both {drawn[0]!r}",), LOOKED_UP)
    ),
    "equal to the other's region": st.tuples(sides, aliased).map(
        lambda drawn: Case(
            drawn[1],
            {f"{drawn[0]}_alias": "us-east" if drawn[0] == "source" else "us-south"},
            ("are both 'us-",),
            LOOKED_UP,
        )
    ),
    "equal after trimming": st.tuples(aliases, words(" \t\n", 1, 3), st.booleans(), aliased).map(
        lambda drawn: Case(
            drawn[3],
            both(drawn[0], drawn[0] + drawn[1]) if drawn[2] else both(drawn[1] + drawn[0], drawn[0]),
            ("target_alias" if drawn[2] else "source_alias",),
            LOOKED_UP,
        )
    ),
    "not given, or empty, in one region": st.tuples(
        aliases, one_of(None, ""), one_of(None, ""), st.booleans(), aliased
    ).map(
        lambda drawn: Case(
            drawn[4],
            both(drawn[0], drawn[1]) if drawn[3] else both(drawn[1], drawn[2]),
            ("Give source_alias and target_alias",),
            LOOKED_UP,
            "one region",
        )
    ),
    "too long for a topic": st.tuples(words(LETTERS, 60, 200), words(LETTERS, 1, 1)).map(
        lambda drawn: Case(
            "mirror",
            {"source_alias": drawn[1] * (LONGEST_NAME - len(drawn[0])), "topics": ["^.*$"]},
            (drawn[0],),
            READ,
            topics=((SOURCE, drawn[0]),),
        )
    ),
    "copies of the target are selected": st.tuples(words(LETTERS), aliases).map(
        lambda drawn: Case(
            "mirror",
            {"target_alias": drawn[1], "topics": ["^.*$"]},
            (f"{drawn[0]}.{drawn[1]}",),
            READ,
            topics=((SOURCE, f"{drawn[0]}.{drawn[1]}"),),
        )
    ),
}

# --- patterns ---------------------------------------------------------------------------------------------------------

good_patterns = st.one_of(
    one_of("^orders$", "^payments$", ".*", "^(orders|payments)$", "^[a-z]+$", r"^a\.b$", "^a{2,3}$", "(?i)^ORDERS$"),
    words(LETTERS).map(lambda text: f"^{text}$"),
    words(LETTERS).map(lambda text: f"^{text}.*"),
)


def selecting(bad: Strategy, *told: str) -> st.SearchStrategy[Case]:
    """Cases for a pattern, alone and among others. No request is needed to judge it."""

    def case(drawn: tuple[str, list[str], list[str], str]) -> Case:
        pattern, before, after, run = drawn
        return Case(run, {"topics": [*before, pattern, *after]}, told or ("not a usable topic pattern",))

    others = st.lists(good_patterns, max_size=2)
    runs = one_of(
        "mirror",
        "mirror",
        "readiness_info",
        "failover_readiness_info",
        "mirroring_info",
        "topic_selection",
        "topic_selection, preview",
    )
    return st.tuples(bad, others, others, runs).map(case)


def pieces(*strategies: Strategy) -> Strategy:
    """One after the other."""
    return st.tuples(*strategies).map("".join)


plain = words(LETTERS, 1, 6)
javas = one_of(r"\p{L}", r"\p{Upper}+", "a*+", "b++", "c?+", r"\Qa(b\E", r"\R", r"\h", "[a&&[^b]]", "[a[b]]", r"\z")
BROKEN = {
    "an open group": pieces(st.just("^("), plain),
    "a closed group that was not open": pieces(plain, st.just(")$")),
    "an open class": pieces(plain, one_of("[", "[^", "[a-", "[]"), plain),
    "nothing to repeat": pieces(one_of("*", "+", "?", "(*", "(+", "a|*", "a|?"), plain, st.just(")")).map(
        lambda text: text if "(" in text else text[:-1]
    ),
    "repeated repetitions": pieces(plain, one_of("**", "+*", "?*", "{2}*", "{2}{3}*")),
    "a range the wrong way round": st.one_of(
        st.tuples(plain, st.integers(2, 90)).map(lambda drawn: f"{drawn[0]}{{{drawn[1]},{drawn[1] - 1}}}"),
        one_of("[z-a]", "[9-0]", "[b-a]x"),
    ),
    "a backslash at the end": pieces(plain, st.just("\\")),
    "a repetition beyond counting": st.tuples(plain, st.integers(2**32, 2**70)).map(
        lambda drawn: f"{drawn[0]}{{{drawn[1]}}}"
    ),
    "a brace that opens no repetition": pieces(plain, one_of("{", "{,3}", "{a}", "{-1}", "{1,2,3}", "{ 1}"), plain),
    "a reference to no group": pieces(plain, one_of(r"\1", r"\2", r"(a)\2", r"\9")),
    "an escape that there is not": pieces(plain, one_of(r"\i", r"\j", r"\y", r"\m", r"\q", r"\o", r"\x1", r"\u12")),
    "what only Python has": pieces(
        plain,
        one_of("(?P<n>a)", "(?P<n>a)(?P=n)", "(?#why)", "(a)?(?(1)b|c)", "(?a:b)", "(?ia:b)", r"\U0001f600", "(?L:a)"),
        plain,
    ),
    "too deep": st.integers(3000, 6000).map(lambda depth: "(" * depth + "a" + ")" * depth),
    "a line break": dirty(plain, "\n\r"),
}

PATTERNS: Cases = {
    **{category: selecting(values) for category, values in BROKEN.items()},
    "broken, with what only Java has": selecting(
        st.tuples(
            javas, plain, one_of("({0}{1}", "{0}{1})", "^(?:{0}|{1}$", "{0}[{1}", "*{0}{1}", "(+{0}{1})", "{0}{1}\\")
        ).map(lambda drawn: drawn[2].format(drawn[0], drawn[1]))
    ),
    "empty, beside others": st.tuples(
        good_patterns, st.booleans(), one_of("mirror", "topic_selection", "mirroring_info")
    ).map(
        lambda drawn: Case(
            drawn[2], {"topics": [drawn[0], ""] if drawn[1] else ["", drawn[0]]}, ("an empty pattern beside others",)
        )
    ),
    "no list of texts": st.tuples(
        one_of("mirror", "topic_selection"), st.dictionaries(plain, plain, min_size=1, max_size=2)
    ).map(lambda drawn: Case(drawn[0], {"topics": drawn[1]}, ("topics",))),
    "broken, of what is to be deleted": st.tuples(st.one_of(*BROKEN.values()), good_patterns).map(
        lambda drawn: Case("remote_topics", {"delete_matching": list(drawn)}, ("not a usable topic pattern",))
    ),
    "of Java, of what is to be deleted": pieces(plain, javas).map(
        lambda pattern: Case("remote_topics", {"delete_matching": [pattern]}, ("delete_matching has",))
    ),
    "a text that falls apart at its commas": st.tuples(one_of("mirror", "topic_selection"), plain).map(
        lambda drawn: Case(drawn[0], {"topics": f"^{drawn[1]}(a,b)$"}, ("not a usable topic pattern",))
    ),
}


def exploding(drawn: tuple[str, str, int, str, str]) -> Case:
    """A pattern of which a long name of the right letter has exponentially many partial matches, and no whole one."""
    shape, letter, length, rest, run = drawn
    return Case(
        run,
        {"topics": ["^orders$", shape.replace("L", letter)]},
        ("matching the topic patterns took longer than",),
        READ,
        topics=((SOURCE, letter * length + rest),),
    )


CATASTROPHIC = st.tuples(
    one_of(
        *(
            "(L+)+$",
            "^(L+)+$",
            "^(L|LL)+$",
            "^(L|L)*$",
            "^(L*)*$",
            "^((L+)+)+$",
            "^(L|L?)+$",
            "^(L+L*)+$",
            "(.*)*#",
            "^(.*)*#$",
        ),
        *(r"^(L+)+\1#", r"^(L*)\1*(L+)+#$", "^(?=(L+)+$)", "^(?:(?:L+)*)*$", "^(LL|[L-])+#$", "^(L?L?)*$", "^(.+)+#$"),
        *("^(L+)+[0-9]$", "^(L{1,9}){1,99}$", "^(L+?)+?$", "(?i)^(L+)+$", "^(?!(L+)+$).*#$"),
    ),
    one_of(*LETTERS),
    st.integers(45, 200),
    one_of("-", ".", "_"),
    one_of(
        "mirror", "mirror", "readiness_info", "failover_readiness_info", "mirroring_info", "topic_selection, preview"
    ),
).map(exploding)
"""The rest of the topic's name keeps the patterns from matching all of it."""

# --- transforms -------------------------------------------------------------------------------------------------------

transforms = one_of("topic_name_transform", "group_id_transform")
parts = one_of("add_prefix", "remove_prefix", "add_suffix", "remove_suffix")
transforming = one_of("mirror", "mirror", "readiness_info", "failover_readiness_info", "mirroring", "mirroring_info")


def transform_cases(
    values: Strategy, *told: str, reads: str = OFFLINE, options: Strategy = transforms
) -> st.SearchStrategy[Case]:
    """Cases for a transform."""

    def case(drawn: tuple[str, Any, str]) -> Case:
        option, value, run = drawn
        needed = OFFLINE if run == "mirroring" else reads
        return Case(
            run, {option: value}, tuple(text.replace("{option}", option) for text in told or ("{option}",)), needed
        )

    return st.tuples(options, values, transforming).map(case)


def rename(**given: Any) -> dict[str, Any]:
    """A transform of the type rename."""
    return {"type": "rename", "rename": given}


empty_parts = st.dictionaries(parts, one_of(None, ""), max_size=4)

TRANSFORMS: Cases = {
    "an unknown type": transform_cases(
        st.one_of(
            words(LETTERS).map(lambda text: f"x{text}"), one_of("", "RENAME", "None", " none", "use-alias", 1, None)
        ).map(lambda kind: {"type": kind, "rename": {"add_prefix": "x"}})
    ),
    "an alias for groups": transform_cases(
        st.one_of(
            st.just({"type": "use_alias"}),
            plain.map(lambda text: {"type": "use_alias", "rename": {"add_prefix": text}}),
        ),
        options=st.just("group_id_transform"),
    ),
    "no type": transform_cases(st.one_of(st.just({}), plain.map(lambda text: {"rename": {"add_prefix": text}}))),
    "no dictionary": transform_cases(st.one_of(plain, st.lists(plain, min_size=1, max_size=2), st.just(""))),
    "an unknown part": transform_cases(
        st.tuples(words(LETTERS).map(lambda text: f"x{text}"), plain).map(lambda drawn: rename(**{drawn[0]: drawn[1]}))
    ),
    "another member": transform_cases(
        st.tuples(words(LETTERS).map(lambda text: f"x{text}"), plain).map(
            lambda drawn: {"type": "none", drawn[0]: drawn[1]}
        )
    ),
    "rename without rename": transform_cases(st.just({"type": "rename"})),
    "rename that renames nothing": transform_cases(
        st.one_of(empty_parts.map(lambda given: rename(**given)), st.just({"type": "rename", "rename": None})),
        "{option} has type rename and renames nothing",
        reads=LOOKED_UP,
    ),
    "parts for another type": transform_cases(
        st.tuples(parts, plain).map(lambda drawn: {"type": "none", "rename": {drawn[0]: drawn[1]}}),
        "{option} has rename, which works with type rename only",
        reads=LOOKED_UP,
    ),
    "parts that are no dictionary": transform_cases(
        st.one_of(plain, st.lists(plain, min_size=1, max_size=2)).map(lambda value: {"type": "rename", "rename": value})
    ),
    "a part that is no text": transform_cases(
        st.tuples(
            parts,
            st.one_of(st.lists(plain, min_size=1, max_size=2), st.dictionaries(plain, plain, min_size=1, max_size=2)),
        ).map(lambda drawn: rename(**{drawn[0]: drawn[1]})),
        reads=LOOKED_UP,
    ),
    "a character that no name can have": transform_cases(
        st.tuples(parts, dirty(words(), (*DIRT, *SYMBOLS))).map(lambda drawn: rename(**{drawn[0]: drawn[1]})),
        "{option}.rename.",
        reads=LOOKED_UP,
    ),
    "parts that no name has room for": transform_cases(
        st.tuples(one_of("add", "remove"), words(KAFKA, 1, 200), st.integers(249, 600)).map(
            lambda drawn: rename(
                **{f"{drawn[0]}_prefix": drawn[1], f"{drawn[0]}_suffix": (drawn[1] * 600)[: drawn[2] - len(drawn[1])]}
            )
        ),
        "{option}.rename has",
        reads=LOOKED_UP,
    ),
    "names that get too long": st.tuples(plain, st.integers(LONGEST_NAME - 7, LONGEST_NAME - 1), st.booleans()).map(
        lambda drawn: Case(
            "mirror",
            {
                "topic_name_transform": rename(
                    **{"add_prefix" if drawn[2] else "add_suffix": (drawn[0] * 300)[: drawn[1]]}
                ),
                "topics": ["^payments$"],
            },
            ("payments",),
            READ,
        )
    ),
    "names that are taken": st.tuples(plain, plain, one_of("orders", "payments")).map(
        lambda drawn: Case(
            "mirror",
            {"topic_name_transform": rename(add_prefix=drawn[0], add_suffix=drawn[1])},
            (f"{drawn[0]}{drawn[2]}{drawn[1]}",),
            READ,
            topics=((TARGET, f"{drawn[0]}{drawn[2]}{drawn[1]}"),),
        )
    ),
    "names that are taken, as they are": one_of("orders", "payments").map(
        lambda name: Case("mirror", {"topic_name_transform": {"type": "none"}}, (name,), READ, topics=((TARGET, name),))
    ),
    "unknown schemas": words(LETTERS).map(lambda text: Case("mirror", {"schemas": f"x{text}"}, ("schemas",))),
}

# --- time-outs and other numbers --------------------------------------------------------------------------------------

WAITING = ("wait_timeout", "poll_interval", "settle_timeout", "authorization_timeout", "topics_timeout")
HTTP = ("request_timeout", "retry_timeout", "max_age")
SECONDS = (*WAITING, *HTTP)
MONTH, DAY = 30 * 86400.0, 86400.0
NEVER_ZERO = ("poll_interval", "request_timeout")


def number_cases(options: Sequence[str], values: Strategy) -> st.SearchStrategy[Case]:
    """Cases for options that are seconds, in the playbook and in each module that has them."""

    def case(drawn: tuple[str, Any, int]) -> Case:
        option, value, place = drawn
        having = [name for name, (module, _usual) in MODULES.items() if option in module.SPEC.options]
        runs = ["mirror", *having]
        return Case(runs[place % len(runs)], {option: value}, (option,))

    return st.tuples(st.sampled_from(list(options)), values, st.integers(0, 10**6)).map(case)


def written(values: Strategy) -> Strategy:
    """Numbers, as they are and as text."""
    return st.one_of(values, values.map(str))


NUMBERS: Cases = {
    "less than nothing": number_cases(
        SECONDS, written(st.one_of(st.floats(-1e308, -1e-9), st.integers(-(10**300), -1), one_of(-1, -0.5, -1e308)))
    ),
    "nothing, where it takes something": number_cases(NEVER_ZERO, one_of(0, 0.0, -0.0, "0", "0.0", "-0", False)),
    "a pause that is none": number_cases(("poll_interval",), written(st.floats(1e-300, 0.0099))),
    "no number": number_cases(
        SECONDS,
        one_of(
            *(float(text) for text in ("nan", "inf", "-inf")),
            "nan",
            "inf",
            "-inf",
            "Infinity",
            "1e400",
            "-1e999",
            "NaN",
        ),
    ),
    "without end": number_cases(
        SECONDS,
        written(st.one_of(st.floats(MONTH, 1e308), st.integers(int(MONTH), 10**300), one_of(1e308, MONTH, 10**15))),
    ),
    "longer than a day": number_cases(HTTP, written(st.one_of(st.floats(DAY, MONTH), one_of(DAY, 86400)))),
    "more digits than a number has": number_cases(SECONDS, st.integers(310, 1500).map(lambda count: "9" * count)),
    "a word": number_cases(
        SECONDS,
        st.one_of(
            words(LETTERS).filter(lambda text: text not in ("nan", "inf")),
            one_of("", " ", "5 s", "5s", "0x10", "1,5", "1:00", "--1", "1e", "\u00bd", "10\u0000", "five"),
        ),
    ),
    "no single value": number_cases(
        SECONDS,
        st.one_of(st.lists(st.integers(1, 9), max_size=2), st.dictionaries(plain, st.integers(1, 9), max_size=2)),
    ),
    "a wait for the selection that never ends": one_of("nan", "inf").map(
        lambda value: Case("topic_selection", {"just_enabled": True, "settle_timeout": value}, ("settle_timeout",))
    ),
    "a throughput that no instance has": st.tuples(
        one_of("mirror", "mirror", "readiness_info", "mirroring"),
        st.one_of(
            st.integers(-(10**30), 0),
            st.integers(10**9, 10**30),
            one_of("", "fast", "300 MB/s", "1.5", 1.5, "-300", "nan", 10**400, [300], {"mb": 300}),
        ),
    ).map(lambda drawn: Case(drawn[0], {"throughput": drawn[1]}, ("throughput",), world="capacity hidden")),
    "no time": st.one_of(
        words().filter(bool),
        one_of(
            *(
                "2026-01-01",
                "10:00:00Z",
                "2026-13-01T10:00:00Z",
                "2026-02-30T10:00:00Z",
                "2026-01-01T25:00:00Z",
                "yesterday",
            )
        ),
        one_of(
            *(
                "0000-01-01T00:00:00Z",
                "2026-01-01T10:00:00+99:99",
                "2026-01-01 10:00",
                "2026-W01-1T10:00:00Z",
                "1767261600",
            )
        ),
        one_of(
            1767261600,
            True,
            ["2026-01-01T10:00:00Z"],
            "\u0662\u0660\u0662\u0666-01-01T10:00:00Z",
            "2026-01-01T10:00:00Zx",
        ),
    ).map(lambda value: Case("mirroring", {"authorized_at": value}, ("authorized_at",))),
    "neither yes nor no": st.tuples(
        one_of("wait", "recreate", "force", "validate_certs"),
        st.one_of(words(LETTERS).map(lambda text: f"x{text}"), one_of("", "maybe", 2, -1, [True])),
    ).map(lambda drawn: Case("mirroring", {drawn[0]: drawn[1]}, (drawn[0],))),
}

# --- endpoints --------------------------------------------------------------------------------------------------------

PATHS = {
    "iam_endpoint": "",
    "resource_controller_endpoint": "",
    "admin_url": f"/es/{TARGET_GUID}",
    "source_admin_url": f"/es/{SOURCE_GUID}",
}


def url_cases(urls: Strategy) -> st.SearchStrategy[Case]:
    """Cases for endpoints. {path} is the one that the option needs, so that only what is wrong is wrong."""

    def case(drawn: tuple[str, str, str]) -> Case:
        option, url, run = drawn
        return Case(run, {option: url.replace("{path}", PATHS[option])}, (option,))

    runs = one_of("mirror", "mirror", "readiness_info", "failover_readiness_info", "mirroring_info")
    return st.tuples(st.sampled_from(list(PATHS)), urls, runs).map(case)


hosts = words(LETTERS, 1, 10).map(lambda text: f"{text}.example.invalid")

ENDPOINTS: Cases = {
    "another scheme": url_cases(
        st.one_of(
            st.tuples(words(LETTERS, 1, 8).filter(lambda text: text not in ("http", "https")), hosts).map("://".join),
            one_of(
                "file:///etc/passwd",
                "javascript:alert(1)",
                "data:text/plain,x",
                "ftp://example.invalid",
                "httpss://{authority}",
            ),
            one_of(
                "unix:///run/x", "ws://{authority}", "about:blank", "mailto:a@example.invalid", "1http://{authority}"
            ),
        )
    ),
    "no scheme": url_cases(
        st.one_of(hosts, hosts.map("//{}".format), one_of("{authority}", "//{authority}{path}", "/", ":", "x"))
    ),
    "unencrypted, to elsewhere": url_cases(
        st.one_of(
            hosts.map("http://{}".format),
            st.one_of(st.ip_addresses(network="192.0.2.0/24"), st.ip_addresses(network="2001:db8::/32")).map(
                lambda ip: f"http://{ip}" if ip.version == 4 else f"http://[{ip}]"
            ),
            one_of(
                "http://127.1",
                "http://2130706433",
                "http://0177.0.0.1",
                "http://0x7f.0.0.1",
                "http://127.0.0.1.example.invalid",
            ),
            one_of(
                "http://localhost.example.invalid",
                "http://localhost.",
                "http://0",
                "http://0.0.0.0",
                "http://192.0.2.1",
            ),
        )
    ),
    "credentials": url_cases(
        st.one_of(
            st.tuples(plain, plain, hosts).map(lambda drawn: f"https://{drawn[0]}:{drawn[1]}@{drawn[2]}"),
            st.tuples(plain, st.just("{authority}{path}")).map(lambda drawn: f"http://{drawn[0]}@{drawn[1]}"),
            one_of(
                "http://@{authority}{path}",
                "http://:@{authority}{path}",
                "http://:x@{authority}",
                "https://127.0.0.1@example.invalid",
            ),
        )
    ),
    "a query or a fragment": url_cases(
        st.tuples(one_of("", "/", "/x"), one_of("?", "#"), words(LETTERS, 0, 5)).map(
            lambda drawn: "{simulator}{path}" + "".join(drawn)
        )
    ),
    "no host": url_cases(
        one_of(
            "https://",
            "http://",
            "https:///x",
            "https://:443",
            "http:{authority}",
            "https:/x",
            "https:",
            "http:///{authority}",
            "   ",
        )
    ),
    "a bad port": url_cases(
        st.one_of(
            st.integers(65536, 10**9).map("https://127.0.0.1:{}".format),
            st.integers(-(10**6), -1).map("https://127.0.0.1:{}".format),
            words(LETTERS, 1, 6).map("https://127.0.0.1:{}".format),
            one_of(
                "https://127.0.0.1:0",
                "https://127.0.0.1:1:2",
                "https://127.0.0.1:+1",
                "https://127.0.0.1:8_0",
                "https://127.0.0.1:\u0661",
            ),
        )
    ),
    "a character that does not belong there": url_cases(
        st.one_of(
            dirty(st.just("http://127.0.0.1/some/path"), (*DIRT, "\\"), ends=False, start=1),
            dirty(hosts.map("https://{}".format), (*DIRT, "\\"), ends=False, start=8),
        )
    ),
    "a host that is none": url_cases(
        st.one_of(
            st.tuples(plain, plain).map(lambda drawn: f"https://{drawn[0]}..{drawn[1]}"),
            st.integers(64, 200).map(lambda length: f"https://{'a' * length}"),
            one_of("https://.", "https://..", "https://...", f"https://{'a.' * 127}a"),
        )
    ),
    "a bad address": url_cases(
        st.one_of(
            words(LETTERS, 1, 6).map("http://[::1%25{}]:8080".format),
            words(LETTERS, 1, 6).map("https://[fe80::1%{}]".format),
            words("ghijkxyz", 1, 4).map("https://[::{}]".format),
            one_of(
                "http://[::1",
                "http://::1]",
                "https://[127.0.0.1]",
                "https://[v1.x]",
                "https://[]",
                "https://[::1]x",
                "https://[1:2]",
            ),
        )
    ),
    "certificates that are not there": words(LETTERS).map(
        lambda name: Case(
            "instance_info",
            {"iam_endpoint": "https://127.0.0.1:9", "ca_path": f"/nonexistent/{name}.pem"},
            ("ca_path",),
        )
    ),
    "an unknown visibility": words(LETTERS).map(
        lambda text: Case("mirror", {"visibility": f"x{text}"}, ("visibility",))
    ),
}

pair_modules = one_of("readiness_info", "failover_readiness_info", "mirroring", "mirroring_info", "topic_selection")


def identified(options: Strategy, *told: str) -> st.SearchStrategy[Case]:
    """Cases of who one is, beside the API key that is given."""
    return st.tuples(pair_modules, options).map(lambda drawn: Case(drawn[0], drawn[1], told))


IDENTITIES: Cases = {
    "a machine and a key": identified(
        st.tuples(one_of("vpc", "container"), words()).map(
            lambda drawn: {"compute_resource": drawn[0], "iam_profile": drawn[1]}
        ),
        "ibmcloud_api_key is as well",
    ),
    "a machine and a key of the source": identified(
        st.tuples(one_of("vpc", "container"), words()).map(
            lambda drawn: {"source_compute_resource": drawn[0], "source_api_key": drawn[1]}
        ),
        "source_api_key is as well",
    ),
    "a machine of another kind": identified(
        words(LETTERS).map(lambda text: {"source_compute_resource": f"x{text}"}), "source_compute_resource"
    ),
    "a container without a profile": identified(
        words().map(lambda file: {"source_compute_resource": "container", "cr_token_file": f"/{file}"}),
        "source_iam_profile is missing",
    ),
    "a CRN of something else": identified(
        st.tuples(
            one_of("iam_profile", "source_iam_profile"), words(), one_of(":", "::profile:", "::profile:Profile-1:x")
        ).map(lambda drawn: {drawn[0]: f"crn:v1:bluemix:public:{drawn[1]}{drawn[2]}"}),
        "no CRN of a trusted profile",
    ),
    "a profile that is white space": identified(
        st.tuples(one_of("iam_profile", "source_iam_profile"), words(" \t\n")).map(lambda drawn: {drawn[0]: drawn[1]}),
        "iam_profile is empty",
    ),
    "a metadata service elsewhere": identified(
        hosts.map(
            lambda host: {
                "source_compute_resource": "vpc",
                "source_iam_profile": "Profile-1",
                "metadata_endpoint": f"http://{host}",
            }
        ),
        "metadata_endpoint",
    ),
}

paged = words(LETTERS, 1, 20).map

PAGES: Cases = {
    "a path that is not absolute": paged(lambda name: Case("mirroring_info", {"page": name}, ("no absolute path",))),
    "a path of a directory": paged(lambda name: Case("mirroring_info", {"page": f"/{name}/"}, ("no absolute path",))),
    "a path with a NUL": paged(lambda name: Case("mirroring_info", {"page": f"/{name}\0"}, ("no absolute path",))),
    "a page of one instance": paged(
        lambda name: Case("mirroring_info", {"page": f"/{name}", "source": None}, ("without source",))
    ),
}

doomed = words(LETTERS)

DELETIONS: Cases = {
    "a local topic": doomed.map(
        lambda name: Case(
            "remote_topics", {"delete": [name]}, (f"{name}: no remote topic",), READ, topics=((TARGET, name),)
        )
    ),
    "a name of another alias": doomed.map(
        lambda name: Case("remote_topics", {"delete": [f"{name}.us-east"]}, (f"{name}.us-east: no remote",), READ)
    ),
    "an internal topic": st.tuples(doomed, one_of("__{}.us-south", "{}.internal", "us-south.{}.internal")).map(
        lambda drawn: Case(
            "remote_topics", {"delete": [drawn[1].format(drawn[0])]}, ("internal topics are never deleted",), READ
        )
    ),
    "a name that no topic has": dirty(st.just("orders.us-south"), (*DIRT[:-1], *SYMBOLS), ends=False).map(
        lambda name: Case("remote_topics", {"delete": [name]}, ("no remote topic", "no topic has such a name"), READ)
    ),
    "a confirmation that is none": st.dictionaries(doomed, doomed, min_size=1, max_size=2).map(
        lambda given: Case("remote_topics", {"confirm": given}, ("confirm",))
    ),
    "a transform without the alias": doomed.map(
        lambda name: Case(
            "remote_topics",
            {"delete": [f"{name}.us-south"], "topic_name_transform": {"type": "none"}},
            ("the topic_name_transform is none",),
            READ,
        )
    ),
    "one instance twice": known_guids.map(
        lambda guid: Case("remote_topics", {"source": guid, "target": guid.upper()}, ("same instance",), LOOKED_UP)
    ),
}

BAD: dict[str, Cases] = {
    "deletions": DELETIONS,
    "pages": PAGES,
    "CRNs": CRNS,
    "GUIDs and grants": GUIDS,
    "names and queries": NAMES,
    "aliases": ALIASES,
    "patterns": PATTERNS,
    "transforms": TRANSFORMS,
    "time-outs": NUMBERS,
    "endpoints": ENDPOINTS,
    "identities": IDENTITIES,
}

# --- what can work ----------------------------------------------------------------------------------------------------


def mirrored(options: Strategy, world: str = "two regions") -> st.SearchStrategy[Case]:
    """Cases that mirror."""
    return options.map(lambda given: Case("mirror", given, world=world))


def asked(run: str, options: Strategy) -> st.SearchStrategy[Case]:
    """Cases for one module."""
    return options.map(lambda given: Case(run, given))


edges = words(" \t\n", 0, 2)


def surrounded(text: Strategy) -> Strategy:
    """With white space around, as it comes from templates."""
    return st.tuples(edges, text, edges).map("".join)


good_parts = st.dictionaries(parts, words(KAFKA, 1, 15), min_size=1, max_size=4)
good_seconds = {
    "wait_timeout": st.floats(3000, MONTH - 1),
    "poll_interval": st.floats(60, DAY),
    "settle_timeout": st.floats(0, DAY),
    "authorization_timeout": st.floats(0, MONTH - 1),
    "topics_timeout": st.floats(60, DAY),
    "request_timeout": st.floats(1, DAY - 1),
    "retry_timeout": st.floats(0, DAY - 1),
    "max_age": st.floats(0, DAY - 1),
}


def numbered(option: str, values: Strategy) -> st.SearchStrategy[Case]:
    """Cases with a number of seconds."""
    return mirrored(written(values).map(lambda value: {option: value}))


def placed(option: str, path: str) -> st.SearchStrategy[Case]:
    """Cases with an endpoint, written in different ways."""
    ways = st.one_of(
        words("/", 0, 3).map(lambda slashes: f"{{simulator}}{path}{slashes}"),
        surrounded(one_of(f"{{simulator}}{path}")),
        one_of(f"HTTP://{{authority}}{path}"),
    )
    return mirrored(ways.map(lambda url: {option: url}))


GOOD: dict[str, Cases] = {
    "CRNs": {
        "of the pair": mirrored(
            st.tuples(
                surrounded(one_of(*(":".join(crn("source")[:count]) for count in (8, 9, 10)))),
                surrounded(one_of(*(":".join(crn("target")[:count]) for count in (8, 9, 10)))),
            ).map(lambda drawn: {"source": drawn[0], "target": drawn[1]})
        ),
        "in capital letters": mirrored(
            changed(7, one_of(SOURCE_GUID.upper())).map(lambda drawn: {"source": drawn[1]})
        ).filter(lambda case: "us-south" in case.options["source"]),
    },
    "GUIDs and grants": {
        "of the pair": mirrored(
            st.tuples(
                surrounded(one_of(SOURCE_GUID, SOURCE_GUID.upper(), SOURCE)),
                surrounded(one_of(TARGET_GUID, TARGET_GUID.upper(), TARGET)),
            ).map(lambda drawn: {"source": drawn[0], "target": drawn[1]})
        ),
        "of a policy": asked(
            "authorization_policy",
            st.tuples(
                one_of(TARGET_GUID, TARGET_GUID.upper()),
                one_of(ACCOUNT, ""),
                one_of(
                    ["Reader"], ["Writer"], ["Reader", "Manager"], ["crn:v1:bluemix:public:iam::::serviceRole:Reader"]
                ),
                hexadecimal,
                one_of("present", "absent"),
            ).map(
                lambda drawn: {
                    "source_service_instance_id": drawn[0],
                    "account_id": drawn[1],
                    "roles": drawn[2],
                    "source_service_account": drawn[3],
                    "state": drawn[4],
                }
            ),
        ),
    },
    "names and queries": {
        "queries": asked(
            "instance_info",
            one_of(
                "[*].name", "[?name=='x']", "length(@)", "[0].crn", "sort_by(@, &name)[*].guid", "a.b", "@", "[::2]"
            ).map(lambda query: {"query": query}),
        ),
        "filters": asked(
            "instance_info", st.dictionaries(one_of("name", "region", "resource_group_id"), words(), max_size=3)
        ),
    },
    "aliases": {
        "two": mirrored(
            st.tuples(aliases, aliases).filter(lambda drawn: drawn[0] != drawn[1]).map(lambda drawn: both(*drawn))
        ),
        "one, or an empty one": mirrored(
            st.tuples(sides, st.one_of(aliases, one_of(""))).map(lambda drawn: {f"{drawn[0]}_alias": drawn[1]})
        ),
        "in one region": mirrored(
            st.tuples(aliases, aliases).filter(lambda drawn: drawn[0] != drawn[1]).map(lambda drawn: both(*drawn)),
            "one region",
        ),
        "as long as can be": mirrored(words(LETTERS, 228, 228).map(lambda text: both(text, "x"))),
    },
    "patterns": {
        "some": mirrored(st.lists(good_patterns, min_size=1, max_size=4).map(lambda given: {"topics": given})),
        "none": mirrored(one_of([], [""], "").map(lambda given: {"topics": given})),
        "with what only Java has": asked(
            "readiness_info",
            pieces(one_of("^", ""), javas, plain, javas, one_of("$", "")).map(lambda pattern: {"topics": [pattern]}),
        ),
    },
    "transforms": {
        "of topics": mirrored(
            st.one_of(
                one_of({"type": "none"}, {"type": "use_alias"}, {"type": "none", "rename": {}}),
                good_parts.map(lambda given: rename(**given)),
            ).map(lambda value: {"topic_name_transform": value})
        ),
        "of groups": mirrored(
            st.one_of(one_of({"type": "none"}), good_parts.map(lambda given: rename(**given))).map(
                lambda value: {"group_id_transform": value}
            )
        ),
        "as long as can be": mirrored(
            words(LETTERS, 1, 3).map(
                lambda text: {"topic_name_transform": rename(add_prefix=(text * 243)[:243]), "topics": ["^orders$"]}
            )
        ),
        "schemas": mirrored(one_of("proxied", "read-only", "inactive").map(lambda value: {"schemas": value})),
    },
    "time-outs": {
        **{option: numbered(option, values) for option, values in good_seconds.items()},
        "a throughput": mirrored(one_of(300, "300").map(lambda value: {"throughput": value}), "capacity hidden"),
    },
    "endpoints": {option: placed(option, path) for option, path in PATHS.items()},
}
