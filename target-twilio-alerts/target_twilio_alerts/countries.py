"""The country of a telephone number."""

from __future__ import annotations

import phonenumbers


def country_of(address: str) -> str | None:
    """The country of a number in E.164 form, such as "SE"; None of anything else."""
    if not address.startswith("+"):
        return None
    return phonenumbers.region_code_for_number(phonenumbers.parse(address))
