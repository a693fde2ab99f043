"""Ways to write a value so that a guard might not see it, and whoever reads it still does.

A way takes the value as it is written plainly. Where it changes nothing (Devanagari digits in an e-mail address), there is
no case of it.
"""

from __future__ import annotations

import base64
import codecs
import gzip
import quopri
import re
from collections.abc import Callable
from urllib.parse import quote

Way = Callable[[str], str]


def _digits(zero: int) -> Way:
    return lambda v: "".join(chr(zero + int(c)) if c.isdigit() else c for c in v)


def _letters(table: dict[str, str]) -> Way:
    return lambda v: "".join(table.get(c, c) for c in v)


def _after_each(what: str) -> Way:
    return what.join


def _grouped(what: str, size: int = 4) -> Way:
    """Between groups, as people write numbers; a name or an address is cut at its own seams."""

    def way(value: str) -> str:
        if not any(c.isdigit() for c in value):
            return re.sub(r"(?<=[a-z])(?=[.@])", what, value) if "@" in value else value.replace(" ", what)
        return what.join(value[n : n + size] for n in range(0, len(value), size))

    return way


def _middle(what: str) -> Way:
    return lambda v: v[: len(v) // 2] + what + v[len(v) // 2 :]


def _coded(form: str) -> Way:
    return lambda v: "".join(form.format(ord(c)) for c in v)


def _signs_only(form: str) -> Way:
    """Only the signs and every third character."""
    return lambda v: "".join(form.format(ord(c)) if not c.isalnum() or n % 3 == 0 else c for n, c in enumerate(v))


def _wide(v: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in v)


def _bold(v: str) -> str:
    return "".join(
        chr(0x1D7CE + int(c))
        if c.isdigit()
        else chr(0x1D41A + ord(c) - ord("a"))
        if "a" <= c <= "z"
        else chr(0x1D400 + ord(c) - ord("A"))
        if "A" <= c <= "Z"
        else c
        for c in v
    )


def _circled(v: str) -> str:
    return "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(c)] if c.isdigit() else c for c in v)


def _mixed_digits(v: str) -> str:
    zeros = (0x30, 0x660, 0x966, 0xFF10, 0x9E6, 0xE50)
    return "".join(chr(zeros[n % len(zeros)] + int(c)) if c.isdigit() else c for n, c in enumerate(v))


def _tags(v: str) -> str:
    return "".join(chr(0xE0000 + ord(c)) for c in v)


def _selectors(v: str) -> str:
    return "😊" + "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in v.encode())


_CYRILLIC = _letters(dict(zip("aeopcxyiBCEHKMTPAO", "аеорсхуіВСЕНКМТРАО", strict=True)))
_GREEK = _letters(dict(zip("ovaikBEHKMNTXYZAO", "ονаικΒΕΗΚΜΝΤΧΥΖΑΟ", strict=True)))
_LEET = _letters({"0": "O", "1": "l"})
_WORDS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))
_HINDI = dict(zip("0123456789", "शून्य एक दो तीन चार पांच छह सात आठ नौ".split(), strict=True))


def _in_words(words: dict[str, str]) -> Way:
    return lambda v: " ".join(words.get(c, c) for c in v) if v.lstrip("+").isdigit() else v


def _spelled(at: str, dot: str) -> Way:
    return lambda v: v.replace("@", at).replace(".", dot) if "@" in v else v


def _b64(v: str) -> str:
    return base64.b64encode(v.encode()).decode()


def _sentence(v: str) -> str:
    return f"please note that this is it: {v} - keep it"


CHARACTERS: dict[str, Way] = {
    "fullwidth": _wide,
    "mathematical bold": _bold,
    "circled digits": _circled,
    "arabic-indic digits": _digits(0x660),
    "extended arabic-indic digits": _digits(0x6F0),
    "devanagari digits": _digits(0x966),
    "bengali digits": _digits(0x9E6),
    "tamil digits": _digits(0xBE6),
    "thai digits": _digits(0xE50),
    "digits of many scripts": _mixed_digits,
    "keycaps": lambda v: "".join(c + "\ufe0f\u20e3" if c.isdigit() else c for c in v),
    "superscript digits": _letters(dict(zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True))),
    "zero width space": _after_each("\u200b"),
    "zero width non-joiner": _after_each("\u200c"),
    "zero width joiner": _after_each("\u200d"),
    "word joiner": _after_each("\u2060"),
    "byte order mark": _after_each("\ufeff"),
    "soft hyphen": _after_each("\u00ad"),
    "one zero width space": _middle("\u200b"),
    "one soft hyphen": _middle("\u00ad"),
    "left-to-right marks": _after_each("\u200e"),
    "mongolian vowel separator": _after_each("\u180e"),
    "combining grapheme joiner": _after_each("\u034f"),
    "hangul filler": _after_each("\u3164"),
    "variation selectors": _after_each("\ufe0e"),
    "invisible times": _after_each("\u2062"),
    "combining strokes": lambda v: "".join(c + "\u0336" for c in v),
    "language tags between": _after_each("\U000e0061"),
    "right-to-left override": lambda v: "\u202e" + v[::-1] + "\u202c",
    "tag characters": _tags,
    "bytes as variation selectors": _selectors,
    "cyrillic lookalikes": _CYRILLIC,
    "greek lookalikes": _GREEK,
    "letters for digits": _LEET,
}

