"""The built-in agents: one for each built-in task type, with real tools and without a model.

They are what ``taskengine up`` serves before anybody wrote an agent. Each yields: where an imported function or a
registered agent can do the same, the built-in one does only what is pinned to it by name. They run nowhere else: only
``up`` and ``taskengine worker --builtin`` declare them (:mod:`workers.agents.builtin.agents`).

Anybody may submit a task, so what one names is looked at before it is touched:

- A folder lies in TASKENGINE_WORKSPACES, links followed, or is refused (:mod:`.roots`).
- A repository is cloned shallow, over https, ssh or from such a folder, from an address that is public or allowed. No
  hook, submodule, filter, redirect or credential helper takes part, and size and time are bounded (:mod:`.clone`).
- Work happens in a folder of the task alone, which is gone at its end; that of a process which was killed goes when the
  next task begins (:mod:`.place`).
- A command of a task is obeyed only if its first word stands in TASKENGINE_COMMANDS (:mod:`.commands`).
- A child process gets an environment of its own, without what the worker knows, and ends with its task.

What none of this is: a sandbox. The tests of a repository are its author's code, and run with the rights of the
worker's user.
"""
