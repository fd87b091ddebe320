"""Every output of every test is looked at: no full telephone number, no address, no secret."""

from __future__ import annotations

import re

from visma_twilio_sandbox import credentials

_SECRETS = (credentials.AUTH_TOKEN, credentials.API_KEY_SECRET, credentials.SENDGRID_API_KEY)
_BETWEEN = r"[\s()./\u2010-\u2015-]{0,3}"
_NUMBER = re.compile(
    rf"(?<![\w+])(?:\+|%2B|00)?(?:46{_BETWEEN}(?:\(?0\)?)?|0){_BETWEEN}"
    + _BETWEEN.join("701740")
    + rf"(?:{_BETWEEN}\d){{3}}(?!\d)"
)
"""A recipient's number in tests, as anybody may write it."""

_NOBODYS = {
    *(credentials.FROM_NUMBER, credentials.WHATSAPP_NUMBER),
    "alerts@example.com",  # an example in the settings' schema
    # Of records, which a proof shows as they are.
    *("+46701740698", "+46701740699", "per.holm@example.org"),
}
_EMAIL = re.compile(r"[\w.+-]+(?:@|%40)example\.(?:com|org)")


def check(*texts: str) -> None:
    """Refuse what gives a recipient or a secret away."""
    for text in texts:
        for secret in _SECRETS:
            assert secret not in text
        numbers = {_as_digits(found) for found in _NUMBER.findall(text)} - _NOBODYS
        assert numbers | {*_EMAIL.findall(text)} - _NOBODYS == set(), text


def _as_digits(number: str) -> str:
    return f"+46{''.join(filter(str.isdigit, number.replace('%2B', '')))[-9:]}"
