"""Reading of the timestamps of an event file, in one unit and one order of day and month."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gsr.counters.time_units import SECONDS_END, likely_unit
from stream.events.clicks.bad_record import Fault, quoted
from stream.events.clicks.timestamps import parse_iso
from stream.events.files.dialect import FileDialect
from stream.events.files.time_texts import (
    DayOrder,
    is_ordered,
    orders_of,
    parse_as,
    parse_clear,
    parse_ordered,
)
from stream.events.files.time_units import (
    FIRST_DATE,
    UNIT_WORDS,
    UnclearTimesError,
    UnitGuess,
    guess_unit,
    to_seconds,
    typical,
    unit_that_fits,
    with_span,
)

Timestamps: TypeAlias = Sequence[float | str] | npt.NDArray[np.float64]

# Neighbours in one unit differ by less, those in another by more.
_ALIKE: Final = 10.0
_UNIT_CODES: Final = {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}
_FORMATS: Final = {"day-first": "%d/%m/%Y", "month-first": "%m/%d/%Y"}


class FileTimes:
    """Reads timestamps, after it has learned from the first of them what they mean.

    Parameters
    ----------
    dialect
        What the operator said about them; the rest is learned.
    say
        Is told what was learned.
    whole
        Returns the timestamps of all rows, from the start: looked through when the first rows do
        not tell day and month apart. Raises `UnclearTimesError` where that is not possible.
    """

    def __init__(
        self,
        dialect: FileDialect,
        say: Callable[[str], None],
        whole: Callable[[], Iterator[Timestamps]],
    ) -> None:
        self._format = dialect.time_format
        self._unit = dialect.time_unit
        self._say = say
        self._whole = whole
        self._unusual = False
        self._near: Timestamps = ()
        self._guess: UnitGuess | None = None
        self._order: DayOrder | None = None

    def all_seconds(self, timestamps: Timestamps) -> npt.NDArray[np.float64] | None:
        """Read all as numbers, or all as text; None where a row needs a closer look.

        Raises
        ------
        UnclearTimesError
            The numbers or texts can be read in more than one way.
        """
        self._near = timestamps
        if self._format is not None:
            texts = map(_as_written, _listed(timestamps))
            return np.array([parse_as(text, self._format) for text in texts], dtype=np.float64)
        try:
            numbers = np.array(list(map(float, timestamps)))
        except OverflowError:
            return None
        except ValueError:
            return self._all_texts(timestamps)
        times = to_seconds(numbers, self._learned(numbers).unit)
        if self._learned(numbers).span is not None and bool(np.any(times < FIRST_DATE)):
            return None
        return times

    def learn(self, timestamps: Sequence[float | str]) -> None:
        """Learn from rows among which are bad ones; see `all_seconds`."""
        self._near = timestamps
        numbers = []
        for timestamp in timestamps if self._format is None else ():
            try:
                numbers.append(float(timestamp))
            except (ValueError, OverflowError):
                continue
        if numbers:
            self._learned(np.array(numbers))

    def seconds(self, timestamp: float | str) -> float | Fault:
        """Return one time, or what is wrong with it."""
        if self._format is not None:
            return self._formatted(_as_written(timestamp))
        try:
            number = float(timestamp)
        except (ValueError, OverflowError):
            return self._text_or_fault(timestamp)
        return _number(number, self._guess or UnitGuess(self._unit or "s", None))

    def _learned(self, numbers: npt.NDArray[np.float64]) -> UnitGuess:
        """Return the unit of numbers, learned from the first ones that come."""
        if self._guess is None:
            times = numbers[(numbers >= 0) & np.isfinite(numbers)]
            if not len(times):
                return UnitGuess(self._unit or "s", None)
            if self._unit is not None:
                self._guess = with_span(self._unit, times)
                return self._guess
            self._guess = guess_unit(times)
            if self._guess.unit != "s":
                self._say(_unit_words(self._guess, typical(times)))
        return self._guess

    def _all_texts(self, timestamps: Timestamps) -> npt.NDArray[np.float64] | None:
        if set(map(type, timestamps)) != {str}:
            return None
        texts = list(map(str.strip, map(str, timestamps)))
        times = [] if self._unusual else list(map(parse_iso, texts))
        if self._unusual or None in times:
            # The first of other texts tells what the rest is likely to be.
            self._unusual = True
            times = [self._text(text) for text in texts]
        return np.array(times, dtype=np.float64)

    def _text(self, text: str) -> float | None:
        if not is_ordered(text):
            return parse_clear(text)
        if self._order is None:
            if not orders_of([text])[1]:
                return parse_ordered(text, "month-first")  # the other order means the same
            self._order = self._learned_order()
        return parse_ordered(text, self._order)

    def _text_or_fault(self, timestamp: float | str) -> float | Fault:
        time = self._text(timestamp.strip()) if isinstance(timestamp, str) else None
        if time is None:
            return _no_time(
                f"{quoted(str(timestamp))} is neither seconds since the epoch nor ISO-8601, nor "
                "another usual text: say how to read it, such as --time-format "
                "'%d.%m.%y %H.%M' (strptime's signs)"
            )
        return _within(time)

    def _formatted(self, text: str) -> float | Fault:
        time = parse_as(text, self._format or "")
        if time is None:
            return _no_time(f"{quoted(text)} is not of the form --time-format {self._format!r}")
        return _within(time)

    def _learned_order(self) -> DayOrder:
        """Return whether day or month comes first: as rows nearby tell, else the first that do."""
        for timestamps in chain([self._near], self._whole()):
            orders, _ = orders_of(at.strip() for at in timestamps if isinstance(at, str))
            if len(orders) > 1:
                break
            if orders:
                order = orders.pop()
                self._say(f"dates are read {order}, like --time-format '{_FORMATS[order]} ...'")
                return order
        raise UnclearTimesError(
            "no date tells whether day or month comes first, or they contradict each other: say "
            "how to read them, such as --time-format '%d/%m/%Y %H:%M:%S' (or %m/%d/%Y; %I and %p "
            "for AM and PM)"
        )


def looks_like_time(text: str, time_format: str | None = None) -> bool:
    """Return whether a text could be a time: a number, a usual text, or one of a format.

    Examples
    --------
    >>> looks_like_time("1506826800"), looks_like_time("29/01/2021"), looks_like_time("i-17")
    (True, True, False)
    """
    if time_format is not None:
        return parse_as(text, time_format) is not None
    try:
        return float(text) >= 0
    except ValueError:
        text = text.strip()
        return parse_clear(text) is not None or is_ordered(text)


def resembles(time: str, other: str) -> bool:
    """Return whether two times could be of one file: both text, or numbers of one unit.

    What cannot be compared does resemble.

    Examples
    --------
    >>> resembles("1506826800", "1506913200"), resembles("5", "1506826800"), resembles("5", "")
    (True, False, True)
    """
    numbers = []
    for text in (time, other):
        try:
            numbers.append(float(text))
        except ValueError:
            continue
    if len(numbers) == 1:
        return not looks_like_time(other)
    if not numbers or numbers[1] < FIRST_DATE:
        return True
    return numbers[1] / _ALIKE < numbers[0] < numbers[1] * _ALIKE


def _listed(timestamps: Timestamps) -> Sequence[float | str]:
    return timestamps.tolist() if isinstance(timestamps, np.ndarray) else timestamps


def _as_written(timestamp: float | str) -> str:
    """Return a time as its owner wrote it: 20171001, not 20171001.0."""
    return f"{timestamp:.15g}" if isinstance(timestamp, float) else str(timestamp).strip()


def _unit_words(guess: UnitGuess, example: float) -> str:
    time = float(to_seconds(np.array([example]), guess.unit)[0])
    shown = ""
    if 0 <= time < SECONDS_END:
        moment = datetime.fromtimestamp(time, UTC).replace(tzinfo=None).isoformat(" ", "seconds")
        shown = f" ({example:.20g} is {moment} UTC)"
    unit = UNIT_WORDS[guess.unit]
    return f"timestamps are taken for {unit}{shown}, like --time-unit {guess.unit}"


def _number(number: float, guess: UnitGuess) -> float | Fault:
    time = float(to_seconds(np.array([number]), guess.unit)[0])
    if guess.unit == "calendar" and np.isnan(time):
        return _no_time(f"{number:.15g} is no day, but others are {UNIT_WORDS['calendar']}")
    if time < FIRST_DATE and (other := unit_that_fits(number, guess)) is not None:
        return _no_time(
            f"{number:.15g} looks like {UNIT_WORDS[other]}, but others are "
            f"{UNIT_WORDS[guess.unit]}: one file has one unit"
        )
    unit = likely_unit(time)
    return _within(time) if unit is None else _too_large(time, unit, guess)


def _too_large(time: float, unit: str, guess: UnitGuess) -> Fault:
    if guess.unit != "s":
        return _no_time(f"{time:.0f} s lies past the year 5138: is --time-unit right?")
    return _no_time(
        f"{time:.0f} is too large for seconds; if all of the file are {unit}, say so: "
        f"--time-unit {_UNIT_CODES[unit]}"
    )


def _within(time: float) -> float | Fault:
    if not time >= 0:
        return _no_time(f"{time} lies before 1970")
    if time >= SECONDS_END:
        return _no_time(f"{time:.0f} s lies past the year 5138")
    return time + 0.0


def _no_time(words: str) -> Fault:
    return Fault("bad_timestamp", f"timestamp {words}")
