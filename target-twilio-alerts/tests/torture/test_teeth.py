"""The kill test can fail: each guarantee that is taken out is found missing.

They are taken out in the forked process of the target; its code has no such switch.
"""

from __future__ import annotations

import pytest
from torture.lives import BrokenPromiseError, Life
from torture.moments import MOMENTS

SEED = 20261125
KILLS = 30


def moments(*names):
    return tuple(moment for moment in MOMENTS if moment.name in names)


@pytest.fixture
def life(tmp_path, sandbox, zygote):
    def live(*changes, at, kills=KILLS):
        life = Life(SEED, tmp_path, sandbox, zygote, changes=changes, moments=moments(*at))
        life.begin()
        life.live(kills)

    return live


TAKEN = "the provider has taken it, the answer is not here"
NOT_OUT = "alerts are committed, STATE is not out"


def test_without_the_commit_of_sending_something_is_sent_twice(life):
    with pytest.raises(BrokenPromiseError) as broken:
        life("sending is not committed", at=[TAKEN])
    assert broken.value.verdict.twice


def test_without_the_commit_before_state_something_is_lost(life):
    with pytest.raises(BrokenPromiseError) as broken:
        life("state leaves first", at=["before alerts are committed"])
    assert broken.value.verdict.ahead


def test_without_the_uniqueness_of_alerts_something_is_told_twice(life):
    with pytest.raises(BrokenPromiseError) as broken:
        life("versions come later", "alerts are not unique", at=["after alerts are committed"])
    assert broken.value.verdict.twice


def test_the_uniqueness_of_alerts_is_enough_where_documents_are_remembered_late(life):
    life("versions come later", at=["after alerts are committed"], kills=10)


@pytest.mark.parametrize("change", ["an event is left out", "an event is not sealed"])
def test_without_a_link_of_the_chain_the_trail_is_found_wrong(life, change):
    with pytest.raises(BrokenPromiseError) as broken:
        life(change, at=[TAKEN])
    assert any(line.startswith("the trail: ") for line in broken.value.verdict.wrong)
