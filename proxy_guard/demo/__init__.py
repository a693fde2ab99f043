"""The demo: a chat server of the project's own, the sidecar before it, and the real OpenAI client."""
