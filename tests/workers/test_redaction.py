"""What looks like a secret never leaves a worker, ordinary words do, and no line takes long."""

from __future__ import annotations

import logging
import sys
import time

from taskengine import NotNow, Task, agent
from taskengine.models import Outcome
from taskengine.testing import Engine
from workers.events import brief
from workers.redaction import MASK, cleaned, redacted

from ..cases import each

_X = "hunter2-S3cr3t"
_JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"

SECRETS = {
    "DB_PASSWORD={}": "DB_PASSWORD=***",
    "export PGPASSWORD={} && psql": "export PGPASSWORD=*** && psql",
    "password: {}": "password: ***",
    "access_token={}": "access_token=***",
    "AWS_SECRET_ACCESS_KEY={}": "AWS_SECRET_ACCESS_KEY=***",
    "aws_secret_access_key = {}": "aws_secret_access_key = ***",
    'got {{"password": "{}", "user": "bob"}}': 'got {"password": ***, "user": "bob"}',
    "got {{'clientSecret': '{}', 'user': 'bob'}}": "got {'clientSecret': ***, 'user': 'bob'}",
    '{{"body": "{{\\"api_key\\": \\"{}\\", \\"n\\": 1}}"}}': '{"body": "{\\"api_key\\": ***, \\"n\\": 1}"}',
    'password="two words {}" host=h': "password=*** host=h",
    'password="a \\" quote {}" host=h': "password=*** host=h",
    "connect(host='h', password='{}', port=5432)": "connect(host='h', password=***, port=5432)",
    "get(url, auth=('bob', '{}'), timeout=3)": "get(url, auth=***, timeout=3)",
    'os.environ["GITHUB_TOKEN"] = "{}"': 'os.environ["GITHUB_TOKEN"] = ***',
    "Authorization: Bearer {}": "Authorization: ***",
    "> Proxy-Authorization: Basic {}": "> Proxy-Authorization: ***",
    "curl -H 'Authorization: token {}' https://api.example.com": (
        "curl -H 'Authorization: ***' https://api.example.com"
    ),
    "headers={{'Authorization': 'Bearer {}', 'Host': 'h'}}": "headers={'Authorization': ***, 'Host': 'h'}",
    "authorization=Bearer {} host=h": "authorization=*** host=h",
    "Set-Cookie: session={}; HttpOnly": "Set-Cookie: ***",
    "X-Api-Key: {}": "X-Api-Key: ***",
    "redis://user:{}@h:6379/0 refused": "redis://user:***@h:6379/0 refused",
    "redis://:{}@h": "redis://:***@h",
    "postgresql://u:p/w@{}@db/x": "postgresql://u:***@db/x",
    "GET https://h/x?page=2&access_token={}&size=3 401": "GET https://h/x?page=2&access_token=***&size=3 401",
    "https://blob/x?sv=2020&sig={}&se=1": "https://blob/x?sv=2020&sig=***&se=1",
    "redirect_uri=x%26client_secret%3D{}": "redirect_uri=x%26client_secret%3D***",
    "mysql --password {} --host h": "mysql --password *** --host h",
    "mysql --password={} --host h": "mysql --password=*** --host h",
    "Command '['mysql', '--password', '{}', '-h']' failed": "Command '['mysql', '--password', '***', '-h']' failed",
    "curl -u bob:{} https://h": "curl -u bob:*** https://h",
    "Server=db;UID=sa;PWD={};": "Server=db;UID=sa;PWD=***;",
    "DefaultEndpointsProtocol=https;AccountKey={}": "DefaultEndpointsProtocol=https;AccountKey=***",
    "<server><password>{}</password></server>": "<server><password>***</password></server>",
    "//registry/:_authToken={}": "//registry/:_authToken=***",
    "ValueError: bad credentials: {}": "ValueError: bad credentials: ***",
    "password_hash={} and TOKEN_2={}": "password_hash=*** and TOKEN_2=***",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----": "-----BEGIN RSA PRIVATE KEY-----***",
}

SHAPES = {
    "pushed with ghp_16C7e42F292c6912E7710c838347Ae178B4a": "pushed with ***",
    "key AKIAIOSFODNN7EXAMPLE is disabled": "key *** is disabled",
    "Incorrect API key provided: sk-proj-abc123def456ghi789": "Incorrect API key provided: ***",
    f"claims of {_JWT}": "claims of ***",
    "slack said no to xoxb-123456789012-abcdefGHIJ": "slack said no to ***",
    "https://ghp_16C7e42F292c6912E7710c838347Ae178B4a@github.com/x.git": "https://***@github.com/x.git",
    "sent Bearer abcdefghijklmnop0123456789": "sent Bearer ***",
}

