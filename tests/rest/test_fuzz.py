"""Requests that schemathesis makes from the description: each has an answer that stands there, and none a fault."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from taskengine.api.operations.keys import create_key
from taskengine.api.surface import PREFIX, ROWS, Row, Scope
from taskengine.rest.app import application
from taskengine.rest.bind import Bind, listen
from taskengine.rest.protocol import PatientProtocol
from taskengine.settings import Settings
from taskengine.store.sync import SyncStore
from taskengine.transport import template

pytestmark = [pytest.mark.process, pytest.mark.slow]
#: Requests of one row, and where CI takes its time (.ci/run long).
FEW, MANY = 4, 40
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def served(shared_valkey: Any) -> Iterator[tuple[str, str]]:
    """The address of a server in a thread, and a key for everything."""
    shared_valkey.client.flushall()
    ours = Settings(redis_url=shared_valkey.url)
    store = SyncStore(shared_valkey.url, ours, template())
    key = store.run(create_key("fuzz", Scope.ADMIN)).key
    listening = listen(Bind(port=0))
    config = uvicorn.Config(
        application(ours, hosts=frozenset({"127.0.0.1"})), http=PatientProtocol, ws="none", log_config=None,
        access_log=False, lifespan="on",
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server._serve([listening])))
    thread.start()
    host, port = listening.getsockname()
    yield f"http://{host}:{port}", key
    server.should_exit = True
    thread.join(30)
    store.close()


@pytest.fixture(scope="module")
def schema(served: tuple[str, str]) -> Any:
    """What the server says of itself."""
    return schemathesis.openapi.from_dict(httpx2.get(f"{served[0]}/openapi.json", timeout=60).json())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_whatever_fits_or_just_misses_the_description_has_an_answer_that_stands_there(
    row: Row, served: tuple[str, str], schema: Any, request: pytest.FixtureRequest
) -> None:
    url, key = served
    operation = schema[PREFIX + row.path][row.verb]
    number = MANY if request.config.getoption("--stores") == "all" else FEW

    # To negate the schema of a whole graph takes a gigabyte; tests/rest/test_wrong_values.py has those.
    modes = (POSITIVE,) if row.is_large else (POSITIVE, NEGATIVE)

    @settings(
        max_examples=number, deadline=None, database=None, derandomize=number == FEW,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]))
    def answered(case: Any) -> None:
        if isinstance(case.body, dict) and isinstance(case.body.get("timeout"), int | float):
            case.body["timeout"] = min(case.body["timeout"], 0.05)  # nobody is there to end what is waited for
        answer = case.call(base_url=url, headers={"Authorization": f"Bearer {key}"})
        case.validate_response(answer, checks=CHECKS)

    answered()
