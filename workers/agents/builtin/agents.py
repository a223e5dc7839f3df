"""Declares the built-in agents: what ``up`` and ``worker --builtin`` import, and nobody else."""

from workers.agents.builtin.code_analysis import ast_analysis
from workers.agents.builtin.code_generation import patch_apply
from workers.agents.builtin.code_review import ruff_review
from workers.agents.builtin.custom import echo
from workers.agents.builtin.deployment import run_deploy
from workers.agents.builtin.monitoring import probe
from workers.agents.builtin.testing import pytest_run

__all__ = ["ast_analysis", "echo", "patch_apply", "probe", "pytest_run", "ruff_review", "run_deploy"]