PLAIN = (
    "lint: 3 warnings in app.py:12",
    "token expired, logging in again",
    "input_tokens=1200 output_tokens: 300 max_tokens=4096 token_count=7",
    "Bearer of good news, basic authentication is off",
    "PASS: 12, FAIL: 0, pass=12",
    "password=None, has_token: true, api_key=''",
    "KeyError: 'password'",
    "PWD=/home/bob/app OLDPWD=/",
    "cache_key=abc primary_key: 7 idempotency_key=order-17 public_key=x key=value",
    "GET http://localhost:8000/@bob?page=2&q=a:b@c 200",
    "cloning ssh://git@github.com/x.git and https://[::1]:80/@x",
    "--password-stdin --token-file /run/secrets/token",
    "std::token::kind is not a type",
    "2026-11-29T08:15:28+00:00 task-1 took 0:03:12",
    "docker run -u 1000:1000 image",
    "author: Bob, secretary: Ann, compass=north, bypass=yes",
    "sk-learn-is-not-a-token and task-sk-0001",
    "sha256:0f343b0931126a20f133d67c2b018a3b0f343b0931126a20f133d67c2b018a3b",
)


@each(("line", "shown"), SECRETS.items())
def test_a_secret_is_masked_and_the_rest_of_its_line_stays(line, shown):
    said = line.format(*[_X] * line.count("{}"))
    assert redacted(said) == shown
    assert redacted(shown) == shown


@each(("line", "shown"), SHAPES.items())
def test_a_token_is_known_by_its_shape(line, shown):
    assert redacted(line) == shown


@each("line", PLAIN)
def test_what_is_no_secret_stays(line):
    assert redacted(line) == line


def test_metadata_is_masked_by_name_at_any_depth_and_by_what_its_texts_show():
    said = {
        "headers": {"Authorization": ["Bearer", _X]}, "argv": ["mysql", "--password", _X, "-v"], "password": None,
        "login": {"api_key": 17, "user": "bob"}, "url": f"redis://u:{_X}@h", "n": 3, "token": "",
    }  # fmt: skip
    assert cleaned(said) == {
        "headers": {"Authorization": MASK}, "argv": ["mysql", "--password", MASK, "-v"], "password": None,
        "login": {"api_key": MASK, "user": "bob"}, "url": f"redis://u:{MASK}@h", "n": 3, "token": "",
    }  # fmt: skip


_PIECES = (
    "a", " ", "=", ":", "-", ".", "\\", '"', "'", "<", "(", "[", "{", "a.", "a-", "a=", "a: ", "password", "password=",
    "password=\"", "password=\\\"", "password=(", "password: [", "://", "://a:", "://a:@", "?token=", "%3D", "--a ",
    "--password ", "<a ", "<password>", "</", "Bearer ", "basic\t", "eyJ", "eyJaaaaaaaa-", "eyJaaaaaaaa.", "sk-",
    "ghp_", "SG.", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n-----END ",
    "authorization: ", "'authorization: ", "password=\"\n", "password='\n\\", "pass_value", "_1", "é=",
    "token: bearer ",
)  # fmt: skip


@each("piece", _PIECES)
def test_the_time_grows_with_the_length_of_the_line_alone(piece):
    short, long = (f"password {piece * (size // len(piece))}! x" for size in (8 * 1024, 64 * 1024))
    took = _seconds(long)
    assert took < 0.5
    assert took / max(_seconds(short), 50e-6) < 30  # a square law would take 64 times as long


def _seconds(text):
    best = float("inf")
    for _ in range(2):
        began = time.thread_time()
        redacted(text)
        best = min(best, time.thread_time() - began)
    return best


_SECRET = "hunter2-S3cr3t"


def _reveal(task, context):
    """Says its secret in every way that an agent has, then ends as its name says."""
    secret = f"db_password={_SECRET}"
    context.log(f"found {secret}", url=f"redis://u:{_SECRET}@h", headers={"Authorization": f"Bearer {_SECRET}"})
    context.progress(0.5, f"reading {secret}")
    logging.getLogger(f"agent.{secret}").warning("logged %s", secret)
    print(f'printed {{"token": "{_SECRET}"}}')
    sys.stderr.write(f"> X-Api-Key: {_SECRET}\n")
    match task.name:
        case "raises":
            password = _SECRET
            raise ValueError(f"no such user with password={password!r}")
        case "chains":
            try:
                raise OSError(f"redis://u:{_SECRET}@h refused")
            except OSError as exc:
                raise RuntimeError("no connection") from exc
        case "waits":
            raise NotNow(5, reason=f"limit of token={_SECRET}")
        case "returns":
            return Outcome("failed", error=f"said {secret}", error_kind=f"token={_SECRET}")
    return {}


@each("name", ["raises", "chains", "waits", "returns", "ends"])
def test_no_secret_that_an_agent_says_is_stored(name):
    reveal = agent("reveal", capabilities={"redaction"})(_reveal)
    with Engine([reveal]) as engine:
        (task,) = engine.submit(Task(name=name, capability="redaction"))
        engine.step()
        (execution,) = engine.executions(task)
        said = engine.api.get_logs(task.id)
        assert len(said) == (5 if name in {"raises", "chains"} else 4)  # the traceback is a line, too
        assert execution.progress_note == "reading db_password=***"
        shown = f"{engine.task(task)!r} {execution!r} {said!r}"
        assert MASK in shown
        assert _SECRET not in shown


def test_no_secret_is_in_an_event_of_a_worker():
    assert brief(f"deploy with token={_SECRET}") == "deploy with token=***"
