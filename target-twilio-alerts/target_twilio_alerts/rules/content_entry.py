"""What a rule sends over WhatsApp: an approved content template, or free text by its own word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.rules.model import Content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_twilio_alerts.documents import Entity
    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.yaml_file import Entry, YamlFile

CONTENT_KEYS = ("content_sid", "content_variables", "whatsapp_window")

ALERT_NAMES = ("reference", "rule", "severity")
"""What a placeholder may be filled with beside a document's fields."""

_SID = re.compile(r"HX[0-9a-fA-F]{32}")
_PLACEHOLDER = re.compile(r"[A-Za-z0-9_]{1,16}")


def read_content(
    file: YamlFile,
    mistakes: Mistakes,
    given: Mapping[str, Entry],
    *,
    via: Mapping[str, int],
    entity: Entity | None,
    where: str,
) -> Content | None:
    """Read the three keys; None if the rule sends free text, or nothing over WhatsApp.

    WhatsApp takes free text only within 24 hours of the recipient's last message, and we hear of no
    such message; so free text must be asked for (Twilio's error 63016).
    """
    if "whatsapp" not in via:
        for key in CONTENT_KEYS:
            if key in given:
                line = given[key].line
                mistakes.add(line, f"{where}: {key} is for via: whatsapp; remove it")
        return None
    window = file.text(given.get("whatsapp_window"), where)
    if window is not None and window.value != "open":
        mistakes.add(
            window.line, f"{where}: whatsapp_window can only be open; correct or remove it"
        )
    if "content_sid" not in given:
        _check_free_text(mistakes, given, via, where)
        return None
    if window is not None:
        mistakes.add(
            window.line,
            f"{where}: whatsapp_window is for free text, and there is a content_sid; remove one",
        )
    sid = file.text(given["content_sid"], where)
    if sid is None:
        return None
    if not _SID.fullmatch(sid.value):
        mistakes.add(
            sid.line,
            f"{where}: content_sid is HX and 32 hexadecimal digits; copy it from the Content "
            "Template Builder in the Twilio Console",
        )
    variables = _variables(file, mistakes, given.get("content_variables"), entity, where)
    return Content(sid.value, variables)


def _check_free_text(
    mistakes: Mistakes,
    given: Mapping[str, Entry],
    via: Mapping[str, int],
    where: str,
) -> None:
    if "content_variables" in given:
        mistakes.add(
            given["content_variables"].line,
            f"{where}: content_variables fill a content template; add its content_sid",
        )
    elif "whatsapp_window" not in given:
        mistakes.add(
            via["whatsapp"],
            f"{where}: WhatsApp takes free text only within 24 hours of the recipient's last "
            "message; add the content_sid of an approved template, or `whatsapp_window: open` if "
            "they write to you every day",
        )


def _variables(
    file: YamlFile,
    mistakes: Mistakes,
    entry: Entry | None,
    entity: Entity | None,
    where: str,
) -> tuple[tuple[str, str], ...]:
    if entry is None:
        return ()
    found = file.entries(entry.node, entry.line, f"{where}: content_variables")
    variables = []
    for name, one in found.items():
        field = file.text(one, where)
        if not _PLACEHOLDER.fullmatch(name):
            mistakes.add(
                one.line,
                f"{where}: content_variables: {name} is no placeholder; write it as in the "
                "template, without braces, such as 1",
            )
        if field is None or entity is None:
            continue
        if field.value not in entity.fields and field.value not in ALERT_NAMES:
            meant = suggestion(field.value, [*entity.fields, *ALERT_NAMES], "it has")
            mistakes.add(
                field.line,
                f"{where}: content_variables: {entity.name} has no field {field.value}; {meant}",
            )
        variables.append((name, field.value))
    return tuple(variables)
