"""Which numbers and senders Twilio takes, and the magic numbers that fail on purpose."""

from __future__ import annotations

import re

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio.errors import TwilioError

Outcome = tuple[str, "int | None"]

OUTCOMES: dict[str, Outcome] = {
    "+46701740691": ("undelivered", 30003),
    "+46701740692": ("undelivered", 30005),
    "+46701740693": ("failed", 30007),
    "+46701740694": ("sent", None),
}
"""Recipients to whom an accepted message does not become `delivered`: its last status and code.

From the numbers the Swedish regulator keeps for fiction, 070-1740605 to 070-1740699.
"""

REFUSALS: dict[str, int] = {
    "+46701740695": 21610,
    "+46701740696": 21614,
    "+46701740697": 21408,
}
"""Recipients that are refused at once, with which error code."""

_TEST_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_TEST_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
_TEST_FROM_VALID = "+15005550006"
"""Magic numbers of the test credentials: https://www.twilio.com/docs/iam/test-credentials."""

_TEST_CALL_TO = {
    "+15005550001": 21217,
    "+15005550002": 21214,
    "+15005550003": 21215,
    "+15005550004": 21216,
}

CALL_REFUSALS: dict[str, int] = {"+46701740697": 21215}
"""Numbers that are not called, with which error code."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_ALPHANUMERIC_COUNTRIES = ("+46",)
_WHATSAPP = "whatsapp:"


def check_recipient(to: str) -> None:
    """Refuse what is no E.164 number, with or without `whatsapp:`.

    Raises:
        TwilioError: 21604 nothing given, 21211 not a number.
    """
    if not to:
        raise TwilioError(21604)
    if not _E164.fullmatch(to.removeprefix(_WHATSAPP)):
        raise TwilioError(21211, f"The 'To' number {to} is not a valid phone number.")


def check_sender(sender: str, to: str) -> None:
    """Refuse a sender that this account does not have, or that cannot reach `to`.

    A sender ID of letters reaches Sweden only.

    Raises:
        TwilioError: 21212, 21266, 21606 or 21612.
    """
    if sender == to:
        raise TwilioError(21266)
    if sender == credentials.FROM_NUMBER or sender.startswith(_WHATSAPP):
        return  # a WhatsApp sender was checked with its recipient
    if _E164.fullmatch(sender) or _SHORT_CODE.fullmatch(sender):
        raise TwilioError(
            21606,
            f"The 'From' phone number provided ({sender}) is not a valid message-capable "
            "Twilio phone number for this destination.",
        )
    if not _ALPHANUMERIC.fullmatch(sender):
        raise TwilioError(21212, f"The 'From' number {sender} is not a valid phone number.")
    if not to.startswith(_ALPHANUMERIC_COUNTRIES):
        raise TwilioError(21612)


def check_test_numbers(sender: str, to: str) -> None:
    """Do what the test credentials' magic numbers say.

    Raises:
        TwilioError: The sender's or the recipient's error.
    """
    if sender != _TEST_FROM_VALID:
        raise TwilioError(_TEST_FROM.get(sender, 21606))
    if to in _TEST_TO:
        raise TwilioError(_TEST_TO[to])


def check_call(sender: str, to: str) -> None:
    """Refuse a number that cannot be called, and a caller that this account does not have.

    Raises:
        TwilioError: 21201, 21210, 21211, 21213 or 21266.
    """
    if not to:
        raise TwilioError(21201)
    if not _E164.fullmatch(to):
        raise TwilioError(21211, f"The 'To' number {to} is not a valid phone number.")
    if not sender:
        raise TwilioError(21213)
    if sender == to:
        raise TwilioError(21266)
    if sender != credentials.FROM_NUMBER:
        raise TwilioError(21210)


def check_test_call(sender: str, to: str) -> None:
    """Do what the test credentials' magic numbers say of calls.

    Raises:
        TwilioError: The caller's or the number's error.
    """
    if sender != _TEST_FROM_VALID:
        raise TwilioError(21212 if sender == "+15005550001" else 21210)
    if to in _TEST_CALL_TO:
        raise TwilioError(_TEST_CALL_TO[to])
