"""The JSON of Twilio's resources.

Source: twilio-messages-calls.openapi.json, the api.v2010.account schemas.
"""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from visma_twilio_sandbox import credentials

if TYPE_CHECKING:
    from visma_twilio_sandbox.twilio.store import Message

API_VERSION = "2010-04-01"
ACCOUNTS = f"/{API_VERSION}/Accounts"
NUMBER_SID = "PN" + "0" * 31 + "1"
_MADE = datetime(2026, 1, 2, 8, 0, tzinfo=timezone.utc)


def rfc2822(time: datetime | None) -> str | None:
    """Write a time as Twilio does, `Thu, 24 Aug 2023 05:01:45 +0000`."""
    return None if time is None else format_datetime(time)


def message_json(message: Message) -> dict[str, Any]:
    """Write api.v2010.account.message. It does not tell the StatusCallback."""
    uri = f"{ACCOUNTS}/{message.account_sid}/Messages/{message.sid}"
    return {
        "account_sid": message.account_sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": rfc2822(message.date_created),
        "date_sent": rfc2822(message.date_sent),
        "date_updated": rfc2822(message.date_updated),
        "direction": "outbound-api",
        "error_code": message.error_code,
        "error_message": message.error_message,
        "from": message.from_,
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": "0",
        "num_segments": message.num_segments,
        "price": None if message.price is None else f"{message.price:.5f}",
        "price_unit": message.price_unit,
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def account_json() -> dict[str, Any]:
    """Write api.v2010.account of the one account; it is a full one."""
    uri = f"{ACCOUNTS}/{credentials.ACCOUNT_SID}"
    names = {
        "calls": "Calls",
        "incoming_phone_numbers": "IncomingPhoneNumbers",
        "messages": "Messages",
    }
    return {
        "auth_token": credentials.AUTH_TOKEN,
        "date_created": rfc2822(_MADE),
        "date_updated": rfc2822(_MADE),
        "friendly_name": "Sandbox",
        "owner_account_sid": credentials.ACCOUNT_SID,
        "sid": credentials.ACCOUNT_SID,
        "status": "active",
        "subresource_uris": {name: f"{uri}/{path}.json" for name, path in names.items()},
        "type": "Full",
        "uri": f"{uri}.json",
    }


def number_json() -> dict[str, Any]:
    """Write api.v2010.account.incoming_phone_number of the one number."""
    return {
        "account_sid": credentials.ACCOUNT_SID,
        "address_requirements": "none",
        "address_sid": None,
        "api_version": API_VERSION,
        "beta": False,
        "bundle_sid": None,
        "capabilities": {"fax": False, "mms": False, "sms": True, "voice": True},
        "date_created": rfc2822(_MADE),
        "date_updated": rfc2822(_MADE),
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "emergency_status": "Inactive",
        "friendly_name": credentials.FROM_NUMBER,
        "identity_sid": None,
        "origin": "twilio",
        "phone_number": credentials.FROM_NUMBER,
        "sid": NUMBER_SID,
        "sms_application_sid": None,
        "sms_fallback_method": "POST",
        "sms_fallback_url": None,
        "sms_method": "POST",
        "sms_url": None,
        "status": "in-use",
        "status_callback": None,
        "status_callback_method": "POST",
        "trunk_sid": None,
        "type": "mobile",
        "uri": f"{ACCOUNTS}/{credentials.ACCOUNT_SID}/IncomingPhoneNumbers/{NUMBER_SID}.json",
        "voice_application_sid": None,
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": None,
        "voice_method": "POST",
        "voice_receive_mode": "voice",
        "voice_url": None,
    }


def service_json(base: str) -> dict[str, Any]:
    """Write a Messaging Service as messaging.twilio.com/v1/Services/{Sid} does.

    Args:
        base: `https://messaging.twilio.com` or what stands in for it.
    """
    url = f"{base}/v1/Services/{credentials.MESSAGING_SERVICE_SID}"
    return {
        "account_sid": credentials.ACCOUNT_SID,
        "area_code_geomatch": True,
        "date_created": "2026-01-02T08:00:00Z",
        "date_updated": "2026-01-02T08:00:00Z",
        "fallback_method": "POST",
        "fallback_to_long_code": False,
        "fallback_url": None,
        "friendly_name": "Sandbox alerts",
        "inbound_method": "POST",
        "inbound_request_url": None,
        "links": {
            "alpha_senders": f"{url}/AlphaSenders",
            "phone_numbers": f"{url}/PhoneNumbers",
            "short_codes": f"{url}/ShortCodes",
        },
        "mms_converter": True,
        "scan_message_content": "inherit",
        "sid": credentials.MESSAGING_SERVICE_SID,
        "smart_encoding": False,
        "status_callback": None,
        "sticky_sender": True,
        "synchronous_validation": False,
        "url": url,
        "us_app_to_person_registered": False,
        "use_inbound_webhook_on_number": False,
        "usecase": "notifications",
        "validity_period": 36000,
    }


def service_number_json(base: str) -> dict[str, Any]:
    """Write the number in the Messaging Service's pool."""
    service = credentials.MESSAGING_SERVICE_SID
    return {
        "account_sid": credentials.ACCOUNT_SID,
        "capabilities": ["SMS", "Voice"],
        "country_code": "SE",
        "date_created": "2026-01-02T08:00:00Z",
        "date_updated": "2026-01-02T08:00:00Z",
        "phone_number": credentials.FROM_NUMBER,
        "service_sid": service,
        "sid": NUMBER_SID,
        "url": f"{base}/v1/Services/{service}/PhoneNumbers/{NUMBER_SID}",
    }
