"""Texts of alerts: built-in ones in English and Swedish, and a company's own templates.

Own templates are Jinja2 files `<template or rule>.<channel>[.<locale>].j2` in a folder of their
own, looked up from special to general: the template the rule names, then the rule's name; each with
the recipient's locale (sv_SE), then language (sv), then none. The channel is `sms`, `email`,
`whatsapp` or `voice`. An
email's first line may be `Subject: ...`; its HTML is made from the text, or from
`<name>.email[.<locale>].html.j2`.

A template may name
    every field of the document (`type`, `number`, `status`, `amount`, `currency`, ...), `company`;
    `previous` (the same fields before the change; none for a new document);
    `changes` (a list of `name`, `label`, `before`, `after`, the last three ready to print);
    `rule`, `severity`, `reference`, `entity`, `today`;
and use the filters `money(currency)`, `number(decimals)`, `date`, `label`.
"""

from __future__ import annotations

from target_twilio_alerts.messages.content import fill_variables
from target_twilio_alerts.messages.context import (
    MessageContext,
    Rendered,
    TemplateError,
    TemplateProblem,
    TemplateUse,
    Value,
)
from target_twilio_alerts.messages.digest import DigestEntry
from target_twilio_alerts.messages.failures import Failure
from target_twilio_alerts.messages.masking import (
    hide_numbers,
    hide_numbers_in,
    mask_address,
    mask_contacts,
    mask_ibans,
    mask_text,
    mask_words,
)
from target_twilio_alerts.messages.render import Messages
from target_twilio_alerts.messages.segments import Segments, count_segments, to_gsm_safe

__all__ = [
    "DigestEntry",
    "Failure",
    "MessageContext",
    "Messages",
    "Rendered",
    "Segments",
    "TemplateError",
    "TemplateProblem",
    "TemplateUse",
    "Value",
    "count_segments",
    "fill_variables",
    "hide_numbers",
    "hide_numbers_in",
    "mask_address",
    "mask_contacts",
    "mask_ibans",
    "mask_text",
    "mask_words",
    "to_gsm_safe",
]
