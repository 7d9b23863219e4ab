"""Retrain, predict, and take models away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tailwise_client.asking import as_document, evenly
from tailwise_client.binding import listing, verb
from tailwise_client.records.models import Model, Moderation, PredictResult
from tailwise_client.records.operations import Operation
from tailwise_client.sending import Call
from tailwise_client.steps import Flow, Stream
from tailwise_client.verbs.within import Within, if_match


class ModelVerbs(Within):
    """Models of a session."""

    @verb
    def retrain(
        self,
        *,
        include_generated: bool | None = None,
        generated_weight: float | None = None,
        activate: str | None = None,
        min_per_class: int | None = None,
        seed: int | None = None,
        force: bool | None = None,
        join: bool = False,
        key: str | None = None,
    ) -> Flow[Operation]:
        """Start training on all labels so far; ``join`` returns the training that is running.

        Raises InsufficientClasses, NothingNew, OperationInProgress.
        """
        document = as_document(
            {
                "include_generated": include_generated,
                "generated_weight": generated_weight,
                "activate": activate,
                "min_per_class": min_per_class,
                "seed": seed,
                "force": force,
            }
        )
        call = Call(
            method="POST",
            path=f"{self.path}/retrain",
            params={"if_running": "join"} if join else {},
            document=document,
            keyed=True,
            key=key,
        )
        return self._call(Operation, call)

    @listing
    def models(self, *, limit: int = 50) -> Stream[Model]:
        """Models, oldest first."""
        return self._pages(Model, f"{self.path}/models", limit=limit)

    @verb
    def model(self, model_id: str) -> Flow[Model]:
        """Read a model's card."""
        return self._get(Model, f"{self.path}/models/{model_id}")

    @verb
    def activate_model(self, model_id: str, *, revision: int | None = None) -> Flow[Operation]:
        """Start using it, also an older one."""
        call = Call(
            method="POST",
            path=f"{self.path}/models/{model_id}/activate",
            headers=if_match(revision),
            keyed=True,
        )
        return self._call(Operation, call)

    @verb
    def delete_model(self, model_id: str, *, revision: int | None = None) -> Flow[None]:
        """Delete its files; the active one is refused."""
        path = f"{self.path}/models/{model_id}"
        yield from self._sender.send(Call(method="DELETE", path=path, headers=if_match(revision)))

    @verb
    def download_model(self, model_id: str, *, to: str | Path) -> Flow[Path]:
        """Save the zip that runs without Tailwise: ONNX, card, example."""
        return self._download(f"{self.path}/models/{model_id}/download", to)

    @verb
    def download_onnx(self, model_id: str, *, to: str | Path) -> Flow[Path]:
        """Save the ONNX file of the head alone."""
        return self._download(f"{self.path}/models/{model_id}/onnx", to)

    @verb
    def predict(
        self, texts: Iterable[str | Mapping[str, Any]], *, model: str = "active"
    ) -> Flow[PredictResult]:
        """Labels and probabilities of texts, or of ``{"id": …, "text": …}``; nothing is stored.

        More texts than a request may have go in several; ``model`` then stays the first one's.
        """
        limits = yield from self._limits()
        inputs = [{"text": text} if isinstance(text, str) else dict(text) for text in texts]
        if not inputs:
            raise ValueError("there is no text to predict")
        answers: list[PredictResult] = []
        for part in evenly(inputs, most=limits.max_predict):
            document = {"inputs": list(part), "model": answers[0].model_id if answers else model}
            path = f"{self.path}/predict"
            call = Call(method="POST", path=path, document=document, repeatable=True)
            answers.append((yield from self._call(PredictResult, call)))
        together = tuple(found for answer in answers for found in answer.results)
        return replace(answers[0], results=together)

    @verb
    def moderate(self, texts: Iterable[str], *, model: str = "active") -> Flow[Moderation]:
        """Judge texts in the shape of OpenAI's moderation answer; nothing is stored.

        More texts than a request may have go in several, all to the model of the first.
        """
        limits = yield from self._limits()
        given = [texts] if isinstance(texts, str) else list(texts)
        if not given:
            raise ValueError("there is no text to moderate")
        answers: list[Moderation] = []
        for part in evenly(given, most=limits.max_predict):
            document = {"input": list(part), "model": answers[0].model if answers else model}
            path = f"{self.path}/moderations"
            call = Call(method="POST", path=path, document=document, repeatable=True)
            answers.append((yield from self._call(Moderation, call)))
        together = tuple(found for answer in answers for found in answer.results)
        return replace(answers[0], results=together)
