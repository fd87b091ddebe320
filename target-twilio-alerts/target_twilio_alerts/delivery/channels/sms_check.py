"""Tries a Twilio set-up without sending or calling: the credentials, then the sender."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.delivery.channels.account import is_sid
from target_twilio_alerts.delivery.channels.outcome import CheckResult
from target_twilio_alerts.delivery.channels.senders import NAME
from target_twilio_alerts.messages.masking import mask_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_twilio_alerts.delivery.channels.account import TwilioAccount
    from target_twilio_alerts.delivery.channels.sms import SmsChannel
    from target_twilio_alerts.delivery.channels.twilio_client import TwilioClient
    from target_twilio_alerts.delivery.channels.voice import VoiceChannel

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_SHORT_CODE = re.compile(r"\d{3,8}")
_CREDENTIALS = "check account_sid with auth_token, or api_key_sid with api_key_secret"


def check_sms(channel: SmsChannel) -> list[CheckResult]:
    """Try the account, then each sender if the account answered."""
    results, answers = _check_account(channel)
    if answers:
        for sender in channel.senders.all():
            results += _check_sender(channel.client(), sender)
    return results


def check_whatsapp(channel: SmsChannel) -> list[CheckResult]:
    """Try the account; the Messages API does not tell which WhatsApp senders there are."""
    results, answers = _check_account(channel)
    for sender in channel.senders.all() if answers else ():
        if is_sid(sender, "MG"):
            results += _check_service(channel.client(), sender)
        else:
            what = f"whatsapp_from {mask_address(sender)} is not looked up"
            results.append(CheckResult(True, what))
    return results


def check_voice(channel: VoiceChannel) -> list[CheckResult]:
    """Try the account, then the caller's number if the account answered."""
    results, answers = _check_account(channel)
    if answers:
        results.append(_check_number(channel.client(), channel.from_number, "voice"))
    return results


def check_twilio_email(channel: TwilioAccount) -> list[CheckResult]:
    """Try the account; whether the sender is verified is not looked up."""
    results, answers = _check_account(channel)
    if answers:
        results.append(CheckResult(True, "email_from is not looked up at Twilio Email"))
    return results


def _check_account(channel: TwilioAccount) -> tuple[list[CheckResult], bool]:
    """Try the credentials; says whether they were taken."""
    check = _check_api_key if channel.uses_api_key else _check_auth_token
    result = check(channel.client(), channel.account_sid)
    return [result], result.ok


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


def _check_auth_token(client: TwilioClient, account_sid: str) -> CheckResult:
    found = _try(
        client,
        "Twilio account",
        _CREDENTIALS,
        lambda: client.api.api.v2010.accounts(account_sid).fetch(),
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


def _check_api_key(client: TwilioClient, account_sid: str) -> CheckResult:  # noqa: ARG001 - same shape as _check_auth_token
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


def _check_sender(client: TwilioClient, sender: str) -> list[CheckResult]:
    if is_sid(sender, "MG"):
        return _check_service(client, sender)
    if _E164.fullmatch(sender):
        return [_check_number(client, sender, "SMS")]
    if _SHORT_CODE.fullmatch(sender):
        return [CheckResult(True, f"sender {sender} is a short code (not looked up)")]
    if NAME.fullmatch(sender):
        what = f'sender "{sender}" is an alphanumeric sender ID'
        return [CheckResult(True, f"{what}; some countries want it registered first")]
    what = "a sender is neither a number, a short code nor a name"
    mend = "set a number like +46701234567, or up to 11 letters, digits and spaces"
    return [CheckResult(False, what, mend)]


def _check_number(client: TwilioClient, number: str, use: str) -> CheckResult:
    masked = mask_address(number)
    able = "send SMS" if use == "SMS" else "call"
    mend = f"set a number of this account that can {able}"
    found = _try(
        client,
        f"sender {masked}",
        mend,
        lambda: client.api.incoming_phone_numbers.list(phone_number=number, limit=20),
    )
    if isinstance(found, CheckResult):
        return found
    owned = next((one for one in found if one.phone_number == number), None)
    if owned is None:
        return CheckResult(False, f"sender {masked} is not in this Twilio account", mend)
    if not _is_able(owned.capabilities, use):
        return CheckResult(False, f"sender {masked} cannot {able}", mend)
    return CheckResult(True, f"sender {masked} is in this account and can {able}")


def _is_able(capabilities: Any, use: str) -> bool:
    """Read `capabilities`, which the library hands over as the JSON object it was."""
    return isinstance(capabilities, dict) and bool(
        capabilities.get(use.lower()) or capabilities.get(use)
    )


def _check_service(client: TwilioClient, sid: str) -> list[CheckResult]:
    mend = f"look for {sid} in the Twilio Console"
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
