"""The link of an email: a page with a button, which acknowledges."""

from __future__ import annotations

import re

import pytest
from office import Office
from serving import PUBLIC, served
from singer import invoice

LINK = re.compile(re.escape(PUBLIC) + r"(/ack/[a-z]{30}-[0-9A-Z]{8})")


@pytest.fixture
def office(workplace):
    return Office(workplace)


@pytest.fixture
def paths(office):
    """The paths of the links that Anna and Bo were sent."""
    office.config["public_url"] = PUBLIC
    office.people(
        via="email",
        anna={"email": "anna@example.com", "locale": "sv_SE"},
        bo={"email": "bo@example.com"},
    )
    office.alert(invoice("1", 75000, stamp="2026-11-20T11:00:00", supplier={"name": "<b>&AB"}))
    office.run("deliver")
    sent = {one.to: one for one in office.sandbox.sendgrid.emails}
    found = {}
    for to, one in sent.items():
        (in_text,) = LINK.findall(one.text)
        (in_html,) = LINK.findall(one.html)
        assert in_text == in_html
        found[to.partition("@")[0]] = in_text
    assert len(set(found.values())) == 2
    return found


def acknowledged(office):
    return office.workplace.query("SELECT by, how FROM acknowledgements")


def test_the_button_acknowledges_and_looking_at_the_page_does_not(office, paths):
    with served(office.workplace) as server:
        get, post = server.session.get, server.session.post
        for _ in range(3):
            page = get(server.url + paths["anna"], timeout=9)
            assert page.status_code == 200
            assert '<form method="post"><button>Kvittera</button></form>' in page.text
        server.session.head(server.url + paths["anna"], timeout=9)
        assert acknowledged(office) == []
        assert "&lt;b&gt;&amp;AB" in page.text
        assert "<b>" not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert page.headers["referrer-policy"] == "no-referrer"
        thanks = post(server.url + paths["anna"], timeout=9)
        assert "Tack. Larmet är kvitterat." in thanks.text
        assert acknowledged(office) == [("anna", "link")]
        # It is one alert: Bo sees that somebody takes care, and cannot take it over.
        assert "<button>" not in get(server.url + paths["bo"], timeout=9).text
        assert post(server.url + paths["bo"], timeout=9).status_code == 200
        assert "The alert is acknowledged." in get(server.url + paths["bo"], timeout=9).text
    assert acknowledged(office) == [("anna", "link")]
    office.run("audit", "verify")


def test_a_link_that_was_not_sent_is_not_found(office, paths):
    drawn, _, reference = paths["anna"].rpartition("-")
    other = paths["bo"].rpartition("-")[2]
    guessed = [
        f"/ack/{reference}",
        f"/ack/{'b' * 30}-{reference}",
        f"{drawn}-{other}",
        f"{drawn}-ZZZZZZZZ",
        f"{drawn.upper()}-{reference}",
        "/ack/x",
    ]
    with served(office.workplace) as server:
        for path in guessed:
            assert server.session.get(server.url + path, timeout=9).status_code == 404
            assert server.session.post(server.url + path, timeout=9).status_code == 404
    assert acknowledged(office) == []


def test_a_link_ends_with_the_text_that_has_it(office, paths):
    office.workplace.command("erase", "anna", "--reason", "has left", "--yes")
    with served(office.workplace) as server:
        assert server.session.post(server.url + paths["anna"], timeout=9).status_code == 404
    assert acknowledged(office) == []


def test_without_a_public_url_there_is_no_link(office):
    office.people(via="email", anna={"email": "anna@example.com"})
    office.alert(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
    ((text, html),) = office.workplace.messages("text", "html")
    assert "/ack/" not in text + html
    assert "Acknowledge" not in text + html
