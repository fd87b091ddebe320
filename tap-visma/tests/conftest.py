"""A sandbox of Visma.net, and a tap that is set up for it."""

from __future__ import annotations

import logging

import pytest
from tap_running import TapRunner

from visma_twilio_sandbox import Sandbox


@pytest.fixture
def make_sandbox():
    """Start sandboxes with a seed; they stop with the test."""
    running = []

    def make(seed=1, **options):
        sandbox = Sandbox(seed=seed, **options)
        sandbox.__enter__()
        running.append(sandbox)
        return sandbox

    yield make
    for sandbox in running:
        sandbox.__exit__(None, None, None)


@pytest.fixture
def sandbox(make_sandbox):
    return make_sandbox()


@pytest.fixture
def tap(sandbox):
    return TapRunner(sandbox)


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch):
    """Pauses between tries are exact where a server asks for them, and else as short as can be."""
    monkeypatch.setattr("tap_visma.client._LONGEST_PAUSE_SECONDS", 0.05)


@pytest.fixture(autouse=True)
def logged(caplog):
    caplog.set_level(logging.INFO, logger="tap-visma")
    return caplog
