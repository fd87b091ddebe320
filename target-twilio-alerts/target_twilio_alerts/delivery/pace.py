"""Gives each message its turn: no sender is used more often than its provider lets it be.

Twilio queues what comes faster, for hours and in the order in which it came; here what is more
severe still overtakes what waits. Of a channel that is held nothing waits here.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_twilio_alerts.delivery.holds import Holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_twilio_alerts.ledger.outbox import ClaimedMessage


@dataclass(frozen=True)
class Rates:
    """How often a sender may be used; None: as often as there is something to send.

    Attributes:
        messages_per_second: Parts of SMS a second of one sender.
        calls_per_second: Calls a second of one number.
    """

    messages_per_second: float | None = None
    calls_per_second: float | None = None

    def of(self, channel: str) -> float | None:
        """The rate of a channel's senders."""
        return {"sms": self.messages_per_second, "voice": self.calls_per_second}.get(channel)


class Pace:
    """Messages that are claimed and wait for their turn. For one thread.

    Args:
        rates: How often a sender may be used.
        clock: Seconds, of a clock that is never put back.

    Attributes:
        holds: Which channels are held; for several threads.
    """

    def __init__(self, rates: Rates, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self.holds = Holds(clock)
        self._waiting: list[tuple[float, int, ClaimedMessage]] = []
        self._numbers = itertools.count()
        self._free_at: dict[tuple[str, str], float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def room(self, channels: Iterable[str], *, most: int) -> Mapping[str, int]:
        """How many messages more of each channel may be claimed: as many as leave in a second.

        Of a channel that is held it is none, and one when somebody is to try.
        """
        waiting = [message.channel for _, _, message in self._waiting]
        return {name: max(0, self._most(name, most) - waiting.count(name)) for name in channels}

    def _most(self, channel: str, most: int) -> int:
        if self.holds.is_held(channel):
            return 0 if self.holds.seconds(channel) else min(most, 1)
        rate = self._rates.of(channel)
        return most if rate is None else min(most, math.ceil(rate))

    def add(self, message: ClaimedMessage, sender: str) -> None:
        """Let a message wait for the turn of its sender."""
        rate, turn = self._rates.of(message.channel), self._clock()
        if rate is not None:
            key = (message.channel, sender)
            turn = max(turn, self._free_at.get(key, turn))
            self._free_at[key] = turn + (message.segments or 1) / rate
        heapq.heappush(self._waiting, (turn, next(self._numbers), message))

    def take(self, most: int) -> list[ClaimedMessage]:
        """Up to so many messages whose turn has come, in the order of their turns.

        Each is under way for `holds` from now on.
        """
        taken: list[ClaimedMessage] = []
        held = []
        while self._waiting and len(taken) < most and self._waiting[0][0] <= self._clock():
            turn = heapq.heappop(self._waiting)
            if self.holds.begin(turn[2].channel):
                taken.append(turn[2])
            else:
                held.append(turn)
        for turn in held:
            heapq.heappush(self._waiting, turn)
        return taken

    def clear_held(self) -> list[ClaimedMessage]:
        """Give back whatever waits of channels that are held: others may get through."""
        channels = {message.channel for _, _, message in self._waiting}
        held = {channel for channel in channels if self.holds.seconds(channel)}
        given = [turn for turn in self._waiting if turn[2].channel in held]
        if given:
            self._waiting = [turn for turn in self._waiting if turn[2].channel not in held]
            heapq.heapify(self._waiting)
        return [message for _, _, message in given]

    def seconds_to_next(self) -> float | None:
        """How long until the next turn; None if nothing waits."""
        return max(0.0, self._waiting[0][0] - self._clock()) if self._waiting else None

    def clear(self) -> list[ClaimedMessage]:
        """Give back whatever waits."""
        given = [message for _, _, message in self._waiting]
        self._waiting.clear()
        return given
