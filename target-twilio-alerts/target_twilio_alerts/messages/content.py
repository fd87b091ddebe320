"""The values that fill a content template's placeholders, as the recipient's locale writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from target_twilio_alerts.messages.facts import clean_values, currency_of
from target_twilio_alerts.messages.locales import formats
from target_twilio_alerts.messages.masking import mask_ibans
from target_twilio_alerts.messages.segments import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_twilio_alerts.messages.context import MessageContext

_LONGEST_VALUE = 200
_EMPTY = "-"
"""WhatsApp refuses a template with an empty variable."""


def fill_variables(
    variables: Iterable[tuple[str, str]],
    context: MessageContext,
    locale: str,
) -> dict[str, str]:
    """Write each variable's value; never empty, and on one line, as WhatsApp demands.

    Args:
        variables: Placeholders with the names of what fills them, such as ("1", "amount").
        context: What the alert is about.
        locale: The recipient's, such as "sv_SE".
    """
    values = clean_values(context.values)
    written, currency = formats(locale), currency_of(values)
    about = {
        "reference": context.reference,
        "rule": context.rule,
        "severity": context.severity,
    }
    filled = {}
    for placeholder, name in variables:
        value = values.get(name, about.get(name))
        text = _EMPTY if value in (None, "") else written.value(name, value, currency)
        line = re.sub(r"\s+", " ", mask_ibans(text)).strip()
        filled[placeholder] = shorten(line, _LONGEST_VALUE) or _EMPTY
    return filled
