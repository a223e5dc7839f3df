"""Redis as data: every read and every atomic change of the truth, spoken to by one `Call` each.

Nobody above this floor spells a key, a script or a Redis error. A verb is a pure function that returns a
:class:`~taskengine.store.call.Call`; an operation of several trips is a generator of Calls; the two drivers
(:mod:`~taskengine.store.sync`, :mod:`~taskengine.store.aio`) are the only code that does I/O.
"""
