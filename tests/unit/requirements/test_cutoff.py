"""The moment that ``exclude-newer`` means."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from pyvstore.errors import UsageError
from pyvstore.requirements.cutoff import CutOff, parse_cut_off
from pyvstore.requirements.setting_values import parse_cut_off_setting, parse_package_cut_offs
from pyvstore.requirements.settings import project_layer

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
LAST = datetime.max.replace(tzinfo=timezone.utc)
FIRST = datetime.min.replace(tzinfo=timezone.utc)


def zone(hours: int) -> timezone:
    return timezone(timedelta(hours=hours))


@pytest.mark.parametrize(
    ("value", "moment", "text"),
    [
        ("2026-01-31", datetime(2026, 2, 1, tzinfo=timezone.utc), "2026-01-31"),
        (date(2026, 1, 31), datetime(2026, 2, 1, tzinfo=timezone.utc), "2026-01-31"),
        (" 2026-01-31 ", datetime(2026, 2, 1, tzinfo=timezone.utc), "2026-01-31"),
        ("2024-02-29", datetime(2024, 3, 1, tzinfo=timezone.utc), "2024-02-29"),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=timezone.utc), "2026-01-31T12:00:00Z"),
        ("2026-01-31t12:00:00z", datetime(2026, 1, 31, 12, tzinfo=timezone.utc), "2026-01-31T12:00:00Z"),
        ("2026-01-31 12:00Z", datetime(2026, 1, 31, 12, tzinfo=timezone.utc), "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=timezone.utc), "2026-01-31T10:00:00Z"),
        ("2026-01-31T23:30:00-01:00", datetime(2026, 2, 1, 0, 30, tzinfo=timezone.utc), "2026-02-01T00:30:00Z"),
        (datetime(2026, 1, 31, 12, tzinfo=zone(2)), datetime(2026, 1, 31, 10, tzinfo=timezone.utc), None),
        ("2026-01-31T12:00:00.5Z", datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=timezone.utc), None),
        ("2026-01-31T12:00:00.1234567Z", datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=timezone.utc), None),
    ],
)
def test_a_day_ends_at_midnight_in_utc_and_a_moment_is_what_its_zone_says(
    value: object, moment: datetime, text: str | None
) -> None:
    cut_off = parse_cut_off(value)
    assert (cut_off.moment, cut_off.age, cut_off.at(NOW)) == (moment, None, moment)
    assert cut_off.moment is not None
    assert cut_off.moment.utcoffset() == timedelta()
    assert text in {cut_off.text, None}


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (date(9999, 12, 31), LAST),
        ("9999-12-31", LAST),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=zone(-1)), LAST),
        ("9999-12-31T23:59:59-01:00", LAST),
        (datetime(1, 1, 1, tzinfo=zone(1)), FIRST),
        ("0001-01-01T00:00:00+01:00", FIRST),
    ],
)
def test_a_moment_at_an_end_of_the_calendar_is_that_end(value: object, moment: datetime) -> None:
    assert parse_cut_off(value).at(NOW) == moment
    project_layer({"tool": {"pyvstore": {"exclude-newer": value}}})


@pytest.mark.parametrize(
    ("text", "age", "canonical"),
    [
        ("7 days", timedelta(days=7), "7 days"),
        ("7d", timedelta(days=7), "7 days"),
        ("1 week", timedelta(days=7), "7 days"),
        ("168 hours ago", timedelta(days=7), "7 days"),
        ("P1W", timedelta(days=7), "7 days"),
        ("p7d", timedelta(days=7), "7 days"),
        ("P1DT12H", timedelta(hours=36), "36 hours"),
        ("PT30M", timedelta(minutes=30), "30 minutes"),
        ("1 day", timedelta(days=1), "1 day"),
        ("1 MIN", timedelta(minutes=1), "1 minute"),
        ("3 hrs", timedelta(hours=3), "3 hours"),
        ("0 days", timedelta(), "0 days"),
        ("00007 days", timedelta(days=7), "7 days"),
    ],
)
def test_an_age_counts_back_from_the_day_of_the_lock(text: str, age: timedelta, canonical: str) -> None:
    cut_off = parse_cut_off(text)
    assert (cut_off.moment, cut_off.age, cut_off.text) == (None, age, canonical)
    assert cut_off.at(NOW) == NOW - age


def test_an_age_older_than_the_calendar_is_its_beginning() -> None:
    assert parse_cut_off("999999999 days").at(NOW) == FIRST


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "7",
        "7 months",
        "-7 days",
        "7.5 days",
        "\N{ARABIC-INDIC DIGIT SEVEN} days",
        "P",
        "PT",
        "P1Y",
        f"{'9' * 5000} days",
        f"P{'9' * 5000}D",
        f"{'9' * 12} days",
        "2026-02-30",
        "2026-13-01",
        "0000-01-01",
        "2026-1-1",
        "20260131",
        "2026-W05",
        "2026-01-31T12:00:00",
        "2026-01-31T25:00:00Z",
        "2026-01-31T24:00:00Z",
        "20260131T120000Z",
        "2026-01-31T12Z",
        "2026-01-31T12:00:00+25:00",
        datetime(2026, 1, 31, 12),  # noqa: DTZ001 - a moment without its zone is the point
        time(12),
        True,
        7,
        7.5,
        None,
        ["2026-01-31"],
    ],
    ids=lambda value: str(value)[:30] or "nothing",
)
def test_whatever_is_neither_is_refused_with_what_is_expected(value: object) -> None:
    with pytest.raises(UsageError, match=r"^place: ") as caught:
        parse_cut_off_setting(value, "place")
    assert caught.value.code == "setting"
    assert (caught.value.hint or "").startswith('write a date ("2026-01-31"), a moment with its zone')
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2024-03-01T00:00:00Z", datetime(2024, 3, 1, tzinfo=timezone.utc)),
        ("2024-03-01T00:00:00Z", "2024-03-01T02:00:00+02:00"),
        ("2024-03-01T00:00:00Z", "2024-03-01 00:00:00.000Z"),
        ("2024-03-01", date(2024, 3, 1)),
        ("7 days", "P1W"),
        ("36h", "P1DT12H"),
    ],
)
def test_two_spellings_of_the_same_are_equal_and_are_recorded_alike(one: object, other: object) -> None:
    assert parse_cut_off(one) == parse_cut_off(other)
    assert parse_cut_off(one).text == parse_cut_off(other).text


@pytest.mark.parametrize(
    ("one", "other"),
    [("2024-03-01", "2024-03-02"), ("7 days", "8 days"), ("2024-03-01T00:00:00Z", "2024-03-01T00:00:01Z")],
)
def test_what_differs_is_unequal(one: str, other: str) -> None:
    assert parse_cut_off(one) != parse_cut_off(other)
    assert parse_cut_off(one).text != parse_cut_off(other).text


@given(st.datetimes(timezones=st.sampled_from([timezone.utc, zone(5), zone(-9)])))
def test_the_text_of_a_moment_means_that_moment(moment: datetime) -> None:
    cut_off = parse_cut_off(moment)
    assert parse_cut_off(cut_off.text) == cut_off


@given(st.integers(min_value=0, max_value=10**9))
def test_the_text_of_an_age_means_that_age(minutes: int) -> None:
    cut_off = parse_cut_off(f"{minutes} minutes")
    assert parse_cut_off(cut_off.text) == cut_off == CutOff(cut_off.text, age=timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, {}),
        ({"Two.Words": "2026-01-31"}, {"two-words": parse_cut_off("2026-01-31")}),
        ({"b": "7 days", "a": False}, {"a": None, "b": parse_cut_off("7 days")}),
        ({"a": date(9999, 12, 31)}, {"a": parse_cut_off("9999-12-31")}),
    ],
)
def test_packages_may_have_limits_of_their_own(value: dict[str, Any], expected: dict[str, CutOff | None]) -> None:
    limits = parse_package_cut_offs(value, "place")
    assert limits == tuple((NormalizedName(name), expected[name]) for name in sorted(expected))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "place: must be a table, not a list"),
        ({"-x": "7 days"}, "place: '-x' is not a valid name"),
        ({"a": True}, "place.a: a boolean is neither a moment nor an age"),
        ({"a.b": "7 days", "A-B": "8 days"}, "place: has a-b twice"),
        ({"a": "soon"}, "place.a: 'soon' is neither a moment nor an age"),
    ],
)
def test_a_wrong_limit_of_a_package_says_where_it_stands(value: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_package_cut_offs(value, "place")
    assert caught.value.message.startswith(message)
