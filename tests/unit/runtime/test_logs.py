import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
START = """
import logging, structlog
from runtime.logs import bound, configure_logs
configure_logs(level="info", format="json")
log = structlog.get_logger()
"""


def events(code: str) -> list[dict]:
    """What a fresh process logs; logging is set up once per process."""
    done = subprocess.run(
        [sys.executable, "-c", START + code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_an_event_is_one_line_of_json_with_its_keys():
    (event,) = events("log.info('retrained', rows=3)")
    assert (event["event"], event["level"], event["rows"]) == ("retrained", "info", 3)
    assert event["timestamp"].endswith("Z")


def test_bound_keys_are_on_every_event_of_the_block_and_on_libraries_too():
    code = """
with bound(operation_id='op_1'):
    log.info('a')
    logging.getLogger('some.library').warning('b')
log.info('c')
"""
    assert [e.get("operation_id") for e in events(code)] == ["op_1", "op_1", None]


def test_events_below_the_level_are_dropped():
    assert events("log.debug('a'); logging.getLogger('x').debug('b')") == []


def test_our_exceptions_are_named_by_class_and_place_and_never_quoted():
    code = """
def parse():
    raise ValueError('canary')
try:
    parse()
except ValueError as error:
    log.error('broke', exc_info=error)
"""
    (event,) = events(code)
    assert event["error"] == "ValueError"
    assert event["where"][-1].endswith("parse")
    assert "canary" not in json.dumps(event)


def test_libraries_messages_are_cut_down_to_their_fixed_part():
    code = """
engine = logging.getLogger('dbos')
try:
    raise RuntimeError('canary')
except RuntimeError as error:
    engine.error(f'Exception in step: {error}', exc_info=error)
    engine.warning('Row %s', 'canary')
    logging.getLogger('sqlalchemy.engine').warning('INSERT: canary', stack_info=True)
    logging.getLogger('other').warning('first\\ncanary')
"""
    found = events(code)
    assert [e["event"] for e in found] == ["Exception in step", "Row %s", "INSERT", "first"]
    assert found[0]["error"] == "RuntimeError"
    assert "canary" not in json.dumps(found)


def test_newlines_and_control_characters_cannot_forge_an_event():
    (event,) = events("log.info('a', name='x\\n{\"event\": \"forged\"}\\x1b[2J')")
    assert event["event"] == "a"


def test_the_jobs_engine_adds_no_handler_of_its_own():
    code = """
from dbos._logger import init_logger
init_logger()
logging.getLogger('dbos').error('boom: canary')
"""
    (event,) = events(code)
    assert event["event"] == "boom"


def test_the_console_format_is_for_people():
    code = START.replace("json", "console") + "log.info('retrained', rows=3)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "retrained" in done.stderr
    assert not done.stderr.startswith("{")
