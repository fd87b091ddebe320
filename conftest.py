"""For every test of the workspace: what is drawn by chance is drawn the same each time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same each time", derandomize=True, deadline=None, database=None)
settings.load_profile("same each time")
