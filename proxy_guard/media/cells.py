"""The cells of a worksheet: numbers, formulas, and texts under the head of their column.

Of Excel (ECMA-376 part 1, 18.3) and of OpenDocument (ODF 1.3 part 3, 9.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from lxml import etree

from proxy_guard.media import Judged
from proxy_guard.media.collected import Collected, Write
from proxy_guard.media.runs import OPEN_CELLS, joined, local

_LONGEST_HEAD = 60
_FEWEST_DIGITS = 5
"""A number with fewer is nobody's."""


@dataclass(slots=True)
class Sheet:
    """One worksheet. `strings` are the shared ones of its workbook."""

    root: etree._Element = field(repr=False)
    strings: list[etree._Element] = field(repr=False)
    where: str

    def collect(self, into: Collected) -> None:
        """Adds formulas, numbers and texts. Where a number goes, all formulas go: one may work it out again."""
        heads: dict[str, str] = {}
        for cell in self._cells():
            place = cell.get("r", "")
            column = re.sub(r"\d", "", place)
            text = self._text(cell)
            where = f"{self.where}!{place}"
            formula = _child(cell, "f")
            if formula is not None and formula.text:
                into.add(formula.text, self._no_formulas, where)
            self._cell(cell, into, where, _head(heads, column, text))

    def _cell(self, cell: etree._Element, into: Collected, where: str, context: str) -> None:
        kind, value = cell.get("t", "n"), _child(cell, "v")
        block = self._shared(cell) if kind == "s" else _child(cell, "is")
        if block is not None:
            joined(block, where, into, context)
        elif value is not None and value.text and kind in ("n", "str", "d"):
            text = _shown(value.text) if kind == "n" else value.text
            if kind != "n" or sum(map(str.isdigit, text)) >= _FEWEST_DIGITS:
                into.add(text, self._becomes_text(cell, value), where, context=context)

    def _becomes_text(self, cell: etree._Element, value: etree._Element) -> Write:
        def write(text: str, judged: Judged) -> None:
            value.text = judged.text
            cell.set("t", "str")  # a number that is none makes the file unreadable
            self._no_formulas(text, judged)

        return write

    def _no_formulas(self, _: str, __: Judged) -> None:
        for cell in self._cells():
            formula = _child(cell, "f")
            if formula is not None:
                cell.remove(formula)

    def _cells(self) -> Iterator[etree._Element]:
        return (each for each in self.root.iter(etree.Element) if local(each) == "c")

    def _shared(self, cell: etree._Element) -> etree._Element | None:
        value = _child(cell, "v")
        index = (value.text or "").strip() if value is not None else ""
        return (
            self.strings[int(index)] if index.isascii() and index.isdigit() and int(index) < len(self.strings) else None
        )

    def _text(self, cell: etree._Element) -> str:
        block = self._shared(cell) if cell.get("t") == "s" else cell
        return (
            ""
            if block is None
            else "".join(each.text or "" for each in block.iter(etree.Element) if local(each) != "f").strip()
        )


def _head(heads: dict[str, str], column: str, text: str) -> str:
    """The head of a column; nothing for the cell that is it, or would be."""
    if column in heads:
        return heads[column]
    heads[column] = text if len(text) <= _LONGEST_HEAD and re.search(r"[^\W\d_]{2}", text) else ""
    return ""


@dataclass(slots=True)
class OpenSheet:
    """One table of an OpenDocument, whose cells have what they show and, in an attribute, what they are."""

    table: etree._Element = field(repr=False)
    where: str

    def collect(self, into: Collected) -> None:
        """Adds formulas, numbers and texts. Where a number goes, all formulas go: one may work it out again."""
        heads: dict[str, str] = {}
        for row, cells in enumerate(self._rows(), 1):
            column = 0
            for cell in cells:
                column += 1
                said = {str(key).rpartition("}")[2]: str(value) for key, value in cell.attrib.items()}
                where = f"{self.where} row {row} column {column}"
                shown = [each for each in cell.iterchildren(etree.Element) if local(each) == "p"]
                text = " ".join("".join(map(str, each.itertext())) for each in shown).strip()
                context = _head(heads, str(column), text) if text or "value" in said else ""
                if "formula" in said:
                    into.add(said["formula"], self._no_formulas, where)
                for block in shown:
                    joined(block, where, into, context)
                for name in ("value", "string-value"):
                    number = _shown(said.get(name, "")) if name == "value" else said.get(name, "")
                    if name != "value" or sum(map(str.isdigit, number)) >= _FEWEST_DIGITS:
                        into.add(number, self._becomes_text(cell), where, context=context)
                repeated = said.get("number-columns-repeated", "1")
                column += int(repeated) - 1 if repeated.isascii() and repeated.isdigit() and len(repeated) < 8 else 0

    def _rows(self) -> Iterator[list[etree._Element]]:
        for row in self.table.iter(etree.Element):
            if local(row) == "table-row":
                yield [each for each in row.iterchildren(etree.Element) if local(each) in OPEN_CELLS]

    def _becomes_text(self, cell: etree._Element) -> Write:
        def write(text: str, judged: Judged) -> None:
            for key in list(cell.attrib):
                name = str(key).rpartition("}")[2]
                if name == "value-type":
                    cell.set(key, "string")
                elif name in ("value", "string-value"):
                    del cell.attrib[key]
            shown = [each for each in cell.iterchildren(etree.Element) if local(each) == "p"]
            for each in shown:  # however the number was shown there
                each.text = judged.text if each is shown[0] else None
                for inner in list(each):
                    each.remove(inner)
            self._no_formulas(text, judged)

        return write

    def _no_formulas(self, _: str, __: Judged) -> None:
        for cells in self._rows():
            for cell in cells:
                for key in [key for key in cell.attrib if str(key).endswith("}formula")]:
                    del cell.attrib[key]


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next((each for each in element.iterchildren(etree.Element) if local(each) == name), None)


def _shown(number: str) -> str:
    """A whole number with all its digits, as a cell shows it; nothing for what is none."""
    try:
        value = Decimal(number.strip())
        whole = value.is_finite() and value.adjusted() < 40 and value == value.to_integral_value()
    except (InvalidOperation, ArithmeticError):
        return number
    return str(int(value)) if whole else ""
