"""What a message will cost, by a table of prices that finance keeps: predicted, not billed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.countries import country_of
from target_twilio_alerts.rules.table_file import TableFileError, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLUMNS = ("channel", "country", "price")
ANYWHERE = "*"
_PRICE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_COUNTRY = re.compile(r"[A-Z]{2}|\*")


@dataclass(frozen=True)
class Prices:
    """Prices of one message, or of one segment of an SMS, by channel and country."""

    prices: Mapping[tuple[str, str], Decimal]

    def of(self, channel: str, address: str, segments: int | None) -> Decimal | None:
        """What a message to an address costs; None if the table does not say."""
        country = country_of(address) or ANYWHERE
        price = self.prices.get((channel, country), self.prices.get((channel, ANYWHERE)))
        return None if price is None else price * (segments or 1)


def read_prices(path: Path, channels: tuple[str, ...]) -> Prices:
    """Read a table of prices.

    Args:
        path: A CSV file in UTF-8 whose first line is ``channel,country,price``, such as
            ``sms,SE,0.0585``; the country ``*`` is any other.
        channels: The channels that there are.

    Raises:
        TableFileError: It is missing, or a line cannot be read.
    """
    found = {}
    for number, given in read_table(path, COLUMNS):
        problem = _problem(given, channels)
        if problem is not None:
            raise TableFileError(f"{path}:{number}: {problem}")
        found[given[0], given[1]] = Decimal(given[2])
    return Prices(found)


def _problem(given: list[str], channels: tuple[str, ...]) -> str | None:
    if len(given) != len(COLUMNS):
        return f"has {len(given)} values; write channel,country,price"
    channel, country, price = given
    if channel not in channels:
        return f"there is no channel {channel}; it is one of {', '.join(channels)}"
    if not _COUNTRY.fullmatch(country):
        return f"{country} is no country; write two capitals, as in SE, or *"
    if not _PRICE.fullmatch(price):
        return f"{price} is no price; write it with a point, as in 0.0585"
    return None
