from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.texts import normalise, text_hash


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Two\t words \n", "two words"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ﬁne", "fine"),
        ("Ａ\u3000b", "a b"),
        ("e\u0301", "é"),
        ("", ""),
        (" \u2003 ", ""),
    ],
)
def test_texts_that_read_alike_have_one_normal_form(text, normal):
    assert normalise(text) == normal


@given(text=st.text())
def test_the_normal_form_is_its_own(text):
    assert normalise(normalise(text)) == normalise(text)


@given(text=st.text(st.characters(max_codepoint=127)))
def test_the_quick_way_for_ascii_agrees_with_the_long_one(text):
    assert normalise(text) == normalise(text + "é").removesuffix("é").rstrip()


def test_the_hash_is_the_sha256_of_the_normal_form():
    assert text_hash(" Hello ") == hashlib.sha256(b"hello").hexdigest()


def test_a_lone_surrogate_is_hashed():
    assert len(text_hash("\ud800")) == 64
