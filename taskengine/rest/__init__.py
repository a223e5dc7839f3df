"""REST: the client's verbs over HTTP, made from the table of :mod:`taskengine.api.surface`.

Nothing is decided here. A route checks who asks and how much they send, calls the method of the client that its row
names, and writes the answer as JSON. What a verb does, refuses and says is in the operations below, once.
"""
