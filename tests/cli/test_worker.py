"""``taskengine worker`` for agents by name, as real processes."""

from __future__ import annotations


def test_a_worker_serves_agents_by_name_from_the_command_line(shell):
    done = shell.run("agents", "register", "greeter", "function", "greet", "--executor", "my_agents:echo")
    assert done.code == 0, done.err
    stack = shell.start("up", "--import", "my_agents", "--no-flower", "-c", "1")
    stack.await_word("ready")
    unknown = shell.run("worker", "--agent", "nobody", "--import", "my_agents")
    assert unknown.code != 0
    assert "no agent 'nobody' is registered (registered are ast_analysis, echo," in unknown.err
    worker = shell.start("worker", "--agent", "greeter", "-c", "3", "--import", "my_agents", "--name", "by_name")
    worker.await_word("ready")
    [row] = [row for row in shell.run("agents", "list", "-o", "json").json if row["id"] == "greeter"]
    assert (row["status"], row["slots"]) == ("online", 3)
    done = shell.run("task", "submit", "-C", "greet", "--input", '{"n": 1}', "--wait", "-o", "json")
    assert done.json["result"] == {"n": 1}
    [node] = [each for each in shell.run("workers", "-o", "json").json if each["agents"] == ["greeter"]]
    assert (node["info"]["pool"], node["capabilities"]) == ("threads", ["greet"])
    stack.interrupt()
    assert stack.end() == 0
