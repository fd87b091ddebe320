from __future__ import annotations

import ssl
from http.client import RemoteDisconnected

import pytest
import requests
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    SSLError,
)

from target_twilio_alerts.delivery.channels import (
    EXPLANATIONS,
    CredentialsRefused,
    Fault,
    Postponed,
    Unclear,
    explain,
)
from target_twilio_alerts.delivery.channels.answers import error_of_body, from_exception
from target_twilio_alerts.delivery.channels.codes import _TABLE

HOST = "api.twilio.com"
_REFUSED_CERTIFICATE = SSLError(ssl.SSLCertVerificationError(1, "certificate verify failed"))


def through_proxy(error):
    """What `requests` raises of an error that urllib3 takes for the proxy's."""
    wrapped = ProxyError("Unable to connect to proxy", error)
    return requests.exceptions.ProxyError(MaxRetryError(None, "/", wrapped))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (requests.exceptions.ConnectTimeout(), Postponed),
        (requests.exceptions.ProxyError(), Unclear),
        (through_proxy(NewConnectionError(HTTPSConnection(HOST), "refused")), Postponed),
        (through_proxy(NameResolutionError(HOST, HTTPSConnection(HOST), OSError())), Postponed),
        (through_proxy(ConnectTimeoutError()), Postponed),
        (through_proxy(OSError("Tunnel connection failed: 403 Forbidden")), Postponed),
        (through_proxy(_REFUSED_CERTIFICATE), Postponed),
        (through_proxy(OSError("something else")), Unclear),
        (through_proxy(ConnectionResetError(104, "reset by peer")), Unclear),
        (through_proxy(RemoteDisconnected("no response")), Unclear),
        (through_proxy(ProtocolError("aborted")), Unclear),
        (through_proxy(SSLError("eof")), Unclear),
        (
            requests.exceptions.ConnectionError(
                MaxRetryError(
                    None, "/", NameResolutionError(HOST, HTTPSConnection(HOST), OSError())
                )
            ),
            Postponed,
        ),
        (requests.exceptions.SSLError(MaxRetryError(None, "/", _REFUSED_CERTIFICATE)), Postponed),
        (requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError("eof"))), Unclear),
        (requests.exceptions.ReadTimeout(), Unclear),
        (requests.exceptions.ChunkedEncodingError(), Unclear),
        (requests.exceptions.ConnectionError(), Unclear),
        (requests.exceptions.InvalidHeader(), CredentialsRefused),
        (RuntimeError("anything"), Unclear),
    ],
)
def test_only_what_failed_before_the_connection_is_safe_to_try_again(error, expected):
    outcome = from_exception(error, HOST)
    assert isinstance(outcome, expected)
    assert ("may have been sent" in outcome.reason) == (expected is Unclear)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"code": 21211, "message": "no"}', (21211, "no")),
        ('{"code": 1, "title": "Bad", "detail": "worse"}', (1, "Bad: worse")),
        ('{"errors": [{"message": "a", "field": "b"}, {"message": "c"}]}', ("b", "a; c")),
        ('{"errors": [{"message": "a", "field": "null"}]}', (None, "a")),
        ('{"errors": ["odd", {}]}', (None, "")),
        ("[]", (None, "")),
        ("<h1>", (None, "")),
    ],
)
def test_error_bodies_of_both_providers_are_read(body, expected):
    assert error_of_body(body) == expected


def test_a_code_is_explained_with_what_to_do():
    told = explain(21610)
    assert "STOP" in told.meaning
    assert told.mend
    assert explain("21610") == told


@pytest.mark.parametrize("code", [None, 1, "reply_to.email", "null", ""])
def test_an_unknown_code_has_no_explanation(code):
    assert explain(code) is None


CODES = """
10001 10004 13227 14107 20003 20404 20429 20500 20503 21201 21210 21211 21212 21213 21214 21215
21216 21217 21219 21266 21408
21602 21603 21604 21606 21608 21610 21611 21612 21614 21617 21655 21656 21703 21704 21705 30001
30002 30003 30004 30005 30006 30007 30008 30017 30018 30024 30029 30032 30034 30035 30036 30410
30450 30500 63003 63007 63013 63015 63016 63018 63021 63024 63027 63028 63032 63033 90007 90010
"""


@pytest.mark.parametrize("code", CODES.split())
def test_every_code_an_operator_may_meet_is_in_the_table(code):
    told = explain(code)
    assert told is not None
    assert not told.meaning.endswith(".")
    assert not told.mend.endswith(".")
    assert told.fault in Fault


def test_the_table_is_large_and_names_each_code_once():
    named = [code for codes, *_ in _TABLE for code in codes.split()]
    assert len(named) == len(set(named)) == len(EXPLANATIONS) >= 100


def test_whoever_is_the_recipient_of_an_email_the_refused_field_is_explained():
    told = explain("personalizations.0.to.0.email")
    assert told is not None
    assert told.fault is Fault.RECIPIENT
    assert explain("personalizations.12.to.3.email") == told


def test_how_a_call_ended_is_explained_where_there_is_no_code():
    assert explain("busy").meaning == "the line was busy"
    assert explain("no-answer").fault is Fault.RECIPIENT
