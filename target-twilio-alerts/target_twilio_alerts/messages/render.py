"""Renders one alert's text for one recipient: the company's own template, else the built-in."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.messages import builtin
from target_twilio_alerts.messages.context import (
    Rendered,
    TemplateError,
    TemplateProblem,
)
from target_twilio_alerts.messages.digest import MOST_ROWS, plain_text, sections_of, short_text
from target_twilio_alerts.messages.facts import changes_between, clean, clean_values, nested
from target_twilio_alerts.messages.failures import causes_of, short_summary
from target_twilio_alerts.messages.kinds import ANCHOR, BRAKE_SUMMARY, DIGEST, FAILURES
from target_twilio_alerts.messages.locales import builtin_formats
from target_twilio_alerts.messages.masking import mask_ibans
from target_twilio_alerts.messages.own import OwnTemplates
from target_twilio_alerts.messages.segments import (
    MAX_SMS_LENGTH,
    count_segments,
    fit,
    shorten,
    to_gsm_safe,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from target_twilio_alerts.messages.context import MessageContext, TemplateUse
    from target_twilio_alerts.messages.digest import DigestEntry, Section
    from target_twilio_alerts.messages.failures import Failure
    from target_twilio_alerts.messages.locales import Formats
    from target_twilio_alerts.messages.own import OwnTemplate

_LONGEST_SUBJECT = 200
_GAP = re.compile(r"(?<=\d)[\u00a0\u202f](?=\d)")


class Messages:
    """Writes the texts. Safe to use from several threads at once.

    Args:
        templates_dir: The company's own templates; None or a missing folder means built-in only.
        public_url: Where readers of emails reach us, to acknowledge; None: they do not.
    """

    def __init__(self, templates_dir: Path | None, *, public_url: str | None = None) -> None:
        self.public_url = public_url
        self._folder = templates_dir
        self._own = OwnTemplates(templates_dir)

    def render(
        self,
        context: MessageContext,
        *,
        channel: str,
        locale: str,
        template: str | None,
        max_segments: int | None = None,
    ) -> Rendered:
        """Write one text.

        An own template that fails never costs the alert: the built-in text is sent instead, and
        `problem` says why.

        Args:
            context: What the alert is about.
            channel: "sms", "email", "whatsapp" or "voice".
            locale: The recipient's, such as "sv_SE".
            template: The template the rule names; else the rule's own name is looked up.
            max_segments: How many segments an SMS may have; None: as many as Twilio takes.
        """
        context = replace(
            context,
            values=clean_values(context.values),
            previous=None if context.previous is None else clean_values(context.previous),
        )
        problem = None
        try:
            own = self._find(context.rule, template, channel, locale)
            if own and context.undecided is None:
                return _within(render_own(own, context, channel), channel, max_segments)
        except TemplateError as error:
            problem = str(error)
        formats = builtin_formats(locale)
        name = f"built-in/{context.entity}.{channel}"
        if channel == "voice":
            return _spoken(builtin.voice_text(context, formats), formats, name, problem)
        if channel != "email":
            budget = max_segments if channel == "sms" else None
            text = builtin.sms_text(context, formats, max_segments=budget)
            return _short(text, formats, name, problem, channel)
        return Rendered(
            subject=_one_line(builtin.subject(context, formats)),
            text=mask_ibans(builtin.email_text(context, formats)),
            html=mask_ibans(builtin.email_html(context, formats)),
            locale=formats.locale,
            template=name,
            problem=problem,
        )

    def held(
        self, numbers: Mapping[str, int], *, channel: str, locale: str, reference: str
    ) -> Rendered:
        """Write how many messages the flood brake holds, by rule.

        Args:
            numbers: Of each rule.
            channel: "sms" or "email".
            locale: The recipient's.
            reference: Of the message.
        """
        formats = builtin_formats(locale)
        named = ", ".join(f"{rule}: {number}" for rule, number in numbers.items())
        what = formats.phrase("held").format(number=sum(numbers.values()))
        text = formats.phrase("release").format(what=what, rules=named)
        signed = f"{text} {formats.phrase('reference').format(reference=reference)}"
        short = _short(signed, formats, BRAKE_SUMMARY, None, channel)
        return short if channel == "sms" else replace(short, subject=_one_line(what))

    def anchor(self, line: str, *, number: int, locale: str, reference: str) -> Rendered:
        """Write the email that keeps an anchor of the audit trail; its line stays as it is.

        Args:
            line: The anchor.
            number: Of its event.
            locale: The recipient's.
            reference: Of the message.
        """
        formats = builtin_formats(locale)
        signed = formats.phrase("reference").format(reference=reference)
        return Rendered(
            subject=formats.phrase("anchor").format(number=number),
            text=f"{formats.phrase('keep_anchor')} {signed}\n\n{line}",
            html=None,
            locale=formats.locale,
            template=ANCHOR,
        )

    def digest(
        self, entries: Sequence[DigestEntry], *, channel: str, locale: str, reference: str
    ) -> Rendered:
        """Write a digest.

        Args:
            entries: Its alerts.
            channel: "sms" or "email".
            locale: The recipient's.
            reference: Of the message.
        """
        formats = builtin_formats(locale)
        named = "digest_one" if len(entries) == 1 else "digest"
        title = formats.phrase(named).format(number=len(entries))
        signed = formats.phrase("reference").format(reference=reference)
        if channel == "sms":
            text = short_text(title, sections_of(entries, formats, most=0), signed)
            return _short(text, formats, DIGEST, None, channel)
        sections, html = _as_long_as_fits(
            lambda most: sections_of(entries, formats, most), formats, title, signed
        )
        return Rendered(
            subject=_one_line(title),
            text=mask_ibans(plain_text(title, sections, formats.phrase("total"), signed)),
            html=None if html is None else mask_ibans(html),
            locale=formats.locale,
            template=DIGEST,
        )

    def failures(
        self, failures: Sequence[Failure], *, channel: str, locale: str, reference: str
    ) -> Rendered:
        """Write which messages did not get through, by cause, and what to do.

        Args:
            failures: The messages.
            channel: "sms" or "email".
            locale: The recipient's.
            reference: Of the message.
        """
        formats = builtin_formats(locale)
        named = "failures_one" if len(failures) == 1 else "failures"
        title = formats.phrase(named).format(number=len(failures))
        signed = formats.phrase("reference").format(reference=reference)
        if channel == "sms":
            text = short_summary(title, failures, formats, signed)
            return _short(text, formats, FAILURES, None, channel)
        ending = f"{formats.phrase('resend')} {signed}"
        sections, html = _as_long_as_fits(
            lambda most: causes_of(failures, formats, most), formats, title, ending
        )
        return Rendered(
            subject=_one_line(title),
            text=mask_ibans(plain_text(title, sections, formats.phrase("total"), ending)),
            html=None if html is None else mask_ibans(html),
            locale=formats.locale,
            template=FAILURES,
        )

    def check(self, uses: Iterable[TemplateUse]) -> list[TemplateProblem]:
        """Try every template that the rules use, with sample values, and list what is wrong."""
        from target_twilio_alerts.messages.check import check_templates  # noqa: PLC0415 - it renders through this module

        return check_templates(self._folder, list(uses))

    def _find(
        self, rule: str, template: str | None, channel: str, locale: str
    ) -> OwnTemplate | None:
        if template:
            own = self._own.find(template, channel, locale)
            if own:
                return own
        return self._own.find(rule, channel, locale)


def _as_long_as_fits(
    sections_with: Callable[[int], list[Section]], formats: Formats, title: str, signed: str
) -> tuple[list[Section], str | None]:
    """The sections of a text and its card, with as many rows of each as there is room for."""
    sections: list[Section] = []
    for most in MOST_ROWS:
        sections = sections_with(most)
        try:
            return sections, builtin.digest_html(title, sections, formats, reference=signed)
        except TemplateError:
            continue  # too long; the built-in card has no other fault
    return sections, None


def _within(rendered: Rendered, channel: str, max_segments: int | None) -> Rendered:
    """Cut an SMS of the company's own words to its budget, and say so."""
    needed = rendered.segments or 0
    if channel != "sms" or max_segments is None or needed <= max_segments:
        return rendered
    text = fit(rendered.text, max_segments)
    count = count_segments(text)
    return replace(
        rendered,
        text=text,
        encoding=count.encoding,
        segments=count.segments,
        problem=f"{rendered.template}: the text needs {needed} segments, and was cut to the "
        f"{max_segments} of max_segments",
    )


