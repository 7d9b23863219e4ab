"""What gunicorn serves; imported in each web process after the fork."""

from __future__ import annotations

from typing import cast

from api.app import create_app
from runtime.services import Services
from runtime.settings import load_settings
from runtime.wiring import build

app = create_app(cast("Services", build(load_settings(), role="web")))
