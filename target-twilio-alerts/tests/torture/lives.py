"""Lives of a company's alerts: its target is killed again and again, and run until all is done.

A life has a seed of its own, a new ledger and a new sandbox; whatever chance decides, it decides by
the seed. What a kill at a random time meets is the machine's to decide as well.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from singer import baseline
from time_passing import make_due
from torture import judge
from torture.aged import aged
from torture.company import ALERTS, TEMPLATES, Company, bookmarks
from torture.moments import ANSWER, MIGRATING, MOMENTS, Moment
from waiting import until
from workplaces import made_workplace
from zygote import DIGEST, ESCALATED, Step

from target_twilio_alerts.ledger.store import HEAD_REVISION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from zygote import Ended, Running, Zygote

PROVIDERS = ("twilio", "sendgrid")
KILLED = -9
LONGEST = 0.4
"""Seconds that a target of these lives is at work, most times."""

_MOST_RUNS, _MOST_ROUNDS = 6, 300


@dataclass
class Tally:
    """What came of lives, for the report."""

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    rounds: int = 0
    accepted: int = 0
    settled: int = 0
    listed: Counter[str] = field(default_factory=Counter)

    @property
    def number(self) -> int:
        """How often a target was killed."""
        return sum(self.kills.values())


class BrokenPromiseError(AssertionError):
    """Something was sent twice, lost or altered; the text says what, and how to see it again."""

    def __init__(self, seed: int, told: str, verdict: judge.Verdict) -> None:
        self.verdict = verdict
        lines = "\n".join(verdict.faults)
        super().__init__(f"seed {seed} (`make torture SEED={seed} KILLS=1`), {told}:\n{lines}")


class Life:
    """One company, from its first contact on.

    Args:
        seed: Decides what chance decides.
        place: A folder of its own.
        sandbox: The providers.
        zygote: Forks the targets.
        database: URL of an empty ledger.
        changes: What is otherwise in the targets; see `changes`.
        moments: Where they are killed, in turns.
    """

    def __init__(
        self,
        seed: int,
        place: Path,
        sandbox: Any,
        zygote: Zygote,
        database: str | None = None,
        *,
        changes: tuple[str, ...] = (),
        moments: tuple[Moment, ...] = MOMENTS,
    ) -> None:
        self.seed = seed
        self.tally = Tally()
        self._chance = random.Random(seed)
        self._company = Company(self._chance)
        self._zygote = zygote
        self._changes = ("small groups", *changes)
        self._place = made_workplace(place, sandbox, database)
        self._place.config["anchor_file"] = str(place / "anchors.txt")
        self._place.write_alerts(ALERTS)
        templates = place / "templates"
        templates.mkdir()
        for name, text in TEMPLATES.items():
            (templates / f"{name}.j2").write_text(text, encoding="utf-8")
        self._turns = self._in_turns(moments)
        self._round = "at first contact"

    def begin(self) -> None:
        """First contact: the stream is read whole, and alerts nobody."""
        self._end(self._zygote.start(self._place, baseline(), changes=self._changes))

    def begin_with_an_old_ledger(self, folder: Path, databases: Any, revision: str) -> None:
        """First contact and a run that came to nothing were by an earlier version of the target.

        The first runs of this one are killed while they bring the ledger up to date.
        """
        self.begin()
        for _ in range(3):
            self._company.work(only_held=True)
        self._kill(Moment("before a claim is committed", "commit", "claimed", most=1))
        config = self._place.config
        config["ledger_url"] = aged(config["ledger_url"], folder, databases, revision)
        # Each migration has a statement at least, and the last one has three.
        most = int(HEAD_REVISION) - int(revision) + 2
        for moment in (MIGRATING[0], *MIGRATING):
            self._kill(moment if moment.most == 1 else replace(moment, most=most))
        self._round = f"with a ledger of revision {revision}"
        self._finish()

    def live(self, kills: int, *, at: Collection[Moment] = ()) -> None:
        """Go on, round after round, until the target has been killed so often; then end well.

        Args:
            kills: How often, at least.
            at: Moments at each of which it must have been killed.
        """
        while self.tally.number < kills or not all(self.tally.kills[one.name] for one in at):
            assert self.tally.rounds < _MOST_ROUNDS, self.tally
            self.tally.rounds += 1
            moments = [next(self._turns) for _ in range(self._chance.randint(2, 4))]
            # Before another run has done what is due.
            moments.sort(key=lambda moment: moment.state not in {DIGEST, ESCALATED})
            self._round = f"round {self.tally.rounds}: {', '.join(one.name for one in moments)}"
            if self._chance.random() < 1 / 3 or any(
                moment.state in {DIGEST, ESCALATED} for moment in moments
            ):
                self._let_time_pass()
            self._company.work()
            self._place.config["max_in_flight"] = self._chance.choice([1, 2, 4])
            if self._chance.random() < 1 / 5:
                self._lose_an_answer()
            for moment in moments:
                self._kill(moment)
            self._place.sandbox.faults.clear()
            self._finish()
        self._round = "at the end"
        self._let_time_pass()
        self._finish()
        for _ in range(_MOST_RUNS):
            if not judge.unsettled(self._place):
                break
            self._finish()
        else:
            verdict = judge.Verdict(wrong=judge.unsettled(self._place))
            raise BrokenPromiseError(self.seed, "unknown, though Twilio's list has them", verdict)

    def _in_turns(self, moments: tuple[Moment, ...]) -> Iterator[Moment]:
        while True:
            yield from self._chance.sample(moments, len(moments))

    def _kill(self, moment: Moment) -> None:
        """Run, and be killed at this moment, if it comes to it."""
        if moment.fault:
            running = self._kill_while_a_request_is_out(moment)
        else:
            step = moment.step(self._chance)
            running = self._start(step)
            if step is None:
                at = time.monotonic() + self._chance.uniform(0, LONGEST)
                until(lambda: time.monotonic() > at or running.has_ended())
                running.kill()
        ended = running.wait()
        assert ended.code in {0, KILLED}, ended.stderr
        self.tally.kills[moment.name] += ended.code == KILLED
        self._take_state(ended)

    def _kill_while_a_request_is_out(self, moment: Moment) -> Running:
        provider = self._chance.choice(PROVIDERS)
        never = self._chance.choice([None, "before"])
        fault = self._place.sandbox.faults.add(
            provider,
            method="POST",
            **({"stall": 60} if moment.fault == ANSWER else {"delay": 0.2, "drop": never}),
        )
        self._place.config["max_in_flight"] = 1
        before = self._taken(provider)
        running = self._start(None)
        until(
            lambda: (
                running.has_ended()
                or (fault.times == 0 and (moment.fault != ANSWER or self._taken(provider) > before))
            )
        )
        running.kill()
        if fault.times == 0 and fault.drop is None:
            # What has arrived whole is taken, though nobody waits for the answer any more.
            until(lambda: self._taken(provider) > before)
        return running

    def _taken(self, provider: str) -> int:
        sandbox = self._place.sandbox
        return len(sandbox.twilio.messages if provider == "twilio" else sandbox.sendgrid.emails)

    def _lose_an_answer(self) -> None:
        """A provider breaks off, or is in trouble itself: what was sent is unknown, for now."""
        provider = self._chance.choice(PROVIDERS)
        given: dict[str, Any] = self._chance.choice([{"drop": "after"}, {"status": 500}])
        self._place.sandbox.faults.add(provider, method="POST", **given)

    def _let_time_pass(self) -> None:
        """What waits in the ledger is due."""
        make_due(self._place)
        self._company.time_passes()

    def _start(self, step: Step | None) -> Running:
        lines = self._company.lines()
        return self._zygote.start(self._place, lines, die=step, changes=self._changes)

    def _finish(self) -> None:
        """Run until all is done, and judge."""
        self._end(self._start(None))
        verdict = judge.look(self._company, self._place)
        self.tally.accepted, self.tally.settled = verdict.accepted, verdict.settled
        self.tally.listed = verdict.listed
        self._insist(verdict)

    def _end(self, running: Running) -> None:
        ended = running.wait()
        assert ended.code == 0, ended.stderr
        self._take_state(ended)

    def _take_state(self, ended: Ended) -> None:
        """Keep the STATE that came out, as Meltano does, and hold it against the ledger."""
        self.tally.runs += 1
        self._insist(judge.Verdict(ahead=judge.ahead(self._company, self._place, ended.stdout)))
        self._company.bookmark = max([self._company.bookmark, *bookmarks(ended.stdout)])

    def _insist(self, verdict: judge.Verdict) -> None:
        if verdict.faults:
            raise BrokenPromiseError(self.seed, self._round, verdict)
