"""Tries templates before they are needed: syntax, names, and a text with sample values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from target_twilio_alerts.messages.builtin import LONGEST_CALL
from target_twilio_alerts.messages.context import (
    MessageContext,
    TemplateError,
    TemplateProblem,
)
from target_twilio_alerts.messages.environment import did_you_mean
from target_twilio_alerts.messages.locales import (
    DEFAULT_LANGUAGE,
    formats,
    normalise,
)
from target_twilio_alerts.messages.own import file_for, files_of, load
from target_twilio_alerts.messages.render import render_own, variables_of
from target_twilio_alerts.messages.segments import MAX_SMS_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from target_twilio_alerts.messages.context import Rendered, TemplateUse
    from target_twilio_alerts.messages.environment import Compiled
    from target_twilio_alerts.messages.own import OwnTemplate

_BEFORE: dict[str, Any] = {
    "number": Decimal("40000.00"),
    "boolean": False,
    "date": date(2026, 1, 15),
    "list": ("a",),
    "text": "Abc",
}
_NOW: dict[str, Any] = {
    "number": Decimal("62000.00"),
    "boolean": True,
    "date": date(2026, 2, 15),
    "list": ("a", "b"),
    "text": "Xyz",
}
_NONES = ("None", "none", "NONE")
_KNOWN: dict[str, tuple[Any, Any]] = {
    "currency": ("SEK", "SEK"),
    "company": ("Example AB", "Example AB"),
    "number": ("100234", "100234"),
}


def check_templates(folder: Path | None, uses: list[TemplateUse]) -> list[TemplateProblem]:
    """List what is wrong with the templates that `uses` look up, in the order of the rules."""
    if folder is None or not folder.is_dir():
        return [_missing(use, folder) for use in uses if use.template]
    problems: list[TemplateProblem] = []
    used: set[str] = set()
    for use in uses:
        named = False
        for channel in use.channels:
            for name in dict.fromkeys(filter(None, (use.template, use.rule))):
                for path, locale in files_of(folder, name, channel):
                    named = named or name == use.template
                    used |= {path.name, path.with_suffix(".html.j2").name}
                    readers = [
                        one
                        for one in use.locales
                        if file_for(folder, name, channel, normalise(one)) == path
                    ]
                    locales = readers or [locale or DEFAULT_LANGUAGE]
                    problems += _check_file(path, channel, locales, use)
        if use.template and not named:
            problems.append(_missing(use, folder))
    problems += [
        TemplateProblem(
            path.name,
            None,
            "no rule uses this template",
            "name it <rule>.<channel>.j2 or <rule>.<channel>.<locale>.j2 after a rule "
            "that has this channel, or remove it",
        )
        for path in sorted(folder.glob("*.j2"))
        if path.name not in used
    ]
    return list(dict.fromkeys(problems))


def _missing(use: TemplateUse, folder: Path | None) -> TemplateProblem:
    files = " or ".join(f"{use.template}.{channel}.j2" for channel in use.channels)
    what = f"rule {use.rule!r}: there is no template {use.template}"
    return TemplateProblem(use.file, use.line, what, f"add {files} to {folder}")


def _check_file(
    path: Path, channel: str, locales: list[str], use: TemplateUse
) -> Iterator[TemplateProblem]:
    """Check one file for one rule, in the locale of each recipient who would read it."""
    for one in locales:
        try:
            own = load(path, channel, formats(one))
        except TemplateError as error:
            yield error.problem
            return
        yield from _check_own(own, channel, use)


def _check_own(own: OwnTemplate, channel: str, use: TemplateUse) -> Iterator[TemplateProblem]:
    """Check one template in one locale; names first, since they explain what fails later."""
    unknown = list(_unknown_names(own, use))
    yield from unknown
    if unknown:
        return
    for previous in (None, sample_values(use.fields, 0)):
        try:
            rendered = render_own(own, _sample(use, previous=previous), channel)
        except TemplateError as error:
            yield error.problem
            return
        if channel == "sms" and (rendered.segments or 0) > (use.max_segments or MAX_SMS_LENGTH):
            yield TemplateProblem(
                own.file,
                None,
                f"with sample values it needs {rendered.segments} segments, and rule {use.rule} "
                f"allows {use.max_segments}",
                "shorten it, or raise max_segments",
            )
            return
        if channel == "voice" and rendered.problem:
            what = f"with sample values it has more than {LONGEST_CALL} characters"
            yield TemplateProblem(own.file, None, what, "shorten it: a call is cut there")
            return
    yield from _without_values(own, channel, use)


def _sample(
    use: TemplateUse, *, previous: Mapping[str, Any] | None = None, unknown: str | None = None
) -> MessageContext:
    values = sample_values(use.fields, 1)
    return MessageContext(
        rule=use.rule,
        severity="high",
        entity=use.entity,
        values={**values, unknown: None} if unknown else values,
        previous=previous,
        reference="7K2QM9",
        today=date(2026, 2, 1),
    )


def _without_values(own: OwnTemplate, channel: str, use: TemplateUse) -> Iterator[TemplateProblem]:
    """Try a template without each field that it names and that can be null."""
    parts = [part for part in (own.subject, own.text, own.html) if part is not None]
    named = {name for part in parts for name in _named_in(part)}
    words = "".join(word for part in parts for word in _words_of(part))
    usual = render_own(own, _sample(use), channel)
    for name in sorted(named & use.nullable):
        mend = f"put what needs it in {{% if {name} is not none %}}"
        try:
            rendered = render_own(own, _sample(use, unknown=name), channel)
        except TemplateError as error:
            problem = error.problem
            what = f"it fails where {name} is unknown: {problem.what}"
            yield TemplateProblem(problem.file, problem.line, what, mend)
            continue
        if _prints_none(rendered, usual, words):
            what = f"it prints None where {name} is unknown"
            yield TemplateProblem(own.file, None, what, mend)


def _named_in(part: Compiled) -> Iterator[str]:
    """Fields that a template names, those of the record as in record.terms.id."""
    yield from find_undeclared_variables(part.tree)
    for access in part.tree.find_all(nodes.Getattr):
        names: list[str] = []
        inner: nodes.Node = access
        while isinstance(inner, nodes.Getattr):
            names.insert(0, inner.attr)
            inner = inner.node
        if isinstance(inner, nodes.Name) and inner.name == "record":
            yield ".".join(["record", *names])


def _words_of(part: Compiled) -> Iterator[str]:
    """What a template's author has written out."""
    for data in part.tree.find_all(nodes.TemplateData):
        yield data.data
    for constant in part.tree.find_all(nodes.Const):
        if isinstance(constant.value, str):
            yield constant.value


