"""Links in emails by which their readers acknowledge: nobody else can know them."""

from __future__ import annotations

import hmac
import re
import secrets

_LETTERS = "bcdfghjklmnpqrstvwxz"
"""No digits, so that no part of a link can be taken for an IBAN, and no vowels: no words."""

_LENGTH = 30
TOKEN = re.compile(rf"[{_LETTERS}]{{{_LENGTH}}}-[0-9A-Z]{{8}}")


def draw() -> str:
    """Draw what nobody can guess of a link: 129 random bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def redrawn(text: str, reference: str, drawn: str) -> str:
    """A text whose link for a reference has been drawn anew."""
    return re.sub(rf"(?<=/ack/)[{_LETTERS}]{{{_LENGTH}}}(?=-{re.escape(reference)})", drawn, text)


def acknowledge_url(public_url: str | None, reference: str) -> str | None:
    """Draw a link for the message of a reference; None without a public URL."""
    if public_url is None:
        return None
    return f"{public_url}/ack/{draw()}-{reference}"


def reference_of(token: str) -> str | None:
    """The reference of the message that a link may be in; None if it can be none."""
    return token.rpartition("-")[2] if TOKEN.fullmatch(token) else None


def has_link(text: str, token: str) -> bool:
    """Whether a link that was sent has this token."""
    sent = re.findall(rf"/ack/({TOKEN.pattern})", text)
    return any([hmac.compare_digest(one, token) for one in sent])  # noqa: C419 - each is compared
