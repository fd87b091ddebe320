"""Killed at every step, again and again: nothing is sent twice, nothing is lost or altered."""

from __future__ import annotations

import pytest
from ledgers import ON_BOTH
from torture.lives import Life
from torture.moments import MIGRATING, MOMENTS

SEED = 20261125


@pytest.fixture
def life(tmp_path, sandbox, zygote, database):
    return Life(SEED, tmp_path, sandbox, zygote, database)


def test_killed_at_each_named_moment_and_at_random(life):
    life.begin()
    life.live(40)
    assert {name for name, number in life.tally.kills.items() if number} == {
        moment.name for moment in MOMENTS
    }


@ON_BOTH
@pytest.mark.parametrize("revision", ["0001", "0007", "0012"])
def test_killed_in_a_migration_nothing_of_an_old_ledger_is_lost(
    life, tmp_path, databases, revision
):
    life.begin_with_an_old_ledger(tmp_path, databases, revision)
    assert all(life.tally.kills[moment.name] for moment in MIGRATING), life.tally.kills
    life.live(life.tally.number + 3)
