"""Every output of every test is looked at: no full telephone number, no address, no secret."""

from __future__ import annotations

import re

from visma_twilio_sandbox import credentials

_SECRETS = (credentials.AUTH_TOKEN, credentials.API_KEY_SECRET, credentials.SENDGRID_API_KEY)
_NUMBER = re.compile(r"(?:\+|%2B)46701740\d{3}")
_NOBODYS = {
    *(credentials.FROM_NUMBER, credentials.WHATSAPP_NUMBER),
    *("+46701740698", "+46701740699"),  # of records, which a proof shows as they are
}
_EMAIL = re.compile(r"\b(?:anna|bo|carl|cfo|erik|maria)(?:\.\w+)?(?:@|%40)example\.(?:com|org)")


def check(*texts: str) -> None:
    """Refuse what gives a recipient or a secret away."""
    for text in texts:
        for secret in _SECRETS:
            assert secret not in text
        given = {found.replace("%2B", "+") for found in _NUMBER.findall(text)} - _NOBODYS
        assert given | {*_EMAIL.findall(text)} == set(), text
