"""Which documents have come before: surely not, or perhaps; in the same room however many."""

from __future__ import annotations

_BITS = 25
_DIGITS = 8
_PLACES = 3


class Seen:
    """A filter over document ids, which are hashes: four megabytes, and no id is forgotten."""

    def __init__(self) -> None:
        self._bits = bytearray(1 << (_BITS - 3))

    def add(self, document_id: str) -> bool:
        """Note a document; False if it surely comes for the first time."""
        before = True
        for place in range(_PLACES):
            digits = document_id[place * _DIGITS : (place + 1) * _DIGITS]
            at = int(digits, 16) & ((1 << _BITS) - 1)
            byte, bit = at >> 3, 1 << (at & 7)
            if not self._bits[byte] & bit:
                before = False
                self._bits[byte] |= bit
        return before