SEPARATORS: dict[str, Way] = {
    "no-break space": _grouped("\u00a0"),
    "thin space": _grouped("\u2009"),
    "narrow no-break space": _grouped("\u202f"),
    "figure space": _grouped("\u2007"),
    "ideographic space": _grouped("\u3000"),
    "braille blank": _grouped("\u2800"),
    "two spaces": _grouped("  "),
    "line feed": _grouped("\n"),
    "carriage return and line feed": _grouped("\r\n"),
    "line separator": _grouped("\u2028"),
    "vertical tab": _grouped("\v"),
    "form feed": _grouped("\f"),
    "next line": _grouped("\x85"),
    "unit separator": _grouped("\x1f"),
    "tab": _grouped("\t"),
    "non-breaking hyphen": _grouped("\u2011"),
    "en dash": _grouped("\u2013"),
    "em dash": _grouped("\u2014"),
    "minus": _grouped("\u2212"),
    "full stop": _grouped("."),
    "slash": _grouped("/"),
    "underscore": _grouped("_"),
    "comma": _grouped(", "),
    "middle dot": _grouped("·"),
    "bullet": _grouped(" • "),
    "pipe": _grouped(" | "),
    "asterisk": _grouped("*"),
    "colon": _grouped(":"),
    "a space after each": _after_each(" "),
    "a no-break space after each": _after_each("\u00a0"),
    "a hyphen after each": _after_each("-"),
    "a full stop after each": _after_each("."),
    "a line feed after each": _after_each("\n"),
    "bold": _grouped("**"),
    "html tags": _grouped("<b></b>"),
    "an html comment": _middle("<!-- -->"),
    "html breaks": _grouped("<br>"),
    "an emoji": _grouped("🙂"),
    "quotes and plus": _grouped('" + "'),
    "backslashes": lambda v: re.sub(r"(?=[^\w ])", r"\\", v),
}

ENCODINGS: dict[str, Way] = {
    "decimal references": _coded("&#{};"),
    "hexadecimal references": _coded("&#x{:x};"),
    "references with zeros": _coded("&#{:07d};"),
    "references without an end": _coded("&#{}"),
    "references here and there": _signs_only("&#{};"),
    "named references": lambda v: (
        v.replace("@", "&commat;").replace(".", "&period;").replace("+", "&plus;").replace(" ", "&nbsp;")
    ),
    "references of references": _coded("&amp;#{};"),
    "percent": _coded("%{:02X}"),
    "percent here and there": _signs_only("%{:02x}"),
    "percent twice": lambda v: quote("".join(f"%{ord(c):02X}" for c in v)),
    "backslash u": _coded("\\u{:04x}"),
    "backslash u twice": _coded("\\\\u{:04x}"),
    "backslash u with braces": _coded("\\u{{{:x}}}"),
    "backslash big u": _coded("\\U{:08x}"),
    "backslash x": _coded("\\x{:02x}"),
    "octal escapes": _coded("\\{:03o}"),
    "css escapes": _coded("\\{:06x}"),
    "code points": lambda v: " ".join(f"U+{ord(c):04X}" for c in v),
    "quoted-printable": _coded("={:02X}"),
    "quoted-printable of a sentence": lambda v: (
        quopri.encodestring(_sentence(v).replace("@", "=40").encode()).decode().replace("=3D40", "=40")
    ),
    "base64": _b64,
    "base64 of a sentence": lambda v: _b64(_sentence(v)),
    "base64 without padding": lambda v: _b64(_sentence(v)).rstrip("="),
    "base64url": lambda v: base64.urlsafe_b64encode(f"~~~?? {v} ???".encode()).decode(),
    "base64 twice": lambda v: _b64(_b64(_sentence(v))),
    "base64 three times": lambda v: _b64(_b64(_b64(v))),
    "base64 in lines": lambda v: base64.encodebytes(("lorem ipsum " * 8 + v + " dolor" * 20).encode()).decode(),
    "base64 in short lines": lambda v: re.sub("(.{12})", "\\1\n", _b64(_sentence(v))),
    "base64 in pieces": lambda v: re.sub("(.{8})", "\\1 ", _b64(_sentence(v))),
    "base64 with escaped signs": lambda v: quote(_b64(_sentence(v)), safe=""),
    "base64 of utf-16": lambda v: base64.b64encode(_sentence(v).encode("utf-16")).decode(),
    "base64 of utf-16 without a mark": lambda v: base64.b64encode(_sentence(v).encode("utf-16-le")).decode(),
    "base64 of gzip": lambda v: base64.b64encode(gzip.compress(_sentence(v).encode(), mtime=0)).decode(),
    "base64 with a prefix": lambda v: f"data:text/plain;base64,{_b64(_sentence(v))}",
    "base64 of html references": lambda v: _b64("".join(f"&#{ord(c)};" for c in v)),
    "base64 of json": lambda v: _b64(f'{{"note":"{v}"}}'),
    "base32": lambda v: base64.b32encode(v.encode()).decode(),
    "ascii85": lambda v: base64.a85encode(_sentence(v).encode(), adobe=True).decode(),
    "hexadecimal": lambda v: v.encode().hex(),
    "hexadecimal capitals": lambda v: v.encode().hex().upper(),
    "spaced hexadecimal": lambda v: v.encode().hex(" "),
    "hexadecimal with 0x": lambda v: "0x" + v.encode().hex(),
    "hexadecimal bytes": lambda v: ", ".join(f"0x{b:02x}" for b in v.encode()),
    "decimal bytes": lambda v: " ".join(str(b) for b in v.encode()),
    "decimal bytes in a list": lambda v: str(list(v.encode())),
    "binary": lambda v: " ".join(f"{b:08b}" for b in v.encode()),
    "rot13": lambda v: codecs.encode(v, "rot13") + " (in rot13)",
    "reversed": lambda v: v[::-1] + " (read it backwards)",
    "utf-7": lambda v: v.replace("@", "+AEA-"),
    "json in a string": lambda v: f'{{"note":"{v}"}}',
    "json of escapes in a string": lambda v: '{"note":"' + "".join(f"\\u{ord(c):04x}" for c in v) + '"}',
    "json twice in a string": lambda v: '{"a":"{\\"b\\":\\"' + v + '\\"}"}',
    "json in a sentence": lambda v: 'send {"note":"' + "".join(f"\\u{ord(c):04x}" for c in v) + '"} there',
    "xml": lambda v: f"<note><![CDATA[{v[: len(v) // 2]}]]><![CDATA[{v[len(v) // 2 :]}]]></note>",
    "punctuation around": lambda v: f"[{v}](mailto:{v})",
}

