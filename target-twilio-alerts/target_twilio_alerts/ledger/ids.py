"""Short names that people can read aloud: for alerts, messages, claims and runs."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so that nothing is misread."""


def short_id() -> str:
    """Draw eight characters (40 random bits), e.g. ``7K2QM9XD``."""
    number = secrets.randbits(40)
    return "".join(ALPHABET[number >> place & 31] for place in range(0, 40, 5))


def long_id() -> str:
    """Draw 32 hex characters (128 random bits)."""
    return secrets.token_hex(16)
