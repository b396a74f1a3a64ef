"""``exclude-newer``: a moment, or an age that becomes a moment when the lock is made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

_ISO_AGE = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?", re.ASCII
)
_AGE = re.compile(r"(\d+)\s*(minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# What every Python reads alike: which other spellings `fromisoformat` takes differs between their versions.
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ]([01]\d|2[0-3])(:\d{2}(?::\d{2})?)(?:\.(\d+))?(?:(Z)|([+-]\d{2}:\d{2}))", re.ASCII
)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MINUTES = {"day": 24 * 60, "hour": 60, "minute": 1}
_FIRST, _LAST = datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc)
_WORDING = 'write a date ("2026-01-31"), a moment with its zone ("2026-01-31T12:00:00Z") or an age ("7 days")'


@dataclass(frozen=True, slots=True)
class CutOff:
    """What is newer is not there.

    Attributes:
        text: the one spelling of what is meant, for messages and for the record in the lock.
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
            return _FIRST


def parse_cut_off(value: object) -> CutOff:
    """Return what a text, or a TOML date or time, means.

    A date means the end of that day in UTC, on every machine. Raises ValueError with what is expected.
    """
    if isinstance(value, datetime):
        return _of_moment(value)
    if isinstance(value, date):
        return _of_day(value)
    if not isinstance(value, str):
        raise ValueError(_WORDING)  # noqa: TRY004 - one kind of refusal for the caller to translate
    try:
        return _of_text(value.strip().upper())
    except (ValueError, OverflowError) as error:
        raise ValueError(_WORDING) from error


def _of_text(text: str) -> CutOff:
    age = _parse_age(text)
    if age is not None:
        return CutOff(_format_age(age), age=age)
    if _DATE.fullmatch(text):
        return _of_day(date.fromisoformat(text))
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(_WORDING)
    day, hour, rest, fraction, _, offset = match.groups()
    moment = datetime.fromisoformat(f"{day}T{hour}{rest}{offset or '+00:00'}")
    return _of_moment(moment.replace(microsecond=int((fraction or "")[:6].ljust(6, "0"))))


def _of_day(day: date) -> CutOff:
    midnight = datetime.combine(day, time(), timezone.utc)
    return CutOff(day.isoformat(), moment=_LAST if day == date.max else midnight + timedelta(days=1))


def _of_moment(moment: datetime) -> CutOff:
    if moment.tzinfo is None:
        raise ValueError(_WORDING)
    try:
        moment = moment.astimezone(timezone.utc)
    except OverflowError:  # beyond an end of the calendar by less than a day
        moment = _FIRST if moment.year == _FIRST.year else _LAST
    return CutOff(moment.isoformat().replace("+00:00", "Z"), moment=moment)


def _parse_age(text: str) -> timedelta | None:
    iso = _ISO_AGE.fullmatch(text)
    if iso is not None and any(iso.groups()):
        return timedelta(**{unit: int(count) for unit, count in iso.groupdict().items() if count})
    match = _AGE.fullmatch(text.lower().removesuffix(" ago"))
    return timedelta(**{_UNITS[match[2][0]]: int(match[1])}) if match else None


def _format_age(age: timedelta) -> str:
    minutes = age // timedelta(minutes=1)
    unit = next(unit for unit, size in _MINUTES.items() if minutes % size == 0)
    number = minutes // _MINUTES[unit]
    return f"{number} {unit}{'' if number == 1 else 's'}"
