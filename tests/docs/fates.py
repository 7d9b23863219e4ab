"""What becomes of the steps that no reader of these tests types: who runs them, or why nobody."""

from __future__ import annotations

from tests.docs.pages import Step, bare

STUDY = "tests/e2e/test_default_keeps_its_lead.py"
DEMO = "tests/unit/benchmarks/demo/test_demo_command.py"
GATE = ".ci/run"
INDEX = "asks the package index"

ELSEWHERE = {
    "make demo": DEMO,
    "make test": GATE,
    "make evidence": STUDY,
    "make extras": GATE,
    "tailwise encoder install": "tests/unit/adapters/encoders/test_encoder_install.py",
    "tailwise benchmark multi-label": "tests/unit/benchmarks/multi_label/test_multi_label_study.py",
    "tailwise benchmark run benchmarks/experiments/small.toml": STUDY,
    "tailwise benchmark run --results again benchmarks/experiments/paper.toml": STUDY,
    "tailwise benchmark compare": "tests/unit/benchmarks/report/test_rerun.py",
    "tailwise benchmark report benchmarks/results/small.json": "tests/docs/test_tutorial_pages.py",
    "OTEL_EXPORTER_OTLP_ENDPOINT=": "tests/e2e/test_traces.py",
    ".venv/bin/python -m pytest tests/deploy": "tests/deploy/test_image_commands.py",
    "openapi-python-client generate": "tests/sdk/test_generated_client.py",
    "pip install build/api-client": "tests/sdk/test_generated_client.py",
    "pip install openapi-python-client": "tests/sdk/test_generated_client.py",
    "http.md: python": "tests/sdk/test_generated_client.py",
    "client.md: python": "tests/sdk/test_client_examples.py",
    "clients/python/README.md: python": "tests/sdk/test_client_examples.py",
}
"""Beginnings of commands, and programs of pages, that another test or the gate runs.

The whole evidence takes hours; that test runs its smallest study by the same command.
"""

NOT_HERE = {
    "docker ": "needs a container engine",
    "make lock": INDEX,
    "make audit": "asks a service on the internet for known vulnerabilities",
    "hf download": "fetches 400 MB of weights from the internet",
    "export TAILWISE_ANTHROPIC_API_KEY=": "needs a key of a paid provider",
    "tailwise benchmark run benchmarks/experiments/paid/": "pays a provider",
    "tailwise benchmark run benchmarks/experiments/fine_tuning/": "takes minutes for each cell",
    "python3.11 -m venv label-studio": f"{INDEX} for a real Label Studio",
    "TAILWISE_TEST_LABEL_STUDIO=": "needs a real Label Studio; skips without, and says so",
}
"""Beginnings of commands that cannot run here, and why.

That they name nothing made up is checked all the same.
"""


def fate(page: str, step: Step) -> str | None:
    """Why this step is not typed by a reader, or None where it is."""
    command = bare(step.code) if step.language == "console" else f"{page}: {step.language}"
    known = ELSEWHERE | NOT_HERE
    return next((known[begins] for begins in known if command.startswith(begins)), None)
