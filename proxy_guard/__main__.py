"""`python -m proxy_guard` is `proxy-guard`."""

from proxy_guard.cli import main

main()
