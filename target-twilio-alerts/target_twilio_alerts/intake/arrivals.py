"""What comes in and what comes of it: an arriving document, a rule that watches, an edge."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.ledger.events import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_twilio_alerts.documents import Document, Entity, Value
    from target_twilio_alerts.ledger.alerts import Epoch
    from target_twilio_alerts.rules import Rule

UNDECIDED = "undecided"
"""Begins the version of an alert that tells that a rule cannot decide."""


@dataclass(frozen=True)
class Arrival:
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
    identity = canonical_json(dict(zip(keys, json.loads(document.key), strict=True)))
    return Arrival(
        entity=entity,
        document=document,
        identity=identity,
        baseline=baseline,
        deleted=deleted,
    )


@dataclass(frozen=True)
class Watch:
    """A rule under its current epoch."""

    rule: Rule
    epoch: Epoch


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
