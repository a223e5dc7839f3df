"""A connection that blocks, woken by another one."""

from __future__ import annotations

from taskengine.store.call import Call


def number_of_client() -> Call[int]:
    """Return what the server calls the connection that asks."""
    return Call("CLIENT", ("ID",), int, command=True)


def unblock(client: int) -> Call[bool]:
    """End the read that blocks on a connection, as if its time were up; whether one did."""
    return Call("CLIENT", ("UNBLOCK", client), bool, command=True)
