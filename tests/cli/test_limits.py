"""``taskengine agents limits …`` against a server of its own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _server(at_server):
    """All of these need one."""


def test_set_list_remove(taskengine):
    done = taskengine("agents", "limits", "set", "key", "--in-flight", "5", "--tokens-per-day", "1000")
    assert done.code == 0, done.err
    assert done.out == (
        "key: in flight 5, tokens per day 1000; no agent shares it yet: taskengine agents update ID --limit key\n"
    )
    [row] = taskengine("agents", "limits", "list", "-o", "json").json
    assert (row["name"], row["bounds"]["in_flight"], row["in_flight"], row["closed"]) == ("key", 5, 0, None)
    shown = taskengine("agents", "limits", "list").out
    assert "0 of 5" in shown
    assert "open" in shown
    assert taskengine("agents", "register", "bot", "function", "lint", "--limit", "key").code == 0
    refused = taskengine("agents", "limits", "remove", "key")
    assert refused.code == 1
    assert "shared by 1 agents, such as 'bot'" in refused.err
    assert taskengine("agents", "remove", "bot").code == 0
    assert taskengine("agents", "limits", "remove", "key").out == "key is no limit any more\n"
    assert taskengine("agents", "limits", "list").out.startswith("there is no limit; set one:")


def test_a_limit_that_bounds_nothing_is_refused_in_a_sentence(taskengine):
    refused = taskengine("agents", "limits", "set", "key")
    assert refused.code != 0
    assert "bounds nothing; give one or more of in_flight" in refused.err
    assert "Traceback" not in refused.err


def test_an_agent_that_names_no_limit_that_there_is_says_how_to_set_it(taskengine):
    refused = taskengine("agents", "register", "bot", "function", "lint", "--limit", "kye")
    assert refused.code != 0
    assert "taskengine agents limits set kye --in-flight N" in refused.err
