"""Parts that the documents of the demo company have in common."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from visma_twilio_sandbox.business.parties import RATES

if TYPE_CHECKING:
    from visma_twilio_sandbox.business.parties import Party

Item = dict[str, Any]

ZERO = Decimal(0)
CENT = Decimal("0.01")
VAT_PERCENT = Decimal(25)
BRANCH = {"number": "1", "name": "Nordisk Demo AB"}
NO_BALANCE = frozenset({"Closed", "Voided"})


def today() -> dt.date:
    """Today in UTC."""
    return dt.datetime.now(dt.timezone.utc).date()


def day(date: dt.date) -> str:
    """A date as Visma writes it."""
    return f"{date.isoformat()}T00:00:00"


def period(date: dt.date) -> str:
    """The financial period of a date, YYYYPP."""
    return f"{date:%Y%m}"


def without_vat(amount: Decimal) -> tuple[Decimal, Decimal]:
    """Split an amount into what it is without VAT, and the VAT."""
    net = (amount * 100 / (100 + VAT_PERCENT)).quantize(CENT, ROUND_HALF_EVEN)
    return net, amount - net


def in_base(amount: Decimal, currency: str) -> Decimal:
    """An amount in the company's own currency."""
    return (amount * RATES[currency]).quantize(CENT, ROUND_HALF_EVEN)


def numbered(party: Party) -> Item:
    """A party as documents name it, with its internal id."""
    return {"internalId": party.internal_id, "number": party.number, "name": party.name}


def location(party: Party) -> Item:
    """The main location of a party."""
    return {"countryId": party.country, "id": "Main", "name": "Primary Location"}