def render_own(own: OwnTemplate, context: MessageContext, channel: str) -> Rendered:
    """Write one text from an own template; `context` must have been cleaned.

    Raises:
        TemplateError: The template failed.
    """
    formats = own.formats
    variables = variables_of(context, formats)
    text = mask_ibans(own.text.render(variables).strip())  # before lines and cuts part one
    if not text:
        what = "the text is empty"
        raise TemplateError(TemplateProblem(own.file, None, what, "let it always say something"))
    if channel == "voice":
        return _spoken(text, formats, own.file, None)
    if channel != "email":
        return _short(text, formats, own.file, None, channel)
    title = clean(own.subject.render(variables)).strip() if own.subject else ""
    subject = title or builtin.subject(context, formats)
    html = (
        own.html.render(variables)
        if own.html
        else builtin.email_html(context, formats, text=text, title=title or None)
    )
    return Rendered(
        subject=_one_line(subject),
        text=text,
        html=mask_ibans(html),
        locale=formats.locale,
        template=own.file,
    )


def variables_of(context: MessageContext, formats: Formats) -> dict[str, Any]:
    """Return what a template may name; the alert's own names win over a document's fields."""
    return {
        **context.values,
        "record": nested(context.values, "record."),
        "previous": context.previous,
        "changes": changes_between(context.previous, context.values, context.entity, formats),
        "rule": context.rule,
        "severity": context.severity,
        "reference": context.reference,
        "company": context.values.get("company"),
        "entity": context.entity,
        "today": context.today,
        "step": context.step,
        "acknowledge_url": context.acknowledge_url,
    }


