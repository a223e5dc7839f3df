"""The client over HTTP: the same class, asking a server of REST instead of the store.

``TaskAPI("https://host")`` is a :class:`TaskAPI <taskengine.api.TaskAPI>` whose verbs are made, once, from the table
of :mod:`taskengine.api.surface` and the signatures of the class itself (:mod:`~taskengine.api.remote.made`). What a
verb is as a request, and what its answer is in Python, stands in :mod:`~taskengine.api.remote.verb`; a verb that takes
several requests (a wait) is a generator of them, so that the blocking and the async carrier run the same ones.

Nothing here is imported before somebody names such an address.
"""
