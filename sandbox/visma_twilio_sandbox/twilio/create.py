"""Create Message: the check of every parameter, then the message.

Source: twilio-messages-calls.openapi.json, CreateMessageRequest.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio import numbers, whatsapp
from visma_twilio_sandbox.twilio.callbacks import is_callback_url
from visma_twilio_sandbox.twilio.errors import TwilioError
from visma_twilio_sandbox.twilio.store import Message, count_segments, now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

MAX_BODY = 1600
_MAX_VALIDITY = 36_000
_SOONEST = timedelta(seconds=300)
_LATEST = timedelta(days=35)

_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_ANY = re.compile(r"[\s\S]*")
_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)

PARAMETERS: dict[str, re.Pattern[str]] = {
    "AddressRetention": re.compile("retain|obfuscate"),
    "ApplicationSid": re.compile("AP[0-9a-fA-F]{32}"),
    "Attempt": _INTEGER,
    "Body": _ANY,
    "ContentRetention": re.compile("retain|discard"),
    "ContentSid": re.compile("HX[0-9a-fA-F]{32}"),
    "ContentVariables": _ANY,
    "FallbackFrom": _ANY,
    "ForceDelivery": _BOOLEAN,
    "From": _ANY,
    "MaxPrice": _NUMBER,
    "MediaUrl": _ANY,
    "MessagingServiceSid": _ANY,
    "PersistentAction": _ANY,
    "ProvideFeedback": _BOOLEAN,
    "RiskCheck": re.compile("enable|disable"),
    "ScheduleType": re.compile("fixed"),
    "SendAsMms": _BOOLEAN,
    "SendAt": _ANY,
    "ShortenUrls": _BOOLEAN,
    "SmartEncoded": _BOOLEAN,
    "StatusCallback": _ANY,
    "To": _ANY,
    "TrafficType": re.compile("free"),
    "ValidityPeriod": _INTEGER,
}
"""Every parameter there is, and what its value must look like."""

_REPEATABLE = frozenset({"MediaUrl", "PersistentAction"})


def read_form(
    pairs: Iterable[tuple[str, str]],
    parameters: Mapping[str, re.Pattern[str]],
    repeatable: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """Check names and shapes of form parameters; Twilio itself ignores names it does not know.

    Raises:
        TwilioError: 20001 for a name that is unknown or given twice, or a value of a wrong shape.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        shape = parameters.get(name)
        if shape is None:
            raise TwilioError(20001, f"Unknown parameter '{name}'")
        if name in found and name not in repeatable:
            raise TwilioError(20001, f"Parameter '{name}' is given twice")
        if not shape.fullmatch(value):
            raise TwilioError(20001, f"Parameter '{name}' has a value it cannot have")
        found.setdefault(name, value)
    return found


def create_message(
    pairs: Iterable[tuple[str, str]],
    *,
    account_sid: str,
    new_sid: Callable[[], str],
    refuses: Mapping[str, int],
    windows: Collection[str] = (),
) -> Message:
    """Make the message that a form asks for.

    Args:
        pairs: The form.
        account_sid: Whose message it is; the test account has its own rules.
        new_sid: Gives the message its SID.
        refuses: Recipients that are refused, with which error code.
        windows: Numbers that have written over WhatsApp within the last 24 hours.

    Raises:
        TwilioError: It is refused.
    """
    form = read_form(pairs, PARAMETERS, _REPEATABLE)
    to, sender = form.get("To", ""), form.get("From", "")
    service = form.get("MessagingServiceSid", "")
    numbers.check_recipient(to)
    if account_sid == credentials.TEST_ACCOUNT_SID:
        if not sender:
            raise TwilioError(21705 if service else 21603)
        numbers.check_test_numbers(sender, to)
    else:
        whatsapp.check_pair(sender, to)
        _check_sender(sender, service, to)
    _check_content(form)
    callback = form.get("StatusCallback") or None
    if callback and not is_callback_url(callback):
        raise TwilioError(21609, f"The 'StatusCallback' URL {callback} is not a valid URL.")
    send_at = _send_at(form)
    if account_sid != credentials.TEST_ACCOUNT_SID and to in refuses:
        raise TwilioError(refuses[to])
    (body, problem), time = whatsapp.text_of(form), now()
    status = "scheduled" if send_at else "accepted" if service else "queued"
    return Message(
        sid=new_sid(),
        account_sid=account_sid,
        to=to,
        from_=sender or None,
        messaging_service_sid=service or None,
        body=body,
        status=status,
        num_segments="0" if service and not sender else str(count_segments(body)),
        date_created=time,
        date_updated=time,
        status_callback=callback,
        send_at=send_at,
        failure=whatsapp.fails_with(form, windows, problem),
    )


def _check_sender(sender: str, service: str, to: str) -> None:
    if service and service != credentials.MESSAGING_SERVICE_SID:
        raise TwilioError(21705)
    if sender:
        numbers.check_sender(sender, to)
    elif not service:
        raise TwilioError(21603)


def _check_content(form: Mapping[str, str]) -> None:
    body = form.get("Body", "")
    if not (body or form.get("MediaUrl") or form.get("ContentSid")):
        raise TwilioError(21602)
    if len(body) > MAX_BODY:
        raise TwilioError(21617)
    validity = form.get("ValidityPeriod")
    if validity is not None and not 1 <= int(validity) <= _MAX_VALIDITY:
        raise TwilioError(90007)


def _send_at(form: Mapping[str, str]) -> datetime | None:
    """Return when a scheduled message is to leave; None if it is not scheduled."""
    if "ScheduleType" not in form:
        return None
    if not form.get("SendAt"):
        raise TwilioError(35111)
    if not form.get("MessagingServiceSid"):
        raise TwilioError(35118)
    try:
        naive = datetime.strptime(form["SendAt"], "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - Z is in the format
    except ValueError:
        raise TwilioError(35114) from None
    time = naive.replace(tzinfo=timezone.utc)
    if not _SOONEST <= time - now() <= _LATEST:
        raise TwilioError(35114)
    return time
