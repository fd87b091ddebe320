"""URLs under which Twilio tells what becomes of a message."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

RETRIES = "rc=5&rp=ct,rt,5xx"
"""How often Twilio tries again, and after what: it stays in the fragment, which is neither sent nor
signed. By itself it tries once more, and not after an answer such as 503."""


@dataclass(frozen=True)
class CallbackUrls:
    """The URLs; None of each without a public one, and then statuses are polled."""

    public_url: str | None

    def status(self, message_id: str) -> str | None:
        """Where the statuses of a message go."""
        return self._of("status", message_id)

    def keypress(self, message_id: str) -> str | None:
        """Where the key goes that somebody presses in a call."""
        return self._of("keypress", message_id)

    def _of(self, what: str, message_id: str) -> str | None:
        if self.public_url is None:
            return None
        query = urlencode({"message": message_id})
        return f"{self.public_url}/twilio/{what}?{query}#{RETRIES}"
