"""Finds a company's own templates and keeps them compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from target_twilio_alerts.messages.context import TemplateError, TemplateProblem
from target_twilio_alerts.messages.environment import MAX_SOURCE, Compiled, Sandbox
from target_twilio_alerts.messages.locales import candidates, formats, normalise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_twilio_alerts.messages.locales import Formats

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_SUBJECT = re.compile(r"subject:[ \t]*(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class OwnTemplate:
    """A template of the company's, compiled for one locale; `subject` only for an email."""

    file: str
    formats: Formats
    text: Compiled
    subject: Compiled | None
    html: Compiled | None


class OwnTemplates:
    """The templates folder. Files are read once. Safe to use from several threads at once."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._found: dict[tuple[str, str, str], OwnTemplate | TemplateError | None] = {}

    def find(self, name: str, channel: str, locale: str) -> OwnTemplate | None:
        """Return `<name>.<channel>[.<locale>].j2`, the most special there is, or None.

        Raises:
            TemplateError: There is one, but it cannot be used.
        """
        key = (name, channel, locale)
        if key not in self._found:
            try:
                self._found[key] = self._load(name, channel, normalise(locale))
            except TemplateError as error:
                self._found[key] = error
        found = self._found[key]
        if isinstance(found, TemplateError):
            raise found
        return found

    def _load(self, name: str, channel: str, locale: str) -> OwnTemplate | None:
        if self._folder is None:
            return None
        if not _NAME.fullmatch(name):
            what = f"{name!r} cannot be a template's name"
            raise TemplateError(
                TemplateProblem(str(self._folder), None, what, "use letters, digits, - and _")
            )
        path = file_for(self._folder, name, channel, locale)
        return None if path is None else load(path, channel, formats(locale))


def load(path: Path, channel: str, words: Formats) -> OwnTemplate:
    """Read and compile one template file, and its HTML beside it if there is one.

    Raises:
        TemplateError: A file cannot be read or compiled.
    """
    source = _read(path)
    plain = _sandbox(words.locale, escape=False)
    subject = None
    if channel == "email":
        first, _, rest = source.partition("\n")
        given = _SUBJECT.fullmatch(first.strip())
        if given:
            subject = Compiled(plain, given[1], path.name)
            source = f"\n{rest}"  # the lines keep their numbers
    html_path = path.with_suffix(".html.j2")
    html = None
    if channel == "email" and html_path.is_file():
        html = Compiled(_sandbox(words.locale, escape=True), _read(html_path), html_path.name)
    return OwnTemplate(path.name, words, Compiled(plain, source, path.name), subject, html)


def file_for(folder: Path, name: str, channel: str, locale: str) -> Path | None:
    """The file that a recipient's text is made from: the most special one that there is."""
    for suffix in (*(f".{one}" for one in candidates(locale)), ""):
        path = folder / f"{name}.{channel}{suffix}.j2"
        if path.is_file():
            return path
    return None


def files_of(folder: Path, name: str, channel: str) -> Iterator[tuple[Path, str]]:
    """List a name's templates for a channel with the locale each is for ("" for any)."""
    pattern = re.compile(rf"{re.escape(name)}\.{channel}(?:\.([A-Za-z_]+))?\.j2")
    for path in sorted(folder.glob("*.j2")):
        found = pattern.fullmatch(path.name)
        if found and found[1] != "html":
            yield path, found[1] or ""


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.read(MAX_SOURCE + 1)
    except UnicodeDecodeError:
        what, mend = "the file is not UTF-8", "save it as UTF-8"
    except OSError as error:
        what, mend = error.strerror or "the file cannot be read", "make it readable"
    raise TemplateError(TemplateProblem(path.name, None, what, mend))


@lru_cache
def _sandbox(locale: str, *, escape: bool) -> Sandbox:
    return Sandbox(formats(locale), autoescape=escape)
