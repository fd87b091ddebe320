"""Handing messages over: each at most once, every answer written down."""

from __future__ import annotations
