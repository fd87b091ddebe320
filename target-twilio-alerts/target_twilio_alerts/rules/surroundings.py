"""What a decision depends on besides the document: the day, the rates, its like."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from target_twilio_alerts.documents import Value
    from target_twilio_alerts.rules.rates import Rates


class Surroundings(NamedTuple):
    """The same for a version and the one before it, so that only the document makes an edge.

    Attributes:
        today: The day in the company's zone; None if no zone is set: it is null.
        rates: Currency rates; None if there are none.
        others: Values of the other documents of its group, of about its date; None if they have not
            been looked up.
    """

    today: date | None = None
    rates: Rates | None = None
    others: tuple[Mapping[str, Value], ...] | None = None


NOWHERE = Surroundings()
"""No day and no rates."""
