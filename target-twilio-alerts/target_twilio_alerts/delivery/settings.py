"""Settings of the accounts that messages are sent from, and of their senders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT_SETTINGS = (
    th.Property(
        "account_sid",
        th.StringType,
        title="Account SID",
        description="Twilio account that sends, from the Twilio Console. Needed for SMS.",
        examples=["AC00000000000000000000000000000000"],
    ),
    th.Property(
        "auth_token",
        th.StringType,
        secret=True,
        title="Auth token",
        description="Auth token of the Twilio account. Not needed with an API key, but for "
        "callbacks: Twilio signs them with it.",
    ),
    th.Property(
        "api_key_sid",
        th.StringType,
        title="API key SID",
        description="Twilio API key to use instead of the auth token; best a restricted one.",
        examples=["SK00000000000000000000000000000000"],
    ),
    th.Property(
        "api_key_secret",
        th.StringType,
        secret=True,
        title="API key secret",
        description="Secret of the Twilio API key.",
    ),
    th.Property(
        "from_number",
        th.StringType,
        title="From number",
        description="Twilio number or alphanumeric sender that an SMS comes from. Give this or "
        "`messaging_service_sid`.",
        examples=["+46701740600"],
    ),
    th.Property(
        "messaging_service_sid",
        th.StringType,
        title="Messaging Service SID",
        description="Twilio Messaging Service that chooses the sender of an SMS. Give this or "
        "`from_number`.",
        examples=["MG00000000000000000000000000000000"],
    ),
    th.Property(
        "whatsapp_from",
        th.StringType,
        title="WhatsApp from",
        description="Number of the WhatsApp sender. Without it WhatsApp messages go through "
        "`messaging_service_sid`, which then needs a WhatsApp sender.",
        examples=["+46701740600"],
    ),
    th.Property(
        "senders",
        th.ObjectType(additional_properties=th.StringType),
        title="Senders",
        description="Senders of SMS to recipients in some countries, by two letters: a number, an "
        "alphanumeric sender or a Messaging Service each. Others get `from_number` or "
        "`messaging_service_sid`.",
        examples=[{"SE": "NordAB", "US": "+15005550006"}],
    ),
    th.Property(
        "voice_from",
        th.StringType,
        title="Voice from",
        description="Twilio number that calls. If it is not given, `from_number` calls, if that is "
        "a number.",
        examples=["+46701740600"],
    ),
    th.Property(
        "email_driver",
        th.StringType,
        default="sendgrid",
        allowed_values=["sendgrid", "twilio"],
        title="Email driver",
        description="Who sends the emails: `sendgrid`, or `twilio` (Twilio Email, with the "
        "credentials of the Twilio account).",
    ),
    th.Property(
        "sendgrid_api_key",
        th.StringType,
        secret=True,
        title="SendGrid API key",
        description="SendGrid key with the permission mail.send. Needed for email by SendGrid.",
    ),
    th.Property(
        "email_from",
        th.StringType,
        title="Email from",
        description="Verified sender of the emails. Needed for email.",
        examples=["alerts@example.com"],
    ),
)

NUMBER = r"\+[1-9]\d{6,14}"
_SENDER = rf"{NUMBER}|(?=.*[A-Za-z ])[A-Za-z0-9 ]{{1,11}}|\d{{4,8}}"
PATTERNS = (
    ("account_sid", r"AC[0-9a-fA-F]{32}", "AC and 32 hex digits"),
    ("api_key_sid", r"SK[0-9a-fA-F]{32}", "SK and 32 hex digits"),
    ("messaging_service_sid", r"MG[0-9a-fA-F]{32}", "MG and 32 hex digits"),
    ("from_number", _SENDER, "+46701740600, or up to 11 letters and digits"),
    ("whatsapp_from", NUMBER, "+46701740600"),
    ("voice_from", NUMBER, "+46701740600"),
    ("email_from", r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+", "alerts@example.com"),
)
"""By setting: what its text is like, and an example."""


def checked_senders(given: Mapping[str, Any]) -> dict[str, str]:
    """The setting `senders`.

    Raises:
        ValueError: A country or a sender is none.
    """
    senders = {country.upper(): str(sender or "").strip() for country, sender in given.items()}
    for country, sender in senders.items():
        if not re.fullmatch(r"[A-Z]{2}", country):
            raise ValueError(f"senders: {country} is no country; write two letters, as in SE")
        if not re.fullmatch(rf"{_SENDER}|MG[0-9a-fA-F]{{32}}", sender):
            raise ValueError(
                f"senders: that of {country} is neither a number, a short code, up to 11 letters "
                "and digits, nor a Messaging Service SID; correct it"
            )
    return senders
