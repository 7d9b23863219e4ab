import shlex
from pathlib import Path

from runtime.inviting import invitation_command
from runtime.settings import Settings


def test_for_the_usual_server_the_command_is_short():
    command = invitation_command(Settings(), url="http://127.0.0.1:8080")
    assert command == "tailwise invite you --role lead"


def test_for_another_place_the_command_names_it():
    settings = Settings(data_dir=Path("/srv/my data"))
    command = invitation_command(settings, url="http://127.0.0.1:8081")
    assert shlex.split(command)[5:] == [
        "--data-dir",
        "/srv/my data",
        "--url",
        "http://127.0.0.1:8081",
    ]
