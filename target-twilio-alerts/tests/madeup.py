"""Made-up conditions on supplier invoices, as trees and as text, and versions to decide them on."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from hypothesis import strategies as st

NUMBERS = ("amount", "balance", "previous.amount")
TEXTS = ("currency", "description", "previous.currency")
DATES = ("date", "due_date", "today", "previous.date")
BOOLEANS = ("on_hold", "previous.on_hold")
WORDS = st.sampled_from(["SEK", "EUR", "sek", 'a "quoted" \\ one', "å", ""])
AMOUNTS = st.decimals(-1000, 1000, places=2).map(lambda value: value + 0)
DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 20))


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def fixed(kind, value, text):
    return st.just((kind, value, text))


names = {
    "number": st.sampled_from(NUMBERS),
    "text": st.sampled_from(TEXTS),
    "date": st.sampled_from(DATES),
    "boolean": st.sampled_from(BOOLEANS),
}


def field(kind):
    return names[kind].map(lambda name: ("field", name))


number_leaf = field("number") | AMOUNTS.map(lambda value: ("fixed", Fraction(value), f"{value:f}"))
number = st.recursive(
    number_leaf,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-"), inner, inner),
        st.tuples(st.sampled_from(["minus", "abs"]), inner),
    ),
    max_leaves=4,
)
text_leaf = field("text") | WORDS.map(lambda word: ("fixed", word, quoted(word)))
text = text_leaf | st.tuples(st.just("lower"), text_leaf)
duration = st.integers(0, 30).map(lambda days: ("days", days))
day = st.one_of(
    field("date"),
    st.tuples(st.just("move"), field("date"), st.sampled_from("+-"), duration),
)
ORDER = st.sampled_from(["<", "<=", ">", ">="])
EQUAL = st.sampled_from(["==", "!="])
comparison = st.one_of(
    st.tuples(ORDER | EQUAL, number, number),
    st.tuples(EQUAL, text, text),
    st.tuples(ORDER, day, day),
    st.tuples(ORDER, st.tuples(st.just("apart"), field("date"), field("date")), duration),
    st.tuples(st.just("in"), text, st.lists(WORDS, min_size=1, max_size=3), st.booleans()),
    st.tuples(
        st.just("null"),
        st.sampled_from(["amount", "previous.currency", "date", "on_hold"]),
        st.booleans(),
    ),
    st.tuples(st.sampled_from(["contains", "starts_with"]), text, text),
    field("boolean"),
)
TRUTH = [("fixed", True, "true"), ("fixed", False, "false")]


def _without_the_clock(tree):
    """Whether a part may be compared by ==, which a day without a run would miss."""
    return "'today'" not in repr(tree)


conditions = st.recursive(
    comparison,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("not"), inner),
        st.tuples(EQUAL, inner.filter(_without_the_clock), st.sampled_from(TRUTH)),
    ),
    max_leaves=6,
)


def written(tree):  # noqa: C901, PLR0911 - one line each
    kind, *rest = tree
    if kind == "field":
        return rest[0]
    if kind == "fixed":
        return rest[1]
    if kind == "days":
        return f"days({rest[0]})"
    if kind == "move":
        return f"({written(rest[0])} {rest[1]} {written(rest[2])})"
    if kind == "apart":
        return f"({written(rest[0])} - {written(rest[1])})"
    if kind == "in":
        return f"({written(rest[0])} {'not ' * rest[2]}in [{', '.join(map(quoted, rest[1]))}])"
    if kind == "null":
        return f"({rest[0]} is {'not ' * rest[1]}null)"
    if kind in {"contains", "starts_with"}:
        return f"{kind}({written(rest[0])}, {written(rest[1])})"
    if kind in {"lower", "abs"}:
        return f"{kind}({written(rest[0])})"
    if kind == "minus":
        return f"(-{written(rest[0])})"
    if kind == "not":
        return f"(not {written(rest[0])})"
    if kind in {"and", "or"}:
        return "(" + f"\n {kind} ".join(map(written, rest[0])) + ")"
    return f"({written(rest[0])} {kind} {written(rest[1])})"


def maybe(strategy):
    return st.none() | strategy


versions = st.fixed_dictionaries(
    {
        "amount": maybe(AMOUNTS),
        "balance": maybe(AMOUNTS),
        "currency": maybe(WORDS),
        "description": maybe(WORDS),
        "date": maybe(DAYS),
        "due_date": maybe(DAYS),
        "on_hold": maybe(st.booleans()),
    },
)
