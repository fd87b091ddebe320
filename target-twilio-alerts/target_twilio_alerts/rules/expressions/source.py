"""A condition's source while it is checked: where a node stands, and errors that point there."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.expressions.errors import ConditionError
from target_twilio_alerts.rules.expressions.scan import scan

if TYPE_CHECKING:
    from typing import NoReturn

_SPACE = re.compile(r"[\t\r\n]")


class Source:
    """The text of a condition, parsed by Python's own parser.

    Args:
        text: The condition; it may have several lines.

    Raises:
        ConditionError: It cannot be read.
    """

    def __init__(self, text: str) -> None:
        scan(text)
        self._text = text
        # In brackets, and on one line, so that lines need no continuation and columns are offsets.
        self._line = f"({_SPACE.sub(' ', text)})"
        self._ascii = self._line.isascii()
        try:
            self.root: ast.expr = ast.parse(self._line, mode="eval").body
        except SyntaxError as error:
            raise self._syntax_error(error) from None
        except (MemoryError, RecursionError):
            raise ConditionError(
                "the condition is nested too deep; split it into several rules",
                text,
                0,
            ) from None

    def _syntax_error(self, error: SyntaxError) -> ConditionError:
        offset = (error.offset or 1) - 2
        found = re.match(r"\s*(\w+|\W)?", self._text[max(offset, 0) :])
        near = found[1] if found and found[1] else None
        if near is None:
            offset = len(self._text.rstrip())
            problem = "the condition breaks off here; something is missing at its end"
        elif error.msg.startswith("Generator") or "comprehension" in error.msg:
            problem = "this is not understood"
        else:
            problem = f"`{near}` is not understood here; is something missing before it?"
        return ConditionError(problem, self._text, offset)

    def _offset(self, column: int) -> int:
        if not self._ascii:  # the parser counts bytes
            column = len(self._line.encode()[:column].decode())
        return column - 1

    def of(self, node: ast.expr) -> str:
        """The source of a node, on one line."""
        start = self._offset(node.col_offset) + 1
        end = self._offset(node.end_col_offset or node.col_offset) + 1
        return self._line[start:end]

    def fail(self, problem: str, node: ast.expr) -> NoReturn:
        """Raise an error that points at a node."""
        raise ConditionError(problem, self._text, self._offset(node.col_offset))

    def fail_at_end(self, problem: str, node: ast.expr) -> NoReturn:
        """Raise an error that points behind a node."""
        column = node.end_col_offset or node.col_offset
        raise ConditionError(problem, self._text, self._offset(column))