SPELLINGS: dict[str, Way] = {
    "at, dot": _spelled(" at ", " dot "),
    "AT, DOT": _spelled(" AT ", " DOT "),
    "(at), (dot)": _spelled("(at)", "(dot)"),
    "[at], .": _spelled(" [at] ", "."),
    "{at}, {dot}": _spelled("{at}", "{dot}"),
    "<at>, <dot>": _spelled("<at>", "<dot>"),
    "@ and . spaced": _spelled(" @ ", " . "),
    "(a), .": _spelled("(a)", "."),
    "-at-, -dot-": _spelled("-at-", "-dot-"),
    "_at_, _dot_": _spelled("_at_", "_dot_"),
    "arroba, punto": _spelled(" arroba ", " punto "),
    "at sign": _spelled(" at sign ", " dot "),
    "at the rate": _spelled(" at the rate ", " dot "),
    "at, .": _spelled(" at ", "."),
    "ideographic full stops": _spelled("@", "。"),
    "fullwidth signs": _spelled("＠", "．"),
    "small commercial at": _spelled("﹫", "."),
    "one-dot leaders": _spelled("@", "․"),
    "NOSPAM": _spelled("@NOSPAM.", "."),
    "digits in words": _in_words(_WORDS),
    "digits in words with hyphens": lambda v: _in_words(_WORDS)(v).replace(" ", "-"),
    "digits in capital words": lambda v: _in_words(_WORDS)(v).upper() if v.lstrip("+").isdigit() else v,
    "digits in hindi words": _in_words(_HINDI),
    "double and triple": lambda v: (
        re.sub(r"(\w+) \1\b", r"double \1", _in_words(_WORDS)(v)) if v.lstrip("+").isdigit() else v
    ),
    "some digits in words": lambda v: (
        "".join(f" {_WORDS[c]} " if c.isdigit() and n % 5 == 4 else c for n, c in enumerate(v))
        if v.lstrip("+").isdigit()
        else v
    ),
}

NEIGHBOURS: dict[str, Way] = {
    "chinese around": "我的是{}请记住".format,
    "kana around": "それは{}です".format,
    "a long vowel before": "メール{}まで".format,
    "hangul around": "그것은{}입니다".format,
    "devanagari around": "मेरा{}है".format,
    "thai around": "คือ{}ครับ".format,
    "arabic around": "هو{}هنا".format,
    "cyrillic around": "вот{}для".format,
    "emphasis with underscores": "_{}_".format,
    "strong emphasis with underscores": "__{}__".format,
    "escaped line feeds around": "hello\\n{}\\nthere".format,
    "escaped tabs around": "a\\t{}\\tb".format,
}
"""What stands beside a value without a space, where a script needs none or a sign passes for a letter."""

WAYS: dict[str, Way] = {**CHARACTERS, **SEPARATORS, **ENCODINGS, **SPELLINGS, **NEIGHBOURS}
