"""Remote APIs: Security APIs that judge messages, and endpoints that keep or tell the values behind references.

`settings` is what people write, `connection` what it compiles to; `client` makes the calls; `scrubber` and
`lookup` are what the guard asks. Only `client` and `auth` know httpx.
"""
