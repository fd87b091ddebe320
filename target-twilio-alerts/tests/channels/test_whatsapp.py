"""What is asked of Twilio for a WhatsApp message."""

from __future__ import annotations

import pytest

from target_twilio_alerts.delivery.channels import Outgoing, WhatsAppChannel

ACCOUNT, SERVICE, CONTENT = "AC" + "0a" * 16, "MG" + "0c" * 16, "HX" + "0d" * 16
TO = "+46701740605"
FREE = Outgoing("m", "whatsapp", TO, None, "Ny faktura", validity_seconds=600)
BY_CONTENT = Outgoing(
    "m", "whatsapp", TO, None, "x", content_sid=CONTENT, content_variables='{"1": "900001"}'
)


@pytest.fixture
def form_of(server):
    def send(outgoing, **sender):
        server.answers.append((201, {"sid": "SM" + "1e" * 16, "status": "queued"}))
        channel = WhatsAppChannel(
            account_sid=ACCOUNT, auth_token="t", base_url=server.url, **sender
        )
        channel.send(outgoing)
        channel.close()
        return dict(server.requests[-1].form)

    return send


def test_free_text_goes_between_whatsapp_addresses_and_without_a_validity(form_of):
    assert form_of(FREE, from_number="+46701740600") == {
        "To": f"whatsapp:{TO}",
        "From": "whatsapp:+46701740600",
        "Body": "Ny faktura",
    }


def test_a_content_template_takes_the_place_of_the_text(form_of):
    assert form_of(BY_CONTENT, messaging_service_sid=SERVICE) == {
        "To": f"whatsapp:{TO}",
        "MessagingServiceSid": SERVICE,
        "ContentSid": CONTENT,
        "ContentVariables": '{"1": "900001"}',
    }
