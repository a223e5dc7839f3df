"""Which server and namespace a command speaks to, and that asking one starts none.

In another folder than yesterday's ``./.taskengine`` is another one: a question there would start an empty server and
get an empty answer. So who asks is told that there is none, and every empty answer says where it was asked.
"""

from __future__ import annotations

from typing import TypeVar

from rich.text import Text

from taskengine import embedded
from taskengine.api import BlockingTaskAPI
from taskengine.cli import reach
from taskengine.cli.output import warn
from taskengine.core.remedy import as_commands
from taskengine.errors import EmbeddedServerError, InvalidInputError, NotFoundError, SettingsError
from taskengine.settings import Settings, current, is_http
from taskengine.store.address import redacted
from taskengine.store.call import Operation

T = TypeVar("T")


class CommandLine(BlockingTaskAPI):
    """The client of a command: what its answers and errors advise are commands."""

    def ask(self, operation: Operation[T]) -> T:
        """Return the answer to a question that only commands ask, and only the store; SettingsError elsewhere."""
        if self.is_remote:
            raise SettingsError(
                f"this asks the store itself, which {place()} does not pass on; run it where the store is, without "
                "--url and TASKENGINE_URL"
            )
        return self._run(operation)

    @property
    def is_remote(self) -> bool:
        """Whether it speaks to a server of REST."""
        return self.settings.url is not None

    def _run(self, operation: Operation[T]) -> T:
        with as_commands():
            try:
                return super()._run(operation)
            except NotFoundError as exc:
                exc.args = (f"{exc} ({place()})",)  # it may be there elsewhere
                raise


def here() -> Settings:
    """Return the settings of this command: what ``--url`` says wins over theirs."""
    url, settings = reach.chosen(), current()
    if url is None:
        return settings
    if not is_http(url):
        raise InvalidInputError(
            f"--url {url!r:.120} is no address of a server of REST; give http(s)://HOST, or set TASKENGINE_REDIS_URL "
            "to the address of a store",
            field="url",
        )
    return settings.model_copy(update={"url": url})


def at_store() -> Settings:
    """Return the settings of a command that is a part of the fleet; SettingsError when ``--url`` names a server."""
    if (url := reach.chosen()) is not None:
        raise SettingsError(f"this runs on the store, and --url {url:.120} is for asking a server; leave it out")
    return current().model_copy(update={"url": None})


def asking() -> CommandLine:
    """Return a client for questions and for verbs on what is there; EmbeddedServerError where nothing can be there."""
    settings = here()
    if _is_new(settings):
        raise EmbeddedServerError(
            f"no server in {_folder(settings)}; set TASKENGINE_REDIS_URL or start taskengine up"
        )
    return CommandLine(settings=settings)


def submitting() -> BlockingTaskAPI:
    """Return a client for what is new: it may be the first in its folder, and says so."""
    settings = here()
    if _is_new(settings):
        warn(f"a new embedded server in {_folder(settings)}; nobody works for it before you start taskengine up")
    return CommandLine(settings=settings)


def place(settings: Settings | None = None) -> str:
    """Server and namespace, for people; no password."""
    settings = here() if settings is None else settings
    if settings.url is not None:
        return f"server {settings.url.partition('#')[0]}"
    server = f"embedded server in {_folder(settings)}" if settings.redis_url is None else redacted(settings.redis_url)
    return f"{server}, namespace {settings.namespace}"


def nothing(what: str) -> Text:
    """Return an empty answer, with where it was asked."""
    return Text(f"{what} ({place()})", style="dim")


def _is_new(settings: Settings) -> bool:
    """Return whether the embedded server would have to be started and holds nothing."""
    if settings.redis_url is not None or settings.url is not None:
        return False
    found = embedded.status(settings)
    return found.state in {"absent", "stopped"} and not found.data_bytes


def _folder(settings: Settings) -> str:
    if settings.home.is_absolute():
        return str(settings.home)
    return f"./{settings.home} ({settings.home.expanduser().resolve()})"
