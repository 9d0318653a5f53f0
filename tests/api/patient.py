"""httpx with a minute's patience: its own five seconds are short where tests run side by side."""

from __future__ import annotations

from functools import partial

import httpx

PATIENCE_S = 60.0

get = partial(httpx.get, timeout=PATIENCE_S)
post = partial(httpx.post, timeout=PATIENCE_S)
put = partial(httpx.put, timeout=PATIENCE_S)
patch = partial(httpx.patch, timeout=PATIENCE_S)
delete = partial(httpx.delete, timeout=PATIENCE_S)
Client = partial(httpx.Client, timeout=PATIENCE_S)
AsyncClient = partial(httpx.AsyncClient, timeout=PATIENCE_S)
