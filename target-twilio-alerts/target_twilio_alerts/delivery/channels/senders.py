"""Which sender an SMS has, by the recipient's country, and which countries refuse it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from target_twilio_alerts.countries import country_of
from target_twilio_alerts.delivery.channels.outcome import CheckResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = re.compile(r"(?=.*[A-Za-z ])[A-Za-z0-9 ]{1,11}")
"""An alphanumeric sender ID. Source: Twilio's glossary, "alphanumeric sender ID"."""

_NO_NAMES = frozenset({"CA", "PR", "US"})
"""Countries in which a name as sender does not arrive. Source: Twilio's documentation of sender
IDs, which names more countries; of these there is no doubt."""

_AUTHORISED = {
    "FI": "Finland shows a name or Finnish number that was not authorised in advance as Unknown "
    "(Traficom's Regulation 28 L/2025 M); see that it is",
}
"""Countries that want senders authorised first, and what comes of it otherwise."""


class Senders:
    """The senders of one account's SMS.

    Args:
        default: A number, short code, name or Messaging Service for countries without their own.
        by_country: The same for countries, by two letters such as "SE".
    """

    def __init__(self, default: str, by_country: Mapping[str, str] | None = None) -> None:
        self._default = default
        self._by_country = dict(by_country or {})

    def of(self, number: str) -> str:
        """The sender of an SMS to a number in E.164 form."""
        if not self._by_country:
            return self._default
        return self._by_country.get(country_of(number) or "", self._default)

    def all(self) -> tuple[str, ...]:
        """Every sender, each once."""
        return tuple(dict.fromkeys((self._default, *self._by_country.values())))

    def check(self, numbers: Mapping[str, Iterable[str]]) -> list[CheckResult]:
        """Say which recipients' countries refuse the sender that their SMS would have.

        Args:
            numbers: Numbers in E.164 form, by name of the recipient.
        """
        refused: dict[tuple[str, str], list[str]] = {}
        noted: dict[str, None] = {}
        for name, theirs in numbers.items():
            for number in theirs:
                country, sender = country_of(number) or "", self.of(number)
                if country in _NO_NAMES and NAME.fullmatch(sender):
                    names = refused.setdefault((country, sender), [])
                    names += [name] if name not in names else []
                elif country in _AUTHORISED and _is_known(sender, country):
                    noted[_AUTHORISED[country]] = None
        results = [
            CheckResult(
                False,
                f'{country} takes no name as sender, such as "{sender}" to {", ".join(names)}',
                f"name a number for it in the setting senders, as in "
                f'{{"{country}": "+15005550006"}}',
            )
            for (country, sender), names in refused.items()
        ]
        return results + [CheckResult(True, what) for what in noted]


def _is_known(sender: str, country: str) -> bool:
    """Whether a sender is one that a country wants to authorise: a name, or a number of its own."""
    return NAME.fullmatch(sender) is not None or country_of(sender) == country
