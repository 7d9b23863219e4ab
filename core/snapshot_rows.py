"""The training set of a snapshot, with its vectors and texts fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.arrays import PoolArrays
from core.embedding import embed
from core.fitting import Workbench
from core.judging import texts_at
from core.ports import Store, TextLearner
from core.records import Generation, Labelled, Options, Session
from core.trainable import classes_to_train
from core.training import TrainingSet, training_set


def snapshot_rows(
    session: Session,
    snapshot: Options,
    labelled: Sequence[Labelled],
    rows: Mapping[str, Generation],
    *,
    arrays: PoolArrays,
    bench: Workbench,
    store: Store,
) -> TrainingSet:
    """Labelled rows with their stored vectors and the generated ``rows`` by id, with their texts
    where the learner reads texts."""
    generated = [rows[row_id] for row_id in sorted(rows)]
    positions = np.array([row.position for row in labelled], dtype=np.int64)
    written = embed(
        [row.text for row in generated],
        tenant_id=session.tenant_id,
        encoder=bench.encoder,
        store=store,
    )
    texts = None
    if isinstance(bench.learner, TextLearner):
        with store.read() as tx:
            texts = texts_at(tx, session, positions)
    return training_set(
        labelled,
        arrays.vectors(positions),
        generated,
        written,
        classes=classes_to_train(session, labelled, min_per_class=snapshot["min_per_class"]),
        settings=replace(session.settings, generated_weight=snapshot["generated_weight"]),
        multi_label=session.task.multi_label,
        human_texts=texts,
    )
