"""Mistakes in the alerts file, each with its line; all of them are told at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_twilio_alerts.messages.masking import mask_text

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        file: Name of the file.
        line: Line in it, from 1; None if there is no file.
        what: Where it is, what is wrong and how to mend it, in one line.
        caret: Lines that show the place within a condition, indented; empty elsewhere.
    """

    file: str
    line: int | None
    what: str
    caret: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        told = f"{place}: {self.what}"
        return f"{told}\n{self.caret}" if self.caret else told


class AlertsFileError(Exception):
    """The alerts file cannot be used; the text has each mistake, in the order of their lines.

    Args:
        mistakes: What is wrong.
    """

    def __init__(self, mistakes: list[Mistake]) -> None:
        in_order = sorted(mistakes, key=lambda mistake: mistake.line or 0)
        self.mistakes = tuple(dict.fromkeys(in_order))  # an alias repeats the mistakes of its value
        super().__init__("\n".join(map(str, self.mistakes)))


@dataclass
class Mistakes:
    """Collects what is wrong with one file.

    Attributes:
        path: The file.
        found: The mistakes so far.
    """

    path: Path
    found: list[Mistake] = field(default_factory=list)

    def add(self, line: int | None, what: str) -> None:
        """Note a mistake; addresses in its text are masked."""
        self.found.append(Mistake(self.path.name, line, " ".join(mask_text(what).split())))

    def add_in_condition(self, line: int, what: str, caret: str) -> None:
        """Note a mistake in a condition, with the lines that show its place."""
        self.found.append(Mistake(self.path.name, line, what, caret))

    def raise_any(self) -> None:
        """End here if there were mistakes.

        Raises:
            AlertsFileError: There were.
        """
        if self.found:
            raise AlertsFileError(self.found)
