"""Gives each message its turn: no sender is used more often than its provider lets it be.

Twilio queues what comes faster, for hours and in the order in which it came; here what is more
severe still overtakes what waits. Of a channel that is held nothing waits here.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_twilio_alerts.delivery.holds import Holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_twilio_alerts.ledger.outbox import ClaimedMessage

_ON_TIME_SECONDS = 0.05
"""How late a message may leave without putting off those behind it: a commit takes its time."""


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


@dataclass(order=True)
class _Turn:
    """When a message may leave.

    Attributes:
        at: By the clock.
        number: In which order messages came.
        message: Which one.
        sender: Its channel and who it comes from; None of one without a rate.
        seconds: How long the sender rests after it.
    """

    at: float
    number: int
    message: ClaimedMessage = field(compare=False)
    sender: tuple[str, str] | None = field(compare=False, default=None)
    seconds: float = field(compare=False, default=0.0)


class Pace:
    """Messages that are claimed and wait for their turn. For several threads.

    A turn is when a message may leave, but first it is written down that it does. If the ledger is
    held up there, the turns of those behind are put off, and do not come all at once.

    Args:
        rates: How often a sender may be used.
        clock: Seconds, of a clock that is never put back.

    Attributes:
        holds: Which channels are held.
    """

    def __init__(self, rates: Rates, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[_Turn] = []
        self._leaving: dict[str, _Turn] = {}
        self._numbers = itertools.count()
        self._free_at: dict[tuple[str, str], float] = {}
        self.holds = Holds(clock)

    def __len__(self) -> int:
        return len(self._waiting)

    def room(self, channels: Iterable[str], *, most: int) -> Mapping[str, int]:
        """How many messages more of each channel may be claimed: as many as leave in a second.

        Of a channel that is held it is none, and one when somebody is to try.
        """
        with self._lock:
            waiting = Counter(turn.message.channel for turn in self._waiting)
        return {name: max(0, self._most(name, most) - waiting[name]) for name in channels}

    def _most(self, channel: str, most: int) -> int:
        if self.holds.is_held(channel):
            return 0 if self.holds.seconds(channel) else min(most, 1)
        rate = self._rates.of(channel)
        return most if rate is None else min(most, math.ceil(rate))

    def add(self, message: ClaimedMessage, sender: str) -> None:
        """Let a message wait for the turn of its sender."""
        rate = self._rates.of(message.channel)
        with self._lock:
            turn = _Turn(self._clock(), next(self._numbers), message)
            if rate is not None:
                key = turn.sender = (message.channel, sender)
                turn.seconds = (message.segments or 1) / rate
                turn.at = max(turn.at, self._free_at.get(key, turn.at))
                self._free_at[key] = turn.at + turn.seconds
            heapq.heappush(self._waiting, turn)

    def take(self, most: int) -> list[ClaimedMessage]:
        """Up to so many messages whose turn has come, in the order of their turns.

        Each is under way for `holds` from now on; whoever has it tells when it has `left`.
        """
        taken: list[ClaimedMessage] = []
        kept: list[_Turn] = []
        with self._lock:
            while self._waiting and len(taken) < most and self._waiting[0].at <= self._clock():
                turn = heapq.heappop(self._waiting)
                if self._is_blocked(turn) or not self.holds.begin(turn.message.channel):
                    kept.append(turn)
                    continue
                taken.append(turn.message)
                if turn.sender is not None:
                    self._leaving[turn.message.id] = turn
            for turn in kept:
                heapq.heappush(self._waiting, turn)
        return taken

    def _is_blocked(self, turn: _Turn) -> bool:
        """Whether as many of its sender are just leaving as may be late together."""
        rate = self._rates.of(turn.message.channel)
        if turn.sender is None or rate is None:
            return False
        leaving = sum(one.sender == turn.sender for one in self._leaving.values())
        return leaving >= max(1, int(rate * _ON_TIME_SECONDS))

    def left(self, message: ClaimedMessage, *, is_out: bool) -> bool:
        """A message that was taken leaves now, or (not `is_out`) does not leave.

        Returns:
            Whether others of its sender wait.
        """
        with self._lock:
            turn = self._leaving.pop(message.id, None)
            if turn is None:
                return False
            now = self._clock()
            behind = [one for one in self._waiting if one.sender == turn.sender]
            if is_out and turn.sender is not None and now - turn.at > _ON_TIME_SECONDS:
                self._put_off(turn.sender, behind, until=now + turn.seconds)
            return bool(behind)

    def _put_off(self, sender: tuple[str, str], behind: list[_Turn], *, until: float) -> None:
        first = min((turn.at for turn in behind), default=self._free_at[sender])
        if first >= until:
            return
        for turn in behind:
            turn.at += until - first
        self._free_at[sender] += until - first
        heapq.heapify(self._waiting)

    def seconds_to_next(self) -> float | None:
        """How long until the next turn; None if nothing waits.

        It is infinite if those that were taken have to leave first.
        """
        with self._lock:
            if not self._waiting:
                return None
            turns = (turn.at for turn in self._waiting if not self._is_blocked(turn))
            return max(0.0, min(turns, default=math.inf) - self._clock())

    def clear_held(self) -> list[ClaimedMessage]:
        """Give back whatever waits of channels that are held: others may get through."""
        with self._lock:
            channels = {turn.message.channel for turn in self._waiting}
            held = {channel for channel in channels if self.holds.seconds(channel)}
            given = [turn.message for turn in self._waiting if turn.message.channel in held]
            if given:
                self._waiting = [one for one in self._waiting if one.message.channel not in held]
                heapq.heapify(self._waiting)
        return given

    def clear(self) -> list[ClaimedMessage]:
        """Give back whatever waits."""
        with self._lock:
            given = [turn.message for turn in self._waiting]
            self._waiting.clear()
        return given
