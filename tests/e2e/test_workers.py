"""Large messages in worker processes: the same verdicts, and nothing that goes wrong there lets one pass."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from proxy_guard import Guard, Message, Verdict, engine, plugins
from proxy_guard.codecs import Limits
from proxy_guard.model import Slot, Wanted
from proxy_guard.rules.load import load_rules
from tests.e2e.corpus import CORPUS
from tests.e2e.rulesets import make_rules

URL = "https://api.openai.com/v1/chat/completions"
PII = "Please call me on 9876543210 or charge 4111 1111 1111 1111, then write to ravi.kumar@example.com. "
PROSE = "Could you explain how photosynthesis works in a few short sentences, please? "
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def chat(*texts: str) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text} for text in texts]}).encode()


def message(body: bytes, url: str = URL) -> Message:
    return Message("request", "POST", url, (("content-type", "application/json"),), body)


LARGE = message(chat(PII + PROSE * 3000))
SLOW = message(chat(*[f"{PII}{number}" for number in range(20_000)]))
"""Takes many seconds."""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return make_rules(tmp_path)


def limited(rules: Path, **limits: float) -> Path:
    text = (rules / "guard.yaml").read_text()
    shown = ", ".join(f"{name}: {value}" for name, value in limits.items())
    (rules / "guard.yaml").write_text(text[: text.index("limits:")] + f"limits: {{{shown}}}\n")
    return rules


def same(one: Verdict, other: Verdict) -> bool:
    """But for the incident, which is new with every block."""
    plain = [
        replace(v, incident=None, headers=tuple(h for h in v.headers if "incident" not in h[0])) for v in (one, other)
    ]
    return plain[0] == plain[1]


def children(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(status.parent.name))
    return found


def keeper_of(guard: Guard) -> int:
    assert guard._workers is not None
    assert guard._workers._nursery is not None
    return guard._workers._nursery._process.pid


def workers_of(guard: Guard) -> list[int]:
    return [each for nursery in children(keeper_of(guard)) for each in children(nursery)]


async def until(true: Callable[[], Any], seconds: float = 10) -> None:
    with anyio.fail_after(seconds):
        while not true():  # noqa: ASYNC110 - of other processes
            await anyio.sleep(0.02)


def test_the_corpus_has_the_same_verdicts(rules: Path) -> None:
    """Every message of the corpus, as if it were large: in workers, in threads and in the event loop."""
    limits = {"body": 200000, "decoded": 400000, "depth": 20, "time": 60}
    by_loop = Guard.from_rules(limited(rules, **limits))
    few = limited(rules, **limits, large=1)
    by_workers, by_threads = Guard.from_rules(few), Guard(load_rules(few))
    compared = 0

    async def run() -> None:
        nonlocal compared
        for case in CORPUS:
            asked = Message(
                "request", case.method, f"https://api.openai.com{case.path}", tuple(case.headers), case.body
            )
            expected = await by_loop.inspect(asked)
            for guard in (by_workers, by_threads):
                assert same(await guard.inspect(asked), expected), case
            compared += 1
        assert workers_of(by_workers)

    anyio.run(run)
    assert compared > 50


def test_large_messages_have_the_same_verdicts(rules: Path) -> None:
    limited(rules, body=10_000_000, time=60)
    guard, alone = Guard.from_rules(rules), Guard(load_rules(rules))
    rng = random.Random(3)

    async def run() -> None:
        for path in ("", "/block", "/observe", "/lenient"):
            texts = [rng.choice([PROSE, PII, "é 👩 9876543210 "]) * rng.randint(1, 40) for _ in range(150)]
            url = URL.replace("/v1", f"{path}/v1")
            large = message(chat(*texts), url)
            assert len(large.body) > 128 * 1024
            assert same(await guard.inspect(large), await alone.inspect(large)), path

    anyio.run(run)


def test_a_message_that_is_large_for_its_media_only_is_not_large(rules: Path) -> None:
    match = Guard.from_rules(limited(rules)).open("POST", URL)._match
    assert match is not None
    headers = (("content-type", "application/json"),)
    limits = Limits()

    def large(*texts: str) -> bool:
        return engine.is_large(Message("request", "POST", URL, headers, chat(*texts)), match, limits)

    picture = "iVBORw0KGgo/+A8=" * 25_000
    assert not large(picture, "look")
    assert not large("look" * 100)
    assert large(picture * 5)
    assert large(picture, PROSE * 4000)
    assert large(picture, *["word"] * 50_000)
    assert large("word " * 80_000)


def test_what_unpacks_to_a_large_body_is_large(rules: Path) -> None:
    import gzip

    guard = Guard.from_rules(limited(rules, body=10_000_000, time=60))
    packed = gzip.compress(chat(*[f"{PROSE} {number * number}" for number in range(5000)]))
    assert len(packed) < 64 * 1024
    headers = (("content-type", "application/json"), ("content-encoding", "gzip"))

    async def run() -> None:
        small = Message("request", "POST", URL, headers, gzip.compress(chat(PROSE)))
        assert (await guard.inspect(small)).action == "allow"
        assert guard._workers is not None
        assert guard._workers._nursery is None
        assert (await guard.inspect(Message("request", "POST", URL, headers, packed))).action != "block"
        assert guard._workers._nursery is not None

    anyio.run(run)


def test_the_event_loop_goes_on(rules: Path) -> None:
    guard = Guard.from_rules(limited(rules, time=60))
    large = message(chat(*[f"{PROSE}{number}" for number in range(30_000)]))
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await anyio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before)

    async def run() -> None:
        nonlocal longest
        await guard.inspect(LARGE)  # so that the worker is there
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            await anyio.sleep(0.05)
            began, longest = time.perf_counter(), 0.0
            assert (await guard.inspect(large)).action == "allow"
            took = time.perf_counter() - began
            tasks.cancel_scope.cancel()
        assert took > 0.3
        assert longest < 0.15, (longest, took)

    anyio.run(run)


def test_rules_are_those_that_the_guard_has_loaded(rules: Path) -> None:
    guard = Guard.from_rules(limited(rules, body=10_000_000, time=60))
    before = anyio.run(Guard(load_rules(rules)).inspect, LARGE)
    (rules / "policies" / "mask.yaml").write_text("entities: nonsense")
    assert same(anyio.run(guard.inspect, LARGE), before)
    assert before.action == "rewrite"


def test_no_worker_is_started_for_small_messages(rules: Path) -> None:
    guard = Guard.from_rules(rules)
    anyio.run(guard.inspect, message(chat(PII)))
    assert guard._workers is not None
    assert guard._workers._nursery is None


def test_without_workers_threads_do_it(rules: Path) -> None:
    guard = Guard.from_rules(limited(rules, workers=0, time=60))
    assert guard._workers is None
    assert anyio.run(guard.inspect, LARGE).action == "rewrite"


@linux
def test_a_worker_that_dies_costs_its_message_only(rules: Path) -> None:
    guard = Guard.from_rules(limited(rules, time=60))
    verdicts: list[Verdict] = []

    async def run() -> None:
        await guard.inspect(LARGE)
        [worker] = workers_of(guard)
        async with anyio.create_task_group() as tasks:

            async def slow() -> None:
                verdicts.append(await guard.inspect(SLOW))

            tasks.start_soon(slow)
            await anyio.sleep(0.3)
            os.kill(worker, signal.SIGKILL)
        assert (verdicts[0].action, verdicts[0].status) == ("block", 503)
        assert (await guard.inspect(LARGE)).action == "rewrite"
        # One that dies while it is idle costs nothing.
        [idle] = workers_of(guard)
        os.kill(idle, signal.SIGKILL)
        await until(lambda: idle not in workers_of(guard))
        assert (await guard.inspect(LARGE)).action == "rewrite"

    anyio.run(run)


@linux
@pytest.mark.parametrize("killed", ["nursery", "keeper", "both"])
def test_what_forks_the_workers_is_replaced_when_it_is_killed(rules: Path, killed: str) -> None:
    guard = Guard.from_rules(limited(rules, time=60))

    async def run() -> None:
        await guard.inspect(LARGE)
        keeper, [worker] = keeper_of(guard), workers_of(guard)
        [nursery] = children(keeper)
        for each in {"nursery": [nursery], "keeper": [keeper], "both": [keeper, nursery]}[killed]:
            os.kill(each, signal.SIGKILL)
        if killed == "keeper":
            await until(lambda: state(keeper) in "Z")
            assert (await guard.inspect(LARGE)).action == "rewrite"
            assert state(nursery) != ""
            assert state(worker) != ""
            await guard.aclose()
            await until(lambda: not (state(nursery).strip("Z") or state(worker).strip("Z")))
            return
        await until(lambda: not state(worker).strip("Z"))
        assert (await guard.inspect(LARGE)).action == "rewrite"
        assert (keeper_of(guard) == keeper) is (killed == "nursery")

    anyio.run(run)


def state(pid: int) -> str:
    """One letter, `Z` of one that has ended and is not waited for; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


