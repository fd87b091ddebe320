"""Reads a file of currency rates that finance keeps: lines of date, from, to, rate."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.rates import Rate
from target_twilio_alerts.rules.table_file import TableFileError, read_table

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("date", "from", "to", "rate")
_CURRENCY = re.compile(r"[A-Z]{3}")
_RATE = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,15})?")


def read_rates(path: Path) -> list[Rate]:
    """Read a file of rates.

    Args:
        path: A CSV file in UTF-8 whose first line is ``date,from,to,rate``, such as
            ``2026-11-20,EUR,SEK,11.0425``: one EUR is 11.0425 SEK from that day on.

    Raises:
        TableFileError: It is missing, or a line cannot be read.
    """
    rates = []
    for number, given in read_table(path, COLUMNS):
        try:
            rates.append(parse_rate(given, f"{path.name}:{number}"))
        except ValueError as error:
            raise TableFileError(f"{path}:{number}: {error}") from None
    return rates


def parse_rate(given: list[str], source: str) -> Rate:
    """Read one rate: date, from, to, rate.

    Raises:
        ValueError: It cannot be read; the text says how to mend it.
    """
    given = [one.strip() for one in given]
    if len(given) != len(COLUMNS):
        raise ValueError(f"has {len(given)} values; write date,from,to,rate")
    day, base, quote, rate = given
    for currency in (base, quote):
        if not _CURRENCY.fullmatch(currency):
            raise ValueError(f"{currency} is no currency; write three capitals, as in SEK")
    if base == quote:
        raise ValueError(f"{base} to itself needs no rate; remove the line")
    if not _RATE.fullmatch(rate) or not Decimal(rate):
        raise ValueError(f"{rate} is no rate; write it with a point, as in 11.0425")
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"{day} is no date; write it as in 2026-01-31") from None
    return Rate(base, quote, on, Decimal(rate), source)
