"""WhatsApp: who may send to whom, approved content templates, and the 24 hours for free text.

Source: https://www.twilio.com/docs/whatsapp/key-concepts and the error dictionary. What WhatsApp
itself refuses is accepted first and fails afterwards, as at Twilio: 63016, 63028.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio.errors import TwilioError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PREFIX = "whatsapp:"
TEMPLATES: dict[str, str] = {
    credentials.CONTENT_SID: "Document {{1}} over {{2}} needs your attention.",
}
"""Text by SID of the content template."""

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_FORBIDDEN = re.compile(r"[\n\t]| {5}")


def check_pair(sender: str, to: str) -> None:
    """Refuse a sender and a recipient of different channels, and a sender there is not.

    Raises:
        TwilioError: 21910 or 63007.
    """
    if not sender:
        return  # the Messaging Service has a WhatsApp sender
    if sender.startswith(PREFIX) != to.startswith(PREFIX):
        raise TwilioError(21910)
    if sender.startswith(PREFIX) and sender != PREFIX + credentials.WHATSAPP_NUMBER:
        raise TwilioError(63007)


def read_variables(form: Mapping[str, str]) -> dict[str, str]:
    """Read ContentVariables.

    Raises:
        TwilioError: 21656 for anything but a JSON object of texts.
    """
    text = form.get("ContentVariables")
    if not text:
        return {}
    try:
        variables = json.loads(text)
    except ValueError:
        raise TwilioError(21656) from None
    if not isinstance(variables, dict):
        raise TwilioError(21656)
    for value in variables.values():
        if not isinstance(value, str):
            raise TwilioError(21656)
    return variables


def text_of(form: Mapping[str, str]) -> tuple[str, int | None]:
    """Return the text of a message, and the code it will fail with if its variables do not fit.

    Raises:
        TwilioError: 21655 for a template there is not, 21656.
    """
    variables = read_variables(form)
    sid = form.get("ContentSid")
    if not sid:
        return form.get("Body", ""), None
    if sid not in TEMPLATES:
        raise TwilioError(21655)
    template = TEMPLATES[sid]
    wanted = set(_PLACEHOLDER.findall(template))
    text = _PLACEHOLDER.sub(lambda found: variables.get(found[1], found[0]), template)
    if set(variables) != wanted:
        return text, 63028
    if any(not value.strip() or _FORBIDDEN.search(value) for value in variables.values()):
        return text, 63021
    return text, None


def fails_with(
    form: Mapping[str, str], windows: Collection[str], problem: int | None
) -> int | None:
    """Return the code with which a WhatsApp message will fail; None if it arrives.

    Args:
        form: Of the message.
        windows: Numbers that have written within the last 24 hours.
        problem: What is wrong with its variables.
    """
    number = form["To"]
    if not number.startswith(PREFIX):
        return None
    if form.get("ContentSid"):
        return problem
    return None if number.removeprefix(PREFIX) in windows else 63016
