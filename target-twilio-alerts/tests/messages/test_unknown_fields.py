"""Own templates are tried without each field that may be null, in the locales of their readers."""

from __future__ import annotations

import pytest

from target_twilio_alerts.messages import Messages, TemplateUse

FIELDS = {
    "number": "text",
    "status": "text",
    "description": "text",
    "amount": "number",
    "currency": "text",
    "due_date": "date",
    "on_hold": "boolean",
    "accounts": "list",
    "record.terms.id": "text",
    "record.terms.days": "number",
}
NULLABLE = frozenset(FIELDS) - {"number"}


@pytest.fixture
def check(tmp_path):
    """What is told of templates, given by name of the file; fields are those that may be null."""

    def check(files, *, nullable=NULLABLE, channels=("sms", "email", "voice"), **use):
        files = {"r.sms.j2": files} if isinstance(files, str) else files
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        given = TemplateUse("r", "deal", None, channels, FIELDS, nullable=nullable, **use)
        return list(map(str, Messages(tmp_path).check([given])))

    return check


FAILING = [
    ("{{ amount - 5 }}", "amount"),
    ("{{ due_date.year }}", "due_date"),
    ("{{ (amount - 5) | money(currency) }}", "amount"),
    ("{{ status[0] }}", "status"),
    ("{% for one in accounts %}{{ one }}{% endfor %} x", "accounts"),
    ("{{ record.terms.days + 1 }}", "record.terms.days"),
]


@pytest.mark.parametrize(("template", "field"), FAILING)
def test_a_template_that_fails_without_a_field_is_told_with_its_line_and_a_mend(
    check, template, field
):
    (told,) = check(f"Deal {{{{ number }}}}:\n{template}\n")
    assert told.startswith(f"r.sms.j2:2: it fails where {field} is unknown: ")
    assert told.endswith(f"; put what needs it in {{% if {field} is not none %}}")
    assert "\n" not in told


def none_of(field, file="r.sms.j2"):
    mend = f"put what needs it in {{% if {field} is not none %}}"
    return f"{file}: it prints None where {field} is unknown; {mend}"


PRINTING = [
    ('{{ "status " ~ status }}', "status"),
    ("{{ status | upper }}", "status"),
    ("{{ status | lower }}", "status"),
    ('{{ "%s" % status }}', "status"),
    ("{{ [status, number] | join(' ') }}", "status"),
    ("{{ record.terms.id | capitalize }}", "record.terms.id"),
]


@pytest.mark.parametrize(("template", "field"), PRINTING)
def test_a_template_that_prints_none_is_told_with_a_mend(check, template, field):
    assert check(f"Deal {{{{ number }}}} {template}") == [none_of(field)]


@pytest.mark.parametrize(("template", "field"), FAILING + PRINTING)
def test_what_the_rule_makes_sure_of_is_not_told(check, template, field):
    assert check(f"Deal {{{{ number }}}} {template}", nullable=NULLABLE - {field}) == []


@pytest.mark.parametrize(("template", "field"), FAILING + PRINTING)
def test_the_mend_mends_it(check, template, field):
    assert check(f"x {{% if {field} is not none %}}{template}{{% endif %}}") == []


@pytest.mark.parametrize(
    "template",
    [
        "{{ status }} {{ amount }} {{ due_date }} {{ accounts }} {{ record.terms.id }}",
        "{{ amount | money(currency) }} {{ amount | number(2) }} {{ due_date | date }}",
        "{% if amount and amount > 5 %}large{% else %}small{% endif %}",
        '{{ status or "none" }} {{ description or "None" }}',
        'None of {{ number }}, {{ status | default("none", true) }}',
        "{{ changes | length }} {{ number }}",
    ],
)
def test_what_prints_well_without_its_fields_is_left_alone(check, template):
    assert check(template) == []


def test_subject_text_and_html_of_an_email_are_all_tried(check):
    files = {
        "r.email.j2": "Subject: {{ 'Deal ' ~ description }}\nSee below.",
        "r.email.html.j2": "<p>{{ status | upper }}</p>",
    }
    told = [none_of("description", "r.email.j2"), none_of("status", "r.email.j2")]
    assert check(files) == told


def test_a_template_of_a_call_is_tried_too(check):
    (told,) = check({"r.voice.j2": "{{ amount - 1 }}"})
    assert told.startswith("r.voice.j2:1: it fails where amount is unknown")


def test_a_text_that_nobody_listens_to_is_told(check):
    told = (
        "r.voice.j2: with sample values it has more than 1000 characters; shorten it: a call is "
        "cut there"
    )
    assert check({"r.voice.j2": "word " * 201}) == [told]
    assert check({"r.voice.j2": "word " * 200}) == []


BY_LOCALE = "{% if 'amount' | label == 'belopp' %}{{ amount + 1 }}{% else %}{{ number }}{% endif %}"
LONG = "{{ 'due_date' | label }} " * 12  # fits one segment in English, and not in Swedish


def test_a_template_is_tried_in_the_locale_of_each_of_its_readers(check):
    assert check(BY_LOCALE) == []
    assert check(BY_LOCALE, locales=("en", "da_DK")) == []
    (told,) = check(BY_LOCALE, locales=("en", "sv_SE"))
    assert "where amount is unknown" in told


def test_a_text_that_is_too_long_for_one_reader_is_told_once(check):
    budget = {"max_segments": 1, "channels": ("sms",)}
    assert check(LONG, locales=("en", "en_GB"), **budget) == []
    told = check(LONG, locales=("en", "sv_FI", "nb_NO", "sv_SE"), **budget)
    assert len(told) == 1
    assert "it needs 2 segments, and rule r allows 1" in told[0]


def test_who_has_a_file_of_their_own_reads_no_other(check):
    files = {"r.sms.j2": BY_LOCALE, "r.sms.sv.j2": "{{ number }}"}
    assert check(files, locales=("en", "sv_SE")) == []
