"""What can be wrong with the settings, found before anything is asked: each in one line."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from tap_visma.bookmarks import as_datetime, start_of_day_or_time
from tap_visma.deletes import keys_path
from tap_visma.settings import setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_visma.stream import VismaStream

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_CREDENTIALS = ("client_id", "client_secret")


def problems(config: Mapping[str, Any], streams: Mapping[str, type[VismaStream]]) -> list[str]:
    """What must be mended, each beginning with the setting's name; no value that may be secret.

    Args:
        config: Settings that fit their JSON Schema.
        streams: All streams there are, by name.
    """
    return [
        *_who(config),
        *_addresses(config),
        *_headers(config),
        *_dates(config),
        *_options(config, streams),
        *_keys_file(config),
    ]


def _who(config: Mapping[str, Any]) -> Iterator[str]:
    companies = config.get("companies") or []
    if not companies:
        yield from (_not_set(name) for name in _CREDENTIALS if not setting(config, name))
        yield from _tenant("tenant_id", setting(config, "tenant_id"))
        return
    if setting(config, "tenant_id"):
        yield "tenant_id: set together with companies; leave one of them out"
    for place, company in enumerate(companies):
        name = f"companies[{place}]"
        if not company["name"].strip():
            yield f"{name}.name: empty; give what to call the company"
        yield from _tenant(f"{name}.tenant_id", company["tenant_id"])
        for one in _CREDENTIALS:
            if not company.get(one) and not setting(config, one):
                yield f"{name}.{one}: not set, and {one} is not either; set one of them"
    for field in ("name", "tenant_id"):
        values = [company[field] for company in companies]
        if repeated := {value for value in values if values.count(value) > 1}:
            yield f"companies: {len(repeated)} {field} more than once; each company is read once"


def _not_set(name: str) -> str:
    return f"{name}: not set; set it (TAP_VISMA_{name.upper()})"


def _tenant(name: str, value: str | None) -> list[str]:
    if value is None:
        return [_not_set(name)]
    if _GUID.fullmatch(value):
        return []
    return [f"{name}: not a tenant id; it looks like 11111111-1111-4111-8111-111111111111"]


def _addresses(config: Mapping[str, Any]) -> Iterator[str]:
    for name in ("api_url", "auth_url"):
        text = setting(config, name)
        try:
            host = parse_url(text).host
        except LocationParseError:
            host = None
        if not host or not text.startswith(("https://", "http://")):
            yield f"{name}: {text!r} is no address; give one such as https://host"


def _headers(config: Mapping[str, Any]) -> Iterator[str]:
    named = [(name, setting(config, name)) for name in ("user_agent", "company_id")]
    for place, company in enumerate(config.get("companies") or []):
        named.append((f"companies[{place}].company_id", company.get("company_id")))
    for name, text in named:
        if text and not (text.isascii() and text.isprintable()):
            yield f"{name}: cannot be sent; use plain letters, digits and signs"


def _dates(config: Mapping[str, Any]) -> Iterator[str]:
    text = setting(config, "start_date")
    if text is not None:
        try:
            start = as_datetime(start_of_day_or_time(text))
        except ValueError:
            yield (
                f"start_date: {text!r} is no date in Visma's own clock; give one such as "
                "2026-01-01 or 2026-01-01T08:00:00, without a zone"
            )
        else:
            tomorrow = datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(days=1)
            if start > tomorrow:
                yield f"start_date: {text!r} is in the future, so nothing would be read"
    first, last = setting(config, "first_financial_year"), setting(config, "last_financial_year")
    if first is not None and last is not None and first > last:
        yield "first_financial_year: later than last_financial_year; exchange them"


def _options(
    config: Mapping[str, Any],
    streams: Mapping[str, type[VismaStream]],
) -> Iterator[str]:
    for name, options in (config.get("stream_options") or {}).items():
        place = f"stream_options.{name}"
        if name not in streams:
            yield f"{place}: no such stream{_nearest(name, streams)}"
            continue
        known = streams[name].expands
        for flag in options.get("expand") or []:
            if flag not in known:
                told = f"known are {', '.join(known)}" if known else "the endpoint has none"
                yield f"{place}.expand: {flag!r} is no flag of {streams[name].path}; {told}"
    for name in config.get("background_streams") or []:
        if name not in streams:
            yield f"background_streams: {name!r}: no such stream{_nearest(name, streams)}"


def _keys_file(config: Mapping[str, Any]) -> Iterator[str]:
    if not setting(config, "detect_deletes_hours"):
        return
    path = keys_path(config)
    try:
        if path.is_dir():
            yield f"keys_file: {path} is a folder; give a file"
        elif not path.parent.is_dir():
            yield f"keys_file: there is no folder {path.parent.absolute()}; make it, or set another"
        elif not os.access(path.parent, os.W_OK) or (
            os.access(path, os.F_OK) and not os.access(path, os.W_OK)
        ):
            yield f"keys_file: {path.absolute()} cannot be written; allow it, or set another"
    except (OSError, ValueError) as error:  # too long, or a sign that no name may have
        yield f"keys_file: cannot be used ({error}); give another path"


def _nearest(name: str, names: Iterable[str]) -> str:
    found = get_close_matches(name, list(names), n=1)
    return f"; did you mean {found[0]}?" if found else ""