@linux
def test_a_message_past_its_time_is_blocked_and_its_worker_ended(rules: Path) -> None:
    guard = Guard.from_rules(limited(rules, time=1))

    async def run() -> None:
        verdict = await guard.inspect(SLOW)
        assert (verdict.action, verdict.status, verdict.policy) == ("block", 503, "mask")
        assert b"guard_timeout" in verdict.body or "longer than 1 s" in verdict.reason
        await until(lambda: not workers_of(guard))
        assert (await guard.inspect(message(chat(PROSE * 2000)))).action == "allow"

    anyio.run(run)


@linux
def test_a_message_that_takes_too_much_memory_is_blocked(rules: Path) -> None:
    guard = Guard.from_rules(limited(rules, time=60, worker_memory=20_000_000))
    hungry = message(b'{"messages":[{"role":"user","content":[' + b"{}," * 450_000 + b"{}]}]}")

    async def run() -> None:
        assert (await guard.inspect(hungry)).status == 503
        assert (await guard.inspect(message(chat(PROSE * 2000)))).action == "allow"

    anyio.run(run)
    roomy = Guard.from_rules(limited(rules, time=60))
    assert anyio.run(roomy.inspect, hungry).status != 503


def test_past_the_queue_a_message_is_refused(rules: Path) -> None:
    guard = Guard.from_rules(limited(rules, time=60, workers=1, queue=1))
    verdicts: list[Verdict] = []

    async def run() -> None:
        async def one() -> None:
            verdicts.append(await guard.inspect(LARGE))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(one)
        refused = [v for v in verdicts if v.action == "block"]
        assert len(refused) == 3
        assert all(v.status == 503 and "too many large messages" in v.reason for v in refused)
        assert [v.action for v in verdicts].count("rewrite") == 2
        assert len(workers_of(guard)) == 1 or sys.platform != "linux"

    anyio.run(run)


