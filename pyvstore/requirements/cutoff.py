"""``exclude-newer``: a moment, or an age that becomes a moment when the lock is made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

_ISO_AGE = re.compile(r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?")
_AGE = re.compile(r"(\d+)\s*(minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WORDING = 'write a date ("2026-01-31"), a moment with its zone ("2026-01-31T12:00:00Z") or an age ("7 days")'


@dataclass(frozen=True, slots=True)
class CutOff:
    """What is newer is not there.

    Attributes:
        text: as the user wrote it, for messages and for the record in the lock.
        moment: aware UTC; what was uploaded at it or later is excluded. None for an age.
        age: how old something must be at least; None for a moment.
    """

    text: str
    moment: datetime | None = None
    age: timedelta | None = None

    def at(self, now: datetime) -> datetime:
        """Return the moment that is meant when it is ``now`` (aware UTC)."""
        if self.moment is not None:
            return self.moment
        try:
            return now - (self.age or timedelta())
        except OverflowError:
            return datetime.min.replace(tzinfo=timezone.utc)


def parse_cut_off(value: object) -> CutOff:
    """Return what a text, or a TOML date or time, means.

    A date means the end of that day in UTC, on every machine. Raises ValueError with what is expected.
    """
    if isinstance(value, datetime):
        return _of_moment(value, value.isoformat())
    if isinstance(value, date):
        return _of_day(value)
    if not isinstance(value, str):
        raise ValueError(_WORDING)  # noqa: TRY004 - one kind of refusal for the caller to translate
    text = value.strip()
    age = _parse_age(text)
    if age is not None:
        return CutOff(text, age=age)
    try:
        if _DATE.fullmatch(text):
            return _of_day(date.fromisoformat(text))
        return _of_moment(datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text)), text)
    except (ValueError, OverflowError) as error:
        raise ValueError(_WORDING) from error


def _of_day(day: date) -> CutOff:
    midnight = datetime.combine(day, time(), timezone.utc)
    return CutOff(day.isoformat(), moment=midnight + timedelta(days=1))


def _of_moment(moment: datetime, text: str) -> CutOff:
    if moment.tzinfo is None:
        raise ValueError(_WORDING)
    return CutOff(text, moment=moment.astimezone(timezone.utc))


def _parse_age(text: str) -> timedelta | None:
    iso = _ISO_AGE.fullmatch(text.upper())
    try:
        if iso is not None and any(iso.groups()):
            return timedelta(**{unit: int(count) for unit, count in iso.groupdict().items() if count})
        match = _AGE.fullmatch(text.lower().removesuffix(" ago"))
        return timedelta(**{_UNITS[match[2][0]]: int(match[1])}) if match else None
    except OverflowError as error:
        raise ValueError(_WORDING) from error
