"""Structured inputs out of bytes: equal bytes give equal inputs, and a byte more or less gives a similar one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

VALUES = (
    "9876543210", "+91 98765 43210", "jane.doe@example.com", "4111 1111 1111 1111", "GB82 WEST 1234 5698 7654 32",
    "jane [at] example dot com", "2345 6789 0124", "ABCPE1234F", "078-05-1120", "192.168.10.77",
    "amFuZS5kb2VAZXhhbXBsZS5jb20=", "\\u006aane@example.com", "jane%40example.com", "９８７６５４３２１０", "98765\u200b43210",
)  # fmt: skip
TALK = (
    "", " ", "call ", "and then we talked ", "1.2.3.4 ", "order 1234567 ", "\n", "\t", "{", "}", "\\", '"', "😀", "é",
    "\u200d", "日本語", "<b>", "&#64;", "@", ".", "-", "[REDACTED]", "XXXXXXXX10", "```", "data:", "null",
)  # fmt: skip


class Draw:
    """Reads what is needed from `data`; past its end there are zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return max(0, len(self._data) - self._place)

    def below(self, number: int) -> int:
        """An integer from 0 to `number` - 1, out of two bytes."""
        some = self._data[self._place : self._place + 2]
        self._place += 2
        return int.from_bytes(some) % number

    def pick[T](self, items: Sequence[T]) -> T:
        """One of them."""
        return items[self.below(len(items))]

    def raw(self, number: int) -> bytes:
        """Up to so many bytes."""
        some = self._data[self._place : self._place + number]
        self._place += number
        return some

    def rest(self) -> bytes:
        """All that was not read yet."""
        return self.raw(self.left)

    def text(self) -> str:
        """Talk, values, and raw code points."""
        parts: list[str] = []
        for _ in range(self.below(7)):
            kind = self.below(8)
            if kind < 3:
                parts.append(self.pick(TALK))
            elif kind < 5:
                parts.append(self.pick(VALUES))
            else:
                parts.append(self.raw(1 + self.below(12)).decode("utf-8", "replace"))
        return "".join(parts)

    def json(self, depth: int = 3) -> Any:
        """A JSON value."""
        match self.below(8 if depth else 4):
            case 0 | 1:
                return self.text()
            case 2:
                return self.pick((0, -1, 1.5, 10**20, True, False, None))
            case 3:
                return f"{self.below(10**4)}"
            case 4 | 5:
                return {self._name(): self.json(depth - 1) for _ in range(self.below(5))}
            case _:
                return [self.json(depth - 1) for _ in range(self.below(5))]

    def _name(self) -> str:
        return self.pick(("a", "b", "text", "content", "type", "jane.doe@example.com", "9876543210", self.text()))

    def cuts(self, body: bytes) -> list[bytes]:
        """`body` in pieces."""
        pieces: list[bytes] = []
        place = 0
        sizes = [1 + self.below(40) for _ in range(1 + self.below(4))]
        while place < len(body):
            size = sizes[len(pieces) % len(sizes)]
            pieces.append(body[place : place + size])
            place += size
        return pieces
