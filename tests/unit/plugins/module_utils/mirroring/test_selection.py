# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import signal
import threading
import time
import typing as t
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import selection
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import Transform
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    MatchingTooSlow,
    Preview,
    advice,
    compile_patterns,
    lines,
    normalise,
    preview,
    same_selection,
)

ALIAS = "us-south"
USE_ALIAS = Transform("use_alias")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (None, None),
        ([], []),
        ([""], []),
        (["", ""], []),
        (["a", ""], ["a", ""]),
        (["b", "a", "b"], ["b", "a"]),
        ((pattern for pattern in ("x", "x")), ["x"]),
    ],
)
def test_one_form_of_a_selection(patterns: t.Any, expected: list[str] | None) -> None:
    assert normalise(patterns) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (["a", "b"], ["b", "a"], True),
        (["a", "a"], ["a"], True),
        ([], [""], True),
        (["a"], ["A"], False),
        (["a"], [], False),
        (None, None, True),
        (None, [], False),
        ([""], None, False),
    ],
)
def test_same_selection(one: list[str] | None, other: list[str] | None, expected: bool) -> None:
    assert same_selection(one, other) is expected


@pytest.mark.parametrize(
    "pattern", ["^orders$", ".*", "^a{2,3}$", "^(a|b)?c$", "[^.]+", r"^a\.b$", "(?=a).*", "(?<!x)a"]
)
def test_patterns_of_both_dialects(pattern: str) -> None:
    (compiled,) = compile_patterns([pattern])
    assert compiled.regex is not None


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\p{Upper}.*",
        r"^\P{L}$",
        r"^\Qa.b\E$",
        r"^a\R$",
        r"^\h\v\H\V$",
        r"^\G.*\z",
        r"[a-z&&[^aeiou]]+",
        r"[a[b]]",
        r"(?<name>a)\k<name>",
        "(?d)a",
        "(?iU)a",
        "a*+",
        "a++b",
        "a?+",
        "(a|b)+a{2}+",
        r"^\Qa(b[\E\p{L}$",
        r"[]\p{L}]",
        r"[^]a&&[b]]",
        r"[[]]",
        r"^\c(\p{L}$",
        r"(?x)\p{L} # (",
        r"\(\[\p{L}",
        r"^\x41[\x{1f600}]\\x$",
    ],
)
def test_patterns_that_only_java_understands_are_not_matched_here(pattern: str) -> None:
    """Neither refused, nor guessed at with another dialect."""
    (compiled,) = compile_patterns([pattern])
    assert compiled.regex is None
    assert preview([("a", 1), ("aab", 1)], [compiled], USE_ALIAS, ALIAS) == []


