"""The stages at which a message can be stopped on its way from a record to a person."""

from __future__ import annotations

from enum import Enum

from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.cancelling import CANCELLED
from target_twilio_alerts.ledger.outbox import EXPIRED
from target_twilio_alerts.ledger.told import HELD
from target_twilio_alerts.notify.compose import DUPLICATE_ADDRESS, OPTED_OUT, SILENCED
from target_twilio_alerts.rules.routing import AWAY, QUIET_HOURS


class Stage(str, Enum):
    """Where the way of a document, or of a message, has ended by now."""

    STREAM_NOT_READ = "stream_not_read"
    """No run has brought the stream."""
    NEVER_SEEN = "never_seen"
    """No run has brought the document."""
    MALFORMED = "malformed"
    """The record has no key that can be read."""
    STALE = "stale"
    """The record is older than what is known already."""
    DISABLED = "disabled"
    """The rule is not enabled."""
    OTHER_COMPANY = "other_company"
    """The rule is for other companies."""
    DELETED = "deleted"
    """The tap has told that the document is gone."""
    NO_MATCH = "no_match"
    """The condition does not hold, or the rule does not apply."""
    UNDECIDED = "undecided"
    """A value or a rate that the condition needs is not known."""
    TOO_OLD = "too_old"
    """The document's date is longer ago than the rule's `max_age`."""
    BASELINE = "baseline"
    """It was there when the stream was first read."""
    ALREADY_TRUE = "already_true"
    """It held before, or did so when the rule began."""
    ALREADY_TOLD = "already_told"
    """Another alert stands for it, as the rule's `once_per` says."""
    NEXT_RUN = "next_run"
    """It holds now, and the next run decides it."""
    DIGEST = "digest"
    """Its alert waits for a digest."""
    SILENCE = "silence"
    """An operator silenced it."""
    AWAY = "away"
    """The recipient is away, and so are the deputies."""
    QUIET_HOURS = "quiet_hours"
    """It waits for the end of quiet hours, or came in some that drop it."""
    OPTED_OUT = "opted_out"
    """The recipient opted out."""
    DUPLICATE_ADDRESS = "duplicate_address"
    """Another recipient with the same address was told."""
    FLOOD_BRAKE = "flood_brake"
    """The flood brake holds it."""
    CANCELLED = "cancelled"
    """An operator cancelled it."""
    EXPIRED = "expired"
    """It waited longer than the rule's `validity_period`."""
    ON_ITS_WAY = "on_its_way"
    """It is to be handed over, or its end is not known yet."""
    NOT_TAKEN = "not_taken"
    """The provider or the carrier refused it, or their answer was lost."""
    TOLD = "told"
    """It was handed over."""

    @property
    def words(self) -> str:
        """As people read it."""
        return self.value.replace("_", " ")


_BY_REASON = {
    SILENCED: Stage.SILENCE,
    AWAY: Stage.AWAY,
    QUIET_HOURS: Stage.QUIET_HOURS,
    OPTED_OUT: Stage.OPTED_OUT,
    DUPLICATE_ADDRESS: Stage.DUPLICATE_ADDRESS,
    HELD: Stage.FLOOD_BRAKE,
    CANCELLED: Stage.CANCELLED,
    EXPIRED: Stage.EXPIRED,
}
_WAYS = {
    Stage.ON_ITS_WAY: (MessageState.PENDING, MessageState.CLAIMED, MessageState.SENDING),
    Stage.TOLD: (
        MessageState.ACCEPTED,
        MessageState.SENT,
        MessageState.DELIVERED,
        MessageState.READ,
    ),
}


def stage_of(state: str, reason: str | None) -> Stage:
    """The stage at which a message is, or was stopped."""
    if state in {MessageState.SUPPRESSED.value, MessageState.PENDING.value}:
        for begins, stage in _BY_REASON.items():
            if (reason or "").startswith(begins):
                return stage
    for stage, states in _WAYS.items():
        if state in states:
            return stage
    return Stage.NOT_TAKEN
