"""The public face of a job."""

from __future__ import annotations

from typing import get_args

from api.schemas.documents import Answer, Query
from api.schemas.fields import Flag, Name, Nested, Object, Real, Text, Time, Whole, identifier
from api.schemas.pages import PageQuery, page_of
from core.records import OperationKind, OperationState

KINDS = get_args(OperationKind)
STATES = get_args(OperationState)


class ProgressSchema(Answer):
    """How far an operation has come."""

    phase = Text("What it is doing.", example="embed")
    done = Whole("Units of this phase done.")
    total = Whole("Units of this phase in all; 0 while unknown.")


class OperationSchema(Answer):
    """A job that outlives its request. Its state says how the job went, not the status."""

    id = identifier("Its id.", example="op_01JD3V7Q6S0000000000000000")
    kind = Name("What it does.", *KINDS)
    session_id = identifier("The session it works for.")
    state = Name("Where it is.", *STATES)
    done = Flag("Whether it has ended, one way or another.")
    progress = Nested(ProgressSchema)
    attempt = Whole("How often it was started; more than 1 after a crash.")
    created_at = Time("When it was asked for.")
    started_at = Time("When it first ran.", allow_none=True)
    finished_at = Time("When it ended.", allow_none=True)
    input = Object("What it was asked to do.")
    result = Object("What came of it, by kind.", allow_none=True)
    error = Object("Why it failed: code, detail and more.", allow_none=True)
    cancel_requested = Flag("Whether it was asked to stop at its next step.")


class OperationQuery(PageQuery):
    """Which operations to list."""

    session_id = identifier("Only this session's.")
    kind = Name("Only of this kind.", *KINDS)
    state = Name("Only in this state.", *STATES)


class WaitQuery(Query):
    """How long to wait for an operation."""

    wait = Real("Seconds to wait for the end (long poll).", least=0, most=30, load_default=0.0)


OperationPageSchema = page_of(OperationSchema)
