"""What a supervisor and a stranger ask before anything else; none of it needs a key, and none of it tells of tasks."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from taskengine.api.problems import explanations
from taskengine.api.surface import PREFIX
from taskengine.rest.auth import Door
from taskengine.rest.problem_model import Problem
from taskengine.rest.problems import HttpError

router = APIRouter(tags=["server"])


class State(BaseModel):
    """How the server is."""

    status: str


class Version(BaseModel):
    """Which server this is."""

    name: str = "taskengine"
    version: str
    api: str = Field(description="What stands before every path.")


class Explanation(BaseModel):
    """What one kind of problem means."""

    slug: str
    status: int
    title: str
    text: str


@router.get("/livez", summary="Whether the process answers", operation_id="livez")
async def livez() -> State:
    """Restart a server that does not answer this; it asks nobody else."""
    return State(status="alive")


@router.get(
    "/readyz", summary="Whether the server can serve", operation_id="readyz", responses={503: {"model": Problem}}
)
async def readyz(request: Request) -> State:
    """Whether the store answers and takes our scripts; 503 while not, or while the server ends, so that no requests are
    sent here.
    """
    if request.app.state.live.is_ending:
        raise HttpError(503, "the server ends: it finishes what it answers, and the next requests belong elsewhere")
    door: Door = request.app.state.door
    await door.list_limits()  # runs a script: a store that refuses them is not ready
    return State(status="ready")


@router.get("/version", summary="Which server this is", operation_id="version")
async def which() -> Version:
    """Name and version, by which a client knows whether it fits."""
    return Version(version=version("taskengine"), api=PREFIX)


@router.get(
    "/problems/{slug}",
    summary="What a kind of problem means",
    operation_id="explain_problem",
    responses={404: {"model": Problem}, 422: {"model": Problem}},
)
async def explain(slug: str) -> Explanation:
    """Explain the ``type`` of a problem document."""
    found = explanations().get(slug)
    if found is None:
        raise HttpError(404, f"no problem is called {slug!r:.80}; they are {', '.join(sorted(explanations()))}")
    kind, text = found
    return Explanation(slug=kind.slug, status=kind.status, title=kind.title, text=text)
