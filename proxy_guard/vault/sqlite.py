"""`sqlite`: pseudonyms in a file that outlives the process, and that several processes may share."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationInfo, field_validator

from proxy_guard.errors import VaultError
from proxy_guard.vault import Stats, Vault, VaultSettings, Wish, entries, schema
from proxy_guard.vault.clock import SteadyClock
from proxy_guard.vault.keys import KeyRing, VaultKey
from proxy_guard.vault.lane import Lane

_SLACK = 8
"""A pseudonym is kept for an eighth longer than asked, so that giving it again needs no write each time."""


class SqliteLimits(BaseModel):
    """What it may hold, at most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bytes: PositiveInt = Field(default=1024**3, description="Bytes of the file; about 400 for a pseudonym.")


class SqliteSettings(VaultSettings):
    """Settings of the kind `sqlite`."""

    path: Path = Field(description="The file; a relative path starts at the folder of guard.yaml.")
    keys: list[VaultKey] = Field(min_length=1, description="The first is the current one; the others are read still.")
    limits: SqliteLimits = SqliteLimits()

    @field_validator("path")
    @classmethod
    def _from_its_folder(cls, path: Path, info: ValidationInfo) -> Path:
        folder: Path = (info.context or {}).get("folder", Path())
        return (folder / path).resolve()

    @field_validator("keys")
    @classmethod
    def _different(cls, keys: list[VaultKey]) -> list[VaultKey]:
        if len({key.id for key in keys}) < len(keys):
            raise ValueError("two keys have the same id")
        if len({key.key.get_secret_value() for key in keys}) < len(keys):
            raise ValueError("two keys are the same")
        return keys


