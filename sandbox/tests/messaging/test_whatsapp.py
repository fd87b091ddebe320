"""WhatsApp as strict as Twilio tells: the 24 hours, approved templates, fitting variables."""

from __future__ import annotations

import json

import pytest

from visma_twilio_sandbox import credentials

TO = "whatsapp:+46701740605"
FROM = f"whatsapp:{credentials.WHATSAPP_NUMBER}"


@pytest.fixture
def send(api):
    """Send over WhatsApp, let it come to its end, and give what it became."""

    def create(variables=None, **form):
        if variables is not None:
            form |= {"Body": None, "ContentSid": credentials.CONTENT_SID}
            form |= {"ContentVariables": json.dumps(variables)}
        created = api.create(**{"To": TO, "From": FROM, **form})
        assert created.status_code == 201, created.text
        api.account.settle()
        return api.get(f"/Messages/{created.json()['sid']}.json").json()

    return create


def test_free_text_is_accepted_and_fails_outside_the_24_hours(send):
    ended = send()
    assert (ended["status"], ended["error_code"]) == ("failed", 63016)
    assert "outside the allowed window" in ended["error_message"]


def test_free_text_arrives_at_who_has_written(api, send):
    api.account.whatsapp_windows.add(TO.removeprefix("whatsapp:"))
    assert (send()["status"], send()["error_code"]) == ("delivered", None)


def test_a_template_arrives_at_any_time_with_its_variables_filled_in(send):
    ended = send({"1": "900001", "2": "75 000 kr"})
    assert (ended["status"], ended["from"], ended["to"]) == ("delivered", FROM, TO)
    assert ended["body"] == "Document 900001 over 75 000 kr needs your attention."


def test_a_messaging_service_sends_from_its_whatsapp_number(send):
    service = {"From": None, "MessagingServiceSid": credentials.MESSAGING_SERVICE_SID}
    assert send({"1": "a", "2": "b"}, **service)["from"] == FROM


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"1": "a"}, 63028),
        ({"1": "a", "2": "b", "3": "c"}, 63028),
        ({"1": "a", "2": ""}, 63021),
        ({"1": "a", "2": "b\nc"}, 63021),
        ({"1": "a", "2": "b     c"}, 63021),
    ],
)
def test_variables_that_whatsapp_refuses_fail_afterwards(send, variables, code):
    ended = send(variables)
    assert (ended["status"], ended["error_code"]) == ("failed", code)


def test_a_number_with_an_outcome_of_its_own_has_it_on_whatsapp_too(send):
    ended = send({"1": "a", "2": "b"}, To="whatsapp:+46701740691")
    assert (ended["status"], ended["error_code"]) == ("undelivered", 30003)
