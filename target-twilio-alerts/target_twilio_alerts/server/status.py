"""Twilio's status callbacks of messages and calls.

Source: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status and
https://www.twilio.com/docs/voice/api/call-resource#statuscallback.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

from target_twilio_alerts.delivery.callbacks import Callback
from target_twilio_alerts.delivery.channels import StatusReport

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_twilio_alerts.server.bodies import Form
    from target_twilio_alerts.server.inbox import Inbox
    from target_twilio_alerts.server.signature import TwilioSignature

MESSAGES, CALLS = frozenset({"sms", "whatsapp"}), frozenset({"voice"})

_MESSAGE_SID = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")
_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_OURS = re.compile(r"[0-9A-Z]{8}")
_STATUS = re.compile(r"[a-z_-]{1,32}")
_CODE = re.compile(r"[1-9]\d{0,6}")


class StatusCallbacks:
    """Hears how far messages and calls have come.

    Args:
        signature: Tells Twilio's requests from others.
        inbox: Writes them.
    """

    def __init__(self, signature: TwilioSignature, inbox: Inbox) -> None:
        self._signature = signature
        self._inbox = inbox

    async def __call__(self, request: Request) -> Response:
        """Take one callback."""
        form = await self._signature.form(request)
        request.state.result = await self._inbox.put(callback_of(form, message_of(request)))
        return Response(status_code=HTTPStatus.NO_CONTENT)


def message_of(request: Request) -> str | None:
    """The id of our own message that the URL carries."""
    given = request.query_params.getlist("message")
    return given[0] if len(given) == 1 and is_ours(given[0]) else None


def is_ours(message_id: object) -> bool:
    """Whether it can be the id of a message of ours."""
    return isinstance(message_id, str) and _OURS.fullmatch(message_id) is not None


def callback_of(form: Form, message_id: str | None) -> Callback:
    """What a form says.

    Raises:
        HTTPException: It is neither about a message nor about a call.
    """
    if "CallSid" in form:
        sid, status, channels, pattern = form["CallSid"], form.get("CallStatus"), CALLS, _CALL_SID
    else:
        sid, status = form.get("MessageSid", ""), form.get("MessageStatus")
        channels, pattern = MESSAGES, _MESSAGE_SID
    if not pattern.fullmatch(sid) or not status or not _STATUS.fullmatch(status):
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    code = form.get("ErrorCode", "")
    report = StatusReport(
        status=status,
        error_code=int(code) if _CODE.fullmatch(code) else None,
        error_message=form.get("ErrorMessage") or None,
    )
    return Callback(channels, sid, report, message_id)
