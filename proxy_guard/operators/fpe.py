"""`fpe`: a number becomes another number of the same form, which the holder of the key turns back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from pydantic import Field, PrivateAttr, field_validator

from proxy_guard.operators import Operator
from proxy_guard.secrets import Secret, key_bytes

_BLOCK = 16
_ROUNDS = 10
_LEAST_DOMAIN = 1_000_000
_LONGEST = 256
_WALK = 1000
_SIZES = (16, 24, 32)
_SEPARATORS = frozenset("PZSC")
"""The major Unicode categories of what may stand between digits."""

_Step = Callable[[list[int], bytes], list[int]]


class FF1:
    """FF1 of NIST SP 800-38G over AES. Names in the methods are those of its algorithms 7 and 8.

    It gives no integrity: with another key or tweak a text is decrypted to another text, not refused.
    """

    def __init__(self, key: bytes, radix: int) -> None:
        # Each block on its own, as CIPH; chaining is done here.
        self._aes = Cipher(AES(key), ECB())  # noqa: S305
        self._radix = radix

    def encrypt(self, numerals: Sequence[int], tweak: bytes) -> list[int]:
        """Algorithm 7. Raises ValueError where there are fewer texts of that length than the standard demands."""
        return self._feistel(numerals, tweak, range(_ROUNDS), 1)

    def decrypt(self, numerals: Sequence[int], tweak: bytes) -> list[int]:
        """Algorithm 8."""
        return self._feistel(numerals, tweak, reversed(range(_ROUNDS)), -1)

    def _feistel(self, numerals: Sequence[int], tweak: bytes, rounds: Iterable[int], sign: int) -> list[int]:
        radix, n, t = self._radix, len(numerals), len(tweak)
        if n < 2 or radix**n < _LEAST_DOMAIN:
            raise ValueError(f"fewer than {_LEAST_DOMAIN:,} texts have this length")
        u = n // 2
        v = n - u
        b = ((radix**v - 1).bit_length() + 7) // 8
        d = 4 * -(-b // 4) + 4
        p = bytes((1, 2, 1)) + radix.to_bytes(3, "big") + bytes((10, u % 256)) + n.to_bytes(4, "big")
        p += t.to_bytes(4, "big")
        head = p + tweak + bytes((-t - b - 1) % _BLOCK)
        ciph = self._aes.encryptor().update
        # What is the same in every round goes through PRF once.
        whole = len(head) // _BLOCK * _BLOCK
        begun, head = _prf(ciph, bytes(_BLOCK), head[:whole]), head[whole:]
        left, right = self._num(numerals[:u]), self._num(numerals[u:])
        for i in rounds:
            # Decryption undoes the rounds from the last, with the halves' roles exchanged.
            fed, changed = (right, left) if sign > 0 else (left, right)
            r = _prf(ciph, begun, head + bytes((i,)) + fed.to_bytes(b, "big"))
            s = r
            for j in range(1, -(-d // _BLOCK)):
                s += ciph(_xor(r, j.to_bytes(_BLOCK, "big")))
            y = int.from_bytes(s[:d], "big")
            c = (changed + sign * y) % radix ** (u if i % 2 == 0 else v)
            left, right = (right, c) if sign > 0 else (c, left)
        return self._str(left, u) + self._str(right, v)

    def _num(self, numerals: Sequence[int]) -> int:
        number = 0
        for numeral in numerals:
            number = number * self._radix + numeral
        return number

    def _str(self, number: int, length: int) -> list[int]:
        numerals = [0] * length
        for at in reversed(range(length)):
            number, numerals[at] = divmod(number, self._radix)
        return numerals


def _prf(ciph: Callable[[bytes], bytes], begun: bytes, blocks: bytes) -> bytes:
    """Algorithm 6, CBC-MAC, gone on with from what earlier blocks gave."""
    for at in range(0, len(blocks), _BLOCK):
        begun = ciph(_xor(begun, blocks[at : at + _BLOCK]))
    return begun


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(_BLOCK, "big")


def luhn(digits: Sequence[int]) -> bool:
    """Whether digits pass the check of ISO/IEC 7812-1, annex B."""
    total = sum(digits[-1::-2])
    for digit in digits[-2::-2]:
        total += 2 * digit - (9 if digit > 4 else 0)
    return total % 10 == 0


class Fpe(Operator):
    """Format-preserving encryption, FF1 of NIST SP 800-38G over AES, of the digits of a value.

    Separators stay where they are, digits stay in their script. The tweak is the entity and the digits that are kept,
    as the standard advises, so that one middle in two cards has two unrelated results. It is deterministic: who sees
    two results sees whether their values are equal.

    What can't be encrypted so is masked whole with `*`: a value with letters, one with fewer than six digits to encrypt
    (the standard wants a million possible values at least) or with more than 256, and the odd one that FF1 happens to
    leave as it is (one of all the values of a form, on average).

    With `luhn` a value that passes the Luhn check gets a result that passes, found by cycle walking; a value that does
    not gets one that does not, so that both can be turned back.
    """

    key: Secret = Field(
        description="The AES key, 16, 24 or 32 bytes in base64 or hexadecimal, as ${env:NAME} or ${file:PATH}."
    )
    keep_first: int = Field(default=0, ge=0, description="Digits left as they are at the start.")
    keep_last: int = Field(default=0, ge=0, description="Digits left as they are at the end.")
    luhn: bool = Field(default=False, description="A number that passes the Luhn check becomes one that passes.")

    _ff1: FF1 = PrivateAttr()

    @field_validator("key")
    @classmethod
    def _of_aes(cls, key: Secret) -> Secret:
        try:
            key_bytes(key, _SIZES)
        except ValueError as error:
            raise ValueError(f"{error}; it takes 16, 24 or 32 bytes in base64 or hexadecimal") from None
        return key

    def model_post_init(self, context: Any, /) -> None:
        """Makes the cipher."""
        self._ff1 = FF1(key_bytes(self.key, _SIZES), 10)

    def operate(self, value: str, entity: str) -> str:
        """`value` with other digits."""
        digits = _digits(value)
        if digits is None:
            return "*" * len(value)
        made = self._walked(digits, entity, self._ff1.encrypt)
        return "*" * len(value) if made is None or made == digits else _with_digits(value, made)

    def decrypt(self, token: str, entity: str) -> str:
        """The value that `token` was made of, as that entity. Raises ValueError for what this operator can't make.

        What it can make but did not, such as the result of another key, gives a wrong value: FF1 can't tell.
        """
        digits = _digits(token)
        made = None if digits is None else self._walked(digits, entity, self._ff1.decrypt)
        if made is None:
            raise ValueError("not a result of this operator")
        return _with_digits(token, made)

    def _walked(self, digits: list[int], entity: str, step: _Step) -> list[int] | None:
        end = len(digits) - self.keep_last
        first, middle, last = digits[: self.keep_first], digits[self.keep_first : end], digits[end:]
        if self.keep_first + self.keep_last > len(digits) or 10 ** len(middle) < _LEAST_DOMAIN:
            return None
        tweak = entity.encode("utf-8", "surrogatepass") + b"\0" + bytes(first) + b"\xff" + bytes(last)
        wanted = luhn(digits)
        for _ in range(_WALK):
            middle = step(middle, tweak)
            made = [*first, *middle, *last]
            if not self.luhn or luhn(made) == wanted:
                return made
        return None


def _digits(value: str) -> list[int] | None:
    """The digits of a value; None where it has other things than digits and separators, or too many digits."""
    digits: list[int] = []
    for char in value:
        if char.isdecimal():
            digits.append(unicodedata.decimal(char))
        elif unicodedata.category(char)[0] not in _SEPARATORS:
            return None
    return digits if len(digits) <= _LONGEST else None


def _with_digits(value: str, digits: list[int]) -> str:
    """`value` with its digits exchanged, each in the script that it stands in (whose ten follow each other)."""
    rest = iter(digits)
    return re.sub(r"\d", lambda found: chr(ord(found[0]) - unicodedata.decimal(found[0]) + next(rest)), value)
