"""What a message is made from, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | Decimal | bool | date | tuple[Any, ...] | None
"""One field of a document: text, exact number, yes/no, date, list, or unknown."""


@dataclass(frozen=True)
class MessageContext:
    """One alert, as a text sees it.

    Attributes:
        rule: The rule's name, such as "large-supplier-invoice".
        severity: As the rule says, such as "high".
        entity: In the singular, such as "supplier_invoice".
        values: The document's fields now, by their common names (type, number, amount, ...).
        previous: The same before the change; None for a new document.
        reference: Six characters that find the alert in the audit trail, such as "7K2QM9".
        today: The day in the company's time zone.
        undecided: Why the rule could not decide the document, where that is what is told; else
            None.
        step: Which step of an escalation tells it; 0: the first telling.
        acknowledge_url: Where its reader says that they take care; None where they cannot.
    """

    rule: str
    severity: str
    entity: str
    values: Mapping[str, Value]
    previous: Mapping[str, Value] | None
    reference: str
    today: date | None = None
    undecided: str | None = None
    step: int = 0
    acknowledge_url: str | None = None


@dataclass(frozen=True)
class Rendered:
    """A finished text.

    Attributes:
        subject: Of an email; None for an SMS.
        text: The SMS, or the email's plain text.
        html: The email's HTML; None for an SMS.
        locale: The locale of words and formats, such as "sv_SE".
        template: The file it was made from, or "built-in/...".
        encoding: "GSM-7" or "UCS-2"; None for an email.
        segments: Billed SMS segments; None for an email.
        problem: Why the company's own template was not used though there is one, or that its text
            was cut, in one line.
    """

    subject: str | None
    text: str
    html: str | None
    locale: str
    template: str
    encoding: str | None = None
    segments: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class TemplateUse:
    """One rule's need of texts, for `check`: which names are looked up, and for which fields.

    `fields` gives the kind of each field: "text", "number", "boolean", "date" or "list";
    `max_segments` is the rule's budget for an SMS, `nullable` the fields that may be null when the
    rule alerts, `locales` those of its recipients, `file` and `line` where the rule stands.
    """

    rule: str
    entity: str
    template: str | None
    channels: tuple[str, ...]
    fields: Mapping[str, str]
    max_segments: int | None = None
    nullable: frozenset[str] = frozenset()
    locales: tuple[str, ...] = ()
    file: str = "alerts.yml"
    line: int | None = None


@dataclass(frozen=True)
class TemplateProblem:
    """One thing wrong with a template: where, what, and how to mend it."""

    file: str
    line: int | None
    what: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}; {self.mend}"


class TemplateError(Exception):
    """A template that cannot be used; prints as one line with file, line, what and mend."""

    def __init__(self, problem: TemplateProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem
