"""What somebody answers to an SMS or a WhatsApp message: "K2M8P4RX", "ok", or "STOP".

Source: https://www.twilio.com/docs/messaging/guides/webhook-request. A wrong acknowledgement would
keep others from being told, so only what is certain is one: a reference that this very number was
sent, or a yes from a number that was told of nothing else of late.
"""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from target_twilio_alerts.delivery.acknowledging import acknowledge
from target_twilio_alerts.ledger import Event, LedgerError, events, opt_outs, replies
from target_twilio_alerts.ledger.escalations import Acknowledgement
from target_twilio_alerts.ledger.opt_outs import OptOut, hash_of
from target_twilio_alerts.ledger.runs import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection
    from starlette.requests import Request

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.replies import Told
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.server.signature import TwilioSignature

_HOW = "reply"
_REFERENCE_COUNTS, _YES_COUNTS = timedelta(days=30), timedelta(hours=24)
"""How long after a message its reference, or a yes, is an answer to it."""

STOP = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
"""Words by which Twilio takes a number for opted out, if they are all that is said."""

START = frozenset({"START", "UNSTOP"})
"""Words by which Twilio lets a number be told again. YES is one to it too, and to us an answer."""

YES = frozenset(
    {
        *("1", "OK", "OKAY", "ACK", "ACKNOWLEDGE", "YES"),
        *("JA", "JO", "JEPP", "KVITTERA", "KVITTERAR", "KVITTERT", "KVITTERER"),
        *("KYLLÄ", "SELVÄ", "KUITTAAN", "KUITATTU"),
    }
)

_REFERENCE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{8}\b")
_REMEMBERED = 10_000
_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Reply(NamedTuple):
    """What somebody answered, and Twilio's name for it."""

    sid: str
    channel: str
    address: str
    words: str
    opts: str

    @property
    def is_stop(self) -> bool:
        """Whether somebody wants no more messages."""
        return self.opts == "STOP" or self.words.rstrip(".!") in STOP

    @property
    def is_start(self) -> bool:
        """Whether somebody wants to be told again."""
        return self.opts == "START" or self.words.rstrip(".!") in START


class Replies:
    """Hears answers, and says nothing to them: a machine that answers must find no other.

    Args:
        signature: Tells Twilio's requests from others.
        ledger: Where alerts are acknowledged.
        run: The run at work.
    """

    def __init__(self, signature: TwilioSignature, ledger: Ledger, run: Run) -> None:
        self._signature = signature
        self._ledger = ledger
        self._run = run
        self._lock = threading.Lock()
        self._heard: dict[str, None] = {}

    async def __call__(self, request: Request) -> Response:
        """Take one answer."""
        form = await self._signature.form(request)
        prefix, _, address = form.get("From", "").rpartition(":")
        channel = "whatsapp" if prefix == "whatsapp" else "sms"
        words = " ".join(form.get("Body", "").split()).upper()
        sid, opts = form.get("MessageSid", ""), form.get("OptOutType", "").upper()
        reply = Reply(sid, channel, address, words, opts)
        request.state.result = await run_in_threadpool(self._take, reply)
        return Response(_NOTHING, media_type="text/xml")

    def _take(self, reply: Reply) -> str:
        """Do what an answer says, once; gives what that was."""
        with self._lock:
            if reply.sid in self._heard:
                return "heard before"
            self._heard[reply.sid] = None
            for sid in list(self._heard)[:-_REMEMBERED]:
                del self._heard[sid]
        try:
            return self._act(reply)
        except LedgerError:
            self._heard.pop(reply.sid, None)  # Twilio tells it again
            raise

    def _act(self, reply: Reply) -> str:
        now = utc_now()
        with self._ledger.read() as connection:
            if replies.is_known(connection, _named(reply)):
                return "heard before"
            # Whoever wants no more wants none, however long ago the last message was.
            since = None if reply.is_stop else now - _REFERENCE_COUNTS
            told = replies.told(connection, reply.channel, reply.address, since=since)
        if reply.is_stop:
            with self._ledger.write() as connection:
                return self._opt_out(connection, reply, told)
        if reply.is_start:
            with self._ledger.write() as connection:
                if self._opt_in(connection, reply):
                    return "opted in"
        result = "not understood"
        for one in _meant(reply, told):
            made = Acknowledgement(one.alert_id or "", now, one.recipient, _HOW, _named(reply))
            with self._ledger.write() as connection:
                acknowledge(connection, made, run_id=self._run.id)
            result = "acknowledged"
        return result

    def _opt_out(self, connection: Connection, reply: Reply, told: Sequence[Told]) -> str:
        """Remember that somebody wants no more; of a number that we never told, nothing is."""
        if not told:
            return "opted out, unknown"
        now, message_id = utc_now(), told[0].message_id
        address = hash_of(reply.channel, reply.address)
        one = OptOut(reply.channel, address, now, message_id, f"STOP, {_named(reply)}")
        if opt_outs.add(connection, one):
            body = {"channel": one.channel, "source": one.source}
            event = Event("opted_out", body, message_id=message_id)
            events.append(connection, [event], at=now, run_id=self._run.id)
        return "opted out"

    def _opt_in(self, connection: Connection, reply: Reply) -> bool:
        """Forget that somebody wanted no more; False if nobody knew."""
        if not opt_outs.remove(connection, reply.channel, reply.address):
            return False
        body = {"channel": reply.channel, "source": f"START, {_named(reply)}"}
        event = Event("opt_out_cleared", body)
        events.append(connection, [event], at=utc_now(), run_id=self._run.id)
        return True


def _named(reply: Reply) -> str:
    """An answer, as the trail knows it."""
    return f"answer {reply.sid}"


def _meant(reply: Reply, told: Sequence[Told]) -> list[Told]:
    """One message of each alert that an answer is certainly about."""
    by_reference = {one.message_id: one for one in told if one.alert_id}
    named = [by_reference[one] for one in _REFERENCE.findall(reply.words) if one in by_reference]
    if named:
        return list({one.alert_id: one for one in named}.values())
    if reply.words.rstrip(".!") not in YES:
        return []
    since = utc_now() - _YES_COUNTS
    lately = [one for one in told if one.told_at >= since and not one.is_acknowledged]
    alerts = {one.alert_id: one for one in lately}
    # A digest, or a second alert: nobody knows which of them the yes is for.
    return [one for one in alerts.values() if one.alert_id] if len(alerts) == 1 else []
