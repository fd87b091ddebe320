"""Twilio's error codes in plain words, and what to do about each.

Source: Twilio's error dictionary (https://www.twilio.com/docs/api/errors).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """What a code means, and how to mend it."""

    meaning: str
    mend: str


def explain(code: int | str | None) -> Explanation | None:
    """Explain a Twilio error code; None if it is not in the table (Twilio adds codes freely)."""
    try:
        return _CODES.get(int(code)) if code is not None else None
    except ValueError:
        return None


_OTHER_CHANNEL = "reach this person by email or another number"
_FIX_NUMBER = "correct the number in alerts.yml, with country code, such as +46701234567"
_LATER = "resend later"
_REGISTER = "register the sender in the Twilio Console for the recipient's country"
_TEMPLATE = "correct the WhatsApp content template in the Twilio Console"

_TABLE: tuple[tuple[tuple[int, ...], str, str], ...] = (
    (
        (20003,),
        "Twilio refused the credentials",
        "check account_sid with auth_token, or api_key_sid with api_key_secret",
    ),
    (
        (20404,),
        "Twilio does not know this account or resource",
        "check account_sid and messaging_service_sid",
    ),
    ((20429,), "too many requests at once; nothing was processed", "lower max_in_flight"),
    (
        (20500, 20503),
        "Twilio had an internal error; the message may have been sent or not",
        "look in the Twilio Console before you resend",
    ),
    (
        (10001, 90010, 30002),
        "the Twilio account is inactive or suspended",
        "open the Twilio Console and settle what it asks for",
    ),
    (
        (10004,),
        "too many calls at once; nothing was processed",
        "lower max_in_flight, or ask Twilio for more",
    ),
    (
        (14107,),
        "too many quick replies between two numbers: Twilio stopped a loop",
        "find out what answers the alerts automatically",
    ),
    ((21201, 21604), "the message has no recipient", _FIX_NUMBER),
    ((21211,), "the recipient's number is not valid", _FIX_NUMBER),
    (
        (21212,),
        "the sender is not valid",
        "set from_number to a number or sender ID of your Twilio account",
    ),
    ((21210, 21213), "the caller is not a number of the account", "check voice_from"),
    ((21214, 21216, 21217), "this number cannot be called", _FIX_NUMBER),
    ((21266,), "the sender and the recipient are one number", _FIX_NUMBER),
    (
        (21215, 13227),
        "calls to this country are switched off in the Twilio account",
        "allow the country under Voice, Geo permissions in the Twilio Console",
    ),
    (
        (21219, 21608),
        "a Twilio trial account only reaches numbers verified in it",
        "upgrade the account, or verify the number in the Twilio Console",
    ),
    (
        (21408,),
        "SMS to this country is switched off in the Twilio account",
        "allow the country under Messaging, Geo permissions in the Twilio Console",
    ),
    ((21602,), "the message has no text", "give the rule's template some text"),
    ((21603,), "the message has no sender", "set from_number or messaging_service_sid"),
    (
        (21606,),
        "the sender cannot send SMS to this recipient",
        "use a sender of your Twilio account that is capable of SMS",
    ),
    (
        (21610,),
        "the recipient has opted out by answering STOP",
        f"ask them to send START, or {_OTHER_CHANNEL}",
    ),
    ((21611,), "the sender's queue is full (10 hours); not queued", "send less, or add senders"),
    (
        (21612,),
        "the sender cannot reach this recipient, often because of the country's sender rules",
        "use another sender for this country",
    ),
    ((21614,), "not a mobile number", f"{_FIX_NUMBER}, or {_OTHER_CHANNEL}"),
    ((21617,), "the text is longer than 1600 characters", "shorten the rule's template"),
    ((21655, 21656), "the content template or its variables are not valid", _TEMPLATE),
    (
        (21703, 21704, 21705),
        "the Messaging Service is not valid or has no sender that can send this",
        "add a sender to the Messaging Service, or check messaging_service_sid",
    ),
    ((30001,), "the Messaging Service's queue is full", _LATER),
    ((30003,), "the phone is switched off or out of reach", f"{_LATER}, or {_OTHER_CHANNEL}"),
    ((30004,), "the recipient or the carrier blocks the message", _OTHER_CHANNEL),
    ((30005,), "the number is unknown or no longer in use", _FIX_NUMBER),
    ((30006,), "a landline, or its carrier cannot be reached", _OTHER_CHANNEL),
    (
        (30007,),
        "filtered as spam by Twilio or the carrier",
        "change the text or the sender, and ask Twilio support",
    ),
    ((30008,), "the carrier gave no reason", f"resend once, then {_OTHER_CHANNEL}"),
    ((30017,), "the carrier's network is congested", f"Twilio tries again itself; else {_LATER}"),
    ((30018, 30024), "the sender ID is not registered in the recipient's country", _REGISTER),
    (
        (30029,),
        "the account may not discard message content",
        "enable Message Redaction in the Twilio Console, or do not ask for it",
    ),
    (
        (30032, 30034, 30035),
        "the sender is not registered for messages to the USA, or not yet",
        _REGISTER,
    ),
    ((30036,), "too old to be of use before it could be sent", "resend if it still matters"),
    (
        (30410,),
        "the carrier did not answer; the message may have been delivered",
        "ask the recipient before you resend",
    ),
    (
        (30450,),
        "blocked as suspected SMS pumping fraud",
        "put the number on the safe list in the Twilio Console",
    ),
    ((30500,), "Twilio had an internal error", _LATER),
    ((21910,), "WhatsApp takes a WhatsApp sender only", "check whatsapp_from"),
    ((63003, 63024), "not a valid WhatsApp recipient", "check the number, or use SMS"),
    ((63007,), "no WhatsApp sender with this number", "check whatsapp_from"),
    ((63015,), "the recipient has not joined the WhatsApp sandbox", "let them join it again"),
    (
        (63016,),
        "WhatsApp takes free text only within 24 hours of the recipient's last message",
        "give the rule the content_sid of an approved template",
    ),
    ((63013,), "WhatsApp's policy forbids the message", _TEMPLATE),
    ((63021,), "the WhatsApp content is not valid", _TEMPLATE),
    ((63027,), "the WhatsApp template lacks this language", _TEMPLATE),
    ((63028,), "the WhatsApp template has another number of variables", _TEMPLATE),
    ((63018,), "WhatsApp's rate limit is reached", _LATER),
    ((63032,), "WhatsApp does not deliver to this recipient", "use SMS"),
    ((63033,), "the recipient has blocked the sender on WhatsApp", "use SMS"),
    (
        (90007,),
        "the validity period is out of range (1 to 36000 seconds)",
        "correct validity_period in alerts.yml",
    ),
)
_CODES = {code: Explanation(meaning, mend) for codes, meaning, mend in _TABLE for code in codes}
