"""Whether a command that a page names can be typed: nothing in it is made up."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import yaml

from runtime.cli import tailwise
from tests.docs.pages import BIN, DOCS, ROOT


def check_command(command: list[str]) -> None:
    """An assertion fails where a command, option, target, service, extra or path is made up."""
    name, *rest = command
    known = CHECKS.get(Path(name).name)
    assert known is not None, f"nobody knows how to check {name}"
    known(rest)


def check_tailwise(arguments: list[str]) -> None:
    command: click.Command = tailwise
    for word in arguments:
        if isinstance(command, click.Group) and not word.startswith("-"):
            assert word in command.commands, word
            command = command.commands[word]
        elif word.startswith("--"):
            options = {name for parameter in command.params for name in parameter.opts}
            assert word.partition("=")[0] in options | {"--help"}, (command.name, word)


def check_client(arguments: list[str]) -> None:
    done = subprocess.run(
        [BIN / "tailwise-client", *arguments[:2], "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {w for w in arguments if w.startswith("--")} <= set(re.findall(r"--[\w-]+", done.stdout))


def check_make(arguments: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert arguments
    assert set(arguments) <= targets


def check_pip(arguments: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for word in arguments:
        if word.startswith("./"):
            assert (ROOT / word / "pyproject.toml").exists()
        elif word.startswith("tailwise["):
            extras = set(word[len("tailwise[") : -1].split(","))
            assert extras <= set(project["optional-dependencies"])


def check_docker(arguments: list[str]) -> None:
    if arguments[0] != "compose":
        assert (ROOT / "Dockerfile").exists()
        return
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    if "exec" in arguments:
        service, *command = arguments[arguments.index("exec") + 1 :]
        assert service in services
        check_command(command)
    else:
        after = arguments[arguments.index("up") + 1 :]
        assert {word for word in after if not word.startswith("-")} <= set(services)


def check_python(arguments: list[str]) -> None:
    if arguments[:2] == ["-m", "pytest"]:
        check_paths(arguments[2:])


def check_paths(arguments: list[str]) -> None:
    assert [w for w in arguments if "/" in w and not (ROOT / w).exists()] == []


def check_generator(arguments: list[str]) -> None:
    read = [arguments[arguments.index(option) + 1] for option in ("--path", "--config")]
    check_paths(["./" + path for path in read])


def check_variables(arguments: list[str]) -> None:
    page = (DOCS / "configuration.md").read_text()
    of_clients = {"TAILWISE_URL", "TAILWISE_API_KEY"}
    names = {word.partition("=")[0] for word in arguments}
    assert [n for n in names - of_clients if n.startswith("TAILWISE_") and n not in page] == []


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "tailwise": check_tailwise,
    "tailwise-client": check_client,
    "openapi-python-client": check_generator,
    "make": check_make,
    "pip": check_pip,
    "docker": check_docker,
    "sh": check_paths,
    "pytest": check_paths,
    "python": check_python,
    "python3.11": check_python,
    "export": check_variables,
    "hf": check_paths,
}
