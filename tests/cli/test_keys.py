"""Keys from the shell: shown once, listed without their secrets, gone at once."""

from __future__ import annotations

import re

from ..cases import each


def test_a_key_is_shown_once_and_listed_without_its_secret(at_server, taskengine):
    made = taskengine("keys", "create", "ci", "--scope", "submit", "--expires", "90d", "--rate", "60")
    key = made.out.strip()
    assert re.fullmatch(r"te_[0-9a-f]{12}_[\w-]{43}", key)
    assert "shown only now" in made.err
    (listed,) = taskengine("-o", "json", "keys", "list").json
    assert (listed["name"], listed["scope"], listed["rate"], listed["used_at"]) == ("ci", "submit", 60, None)
    assert listed["id"] == key.split("_")[1]
    shown = taskengine("keys", "list").out
    assert listed["id"] in shown
    assert key.split("_", 2)[2] not in shown


def test_a_program_gets_the_key_as_json(at_server, taskengine):
    made = taskengine("-o", "json", "keys", "create", "bot").json
    assert (made["name"], made["scope"], made["expires_at"]) == ("bot", "read", None)
    assert made["key"].startswith("te_")


def test_a_revoked_key_is_gone_and_revoking_it_again_says_so(at_server, taskengine):
    key = taskengine("keys", "create", "ci").out.strip()
    assert taskengine("keys", "revoke", key.split("_")[1]).code == 0
    assert "there are no keys" in taskengine("keys", "list").out
    again = taskengine("keys", "revoke", key)
    assert again.code == 1
    assert "there is no key" in again.err
    assert key.split("_", 2)[2] not in again.err


@each("words", [["--scope", "all"], ["--rate", "-1"], ["--expires", "soon"]])
def test_a_wrong_option_makes_no_key(at_server, taskengine, words):
    assert taskengine("keys", "create", "ci", *words).code in (1, 2)
    assert taskengine("-o", "json", "keys", "list").json == []
