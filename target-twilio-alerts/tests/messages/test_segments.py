from __future__ import annotations

import json
import unicodedata

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.messages import count_segments, to_gsm_safe
from target_twilio_alerts.messages.segments import fit

EXTENDED = "\f^{}\\[]~|€"


def test_every_vector_of_twilios_own_calculator_is_counted_the_same(contracts):
    vectors = json.loads((contracts / "sms-segment-vectors.json").read_text(encoding="utf-8"))
    assert len(vectors) == 1500
    for vector in vectors:
        count = count_segments(vector["body"])
        assert (count.encoding, count.segments) == (vector["encoding"], vector["segments"])
        assert count.units == vector["bits"] // (7 if count.encoding == "GSM-7" else 16)


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units"),
    [
        ("", "GSM-7", 1, 0),
        ("a" * 160, "GSM-7", 1, 160),
        ("a" * 161, "GSM-7", 2, 161),
        ("a" * 306, "GSM-7", 2, 306),
        ("a" * 307, "GSM-7", 3, 307),
        ("€" * 80, "GSM-7", 1, 160),
        ("a" * 152 + "€" + "a" * 151, "GSM-7", 2, 305),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3, 306),
        ("\f", "GSM-7", 1, 2),
        ("`", "UCS-2", 1, 1),
        ("\t", "UCS-2", 1, 1),
        ("ê" * 70, "UCS-2", 1, 70),
        ("ê" * 71, "UCS-2", 2, 71),
        ("ê" * 66 + "😀" + "ê" * 65, "UCS-2", 2, 133),
        ("ê" * 66 + "😀" + "ê" * 66, "UCS-2", 3, 134),
        ("åäöÅÄÖøæØÆéè", "GSM-7", 1, 12),
        ("Ç" * 160, "GSM-7", 1, 160),
        ("ç", "UCS-2", 1, 1),
        ("a\u030a" * 35, "UCS-2", 1, 70),
        *[("a" * 152 + one + "a" * 152, "GSM-7", 3, 306) for one in EXTENDED],
        *[("a" * 151 + one + "a" * 153, "GSM-7", 2, 306) for one in EXTENDED],
        *[("a" * 158 + one, "GSM-7", 1, 160) for one in EXTENDED],
        *[("a" * 159 + one, "GSM-7", 2, 161) for one in EXTENDED],
    ],
)
def test_edges_of_parts(text, encoding, segments, units):
    count = count_segments(text)
    assert (count.encoding, count.segments, count.units) == (encoding, segments, units)


@pytest.mark.parametrize("place", [151, 152, 153, 154, 304, 305, 306, 307, 458, 459, 460])
def test_a_character_of_two_units_never_straddles_any_edge(place):
    for one in EXTENDED:
        for behind in (0, 1, 152, 153):
            text = "a" * place + one + "b" * behind
            assert count_segments(text).segments == len(smsutil.split(text).parts)


@given(
    st.text(st.sampled_from("ab €[]{}^~|\\\fåÄΔ\n\r"), max_size=700)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
)
def test_an_independent_counter_agrees(text):
    count = count_segments(text)
    # The escape itself is no character; smsutil lets it pass.
    if text and "\x1b" not in text:
        assert count.segments == len(smsutil.split(text).parts)
        assert (count.encoding == "GSM-7") == smsutil.is_valid_gsm(text)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("75\u00a0000,00", "75 000,00"),
        ("75\u202f000,00", "75 000,00"),
        ("\u221212,50", "-12,50"),
        ("\u201cfaktura\u201d \u2013 \u2018nu\u2019\u2026", "\"faktura\" - 'nu'..."),
        ("A\u030angstro\u0308m", "Ångström"),
        ("Łukasz Þór", "Łukasz Þór"),
        ("a\u00adb\u200bc", "abc"),
        ("1 \u2192 2", "1 -> 2"),
    ],
)
def test_look_alikes_become_cheap_and_letters_stay(given, expected):
    assert to_gsm_safe(given) == expected


@given(st.text(max_size=80))
def test_no_letter_or_digit_is_ever_replaced(text):
    def letters(given):
        composed = unicodedata.normalize("NFC", given)
        return [one for one in composed if unicodedata.category(one)[0] in "LN"]

    assert letters(to_gsm_safe(text)) == letters(text)


@given(st.text(max_size=200))
def test_making_a_text_safe_twice_changes_nothing_more(text):
    once = to_gsm_safe(text)
    assert to_gsm_safe(once) == once


@given(
    st.text(st.sampled_from("ab €[]😀ê\n."), max_size=900),
    st.integers(1, 4),
    st.sampled_from(["", ". Ref 7K2QM9"]),
)
def test_a_text_that_was_cut_fits_and_keeps_its_ending(text, budget, ending):
    fitted = fit(text, budget, ending=ending)
    assert count_segments(fitted).segments <= budget
    assert fitted.endswith(ending)
    kept = fitted.removesuffix(ending)
    if kept != text:
        assert kept.endswith("...")
        assert text.startswith(kept[:-3])
        longer = text[: len(kept) - 3 + 8] + "x" * 60
        assert count_segments(longer + "..." + ending).segments >= budget
