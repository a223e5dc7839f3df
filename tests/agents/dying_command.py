"""Agents of the type command that stop at a moment of a program."""

from dying import around, around_awaited, around_reports_of_slots

from workers.agents.child import Children

around_awaited(Children, "run", before="before_start")
around(Children, "_tell", after="in_program")
around_reports_of_slots()
