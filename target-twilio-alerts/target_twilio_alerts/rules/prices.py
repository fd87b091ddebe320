"""What a message will cost, by a table of prices that finance keeps: predicted, not billed."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import phonenumbers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLUMNS = ("channel", "country", "price")
ANYWHERE = "*"
_PRICE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_COUNTRY = re.compile(r"[A-Z]{2}|\*")


class PricesFileError(Exception):
    """A table of prices that cannot be used; the text says which line, and how to mend it."""


@dataclass(frozen=True)
class Prices:
    """Prices of one message, or of one segment of an SMS, by channel and country."""

    prices: Mapping[tuple[str, str], Decimal]

    def of(self, channel: str, address: str, segments: int | None) -> Decimal | None:
        """What a message to an address costs; None if the table does not say."""
        country = ANYWHERE
        if address.startswith("+"):
            number = phonenumbers.parse(address)
            country = phonenumbers.region_code_for_number(number) or ANYWHERE
        price = self.prices.get((channel, country), self.prices.get((channel, ANYWHERE)))
        return None if price is None else price * (segments or 1)


def read_prices(path: Path, channels: tuple[str, ...]) -> Prices:
    """Read a table of prices.

    Args:
        path: A CSV file in UTF-8 whose first line is ``channel,country,price``, such as
            ``sms,SE,0.0585``; the country ``*`` is any other.
        channels: The channels that there are.

    Raises:
        PricesFileError: It is missing, or a line cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PricesFileError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise PricesFileError(f"{path}: is not UTF-8; save it as UTF-8") from None
    found = {}
    for number, fields in enumerate(csv.reader(text.splitlines()), 1):
        given = [one.strip() for one in fields]
        if number == 1:
            if tuple(given) != COLUMNS:
                raise PricesFileError(f"{path}:1: the first line must be {','.join(COLUMNS)}")
            continue
        if not any(given):
            continue
        problem = _problem(given, channels)
        if problem is not None:
            raise PricesFileError(f"{path}:{number}: {problem}")
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
