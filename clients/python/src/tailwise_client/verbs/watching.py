"""Figures, pictures, events and exports of a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tailwise_client.binding import listing, verb
from tailwise_client.records.models import Event
from tailwise_client.records.operations import Operation
from tailwise_client.sending import Call
from tailwise_client.steps import Emit, Flow, Stream, pause
from tailwise_client.verbs.operations import OnProgress
from tailwise_client.verbs.within import Within


class WatchingVerbs(Within):
    """How a session is doing."""

    @verb
    def metrics(self) -> Flow[Mapping[str, Any]]:
        """Counts, balance, evenness, coverage, cost and warnings."""
        return self._get(dict, f"{self.path}/metrics")

    @verb
    def learning_curve(self) -> Flow[Mapping[str, Any]]:
        """Quality against labels bought, by model."""
        return self._get(dict, f"{self.path}/metrics/learning-curve")

    @verb
    def model_figures(self) -> Flow[Mapping[str, Any]]:
        """Models with intervals, confusions and calibration."""
        return self._get(dict, f"{self.path}/metrics/models")

    @verb
    def cost(self) -> Flow[Mapping[str, Any]]:
        """Dollars and minutes by round, and the price of a point of F1."""
        return self._get(dict, f"{self.path}/metrics/cost")

    @verb
    def clusters(self, *, batch_id: str | None = None) -> Flow[Mapping[str, Any]]:
        """Each cluster's size, labels and uncertainty; with a map of that batch's picks."""
        return self._get(dict, f"{self.path}/metrics/clusters", batch_id=batch_id)

    @verb
    def quality(self) -> Flow[Mapping[str, Any]]:
        """Agreement, check items, skips, flags and throughput; for leads."""
        return self._get(dict, f"{self.path}/quality")

    @verb
    def plot(self, name: str, *, format: str = "svg", to: str | Path | None = None) -> Flow[bytes]:
        """A picture (balance, curve, clusters, …) as bytes, and in a file where ``to`` is given."""
        path = f"{self.path}/plots/{name}.{format}"
        reply = yield from self._sender.send(
            Call(method="GET", path=path, headers={"Accept": "image/*, */*"}, repeatable=True)
        )
        if to is not None:
            Path(to).write_bytes(reply.content)
        return reply.content

    @listing
    def events(
        self,
        *,
        after: int = 0,
        types: Sequence[str] = (),
        follow: bool = False,
        every_s: float = 2.0,
        limit: int = 500,
    ) -> Stream[Event]:
        """Events after a sequence number, in order; ``follow`` goes on asking for new ones.

        Keep the last event's ``sequence`` and pass it as ``after`` to go on later.
        """
        while True:
            params = {"after": after, "types": list(types), "limit": limit}
            page = yield from self._get(dict, f"{self.path}/events", **params)
            for row in page["data"]:
                yield Emit(self._read(Event, row))
            after = page["next_after"]
            if page.get("has_more"):
                continue
            if not follow:
                return
            yield from pause(every_s)

    @verb
    def start_export(
        self, what: str = "labels", *, format: str = "jsonl", include_text: bool | None = None
    ) -> Flow[Operation]:
        """Start writing a file of labels or training data."""
        document = {"what": what, "format": format, "include_text": include_text}
        return self._post(Operation, f"{self.path}/exports", document)

    @verb
    def download_export(self, export_id: str, *, to: str | Path) -> Flow[Path]:
        """Save the file of a finished export."""
        return self._download(f"{self.path}/exports/{export_id}/content", to)

    @verb
    def export(
        self,
        what: str = "labels",
        *,
        to: str | Path,
        format: str = "jsonl",
        include_text: bool | None = None,
        timeout: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Flow[Path]:
        """Export, wait and save."""
        started = yield from self.start_export(what, format=format, include_text=include_text)
        yield from self.wait(started, timeout=timeout, on_progress=on_progress)
        return (yield from self.download_export(started.id, to=to))