def _short(
    text: str, formats: Formats, template: str, problem: str | None, channel: str
) -> Rendered:
    """Write an SMS, or a text of another channel that is as long and has no segments."""
    rendered = _sms(text, formats, template, problem)
    return rendered if channel == "sms" else replace(rendered, encoding=None, segments=None)


def _spoken(text: str, formats: Formats, template: str, problem: str | None) -> Rendered:
    """Write what a call says, as long as somebody listens to at most; a cut is told."""
    # A voice may take "75 000" for two numbers.
    said = " ".join(_GAP.sub("", mask_ibans(text)).split())
    if problem is None and len(said) > builtin.LONGEST_CALL:
        problem = (
            f"{template}: a call says {builtin.LONGEST_CALL} characters at most, and the "
            f"{len(said)} of the text were cut"
        )
    return Rendered(
        subject=None,
        text=shorten(said, builtin.LONGEST_CALL),
        html=None,
        locale=formats.locale,
        template=template,
        problem=problem,
    )


def _sms(text: str, formats: Formats, template: str, problem: str | None) -> Rendered:
    safe = shorten(to_gsm_safe(mask_ibans(text)), MAX_SMS_LENGTH)
    count = count_segments(safe)
    return Rendered(
        subject=None,
        text=safe,
        html=None,
        locale=formats.locale,
        template=template,
        encoding=count.encoding,
        segments=count.segments,
        problem=problem,
    )


def _one_line(text: str) -> str:
    """Return a subject that cannot carry a second header."""
    return shorten(" ".join(mask_ibans(str(clean(text))).split()), _LONGEST_SUBJECT)
