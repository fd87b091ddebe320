"""What comes in and what comes of it: an arriving document, a rule that watches, an edge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from target_twilio_alerts.rules import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_twilio_alerts.documents import Document, Entity, Value
    from target_twilio_alerts.ledger.alerts import Epoch
    from target_twilio_alerts.rules import Rule, Surroundings
    from target_twilio_alerts.rules.expressions.compile import Evaluate, Values

UNDECIDED = "undecided"
"""Begins the version of an alert that tells that a rule cannot decide."""


_in_order = msgspec.json.Encoder(order="sorted")


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A record that has become a document.

    Attributes:
        entity: What it is.
        document: What the record says.
        identity: Its key, as JSON.
        baseline: Whether it was there when the stream was first read.
        deleted: Whether the record tells only that the document is gone.
    """

    entity: Entity
    document: Document
    identity: str
    baseline: bool
    deleted: bool = False


def arrive(
    entity: Entity,
    record: Mapping[str, Any],
    key_properties: Sequence[str],
    *,
    baseline: bool,
    deleted: bool,
) -> Arrival:
    """Read a record of an entity.

    Args:
        entity: What it is; its own key comes before that of the stream's SCHEMA.
        record: As it came.
        key_properties: What SCHEMA says its key is.
        baseline: Whether it was there when the stream was first read.
        deleted: Whether it tells only that the document is gone.

    Raises:
        UnusableRecord: It lacks a part of its key, or is nested too deeply.
    """
    keys = entity.key or key_properties
    document = entity.document(record, keys)
    return Arrival(entity, document, identity_of(keys, document), baseline, deleted)


def identity_of(keys: Sequence[str], document: Document) -> str:
    """A document's key by the names of its fields, as JSON: the same text for the same key."""
    values = msgspec.json.decode(document.key)
    return _in_order.encode(dict(zip(keys, values, strict=True))).decode()


def _no_answer(_current: Values, _previous: Values | None, _around: Surroundings) -> None:
    return None


class Watch(NamedTuple):
    """A rule under its current epoch.

    Attributes:
        rule: The rule.
        epoch: The epoch.
        answer: The condition's answer; of a rule for named companies, none can be had so fast.
        is_event: Whether it is decided at each change anew, by what changed.
        no_match: As what a record is counted that the condition does not hold for.
        baseline: As what one is counted that was there when the stream was first read.
    """

    rule: Rule
    epoch: Epoch
    answer: Evaluate
    is_event: bool
    no_match: tuple[str, str]
    baseline: tuple[str, str]

    @classmethod
    def of(cls, rule: Rule, epoch: Epoch) -> Watch:
        """Watch a rule."""
        return cls(
            rule,
            epoch,
            answer=_no_answer if rule.companies else rule.condition.answer,
            is_event=rule.condition.uses_previous,
            no_match=(rule.name, Outcome.NO_MATCH.value),
            baseline=(rule.name, Outcome.BASELINE.value),
        )


@dataclass(frozen=True)
class Edge:
    """A rule's condition became true for a document: an alert, unless it was raised before.

    Attributes:
        watch: The rule.
        document_id: The document.
        version: What tells this edge from every other one of the document.
        values: The document's values now.
        previous: Those before.
        reason: Why it became true.
        decision: All that it was decided by, as JSON.
        is_counted: Whether it is the outcome of a record of this run.
        is_undecided: Whether the rule could not decide the document, and somebody wants to know.
    """

    watch: Watch
    document_id: str
    version: str
    values: Mapping[str, Value]
    previous: Mapping[str, Value] | None
    reason: str
    decision: str
    is_counted: bool
    is_undecided: bool = False


def as_undecided(edge: Edge) -> Edge:
    """The same document, of which somebody is told that its rule cannot decide it."""
    return replace(
        edge,
        version=f"{UNDECIDED}|{edge.version}",
        is_counted=False,
        is_undecided=True,
    )
