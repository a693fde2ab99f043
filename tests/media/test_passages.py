"""The texts that a picture's lines are judged in."""

from dataclasses import replace

import numpy as np
import pytest

from proxy_guard.media.look_alikes import look_alikes
from proxy_guard.media.passages import passages
from proxy_guard.media.reading import Line


def line(text: str, left: float, top: float, certainty: float = 1.0) -> Line:
    right, bottom = left + 10 * len(text), top + 20
    quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    cells = tuple((at / len(text), (at + 1) / len(text)) for at in range(len(text)))
    return Line(text, quad, cells, (certainty,) * len(text))


def texts(*lines: Line) -> set[str]:
    return {each.text for each in passages(lines)}


def test_boxes_of_one_row_are_joined() -> None:
    assert {"Phone 98765 43210", "Phone", "98765 43210"} <= texts(line("Phone", 0, 0), line("98765 43210", 300, 3))


def test_a_line_that_was_read_whole_and_in_pieces_is_joined_with_what_is_beside_it() -> None:
    whole = line("Pay to: DE71 7445 3817 2601 3084", 0, 0)
    pieces = [line("Pay to: DE71 7445 ", 0, 2), line("3817", 180, 2), line("2601 3084", 230, 2)]
    assert "Pay to: DE71 7445 3817 2601 3084 07" in texts(*pieces, line("07", 335, 1), whole)


def test_a_number_over_two_lines_is_joined() -> None:
    assert "Card 4111 1111 1111 1111" in texts(line("Card 4111 1111", 0, 0), line("1111 1111", 0, 24))
    assert "asha.iyer@example.com" in texts(line("asha.iyer@", 0, 0), line("example.com", 0, 24))


def test_a_code_without_spaces_goes_on_in_the_next_line() -> None:
    assert "PAN ABCPE1234F" in texts(line("PAN ABCPE", 0, 0), line("1234F", 0, 24))
    assert "5569-7836-3154-7216" in texts(line("5569-7836-", 0, 0), line("3154-7216", 0, 24))
    assert "on 2024-05-1720 x 35 cm" not in texts(line("on 2024-05-17", 0, 0), line("20 x 35 cm", 0, 24))


def test_an_unsure_character_in_an_address_may_be_an_at_sign() -> None:
    sure = line("asha.iyer0example.com", 0, 0)
    unsure = Line(sure.text, sure.quad, sure.cells, (*(1.0,) * 9, 0.5, *(1.0,) * 11))
    assert "asha.iyer@xxxxxxx.com" in texts(unsure)
    assert "asha.iyer@xxxxxxx.com" not in texts(sure)


def test_words_are_not_run_together() -> None:
    assert texts(line("See you", 0, 0), line("tomorrow", 0, 24)) == {"See you", "tomorrow", "See you\ntomorrow"}


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("98765 432lO", "98765 43210"),
        ("4111 1111 1l11 I111", "4111 1111 1111 1111"),
        ("A8CPE1Z34F", "ABCPE1234F"),
        ("GB33 8UKB 2O20 1555 5555 55", "GB33 BUKB 2020 1555 5555 55"),
        ("asha.iyer@exampl", "asha.iyer@xx.com"),
        ("asha.iyer©example.com", "asha.iyer@example.com"),
    ],
)
def test_look_alikes(read: str, meant: str) -> None:
    assert meant in look_alikes(read)
    assert all(len(each) == len(read) for each in look_alikes(read))


@pytest.mark.parametrize("text", ["See you at noon", "Solo Boss", "Version 1.2.3.4", "Order A-20418"])
def test_plain_words_have_none(text: str) -> None:
    assert look_alikes(text) == set()


def test_an_unsure_digit_may_be_another() -> None:
    sure = line("4111 1111 1111 1117", 0, 0)
    unsure = Line(sure.text, sure.quad, sure.cells, (*sure.certainty[:-1], 0.6))
    assert "4111 1111 1111 1111" not in texts(sure)
    assert "4111 1111 1111 1111" in texts(unsure)


def test_origins_say_where_each_character_was_read() -> None:
    lines = [line("Phone", 0, 0), line("98765", 300, 3)]
    joined = next(each for each in passages(lines) if each.text == "Phone 98765")
    assert joined.origins[5] is None
    assert joined.origins[6] == (1, 0)


def test_boxes_that_overlap_a_little_stand_beside_each_other() -> None:
    boxes = [line("Aadhaar:", 0, 0), line("9059", 75, 1), line("5936", 108, 0), line("2118", 140, 2)]
    assert "Aadhaar: 9059 5936 2118" in texts(*boxes)


def test_an_unsure_digit_in_a_gap_may_be_none() -> None:
    read = line("DE86 0530 9 9252 1112 9863 85", 0, 0)
    unsure = replace(read, certainty=(*read.certainty[:10], 0.6, *read.certainty[11:]))
    assert "DE86 0530 9252 1112 9863 85" in texts(unsure)


def test_a_space_between_groups_may_be_lost() -> None:
    assert "Aadhaar no: 840025226425" in texts(line("Aadhaar no: 84002522 6425", 0, 0))


def test_spaces_that_are_not_written_are_left_out_of_codes_and_addresses() -> None:
    assert "PAN: OOTPA4291E now" in texts(line("PAN: OOT PA4 291E now", 0, 0))
    assert "Mail john.iyer@example.com," in texts(line("Mail john.iyer@exa mple.com,", 0, 0))
    assert texts(line("GATE 1234 A", 0, 0)) == {"GATE 1234 A"}
    assert not any("@homeexample" in each for each in texts(line("see joe@home then example.com", 0, 0)))