@linux
def test_a_client_that_leaves_frees_its_worker(rules: Path) -> None:
    guard = Guard.from_rules(limited(rules, time=60, workers=1))

    async def run() -> None:
        await guard.inspect(LARGE)
        [worker] = workers_of(guard)
        with anyio.move_on_after(0.3):
            await guard.inspect(SLOW)
        await until(lambda: worker not in workers_of(guard), 3)
        assert (await guard.inspect(LARGE)).action == "rewrite"

    anyio.run(run)


_HOST = """\
import anyio, sys
from pathlib import Path
from tests.e2e.test_workers import LARGE, SLOW, children, keeper_of, workers_of
from proxy_guard import Guard
guard = Guard.from_rules(sys.argv[1])
async def run():
    await guard.inspect(LARGE)
    keeper = keeper_of(guard)
    print(keeper, *children(keeper), *workers_of(guard), flush=True)
    if sys.argv[2] == "slow":
        await guard.inspect(SLOW)
anyio.run(run)
"""


@linux
@pytest.mark.parametrize("ending", ["killed", "by itself"])
def test_no_process_outlives_the_guard(rules: Path, ending: str) -> None:
    limited(rules, time=60)
    command = [sys.executable, "-c", _HOST, str(rules), "slow" if ending == "killed" else ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as host:
        assert host.stdout is not None
        pids = [int(pid) for pid in host.stdout.readline().split()]
        assert len(pids) == 3
        if ending == "killed":
            time.sleep(0.5)
            host.kill()
        host.wait(20)
    anyio.run(until, lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A scrubber of another package, which only the guard's own process may run."""
    info = tmp_path / "site" / "other-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[proxy_guard.scrubbers]\nother = other_scrubber:Other\n")
    (tmp_path / "site" / "other_scrubber.py").write_text(
        "import os\n"
        "from proxy_guard.model import Finding\n"
        "from proxy_guard.scrubbers import Scrubber\n"
        "ASKED = []\n"
        "class Other(Scrubber):\n"
        "    async def scrub(self, slots, wanted):\n"
        "        ASKED.append((os.getpid(), [slot.holder for slot in slots]))\n"
        "        return [[Finding('PERSON', 0, 5, 1.0)] for _ in slots]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for cached in (plugins.available, plugins.load):
        cached.cache_clear()
    yield
    for cached in (plugins.available, plugins.load):
        cached.cache_clear()


def test_what_crosses_to_the_guard_keeps_all_but_what_it_can_not_use() -> None:
    kinds: list[tuple[Any, dict[str, Any]]] = [
        (Slot, {"holder": None, "key": None, "nested": None}),
        (Wanted, {"recognizers": ()}),
    ]
    for kind, left in kinds:
        marked = kind(*[each.name for each in fields(kind)])
        copied = pickle.loads(pickle.dumps(marked))
        assert {each.name: getattr(copied, each.name) for each in fields(kind)} == {
            each.name: left.get(each.name, each.name) for each in fields(kind)
        }


@pytest.mark.usefixtures("remote")
def test_what_a_worker_can_not_answer_the_guard_does(rules: Path) -> None:
    (rules / "policies" / "mask.yaml").write_text(
        "version: 1\nname: mask\nscrubber: other\nentities: {PERSON: {action: replace, with: NAME}}\n"
    )
    guard = Guard.from_rules(limited(rules, time=60))
    verdict = anyio.run(guard.inspect, message(chat("Maria " + PROSE * 3000, "Peter " + PROSE)))
    assert [each["content"][:10] for each in json.loads(verdict.body)["messages"]] == ["NAME Could", "NAME Could"]
    asked: list[tuple[int, list[Any]]] = sys.modules["other_scrubber"].ASKED
    assert asked == [(os.getpid(), [None, None])]
