"""The vault in a file: its keys, its bytes, other processes, full disks, clocks."""

from __future__ import annotations

import base64
import os
import resource
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from proxy_guard.errors import VaultError, VaultFull
from proxy_guard.vault import Vault, Wish
from proxy_guard.vault.clock import SteadyClock
from tests.vault.conftest import KEYS, Clock, sqlite_settings, sqlite_vault
from tests.vault.test_vaults import give, resolve, run

VALUES = {"EMAIL_ADDRESS": "Ursula.Canary@Example.org", "PHONE_NUMBER": "+91 98765 43210", "PERSON": "Zoë Çanarÿ"}
SCOPE = "account-canary-4711"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.db"


def names(count: int, prefix: str = "name") -> list[Wish]:
    return [Wish("a", "PERSON", f"{prefix} {n}") for n in range(count)]


def rotate(vault: Vault) -> int:
    return run(vault, lambda v: v.rotate())


# --- what the file holds -------------------------------------------------------------------------------


def writings(text: str) -> set[bytes]:
    """The bytes by which a text could be told from a file: as it is, in other cases and encodings, bare of spaces."""
    made = set()
    for each in {text, text.lower(), text.upper(), text.replace(" ", ""), text.replace(" ", "").lstrip("+")}:
        raw = each.encode()
        made |= {
            raw,
            each.encode("utf-16-le"),
            each.encode("utf-16-be"),
            raw.hex().encode(),
            raw.hex().upper().encode(),
        }
        for shift in range(3):  # base64 of the text wherever it stands among others
            inner = base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4]
            made |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return made


