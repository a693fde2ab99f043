"""The SQLite file of a vault: its tables, how it is made and opened.

Nothing in it can be read without a key: values and scopes are sealed, and hashes are keyed. Plain are pseudonyms, the
names of entities, times of expiry, and the names of keys.
"""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
import stat
from pathlib import Path

from proxy_guard.errors import VaultError
from proxy_guard.vault.tokens import SHORT

BUSY = 5.0
"""Seconds to wait for other processes."""

_APPLICATION = 0x50475631  # "PGV1"

_TABLES = f"""
CREATE TABLE meta (salt BLOB NOT NULL);
CREATE TABLE keys (id TEXT PRIMARY KEY, proof BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
    token TEXT PRIMARY KEY,
    entity TEXT NOT NULL,
    lookup BLOB NOT NULL UNIQUE,
    subject BLOB NOT NULL,
    key TEXT NOT NULL REFERENCES keys (id),
    sealed BLOB NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX subjects ON entries (subject);
CREATE INDEX expiries ON entries (expires);
CREATE TABLE spent (token TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TRIGGER spend AFTER DELETE ON entries WHEN length(OLD.token) <= {SHORT}
    BEGIN INSERT OR IGNORE INTO spent VALUES (OLD.token); END;
PRAGMA application_id = {_APPLICATION};
"""  # noqa: S608 - numbers of our own


def connect(path: Path, most_bytes: int) -> sqlite3.Connection:
    """A connection to the vault at `path`, which is made where there is none. Raises VaultError, sqlite3.Error."""
    try:
        # SQLite gives the files beside it the same rights. One that is there is not opened: to close it would drop the
        # locks that other connections of this process hold on it (POSIX), and what others then write is lost.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR))
    except FileExistsError:
        wrong = errno.EISDIR if path.is_dir() else 0 if os.access(path, os.R_OK | os.W_OK) else errno.EACCES
        if wrong:
            raise VaultError(f"the vault's file {path} can't be opened: {os.strerror(wrong)}") from None
    except OSError as error:
        raise VaultError(f"the vault's file {path} can't be opened: {os.strerror(error.errno or 0)}") from None
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max(1, most_bytes // page)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
    connection.execute("PRAGMA foreign_keys = ON")
    if _application(connection) != _APPLICATION:
        connection.execute("BEGIN IMMEDIATE")  # of several processes one makes the tables
        try:
            if _application(connection) != _APPLICATION:
                if connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
                    raise VaultError(f"{path} is a database, but no vault")
                for statement in _statements():
                    connection.execute(statement)
                connection.execute("INSERT INTO meta VALUES (?)", (secrets.token_bytes(32),))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk, the log of a power cut's moment included


def _application(connection: sqlite3.Connection) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return int(application)


def _statements() -> list[str]:
    """The statements of `_TABLES`; a trigger has semicolons of its own."""
    made, statement = [], ""
    for line in _TABLES.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            made.append(statement)
            statement = ""
    return made


def salt(connection: sqlite3.Connection) -> bytes:
    """The file's own salt."""
    (found,) = connection.execute("SELECT salt FROM meta").fetchone()
    return bytes(found)