class SqliteVault(Vault):
    """SQLite in WAL mode with synchronous=FULL. Values are sealed under a key and found by keyed hashes.

    Two connections, each in a thread: one reads, one writes.
    """

    Settings = SqliteSettings

    def __init__(self, name: str, settings: VaultSettings, clock: Callable[[], float] | None = None) -> None:
        """Raises VaultError where the file can't be used, or was made with other keys. Makes no file yet."""
        assert isinstance(settings, SqliteSettings)
        self._name = name
        self._settings = settings
        self._clock = clock or SteadyClock()
        self._file: os.stat_result | None = None
        self._made_ring: KeyRing | None = None
        self._reads = Lane(self._connect, writes=False)
        self._writes = Lane(self._connect, writes=True)
        self._check()

    # --- the file ----------------------------------------------------------------------------------------

    def _check(self) -> None:
        path = self._settings.path
        if not path.parent.is_dir():
            raise VaultError(f"the vault '{self._name}' has no folder {path.parent}")
        if path.exists() and path.stat().st_size:
            try:
                connection = self._connect()
                connection.close()
            except sqlite3.Error as error:
                why = getattr(error, "sqlite_errorname", "") or type(error).__name__
                raise VaultError(f"the vault '{self._name}' can't be read: {path} ({why})") from None
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            raise VaultError(f"the vault '{self._name}' can't be written: {path}")

    def _connect(self) -> sqlite3.Connection:
        if self._file is not None:
            self._same_file()
        connection = schema.connect(self._settings.path, self._settings.limits.bytes)
        try:
            ring = KeyRing(self._name, self._settings.keys, schema.salt(connection))
            entries.verify_keys(connection, ring)
        except BaseException:
            connection.close()
            raise
        if self._file is None:
            self._file = self._settings.path.stat()
        self._made_ring = self._made_ring or ring
        return connection

    @property
    def _ring(self) -> KeyRing:
        assert self._made_ring is not None, "made with the connection"
        return self._made_ring

    def _same_file(self) -> None:
        try:
            same = self._file is not None and os.path.samestat(self._settings.path.stat(), self._file)
        except OSError:
            same = False
        if not same:
            raise VaultError(f"the file of the vault '{self._name}' was removed or replaced while in use: restart")

    def _may_write(self, connection: sqlite3.Connection) -> None:
        """Raises VaultError where what is written now would not be found again by all."""
        self._same_file()
        # Another process may have a newer key by now, under which there may be pseudonyms that this one can't see.
        entries.verify_keys(connection, self._ring)
        entries.enter_key(connection, self._ring.current)

    # --- pseudonyms and values ---------------------------------------------------------------------------

    async def pseudonyms(self, wishes: Sequence[Wish]) -> list[str]:
        """See Vault. They are on the disk, fsync done, before it returns."""
        lasting = self._clock() + self._settings.ttl

        def known(connection: sqlite3.Connection) -> list[str] | None:
            tokens = []
            for wish in wishes:
                found = entries.find(connection, self._ring, wish)
                if found is None or found[1] < lasting:
                    return None
                tokens.append(found[0])
            return tokens

        tokens = await self._reads.run(known)
        return await self._writes.run(lambda connection: self._obtain(connection, wishes)) if tokens is None else tokens

    def _obtain(self, connection: sqlite3.Connection, wishes: Sequence[Wish]) -> list[str]:
        self._may_write(connection)
        now, ttl = self._clock(), self._settings.ttl
        expires = int(now + ttl + ttl // _SLACK) + 1
        entries.expire(connection, now)
        tokens = []
        for wish in wishes:
            found = entries.find(connection, self._ring, wish)
            if found is not None:
                token = found[0]
                entries.renew(connection, token, expires)
            else:
                domain = self._settings.email_domain
                token = entries.add(connection, self._ring.current, wish, expires, domain)
            tokens.append(token)
        return tokens

    async def values(self, tokens: Sequence[str], scope: str) -> list[str | None]:
        """See Vault."""
        now = self._clock()
        return await self._reads.run(
            lambda connection: [entries.value(connection, self._ring, token, scope, now) for token in tokens]
        )

    # --- erasure, expiry, rotation -----------------------------------------------------------------------

    async def forget(self, value: str, entity: str | None = None, scope: str | None = None) -> int:
        """See Vault. What is erased is overwritten, in the file and in its log."""

        def work(connection: sqlite3.Connection) -> int:
            self._may_write(connection)
            return entries.forget(connection, self._ring, value, entity, scope)

        count = await self._writes.run(work)
        await self._empty_log()
        return count

    async def expire(self) -> int:
        """See Vault."""
        now, total = self._clock(), 0
        while count := await self._writes.run(lambda connection: entries.expire(connection, now)):
            total += count
        await self._empty_log()
        return total

    async def _empty_log(self) -> None:
        """Writes the write-ahead log into the file and cuts it; where others read, they leave it for later."""
        await self._reads.run(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    async def rotate(self, progress: Callable[[int, int], None] | None = None) -> int:
        """See Vault. In small transactions, so that messages go on meanwhile; if it is ended, it is taken up again."""
        counted = await self._reads.run(lambda connection: entries.counts(connection, "key"))
        total = sum(count for key, count in counted.items() if key != self._ring.current.id)
        moved, after = 0, ""

        def work(connection: sqlite3.Connection) -> Sequence[str]:
            self._may_write(connection)
            return entries.move(connection, self._ring, after)

        while True:
            tokens = await self._writes.run(work)
            if not tokens and not after:
                break
            after = tokens[-1] if tokens else ""  # again from the start, for what others wrote behind
            moved += len(tokens)
            if progress is not None:
                progress(moved, max(moved, total))
        await self._writes.run(lambda connection: entries.drop_keys(connection, self._ring.current))
        await self._empty_log()
        return moved

    async def stats(self) -> Stats:
        """See Vault."""
        now = self._clock()

        def work(connection: sqlite3.Connection) -> Stats:
            (expired,) = connection.execute("SELECT count(*) FROM entries WHERE expires <= ?", (now,)).fetchone()
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
            entities, keys = entries.counts(connection, "entity"), entries.counts(connection, "key")
            return Stats(sum(entities.values()), expired, pages * size, entities, keys)

        return await self._reads.run(work)

    async def aclose(self) -> None:
        """Closes the file."""
        await self._reads.aclose()
        await self._writes.aclose()
