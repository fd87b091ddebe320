"""Tries a Twilio set-up without sending: the credentials, then the sender."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.delivery.channels.outcome import CheckResult
from target_twilio_alerts.messages.masking import mask_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_twilio_alerts.delivery.channels.sms import SmsChannel
    from target_twilio_alerts.delivery.channels.twilio_client import TwilioClient

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_SHORT_CODE = re.compile(r"\d{3,8}")
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_CREDENTIALS = "check account_sid with auth_token, or api_key_sid with api_key_secret"


def check_sms(channel: SmsChannel) -> list[CheckResult]:
    """Try the account, then the sender if the account answered."""
    return _check(channel, lambda client: _check_sender(client, channel.from_number or ""))


def check_whatsapp(channel: SmsChannel) -> list[CheckResult]:
    """Try the account; the Messages API does not tell which WhatsApp senders there are."""
    masked = mask_address(channel.from_number or "")
    return _check(channel, lambda _: CheckResult(True, f"whatsapp_from {masked} is not looked up"))


def _check(channel: SmsChannel, sender: Callable[[TwilioClient], CheckResult]) -> list[CheckResult]:
    client = channel.client()
    account = (_check_api_key if channel.uses_api_key else _check_account)(client, channel)
    if not account.ok:
        return [account]
    if channel.messaging_service_sid:
        return [account, *_check_service(client, channel.messaging_service_sid)]
    return [account, sender(client)]


def _try(client: TwilioClient, what: str, mend: str, call: Callable[[], Any]) -> Any:
    """Return what `call` returns, or the failed check."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever fails is the result of the check
        outcome = client.outcome_of(error)
        reason = getattr(outcome, "reason", "no clear answer").removesuffix(
            "; it may have been sent"
        )
        return CheckResult(False, f"{what}: {reason}", mend)


def _check_account(client: TwilioClient, channel: SmsChannel) -> CheckResult:
    found = _try(
        client,
        "Twilio account",
        _CREDENTIALS,
        lambda: client.api.api.v2010.accounts(channel.account_sid).fetch(),
    )
    if isinstance(found, CheckResult):
        return found
    if found.status != "active":
        return CheckResult(
            False, f"the Twilio account is {found.status}", "settle this in the Twilio Console"
        )
    if str(found.type).lower() == "trial":
        return CheckResult(
            True, "Twilio account answers (a trial account: it reaches verified numbers only)"
        )
    return CheckResult(True, "Twilio account answers and is active")


def _check_api_key(client: TwilioClient, channel: SmsChannel) -> CheckResult:  # noqa: ARG001 - same shape as _check_account
    """Try an API key on messages: a standard key may not read the account itself."""
    found = _try(
        client,
        "Twilio API key",
        f"{_CREDENTIALS}; a restricted key needs to create and read messages",
        lambda: client.api.messages.list(limit=1),
    )
    if isinstance(found, CheckResult):
        return found
    return CheckResult(True, "Twilio API key answers and may read messages")


def _check_sender(client: TwilioClient, sender: str) -> CheckResult:
    if _E164.fullmatch(sender):
        return _check_number(client, sender)
    if _SHORT_CODE.fullmatch(sender):
        return CheckResult(True, f"from_number {sender} is a short code (not looked up)")
    if _ALPHANUMERIC.fullmatch(sender):
        what = f'from_number "{sender}" is an alphanumeric sender ID'
        return CheckResult(True, f"{what}; some countries want it registered first")
    return CheckResult(
        False,
        "from_number is neither a number, a short code nor a sender ID",
        "set a number like +46701234567, or up to 11 letters, digits and spaces",
    )


def _check_number(client: TwilioClient, number: str) -> CheckResult:
    masked = mask_address(number)
    mend = "set from_number to an SMS-capable number of this account"
    found = _try(
        client,
        f"from_number {masked}",
        mend,
        lambda: client.api.incoming_phone_numbers.list(phone_number=number, limit=20),
    )
    if isinstance(found, CheckResult):
        return found
    owned = next((one for one in found if one.phone_number == number), None)
    if owned is None:
        return CheckResult(False, f"from_number {masked} is not in this Twilio account", mend)
    if not _can_sms(owned.capabilities):
        return CheckResult(False, f"from_number {masked} cannot send SMS", mend)
    return CheckResult(True, f"from_number {masked} is in this account and can send SMS")


def _can_sms(capabilities: Any) -> bool:
    """Read `capabilities`, which the library hands over as the JSON object it was."""
    return isinstance(capabilities, dict) and bool(
        capabilities.get("sms") or capabilities.get("SMS")
    )


def _check_service(client: TwilioClient, sid: str) -> list[CheckResult]:
    mend = "check messaging_service_sid in the Twilio Console"
    service = client.api.messaging.v1.services(sid)
    found = _try(client, "Messaging Service", mend, service.fetch)
    if isinstance(found, CheckResult):
        return [found]
    known = CheckResult(True, f'Messaging Service "{found.friendly_name}" answers')
    numbers = _try(
        client,
        "numbers of the Messaging Service",
        mend,
        lambda: service.phone_numbers.list(limit=20),
    )
    if isinstance(numbers, CheckResult):
        return [known, numbers]
    if numbers:
        return [known, CheckResult(True, f"it has {len(numbers)} number(s) to send from")]
    senders = _try(
        client,
        "sender IDs of the Messaging Service",
        mend,
        lambda: service.alpha_senders.list(limit=20),
    )
    if not isinstance(senders, CheckResult) and senders:
        return [known, CheckResult(True, f"it has {len(senders)} sender ID(s) to send from")]
    return [
        known,
        CheckResult(
            False,
            "the Messaging Service has no number and no sender ID",
            "add a sender to its pool in the Twilio Console",
        ),
    ]
