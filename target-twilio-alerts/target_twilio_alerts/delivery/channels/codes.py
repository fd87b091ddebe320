"""What providers' error codes mean in plain words, whose fault each is, and what to do about it.

Sources: Twilio's error dictionary (https://www.twilio.com/docs/api/errors) and its statuses of
calls; of SendGrid, which has no codes, the names of the fields that it refuses
(sendgrid-mail-v3.openapi.json, ErrorResponse).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Fault(str, Enum):
    """On whose side the cause is."""

    RECIPIENT = "recipient"
    SENDER = "sender"
    ACCOUNT = "account"
    CONTENT = "content"
    CARRIER = "carrier"
    US = "us"


@dataclass(frozen=True)
class Explanation:
    """What a code means, how to mend it, and where the cause is."""

    meaning: str
    mend: str
    fault: Fault


def explain(code: int | str | None) -> Explanation | None:
    """Explain a code; None if it is not in the table (providers add codes freely).

    Args:
        code: Twilio's error code; how it ended, if there is none; or the field of an email that
            SendGrid refused.
    """
    return None if code is None else EXPLANATIONS.get(_INDEX.sub("", str(code)))


_INDEX = re.compile(r"\.\d+(?=\.|$)")
"""Of an email: which recipient; SendGrid writes `personalizations.0.to.0.email`."""

_OTHER_CHANNEL = "reach this person by email or another number"
_FIX_NUMBER = "correct the number in alerts.yml, with country code, such as +46701234567"
_LATER = "resend later"
_REGISTER = "register the sender in the Twilio Console for the recipient's country"
_TEMPLATE = "correct the WhatsApp content template in the Twilio Console"

_TABLE: tuple[tuple[str, Fault, str, str], ...] = (
    # account and credentials
    (
        "20003",
        Fault.ACCOUNT,
        "Twilio refused the credentials",
        "check account_sid with auth_token, or api_key_sid with api_key_secret",
    ),
    (
        "20008",
        Fault.ACCOUNT,
        "these are Twilio's test credentials, which cannot do this",
        "set the account's own credentials",
    ),
    (
        "20404",
        Fault.ACCOUNT,
        "Twilio does not know this account or resource",
        "check account_sid and messaging_service_sid",
    ),
    ("20429", Fault.US, "too many requests at once; nothing was processed", "lower max_in_flight"),
    (
        "20500 20503",
        Fault.CARRIER,
        "Twilio had an internal error; the message may have been sent or not",
        "look in the Twilio Console before you resend",
    ),
    (
        "10001 90010 30002",
        Fault.ACCOUNT,
        "the Twilio account is inactive or suspended",
        "open the Twilio Console and settle what it asks for",
    ),
    ("10002", Fault.ACCOUNT, "a Twilio trial account cannot do this", "upgrade the account"),
    (
        "10004",
        Fault.ACCOUNT,
        "too many calls at once; nothing was processed",
        "lower max_in_flight, or ask Twilio for more",
    ),
    (
        "14107",
        Fault.US,
        "too many quick replies between two numbers: Twilio stopped a loop",
        "find out what answers the alerts automatically",
    ),
    # numbers
    ("21201 21604", Fault.RECIPIENT, "the message has no recipient", _FIX_NUMBER),
    ("21211", Fault.RECIPIENT, "the recipient's number is not valid", _FIX_NUMBER),
    (
        "21212",
        Fault.SENDER,
        "the sender is not valid",
        "set from_number to a number or sender ID of your Twilio account",
    ),
    ("21210 21213", Fault.SENDER, "the caller is not a number of the account", "check voice_from"),
    ("21214 21216 21217 13224", Fault.RECIPIENT, "this number cannot be called", _FIX_NUMBER),
    ("21266", Fault.RECIPIENT, "the sender and the recipient are one number", _FIX_NUMBER),
    (
        "21215 13227",
        Fault.ACCOUNT,
        "calls to this country are switched off in the Twilio account",
        "allow the country under Voice, Geo permissions in the Twilio Console",
    ),
    ("13225", Fault.ACCOUNT, "Twilio blocked the call", "ask Twilio support why"),
    (
        "21205",
        Fault.US,
        "Twilio cannot use the address that a call was to fetch",
        "check public_url",
    ),
    (
        "21219 21608",
        Fault.ACCOUNT,
        "a Twilio trial account only reaches numbers verified in it",
        "upgrade the account, or verify the number in the Twilio Console",
    ),
    (
        "21408",
        Fault.ACCOUNT,
        "SMS to this country is switched off in the Twilio account",
        "allow the country under Messaging, Geo permissions in the Twilio Console",
    ),
    ("21602 21619", Fault.CONTENT, "the message has no text", "give the rule's template some text"),
    (
        "21603",
        Fault.SENDER,
        "the message has no sender",
        "set from_number or messaging_service_sid",
    ),
    (
        "21606",
        Fault.SENDER,
        "the sender cannot send SMS to this recipient",
        "use a sender of your Twilio account that is capable of SMS",
    ),
    ("21609", Fault.US, "Twilio cannot use the address for status callbacks", "check public_url"),
    (
        "21610",
        Fault.RECIPIENT,
        "the recipient has opted out by answering STOP",
        f"ask them to send START, or {_OTHER_CHANNEL}",
    ),
    (
        "21611",
        Fault.SENDER,
        "the sender's queue is full (10 hours); not queued",
        "send less, or add senders",
    ),
    (
        "21612",
        Fault.SENDER,
        "the sender cannot reach this recipient, often because of the country's sender rules",
        "use another sender for this country",
    ),
    ("21614", Fault.RECIPIENT, "not a mobile number", f"{_FIX_NUMBER}, or {_OTHER_CHANNEL}"),
    (
        "21635",
        Fault.RECIPIENT,
        "a landline, which takes no SMS",
        f"{_FIX_NUMBER}, or {_OTHER_CHANNEL}",
    ),
    (
        "21617",
        Fault.CONTENT,
        "the text is longer than 1600 characters",
        "shorten the rule's template",
    ),
    (
        "21654",
        Fault.CONTENT,
        "Twilio has no content template with this content_sid",
        "correct the rule's content_sid",
    ),
    (
        "21655 21656",
        Fault.CONTENT,
        "the content template or its variables are not valid",
        _TEMPLATE,
    ),
    (
        "21660",
        Fault.SENDER,
        "the sender belongs to another Twilio account",
        "check from_number and account_sid",
    ),
    (
        "21701 21703 21704 21705",
        Fault.SENDER,
        "the Messaging Service is not valid or has no sender that can send this",
        "add a sender to the Messaging Service, or check messaging_service_sid",
    ),
    # on the way to the handset
    ("30001", Fault.SENDER, "the Messaging Service's queue is full", _LATER),
    (
        "30003",
        Fault.RECIPIENT,
        "the phone is switched off or out of reach",
        f"{_LATER}, or {_OTHER_CHANNEL}",
    ),
    ("30004", Fault.RECIPIENT, "the recipient or the carrier blocks the message", _OTHER_CHANNEL),
    ("30005", Fault.RECIPIENT, "the number is unknown or no longer in use", _FIX_NUMBER),
    ("30006", Fault.RECIPIENT, "a landline, or its carrier cannot be reached", _OTHER_CHANNEL),
    (
        "30007",
        Fault.CONTENT,
        "filtered as spam by Twilio or the carrier",
        "change the text or the sender, and ask Twilio support",
    ),
    ("30008", Fault.CARRIER, "the carrier gave no reason", f"resend once, then {_OTHER_CHANNEL}"),
    (
        "30010",
        Fault.ACCOUNT,
        "the message costs more than the account lets one cost",
        "raise the limit in the Twilio Console",
    ),
    (
        "30017",
        Fault.CARRIER,
        "the carrier's network is congested",
        f"Twilio tries again itself; else {_LATER}",
    ),
    (
        "30018 30024",
        Fault.SENDER,
        "the sender ID is not registered in the recipient's country",
        _REGISTER,
    ),
    (
        "30019",
        Fault.CONTENT,
        "the message is larger than the carrier takes",
        "shorten the rule's template",
    ),
    (
        "30022 30023",
        Fault.SENDER,
        "the sender may send no more to the USA for now",
        f"send less, or {_LATER}",
    ),
    (
        "30029",
        Fault.ACCOUNT,
        "the account may not discard message content",
        "enable Message Redaction in the Twilio Console, or do not ask for it",
    ),
    (
        "30032 30034 30035",
        Fault.SENDER,
        "the sender is not registered for messages to the USA, or not yet",
        _REGISTER,
    ),
    (
        "30033",
        Fault.SENDER,
        "the sender's registration for messages to the USA is suspended",
        "open the Twilio Console and settle what it asks for",
    ),
    (
        "30036",
        Fault.US,
        "too old to be of use before it could be sent",
        "resend if it still matters",
    ),
    (
        "30044",
        Fault.ACCOUNT,
        "the text is longer than a Twilio trial account may send",
        "upgrade the account",
    ),
    (
        "30410",
        Fault.CARRIER,
        "the carrier did not answer; the message may have been delivered",
        "ask the recipient before you resend",
    ),
    (
        "30450",
        Fault.ACCOUNT,
        "blocked as suspected SMS pumping fraud",
        "put the number on the safe list in the Twilio Console",
    ),
    ("30500", Fault.CARRIER, "Twilio had an internal error", _LATER),
    (
        "90007",
        Fault.US,
        "the validity period is out of range (1 to 36000 seconds)",
        "correct validity_period in alerts.yml",
    ),
    # WhatsApp
    ("21910", Fault.SENDER, "WhatsApp takes a WhatsApp sender only", "check whatsapp_from"),
    (
        "63003 63024",
        Fault.RECIPIENT,
        "not a valid WhatsApp recipient",
        "check the number, or use SMS",
    ),
    ("63005 63006", Fault.CONTENT, "WhatsApp does not take this content", _TEMPLATE),
    ("63007", Fault.SENDER, "no WhatsApp sender with this number", "check whatsapp_from"),
    ("63010 63012", Fault.CARRIER, "WhatsApp had an internal error", _LATER),
    (
        "63015",
        Fault.RECIPIENT,
        "the recipient has not joined the WhatsApp sandbox",
        "let them join it again",
    ),
    (
        "63016",
        Fault.CONTENT,
        "WhatsApp takes free text only within 24 hours of the recipient's last message",
        "give the rule the content_sid of an approved template",
    ),
    ("63013", Fault.CONTENT, "WhatsApp's policy forbids the message", _TEMPLATE),
    ("63021", Fault.CONTENT, "the WhatsApp content is not valid", _TEMPLATE),
    ("63027", Fault.CONTENT, "the WhatsApp template lacks this language", _TEMPLATE),
    ("63028", Fault.CONTENT, "the WhatsApp template has another number of variables", _TEMPLATE),
    ("63018 63038", Fault.SENDER, "WhatsApp's rate limit is reached", _LATER),
    ("63032", Fault.RECIPIENT, "WhatsApp does not deliver to this recipient", "use SMS"),
    ("63033", Fault.RECIPIENT, "the recipient has blocked the sender on WhatsApp", "use SMS"),
    (
        "63049",
        Fault.CARRIER,
        "WhatsApp chose not to deliver the message to this recipient",
        "use SMS",
    ),
    (
        "63051",
        Fault.ACCOUNT,
        "the WhatsApp business account is locked",
        "open Meta's business manager and settle what it asks for",
    ),
    # without a code, by how they ended
    ("busy", Fault.RECIPIENT, "the line was busy", "resend later, or tell them by SMS"),
    ("no-answer", Fault.RECIPIENT, "nobody answered", "resend later, or tell them by SMS"),
    (
        "canceled",
        Fault.US,
        "somebody cancelled it at Twilio before it left",
        "find out who, and resend if it still matters",
    ),
    (
        "failed undelivered",
        Fault.CARRIER,
        "it did not get through, and Twilio gave no code",
        "check the number, and look in the Twilio Console",
    ),
    # fields of an email that SendGrid refused
    (
        "personalizations.to.email personalizations.to",
        Fault.RECIPIENT,
        "the recipient's email address is not valid",
        "correct the email address in alerts.yml",
    ),
    (
        "from from.email",
        Fault.SENDER,
        "the sender's email address is not verified at SendGrid, or not valid",
        "verify it under Sender Authentication at SendGrid, or correct email_from",
    ),
    (
        "subject personalizations.subject",
        Fault.CONTENT,
        "SendGrid does not take the subject",
        "correct the first line of the rule's email template",
    ),
    (
        "content content.value content.type",
        Fault.CONTENT,
        "SendGrid does not take the text",
        "correct the rule's email template",
    ),
)
"""Codes that mean the same, whose fault that is, what they mean, and what to do."""

EXPLANATIONS: Mapping[str, Explanation] = MappingProxyType(
    {
        code: Explanation(meaning, mend, fault)
        for codes, fault, meaning, mend in _TABLE
        for code in codes.split()
    }
)
"""All that is known, by code."""
