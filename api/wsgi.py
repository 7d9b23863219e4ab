"""What gunicorn serves; imported in each web process after the fork."""

from __future__ import annotations

import os

from api.app import create_app
from runtime.database import with_cursor_secret
from runtime.settings import load_settings
from runtime.traces import configure_traces
from runtime.wiring import build

settings = with_cursor_secret(load_settings())
configure_traces(settings, process=f"web-{os.getpid()}")
app = create_app(build(settings, role="web"))
