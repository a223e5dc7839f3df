"""A repository is cloned by its rules: each has a planted attack here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskengine.errors import AgentError
from workers.agents.builtin import clone, programs
from workers.agents.builtin.clone import _way_to
from workers.agents.builtin.source import Remote

from ....examples.conftest import Repository

pytestmark = pytest.mark.process
Ask = Callable[..., Any]


@pytest.fixture
def analysed(ask: Ask) -> Ask:
    return lambda url, **more: ask("code_analysis", repository_url=str(url), **more)


def refused(task: Any) -> str:
    assert (task.status, task.error_kind) == ("failed", "invalid_request"), task.error
    return str(task.error)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% {canary}", "ext::sh", "--upload-pack=touch {canary}", "-x", "http://example.org/r.git",
        "git://example.org/r.git", "ftp://example.org/r", "file://example.org/etc", "https://example.org",
        "https://exa mple.org/r", "https://example.org/r?x=1", "ssh://-oProxyCommand=x/r", "ssh://host/-x",
        "git@-oProxyCommand=touch:r", "https://example.org:99999/r", "fd::17", "transport::https://example.org/r",
    ],
)  # fmt: skip
def test_what_is_no_repository_of_ours_is_refused_and_nothing_runs(analysed: Ask, outside: Path, url: str) -> None:
    canary = outside / "canary"
    refused(analysed(url.format(canary=canary)))
    assert not canary.exists()


def test_a_credential_in_an_address_is_refused_and_not_repeated(analysed: Ask) -> None:
    said = refused(analysed("https://ann:s3cret@example.org/r.git"))
    assert "carries a credential" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/r.git", "https://[::1]/r.git", "https://169.254.169.254/latest", "ssh://git@10.0.0.1/r.git",
        "git@192.168.1.1:r.git", "https://localhost/r.git", "https://2130706433/r.git",
    ],
)  # fmt: skip
def test_a_private_address_is_refused_before_anything_connects(analysed: Ask, url: str) -> None:
    assert "is not public" in refused(analysed(url))


def test_git_connects_to_the_very_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch, work: Path) -> None:
    monkeypatch.setenv("TASKENGINE_ALLOWED_HOSTS", "127.0.0.1")
    options, env = _way_to(Remote("https://127.0.0.1:8443/r", "https", "127.0.0.1", 8443))
    assert options == ("-c", "http.curloptResolve=127.0.0.1:8443:127.0.0.1")
    assert env == {"GIT_ALLOW_PROTOCOL": "https"}
    _, env = _way_to(Remote("ssh://git@127.0.0.1/r", "ssh", "127.0.0.1", 22))
    assert "HostName=127.0.0.1" in env["GIT_SSH_COMMAND"]
    with pytest.raises(AgentError, match="not public"):
        _way_to(Remote("ssh://git@10.0.0.1/r", "ssh", "10.0.0.1", 22))


def test_a_folder_outside_of_the_workspaces_is_refused_however_it_is_named(
    analysed: Ask, work: Path, outside: Path
) -> None:
    Repository(outside / "r").commit(app__py="x = 1\n")
    (work / "link").symlink_to(outside / "r")
    for named in (outside / "r", f"file://{outside}/r", "../outside/r", "link", f"file://{work}/link", "/etc",
                  f"file://{work}/%2e%2e/outside/r", f"{work}/../outside/r"):  # fmt: skip
        assert "TASKENGINE_WORKSPACES" in refused(analysed(named)), named


def test_what_borrows_its_objects_from_outside_is_refused(analysed: Ask, work: Path, outside: Path) -> None:
    secret = Repository(outside / "r")
    secret.commit(app__py="x = 1\n")
    (work / "worktree").mkdir()
    (work / "worktree" / ".git").write_text(f"gitdir: {outside}/r/.git\n")
    assert "outside of TASKENGINE_WORKSPACES" in refused(analysed("worktree"))
    own = Repository(work / "own")
    own.commit(app__py="x = 1\n")
    (own.folder / ".git/objects/info/alternates").write_text(f"{outside}/r/.git/objects\n")
    assert "outside of TASKENGINE_WORKSPACES" in refused(analysed("own"))


def test_no_hook_and_no_configuration_of_anybody_runs(
    analysed: Ask, repository: Repository, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary, hooks = outside / "canary", outside / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-commit"):
        for folder in (hooks, repository.folder / ".git/hooks"):
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
            (folder / name).chmod(0o755)
    evil = f"[core]\n\thooksPath = {hooks}\n\tfsmonitor = touch {canary}\n"
    evil += f"[uploadpack]\n\tpackObjectsHook = touch {canary}\n"
    evil += f'[filter "evil"]\n\tsmudge = touch {canary}\n\trequired = true\n[init]\n\ttemplateDir = {outside}\n'
    (outside / "gitconfig").write_text(evil)
    repository.commit(**{"__gitattributes": "* filter=evil\n"})
    with (repository.folder / ".git/config").open("a") as config:
        config.write(evil.replace(str(hooks), ".git/hooks"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(outside / "gitconfig"))
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(outside))
    canary.unlink(missing_ok=True)
    assert analysed("repository").status == "completed"
    assert not canary.exists()


def test_a_submodule_stays_empty(analysed: Ask, repository: Repository, outside: Path) -> None:
    inner = Repository(outside / "inner")
    inner.commit(inner__py="x = 1\n")
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", inner.url, "inner")
    repository.git("commit", "--quiet", "-m", "a submodule")
    found = analysed("repository").result
    assert found["files"] == 3
    assert not [one for one in found["most_complex"] if "inner" in one["file"]]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../etc", ".git/config"])
def test_a_link_that_leads_out_of_the_checkout_is_refused(
    analysed: Ask, repository: Repository, target: str, left: Callable[[], list[str]]
) -> None:
    (repository.folder / "build").mkdir()
    (repository.folder / "build" / "x.py").symlink_to(target)
    repository.commit()
    if target.startswith("."):
        (repository.folder / "build" / "x.py").unlink()
        (repository.folder / "x.py").symlink_to(target)
        repository.commit()
    assert "leads out of the repository" in refused(analysed("repository"))
    assert left() == []


def test_a_link_within_the_checkout_is_none_of_these(analysed: Ask, repository: Repository) -> None:
    (repository.folder / "again.py").symlink_to("app.py")
    repository.commit()
    assert analysed("repository").status == "completed"


def test_what_is_small_to_fetch_and_large_to_write_is_refused_before_it_is_written(
    analysed: Ask, repository: Repository, monkeypatch: pytest.MonkeyPatch, left: Callable[[], list[str]]
) -> None:
    repository.commit(zeros="0" * 3_000_000)
    monkeypatch.setattr(clone, "MOST_BYTES", 2_000_000)
    task = analysed("repository")
    assert (task.status, task.error_kind) == ("failed", "limit")
    assert "4 files of 2 MiB" in task.error
    assert left() == []


def test_a_fetch_that_grows_too_large_is_ended(
    analysed: Ask, repository: Repository, monkeypatch: pytest.MonkeyPatch, left: Callable[[], list[str]]
) -> None:
    (repository.folder / "noise").write_bytes(os.urandom(60_000_000))
    repository.commit()
    monkeypatch.setattr(programs, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(programs, "_LOOK", 0.01)
    task = analysed("repository")
    assert (task.status, task.error_kind) == ("failed", "limit")
    assert "wrote more than" in task.error
    assert left() == []


@pytest.mark.parametrize("ref", ["--upload-pack=x", "a..b", "HEAD:app.py", "+main", "a b", "@{1}", ""])
def test_a_ref_can_be_no_option_and_no_expression(analysed: Ask, repository: Repository, ref: str) -> None:
    assert "write a branch, tag or commit" in refused(analysed("repository", ref=ref))


def test_a_ref_that_is_not_there_is_told(analysed: Ask, repository: Repository) -> None:
    assert "nosuch" in refused(analysed("repository", ref="nosuch"))


def test_history_is_fetched_only_as_far_as_needed(ask: Ask, repository: Repository) -> None:
    for at in range(60):
        repository.git("commit", "--quiet", "--allow-empty", "-m", f"{at}")
    fork = repository.head()
    repository.git("checkout", "--quiet", "-b", "side")
    for at in range(70):
        repository.git("commit", "--quiet", "--allow-empty", "-m", f"side {at}")
    repository.commit(side__py="print(1)\n")
    repository.git("checkout", "--quiet", "main")
    repository.commit(other__py="print(1)\n")
    found = ask("code_review", repository_url="repository", ref="side").result
    assert (found["base"], found["files"]) == (fork, ["side.py"])
