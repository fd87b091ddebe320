"""Update Message: empty its text, or cancel it while it is scheduled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from visma_twilio_sandbox.twilio.errors import TwilioError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from visma_twilio_sandbox.twilio.store import Message

PARAMETERS = {"Body": re.compile(r"[\s\S]*"), "Status": re.compile("canceled")}
"""Source: twilio-messages-calls.openapi.json, UpdateMessageRequest."""


def check_update(form: Mapping[str, str], message: Message, *, is_done: bool) -> str | None:
    """Check what a form asks of a message.

    Returns:
        The new status; None if the text is to be emptied.

    Raises:
        TwilioError: 30400 unless it is one of the two, 20009 to empty the text of a message on
            its way, 30409 to cancel one that is not scheduled.
    """
    if len(form) != 1 or form.get("Body"):
        raise TwilioError(30400)
    if "Body" in form:
        if not is_done:
            raise TwilioError(20009, "Cannot redact the body before the message is complete")
        return None
    if message.status != "scheduled":
        raise TwilioError(30409)
    return "canceled"
