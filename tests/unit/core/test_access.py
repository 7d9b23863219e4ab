from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.access import ROLES, SCOPES, allows, key_caller, key_matches, mint_key, split_token
from core.errors import InvalidInput

NOW = datetime(2026, 1, 1, tzinfo=UTC)

PREFIXES = ("xx_01ABC", "tw_../x", "tw_é", "tw_", "tw_01ABC_0")


class Ids:
    def new(self, prefix):
        return f"{prefix}_01ABC"


def mint(*scopes, random_bytes=lambda size: bytes(range(size))):
    return mint_key(
        tenant_id="ten_1",
        name="ci",
        scopes=scopes,
        session_id=None,
        ids=Ids(),
        now=NOW,
        random_bytes=random_bytes,
    )


def test_a_token_names_its_key_and_carries_256_bits():
    minted = mint("predict")
    assert minted.token == "tw_01ABC_" + bytes(range(32)).hex()
    assert split_token(minted.token) == (minted.key.id, bytes(range(32)).hex())


def test_only_a_hash_of_the_secret_is_kept():
    minted = mint("predict")
    _, secret = split_token(minted.token)
    assert secret not in repr(minted)
    assert key_matches(minted.key, secret)


@pytest.mark.parametrize("wrong", ["", "0" * 64, bytes(range(32)).hex().upper(), "\ud800" * 64])
def test_another_secret_does_not_match(wrong):
    assert not key_matches(mint("predict").key, wrong)


def test_a_revoked_key_matches_nothing():
    key = replace(mint("predict").key, revoked_at=NOW)
    assert not key_matches(key, bytes(range(32)).hex())


@pytest.mark.parametrize(
    "token",
    ["", "tw", "tw_", "tw__", "tw_01ABC", "tw_01ABC_00", *(f"{p}_{'0' * 64}" for p in PREFIXES)],
)
def test_anything_else_is_not_a_token(token):
    assert split_token(token) is None


def test_an_unknown_scope_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput) as refusal:
        mint("everything")
    assert refusal.value.code == "unknown-scope"
    assert refusal.value.extras["allowed"] == sorted(SCOPES)


def granted(*scopes):
    caller = key_caller(mint(*scopes).key)
    return {scope for scope in SCOPES if allows(caller, scope)}


def test_admin_allows_everything():
    assert granted("admin") == SCOPES


@pytest.mark.parametrize("scope", sorted(SCOPES - {"admin", "annotate", "labels:write"}))
def test_a_scope_allows_itself_and_reading(scope):
    assert granted(scope) == {scope, "read"}


def test_who_may_write_labels_may_annotate():
    assert granted("labels:write") == {"labels:write", "annotate", "read"}


def test_annotating_allows_no_reading():
    assert granted("annotate") == {"annotate"}


def test_only_an_admin_has_the_scopes_a_lead_lacks():
    assert granted(*ROLES["lead"]) == SCOPES - {"admin", "oracle", "webhooks:write"}
    assert granted(*ROLES["admin"]) == SCOPES


def test_a_reviewer_reads_but_changes_no_session():
    assert granted(*ROLES["reviewer"]) == {"annotate", "review", "content:read", "read"}


def test_an_annotator_only_annotates():
    assert granted(*ROLES["annotator"]) == {"annotate"}
