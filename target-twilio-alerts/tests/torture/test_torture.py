"""Killed at every step, again and again: nothing is sent twice, nothing is lost or altered."""

from __future__ import annotations

from collections import Counter

import pytest
from ledgers import ON_BOTH
from torture import report
from torture.judge import Verdict
from torture.lives import BrokenPromiseError, Life, Tally
from torture.moments import MIGRATING, MOMENTS

SEED = 20261125


@pytest.fixture
def life(tmp_path, sandbox, zygote, database):
    return Life(SEED, tmp_path, sandbox, zygote, database)


def test_killed_at_each_named_moment_and_at_random(life):
    life.begin()
    life.live(20, at=MOMENTS)
    assert life.tally.accepted > 20


@ON_BOTH
@pytest.mark.parametrize("revision", ["0001", "0012"])
def test_killed_in_a_migration_nothing_of_an_old_ledger_is_lost(
    life, tmp_path, databases, revision
):
    life.begin_with_an_old_ledger(tmp_path, databases, revision)
    assert all(life.tally.kills[moment.name] for moment in MIGRATING), life.tally.kills
    life.live(life.tally.number + 3)


def test_the_report_tells_what_was_broken(monkeypatch, tmp_path):
    monkeypatch.setattr(report, "FILE", tmp_path / "torture.md")
    outcome = report.Outcome(SEED)
    outcome.add(Tally(kills=Counter({MOMENTS[0].name: 3}), runs=5), "SQLite", "0007")
    outcome.broken.append(BrokenPromiseError(SEED, "round 2", Verdict(lost=["a message"])))
    report.write(outcome)
    told = report.FILE.read_text(encoding="utf-8")
    for row in ("| kills | 3 |", "| lost | 1 |", "| accepted twice | 0 |", "lost: a message"):
        assert row in told
    assert f"SEED={SEED}" in told
    assert outcome.next_seed == SEED + 1
