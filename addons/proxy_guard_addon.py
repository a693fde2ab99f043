"""What `mitmdump -s` loads: the guard as an addon. Options: `--set guard_rules=DIR`, `--set guard_policy=NAME`."""

from proxy_guard.mitm import ProxyGuardAddon

addons = [ProxyGuardAddon()]
