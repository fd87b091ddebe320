"""Whom rules tell: names that exist, with the addresses that their channels need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.rules.model import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.people import Recipient, Rotation
    from target_twilio_alerts.rules.yaml_file import Text


class Addressees:
    """Checks names of recipients, groups and rotations.

    Args:
        mistakes: Takes the mistakes.
        recipients: Recipients, by name.
        groups: Names of recipients and rotations, by name of the group.
        rotations: Rotations, by name.
    """

    def __init__(
        self,
        mistakes: Mistakes,
        *,
        recipients: Mapping[str, Recipient],
        groups: Mapping[str, tuple[str, ...]],
        rotations: Mapping[str, Rotation],
    ) -> None:
        self._mistakes = mistakes
        self._recipients = recipients
        self._groups = groups
        self._rotations = rotations

    def names(self, notify: Iterable[Text]) -> tuple[str, ...]:
        """Names of recipients and rotations, each once, groups expanded."""
        return tuple(dict.fromkeys(self._expanded(notify)))

    def _expanded(self, notify: Iterable[Text]) -> Iterable[str]:
        for name in notify:
            yield from self._groups.get(name.value, (name.value,))

    def check(self, notify: list[Text], via: Mapping[str, int], where: str) -> None:
        """Note names that do not exist, and recipients without an address for a channel."""
        if not self._recipients:
            return  # told where they should stand
        told = set()
        for name in notify:
            known = [*self._recipients, *self._groups, *self._rotations]
            if name.value not in known:
                meant = suggestion(name.value, known, "there are")
                self._mistakes.add(
                    name.line,
                    f"{where}: there is no recipient or group {name.value}; {meant}",
                )
                continue
            for member in self._reachable(name):
                recipient = self._recipients[member]
                if not any(map(recipient.addresses, CHANNELS)):
                    continue  # told where the recipient stands
                for channel in via:
                    if not recipient.addresses(channel) and (member, channel) not in told:
                        told.add((member, channel))
                        self._mistakes.add(
                            name.line,
                            f"{where}: recipient {member!r} has no {channel} address; add "
                            f"`{channel}:` to the recipient, or notify somebody else",
                        )

    def _reachable(self, name: Text) -> Iterable[str]:
        """All recipients that a name may ever reach: whose turn it is, and deputies."""
        left = list(self._expanded([name]))
        met: dict[str, None] = {}
        while left:
            member = left.pop(0)
            rotation = self._rotations.get(member)
            if rotation is not None:
                left += rotation.members
            elif member in self._recipients and member not in met:
                met[member] = None
                left += (one.deputy for one in self._recipients[member].absences)
        return met

    def one_of(
        self,
        given: Iterable[Text],
        known: tuple[str, ...],
        where: str,
        told: str,
    ) -> dict[str, int]:
        """Keep what is known, each once, with its line; note what is not.

        Args:
            given: What the file says.
            known: What there is.
            where: What it belongs to, as mistakes begin.
            told: What is said of another value, such as "there is no channel {}".
        """
        kept: dict[str, int] = {}
        for text in given:
            if text.value in known:
                kept.setdefault(text.value, text.line)
            else:
                meant = suggestion(text.value, known, "it is one of")
                self._mistakes.add(text.line, f"{where}: {told.format(text.value)}; {meant}")
        return kept
