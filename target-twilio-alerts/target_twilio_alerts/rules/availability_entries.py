"""When people can be told: quiet hours, absences and rotations of the alerts file."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.rules.people import (
    WEEKDAYS,
    Absence,
    QuietHours,
    Rotation,
    circle_of_deputies,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import tzinfo

    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.people import Recipient
    from target_twilio_alerts.rules.yaml_file import Entry, Text, YamlFile

QUIET_KEYS = ("from", "to", "days", "do")
AWAY_KEYS = ("from", "to", "deputy")
ROTATION_KEYS = ("start", "members", "handover", "timezone")

HOLD, DROP = "hold", "drop"

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_MIDNIGHT = time(0)


class Availability:
    """Reads times of day, days and turns.

    Args:
        file: The file.
        mistakes: Takes the mistakes.
    """

    def __init__(self, file: YamlFile, mistakes: Mistakes) -> None:
        self._file = file
        self._mistakes = mistakes
        self._deputies: list[tuple[Text, str]] = []
        self._lines: dict[tuple[str, Absence], int] = {}

    def quiet_hours(self, entry: Entry | None, where: str, *, has_zone: bool) -> QuietHours | None:
        """Read the quiet hours of a recipient."""
        if entry is None:
            return None
        where = f"{where}: quiet_hours"
        given = self._file.entries(entry.node, entry.line, where, QUIET_KEYS)
        if not given:
            return None
        self._need_zone(entry.line, where, has_zone=has_zone)
        days = self._days(given.get("days"), where)
        drop = self._do(given.get("do"), where)
        if ("from" in given) != ("to" in given):
            self._mistakes.add(
                entry.line, f"{where}: give both from and to, such as 20:00 and 07:00"
            )
        elif "from" not in given and "days" not in given:
            self._mistakes.add(entry.line, f"{where}: says no time; add from and to, or days")
        start = self.time_of_day(given.get("from"), where)
        end = self.time_of_day(given.get("to"), where)
        if start is not None and start == end:
            self._mistakes.add(
                given["to"].line,
                f"{where}: from and to are the same time; to be quiet all day, name days",
            )
        if len(days) == len(WEEKDAYS):
            self._mistakes.add(
                given["days"].line,
                f"{where}: all days are quiet, so nothing could ever be told; leave one out",
            )
        return QuietHours(start or _MIDNIGHT, end or _MIDNIGHT, days, drop=drop)

    def absences(
        self, entry: Entry | None, name: str, where: str, *, has_zone: bool
    ) -> tuple[Absence, ...]:
        """Read when a recipient is away; whether deputies exist is checked later."""
        if entry is None:
            return ()
        where = f"{where}: away"
        self._need_zone(entry.line, where, has_zone=has_zone)
        found: list[Absence] = []
        for item in self._file.items(entry, where):
            given = self._file.entries(item.node, item.line, where, AWAY_KEYS)
            self._file.need(given, AWAY_KEYS, item.line, where)
            first, last = (self.day(given.get(key), where) for key in ("from", "to"))
            deputy = self._file.text(given.get("deputy"), where)
            if deputy is not None and deputy.value == name:
                self._mistakes.add(
                    deputy.line, f"{where}: {name} cannot be their own deputy; name somebody else"
                )
            elif deputy is not None:
                self._deputies.append((deputy, where))
            if first is None or last is None or deputy is None:
                continue
            if last < first:
                self._mistakes.add(given["to"].line, f"{where}: to is before from; swap them")
            known = next((one for one in found if one.first <= last and first <= one.last), None)
            if known is not None:
                self._mistakes.add(
                    item.line,
                    f"{where}: overlaps the absence from {known.first.isoformat()}; make them one",
                )
            found.append(Absence(first, last, deputy.value))
            if deputy.value != name:
                self._lines[name, found[-1]] = deputy.line
        return tuple(sorted(found, key=lambda one: one.first))

    def check_deputies(self, known: Mapping[str, Recipient]) -> None:
        """Note deputies that are no recipients, or are away too; all recipients have been read."""
        for deputy, where in self._deputies:
            if deputy.value not in known:
                meant = suggestion(deputy.value, known, "there are")
                self._mistakes.add(
                    deputy.line, f"{where}: there is no recipient {deputy.value}; {meant}"
                )
        noted: set[frozenset[str]] = set()
        for (name, absence), line in self._lines.items():
            circle = circle_of_deputies(known, name, absence)
            if circle is None or frozenset(circle.names) in noted:
                continue
            noted.add(frozenset(circle.names))
            self._mistakes.add(
                line,
                f"recipient {name!r}: away: nobody is told from {circle.first.isoformat()} to "
                f"{circle.last.isoformat()}, since the deputies are away too: "
                f"{' -> '.join((*circle.names, name))}; name another deputy",
            )

    def rotation(
        self,
        given: Mapping[str, Entry],
        line: int,
        where: str,
        *,
        recipients: Collection[str],
        groups: Collection[str],
        zone: tzinfo | None,
        has_zone: bool,
    ) -> Rotation | None:
        """Read one rotation.

        Args:
            given: Its keys.
            line: Its line.
            where: What it is, as mistakes begin.
            recipients: Names of recipients.
            groups: Names of groups.
            zone: Its own zone, else that of the file.
            has_zone: Whether one was given, be it right or wrong.
        """
        self._file.need(given, ("start", "members"), line, where)
        self._need_zone(line, where, has_zone=has_zone)
        start = self.day(given.get("start"), where)
        handover = self.time_of_day(given.get("handover"), where) or _MIDNIGHT
        members = []
        for name in self._file.texts(given.get("members"), where):
            if name.value in groups:
                self._mistakes.add(
                    name.line, f"{where}: {name.value} is a group; name its recipients instead"
                )
            elif recipients and name.value not in recipients:
                meant = suggestion(name.value, recipients, "there are")
                self._mistakes.add(
                    name.line, f"{where}: there is no recipient {name.value}; {meant}"
                )
            else:
                members.append(name.value)
        if start is not None and start.weekday():
            monday = start - timedelta(days=start.weekday())
            self._mistakes.add(
                given["start"].line,
                f"{where}: {start.isoformat()} is no Monday, and turns are weeks; write "
                f"{monday.isoformat()}",
            )
        if start is None or not members or zone is None:
            return None
        return Rotation(start, tuple(members), handover, zone)

    def time_of_day(self, entry: Entry | None, where: str) -> time | None:
        """Read a time of day."""
        text = self._file.text(entry, where)
        if text is None or entry is None:
            return None
        at = parse_time(text.value.strip())
        if at is None:
            self.note(
                text.line,
                f"{where}: {entry.key} {text.value} is no time of day; write it as in 07:00",
            )
        return at

    def note(self, line: int, what: str) -> None:
        """Note a mistake."""
        self._mistakes.add(line, what)

    def day(self, entry: Entry | None, where: str) -> date | None:
        """Read a day."""
        text = self._file.text(entry, where)
        if text is None or entry is None:
            return None
        try:
            return date.fromisoformat(text.value.strip())
        except ValueError:
            self._mistakes.add(
                text.line,
                f"{where}: {entry.key} {text.value} is no day; write it as in 2026-12-21",
            )
            return None

    def weekdays(self, entry: Entry | None, where: str) -> dict[str, int]:
        """Read weekdays, each once, with its line."""
        found: dict[str, int] = {}
        for text in self._file.texts(entry, where):
            if text.value in WEEKDAYS:
                found.setdefault(text.value, text.line)
            else:
                meant = suggestion(text.value, WEEKDAYS, "it is one of")
                self._mistakes.add(text.line, f"{where}: there is no day {text.value}; {meant}")
        return found

    def _days(self, entry: Entry | None, where: str) -> frozenset[int]:
        return frozenset(WEEKDAYS.index(name) for name in self.weekdays(entry, where))

    def _do(self, entry: Entry | None, where: str) -> bool:
        text = self._file.text(entry, where)
        if text is not None and text.value not in {HOLD, DROP}:
            self._mistakes.add(
                text.line,
                f"{where}: do is hold (told when they end) or drop (never told), not {text.value}",
            )
        return text is not None and text.value == DROP

    def _need_zone(self, line: int, where: str, *, has_zone: bool) -> None:
        if not has_zone:
            self._mistakes.add(
                line,
                f"{where}: needs to know whose time: add a line such as "
                "`timezone: Europe/Stockholm` here or to the file",
            )


def parse_time(text: str) -> time | None:
    """A time of day such as ``07:00``; None for any other text."""
    match = _TIME.fullmatch(text)
    return None if match is None else time(int(match[1]), int(match[2]))
