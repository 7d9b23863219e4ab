"""The application: registers, and nothing else."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from api import console, docs
from api.context import EXTENSION
from api.errors import register_errors
from api.guard import register_guard
from api.idempotency import finish as finish_idempotent
from api.json_answers import AnswerProvider
from api.observe import register_observation
from api.ratelimit import describe
from api.routes import BLUEPRINTS
from api.specification import Api, make_api
from api.streaming import register_streams
from core.errors import InvalidInput
from runtime.tailwise import Tailwise


def create_app(services: Tailwise) -> Flask:
    """The WSGI application over the given services; make one per process, after the fork.

    Raises InvalidInput ``missing-setting`` where there is no secret to sign cursors with.
    """
    if not services.settings.cursor_secret:
        detail = "TAILWISE_CURSOR_SECRET must be set: cursors are signed with it"
        raise InvalidInput(detail, code="missing-setting")
    app = Flask("tailwise", static_folder=None)
    app.extensions[EXTENSION] = services
    app.json = AnswerProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = services.settings.max_body_bytes
    _believe_proxies(app, services.settings.trusted_proxies)
    register_observation(app)
    register_guard(app)
    register_streams(app)
    app.after_request(describe)
    app.after_request(finish_idempotent)
    _register_routes(app)
    register_errors(app)
    return app


def openapi_yaml() -> str:
    """The OpenAPI document, from the code alone."""
    return docs.as_yaml(_register_routes(Flask("tailwise", static_folder=None)).spec.to_dict())


def _believe_proxies(app: Flask, count: int) -> None:
    """Take the client's address and scheme from the nearest ``count`` proxies, none by default:
    anybody can write those headers."""
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]


def _register_routes(app: Flask) -> Api:
    app.url_map.merge_slashes = False
    api = make_api(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(console.blueprint)
    return api
