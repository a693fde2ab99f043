"""What stands in a message for the next hop alone (RFC 9110 7.6.1), and what ends where that hop does not answer."""

from __future__ import annotations

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade expect".split()
)  # Expect is answered by this server, which takes the body


class Unanswered(Exception):
    """The upstream gave no answer, or no whole one: `status` for the client, `why` for people."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def end_to_end(headers: list[tuple[bytes, bytes]], status: int) -> tuple[list[tuple[bytes, bytes]], bool, bool]:
    """The fields that go on to the next recipient, whether the body comes in chunks, and whether it has a length.

    Raises Unanswered, of this status, for a message whose end two readers could see at different places
    (RFC 9112 6.3).
    """
    dropped = set(HOP_BY_HOP)
    codings: list[bytes] = []
    lengths: set[bytes] = set()
    for name, value in headers:
        match name.lower():
            case b"connection":
                dropped.update(each.strip().lower() for each in value.split(b","))
            case b"transfer-encoding":
                codings.append(value.strip().lower())
            case b"content-length":
                lengths.add(value)
    dropped.discard(b"content-length")
    if (codings and (codings != [b"chunked"] or lengths)) or len(lengths) > 1:
        raise Unanswered(status, "where the body ends is not clear")
    return [pair for pair in headers if pair[0].lower() not in dropped], bool(codings), bool(lengths - {b"0"})
