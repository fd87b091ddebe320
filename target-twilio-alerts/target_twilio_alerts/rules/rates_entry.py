"""Currency rates of the alerts file: which file they are in, and how old one may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.rules.durations import read_days
from target_twilio_alerts.rules.rates import MAX_AGE, Rates
from target_twilio_alerts.rules.rates_file import read_rates
from target_twilio_alerts.rules.table_file import TableFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.model import Rule
    from target_twilio_alerts.rules.yaml_file import Entry, YamlFile

RATES_KEYS = ("file", "type", "max_age")


class RatesEntry:
    """Reads `rates`.

    Args:
        file: The alerts file.
        mistakes: Takes the mistakes.
    """

    def __init__(self, file: YamlFile, mistakes: Mistakes) -> None:
        self._file = file
        self._mistakes = mistakes

    def rates(self, entry: Entry | None, rules: Iterable[Rule]) -> Rates:
        """Read the rates; note rules that need some where there are none."""
        if entry is None:
            for rule in rules:
                if rule.condition.uses_rates:
                    self._mistakes.add(
                        rule.line,
                        f"rule {rule.name!r}: amount_in needs currency rates: add lines such as "
                        "`rates: {file: rates.csv}`, with date,from,to,rate in that file, or "
                        "`rates: {type: SPOT}` for those that the tap brings",
                    )
            return Rates()
        given = self._file.entries(entry.node, entry.line, "rates", RATES_KEYS)
        max_age = read_days(self._file, self._mistakes, given.get("max_age"), "rates")
        kind = self._file.text(given.get("type"), "rates")
        rates = Rates(max_age=max_age or MAX_AGE, type=None if kind is None else kind.value)
        name = self._file.text(given.get("file"), "rates")
        if name is None:
            if given and not {"file", "type"} & given.keys():
                self._mistakes.add(
                    entry.line,
                    "rates: file and type are missing; add where the rates are, or which of the "
                    "tap's are taken",
                )
            return rates
        try:
            rates.add(read_rates(self._mistakes.path.parent / name.value))
        except TableFileError as error:
            self._mistakes.add(name.line, f"rates: {error}")
        return rates
