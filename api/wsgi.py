"""What gunicorn serves; imported in each web process after the fork."""

from __future__ import annotations

from api.app import create_app
from runtime.database import with_cursor_secret
from runtime.settings import load_settings
from runtime.wiring import build

app = create_app(build(with_cursor_secret(load_settings()), role="web"))
