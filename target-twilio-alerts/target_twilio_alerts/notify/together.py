"""Messages that tell of several alerts: digests, and summaries of what was held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.tables import iso_utc
from target_twilio_alerts.notify.compose import DUPLICATE_ADDRESS, OPTED_OUT, write_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_twilio_alerts.ledger.outbox import NewMessage
    from target_twilio_alerts.messages import Rendered
    from target_twilio_alerts.notify.compose import Quiet
    from target_twilio_alerts.rules.routing import Reached


def tell_together(
    reached: Iterable[Reached],
    via: Iterable[str],
    *,
    quiet: Quiet,
    severity: str,
    render: Callable[[Reached, str, str], Rendered],
    told: set[tuple[str, str]],
) -> Iterator[NewMessage]:
    """Compose one message for each recipient, channel and address.

    Args:
        reached: The people.
        via: Channels.
        quiet: Who opted out.
        severity: How urgent it is.
        render: Writes the text for somebody, a channel and a reference.
        told: Channels and addresses that have been told the same; is added to.
    """
    channels = tuple(via)
    for one in reached:
        for channel in channels:
            for place, address in enumerate(one.recipient.addresses(channel), 1):
                why = one.withheld
                if why is None and quiet.opt_outs.of(channel, address) is not None:
                    why = OPTED_OUT
                if why is None and (channel, address) in told:
                    why = DUPLICATE_ADDRESS
                if why is None:
                    told.add((channel, address))
                reference = short_id()
                rendered = render(one, channel, reference)
                held = None if one.not_before is None else iso_utc(one.not_before)
                message = write_message(
                    rendered,
                    one,
                    reference=reference,
                    channel=channel,
                    address=address,
                    severity=severity,
                )
                yield replace(
                    message,
                    place=place,
                    state=MessageState.PENDING if why is None else MessageState.SUPPRESSED,
                    reason=why or (None if held is None else f"quiet hours until {held}"),
                    not_before=one.not_before if why is None else None,
                )
