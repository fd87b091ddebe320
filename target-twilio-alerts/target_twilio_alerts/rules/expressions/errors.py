"""What is wrong with a condition, and where: the one error of the expression compiler."""

from __future__ import annotations

_SHOWN = 76
_INDENT = "    "


class ConditionError(ValueError):
    """A condition cannot be understood; the text ends with the line and a caret under the place.

    Args:
        problem: What is wrong and how to mend it, in one line.
        text: The whole condition.
        offset: Where in it, in characters from its start.

    Attributes:
        problem: As given.
        offset: As given, within the text.
        line: Line within the condition, from 1.
        column: Column within that line, in characters from 1.
    """

    def __init__(self, problem: str, text: str, offset: int) -> None:
        offset = min(max(offset, 0), len(text))
        start = text.rfind("\n", 0, offset) + 1
        end = text.find("\n", start)
        self.problem = problem
        self.offset = offset
        self.line = text.count("\n", 0, offset) + 1
        self.column = offset - start + 1
        self._source = text[start : len(text) if end < 0 else end]
        super().__init__(f"{problem}\n{self.caret}")

    @property
    def caret(self) -> str:
        """Two indented lines: the line of the condition, and a caret under the place."""
        before, after = self._source[: self.column - 1], self._source[self.column - 1 :]
        room = _SHOWN // 2
        if len(before) + len(after) > _SHOWN:
            before = before if len(before) <= room else f"...{before[3 - room :]}"
            after = after if len(after) <= room else f"{after[: room - 3]}..."
        shown = f"{before}{after}".replace("\t", " ").rstrip()
        return f"{_INDENT}{shown}\n{_INDENT}{' ' * len(before)}^"
