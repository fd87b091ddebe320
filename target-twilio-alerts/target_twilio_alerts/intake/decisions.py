"""A group's decisions: each arriving version against each rule of its entity, nothing written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from target_twilio_alerts.documents import StoredValues, dump_values, is_older, load_values
from target_twilio_alerts.intake.arrivals import Edge, as_undecided
from target_twilio_alerts.ledger.events import canonical_json
from target_twilio_alerts.ledger.versions import StoredVersion
from target_twilio_alerts.rules import Outcome, decide, decide_by_clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, tzinfo

    from target_twilio_alerts.documents import Entity, Value
    from target_twilio_alerts.intake.arrivals import Arrival, Watch
    from target_twilio_alerts.intake.neighbours import Neighbours
    from target_twilio_alerts.ledger.answers import AnswerKey
    from target_twilio_alerts.rules import Decision, Surroundings


@dataclass
class Group:
    """What a group of arrivals amounts to, ready to be written in one transaction."""

    stored: dict[str, StoredVersion]
    remembered: dict[AnswerKey, bool]
    known_undecided: set[AnswerKey]
    run_id: str
    at: datetime
    around: Surroundings
    zone: tzinfo | None
    neighbours: Neighbours
    new: dict[str, StoredVersion] = field(default_factory=dict)
    changed: dict[str, StoredVersion] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    superseded: list[StoredVersion] = field(default_factory=list)
    answers: dict[AnswerKey, bool | None] = field(default_factory=dict)
    undecided: dict[AnswerKey, str | None] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    deleted: list[StoredVersion] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loaded = dict(self.stored)
        noted = (*self.remembered, *self.known_undecided)
        self._noted = {document_id for _, _, document_id in noted}

    def take(self, arrival: Arrival, watches: Iterable[Watch]) -> None:
        """Decide one arrival against its rules, and make it the newest version of its document."""
        document = arrival.document
        known = self.stored.get(document.id)
        if arrival.deleted:
            self._delete(known, watches, arrival.entity)
            return
        if known is not None and is_older(document, known):
            for watch in watches:
                self.outcomes[watch.rule.name, Outcome.STALE.value] += 1
            return
        same = known is not None and known.content == document.content
        previous: Mapping[str, Value] | None = None
        if known is not None:
            # The same content gives the same values, even if an older release wrote the header.
            previous = document.values
            if not same:  # what was not kept is taken for what it is now: nobody saw it change
                previous = StoredValues(known.header, arrival.entity, document.values)
        around = self._around(arrival.entity, document.id, document.values)
        outcomes, values = self.outcomes, document.values
        baseline, nothing_is_noted = arrival.baseline, document.id not in self._noted
        for watch in watches:
            _, _, answer, is_event, no_match, at_baseline = watch
            if same and is_event:
                outcomes[no_match] += 1
                continue
            # The fast way to most outcomes: it does not hold, and nothing is to be noted.
            if nothing_is_noted and (
                previous is None or answer(values, previous, around) is False
                if is_event
                else answer(values, None, around) is False
            ):
                outcomes[at_baseline if baseline else no_match] += 1
                continue
            self._decide(
                arrival,
                watch,
                around=around,
                known=known,
                previous=previous,
                same=same,
            )
        self._keep(arrival, known=known, same=same)

    def _around(
        self, entity: Entity, document_id: str, values: Mapping[str, Value]
    ) -> Surroundings:
        """What a document is decided with; its like are looked up only if a rule looks at them."""
        others = self.neighbours.of(entity, document_id, values)
        return self.around if others is None else self.around._replace(others=others)

    def _decide(
        self,
        arrival: Arrival,
        watch: Watch,
        *,
        around: Surroundings,
        known: StoredVersion | None,
        previous: Mapping[str, Value] | None,
        same: bool,
    ) -> None:
        rule, document = watch.rule, arrival.document
        remembered_key = (rule.name, watch.epoch.epoch, document.id)
        last = self._last_decided(watch, known)
        decision = decide(
            rule,
            document.values,
            previous,
            around=around,
            before_on=last,
            remembered=self.remembered.get(remembered_key),
        )
        self._remember(remembered_key, decision.remember)
        outcome = Outcome.BASELINE if arrival.baseline else decision.outcome
        is_news = False
        if not same or (known is not None and known.final != document.final):  # it was gone
            is_news = self._note_undecided(remembered_key, decision, outcome) and not same
        self.outcomes[rule.name, outcome.value] += 1
        if outcome is Outcome.ALERT or (is_news and rule.undecided is not None):
            edge = self._edge(
                watch,
                document.id,
                around=around,
                ordinal=_ordinal(known, same=same),
                last=last,
                stamp=document.stamp,
                content=document.content,
                values=document.values,
                previous=previous,
                reason=decision.reason,
                is_counted=True,
            )
            self.edges.append(edge if outcome is Outcome.ALERT else as_undecided(edge))

    def _delete(
        self, known: StoredVersion | None, watches: Iterable[Watch], entity: Entity
    ) -> None:
        """Note that a document is gone: what it said last is kept, and time passes it by."""
        for watch in watches:
            self.outcomes[watch.rule.name, Outcome.DELETED.value] += 1
            if known is not None:
                self._forget_undecided((watch.rule.name, watch.epoch.epoch, known.id))
        if known is not None:
            self.deleted.append(known)
            version = replace(known, final=True, grouping=None)
            self._store(version, is_new=known.id in self.new)
            self.neighbours.put(version, entity, {})

    def _last_decided(self, watch: Watch, known: StoredVersion | None) -> date | None:
        """The day on which the previous version was last decided by a rule that has a clock."""
        today, has_clock = self.around.today, watch.rule.condition.uses_clock
        if today is None or known is None or known.final or not has_clock:
            return today  # by what is final time passes
        return max(watch.epoch.decided_on or today, known.seen_at.astimezone(self.zone).date())

    def _remember(self, key: AnswerKey, answer: bool | None) -> None:
        # Only a kept "true" can make a difference: no answer counts as not holding.
        kept = True if answer else None
        if kept or key in self.remembered:
            self.answers[key] = kept
        if kept:
            self.remembered[key] = True
            self._noted.add(key[-1])
        else:
            self.remembered.pop(key, None)

    def _note_undecided(self, key: AnswerKey, decision: Decision, outcome: Outcome) -> bool:
        """Note what the rule cannot decide, or can again; True if it could decide it before."""
        if outcome is not Outcome.UNDECIDED:
            self._forget_undecided(key)
            return False
        noted = self.undecided.get(key) if key in self.undecided else key in self.known_undecided
        self.undecided[key] = decision.reason
        self._noted.add(key[-1])
        return not noted

    def _forget_undecided(self, key: AnswerKey) -> None:
        if key in self.known_undecided or key in self.undecided:
            self.undecided[key] = None

    def _keep(self, arrival: Arrival, *, known: StoredVersion | None, same: bool) -> None:
        document, entity = arrival.document, arrival.entity
        day = document.values.get("date")
        grouping = entity.group(document.values) if entity.has_groups else None
        dated = day if isinstance(day, date) else None
        if known is not None and same:
            # Re-stamped, or back after it was gone: no new version, but what is older must be told
            # by the newest stamp.
            version = replace(
                known,
                stamp=document.stamp,
                row_version=document.row_version,
                final=document.final,
                # The alerts file may name more of the record since the header was written.
                header=dump_values(document.values, entity.added) if entity.added else known.header,
                grouping=grouping,
                dated=dated,
            )
            if version == known:
                return
        else:
            version = StoredVersion(
                id=document.id,
                stream=document.stream,
                entity=document.entity,
                key=arrival.identity,
                ordinal=_ordinal(known, same=same),
                stamp=document.stamp,
                row_version=document.row_version,
                content=document.content,
                header=dump_values(document.values, entity.added),
                final=document.final,
                baseline=arrival.baseline,
                seen_at=self.at,
                run_id=self.run_id,
                grouping=grouping,
                dated=dated,
            )
            if known is not None and (known.id in self.new or known.id in self.changed):
                self.superseded.append(known)
            elif known is not None:
                self.replaced.append(known.id)
        self._store(version, is_new=known is None or document.id in self.new)
        self.neighbours.put(version, entity, document.values)

    def _store(self, version: StoredVersion, *, is_new: bool) -> None:
        self.stored[version.id] = version
        (self.new if is_new else self.changed)[version.id] = version

    def pass_of_time(
        self,
        watch: Watch,
        version: StoredVersion,
        entity: Entity,
        *,
        remembered: bool | None,
    ) -> None:
        """Decide a stored document by the clock alone: it may have become true untouched."""
        last = self._last_decided(watch, version)
        if self.around.today is None or last is None or last >= self.around.today:
            return
        values = load_values(version.header, entity)
        around = self._around(entity, version.id, values)
        decision = decide_by_clock(
            watch.rule,
            values,
            around=around,
            last=last,
            remembered=remembered,
        )
        if decision.outcome is Outcome.ALERT:
            self.edges.append(
                self._edge_of_stored(
                    watch,
                    version,
                    around=around,
                    last=last,
                    values=values,
                    previous=values,
                    reason=decision.reason,
                ),
            )

    def late(
        self,
        watch: Watch,
        version: StoredVersion,
        entity: Entity,
        *,
        before: str | None,
    ) -> None:
        """Decide a stored document that could not be decided when it came, as it would have been.

        Args:
            watch: The rule.
            version: The document's newest version.
            entity: What it is.
            before: Header of the version before, if there is one.
        """
        key = (watch.rule.name, watch.epoch.epoch, version.id)
        values = load_values(version.header, entity)
        previous = None if before is None else dict(StoredValues(before, entity, values))
        around = self._around(entity, version.id, values)
        decision = decide(
            watch.rule,
            values,
            previous,
            around=around,
            remembered=self.remembered.get(key),
        )
        if decision.outcome is Outcome.UNDECIDED:
            return
        self._remember(key, None)
        self.undecided[key] = None
        if decision.outcome is Outcome.ALERT:
            self.edges.append(
                self._edge_of_stored(
                    watch,
                    version,
                    around=around,
                    last=self.around.today,
                    values=values,
                    previous=previous,
                    reason=f"{decision.reason} (could not be decided before)",
                ),
            )

    def _edge_of_stored(
        self,
        watch: Watch,
        version: StoredVersion,
        *,
        around: Surroundings,
        last: date | None,
        values: Mapping[str, Value],
        previous: Mapping[str, Value] | None,
        reason: str,
    ) -> Edge:
        return self._edge(
            watch,
            version.id,
            around=around,
            ordinal=version.ordinal,
            last=last,
            stamp=version.stamp,
            content=version.content,
            values=values,
            previous=previous,
            reason=reason,
        )

    def _edge(
        self,
        watch: Watch,
        document_id: str,
        *,
        around: Surroundings,
        ordinal: int,
        last: date | None,
        stamp: str | None,
        content: str,
        values: Mapping[str, Value],
        previous: Mapping[str, Value] | None,
        reason: str,
        is_counted: bool = False,
    ) -> Edge:
        # What tells this edge from every other one of the document, whichever run meets it: a
        # content may come back, the same may be stamped anew, and time passes from the day last
        # decided.
        version = f"{ordinal}|{content}"
        if watch.rule.condition.uses_clock:
            version += f"|{last}"
        decision: dict[str, Any] = {
            "when": watch.rule.when,
            "fingerprint": watch.rule.fingerprint,
            "current": dump_values(values),
            "previous": None if previous is None else dump_values(previous),
            "today": None if self.around.today is None else self.around.today.isoformat(),
            "stamp": stamp,
        }
        rates = watch.rule.condition.rates_used(values, around)
        if rates:
            decision["rates"] = [
                {**vars(rate), "day": rate.day.isoformat(), "rate": f"{rate.rate:f}"}
                for rate in rates
            ]
        others = watch.rule.condition.others_used(values, around)
        if others:
            decision["others"] = others
        return Edge(
            watch=watch,
            document_id=document_id,
            version=version,
            values=values,
            previous=previous,
            reason=reason,
            decision=canonical_json(decision),
            is_counted=is_counted,
        )


def _ordinal(known: StoredVersion | None, *, same: bool) -> int:
    """The number that an arriving version has, or gets, among the versions of its document."""
    return 1 if known is None else known.ordinal + (not same)
