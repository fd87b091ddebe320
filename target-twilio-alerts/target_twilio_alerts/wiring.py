"""Puts the parts together from the settings: channels, a dispatcher, the alerts file's digest."""

from __future__ import annotations

import hashlib
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING

from target_twilio_alerts.audit import anchors
from target_twilio_alerts.audit.restored import Witness
from target_twilio_alerts.delivery.callback_urls import CallbackUrls
from target_twilio_alerts.delivery.channels import (
    EmailChannel,
    SmsChannel,
    TwilioEmailChannel,
    VoiceChannel,
    WhatsAppChannel,
)
from target_twilio_alerts.delivery.dispatcher import Dispatcher
from target_twilio_alerts.delivery.pace import Rates
from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_twilio_alerts.delivery.channels import Channel
    from target_twilio_alerts.delivery.channels.account import Login
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.rules import Alerts
    from target_twilio_alerts.settings import Settings

HTTP_TIMEOUT_SECONDS = 15.0


def version() -> str:
    """The installed version of this package."""
    return metadata.version("target-twilio-alerts")


def used_channels(alerts: Alerts, settings: Settings) -> list[str]:
    """The channels of the rules, of the summaries for operators, and of anchors."""
    of_rules = {channel for rule in alerts.rules for channel in rule.channels}
    of_anchors = {"email"} if settings.anchor_notify else set()
    of_operators = alerts.operators.via if alerts.operators is not None else ()
    return sorted(of_rules.union(alerts.limits.via, of_operators, of_anchors))


def anchor_mistakes(settings: Settings, alerts: Alerts) -> list[str]:
    """What is wrong with where anchors go, a line each."""
    wrong = []
    if settings.anchor_file is not None:
        try:
            anchors.ensure_writable(settings.anchor_file)
        except anchors.AnchorError as error:
            wrong.append(str(error))
    name = settings.anchor_notify
    if name is not None:
        person = alerts.recipients.get(name)
        if person is None:
            meant = suggestion(name, alerts.recipients, "there are")
            wrong.append(f"anchor_notify: no recipient {name} in the alerts file; {meant}")
        elif not person.addresses("email"):
            wrong.append(f"anchor_notify: recipient {name} has no address for email; add one")
    return wrong


def configured_channels(settings: Settings) -> list[str]:
    """The channels that the settings are complete for."""
    return [name for name in sorted(_BUILDERS) if settings.missing_for(name) is None]


def build_channels(settings: Settings, names: Iterable[str]) -> dict[str, Channel]:
    """Build channels by name.

    Raises:
        SettingsError: A channel lacks a setting.
    """
    wanted = {name: settings.missing_for(name) for name in names}
    lacking = [
        f"{missing}: not set, but rules send by {name}; set it"
        for name, missing in wanted.items()
        if missing
    ]
    if lacking:
        raise SettingsError("\n".join(lacking))
    return {name: _BUILDERS[name](settings) for name in wanted}


def _login(settings: Settings) -> Login:
    return {
        "account_sid": settings.account_sid or "",
        "auth_token": settings.auth_token,
        "api_key_sid": settings.api_key_sid,
        "api_key_secret": settings.api_key_secret,
        "base_url": settings.twilio_api_url,
        "messaging_url": settings.twilio_messaging_url,
        "timeout": HTTP_TIMEOUT_SECONDS,
    }


def _sms(settings: Settings) -> SmsChannel:
    return SmsChannel(
        from_number=settings.from_number,
        messaging_service_sid=settings.messaging_service_sid,
        senders=settings.senders,
        **_login(settings),
    )


def _whatsapp(settings: Settings) -> WhatsAppChannel:
    """Build the channel; its own sender goes before the Messaging Service."""
    service = None if settings.whatsapp_from else settings.messaging_service_sid
    return WhatsAppChannel(
        from_number=settings.whatsapp_from, messaging_service_sid=service, **_login(settings)
    )


def _voice(settings: Settings) -> VoiceChannel:
    return VoiceChannel(from_number=settings.caller or "", **_login(settings))


def _email(settings: Settings) -> EmailChannel | TwilioEmailChannel:
    if settings.email_driver == "twilio":
        return TwilioEmailChannel(
            email_from=settings.email_from or "",
            email_url=settings.twilio_email_api_url,
            **_login(settings),
        )
    return EmailChannel(
        api_key=settings.sendgrid_api_key or "",
        email_from=settings.email_from or "",
        base_url=settings.sendgrid_api_url,
        timeout=HTTP_TIMEOUT_SECONDS,
    )


_BUILDERS: dict[str, Callable[[Settings], Channel]] = {
    "sms": _sms,
    "whatsapp": _whatsapp,
    "voice": _voice,
    "email": _email,
}


def build_dispatcher(
    settings: Settings,
    ledger: Ledger,
    channels: dict[str, Channel],
    run: Run,
    alerts: Alerts,
) -> Dispatcher:
    """Build a dispatcher over these channels."""
    numbers = {
        number
        for person in alerts.recipients.values()
        for channel in ("sms", "whatsapp")
        for number in person.addresses(channel)
    }
    asked = channels if settings.restored_ledger == "refuse" else {}
    anchor = None if settings.anchor_file is None else anchors.last(settings.anchor_file)
    witness = Witness(asked, numbers, is_anchored=anchor is not None)
    return Dispatcher(
        ledger,
        channels,
        run=run,
        max_in_flight=settings.max_in_flight,
        callbacks=CallbackUrls(settings.public_url),
        rates=Rates(settings.messages_per_second, settings.calls_per_second),
        doubt=partial(witness.doubt, ledger),
    )


def file_digest(settings: Settings) -> str:
    """SHA-256 of the alerts file as it is on disk, for the audit trail."""
    return hashlib.sha256(settings.alerts_file.read_bytes()).hexdigest()
