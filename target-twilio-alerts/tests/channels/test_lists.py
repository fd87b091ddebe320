"""What is read of a provider's list: only what was asked for over the API, and who it is from."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from target_twilio_alerts.delivery.channels import (
    Found,
    SmsChannel,
    VoiceChannel,
    WhatsAppChannel,
)

TO, SENDER, SERVICE = "+46701740605", "+46701740600", "MG" + "0c" * 16
AT = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
LOGIN = {"account_sid": "AC" + "0a" * 16, "auth_token": "made-up-token", "from_number": SENDER}


@pytest.fixture
def listed(server):
    """Asks a channel for what was accepted, of which its list has these."""

    def find(kind, *rows):
        given = [
            {"date_created": "Wed, 25 Nov 2026 12:00:00 +0000", "status": "queued", "to": TO} | row
            for row in rows
        ]
        name = "calls" if kind is VoiceChannel else "messages"
        server.answers.append((200, {name: given, "next_page_uri": None}))
        channel = kind(**LOGIN, base_url=server.url, messaging_url=server.url, timeout=5)
        found = channel.find(TO, since=AT)
        channel.close()
        return found

    return find


def test_a_call_tells_who_calls_and_one_that_another_call_has_made_is_not_ours(listed):
    row = {"from": SENDER, "direction": "outbound-api"}
    found = listed(
        VoiceChannel,
        {"sid": "CA1", **row, "direction": "outbound-dial"},
        {"sid": "CA2", **row},
        {"sid": "CA3", **row, "direction": "inbound"},
    )
    assert found == [Found("CA2", "queued", AT, to=TO, sender=SENDER)]


def test_a_text_tells_its_sender_and_its_service_and_an_answer_is_not_ours(listed):
    row = {"body": "Ref H95DWAB8", "direction": "outbound-api", "messaging_service_sid": None}
    found = listed(
        SmsChannel,
        {"sid": "SM1", "from": "NordAB", **row},
        {"sid": "SM2", "from": None, **row, "messaging_service_sid": SERVICE},
        {"sid": "SM3", "from": SENDER, **row, "direction": "outbound-reply"},
    )
    assert found == [
        Found("SM1", "queued", AT, "Ref H95DWAB8", TO, sender="NordAB"),
        Found("SM2", "queued", AT, "Ref H95DWAB8", TO, service=SERVICE),
    ]


def test_a_message_over_whatsapp_is_told_by_numbers(listed):
    row = {"sid": "SM1", "from": f"whatsapp:{SENDER}", "to": f"whatsapp:{TO}", "body": ""}
    found = listed(WhatsAppChannel, row)
    assert found == [Found("SM1", "queued", AT, "", TO, sender=SENDER)]
