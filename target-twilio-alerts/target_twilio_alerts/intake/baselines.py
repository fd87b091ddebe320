"""When baselines end: with a STATE that shows a whole read, or with the run, by setting or kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_twilio_alerts.intake.reads import UnknownHistoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from target_twilio_alerts.intake.reads import CompleteReads, Context
    from target_twilio_alerts.rules import Alerts

Partition = tuple[str, "Context"]
"""A stream, and which part of it."""

READ_WHOLE = "read whole"
BY_SETTING = "baseline by setting"
WITH_THE_RUN = "read whole when the run ended"


class Baselines:
    """What a run learns of reads that are whole.

    Args:
        reads: Those that the ledger knows of; they are added to.
        alerts: The entities: of a stream that is none nothing is kept, and should it become one,
            that is its baseline.
        empty_ledger: ``refuse``, ``baseline`` or ``alert``: see the setting.
    """

    def __init__(self, reads: CompleteReads, alerts: Alerts, *, empty_ledger: str) -> None:
        self._reads = reads
        self._alerts = alerts
        self._empty_ledger = empty_ledger
        self._deferred: list[Partition] = []
        self.begun: set[str] = set()
        """Streams whose reading the tap has begun in this run."""
        self.ends_with_state = False
        """Whether a STATE has come after the last record."""

    def is_over(self, stream: str, get: Callable[[str], Any]) -> bool:
        """Whether a record, by its root fields, is of a read that came after a whole one."""
        return self._reads.covers(stream, get)

    def is_news(self, state: Mapping[str, Any]) -> bool:
        """Whether a STATE shows a whole read that is not known of."""
        return bool(self._reads.unknown(state))

    def ended_with(self, state: Mapping[str, Any] | None) -> list[Partition]:
        """Partitions that a STATE shows as read whole for the first time.

        Raises:
            UnknownHistoryError: It has bookmarks of reads that this ledger never saw.
        """
        entities = self._alerts.entities
        fresh = [
            read
            for read in (() if state is None else self._reads.unknown(state))
            if read not in self._deferred and read[0] in entities
        ]
        return self._meet_history(fresh) if fresh and not self.begun else fresh

    def ended_with_the_run(self) -> Iterator[tuple[list[Partition], str]]:
        """Partitions whose baseline ends with the run, and why."""
        # What arrived in this run was the baseline, by setting: the next run alerts.
        yield self._unknown(self._deferred), BY_SETTING
        if self.ends_with_state:
            streams = [
                entity.stream
                for entity in self._alerts.own_entities.values()
                if entity.ends_with_run and entity.stream in self.begun
            ]
            yield self._unknown([(stream, {}) for stream in streams]), WITH_THE_RUN

    def add(self, ended: Sequence[Partition]) -> None:
        """Know of these from now on."""
        for stream, context in ended:
            self._reads.add(stream, context)

    def _unknown(self, ended: Sequence[Partition]) -> list[Partition]:
        return [one for one in ended if not self._reads.knows(*one)]

    def _meet_history(self, fresh: list[Partition]) -> list[Partition]:
        """The tap brings bookmarks of reads that the ledger never saw: do as the setting says."""
        if self._empty_ledger == "alert":
            return fresh
        if self._empty_ledger == "baseline":
            self._deferred = fresh
            return []
        streams = ", ".join(sorted({stream for stream, _ in fresh}))
        raise UnknownHistoryError(
            f"the tap's state says that {streams} has been read before, but the ledger has never "
            "seen it: restore the ledger, or run once with `--full-refresh` for a new baseline, or "
            "set empty_ledger to `baseline` or `alert`",
        )
