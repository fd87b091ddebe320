"""The country of a telephone number."""

from __future__ import annotations

import phonenumbers

_PARTS = {"AX": "FI", "GG": "GB", "IM": "GB", "JE": "GB", "SJ": "NO"}
"""Regions that share their numbers with a country, which is theirs for operators and prices."""


def country_of(address: str) -> str | None:
    """The country of a number in E.164 form, such as "SE"; None of anything else."""
    if not address.startswith("+"):
        return None
    number = parse_number(address)
    region = None if number is None else phonenumbers.region_code_for_number(number)
    return None if region is None else _PARTS.get(region, region)


def parse_number(number: str) -> phonenumbers.PhoneNumber | None:
    """Take a number in E.164 form apart; None if no country has its code."""
    try:
        return phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
