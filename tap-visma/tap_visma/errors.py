"""What can go wrong, ordered by what the tap does about it. Each text is one line with its mend."""

from __future__ import annotations


class TapError(Exception):
    """A stream cannot be read; the others go on, and the run ends non-zero naming it."""


class AnswerError(TapError):
    """An answer that cannot be trusted: not JSON, not filtered, not paged, or not adding up."""


class TransientError(TapError):
    """A request failed in a way that may pass: it is worth another try, with a smaller page."""


class UnreachableError(TransientError):
    """Nobody answers at the address."""


class AccessError(TapError):
    """The company cannot be read at all: no other stream is tried."""


class LimitReachedError(Exception):
    """A rate limit lasts longer than we may wait: stop cleanly, keep the state, come back later."""


class ShareUsedError(LimitReachedError):
    """A backfill has used its share of a rate limit: only what alerts wait for may go on."""


class ListingMovedError(Exception):
    """A listing changed while it was paged through: what was read may have holes, so read again."""
