"""The words of the common vocabulary as fields, so that an entity is a table of Visma's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.documents.entity import Entity
from target_twilio_alerts.documents.fields import Combine, Field, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

ITS_CURRENCY = "`currency`"
"""Unit of amounts in the currency that the document names."""

COMPANY_CURRENCY = "the company's currency"
"""Unit of amounts in the currency that the company keeps its books in."""

MODULES = (
    *("ModuleGL", "ModuleAP", "ModuleAR", "ModuleCA", "ModuleCM", "ModuleIN", "ModuleSO"),
    *("ModulePO", "ModuleDR", "ModuleFA", "ModuleEP", "ModulePM", "ModuleTX", "ModuleCR"),
)

APPROVAL_STATUSES = (
    *("New", "Canceled", "SentToApproval", "ReceivedByApproval", "InProgressApproval"),
    *("RejectedInApproval", "ApprovedInApproval", "ActiveWorkflowApproval"),
)


def text(
    name: str,
    source: str,
    description: str,
    values: Iterable[str] | None = None,
) -> Field:
    """A text, and what the API may say there, if it documents that."""
    known = None if values is None else tuple(values)
    return Field(name, Kind.TEXT, (source,), description, known)


def number(name: str, source: str, description: str, *, unit: str | None = None) -> Field:
    """A number that is no money."""
    return Field(name, Kind.NUMBER, (source,), description, unit=unit)


def money(name: str, source: str, description: str, *, unit: str = ITS_CURRENCY) -> Field:
    """An amount; by default in the document's own currency."""
    return Field(name, Kind.NUMBER, (source,), description, unit=unit)


def difference(name: str, sources: tuple[str, str], description: str, *, unit: str) -> Field:
    """An amount that is one field less another."""
    return Field(
        name,
        Kind.NUMBER,
        sources,
        description,
        combine=Combine.DIFFERENCE,
        unit=unit,
    )


def date(name: str, source: str, description: str) -> Field:
    """A day."""
    return Field(name, Kind.DATE, (source,), description)


def flag(name: str, source: str, description: str) -> Field:
    """Yes or no."""
    return Field(name, Kind.BOOLEAN, (source,), description)


def each(name: str, source: str, description: str) -> Field:
    """What the items of an array have there, each once."""
    return Field(name, Kind.LIST, (source,), description, combine=Combine.EACH)


def line_count(source: str) -> Field:
    """How many lines there are."""
    return Field(
        "line_count",
        Kind.NUMBER,
        (source,),
        "How many lines it has.",
        combine=Combine.COUNT,
        unit="lines",
    )


def payment_details(*sources: str) -> Field:
    """Bank accounts and their like, masked: enough to tell a change, too little to pay to."""
    return Field(
        "payment_details",
        Kind.TEXT,
        sources,
        "What it is paid by, such as bank accounts: of each, the last four characters and a check "
        "code that changes with any of the others.",
        combine=Combine.MASKED,
    )


def on_hold(source: str = "hold") -> Field:
    """Whether somebody holds it back."""
    return flag("on_hold", source, "Whether it is on hold.")


def active(source: str = "active") -> Field:
    """Whether it may be used."""
    return flag("active", source, "Whether it may be used.")


def about(source: str = "description") -> Field:
    """What somebody wrote about it."""
    return text("description", source, "Description.")


def supplier(source: str = "supplier") -> tuple[Field, Field]:
    """The supplier as the counterparty."""
    return (
        text("counterparty", f"{source}.name", "Name of the supplier."),
        text("counterparty_number", f"{source}.number", "Number of the supplier."),
    )


def customer(source: str = "customer") -> tuple[Field, Field]:
    """The customer as the counterparty."""
    return (
        text("counterparty", f"{source}.name", "Name of the customer."),
        text("counterparty_number", f"{source}.number", "Number of the customer."),
    )


def entity(
    name: str,
    *fields: Field,
    stream: str | None = None,
    label: str | None = None,
    final: Iterable[str] | None = (),
    credits_are: Iterable[str] = (),
    volatile: Iterable[str] = (),
    stamp: str = "lastModifiedDateTime",
    grouped_by: tuple[str, ...] = ("counterparty_number", "counterparty"),
) -> Entity:
    """An entity of Visma.net ERP.

    Args:
        name: In the singular.
        fields: Its fields, beside the company.
        stream: What brings it; None: its name with an s.
        label: For titles; None: its name.
        final: Statuses that a document does not leave; None if it never changes at all.
        credits_are: Types whose amounts are negative.
        volatile: Names of fields that are no content.
        stamp: Field with the modification stamp.
        grouped_by: Fields that tell which documents belong together.
    """
    company = text("company", "company", "The company's name, as the tap's settings give it.")
    return Entity(
        name=name,
        stream=stream or f"{name}s",
        label=label or name.replace("_", " ").capitalize(),
        fields={field.name: field for field in (company, *fields)},
        final_statuses=None if final is None else frozenset(final),
        stamp_field=stamp,
        credit_types=frozenset(credits_are),
        grouped_by=grouped_by,
        volatile=frozenset({stamp, "lastModifiedDateTime", "timeStamp", "metadata", *volatile}),
    )
