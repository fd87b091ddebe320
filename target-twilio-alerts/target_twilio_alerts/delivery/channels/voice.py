"""Calls through Twilio's Calls API: the text is read out, twice, in the recipient's language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from babel import Locale

from target_twilio_alerts.delivery.channels.account import PAGE_SIZE, TwilioAccount
from target_twilio_alerts.delivery.channels.outcome import (
    Accepted,
    NoStatus,
    StatusReport,
    Unclear,
)
from target_twilio_alerts.delivery.channels.sms import NOT_FOUND, read_price
from target_twilio_alerts.messages.locales import builtin_formats, candidates, formats
from target_twilio_alerts.messages.segments import shorten

if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Unpack

    from target_twilio_alerts.delivery.channels.account import Login
    from target_twilio_alerts.delivery.channels.outcome import CheckResult, Found, Outcome, Outgoing

MAX_TWIML = 4000
"""Characters. Source: twilio-messages-calls.openapi.json, CreateCallRequest, Twiml."""

_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TIMES = 2
_SHORTER = 0.8
_SHORTEST = len("...")

_LANGUAGES = {
    "ca": "ES",
    "cy": "GB",
    "da": "DK",
    "de": "DE",
    "en": "US AU CA GB IN",
    "es": "ES MX US",
    "fi": "FI",
    "fr": "FR CA",
    "hi": "IN",
    "is": "IS",
    "it": "IT",
    "ja": "JP",
    "ko": "KR",
    "nb": "NO",
    "nl": "NL",
    "pl": "PL",
    "pt": "BR PT",
    "ro": "RO",
    "ru": "RU",
    "sv": "SE",
    "tr": "TR",
    "zh": "CN HK TW",
}
"""What Twilio reads, by language and country, the usual country first; of a text in another
language it may say nothing. Source: Say.Language in Twilio's library for Java."""

_OTHERS = "en-US"


class VoiceChannel(TwilioAccount):
    """Calls people from one Twilio account. Safe to use from several threads at once.

    Source: twilio-messages-calls.openapi.json, POST and GET /2010-04-01/Accounts/{AccountSid}/
    Calls.json. There is no idempotency key, so nothing is ever retried here.

    Args:
        from_number: The caller: a number of the account that can call.
        login: How to reach the account.

    Raises:
        ValueError: A SID is malformed, or credentials or caller are missing; says which setting.
    """

    def __init__(self, *, from_number: str, **login: Unpack[Login]) -> None:
        super().__init__(**login)
        if not from_number:
            raise ValueError("no caller: set voice_from")
        self.from_number = from_number

    def sender_of(self, to: str) -> str:  # noqa: ARG002 - the channels' interface
        """The number that calls."""
        return self.from_number

    def send(self, outgoing: Outgoing) -> Outcome:
        """Ask Twilio for one call, once. Never raises for what the network or Twilio does."""
        client = self.client()
        fields = {"to": outgoing.to, "from_": self.from_number, "twiml": twiml_of(outgoing)}
        if outgoing.status_callback:
            fields["status_callback"] = outgoing.status_callback
        try:
            call = client.api.calls.create(**fields)
        except Exception as error:  # noqa: BLE001 - once it may have left, every failure has an outcome
            return client.outcome_of(error)
        if not isinstance(call.sid, str) or not _CALL_SID.fullmatch(call.sid):
            return Unclear(
                f"{client.http.host} answered HTTP {client.http.status} without a call SID; "
                "it may have been sent"
            )
        return Accepted(
            sid=call.sid,
            status=call.status if isinstance(call.status, str) else None,
            request_id=client.http.headers.get("Twilio-Request-Id"),
            segments=None,
        )

    def fetch_status(self, sid: str) -> StatusReport | NoStatus:
        """Ask how far call `sid` has come."""
        client = self.client()
        try:
            call = client.api.calls(sid).fetch()
        except Exception as error:  # noqa: BLE001 - asking again later is the answer to every failure
            status = getattr(error, "status", None)
            reason = getattr(client.outcome_of(error), "reason", "no reason given")
            return NoStatus(reason, is_final=status == NOT_FOUND)
        if not isinstance(call.status, str):
            return NoStatus("the answer has no status", is_final=False)
        return StatusReport(
            status=call.status, price=read_price(call.price), price_unit=call.price_unit
        )

    def find(self, to: str, *, since: datetime) -> list[Found] | NoStatus:
        """List the calls that Twilio has accepted for a number since then."""
        return self.listed(
            lambda client: client.api.calls.stream(to=to, page_size=PAGE_SIZE), since
        )

    def check(self) -> list[CheckResult]:
        """Try the credentials, then the caller's number, without calling anybody."""
        from target_twilio_alerts.delivery.channels.sms_check import (  # noqa: PLC0415 - an operator's command only
            check_voice,
        )

        return check_voice(self)


def twiml_of(outgoing: Outgoing) -> str:
    """Write what Twilio does when somebody answers: MAX_TWIML characters at most.

    The text is read twice with a pause, its reference spelt out. With a `keypress_url` a key is
    asked for, which Twilio tells to that URL.
    """
    text = " ".join(_NOT_IN_XML.sub(" ", outgoing.text).split())
    if len(outgoing.message_id) > 1:
        text = text.replace(outgoing.message_id, " ".join(outgoing.message_id))
    for times in (_TIMES, 1):
        twiml = _twiml(text, outgoing, times)
        if len(twiml) <= MAX_TWIML:
            return twiml
    while len(twiml) > MAX_TWIML and len(text) > _SHORTEST:
        text = shorten(text, int(len(text) * _SHORTER))
        twiml = _twiml(text, outgoing, 1)
    return twiml


def _twiml(text: str, outgoing: Outgoing, times: int) -> str:
    from twilio.twiml.voice_response import (  # type: ignore[import-untyped] # noqa: PLC0415 - most runs call nobody
        Gather,
        VoiceResponse,
    )

    language = language_of(outgoing.locale)
    response = VoiceResponse()
    spoken = response
    if outgoing.keypress_url:
        spoken = Gather(num_digits=1, action=outgoing.keypress_url, method="POST")
        response.append(spoken)
    for number in range(times):
        if number:
            spoken.pause(length=1)
        spoken.say(text, language=language)
    if outgoing.keypress_url:
        words = builtin_formats(outgoing.locale)
        spoken.say(words.phrase("press_key"), language=language_of(words.locale))
    return str(response.to_xml())


def language_of(locale: str) -> str:
    """The language in which Twilio reads a locale's texts: "sv_SE", "sv" and "sv_FI" -> "sv-SE"."""
    known = formats(locale).locale
    *_, language = candidates(known)
    countries = _LANGUAGES.get(language, "").split()
    if not countries:
        return _OTHERS
    own = Locale.parse(known).territory
    return f"{language}-{own if own in countries else countries[0]}"
