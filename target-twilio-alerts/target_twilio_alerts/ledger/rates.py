"""Currency rates that a tap has brought: the newest for each company, type, pair and day."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger.tables import currency_rates
from target_twilio_alerts.ledger.upserts import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class StoredRate:
    """One unit of `base` is `rate` units of `quote`, for a company, from a day on."""

    company: str
    type: str
    base: str
    quote: str
    day: date
    rate: Decimal


_COLUMNS = [currency_rates.c[name] for name in StoredRate.__dataclass_fields__]


def load(connection: Connection, rate_type: str) -> list[StoredRate]:
    """All rates of a type."""
    query = sa.select(*_COLUMNS).where(currency_rates.c.type == rate_type)
    return [
        StoredRate(*row[:-1], rate=Decimal(row.rate))  # type: ignore[misc]
        for row in connection.execute(query)
    ]


def save(connection: Connection, rates: Iterable[StoredRate], *, at: datetime, run_id: str) -> None:
    """Write rates; one for the same day takes the place of the one before."""
    rows = {
        (rate.company, rate.type, rate.base, rate.quote, rate.day): {
            **vars(rate),
            "rate": f"{rate.rate:f}",
            "seen_at": at,
            "run_id": run_id,
        }
        for rate in rates
    }
    if not rows:
        return
    statement = upsert(connection.dialect.name, currency_rates)
    renewed = {name: statement.excluded[name] for name in ("rate", "seen_at", "run_id")}
    statement = statement.on_conflict_do_update(
        index_elements=["company", "type", "base", "quote", "day"],
        set_=renewed,
    )
    connection.execute(statement, list(rows.values()))
