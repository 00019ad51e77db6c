"""Checks of single CSV records."""

import csv

from stream.events.clicks.bad_record import Fault
from stream.events.files.csv_layout import CsvLayout, parser
from stream.events.files.csv_records import (
    fault_words,
    fitted_rows,
    is_padded,
    line_end_fault,
    line_numbers,
    padding_of,
)
from stream.events.files.rows import take_rows

LAYOUT = CsvLayout(",", 4, {"user": 0, "item": 1, "timestamp": 2}, named=3)


def test_rows_are_numbered_by_their_first_line() -> None:
    """Also behind a cell of several lines; one number more is that of the next row."""
    assert list(line_numbers([["a"], ["b"]], before=4, last=6)) == [5, 6, 7]
    assert line_numbers([["a", "x\r\ny"], ["b"]], before=0, last=3) == [1, 3, 4]


def test_rows_are_made_as_wide_as_the_header() -> None:
    """Nameless cells may lack, empty ones may be too many; blank lines go, others are bad."""
    rows = [["u", "i", "1"], [], ["u", "i", "1", "x", "", ""], ["u", "i"]]
    fitted, numbers, faults = fitted_rows(rows, [2, 3, 4, 5, 6], {}, LAYOUT)
    assert fitted == [["u", "i", "1", ""], ["u", "i", "1", "x"], [""] * 4]
    assert numbers == [2, 4, 5]
    assert {row: fault.reason for row, fault in faults.items()} == {2: "malformed_row"}


def test_rows_that_are_bad_already_stay_bad() -> None:
    """Their fault moves with them when a blank line before them goes."""
    bad = Fault("malformed_row", "x")
    fitted, _, faults = fitted_rows([[], []], [2, 3, 4], {1: bad}, LAYOUT)
    assert (len(fitted), faults) == (1, {0: bad})


def test_a_line_end_matters_only_where_somebody_reads() -> None:
    """The fault names the column and the remedy."""
    assert line_end_fault(["u", "i", "1", "two\nlines"], LAYOUT) is None
    fault = line_end_fault(["u", "i\n", "1", ""], LAYOUT)
    assert fault is not None
    assert "the item id holds a line end" in fault.detail
    assert "--quoting none" in fault.detail


def test_rows_before_an_error_of_the_parser_are_kept() -> None:
    """And the error says what to do."""
    rows, error = take_rows(parser(iter(["a,b\n", '"x"y,z\n']), ",", "standard"), 9, csv.Error)
    assert rows == [["a", "b"]]
    assert error is not None
    assert "write such quotes twice" in fault_words(error)


def test_blanks_at_the_edge_of_a_cell_are_noticed() -> None:
    """Of whole lines; a tab that cuts cells is no blank."""
    for block, padded in (
        (b"a, b\n", True),
        (b"a b,c\n", False),
        (b"a ,b\n", True),
        (b" a\n", True),
    ):
        assert is_padded(block, padding_of(",")) == padded
    assert not is_padded(b"a\tb\n", padding_of("\t"))
