"""The document that describes the interface, and the page that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.app import openapi_yaml

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return yaml.safe_load(openapi_yaml())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                yield f"{method.upper()} {path}", operation


def test_the_file_in_the_repository_is_what_the_code_says():
    assert (ROOT / "openapi.yaml").read_text() == openapi_yaml()


def test_the_document_is_valid_openapi(document):
    schemathesis.openapi.from_dict(document)
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "$schema": DIALECT})


def test_a_second_validator_finds_nothing_either(document):
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_reference_leads_somewhere(document):
    for reference in set(re.findall(r"\$ref': '#/([^']+)'", str(document))):
        place = document
        for name in reference.split("/"):
            place = place[name]
        assert place


def test_every_operation_says_what_it_does_and_all_it_can_answer(document):
    seen = set()
    for name, operation in operations(document):
        assert operation["summary"].endswith("."), name
        assert operation["operationId"] not in seen
        seen.add(operation["operationId"])
        statuses = set(operation["responses"])
        assert any(status.startswith("2") for status in statuses), name
        assert "500" in statuses, name
        assert "default" not in statuses, name
        if operation["security"]:
            assert {"400", "401", "406", "429", "503"} <= statuses, name
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= statuses, name


def test_refusals_are_documented_as_problem_documents(document):
    for name, response in document["components"]["responses"].items():
        kinds = set(response.get("content", {}))
        assert kinds <= {"application/problem+json"}, name


def test_every_field_and_parameter_has_a_description(document):
    for name, schema in document["components"]["schemas"].items():
        for field, facts in schema.get("properties", {}).items():
            assert "description" in facts or "$ref" in str(facts), (name, field)
    for name, operation in operations(document):
        for parameter in operation.get("parameters", []):
            if "$ref" not in parameter:
                assert "description" in parameter, (name, parameter["name"])


def test_unknown_fields_are_documented_as_refused(document):
    schemas = document["components"]["schemas"]
    for name in ("NewSession", "AddItems", "LabelRequest", "PredictRequest"):
        assert schemas[name]["additionalProperties"] is False


def test_the_server_serves_the_document_to_anybody(app):
    response = app.test_client().get("/v1/openapi.yaml")
    assert response.status_code == 200
    assert response.content_type.startswith("application/yaml")
    assert response.get_data(as_text=True) == openapi_yaml()


def test_the_page_loads_everything_from_this_server(app):
    client = app.test_client()
    page = client.get("/v1/docs")
    html = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "//" not in html.replace("<!DOCTYPE html>", "")
    for address in re.findall(r'(?:src|href)="([^"]+)"', html):
        loaded = client.get(address)
        assert loaded.status_code == 200, address
        loaded.close()
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "<script>" not in html


@pytest.mark.parametrize("name", ["../__init__.py", "%2e%2e/__init__.py", "missing.js"])
def test_the_page_gives_out_nothing_but_its_assets(app, name):
    assert app.test_client().get(f"/v1/docs/assets/{name}").status_code == 404


DIALECT = "https://json-schema.org/draft/2020-12/schema"
