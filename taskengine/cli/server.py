"""``taskengine server``: REST for one namespace."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from taskengine import embedded
from taskengine.api import local_key
from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, answer, console, split, warn
from taskengine.cli.page import opened
from taskengine.cli.place import at_store, place
from taskengine.cli.text import plain
from taskengine.rest.bind import Bind
from taskengine.rest.serve import serve
from taskengine.settings import environment, refuse_unknown

app = typer.Typer()

Host = Annotated[str, typer.Option(help="Where it listens; beyond this machine it wants TLS.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="0: any.", show_default="TASKENGINE_HTTP_PORT or 8460")
]
TlsCert = Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate, with those above it (PEM).")]
TlsKey = Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key (PEM).")]
BehindProxy = Annotated[bool, typer.Option("--behind-proxy", help="A proxy with TLS stands before it.")]
NoLogin = Annotated[
    bool, typer.Option("--no-login", help="Let everybody on this machine do everything, without a key.")
]
AllowHost = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="A further name of this server; may be repeated.")
]


Linger = Annotated[
    float,
    typer.Option(
        min=0, metavar="SECONDS",
        help="Serve on for so long once asked to end, with 503 on /readyz, so that a balancer's probes notice.",
    ),
]


@command(
    app,
    "taskengine server",
    "taskengine server --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem",
    "taskengine server --host 0.0.0.0 --behind-proxy --allow-host tasks.example.org",
    'curl -H "Authorization: Bearer $(cat .taskengine/servers/8460.key)" http://127.0.0.1:8460/api/v1/tasks',
)
def server(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    behind_proxy: BehindProxy = False,
    no_login: NoLogin = False,
    allow_host: AllowHost = None,
    linger: Linger = 0.0,
    output: OutputOption = None,
) -> None:
    """Serve every verb over HTTP: REST under /api/v1, its description at /docs and /openapi.json.

    Who asks shows a key (taskengine keys create). On the loopback interface the server makes one for this machine, in a
    file that only its user reads. Any number of servers may run beside each other.
    """
    refuse_unknown(environment())
    settings = at_store()
    bind = Bind(
        host=host,
        port=settings.http_port if port is None else port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        behind_proxy=behind_proxy,
        no_login=no_login,
        allow_hosts=split(allow_host),
        linger=linger,
    )
    if no_login:
        warn("--no-login: every program and user of this machine may do everything")
    try:
        is_tied = context.find_root().params["tied_to"] is not None
        asyncio.run(serve(settings, bind, partial(_greet, is_tied=is_tied, is_everywhere=bind.is_everywhere)))
    finally:
        embedded.release(settings)


def _greet(url: str, key: Path | None, *, is_tied: bool, is_everywhere: bool) -> None:
    """Say where it listens and where the key is; the key itself on a terminal alone: other output is somebody's log."""
    where = f"; the key is in {key}" if key else "; on every interface" if is_everywhere else ""
    said = f"REST: {url}/api/v1, described at {url}/docs{where} ({place(at_store())}); Ctrl-C ends it"
    if not is_tied:  # who started us says it, with the key
        said += "\nPage: " + opened(f"{url}/", local_key.read(key) if key and console().is_terminal else None)
    data = {
        "url": url, "page": f"{url}/", "api": f"{url}/api/v1", "docs": f"{url}/docs",
        "key_file": str(key) if key else None,
    }  # fmt: skip
    answer(data, plain(said))
