"""Where the shipped rule files and the addon lie: in the wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def _shipped(name: str) -> Path:
    packed = _PACKAGE / "_shipped" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def rules_dir() -> Path:
    """The folder of the shipped rules."""
    return _shipped("rules")


def addon_path() -> Path:
    """The file that `mitmdump -s` wants."""
    return _shipped("addons") / "proxy_guard_addon.py"


def security_api_contract() -> Path:
    """The OpenAPI document of the Security API."""
    packed = _PACKAGE / "_shipped" / "security-api.openapi.yaml"
    return packed if packed.is_file() else _PACKAGE.parent / "docs" / "security-api.openapi.yaml"
