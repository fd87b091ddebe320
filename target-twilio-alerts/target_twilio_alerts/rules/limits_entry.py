"""Limits of the alerts file: how many messages are told at most, and who hears of the rest."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.model import CHANNELS, PER_RECIPIENT, Limits
from target_twilio_alerts.rules.prices import read_prices
from target_twilio_alerts.rules.table_file import TableFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_twilio_alerts.rules.addressees import Addressees
    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.prices import Prices
    from target_twilio_alerts.rules.yaml_file import Entry, YamlFile

COUNTS = ("per_run", "per_hour", "per_rule", "per_recipient")
LIMITS_KEYS = (*COUNTS, "cost_per_day", "prices", "notify", "via")
LIMITS_CHANNELS = ("sms", "email")

_MONEY = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_COUNT = re.compile("[0-9]{1,7}")
_MOST = 1_000_000


def read_limits(
    file: YamlFile, mistakes: Mistakes, entry: Entry | None, addressees: Addressees
) -> Limits:
    """Read `limits`; those that are not given are as if the file had none.

    Args:
        file: The file.
        mistakes: Takes the mistakes.
        entry: It; None if there is none.
        addressees: Checks who is told.
    """
    if entry is None:
        return Limits()
    given = file.entries(entry.node, entry.line, "limits", LIMITS_KEYS)
    counts = {name: _count(file, mistakes, given.get(name), name) for name in COUNTS}
    if ("notify" in given) != ("via" in given):
        mistakes.add(entry.line, "limits: give both notify and via, for who hears of the rest")
    notify = file.texts(given.get("notify"), "limits")
    via = addressees.one_of(
        file.texts(given.get("via"), "limits"), LIMITS_CHANNELS, "limits", "{} is no channel for it"
    )
    addressees.check(notify, via, "limits")
    return Limits(
        per_run=counts["per_run"],
        per_hour=counts["per_hour"],
        per_rule=counts["per_rule"],
        per_recipient=counts["per_recipient"] or PER_RECIPIENT,
        cost_per_day=_cost(file, mistakes, given),
        prices=_prices(file, mistakes, given.get("prices")),
        recipients=addressees.names(notify),
        via=tuple(via),
    )


def _count(file: YamlFile, mistakes: Mistakes, entry: Entry | None, name: str) -> int | None:
    text = file.text(entry, "limits")
    if text is None:
        return None
    if not _COUNT.fullmatch(text.value) or not 1 <= int(text.value) <= _MOST:
        mistakes.add(
            text.line,
            f"limits: {name} {text.value} is no number of messages; write a whole number from 1 "
            "on, as in 200",
        )
        return None
    return int(text.value)


def _cost(file: YamlFile, mistakes: Mistakes, given: Mapping[str, Entry]) -> Decimal | None:
    text = file.text(given.get("cost_per_day"), "limits")
    if text is None:
        return None
    if "prices" not in given:
        mistakes.add(
            text.line,
            "limits: cost_per_day needs prices: add `prices: prices.csv`, with lines of "
            "channel,country,price in that file",
        )
    if not _MONEY.fullmatch(text.value):
        mistakes.add(
            text.line, f"limits: cost_per_day {text.value} is no amount; write it as 25.50"
        )
        return None
    return Decimal(text.value)


def _prices(file: YamlFile, mistakes: Mistakes, entry: Entry | None) -> Prices | None:
    text = file.text(entry, "limits")
    if text is None:
        return None
    try:
        return read_prices(mistakes.path.parent / text.value, CHANNELS)
    except TableFileError as error:
        mistakes.add(text.line, f"limits: {error}")
        return None
