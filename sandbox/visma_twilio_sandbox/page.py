"""What the sandbox's page shows: each person's telephone and inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visma_twilio_sandbox.twilio import Call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from visma_twilio_sandbox.mail_send import Email
    from visma_twilio_sandbox.twilio import Message


def state(
    messages: Sequence[Message],
    calls: Sequence[Call],
    emails: Sequence[Email],
    names: Mapping[str, str],
) -> dict[str, Any]:
    """Sort messages by recipient. Everybody with a name is there, with or without messages.

    Args:
        messages: SMS and WhatsApp messages, oldest first.
        calls: Calls, oldest first.
        emails: Emails, oldest first.
        names: Number or email address to the person's name.
    """
    phones: dict[str, list[dict[str, Any]]] = {one: [] for one in names if "@" not in one}
    both: list[Message | Call] = [*messages, *calls]
    for one in sorted(both, key=lambda one: one.date_created):
        shown = _call(one) if isinstance(one, Call) else _sms(one)
        phones.setdefault(one.to, []).append(shown)
    inboxes: dict[str, list[dict[str, Any]]] = {one: [] for one in names if "@" in one}
    for email in emails:
        inboxes.setdefault(email.to, []).append(_email(email))
    return {
        "phones": [
            {"number": number, "name": names.get(number), "messages": found}
            for number, found in phones.items()
        ],
        "inboxes": [
            {"address": address, "name": names.get(address), "emails": found}
            for address, found in inboxes.items()
        ],
    }


def _sms(message: Message) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "time": message.date_created.isoformat(),
        "from": message.from_,
        "body": message.body,
        "status": message.status,
        "error_code": message.error_code,
        "error_message": message.error_message,
        "segments": message.num_segments,
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "sid": call.sid,
        "time": call.date_created.isoformat(),
        "from": call.from_,
        "body": f"\N{BLACK TELEPHONE} {call.said}",
        "status": call.status,
        "error_code": None,
        "error_message": None,
        "segments": "1",
    }


def _email(email: Email) -> dict[str, Any]:
    return {
        "message_id": email.message_id,
        "time": email.time.isoformat(),
        "from": email.from_,
        "subject": email.subject,
        "text": email.text,
    }
