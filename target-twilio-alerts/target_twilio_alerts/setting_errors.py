"""What is wrong with settings that the SDK could not read, in a line and without their values."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from singer_sdk.configuration._dict_config import parse_environment_config

from target_twilio_alerts.settings import SETTINGS, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE = re.compile(r" in config\['(\w+)'\](?:\['([^']*)'\])?")


def without_secrets(error: str) -> str:
    """What the SDK tells of a wrong setting, without its value: that may be a secret."""
    place = _PLACE.search(error)
    schema = SETTINGS["properties"].get(place[1]) if place else None
    if place is None or schema is None or "is not of type" not in error:
        return error
    if place[2] is not None:
        return f"{place[1]}: that of {place[2]} must be text, in quotes"
    if "string" in schema["type"]:
        return f"{place[1]}: must be text, in quotes"
    return f"{place[1]}: must be {' or '.join(set(schema['type']) - {'null'})}"


def unreadable(schema: Mapping[str, Any], prefix: str) -> SettingsError:
    """What is wrong with an environment that the SDK could not read as settings.

    Args:
        schema: The settings.
        prefix: Begins the names of their variables.
    """
    for name, one in schema["properties"].items():
        try:
            parse_environment_config({"properties": {name: one}}, prefix, os.devnull)
        except ValueError:
            kinds = {*one["type"]} - {"null"}
            wanted = "JSON" if kinds & {"array", "object"} else " or ".join(sorted(kinds))
            example = f", as in {json.dumps(one['examples'][0])}" if one.get("examples") else ""
            return SettingsError(
                f"{name}: must be {wanted}{example}; correct {prefix}{name.upper()}",
            )
    return SettingsError("the environment cannot be read; look for what is wrong in `.env`")
