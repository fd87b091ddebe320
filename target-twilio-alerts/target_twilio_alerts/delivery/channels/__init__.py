"""Channels: the ways to reach people. Each hands a message over once and says what came of it."""

from __future__ import annotations

from target_twilio_alerts.delivery.channels.codes import EXPLANATIONS, Explanation, Fault, explain
from target_twilio_alerts.delivery.channels.email import EmailChannel
from target_twilio_alerts.delivery.channels.outcome import (
    Accepted,
    Channel,
    CheckResult,
    CredentialsRefused,
    Found,
    NoStatus,
    Outcome,
    Outgoing,
    Postponed,
    Rejected,
    StatusReport,
    Unclear,
)
from target_twilio_alerts.delivery.channels.sms import SmsChannel
from target_twilio_alerts.delivery.channels.twilio_email import TwilioEmailChannel
from target_twilio_alerts.delivery.channels.voice import VoiceChannel
from target_twilio_alerts.delivery.channels.whatsapp import WhatsAppChannel

__all__ = [
    "EXPLANATIONS",
    "Accepted",
    "Channel",
    "CheckResult",
    "CredentialsRefused",
    "EmailChannel",
    "Explanation",
    "Fault",
    "Found",
    "NoStatus",
    "Outcome",
    "Outgoing",
    "Postponed",
    "Rejected",
    "SmsChannel",
    "StatusReport",
    "TwilioEmailChannel",
    "Unclear",
    "VoiceChannel",
    "WhatsAppChannel",
    "explain",
]
