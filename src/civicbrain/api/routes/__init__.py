"""The operations below /v1, one module a topic. Each has `handlers(services)`, its route handlers."""
