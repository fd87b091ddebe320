"""People: how they can be reached, when they are not to be disturbed, and who stands in for them.

Pure: every question is asked for a moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, tzinfo

DEFAULT_LOCALE = "en"

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of :meth:`datetime.date.weekday`."""

_WEEK = 7


@dataclass(frozen=True)
class QuietHours:
    """When a recipient is not disturbed, in the recipient's own zone.

    Attributes:
        start: From this time of each day on.
        end: Until this time; before ``start``, it is the next day's. The same: no time of each day.
        days: Weekdays that are quiet as a whole, Monday is 0.
        drop: Whether a message of that time is never sent; else it waits for the end.
    """

    start: time
    end: time
    days: frozenset[int] = frozenset()
    drop: bool = False

    def cover(self, local: datetime) -> bool:
        """Whether a local moment is quiet."""
        if local.weekday() in self.days:
            return True
        now = local.time()
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def until(self, at: datetime, zone: tzinfo) -> datetime | None:
        """When the quiet that a moment falls into ends, in UTC; None if it is not quiet."""
        local = at.astimezone(zone)
        if not self.cover(local):
            return None
        for day in range(_WEEK + 2):
            date_of = local.date() + timedelta(days=day)
            # An hour that comes twice, when summer time ends, has an end in each.
            ends = (time(0), time(0, fold=1), self.end, self.end.replace(fold=1))
            for moment in ends:
                end = datetime.combine(date_of, moment, zone).astimezone(timezone.utc)
                if end > at and not self.cover(end.astimezone(zone)):
                    return end
        raise AssertionError("quiet hours never end")  # refused when the file is loaded


@dataclass(frozen=True)
class Absence:
    """Days on which somebody is away, both included, and who is told instead."""

    first: date
    last: date
    deputy: str


@dataclass(frozen=True)
class Recipient:
    """A person or mailbox that is told.

    Attributes:
        name: Its key in the file.
        display_name: What people call it.
        sms: Mobile numbers in E.164 form, such as "+46701740605".
        email: Email addresses.
        whatsapp: WhatsApp numbers in E.164 form.
        voice: Numbers to call, in E.164 form.
        locale: In whose words and formats it is told, such as "sv_SE".
        timezone: IANA name of its zone; None: that of the file.
        quiet_hours: When it is not disturbed.
        absences: When it is away, in the order of time.
    """

    name: str
    display_name: str
    sms: tuple[str, ...] = field(default=(), repr=False)
    email: tuple[str, ...] = field(default=(), repr=False)
    locale: str = DEFAULT_LOCALE
    timezone: str | None = None
    whatsapp: tuple[str, ...] = field(default=(), repr=False)
    voice: tuple[str, ...] = field(default=(), repr=False)
    quiet_hours: QuietHours | None = None
    absences: tuple[Absence, ...] = ()

    def addresses(self, channel: str) -> tuple[str, ...]:
        """Its addresses for a channel."""
        known = {
            "sms": self.sms,
            "email": self.email,
            "whatsapp": self.whatsapp,
            "voice": self.voice,
        }
        return known.get(channel, ())

    def absence(self, day: date) -> Absence | None:
        """Its absence of a day, if there is one."""
        return next((one for one in self.absences if one.first <= day <= one.last), None)


@dataclass(frozen=True)
class Rotation:
    """People who are on duty by turns, a week each.

    Attributes:
        start: Monday of the first member's first week.
        members: Names of recipients, in turn.
        handover: Time of Monday at which the turn passes on.
        zone: Where that is Monday.
    """

    start: date
    members: tuple[str, ...]
    handover: time
    zone: tzinfo

    def on_duty(self, at: datetime) -> str:
        """Whose turn it is; before ``start`` too, counted backwards."""
        local = at.astimezone(self.zone)
        day = local.date()
        monday = day - timedelta(days=day.weekday())
        if day == monday and local.time() < self.handover:
            monday -= timedelta(weeks=1)
        weeks = (monday - self.start).days // _WEEK
        return self.members[weeks % len(self.members)]


@dataclass(frozen=True)
class Circle:
    """Days on which deputies are away as well and lead back to the first, so that none is told."""

    first: date
    last: date
    names: tuple[str, ...]


def circle_of_deputies(
    recipients: Mapping[str, Recipient], name: str, absence: Absence
) -> Circle | None:
    """The circle that an absence is part of; None if somebody is there to be told."""
    ways = [Circle(absence.first, absence.last, (name,))]
    deputies = [absence.deputy]
    while ways:
        way, deputy = ways.pop(), deputies.pop()
        if deputy == name:
            return way
        if deputy in way.names or deputy not in recipients:
            continue
        for one in recipients[deputy].absences:
            first, last = max(way.first, one.first), min(way.last, one.last)
            if first <= last:
                ways.append(Circle(first, last, (*way.names, deputy)))
                deputies.append(one.deputy)
    return None
