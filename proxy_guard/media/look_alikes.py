"""Characters that OCR takes for one another, put right by what stands around them."""

from __future__ import annotations

import regex

AS_DIGIT = str.maketrans("OoQDIil|!SsBZzGgqT", "000011111558226697")
AS_LETTER = str.maketrans("01|!582643", "OIIISBZGAB")
LIKE_DIGIT = r"[0-9OoQDIil|!SsBZzGgqT]"
_NUMBER = regex.compile(rf"(?<![A-Za-z])\+?{LIKE_DIGIT}(?:[ .,/-]{{0,2}}{LIKE_DIGIT}){{5,}}(?![A-Za-z])")
_PAN = regex.compile(r"(?<!\w)[A-Za-z01582643|!]{5}[0-9OoQDIil|!SsBZzGgqT]{4}[A-Za-z01582643|!](?!\w)")
_IBAN = regex.compile(
    r"(?<!\w)[A-Za-z01582643]{2}[0-9OoQDIil|!SsBZz]{2}(?: ?[A-Za-z0-9|!]{4}){2,7}(?: ?[A-Za-z0-9|!]{1,3})?(?!\w)"
)

_ADDRESS = regex.compile(r"(?P<name>[\w.+-]{2,})@(?P<domain>[\w.,-]{5,})")


def look_alikes(text: str) -> set[str]:
    """`text` with look-alikes as what stands around them makes likely; each as long as `text`, none equal to it."""
    read, text = text, text.replace("©", "@")
    digits = _NUMBER.sub(_as_number, text)
    found = {text, digits, _ADDRESS.sub(_as_address, text), _PAN.sub(_as_pan, digits), _PAN.sub(_as_pan, text)}
    found |= {_IBAN.sub(_as_iban_of_digits, text), _IBAN.sub(_as_iban_with_bank, text)}
    return found - {read}


def _as_number(match: regex.Match[str]) -> str:
    value: str = match.group()
    digits = sum(map(str.isdigit, value))
    return value.translate(AS_DIGIT) if digits >= 4 and digits * 2 >= sum(map(str.isalnum, value)) else value


def _as_pan(match: regex.Match[str]) -> str:
    value: str = match.group()
    return (
        value[:5].upper().translate(AS_LETTER) + value[5:9].translate(AS_DIGIT) + value[9].upper().translate(AS_LETTER)
    )


def _as_address(match: regex.Match[str]) -> str:
    """An address whose end is cut off or misread is one all the same."""
    name, domain = str(match["name"]), str(match["domain"])
    return name + "@" + "x" * (len(domain) - 4) + ".com"


def _as_iban_of_digits(match: regex.Match[str]) -> str:
    value: str = match.group()
    return value[:2].upper().translate(AS_LETTER) + value[2:].translate(AS_DIGIT)


def _as_iban_with_bank(match: regex.Match[str]) -> str:
    value: str = match.group()
    bank = 5 if value[4] == " " else 4
    return (
        value[:2].upper().translate(AS_LETTER)
        + value[2:4].translate(AS_DIGIT)
        + value[4:bank]
        + value[bank : bank + 4].upper().translate(AS_LETTER)
        + value[bank + 4 :].translate(AS_DIGIT)
    )