def _prints_none(rendered: Rendered, usual: Rendered, words: str) -> bool:
    """Whether a text has a None that it has not usually, and that is no word of its author's."""
    told, before = (f"{one.subject or ''} {one.text} {one.html or ''}" for one in (rendered, usual))
    return any(told.count(one) > before.count(one) for one in _NONES if one not in words)


def sample_values(fields: Mapping[str, str], moment: int) -> dict[str, Any]:
    """Sample values of fields, given by their kinds: those before (0), or those now (1)."""
    kinds = (_BEFORE, _NOW)[moment]
    return {
        name: _KNOWN[name][moment]
        if name in _KNOWN and kind == "text"
        else kinds.get(kind, kinds["text"])
        for name, kind in {"company": "text", **fields}.items()
    }


def _unknown_names(own: OwnTemplate, use: TemplateUse) -> Iterator[TemplateProblem]:
    sample = sample_values(use.fields, 1)
    context = MessageContext(use.rule, "high", use.entity, sample, None, "7K2QM9")
    known = set(variables_of(context, own.formats)) | {"range"}
    for part in (own.subject, own.text, own.html):
        if part is not None:
            yield from _unknown_in(part, known, set(sample), use)


def _unknown_in(
    part: Compiled, known: set[str], fields: set[str], use: TemplateUse
) -> Iterator[TemplateProblem]:
    unknown = find_undeclared_variables(part.tree) - known
    for node in part.tree.find_all(nodes.Name):
        if node.name in unknown:
            what = f"{use.entity} has no field {node.name}"
            yield TemplateProblem(part.file, node.lineno, what, did_you_mean(node.name, known))
    for access in part.tree.find_all(nodes.Getattr):
        owner = access.node
        if isinstance(owner, nodes.Name) and owner.name == "previous" and access.attr not in fields:
            what = f"{use.entity} has no field {access.attr}"
            mend = did_you_mean(access.attr, fields)
            yield TemplateProblem(part.file, access.lineno, what, mend)
