"""Recipients and groups of the alerts file: addresses that a channel can use, names that exist."""

from __future__ import annotations

import re
import zoneinfo
from typing import TYPE_CHECKING

import phonenumbers
from babel import Locale, UnknownLocaleError

from target_twilio_alerts.countries import parse_number
from target_twilio_alerts.messages.masking import mask_address
from target_twilio_alerts.rules.availability_entries import ROTATION_KEYS, Availability
from target_twilio_alerts.rules.expressions import nearest, suggestion
from target_twilio_alerts.rules.model import CHANNELS
from target_twilio_alerts.rules.people import DEFAULT_LOCALE, Recipient

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.people import Rotation
    from target_twilio_alerts.rules.yaml_file import Entry, Text, YamlFile

RECIPIENT_KEYS = (
    "name",
    "sms",
    "email",
    "locale",
    "timezone",
    "whatsapp",
    "voice",
    "quiet_hours",
    "away",
)

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_SEPARATORS = re.compile(r"[\s()./-]")
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s.,;<>\"]+")
_MAX_EMAIL = 254


class People:
    """Reads recipients, groups and rotations.

    Args:
        file: The file.
        mistakes: Takes the mistakes.
    """

    def __init__(self, file: YamlFile, mistakes: Mistakes) -> None:
        self._file = file
        self._mistakes = mistakes
        self.times = Availability(file, mistakes)
        self._zone: zoneinfo.ZoneInfo | None = None
        self._has_zone = False

    def own_zone(self, text: Text | None, line: int, where: str) -> zoneinfo.ZoneInfo | None:
        """The zone of what has times of its own: the one it names, else the file's."""
        if text is not None:
            return self.zone(text, where)
        if not self._has_zone:
            self._mistakes.add(
                line,
                f"{where}: needs to know whose time: add a line such as "
                "`timezone: Europe/Stockholm` here or to the file",
            )
        return self._zone

    def set_zone(self, text: Text | None) -> zoneinfo.ZoneInfo | None:
        """Read the file's own zone, which is that of everybody who has none."""
        self._has_zone = text is not None
        self._zone = None if text is None else self.zone(text, "the file")
        return self._zone

    def recipients(self, entry: Entry | None) -> dict[str, Recipient]:
        """Read the recipients, by name."""
        if entry is None:
            self._mistakes.add(1, "recipients is missing; add who can be told")
            return {}
        found = self._file.entries(entry.node, entry.line, "recipients")
        recipients = {one.key: self._recipient(one) for one in found.values()}
        self.times.check_deputies(recipients)
        return recipients

    def _recipient(self, entry: Entry) -> Recipient:
        where = f"recipient {entry.key!r}"
        self.check_name(entry, where)
        given = self._file.entries(entry.node, entry.line, where, RECIPIENT_KEYS)
        name = self._file.text(given.get("name"), where)
        if given and "name" not in given:
            self._mistakes.add(entry.line, f"{where}: name is missing; add what people call them")
        elif given and not any(channel in given for channel in CHANNELS):
            self._mistakes.add(
                entry.line, f"{where}: has no address; add sms, email, whatsapp or voice"
            )
        locale = self._file.text(given.get("locale"), where)
        zone = self._file.text(given.get("timezone"), where)
        if zone is not None:
            self.zone(zone, where)
        has_zone = "timezone" in given or self._has_zone
        emails = self._file.texts(given.get("email"), where)
        return Recipient(
            name=entry.key,
            display_name=entry.key if name is None else name.value.strip(),
            sms=self._numbers(given.get("sms"), where),
            email=tuple(dict.fromkeys(self._email(one, where) for one in emails)),
            locale=DEFAULT_LOCALE if locale is None else self._locale(locale, where),
            timezone=None if zone is None else zone.value,
            whatsapp=self._numbers(given.get("whatsapp"), where),
            voice=self._numbers(given.get("voice"), where),
            quiet_hours=self.times.quiet_hours(given.get("quiet_hours"), where, has_zone=has_zone),
            absences=self.times.absences(given.get("away"), entry.key, where, has_zone=has_zone),
        )

    def _numbers(self, entry: Entry | None, where: str) -> tuple[str, ...]:
        """Read the numbers of a channel, each once."""
        key = "" if entry is None else entry.key
        numbers = (self._number(one, where, key) for one in self._file.texts(entry, where))
        return tuple(dict.fromkeys(numbers))

    def check_name(self, entry: Entry, where: str) -> None:
        """Note a name that templates and command lines could not carry."""
        if not NAME.fullmatch(entry.key):
            self._mistakes.add(
                entry.line,
                f"{where}: its name may have letters a to z, digits and _.-, at most 100 of them; "
                "rename it",
            )

    def _number(self, text: Text, where: str, key: str) -> str:
        # An address that is no good stays, so that rules do not miss it as well.
        number, shown = text.value, mask_address(_SEPARATORS.sub("", text.value))
        if not _E164.fullmatch(number):
            self._mistakes.add(text.line, f"{where}: {key} {shown} {_how_to_write(number)}")
            return number
        parsed = parse_number(number)
        if parsed is None:
            self._mistakes.add(
                text.line,
                f"{where}: {key} {shown} begins with no country code that there is; correct it",
            )
        elif not phonenumbers.is_valid_number(parsed):
            self._mistakes.add(
                text.line,
                f"{where}: {key} {shown} is no number of its country; compare it digit by digit",
            )
        elif phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) != number:
            self._mistakes.add(
                text.line,
                f"{where}: {key} {shown} has a 0 behind the country code; leave the 0 out",
            )
        return number

    def _email(self, text: Text, where: str) -> str:
        email = text.value.strip()
        if not _EMAIL.fullmatch(email) or len(email) > _MAX_EMAIL:
            self._mistakes.add(
                text.line,
                f"{where}: email is no address of the form NAME@DOMAIN; write nothing else, and "
                "several as a list",
            )
        return email

    def _locale(self, text: Text, where: str) -> str:
        locale = text.value.replace("-", "_")
        try:
            return str(Locale.parse(locale))
        except (UnknownLocaleError, ValueError):
            self._mistakes.add(
                text.line,
                f"{where}: there is no locale {text.value}; write it as in sv_SE or en",
            )
            return locale

    def zone(self, text: Text, where: str) -> zoneinfo.ZoneInfo | None:
        """Read the name of a zone."""
        try:
            return zoneinfo.ZoneInfo(text.value)
        except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
            self._mistakes.add(
                text.line,
                f"{where}: there is no timezone {text.value}; {_zone_meant(text.value)}",
            )
            return None

    def groups(
        self,
        entry: Entry | None,
        recipients: Mapping[str, Recipient],
        rotations: Collection[str],
    ) -> dict[str, tuple[str, ...]]:
        """Read the groups: names of recipients and rotations, each once, by name of the group."""
        if entry is None:
            return {}
        groups = {}
        members = dict.fromkeys((*recipients, *rotations))
        found = self._file.entries(entry.node, entry.line, "groups", may_be_empty=True)
        for one in found.values():
            where = f"group {one.key!r}"
            self.check_name(one, where)
            if one.key in recipients:
                self._mistakes.add(
                    one.line,
                    f"{where}: a recipient has the same name; rename one of them",
                )
                continue
            names = self._file.texts(one, where)
            for name in names:
                if name.value in found and name.value not in members:
                    self._mistakes.add(
                        name.line,
                        f"{where}: {name.value} is a group; name its recipients instead",
                    )
                elif recipients and name.value not in members:
                    meant = suggestion(name.value, members, "there are")
                    self._mistakes.add(
                        name.line,
                        f"{where}: there is no recipient {name.value}; {meant}",
                    )
            known = (name.value for name in names if name.value in members)
            groups[one.key] = tuple(dict.fromkeys(known))
        return groups

    def rotations(
        self,
        entry: Entry | None,
        recipients: Mapping[str, Recipient],
        groups: Mapping[str, tuple[str, ...]],
    ) -> dict[str, Rotation]:
        """Read the rotations, by name."""
        if entry is None:
            return {}
        rotations = {}
        found = self._file.entries(entry.node, entry.line, "rotations", may_be_empty=True)
        for one in found.values():
            where = f"rotation {one.key!r}"
            self.check_name(one, where)
            if one.key in recipients or one.key in groups:
                what = "recipient" if one.key in recipients else "group"
                self._mistakes.add(
                    one.line, f"{where}: a {what} has the same name; rename one of them"
                )
                continue
            read = self._rotation(one, where, recipients, groups)
            if read is not None:
                rotations[one.key] = read
        return rotations

    def _rotation(
        self,
        entry: Entry,
        where: str,
        recipients: Mapping[str, Recipient],
        groups: Mapping[str, tuple[str, ...]],
    ) -> Rotation | None:
        given = self._file.entries(entry.node, entry.line, where, ROTATION_KEYS)
        own = self._file.text(given.get("timezone"), where)
        return self.times.rotation(
            given,
            entry.line,
            where,
            recipients=recipients,
            groups=groups,
            zone=self._zone if own is None else self.zone(own, where),
            has_zone="timezone" in given or self._has_zone,
        )


def _how_to_write(number: str) -> str:
    plain = _SEPARATORS.sub("", number)
    if _E164.fullmatch(plain):
        return "has spaces or signs in it; write + and digits only"
    if re.search("[,;]", number):
        return 'is several numbers in one text; write a list, as in ["+46...", "+47..."]'
    if plain.startswith("00"):
        return "begins with 00; write + instead"
    if plain.isdecimal():
        code = "as in +46 instead of the leading 0" if plain.startswith("0") else "as in +46"
        return f"lacks its country code; write it first, {code}"
    return "is no telephone number; write +, the country code and the rest, 8 to 15 digits"


def _zone_meant(name: str) -> str:
    """Which zone was likely meant; without a likely one, a few examples."""
    zones = sorted(zoneinfo.available_timezones())
    last = name.rpartition("/")[2].casefold()
    same = [zone for zone in zones if zone.casefold().endswith(f"/{last}")]
    likely = [zone for zone in zones if zone[:1].casefold() == name[:1].casefold()]
    meant = same[0] if last and same else nearest(name, likely)
    return f"did you mean {meant}?" if meant else "write it as in Europe/Stockholm or Europe/Oslo"
