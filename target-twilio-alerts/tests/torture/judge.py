"""Judges what came of a company's alerts: by what the sandbox accepted, and what the ledger lists.

What the providers accepted is their own record, not the ledger's word.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torture.company import bookmarks, read_text

from target_twilio_alerts.audit import anchors
from target_twilio_alerts.audit.verify import verify
from target_twilio_alerts.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from torture.company import Company, Telling

TAKEN = {"accepted", "sent", "delivered"}
AT_WORK = {"pending", "claimed", "sending"}


@dataclass
class Verdict:
    """What is wrong; nothing, if all is as promised.

    Attributes:
        twice: Messages and tellings that were accepted more than once.
        lost: Tellings that were neither accepted nor are listed as unknown with a reason.
        unasked: Tellings that nobody asked for.
        ahead: Documents that STATE covers, and the ledger has not.
        wrong: What else does not agree.
        accepted: How many messages the providers accepted.
        settled: How many unknown messages were settled by evidence.
        listed: Unknown messages that are listed, by their reason.
    """

    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    accepted: int = 0
    settled: int = 0
    listed: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> list[str]:
        """All that is wrong, a line each."""
        return [
            f"{name}: {what}"
            for name in ("twice", "lost", "unasked", "ahead", "wrong")
            for what in getattr(self, name)
        ]


def look(company: Company, place: Any) -> Verdict:
    """Judge a company's ledger and its providers, once a run has come to its end."""
    verdict = Verdict()
    taken = accepted(place.sandbox)
    verdict.accepted = len(taken)
    texts = Counter(taken)
    verdict.twice += [f"handed over {n} times: {one}" for one, n in texts.items() if n > 1]
    told = Counter(telling for to, text in taken for telling in read_text(to, text).tellings)
    verdict.twice += [f"told {n} times: {telling}" for telling, n in told.items() if n > 1]
    rows = place.query(
        "SELECT messages.id, state, reason, address, text, channel FROM messages"
        " JOIN message_contents ON message_id = messages.id"
    )
    unknown: set[Telling] = set()
    for message_id, found, reason, address, text, channel in rows:
        is_taken = (address, text) in texts
        if found in AT_WORK:
            verdict.wrong.append(f"message {message_id} is {found} after a run that has ended")
        elif found == "unknown":
            if not reason:
                verdict.wrong.append(f"message {message_id} is unknown, and nothing says why")
            unknown |= set(read_text(address, text).tellings)
            verdict.listed[f"{channel}: {reason}"] += 1
        elif (found in TAKEN) != is_taken:
            verdict.wrong.append(f"message {message_id} is {found}; accepted: {is_taken}")
    known = {read_text(address, text).reference for _, _, _, address, text, _ in rows}
    verdict.wrong += [
        f"the ledger does not know what was accepted: {text}"
        for to, text in taken
        if read_text(to, text).reference not in known
    ]
    verdict.lost += [str(one) for one in sorted(company.due - told.keys() - unknown)]
    asked = company.due | company.waiting
    verdict.unasked += [str(one) for one in sorted(told.keys() - asked)]
    _look_at_the_trail(verdict, place)
    settled = "SELECT count(*) FROM audit_events WHERE kind = 'message_settled'"
    ((verdict.settled,),) = place.query(settled)
    return verdict


def accepted(sandbox: Any) -> list[tuple[str, str]]:
    """Address and text of each message that a provider accepted."""
    texts = [(one.to, one.body) for one in sandbox.twilio.messages]
    return [*texts, *((one.to, one.text) for one in sandbox.sendgrid.emails)]


def unsettled(place: Any) -> list[str]:
    """Messages that are unknown, though Twilio's list has them."""
    listed = {(one.to, one.body) for one in place.sandbox.twilio.messages}
    rows = place.query(
        "SELECT messages.id, address, text FROM messages"
        " JOIN message_contents ON message_id = messages.id WHERE state = 'unknown'"
    )
    return [message_id for message_id, *sent in rows if tuple(sent) in listed]


def ahead(company: Company, place: Any, stdout: str) -> list[str]:
    """What the STATE lines of a run cover, and its ledger does not have."""
    last = max(bookmarks(stdout), default=None)
    if last is None:
        return []
    stored = {
        json.loads(key)["referenceNumber"]: stamp
        for key, stamp in place.query("SELECT key, stamp FROM documents")
    }
    return [
        f"STATE covers {number} of {stamp}, the ledger has {stored.get(number)}"
        for number, stamp in company.covered(last).items()
        if stored.get(number, "") < stamp
    ]


def _look_at_the_trail(verdict: Verdict, place: Any) -> None:
    """Hold the trail against itself, its rows, and the anchors of all runs that came to an end."""
    anchored: Path = place.root / "anchors.txt"
    ledger = Ledger(place.config["ledger_url"])
    try:
        found = verify(ledger, anchors.read([anchored]) if anchored.exists() else None)
    finally:
        ledger.close()
    if found.fault is not None:
        verdict.wrong.append(f"the trail: {found.fault}")
