"""Currency rates that a tap brings beside its documents, as Visma.net's list of rates has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_twilio_alerts.documents import Field, Kind, UnreadableValue, UnusableRecord
from target_twilio_alerts.ledger.rates import StoredRate
from target_twilio_alerts.rules import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

STREAM = "currency_rates"

_LONGEST = 255

_FIELDS = {
    field.name: field.reader()
    for field in (
        Field("company", Kind.TEXT, ("company",), ""),
        Field("type", Kind.TEXT, ("rateType",), ""),
        Field("base", Kind.TEXT, ("fromCurrencyId",), ""),
        Field("quote", Kind.TEXT, ("toCurrencyId",), ""),
        Field("day", Kind.DATE, ("effectiveDate",), ""),
        Field("rate", Kind.NUMBER, ("rate",), ""),
        Field("direction", Kind.TEXT, ("multDiv",), ""),
    )
}


def read_rate(record: Mapping[str, Any]) -> tuple[str, Rate]:
    """Read a record (contracts/visma-erp.openapi.json, CurrencyRateDto); gives its type too.

    The contract does not say how `multDiv` is written: what begins with M multiplies, with D
    divides.

    Raises:
        UnusableRecord: It lacks a part, or one that cannot be read.
    """
    values: dict[str, Any] = {}
    for name, read in _FIELDS.items():
        try:
            values[name] = read(record)
        except UnreadableValue as error:
            raise UnusableRecord(f"{name} {error}") from None
        if values[name] is None:
            raise UnusableRecord(f"{name} is missing, without which a rate is none")
        if len(str(values[name])) > _LONGEST:
            raise UnusableRecord(f"{name} is longer than {_LONGEST} characters")
    if values["rate"] <= 0:
        raise UnusableRecord("rate is not above 0")
    direction = values["direction"][:1].upper()
    if direction not in {"M", "D"}:
        raise UnusableRecord("multDiv neither multiplies nor divides")
    base, quote = values["base"].strip(), values["quote"].strip()
    if direction == "D":
        base, quote = quote, base
    return values["type"].strip(), Rate(
        base=base,
        quote=quote,
        day=values["day"],
        rate=values["rate"],
        source=STREAM,
        company=values["company"],
    )


def from_ledger(stored: StoredRate) -> Rate:
    """A rate that was brought by an earlier run."""
    return Rate(
        base=stored.base,
        quote=stored.quote,
        day=stored.day,
        rate=stored.rate,
        source=STREAM,
        company=stored.company,
    )


def to_ledger(rate: Rate, rate_type: str) -> StoredRate:
    """A rate as the ledger keeps it."""
    return StoredRate(
        company=rate.company or "",
        type=rate_type,
        base=rate.base,
        quote=rate.quote,
        day=rate.day,
        rate=rate.rate,
    )
