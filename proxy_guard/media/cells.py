"""The cells of a worksheet (ECMA-376 part 1, 18.3): numbers, formulas, and texts under the head of their column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from lxml import etree

from proxy_guard.media import Judged
from proxy_guard.media.collected import Collected, Write
from proxy_guard.media.runs import joined, local

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
            if column not in heads:
                heads[column] = text if len(text) <= _LONGEST_HEAD and re.search(r"[^\W\d_]{2}", text) else ""
                context = ""
            else:
                context = heads[column]
            self._cell(cell, into, where, context)

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
