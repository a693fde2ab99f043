"""Who answers what the engine asks about media: worker processes, connections, and what came before.

A medium by link is fetched first. What a redactor was given and made is kept under a keyed hash, so that a picture that
is sent again with every turn costs a hash.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread

from proxy_guard import audit
from proxy_guard.errors import Late, Unavailable
from proxy_guard.media import MediaSettings, Redacted, extras
from proxy_guard.media.asked import Medium, Refused, ScrubMedia
from proxy_guard.media_cache import MediaCache
from proxy_guard.media_judge import scrub_by_policy
from proxy_guard.media_links import Fetcher, Unfetchable
from proxy_guard.model import Failed, Message, Rejected, Rewritten
from proxy_guard.policy import MediaRule, Policy
from proxy_guard.remote.mapping import Item
from proxy_guard.remote.scrubber import RemoteScrubber
from proxy_guard.rules.compiled import Ruleset
from proxy_guard.stages import Answer, Wish
from proxy_guard.workers import MediaTask, WorkerDied, Workers

_BRIEF = 1024 * 1024
"""Bytes that are hashed in the event loop; more are in a thread."""
_OF_ITS_OWN = frozenset(("timeout", "unavailable", "link"))
"""Causes that say nothing of the medium: another time it may go well."""
log = audit.logger()
Respond = Callable[[Message, Wish, float], Coroutine[Any, Any, Answer]]


class MediaScrubber:
    """Scrubs media by a set of rules. Safe to share between the tasks of an event loop."""

    def __init__(self, rules: Ruleset, workers: Workers | None, respond: Respond) -> None:
        """`respond` answers what a worker wishes to know. Raises MissingExtra where media can't be scrubbed at all."""
        self._limits = rules.limits
        self._first = rules.in_use[0]
        self._policies = {policy.name: policy for policy in rules.in_use if policy.media}
        rests = {name: policy.media for name, policy in self._policies.items() if policy.media}
        local = [rule for rule in rests.values() if rule.scrubber == "local"]
        if local:
            extras.check(faces=any(rule.settings.faces for rule in local))
        names = {name for rule in rests.values() for name in rule.connections}
        self._remotes = {name: RemoteScrubber(rules.connections[name]) for name in sorted(names)}
        self._workers = workers
        self._respond = respond
        self._cache = MediaCache(rules.limits.media_cache)
        self._fetchers = {
            name: Fetcher(rule.hosts, rules.limits.media_size) for name, rule in rests.items() if rule.links == "fetch"
        }

    def start(self) -> None:
        """Has the workers started, where a policy in use needs them; returns at once."""
        if self._workers and any(
            policy.media.scrubber == "local" for policy in self._policies.values() if policy.media
        ):
            self._workers.start()

    async def aclose(self) -> None:
        """Closes the connections of this event loop, and ends the workers."""
        for remote in self._remotes.values():
            await remote.aclose()
        if self._workers:
            await self._workers.aclose()

    async def one(self, data: bytes, declared: str = "") -> Redacted | Refused:
        """One medium by itself, by the first policy in use, whether or not it has a `media` section."""
        policy = self._first
        if policy.media is None:
            extras.check()
            policy = replace(policy, media=MediaRule(MediaSettings()))
        result = await self._scrub(Medium(data, declared), policy, Message("request", "POST", ""))
        if isinstance(result, Redacted) and not policy.observe:
            blocking = {each.entity for each in result.findings if policy.blocks(each.entity)}
            if blocking:
                return Refused("found", f"it holds {', '.join(sorted(blocking))}")
        return result

    async def scrub(self, wish: ScrubMedia, message: Message) -> list[Redacted | Refused]:
        """What becomes of each medium. Never raises for what is in it."""
        policy = self._policies[wish.policy]
        results: list[Redacted | Refused] = [Refused("unavailable", "not scrubbed") for _ in wish.media]
        places = anyio.CapacityLimiter(max(1, self._limits.media_workers))

        async def one(index: int, medium: Medium) -> None:
            async with places:  # the media of one message do not fill the queue for others
                results[index] = await self._scrub(medium, policy, message)

        if len(wish.media) == 1:
            results[0] = await self._scrub(wish.media[0], policy, message)
            return results
        async with anyio.create_task_group() as group:
            for index, medium in enumerate(wish.media):
                group.start_soon(one, index, medium)
        return results

    async def _scrub(self, medium: Medium, policy: Policy, message: Message) -> Redacted | Refused:
        assert policy.media is not None
        deadline = anyio.current_time() + self._limits.media_time
        if medium.link:
            try:
                with anyio.fail_after(self._limits.media_time):
                    data, declared = await self._fetchers[policy.name].fetch(medium.link)
            except Unfetchable as error:
                return Refused(error.cause, error.why)
            except TimeoutError:
                return Refused("timeout", f"a linked medium did not come within {self._limits.media_time:g} s")
            medium = replace(medium, data=data, declared=declared)
        if len(medium.data) > self._limits.media_size:
            return Refused("too_large", f"a medium is larger than {self._limits.media_size} bytes")
        # What a vault gives depends on whose the message is.
        owner = (message.account, message.conversation) if policy.needs else ()
        way = (message.direction,) if policy.media.connections else ()  # which they are told
        hashed = partial(self._cache.key_of, medium.data, policy.name, medium.declared, *owner, *way)
        key = hashed() if len(medium.data) < _BRIEF else await anyio.to_thread.run_sync(hashed)
        known = self._cache.get(key, medium.data)
        if known is not None:
            return known
        result = await self._made(medium, policy, policy.media, message, deadline)
        if isinstance(result, Redacted) or result.cause not in _OF_ITS_OWN:
            self._cache.put(key, result)
        return result

    async def _made(
        self, medium: Medium, policy: Policy, rule: MediaRule, message: Message, deadline: float
    ) -> Redacted | Refused:
        if rule.scrubber != "local":
            return await self._asked(rule.scrubber, medium, policy, message, deadline)
        result = await self._local(medium, policy, rule, message)
        if isinstance(result, Refused) and result.cause == "unsupported_media" and rule.otherwise:
            return await self._asked(rule.otherwise, medium, policy, message, deadline)
        return result

    async def _local(self, medium: Medium, policy: Policy, rule: MediaRule, message: Message) -> Redacted | Refused:
        task = MediaTask(policy.name, medium.declared, rule.settings)
        try:
            if self._workers:
                done = await self._workers.scrub(task, medium.data, partial(self._respond, message))
            else:
                done = await self._threaded(medium, policy, rule, message)
        except WorkerDied as death:
            log.error("media worker died", cause=str(death))
            return Refused("unreadable", "a medium could not be scrubbed: its worker ended")
        except TimeoutError:
            return Refused("timeout", f"a medium took longer than {self._limits.media_time:g} s")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a redactor, the medium must not pass
            log.error("media scrubber failed", error=type(error).__name__)
            return Refused("unreadable", "a medium could not be scrubbed")
        return Refused(done.cause, done.why) if isinstance(done, Failed) else done

    async def _threaded(
        self, medium: Medium, policy: Policy, rule: MediaRule, message: Message
    ) -> Redacted | Refused | Failed:
        deadline = anyio.current_time() + self._limits.media_time

        def respond(wish: Wish) -> Answer:
            return anyio.from_thread.run(self._respond, message, wish, deadline)

        call = partial(scrub_by_policy, medium.data, medium.declared, rule.settings, policy, respond)
        with anyio.fail_after(self._limits.media_time):
            return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)

    async def _asked(
        self, name: str, medium: Medium, policy: Policy, message: Message, deadline: float
    ) -> Redacted | Refused:
        """What a Security API makes of it."""
        media_type = medium.declared or "application/octet-stream"
        item = Item("0", data=medium.data, media_type=media_type, path=medium.path, direction=message.direction)
        try:
            with anyio.fail_after(max(0, deadline - anyio.current_time())):
                (judgement,) = await self._remotes[name].judge([item], policy.wanted)
        except (Late, TimeoutError):
            return Refused("timeout", f"{name} did not judge a medium in time")
        except Unavailable as error:
            log.error("media scrubber failed", source=name, why=error.why)
            return Refused("unavailable", f"{name} failed on a medium")
        match judgement:
            case Rejected():
                return Refused("found", f"{name} rejected it: {judgement.code}")
            case Rewritten():
                return Redacted(judgement.data, medium.declared, (), changed=judgement.data != medium.data)
            case []:
                return Redacted(medium.data, medium.declared)
            case _:
                return Refused("found", f"{name} found {', '.join(sorted({each.entity for each in judgement}))}")
