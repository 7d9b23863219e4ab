"""Secrets at rest, and tokens that cannot be made up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.webhooks.sealing import SealedSecrets, SignedTickets
from core.errors import InvalidInput, NotVerified, Unavailable
from core.webhooks import Secret, Ticket

UNTIL = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRETS = [Secret(text="whsec_new"), Secret(text="whsec_old", until=UNTIL)]
TICKET = Ticket(endpoint_id="whe_1", session_id="ses_1", batch_id="bat_1", expires_at=UNTIL)


def test_sealed_secrets_come_back_and_cannot_be_read_on_the_way():
    sealed = SealedSecrets("s" * 40).seal(SECRETS)
    assert "whsec" not in sealed
    assert SealedSecrets("s" * 40).open(sealed) == SECRETS


def test_another_servers_secret_does_not_open_them():
    sealed = SealedSecrets("s" * 40).seal(SECRETS)
    with pytest.raises(Unavailable) as refused:
        SealedSecrets("t" * 40).open(sealed)
    assert refused.value.code == "secrets-sealed"


def test_a_server_without_a_secret_says_which_setting_is_missing():
    with pytest.raises(InvalidInput, match="TAILWISE_CURSOR_SECRET"):
        SealedSecrets("").seal(SECRETS)


def test_a_secret_is_not_in_its_own_repr():
    assert "whsec" not in repr(SECRETS)


def test_a_token_tells_its_ticket():
    token = SignedTickets("s" * 40).write(TICKET)
    assert token.startswith("cb_")
    assert SignedTickets("s" * 40).read(token) == TICKET


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.removeprefix("cb_"),
        lambda token: "cb_" + token[4:],
        lambda token: "cb_",
        lambda token: "cb_" + "a" * 500,
        lambda token: token.partition(".")[0],
        lambda token: SignedTickets("t" * 40).write(TICKET),
    ],
)
def test_a_changed_token_is_refused(change):
    tickets = SignedTickets("s" * 40)
    with pytest.raises(NotVerified) as refused:
        tickets.read(change(tickets.write(TICKET)))
    assert refused.value.code == "callback-refused"
