"""Proxy Guard keeps personal data out of chat APIs: a message goes in, a verdict comes out.

>>> guard = Guard.from_rules("rules/")  # doctest: +SKIP
>>> verdict = await guard.inspect(Message("request", "POST", url, headers, body))  # doctest: +SKIP
"""

from proxy_guard.guard import Guard
from proxy_guard.model import Message, Verdict

__all__ = ["Guard", "Message", "Verdict"]
__version__ = "0.1.0"
