"""Behind an HTTP proxy: what may have passed through it is never sent again."""

from __future__ import annotations

import pytest
from office import Office
from proxies import Proxy, Tls
from singer import invoice

from target_twilio_alerts.delivery.channels import Outgoing, Postponed, SmsChannel

ANNA = {"sms": "+46701740605", "email": "anna@example.com"}


@pytest.fixture
def proxy(monkeypatch):
    with Proxy() as running:
        use(running.url, monkeypatch)
        yield running


def use(url, monkeypatch):
    """All that is sent goes through a proxy."""
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, url)


@pytest.fixture
def tls(workplace, monkeypatch):
    """Twilio speaks TLS, and is trusted."""
    with Tls(workplace.sandbox.twilio_url, workplace.root) as running:
        workplace.config["twilio_api_url"] = running.url
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.certificate))
        yield running


@pytest.fixture
def deliver(workplace):
    """Delivers an alert over a channel; gives the states that its message has had."""
    office = Office(workplace)

    def run(via):
        office.people(via=via, anna=ANNA)
        office.alert(invoice("1", 75000))
        office.run("deliver")
        told = "SELECT kind FROM audit_events WHERE message_id IS NOT NULL ORDER BY seq"
        return [kind.removeprefix("message_") for (kind,) in workplace.query(told)]

    return run


def test_an_answer_that_a_proxy_loses_is_found_in_the_list(workplace, proxy, deliver):
    workplace.sandbox.faults.add("twilio", method="POST", drop="after")
    assert deliver("sms")[:4] == ["created", "sending", "unknown", "settled"]
    (message,) = workplace.accepted
    assert workplace.messages("sid", "tries") == [(message.sid, 1)]
    assert [line.split()[0] for line in proxy.asked][:2] == ["POST", "GET"]


def test_an_answer_that_is_lost_in_a_tunnel_is_found_in_the_list(workplace, tls, proxy, deliver):
    workplace.sandbox.faults.add("twilio", method="POST", drop="after")
    assert deliver("sms")[:4] == ["created", "sending", "unknown", "settled"]
    (message,) = workplace.accepted
    assert workplace.messages("sid", "tries") == [(message.sid, 1)]
    assert {line.rpartition(" ")[0] for line in proxy.asked} == {f"CONNECT 127.0.0.1:{tls.port}"}


@pytest.mark.parametrize("provider", ["sendgrid", "twilio"])
def test_an_email_whose_answer_a_proxy_loses_is_sent_once(workplace, proxy, deliver, provider):
    workplace.config["email_driver"] = provider
    service = "sendgrid" if provider == "sendgrid" else "comms"
    workplace.sandbox.faults.add(service, method="POST", drop="after")
    assert deliver("email") == ["created", "sending", "unknown"]
    posted = [one for one in workplace.sandbox.requests(service) if one.method == "POST"]
    assert len(posted) == len(proxy.asked) == 1
    ((reason,),) = workplace.messages("messages.reason")
    assert "it may have been sent" in reason


@pytest.fixture
def handed_over(workplace):
    """Hands a message over to Twilio; gives what came of it."""

    def send():
        config = workplace.config
        channel = SmsChannel(
            account_sid=config["account_sid"],
            auth_token=config["auth_token"],
            from_number=config["from_number"],
            base_url=config["twilio_api_url"],
        )
        outcome = channel.send(Outgoing("H95DWAB8", "sms", ANNA["sms"], None, "An invoice"))
        channel.close()
        assert workplace.accepted == []
        return outcome

    return send


def test_a_proxy_that_is_not_there_may_be_tried_again(monkeypatch, handed_over):
    use("http://127.0.0.1:1", monkeypatch)
    assert handed_over() == Postponed("the HTTP proxy cannot be reached")


@pytest.mark.usefixtures("tls")
def test_a_proxy_that_opens_no_tunnel_may_be_tried_again(monkeypatch, handed_over):
    with Proxy(refuses=True) as proxy:
        use(proxy.url, monkeypatch)
        assert handed_over() == Postponed("the HTTP proxy does not open the connection")
    assert proxy.asked


def test_a_certificate_that_is_not_trusted_behind_a_proxy_may_be_replaced(
    monkeypatch, tls, proxy, handed_over
):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert handed_over() == Postponed("the TLS certificate of 127.0.0.1 cannot be verified")
    assert [str(tls.port) in line for line in proxy.asked] == [True]
