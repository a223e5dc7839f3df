"""Agents by name on a worker: which it serves, what their type needs, and what they may know.

What a record may make a worker do is the worker's decision, not the server's: functions come from modules that it was
told to import, secrets from its own machine and only under names that it allows. Else whoever may write to the server
could run code here.

``load`` finds an agent's type and checks that this machine can serve it. ``running`` is the function that a slot calls.
``serving`` says who of the worker's agents can do what, and follows the records. ``secrets`` turns names into values.
Each type is a module of its own beside these; nobody imports it but ``load``.
"""
