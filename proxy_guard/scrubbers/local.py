"""The local scrubber: the engine of `proxy_guard.detect`, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import anyio.to_thread

from proxy_guard.detect import Detector
from proxy_guard.detect.catalogue import DEFAULT_ENTITIES
from proxy_guard.model import Finding, Slot, Wanted
from proxy_guard.scrubbers import Screen, Scrubber

_INLINE = 32 * 1024
"""Code points in a message up to which pattern entities are cheaper to find at once than to hand to a thread."""


@final
class LocalScrubber(Scrubber):
    """Finds entities with one Detector per set of wanted entities, made at load."""

    joins = True

    def __init__(self) -> None:
        self._detectors: dict[Wanted, Detector] = {}

    def prepare(self, wanted: Wanted) -> None:
        """Makes the detector: compiles its patterns and loads its model, if it needs one."""
        if wanted not in self._detectors:
            entities = wanted.entities
            if entities is None:
                entities = DEFAULT_ENTITIES | wanted.also | {each.entity for each in wanted.recognizers}
            self._detectors[wanted] = Detector(
                sorted(entities),
                wanted.language,
                model=wanted.model,
                min_score=wanted.min_score,
                recognizers=wanted.recognizers,
                phone_regions=wanted.phone_regions,
            )

    def slow(self, slots: Sequence[Slot], wanted: Wanted) -> bool:
        """Whether there is much in these texts that takes long, and was not seen before."""
        return self._detectors[wanted].slow([slot.text for slot in slots])

    def at_once(self, slots: Sequence[Slot], wanted: Wanted) -> list[list[Finding]] | None:
        """The findings of small texts, where no model has to be asked."""
        detector = self._detectors[wanted]
        if not detector.quick or sum(len(slot.text) for slot in slots) > _INLINE:
            return None
        return self.find(slots, wanted)

    def find(self, slots: Sequence[Slot], wanted: Wanted) -> list[list[Finding]]:
        """The findings of each slot, however long it takes."""
        return self._detectors[wanted].detect_many([slot.text for slot in slots])

    def screen(self, wanted: Wanted) -> Screen | None:
        """The detector's own."""
        detector = self._detectors[wanted]
        return detector.clean if detector.quick else None

    async def scrub(self, slots: Sequence[Slot], wanted: Wanted) -> list[list[Finding]]:
        """The findings of each slot, found in a thread."""
        return await anyio.to_thread.run_sync(self.find, slots, wanted, abandon_on_cancel=True)