def on_disk(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_no_value_is_in_the_file_nor_in_its_log(path: Path) -> None:
    vault = sqlite_vault(path)

    async def use(v: Vault) -> None:
        tokens = await v.pseudonyms([Wish(SCOPE, entity, value) for entity, value in VALUES.items()])
        files = on_disk(path.parent)
        assert files.keys() == {"vault.db", "vault.db-wal", "vault.db-shm"}
        assert any(tokens[0].encode() in data for data in files.values()), "looked at the right bytes"
        for data in files.values():
            for text in (*VALUES.values(), SCOPE, KEYS["k1"]):
                assert not [each for each in writings(text) if each in data]
            assert bytes.fromhex(KEYS["k1"]) not in data

    run(vault, use)
    assert not [1 for text in (*VALUES.values(), SCOPE) for each in writings(text) if each in path.read_bytes()]


def test_the_search_for_values_finds_them() -> None:
    for data in ("x" + VALUES["PERSON"]).encode(), ("x" + VALUES["PERSON"]).encode("utf-16-le"):
        assert any(each in data for each in writings(VALUES["PERSON"]))
        for shift in range(3):
            coded = base64.b64encode(b"?" * shift + VALUES["EMAIL_ADDRESS"].encode() + b"tail")
            assert any(each in coded for each in writings(VALUES["EMAIL_ADDRESS"]))


def test_hashes_of_two_files_have_nothing_in_common(tmp_path: Path) -> None:
    found = []
    for name in ("one.db", "two.db"):
        give(sqlite_vault(tmp_path / name), Wish("a", "PERSON", "Ann"))
        with sqlite3.connect(tmp_path / name) as connection:
            found.append(set(connection.execute("SELECT lookup, subject FROM entries").fetchone()))
        connection.close()
    assert not found[0] & found[1]


def test_what_is_forgotten_is_overwritten(path: Path) -> None:
    vault = sqlite_vault(path)

    async def use(v: Vault) -> None:
        (token,) = await v.pseudonyms([Wish("a", "PERSON", "Ann")])
        await v.pseudonyms(names(50))
        with sqlite3.connect(path) as connection:
            (sealed,) = connection.execute("SELECT sealed FROM entries WHERE token = ?", (token,)).fetchone()
        connection.close()
        assert any(sealed in data for data in on_disk(path.parent).values())
        assert await v.forget("Ann") == 1
        for data in on_disk(path.parent).values():
            assert sealed not in data
            assert token.encode() not in data

    run(vault, use)


def test_the_file_is_its_owners_only(path: Path) -> None:
    before = os.umask(0)
    try:
        vault = sqlite_vault(path)

        async def use(v: Vault) -> None:
            await v.pseudonyms(names(1))
            assert {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == dict.fromkeys(
                ("vault.db", "vault.db-wal", "vault.db-shm"), 0o600
            )

        run(vault, use)
    finally:
        os.umask(before)


def test_a_commit_waits_for_the_disk(path: Path) -> None:
    vault = sqlite_vault(path)

    def pragmas(connection: sqlite3.Connection) -> list[object]:
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    for lane in (vault._writes, vault._reads):
        assert run(vault, lambda _, lane=lane: lane.run(pragmas)) == ["wal", 2]  # type: ignore[misc]


def test_an_entry_that_was_moved_to_another_pseudonym_does_not_open(path: Path) -> None:
    vault = sqlite_vault(path)
    one, two = give(vault, *names(2))
    with sqlite3.connect(path) as connection:
        (sealed,) = connection.execute("SELECT sealed FROM entries WHERE token = ?", (one,)).fetchone()
        connection.execute("UPDATE entries SET sealed = ? WHERE token = ?", (sealed, two))
    connection.close()
    assert resolve(vault, [one]) == ["name 0"]
    with pytest.raises(VaultError, match="changed by something else"):
        resolve(vault, [two])


# --- keys ----------------------------------------------------------------------------------------------


def test_a_wrong_key_is_told_at_start(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(sqlite_vault(path), *names(1))
    monkeypatch.setenv("VAULT_k1", KEYS["k2"])
    with pytest.raises(VaultError, match="key 'k1' of the vault 'v' is not the one that its file was made with"):
        sqlite_vault(path)


def test_a_key_that_is_missing_is_told_at_start(path: Path) -> None:
    give(sqlite_vault(path, "k1"), *names(1))
    with pytest.raises(VaultError, match="key 'k1', which is not configured"):
        sqlite_vault(path, "k2")


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([], "at least 1"),
        ([{"id": "k1", "key": "11" * 32}], "never stands in a file"),
        ([{"id": "k1", "key": "${env:VAULT_none}"}], "not set"),
        ([{"id": "k1", "key": "${env:VAULT_k1}"}, {"id": "k1", "key": "${env:VAULT_k2}"}], "same id"),
        ([{"id": "k1", "key": "${env:VAULT_k1}"}, {"id": "k2", "key": "${env:VAULT_k1}"}], "are the same"),
        ([{"id": "a b", "key": "${env:VAULT_k1}"}], "pattern"),
    ],
)
def test_keys_that_can_not_be(path: Path, keys: list[dict[str, str]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        type(sqlite_settings(path)).model_validate({"path": path, "keys": keys})


def test_no_key_shows(path: Path) -> None:
    settings = sqlite_settings(path, "k1", "k2")
    for shown in (repr(settings), settings.model_dump_json(), repr(vars(sqlite_vault(path)))):
        assert KEYS["k1"] not in shown
        assert KEYS["k2"] not in shown


def test_a_new_key_leaves_pseudonyms_as_they_are_and_rotation_moves_them(path: Path) -> None:
    wishes = [*names(600), *[Wish(SCOPE, entity, value) for entity, value in VALUES.items()]]
    tokens = give(sqlite_vault(path, "k1"), *wishes)
    both = sqlite_vault(path, "k2", "k1")
    assert give(both, *wishes[:10]) == tokens[:10]
    (fresh,) = give(both, Wish("a", "PERSON", "Ann"))
    assert dict(run(both, lambda v: v.stats()).keys) == {"k1": 603, "k2": 1}
    steps: list[tuple[int, int]] = []
    assert run(both, lambda v: v.rotate(lambda done, total: steps.append((done, total)))) == 603
    assert steps[-1] == (603, 603)
    assert len(steps) > 2
    assert rotate(both) == 0
    alone = sqlite_vault(path, "k2")
    assert give(alone, *wishes, Wish("a", "PERSON", "Ann")) == [*tokens, fresh]
    assert resolve(alone, tokens[:600]) == [f"name {n}" for n in range(600)]
    assert run(alone, lambda v: v.forget(VALUES["EMAIL_ADDRESS"].upper())) == 1
    with pytest.raises(VaultError, match="'k2', which is not configured"):
        sqlite_vault(path, "k1")


def test_a_process_that_lacks_the_newest_key_stops_giving_pseudonyms(path: Path) -> None:
    old = sqlite_vault(path, "k1")
    give(old, Wish("a", "PERSON", "Ann"))
    (newer,) = give(sqlite_vault(path, "k2", "k1"), Wish("a", "PERSON", "Bob"))
    with pytest.raises(VaultError, match="'k2', which is not configured"):
        give(old, Wish("a", "PERSON", "Bob"))
    with pytest.raises(VaultError, match="'k2', which is not configured"):
        resolve(old, [newer])


def test_a_process_that_has_the_newest_key_as_second_goes_on(path: Path) -> None:
    slow = sqlite_vault(path, "k1", "k2")
    (token,) = give(slow, Wish("a", "PERSON", "Ann"))
    quick = sqlite_vault(path, "k2", "k1")
    assert rotate(quick) == 1
    assert give(slow, Wish("a", "PERSON", "Ann")) == [token]
    (late,) = give(slow, Wish("a", "PERSON", "Bob"))
    assert give(quick, Wish("a", "PERSON", "Bob")) == [late]
    with pytest.raises(VaultError, match="'k1', which is not configured"):
        sqlite_vault(path, "k2")
    assert rotate(quick) == 1
    assert resolve(sqlite_vault(path, "k2"), [token, late]) == ["Ann", "Bob"]


# --- the file itself -----------------------------------------------------------------------------------


def test_nothing_is_made_before_the_first_pseudonym(path: Path) -> None:
    vault = sqlite_vault(path)
    assert not path.exists()
    give(vault, *names(1))
    assert path.exists()


def test_files_that_can_not_serve_are_told_at_start(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="no folder"):
        sqlite_vault(tmp_path / "none" / "vault.db")
    (tmp_path / "text.db").write_text("no database, but long enough to be looked at by SQLite " * 20)
    with pytest.raises(VaultError, match="SQLITE_NOTADB"):
        sqlite_vault(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(VaultError, match="is a database, but no vault"):
        sqlite_vault(tmp_path / "other.db")
    (tmp_path / "folder").mkdir()
    with pytest.raises(VaultError, match="can't be opened"):
        sqlite_vault(tmp_path / "folder")


def test_a_file_that_is_taken_away_or_replaced_is_no_place_for_pseudonyms(path: Path) -> None:
    vault = sqlite_vault(path)

    async def use(v: Vault) -> None:
        await v.pseudonyms(names(1))
        for each in path.parent.iterdir():
            each.rename(each.with_name(f"moved-{each.name}"))
        with pytest.raises(VaultError, match="removed or replaced"):
            await v.pseudonyms(names(2))
        assert "vault.db" not in on_disk(path.parent), "no new one in silence"
        await v.aclose()
        sqlite3.connect(path).execute("CREATE TABLE x (y)").connection.close()
        with pytest.raises(VaultError, match="removed or replaced"):
            await v.pseudonyms(names(1))

    run(vault, use)


def test_a_vault_that_reaches_its_limit_refuses_and_keeps_what_it_gave(path: Path) -> None:
    vault = sqlite_vault(path, limits={"bytes": 200_000})
    tokens: list[str] = []
    with pytest.raises(VaultFull, match="SQLITE_FULL"):
        for start in range(100):
            tokens += give(vault, *names(20, f"batch {start}"))
    assert 100 <= len(tokens) < 1000
    assert resolve(vault, tokens) == [f"batch {n // 20} {n % 20}" for n in range(len(tokens))]
    assert path.stat().st_size <= 200_000
    assert run(vault, lambda v: v.forget("batch 0 1")) == 1


def test_a_full_disk_is_an_error_and_no_pseudonym_is_given(path: Path) -> None:
    """The system's limit on the size of files stands in for the disk: writes past it fail."""
    vault = sqlite_vault(path)
    tokens = give(vault, *names(100))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50_000, hard))
    try:
        with pytest.raises(VaultError, match=r"SQLITE_(IOERR|FULL)"):
            for start in range(100):
                tokens += give(vault, *names(20, f"batch {start}"))
        assert resolve(vault, tokens[:100]) == [f"name {n}" for n in range(100)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert None not in resolve(vault, tokens)
    give(vault, *names(20, "room again"))


# --- several processes and tasks -----------------------------------------------------------------------

_PEER = """
import sys, anyio
from pathlib import Path
from proxy_guard.vault import Wish
from tests.vault.conftest import sqlite_vault

async def main():
    vault = sqlite_vault(Path(sys.argv[1]))
    sys.stdin.readline()
    async def ask(n):
        wish = Wish("a", "PERSON", f"name {n}")
        print(n, *await vault.pseudonyms([wish]), flush=True)
    for start in range(0, 200, 8):
        async with anyio.create_task_group() as tasks:
            for n in range(start, start + 8):
                tasks.start_soon(ask, n)
    await vault.aclose()

anyio.run(main)
"""


def test_processes_at_once_make_one_file_and_one_pseudonym_for_a_value(path: Path) -> None:
    command = [sys.executable, "-c", _PEER, str(path)]
    peers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = []
    for peer in peers:
        assert peer.stdin is not None
        peer.stdin.write("\n")
        peer.stdin.flush()
    for peer in peers:
        outputs.append(peer.communicate(timeout=120)[0])
        assert peer.returncode == 0
    given = [dict(line.split() for line in output.splitlines()) for output in outputs]
    assert given[0] == given[1] == given[2]
    assert len(set(given[0].values())) == 200
    tokens = [given[0][str(n)] for n in range(200)]
    assert resolve(sqlite_vault(path), tokens) == [f"name {n}" for n in range(200)]


_FORKED = """
import os, sys, anyio
from pathlib import Path
from proxy_guard.vault import Wish
from tests.vault.conftest import sqlite_vault

vault = sqlite_vault(Path(sys.argv[1]))
give = lambda *names: anyio.run(vault.pseudonyms, [Wish("a", "PERSON", name) for name in names])
before = give("Ann")
child = os.fork()
if child == 0:
    wrong = give("Ann") != before or len(set(give("Ann", "Bob"))) != 2
    os._exit(wrong)
_, status = os.waitpid(child, 0)
assert status == 0
assert give("Ann") == before
print(*give("Ann", "Bob"))
"""


def test_a_vault_that_was_used_before_a_fork_serves_in_both_processes(path: Path) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _FORKED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert resolve(sqlite_vault(path), done.stdout.split()) == ["Ann", "Bob"]


def test_messages_at_once_share_commits(path: Path) -> None:
    vault = sqlite_vault(path)
    commits: list[str] = []

    async def use(v: Vault) -> None:
        await v.pseudonyms(names(1))
        await vault._writes.run(lambda connection: connection.set_trace_callback(commits.append))
        async with anyio.create_task_group() as tasks:
            for n in range(64):
                tasks.start_soon(v.pseudonyms, [Wish("b", "PERSON", f"name {n}")])

    run(vault, use)
    assert 0 < sum(each == "COMMIT" for each in commits) < 16


def test_a_message_that_is_given_up_harms_no_other(path: Path) -> None:
    vault = sqlite_vault(path)

    async def use(v: Vault) -> None:
        given = {}

        async def ask(n: int, seconds: float) -> None:
            with anyio.move_on_after(seconds):
                given[n] = await v.pseudonyms([Wish("a", "PERSON", f"name {n}")])

        async with anyio.create_task_group() as tasks:
            for n in range(60):
                tasks.start_soon(ask, n, 0.0005 * (n % 3) if n % 2 else 60)
        for n in range(0, 60, 2):
            assert await v.values(given[n], "a") == [f"name {n}"]

    run(vault, use)


def test_the_event_loop_is_not_held_up_while_others_write(path: Path) -> None:
    vault = sqlite_vault(path)
    give(vault, *names(1))
    other = sqlite3.connect(path, isolation_level=None)

    async def use(v: Vault) -> None:
        other.execute("BEGIN IMMEDIATE")
        ticks = 0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(v.pseudonyms, [Wish("b", "PERSON", "Ann")])
            for _ in range(20):
                await anyio.sleep(0.01)
                ticks += 1
            assert await v.values(["nothing"], "a") == [None], "reading goes on"
            other.execute("COMMIT")

    started = time.monotonic()
    run(vault, use)
    assert time.monotonic() - started < 5
    other.close()


# --- clocks --------------------------------------------------------------------------------------------


def test_a_clock_that_is_set_while_it_runs_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteadyClock()
    before = clock()
    for wrong in (0.0, 4e9):
        monkeypatch.setattr(time, "time", lambda wrong=wrong: wrong)
        assert 0 <= clock() - before < 60


def test_a_clock_that_goes_back_keeps_pseudonyms(path: Path, clock: Clock) -> None:
    (token,) = give(sqlite_vault(path, ttl=1000, clock=clock), *names(1))
    clock.now -= 10_000_000
    assert resolve(sqlite_vault(path, ttl=1000, clock=clock), [token]) == ["name 0"]
    assert give(sqlite_vault(path, ttl=1000, clock=clock), *names(1)) == [token]
    clock.now += 10_000_000
    assert resolve(sqlite_vault(path, ttl=1000, clock=clock), [token]) == ["name 0"], "renewal never shortens"