@pytest.mark.parametrize("pattern", ["a(?i)b", "^(a|(?i)B)$"])
def test_flags_inside_a_pattern_are_javas(pattern: str) -> None:
    """Java switches from there on; Python 3.10 switches everywhere, and later Pythons refuse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (compiled,) = compile_patterns([pattern])
    assert compiled.regex is None


@pytest.mark.parametrize(
    "pattern",
    [
        "(?P<n>a)",
        "(?P<n>a)(?P=n)",
        "a(?#comment)",
        "(a)?(?(1)b|c)",
        "(",
        "a)",
        "[a",
        "*a",
        "a{2,1}",
        r"\1",
        "a\nb",
        "a\r",
        "a**",
    ],
)
def test_patterns_that_the_service_cannot_know(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="not a usable topic pattern") as caught:
        compile_patterns(["^fine$", pattern])
    assert repr(pattern) in caught.value.reason
    assert "fine" not in caught.value.reason
    assert "regular expressions" in caught.value.remedy


@pytest.mark.parametrize(
    ("pattern", "flaw"),
    [
        (r"^(\p{L}$", "unterminated group"),
        (r"^\p{L})$", "unbalanced parenthesis"),
        (r"a*+)(", "unbalanced parenthesis"),
        (r"(?:a++", "unterminated group"),
        (r"^[\p{L}$", "unterminated character class"),
        (r"^[a[b]$", "unterminated character class"),
        (r"*\p{L}", "nothing to repeat before *"),
        (r"(+\p{L})", "nothing to repeat before +"),
        (r"\p{L}|?", "nothing to repeat before ?"),
        ("\\p{L}\\", "a backslash at its end"),
        (r"^a\x1$", "an unfinished \\x"),
        (r"^[\x{}]$", "an unfinished \\x"),
    ],
)
def test_a_pattern_that_is_broken_in_every_dialect(pattern: str, flaw: str) -> None:
    """Although it has a construct of Java, nobody needs to ask the service."""
    with pytest.raises(InvalidInput, match="not a usable topic pattern") as caught:
        compile_patterns([pattern])
    assert caught.value.reason.endswith(f"{pattern!r}: {flaw}")


@pytest.mark.parametrize("pattern", ["(?a)b", "(?ia)b", "(?a:b)", r"^\U0001f600$", r"^\\\U0001f600$"])
def test_pythons_own_flag_and_escape(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="a construct that the service's regular expressions do not have"):
        compile_patterns([pattern])


@pytest.mark.parametrize("pattern", [r"\(?a", r"\\Ua", r"(?i)a", r"(?:a)", r"(?=a)"])
def test_what_only_looks_like_pythons_own(pattern: str) -> None:
    (compiled,) = compile_patterns([pattern])
    assert compiled.regex is not None


@pytest.mark.parametrize("pattern", ["^a{,3}$", "^a{b}$", "^a{$", "{"])
def test_a_brace_that_opens_no_repetition_is_pythons(pattern: str) -> None:
    """For Python {,3} is a repetition and any other such brace a character; Java refuses both."""
    with pytest.raises(InvalidInput, match="not a usable topic pattern"):
        compile_patterns([pattern])


def test_every_broken_pattern_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        compile_patterns(["(", "", "[", "ok"])
    for told in ("'('", "'['", "an empty pattern beside others"):
        assert told in caught.value.reason


@pytest.mark.parametrize("pattern", ["(" * 5000 + ")" * 5000, "a{99999999999}", "a{1,99999999999999999999}"])
def test_a_pattern_of_any_size_is_an_error_of_ours(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="not a usable topic pattern"):
        compile_patterns([pattern])


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("^orders$", []),
        ("^orders.*", []),
        ("^orders.*$", []),
        (".*", []),
        ("orders", ["not anchored"]),
        ("^orders", ["not anchored"]),
        ("orders$", ["not anchored"]),
        ("^a,b$", ["comma"]),
        ("a,b", ["not anchored", "comma"]),
        ("^a{1,2}$", []),
    ],
)
def test_advice(pattern: str, told: list[str]) -> None:
    given_advice = advice(["^fine$", pattern])
    assert len(given_advice) == len(told)
    for sentence, word in zip(given_advice, told, strict=True):
        assert word in sentence
        assert repr(pattern) in sentence


# An oracle out of API §4.4 and §5.2, with its own algorithms: names are built by substitution, and patterns of a small
# language are matched character by character, without the re module.

Atom = tuple[str, str]  # (what: letter, "." for any, "[ab]" for a class; how often: "", "*", "+", "?")

atoms = st.tuples(st.sampled_from(["a", "b", r"\.", ".", "[ab]", "-"]), st.sampled_from(["", "", "", "*", "+", "?"]))
# With more repetitions side by side, backtracking takes longer than the preview allows, which is another test's matter.
bodies = st.lists(atoms, max_size=5).filter(lambda body: sum(often in ("*", "+") for _what, often in body) <= 3)
shapes = st.tuples(st.booleans(), bodies, st.booleans())


def written(shape: tuple[bool, list[Atom], bool]) -> str:
    start, body, end = shape
    return ("^" if start else "") + "".join(what + often for what, often in body) + ("$" if end else "")


def takes(what: str, letter: str) -> bool:
    return what == "." or letter in what.strip("[]\\") if what != r"\." else letter == "."


def ends(body: list[Atom], text: str, at: int) -> set[int]:
    """All positions at which a match of the body that begins at a position can end."""
    reached = {at}
    for what, often in body:
        following = set(reached) if often in ("*", "?") else set()
        frontier = reached
        while frontier:
            frontier = {i + 1 for i in frontier if i < len(text) and takes(what, text[i])} - (
                following if often in ("*", "+") else set()
            )
            following |= frontier
            if often in ("", "?"):
                break
        reached = following
    return reached


def matches(shape: tuple[bool, list[Atom], bool], text: str, *, whole: bool) -> bool:
    start, body, end = shape
    starts = [0] if whole or start else range(len(text) + 1)
    found = {e for s in starts for e in ends(body, text, s)}
    return len(text) in found if whole or end else bool(found)


def oracle(
    topics: list[str], shapes_: list[tuple[bool, list[Atom], bool]], transform: Transform, alias: str
) -> list[tuple[str, str, bool, bool]]:
    """(topic, remote name, certain, too long) of each topic that is selected."""
    rows = []
    for topic in topics:
        if topic[:2] == "__" or topic[-9:] == ".internal":
            continue
        if transform.type == "rename":
            shape = f"^{re.escape(transform.remove_prefix)}(.+){re.escape(transform.remove_suffix)}$"
            rest = re.sub(shape, r"\1", topic) if re.match(shape, topic) else None
            remote = rest and f"{transform.add_prefix}{rest}{transform.add_suffix}"
        else:
            rest = topic
            remote = ".".join([topic, alias]) if transform.type == "use_alias" else topic
        if rest is None or remote is None:
            continue
        certain = any(matches(shape_, rest, whole=True) for shape_ in shapes_)
        if certain or any(matches(shape_, rest, whole=False) for shape_ in shapes_):
            rows.append((topic, remote, certain, len(remote) >= 250))
    return rows


short_names = st.text(alphabet="aab.-", min_size=1, max_size=7)
names = st.one_of(
    short_names,
    short_names.map(lambda name: f"__{name}"),
    short_names.map(lambda name: f"{name}.internal"),
    st.tuples(st.sampled_from("ab"), st.integers(225, 249)).map(lambda pair: pair[0] * pair[1]),
)
parts = st.text(alphabet="ab.-", max_size=3)
transforms = st.one_of(
    st.just(Transform("use_alias")),
    st.just(Transform("none")),
    st.builds(
        Transform, st.just("rename"), add_prefix=parts, remove_prefix=parts, add_suffix=parts, remove_suffix=parts
    ),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[str], Transform]:
    """Topics and a transform; every other topic has what a rename removes, so that it is not left out."""
    transform = draw(transforms)
    topics = draw(st.lists(names, max_size=6, unique=True))
    fitting = [f"{transform.remove_prefix}{topic}{transform.remove_suffix}"[:249] for topic in topics[::2]]
    return list(dict.fromkeys([*fitting, *topics[1::2]])), transform


@settings(max_examples=400)
@given(
    world=worlds(),
    patterns=st.lists(shapes, min_size=1, max_size=3),
    alias=st.sampled_from(["a", "us-south", "x" * 30]),
)
@example(world=(["ab", "a", "b"], Transform("none")), patterns=[(False, [("a", "")], False)], alias="x")
@example(world=(["a" * 248, "a" * 247], USE_ALIAS), patterns=[(True, [("a", "*")], True)], alias="a")
@example(world=(["bab"], Transform("rename", remove_prefix="b")), patterns=[(True, [("a", "")], False)], alias="a")
def test_the_preview_agrees_with_the_oracle(
    world: tuple[list[str], Transform], patterns: list[tuple[bool, list[Atom], bool]], alias: str
) -> None:
    topics, transform = world
    shapes_ = [shape for shape in patterns if written(shape)]
    compiled = compile_patterns(dict.fromkeys(written(shape) for shape in shapes_))
    seen = preview([(topic, None) for topic in topics], compiled, transform, alias)
    assert [(p.topic, p.remote_topic, p.certain, p.problem is not None) for p in seen] == oracle(
        topics, shapes_, transform, alias
    )


@given(worlds(), st.lists(shapes, min_size=1, max_size=3))
def test_names_are_taken_and_numbers_kept(
    world: tuple[list[str], Transform], patterns: list[tuple[bool, list[Atom], bool]]
) -> None:
    topics, transform = world
    texts = list(dict.fromkeys(written(shape) for shape in patterns if written(shape)))
    for one in preview(list(zip(topics, range(10), strict=False)), compile_patterns(texts), transform, ALIAS):
        assert one.partitions == topics.index(one.topic)
        assert one.patterns
        assert set(one.patterns) <= set(texts)
        assert one.to_result()["patterns"] == list(one.patterns)


@pytest.mark.parametrize(
    ("pattern", "topic", "found", "certain"),
    [
        ("^orders$", "orders", True, True),
        ("^orders$", "orders2", False, False),
        ("orders", "orders", True, True),
        ("orders", "my-orders-2", True, False),
        ("^orders", "orders-2", True, False),
        ("^orders.*", "orders-2", True, True),
        ("^a.b$", "axb", True, True),
        (r"^a\.b$", "axb", False, False),
        ("^branch_[0-9]{3}_[a-z]*$", "branch_001_north", True, True),
        ("^branch_[0-9]{3}_[a-z]*$", "branch_01_north", False, False),
        ("a|ab", "ab", True, True),
        ("^Orders$", "orders", False, False),
        (".*", "__consumer_offsets", False, False),
        (".*", "us-east.checkpoints.internal", False, False),
        (".*", "orders.us-east", True, True),
    ],
)
def test_what_is_selected(pattern: str, topic: str, found: bool, certain: bool) -> None:
    seen = preview([(topic, 3)], compile_patterns([pattern]), USE_ALIAS, ALIAS)
    assert bool(seen) is found
    if found:
        assert (seen[0].certain, seen[0].partitions, seen[0].patterns) == (certain, 3, (pattern,))


def test_patterns_look_at_what_is_left_after_removing() -> None:
    """API §5.2: with remove_prefix app1-, the pattern abc.* selects app1-abc..."""
    transform = Transform("rename", remove_prefix="app1-", add_prefix="dr-")
    seen = preview(
        [("app1-abc1", 1), ("app1-xabc", 1), ("abc2", 1), ("app1-", 1)], compile_patterns(["^abc.*"]), transform, ALIAS
    )
    assert [(one.topic, one.remote_topic) for one in seen] == [("app1-abc1", "dr-abc1")]


@pytest.mark.parametrize(("length", "problem"), [(240, False), (241, True)])
def test_249_characters_are_the_limit(length: int, problem: bool) -> None:
    (seen,) = preview([("a" * length, 1)], compile_patterns(["^a+$"]), USE_ALIAS, ALIAS)
    assert len(seen.remote_topic) == length + 9
    if problem:
        assert seen.problem == "the name has 250 characters, more than 249: it is not mirrored"
    else:
        assert seen.problem is None


CATASTROPHES = ["^(a+)+$", "^(a|a)*$", "^(a*)*b$", "(a|aa)+$", "^(.*a){25}$"]


@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_a_pattern_that_explodes_does_not_hang(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MATCHING_SECONDS", 0.2)
    started = time.monotonic()
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(MatchingTooSlow, match=r"longer than 0\.2 s") as caught:
        preview([("a" * 60 + "!", 1)], compile_patterns([pattern]), USE_ALIAS, ALIAS)
    assert time.monotonic() - started < 3
    assert repr(pattern) in caught.value.reason
    assert "nested repetitions" in caught.value.remedy
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_the_time_limit_of_somebody_else_goes_on() -> None:
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    signal.setitimer(signal.ITIMER_REAL, 100.0, 7.0)
    mine = signal.getsignal(signal.SIGALRM)
    try:
        preview([("a", 1)], compile_patterns(["^a$"]), USE_ALIAS, ALIAS)
        remaining, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 99.0 < remaining <= 100.0
        assert interval == 7.0
        assert signal.getsignal(signal.SIGALRM) is mine
        assert rang == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_the_time_limit_of_somebody_else_goes_on_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MATCHING_SECONDS", 0.2)
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    signal.setitimer(signal.ITIMER_REAL, 50.0)
    try:
        with pytest.raises(MatchingTooSlow):
            preview([("a" * 60 + "!", 1)], compile_patterns(["^(a+)+$"]), USE_ALIAS, ALIAS)
        assert 40 < signal.getitimer(signal.ITIMER_REAL)[0] < 49.9
        assert rang == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_another_thread_can_preview() -> None:
    seen: list[list[Preview]] = []
    thread = threading.Thread(
        target=lambda: seen.append(preview([("a", 1)], compile_patterns(["^a$"]), USE_ALIAS, ALIAS))
    )
    thread.start()
    thread.join()
    assert [one.topic for one in seen[0]] == ["a"]


def test_lines_for_people() -> None:
    shown = lines(
        [
            Preview("a", "a.s", 1, True, ("^a$",)),
            Preview("b", "b.s", 6, False, ("b",)),
            Preview("c", "c.s", None, True, ("c",), "too long"),
            Preview("d", "d.s", 0, True, ("d",)),
        ]
    )
    assert shown == [
        "a -> a.s (1 partition)",
        "b -> b.s (6 partitions) [only if patterns match parts of names]",
        "c -> c.s [too long]",
        "d -> d.s",
    ]
    many = [Preview(f"t{number}", "x", None, True, ("t",)) for number in range(33)]
    assert lines(many)[-1] == "... and 3 more"
    assert len(lines(many)) == 31
    assert len(lines(many[:30])) == 30
    assert lines([]) == []
