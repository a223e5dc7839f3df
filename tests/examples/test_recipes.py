"""The recipes of ``examples/`` do what they say."""

from __future__ import annotations

import json
import sys
import threading
import tomllib
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from celery import Celery

from taskengine import BlockingTaskAPI, Task
from taskengine.agent import REGISTRY
from taskengine.settings import current
from taskengine.testing import Engine

ROOT = Path(__file__).resolve().parents[2]


def load(name):
    """A module of the examples, forgotten by nobody's path."""
    spec = spec_from_file_location(f"recipe_{name}", ROOT / "examples" / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model(monkeypatch):
    """A server that speaks like a model and is busy at first; what it was asked."""
    asked = []

    class Model(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers["Authorization"], body))
            self.send_response(200 if len(asked) > 1 else 429)
            self.send_header("Retry-After", "7")
            self.end_headers()
            said = body["messages"][0]["content"].upper()
            self.wfile.write(json.dumps({"choices": [{"message": {"content": said}}]}).encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("MODEL_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("MODEL_KEY", "key")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_behind_an_agent_answers_and_may_be_busy(model):
    recipe = load("model_agent")
    with Engine([REGISTRY.of(recipe.chat)]) as engine:
        (task,) = engine.submit(Task(capability="chat", input={"prompt": "hello"}, max_retries=0))
        engine.run_until_idle()
        assert engine.task(task).status != "failed"
        assert len(model) == 1
        engine.clock.advance(7)
        engine.run_until_done(task)
        assert engine.task(task).result == {"text": "HELLO"}
    assert model[1][:2] == ("/v1/chat/completions", "Bearer key")


@pytest.fixture
def shared(valkey, monkeypatch):
    """One server for an application of the user's own and for us."""
    monkeypatch.setenv("TASKENGINE_REDIS_URL", valkey.url)
    current.cache_clear()
    yield valkey
    current.cache_clear()


@pytest.fixture
def night(monkeypatch):
    """Set what the recipe takes for now."""
    recipe = load("nightly_beat")

    def at(now):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):  # noqa: ARG003  # as the real one has it
                return now

        monkeypatch.setattr(recipe, "datetime", Clock)
        return recipe.nightly()

    return at


def test_a_night_is_submitted_once_however_often_its_message_comes(shared, night):
    two = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    first = night(two)
    assert {night(two + timedelta(minutes=late)) for late in (0, 1, 59)} == {first}
    assert night(two - timedelta(seconds=1)) != first
    assert night(two + timedelta(days=1)) != first
    with BlockingTaskAPI() as api:
        assert api.get_queue_statistics()["total_tasks"] == 6


def test_an_application_of_the_users_own_on_the_same_server_touches_nothing_of_ours(shared):
    mine = Celery("mine", broker=shared.url)
    mine.conf.task_queues = None
    with BlockingTaskAPI() as api:
        task = api.create_task(Task(capability="lint"))
        ours = {key: shared.client.dump(key) for key in shared.client.scan_iter()}
        mine.send_task("theirs.work", args=[1])
        theirs = set(shared.client.scan_iter()) - ours.keys()
        assert b"celery" in theirs
        assert all(key.startswith(b"te:") for key in ours)
        assert not any(key.startswith(b"te:") for key in theirs)
        with mine.connection_for_write() as connection:
            assert mine.control.purge(connection=connection) == 1
        assert {key: shared.client.dump(key) for key in ours} == ours
        assert api.get_task(task.id).status == "ready"
    mine.close()


def test_the_package_says_its_license_and_invents_no_address():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "MIT"
    (file,) = project["license-files"]
    assert (ROOT / file).read_text().startswith("MIT License\n")
    assert not any(one.startswith("License ::") for one in project["classifiers"])
    assert "urls" not in project
