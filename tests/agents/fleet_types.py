"""Agent types of somebody else's package, as its entry points name them."""

import os
from pathlib import Path

from taskengine.agents import Health
from taskengine.agents.config import AgentConfig
from taskengine.errors import AgentError
from taskengine.models import Outcome


class EchoConfig(AgentConfig):
    """Of the type ``echo``."""

    prefix: str = ""
    broken: bool = False


class Echo:
    """Says what it was told, and in which process and how often it was opened."""

    holds_slot = True
    Config = EchoConfig

    def __init__(self, record, secrets):
        self.record, self.secrets, self.opened = record, secrets, 0

    @classmethod
    def check(cls, record, _):
        if record.config.get("broken"):
            raise AgentError(f"agent {record.id!r}: its echo is broken; mend it")

    async def open(self):
        self.opened += 1

    async def close(self):
        with Path(os.environ["FLEET_EFFECTS"] + ".closed").open("a") as file:
            file.write(f"{os.getpid()}\n")

    async def health(self):
        return Health(self.record.config.get("prefix") != "ill", "it echoes")

    async def run(self, task, context):
        secret = self.secrets.get(self.record.secret) if self.record.secret else ""
        same = context.secret(self.record.secret) if secret else ""
        said = f"{self.record.config.get('prefix', '')}{task.input.get('say', '')}"
        output = {"said": said, "opened": self.opened, "pid": os.getpid(), "knows": len(secret), "same": same == secret}
        return Outcome("completed", output=output)


class Faraway(Echo):
    """Holds no slot."""

    holds_slot = False
