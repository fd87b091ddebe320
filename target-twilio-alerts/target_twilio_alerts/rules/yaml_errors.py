"""What a YAML parser's error means to whoever wrote the file: its line, and how to mend it."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning
from ruamel.yaml.reader import ReaderError

_IS_NOT = "this is not YAML"
_COLON_IN_TEXT = "a text with a colon and a space goes in quotes"
_NOT_EVEN = "the indentation is not even, or the line before lacks its colon"

_MENDS = (
    (r"character '\\t'", "a tab; indent with spaces"),
    ("character '(.)' that cannot start", r"a value that begins with \1 goes in quotes"),
    ("undefined alias|an alias|an anchor", "a value that begins with * or & goes in quotes"),
    ("a tag|tag handle", "a value that begins with ! goes in quotes"),
    ("escape character", "in double quotes a backslash is written twice; or take single quotes"),
    ("a quoted scalar", "a quote is never closed"),
    (
        "a block scalar",
        "text behind > or | begins on the next line; a value that begins with one goes in quotes",
    ),
    ("expected ':'", "a colon is missing, or the space behind it"),
    ("parsing a flow", "a bracket is never closed, or a comma is missing"),
    (r"found '([]},])'", r"a value that begins with \1 goes in quotes, or a bracket is missing"),
    (
        "sequence entries are not allowed",
        "a list begins on a line of its own, or is written [a, b]",
    ),
    ("another document", "a file holds one document; remove the line ---"),
    ("block mapping.*found '-'", "a line with - stands among lines of `key: value`"),
    ("block collection", "a line of `key: value` stands among lines with -"),
    (
        "block mapping.*found '<scalar>'",
        (
            "a value goes on behind its closing quote; write a condition that begins with a quote "
            "on its own line, below `when: |`"
        ),
    ),
    ("block mapping", _NOT_EVEN),
)
"""What the parser says, and what that means; the first that is found."""

_BEGAN_BEFORE = ("end of stream", "document separator", "a flow", "expected ':'")
"""Errors that the parser meets behind their cause, which is where what it reads began."""


def explained(error: Exception, text: str) -> tuple[int, str]:
    """The line of a parser's error, from 1, and what to do about it.

    Args:
        error: The parser's.
        text: The file's.
    """
    if isinstance(error, RecursionError):
        return 1, f"{_IS_NOT} that can be read: something is nested too deep; mend its brackets"
    if isinstance(error, ReaderError):
        return text.count("\n", 0, error.position) + 1, "a control character; remove it"
    if isinstance(error, ReusedAnchorWarning):
        return _reused(str(error))
    assert isinstance(error, MarkedYAMLError)  # noqa: S101 - there are no others
    return _marked(error, text.splitlines())


def _reused(told: str) -> tuple[int, str]:
    (name,) = re.findall("anchor '(.*)'", told)
    _, second = re.findall(r"line (\d+), column", told)
    mend = "rename one, or put a value that begins with & in quotes"
    return int(second), f"{_IS_NOT}: &{name} is there twice; {mend}"


def _marked(error: Any, lines: list[str]) -> tuple[int, str]:
    told = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    if any(part in told for part in _BEGAN_BEFORE):
        mark = error.context_mark or mark
    line = mark.line + 1 if mark else 1
    if "mapping values" in told:
        before = lines[mark.line][: mark.column]
        return line, f"{_IS_NOT}: {_COLON_IN_TEXT if ': ' in before else _NOT_EVEN}"
    for pattern, mend in _MENDS:
        if found := re.search(pattern, told):
            return line, f"{_IS_NOT}: {found.expand(mend)}"
    return line, f"{_IS_NOT}: {error.problem}; correct the line"
