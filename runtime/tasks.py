"""What a worker runs for each kind of operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from core.ports import Job
from core.records import Operation, OperationKind, Options
from runtime.tailwise import Tailwise

Task = Callable[[Tailwise, Operation, Job], Options]

TASKS: Mapping[OperationKind, Task] = MappingProxyType(
    {
        "import": Tailwise.run_import,
        "index": Tailwise.run_index,
        "generate": Tailwise.run_generate,
        "retrain": Tailwise.run_retrain,
        "activate": Tailwise.run_activate,
        "export": Tailwise.run_export,
        "delete": Tailwise.run_delete,
    }
)
