"""The command ``tailwise-client``: the Label Studio bridge from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from tailwise_client.client import Tailwise
from tailwise_client.errors import TailwiseError
from tailwise_client.label_studio.bridge import create_project, pull, push
from tailwise_client.label_studio.hints import Hints, listening
from tailwise_client.label_studio.studio import LabelStudio
from tailwise_client.session import SessionClient

DESCRIPTION = """\
Addresses and keys come from TAILWISE_URL, TAILWISE_API_KEY, LABEL_STUDIO_URL and
LABEL_STUDIO_API_KEY, never from arguments, which other users of the machine can see."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, 1 for what a service refused, 2 for wrong arguments."""
    asked = _parser().parse_args(arguments)
    try:
        with Tailwise() as tailwise, LabelStudio() as studio:
            _run(asked, tailwise.session(asked.session), studio)
    except TailwiseError as error:
        print(f"tailwise-client: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tailwise-client", description=DESCRIPTION)
    bridges = parser.add_subparsers(required=True, metavar="label-studio")
    bridge = bridges.add_parser("label-studio", help="send batches to Label Studio and back")
    verbs = bridge.add_subparsers(dest="verb", required=True)
    for name, words in (
        ("create", "make a project for the session"),
        ("push", "make tasks of the open batch"),
        ("pull", "store annotations as labels"),
        ("sync", "push and pull again and again"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("--session", required=True, help="id of the session")
        if name == "create":
            verb.add_argument("--title", default="", help="of the project")
            continue
        verb.add_argument("--project", required=True, type=int, help="number of the project")
        if name == "push":
            verb.add_argument("--batch", help="another batch than the open one")
        else:
            verb.add_argument("--by-annotator", action="store_true", help="needs the scope oracle")
        if name == "sync":
            verb.add_argument("--every", type=float, default=30.0, help="seconds between looks")
            verb.add_argument("--listen", metavar="HOST:PORT", help="take webhooks as hints")
            verb.add_argument("--turns", type=int, help="stop after so many")
    return parser


def _run(asked: argparse.Namespace, session: SessionClient, studio: LabelStudio) -> None:
    if asked.verb == "create":
        print(create_project(session, studio, title=asked.title).id)
    elif asked.verb == "push":
        _push(session, studio, project=asked.project, batch=asked.batch)
    elif asked.verb == "pull":
        _pull(session, studio, project=asked.project, by_annotator=asked.by_annotator)
    else:
        _sync(asked, session, studio)


def _sync(asked: argparse.Namespace, session: SessionClient, studio: LabelStudio) -> None:
    hints = Hints(every_s=asked.every)
    listener: AbstractContextManager[object] = nullcontext()
    if asked.listen:
        host, _, port = asked.listen.rpartition(":")
        listener = listening(host or "127.0.0.1", int(port), hints)
    turn = 0
    with listener:
        while True:
            _push(session, studio, project=asked.project, batch=None)
            _pull(session, studio, project=asked.project, by_annotator=asked.by_annotator)
            turn += 1
            if turn == asked.turns:
                return
            hints.wait()


def _push(session: SessionClient, studio: LabelStudio, *, project: int, batch: str | None) -> None:
    done = push(session, studio, project_id=project, batch_id=batch)
    print(f"pushed {done.batch_id or 'nothing'}: {done.created} new, {done.present} there")


def _pull(session: SessionClient, studio: LabelStudio, *, project: int, by_annotator: bool) -> None:
    done = pull(session, studio, project_id=project, by_annotator=by_annotator)
    reasons = "".join(f", {item} {code}" for item, code in sorted(done.refused.items()))
    print(
        f"pulled {done.stored} new, {done.known} known, {done.unreadable} unreadable, "
        f"{len(done.refused)} refused{reasons}"
    )
