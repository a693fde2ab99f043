"""What is asked of the entries of a vault's file. Each function runs on one connection, within one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from proxy_guard.errors import VaultError
from proxy_guard.vault import Wish
from proxy_guard.vault.forms import every_normal, normal
from proxy_guard.vault.keys import Key, KeyRing
from proxy_guard.vault.tokens import draw

_ROWS = 256
"""Entries that one transaction goes through where all are gone through, so that messages wait for few."""


def find(connection: sqlite3.Connection, ring: KeyRing, wish: Wish) -> tuple[str, int] | None:
    """The pseudonym that there is for a value, and when it expires."""
    own = _row(connection, wish.value)
    if own is not None:
        key, entity, sealed, expires = own
        if ring[key].open(wish.value, entity, sealed)[0] == wish.scope:
            return wish.value, expires
    form = normal(wish.entity, wish.value)
    for each in ring:
        hashed = each.lookup(wish.scope, wish.entity, form)
        row = connection.execute("SELECT token, expires FROM entries WHERE lookup = ?", (hashed,)).fetchone()
        if row is not None:
            return row[0], row[1]
    return None


def add(connection: sqlite3.Connection, key: Key, wish: Wish, expires: int, email_domain: str) -> str:
    """A new pseudonym for a value that has none."""
    form = normal(wish.entity, wish.value)
    hashes = key.lookup(wish.scope, wish.entity, form), key.subject(form)
    while True:
        token = draw(wish.style, wish.entity, email_domain)
        row = (token, wish.entity, *hashes, key.id, key.seal(token, wish.entity, wish.scope, wish.value), expires)
        added = connection.execute(
            "INSERT INTO entries SELECT ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM spent WHERE token = ?)"
            " ON CONFLICT (token) DO NOTHING",
            (*row, token),
        )
        if added.rowcount == 1:
            return token


def renew(connection: sqlite3.Connection, token: str, expires: int) -> None:
    """Puts off the time at which a pseudonym expires."""
    connection.execute("UPDATE entries SET expires = max(expires, ?) WHERE token = ?", (expires, token))


def value(connection: sqlite3.Connection, ring: KeyRing, token: str, scope: str, now: float) -> str | None:
    """The value behind a pseudonym of that scope which has not expired."""
    row = _row(connection, token)
    if row is None or row[3] <= now:
        return None
    key, entity, sealed, _ = row
    owner, found = ring[key].open(token, entity, sealed)
    return found if owner == scope else None


def _row(connection: sqlite3.Connection, token: str) -> tuple[str, str, bytes, int] | None:
    """Key, entity, what is sealed and time of expiry of a pseudonym, if the text is one."""
    if not token.isascii():  # no pseudonym; and not every text is one to SQLite
        return None
    row: tuple[str, str, bytes, int] | None = connection.execute(
        "SELECT key, entity, sealed, expires FROM entries WHERE token = ?", (token,)
    ).fetchone()
    return row


def forget(connection: sqlite3.Connection, ring: KeyRing, value: str, entity: str | None, scope: str | None) -> int:
    """Erases the pseudonyms of a value. How many there were."""
    gone = []
    for key in ring:
        forms = every_normal(value) if entity is None else {normal(entity, value)}
        for form in forms:
            rows = connection.execute(
                "SELECT token, entity, sealed FROM entries WHERE subject = ?", (key.subject(form),)
            ).fetchall()
            for token, kind, sealed in rows:
                fits = entity in (None, kind) and normal(kind, value) == form
                if fits and (scope is None or key.open(token, kind, sealed)[0] == scope):
                    gone.append((token,))
    connection.executemany("DELETE FROM entries WHERE token = ?", gone)
    return len(gone)


def expire(connection: sqlite3.Connection, now: float, most: int = _ROWS) -> int:
    """Erases entries that have expired, at most so many. How many there were."""
    return connection.execute(
        "DELETE FROM entries WHERE token IN (SELECT token FROM entries WHERE expires <= ? LIMIT ?)", (now, most)
    ).rowcount


def verify_keys(connection: sqlite3.Connection, ring: KeyRing) -> None:
    """Raises VaultError where the file needs a key that this process has not."""
    ring.verify(connection.execute("SELECT id, proof FROM keys").fetchall())


def enter_key(connection: sqlite3.Connection, key: Key) -> None:
    """Makes a key known in the file."""
    connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (key.id, key.check))


def move(connection: sqlite3.Connection, ring: KeyRing, after: str) -> Sequence[str]:
    """Puts some entries that come after a pseudonym under the current key. Their pseudonyms, in order."""
    new = ring.current
    rows = connection.execute(
        "SELECT token, entity, key, sealed FROM entries WHERE token > ? AND key <> ? ORDER BY token LIMIT ?",
        (after, new.id, _ROWS),
    ).fetchall()
    for token, entity, key, sealed in rows:
        scope, value = ring[key].open(token, entity, sealed)
        form = normal(entity, value)
        connection.execute(
            "UPDATE entries SET lookup = ?, subject = ?, key = ?, sealed = ? WHERE token = ?",
            (new.lookup(scope, entity, form), new.subject(form), new.id, new.seal(token, entity, scope, value), token),
        )
    return [token for token, *_ in rows]


def drop_keys(connection: sqlite3.Connection, current: Key) -> None:
    """Forgets keys that nothing is under."""
    connection.execute("DELETE FROM keys WHERE id <> ? AND id NOT IN (SELECT key FROM entries)", (current.id,))


def counts(connection: sqlite3.Connection, column: str) -> dict[str, int]:
    """The number of entries by `entity` or by `key`."""
    if column not in ("entity", "key"):
        raise VaultError("no such column")
    return dict(connection.execute(f"SELECT {column}, count(*) FROM entries GROUP BY {column} ORDER BY {column}"))  # noqa: S608
