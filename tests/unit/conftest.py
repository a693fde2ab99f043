"""Property tests are small and repeatable here; `--hypothesis-profile=thorough` looks further."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("quick", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=5000, deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("quick")
