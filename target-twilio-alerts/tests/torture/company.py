"""A company whose documents come and change, its tap, and who must be told what of it.

Who must be told is worked out from the documents alone, by nothing of the target's code.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from singer import invoice, record, schema, state

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

ANNA, BO, CARL = "+46701740605", "+46701740606", "+46701740607"
ANNAS_MAIL, CARLS_MAIL = "anna@example.com", "carl@example.com"

ALERTS = f"""
timezone: Europe/Stockholm
recipients:
  anna: {{name: Anna Berg, sms: "{ANNA}", email: {ANNAS_MAIL}}}
  bo: {{name: Bo Ek, sms: "{BO}"}}
  carl: {{name: Carl Dahl, sms: "{CARL}", email: {CARLS_MAIL}}}
limits: {{per_recipient: 100000}}
rules:
  large: {{entity: supplier_invoice, when: amount > 50000, notify: [anna, bo], via: sms,
    escalate: {{after: 15m, notify: carl, via: [sms, email]}}}}
  huge: {{entity: supplier_invoice, when: amount > 80000, notify: anna, via: email,
    digest: {{daily: "08:00"}}}}
  held: {{entity: supplier_invoice, when: on_hold, notify: carl, via: [sms, email]}}
"""
TEXT = "{{ rule }} of {{ amount | number(2) }}, step {{ step }}. Ref {{ reference }}"
TEMPLATES = {
    "large.sms": TEXT,
    "large.email": f"Subject: {{{{ number }}}}\n{TEXT}",
    "held.sms": TEXT,
    "held.email": f"Subject: {{{{ number }}}}\n{TEXT}",
}
LATER = "2026-11-21"

_TOLD = re.compile(r"(?P<rule>\w+) of (?P<amount>[\d,.]+), step (?P<step>\d+)\. Ref (?P<ref>\w+)")
_LISTED = re.compile(r"^- .*?(?P<amount>[\d,]+\.\d\d)", re.MULTILINE)


class Telling(NamedTuple):
    """Somebody is told that a version of a document, known by its amount, made a rule true."""

    rule: str
    amount: int
    step: int
    to: str


class Told(NamedTuple):
    """What a text tells; texts of two hand-overs of one message have the same reference."""

    tellings: tuple[Telling, ...]
    reference: str


def read_text(to: str, text: str) -> Told:
    """What a message of this text tells its reader."""
    found = _TOLD.search(text)
    if found is not None:
        amount, step = _whole(found["amount"]), int(found["step"])
        return Told((Telling(found["rule"], amount, step, to),), found["ref"])
    rows = [_whole(amount) for amount in _LISTED.findall(text)]
    reference = re.search(r"Ref\w* (\w+)", text)
    assert rows, f"a message that nobody expects: {text}"
    assert reference, text
    return Told(tuple(Telling("huge", row, 0, to) for row in rows), reference[1])


def _whole(amount: str) -> int:
    return int(amount.partition(".")[0].replace(",", ""))


@dataclass
class Company:
    """Its documents, in the order in which they came and changed.

    Attributes:
        past: Each version with the stamp that the tap orders them by.
        bookmark: Up to where STATE says that the target has taken them in.
        due: Who must have been told when all is done.
        waiting: Who must be told once time has passed: digests, and steps of escalations.
    """

    chance: random.Random
    past: list[dict[str, Any]] = field(default_factory=list)
    bookmark: str = "2026-11-20T10:00:00"
    due: set[Telling] = field(default_factory=set)
    waiting: set[Telling] = field(default_factory=set)
    newest: dict[str, dict[str, Any]] = field(default_factory=dict)

    def work(self, *, only_held: bool = False) -> None:
        """Let documents come, and some of those that are there change."""
        for _ in range(self.chance.randint(2, 5)):
            known = list(self.newest)
            number = f"n{len(known) + 1}"
            if known and self.chance.random() < 1 / 3:
                number = self.chance.choice(known)
            level = 10_000 if only_held else self.chance.choice([10_000, 60_000, 60_000, 90_000])
            hold = only_held or self.chance.random() < 1 / 4
            self._become(number, level + len(self.past), hold=hold)

    def _become(self, number: str, amount: int, *, hold: bool) -> None:
        stamp = f"{LATER}T{len(self.past) // 3600:02}:{len(self.past) // 60 % 60:02}"
        stamp += f":{len(self.past) % 60:02}"
        row = invoice(number, amount, stamp=stamp, hold=hold)
        before, self.newest[number] = self.newest.get(number), row
        self.past.append(row)
        if hold and not (before and before["hold"]):
            self.due |= {Telling("held", amount, 0, to) for to in (CARL, CARLS_MAIL)}
        if amount > 50_000 and not (before and before["amount"] > 50_000):
            self.due |= {Telling("large", amount, 0, to) for to in (ANNA, BO)}
            self.waiting |= {Telling("large", amount, 1, to) for to in (CARL, CARLS_MAIL)}
        if amount > 80_000 and not (before and before["amount"] > 80_000):
            self.waiting.add(Telling("huge", amount, 0, ANNAS_MAIL))

    def time_passes(self) -> None:
        """What waited is due."""
        self.due |= self.waiting
        self.waiting = set()

    def lines(self) -> str:
        """What the tap writes now: all since the bookmark, and a STATE now and then."""
        every = self.chance.randint(1, 3)
        told = [schema()]
        for number, row in enumerate(self.past):
            # As a tap that reads on from its bookmark, it brings the last one again.
            if row["lastModifiedDateTime"] >= self.bookmark:
                told.append(record(row))
                if number % every == 0:
                    told.append(state(row["lastModifiedDateTime"]))
        return "".join([*told, state(self.last)])

    @property
    def last(self) -> str:
        """The newest stamp."""
        return str(self.past[-1]["lastModifiedDateTime"]) if self.past else self.bookmark

    def covered(self, bookmark: str) -> dict[str, str]:
        """Of each document the newest stamp that a STATE with this bookmark covers."""
        return {
            row["referenceNumber"]: row["lastModifiedDateTime"]
            for row in self.past
            if row["lastModifiedDateTime"] <= bookmark
        }


def bookmarks(stdout: str) -> Iterable[str]:
    """The bookmarks of the STATE lines that are out; of one that was cut off nobody hears."""
    for line in stdout.splitlines(keepends=True):
        if line.endswith("\n"):
            (partition,) = json.loads(line)["bookmarks"]["supplier_invoices"]["partitions"]
            yield partition["replication_key_value"]
