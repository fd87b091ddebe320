"""Twilio's signature, by a published vector."""

from __future__ import annotations

import pytest
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request

from target_twilio_alerts.server.signature import TwilioSignature

# The example of https://www.twilio.com/docs/usage/security.
TOKEN = "12345"
FIELDS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
WITH_SHA256 = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="


def is_signed(
    *,
    public_url="https://mycompany.com",
    path=b"/myapp.php",
    query=b"foo=1&bar=2",
    fields=FIELDS,
    signature=SIGNATURE,
    headers=(),
):
    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": path,
        "query_string": query,
        "headers": [(b"x-twilio-signature", signature.encode("latin-1")), *headers],
    }
    checked = TwilioSignature(public_url=public_url, account_sid="AC", auth_token=TOKEN)
    return checked._is_signed(Request(scope), ImmutableMultiDict(fields))


@pytest.mark.parametrize("public_url", ["https://mycompany.com", "https://mycompany.com:443"])
def test_what_twilio_signed_is_taken_with_or_without_the_port(public_url):
    assert is_signed(public_url=public_url)


def test_a_proxy_that_adds_the_path_of_the_public_url_or_takes_it_away_changes_nothing():
    assert is_signed(public_url="https://mycompany.com/myapp.php", path=b"")
    assert is_signed(path=b"/myapp.php", headers=[(b"host", b"inside:8080")])


@pytest.mark.parametrize(
    "other",
    [
        {"public_url": "http://mycompany.com"},
        {"public_url": "https://mycompany.org"},
        {"path": b"/myapp.php/"},
        {"query": b"bar=2&foo=1"},
        {"query": b""},
        {"fields": {**FIELDS, "Digits": "1235"}},
        {"fields": {**FIELDS, "Blank": ""}},
        {"fields": [*FIELDS.items(), ("To", "+18005551213")]},
        {"fields": {}},
        {"signature": ""},
        {"signature": WITH_SHA256},
        {"signature": SIGNATURE.lower()},
        {"signature": "\xe9" * 28},
    ],
)
def test_what_is_signed_otherwise_is_not(other):
    assert not is_signed(**other)
