"""Create Call: the check of every parameter, then the call.

Source: twilio-messages-calls.openapi.json, CreateCallRequest.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio import numbers
from visma_twilio_sandbox.twilio.callbacks import is_callback_url
from visma_twilio_sandbox.twilio.calls import Call
from visma_twilio_sandbox.twilio.create import read_form
from visma_twilio_sandbox.twilio.errors import TwilioError
from visma_twilio_sandbox.twilio.store import now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MAX_TWIML = 4000
_MAX_RING = 600

_ANY = re.compile(r"[\s\S]*")
_INTEGER = re.compile(r"[0-9]+")
_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)
_METHOD = re.compile("GET|POST")

PARAMETERS: dict[str, re.Pattern[str]] = {
    "ApplicationSid": re.compile("AP[0-9a-fA-F]{32}"),
    "AsyncAmd": _BOOLEAN,
    "AsyncAmdStatusCallback": _ANY,
    "AsyncAmdStatusCallbackMethod": _METHOD,
    "Byoc": re.compile("BY[0-9a-fA-F]{32}"),
    "CallReason": _ANY,
    "CallToken": _ANY,
    "CallerId": _ANY,
    "ClientNotificationUrl": _ANY,
    "FallbackMethod": _METHOD,
    "FallbackUrl": _ANY,
    "From": _ANY,
    "MachineDetection": re.compile("Enable|DetectMessageEnd"),
    "MachineDetectionSilenceTimeout": _INTEGER,
    "MachineDetectionSpeechEndThreshold": _INTEGER,
    "MachineDetectionSpeechThreshold": _INTEGER,
    "MachineDetectionTimeout": _INTEGER,
    "Method": _METHOD,
    "Record": _BOOLEAN,
    "RecordingChannels": re.compile("mono|dual"),
    "RecordingStatusCallback": _ANY,
    "RecordingStatusCallbackEvent": _ANY,
    "RecordingStatusCallbackMethod": _METHOD,
    "RecordingTrack": re.compile("inbound|outbound|both"),
    "SendDigits": re.compile("[0-9#*wW]{0,32}"),
    "SipAuthPassword": _ANY,
    "SipAuthUsername": _ANY,
    "StatusCallback": _ANY,
    "StatusCallbackEvent": re.compile("initiated|ringing|answered|completed"),
    "StatusCallbackMethod": _METHOD,
    "TimeLimit": _INTEGER,
    "Timeout": _INTEGER,
    "To": _ANY,
    "Trim": re.compile("trim-silence|do-not-trim"),
    "Twiml": _ANY,
    "Url": _ANY,
}
"""Every parameter there is, and what its value must look like."""

_EVENT = "StatusCallbackEvent"
_REPEATABLE = frozenset({_EVENT, "RecordingStatusCallbackEvent"})


def create_call(
    pairs: Iterable[tuple[str, str]],
    *,
    account_sid: str,
    new_sid: Callable[[str], str],
    refuses: Mapping[str, int],
) -> Call:
    """Make the call that a form asks for.

    TwiML that is no XML is refused here; Twilio would take it and read an error to who answers.

    Args:
        pairs: The form.
        account_sid: Whose call it is; the test account has its own rules.
        new_sid: Gives the call its SID.
        refuses: Numbers that are refused, with which error code.

    Raises:
        TwilioError: It is refused.
    """
    pairs = list(pairs)
    form = read_form(pairs, PARAMETERS, _REPEATABLE)
    to, sender = form.get("To", ""), form.get("From", "")
    if account_sid == credentials.TEST_ACCOUNT_SID:
        numbers.check_test_call(sender, to)
    else:
        numbers.check_call(sender, to)
    if int(form.get("Timeout", "60")) > _MAX_RING:
        raise TwilioError(20001, "Timeout is 600 seconds at most")
    callback = form.get("StatusCallback") or None
    if callback and not is_callback_url(callback):
        raise TwilioError(21609, f"The 'StatusCallback' URL {callback} is not a valid URL.")
    said = _what_is_said(form)
    if account_sid != credentials.TEST_ACCOUNT_SID and to in refuses:
        raise TwilioError(refuses[to])
    time = now()
    events = frozenset(value for name, value in pairs if name == _EVENT)
    return Call(
        sid=new_sid("CA"),
        account_sid=account_sid,
        to=to,
        from_=sender,
        twiml=said,
        status="queued",
        date_created=time,
        date_updated=time,
        status_callback=callback,
        events=events or frozenset({"completed"}),
    )


def _what_is_said(form: Mapping[str, str]) -> str:
    if form.get("Url"):
        if not is_callback_url(form["Url"]):
            raise TwilioError(21205)
        return form["Url"]
    twiml = form.get("Twiml", "")
    if not twiml:
        raise TwilioError(21205)
    if len(twiml) > MAX_TWIML:
        raise TwilioError(20001, f"Twiml has more than {MAX_TWIML} characters")
    try:
        root = ET.fromstring(twiml)  # noqa: S314 - what is under test wrote it
    except ET.ParseError as error:
        raise TwilioError(20001, f"Twiml is no XML: {error}") from None
    if root.tag != "Response":
        raise TwilioError(20001, "Twiml is not one Response")
    return twiml
