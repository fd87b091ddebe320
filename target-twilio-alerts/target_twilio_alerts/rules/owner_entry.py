"""Who is told of what is amiss: that a rule cannot decide, or that messages did not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.rules.model import Owner

if TYPE_CHECKING:
    from target_twilio_alerts.rules.addressees import Addressees
    from target_twilio_alerts.rules.yaml_file import Entry, YamlFile

OWNER_KEYS = ("notify", "via")
OWNER_CHANNELS = ("sms", "email")


def read_owner(
    file: YamlFile, addressees: Addressees, entry: Entry | None, where: str
) -> Owner | None:
    """Read `{notify: ..., via: ...}`; None if it is not given.

    Args:
        file: The file.
        addressees: Checks who is told.
        entry: It.
        where: What it belongs to, as mistakes begin.
    """
    if entry is None:
        return None
    given = file.entries(entry.node, entry.line, where, OWNER_KEYS)
    file.need(given, OWNER_KEYS, entry.line, where)
    notify = file.texts(given.get("notify"), where)
    channels = file.texts(given.get("via"), where)
    via = addressees.one_of(channels, OWNER_CHANNELS, where, "{} is no channel for it")
    addressees.check(notify, via, where)
    return Owner(addressees.names(notify), tuple(via))
