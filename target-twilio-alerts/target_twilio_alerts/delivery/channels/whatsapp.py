"""WhatsApp through Twilio's Messages API: the same calls as SMS, with other addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.delivery.channels.sms import SmsChannel

if TYPE_CHECKING:
    from target_twilio_alerts.delivery.channels.outcome import CheckResult, Outgoing

_PREFIX = "whatsapp:"


class WhatsAppChannel(SmsChannel):
    """Sends WhatsApp messages from one Twilio account. Safe to use from several threads at once.

    Takes what `SmsChannel` takes; `from_number` is the WhatsApp sender's number, and
    `messaging_service_sid` a service that has a WhatsApp sender.

    Source: twilio-messages-calls.openapi.json, CreateMessageRequest: `whatsapp:` before To and
    From; ContentSid with ContentVariables takes the place of Body.
    """

    def check(self) -> list[CheckResult]:
        """Try the credentials, and the Messaging Service if there is one."""
        from target_twilio_alerts.delivery.channels.sms_check import (  # noqa: PLC0415 - an operator's command only
            check_whatsapp,
        )

        return check_whatsapp(self)

    @staticmethod
    def _to(number: str) -> str:
        return f"{_PREFIX}{number}"

    def _fields(self, outgoing: Outgoing) -> dict[str, str | int]:
        fields = super()._fields(outgoing)
        fields.pop("validity_period", None)
        if "from_" in fields:
            fields["from_"] = f"{_PREFIX}{fields['from_']}"
        if outgoing.content_sid:
            del fields["body"]
            fields["content_sid"] = outgoing.content_sid
            if outgoing.content_variables:
                fields["content_variables"] = outgoing.content_variables
        return fields
