"""Reads a condition's characters: refuses what the language does not have, with the right mend.

Python's parser takes over afterwards; its own messages would speak of Python, not of conditions.
"""

from __future__ import annotations

import keyword
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from target_twilio_alerts.rules.expressions.errors import ConditionError

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMA = (
    "a comma belongs in a list only; write 50000 or 50_000, decimals after a point, and a list in "
    "square brackets"
)
MAX_CHARACTERS = 2000
MAX_DEPTH = 40

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<text>"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')
    |(?P<number>[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<operator>==(?!=)|!=(?!=)|<=|>=|<(?!>)|>|[-+.,()\[\]])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\[^\\\"']")
_WORDS = {"and", "or", "not", "in", "is"}
_CONSTANTS = {"True", "False", "None"}
_OPERANDS = {"text", "number", "name"}
_OPEN = {"(": ")", "[": "]"}

_MENDS = (
    ("===", "write == to compare"),
    ("=>", "write >="),
    ("=<", "write <="),
    ("=~", "there are no regular expressions; use contains(...) or starts_with(...)"),
    ("=", "write == to compare"),
    ("&", "write and"),
    ("|", "write or"),
    ("<>", "write !="),
    ("!=", "write !="),
    ("!", "write not, or != to compare"),
    ("#", "a condition has no comments; put them on a line of their own above `when`"),
    ("*", "only + and - are understood"),
    ("/", "only + and - are understood"),
    ("%", "only + and - are understood"),
    ("~", "there are no regular expressions; use contains(...) or starts_with(...)"),
    ("{", "a list is written in square brackets, as in [1, 2]"),
    ("\N{NO-BREAK SPACE}", "this is a non-breaking space; type a plain one"),
    ("\N{NARROW NO-BREAK SPACE}", "this is a non-breaking space; type a plain one"),
    ("\N{MINUS SIGN}", "this is a typographic minus; type -"),
    ("\N{EN DASH}", "this is a dash; type -"),
    ("\N{NOT EQUAL TO}", "write !="),
    ("\N{LESS-THAN OR EQUAL TO}", "write <="),
    ("\N{GREATER-THAN OR EQUAL TO}", "write >="),
)
_CURLY = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb\u00b4`"


def scan(text: str) -> None:
    """Check the characters, words and brackets of a condition.

    Raises:
        ConditionError: Something in it is not of the language, or it is too long or too deep.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConditionError(
            f"the condition is longer than {MAX_CHARACTERS} characters; split it into several "
            "rules",
            text,
            MAX_CHARACTERS,
        )
    tokens = list(_tokens(text))
    if not tokens:
        raise ConditionError("the condition is empty", text, 0)
    for token in tokens:
        _check_word(text, token)
    for first, second in pairwise(tokens):
        if first.kind in _OPERANDS and second.kind in _OPERANDS:
            raise _nothing_between(text, first, second)
    for token in tokens:
        _check_literal(text, token)
    _check_brackets(text, tokens)


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unknown(text, position)
        kind, token = str(found.lastgroup), found.group()
        if kind != "space":
            yield _Token("word" if token in _WORDS else kind, token, position)
        position = found.end()


def _check_brackets(text: str, tokens: list[_Token]) -> None:
    opened: list[_Token] = []
    for token in tokens:
        if token.text in _OPEN:
            opened.append(token)
            if len(opened) > MAX_DEPTH:
                raise ConditionError(
                    f"brackets are nested more than {MAX_DEPTH} deep; split the condition",
                    text,
                    token.start,
                )
        elif token.text in _OPEN.values() and (
            not opened or _OPEN[opened.pop().text] != token.text
        ):
            raise ConditionError(f"this {token.text} closes nothing", text, token.start)
    if opened:
        raise ConditionError(f"this {opened[-1].text} is never closed", text, opened[-1].start)


def _check_word(text: str, token: _Token) -> None:
    kind, word, start = token
    if kind == "name" and word not in _CONSTANTS:
        lower = word.lower()
        if word != lower and lower in _WORDS | {"true", "false", "null"}:
            raise ConditionError(f"write {lower}, in small letters", text, start)
        if keyword.iskeyword(word):
            raise ConditionError(f"`{word}` cannot be used in a condition", text, start)


def _check_literal(text: str, token: _Token) -> None:
    kind, word, start = token
    if kind == "text" and (escape := _ESCAPE.search(re.sub(r"\\[\\\"']", "  ", word))):
        raise ConditionError(
            r"a backslash in text is written twice: \\",
            text,
            start + escape.start(),
        )
    if kind == "number" and re.match(r"0[0-9_]", word):
        if re.search(r"[0-9],$", text[:start]):
            raise ConditionError(COMMA, text, start - 1)
        raise ConditionError(
            "a number has no leading zeros; thousands are written 50000 or 50_000, a text in "
            "quotes",
            text,
            start,
        )


def _nothing_between(text: str, first: _Token, second: _Token) -> ConditionError:
    if first.kind == second.kind == "number":
        problem = f"write {first.text}{second.text} or {first.text}_{second.text}, without a space"
    elif first.kind == "number" and first.start + len(first.text) == second.start:
        problem = f"`{first.text}{second.text}` is no number; write it in full, as in 50000 or 0.5"
    else:
        problem = (
            f"something is missing before `{second.text}`: and, or, or a comparison such as =="
        )
    return ConditionError(problem, text, second.start)


def _unknown(text: str, position: int) -> ConditionError:
    character = text[position]
    if character in "\"'":
        return ConditionError(
            f"this text is never closed; end it with {character} on the same line",
            text,
            position,
        )
    if character in _CURLY:
        return ConditionError('put text in straight quotes: "..."', text, position)
    for start, mend in _MENDS:
        if text.startswith(start, position):
            told = mend if mend.startswith("this is") else f"`{start}` is not understood; {mend}"
            return ConditionError(told, text, position)
    if character.isalpha():
        return ConditionError(
            f"`{character}` is not understood here; put text in quotes",
            text,
            position,
        )
    return ConditionError(f"{character!a} is not understood here", text, position)
