"""Keys that somebody presses in a call: whoever presses a digit takes care of its alert.

Source: https://www.twilio.com/docs/voice/twiml/gather#action.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]

from target_twilio_alerts.delivery.acknowledging import acknowledge
from target_twilio_alerts.delivery.callbacks import UNMATCHED
from target_twilio_alerts.delivery.channels.voice import language_of
from target_twilio_alerts.ledger.escalations import Acknowledgement
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import messages
from target_twilio_alerts.messages.locales import builtin_formats
from target_twilio_alerts.server.status import callback_of, message_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.server.inbox import Inbox
    from target_twilio_alerts.server.signature import TwilioSignature

_HOW = "keypress"
_DIGIT = re.compile(r"[0-9]")


class Keypresses:
    """Hears keys, and answers what is said then.

    Args:
        signature: Tells Twilio's requests from others.
        inbox: Hears that the call was taken.
        ledger: Where alerts are acknowledged.
        run: The run at work.
    """

    def __init__(self, signature: TwilioSignature, inbox: Inbox, ledger: Ledger, run: Run) -> None:
        self._signature = signature
        self._inbox = inbox
        self._ledger = ledger
        self._run = run

    async def __call__(self, request: Request) -> Response:
        """Take one key."""
        form = await self._signature.form(request)
        # That the call is under way settles it, if the answer to our request was lost.
        callback = callback_of(form, message_of(request))
        result = await self._inbox.put(callback)
        request.state.result = result
        answer = VoiceResponse()
        if result != UNMATCHED and _DIGIT.fullmatch(form.get("Digits", "")):
            locale = await run_in_threadpool(self._acknowledge, callback.sid)
            if locale is not None:
                request.state.result = "acknowledged"
                words = builtin_formats(locale)
                answer.say(words.phrase("acknowledged"), language=language_of(words.locale))
        return Response(str(answer.to_xml()), media_type="text/xml")

    def _acknowledge(self, sid: str) -> str | None:
        """Acknowledge the alert that a call is about; gives the locale of who was called."""
        table = messages.c
        with self._ledger.write() as connection:
            call = connection.execute(
                sa.select(table.alert_id, table.recipient, table.locale).where(table.sid == sid)
            ).first()
            if call is None or call.alert_id is None:
                return None
            made = Acknowledgement(call.alert_id, utc_now(), call.recipient, _HOW, None)
            acknowledge(connection, made, run_id=self._run.id)
            return str(call.locale)
