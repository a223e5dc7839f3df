"""What a workflow's steps become, and what follows when something happened to one; without I/O.

A step of kind ``task`` that asks for nothing else *is* a task. Every other one is a *step*: a record beside the tasks
that no worker runs. PENDING, it waits for what stands before it; once that completed it is *entered*: its module here
says which children it gets, or what it waits for. RUNNING, it waits for its children; when they are over the module
says what comes next. Sequential and parallel steps without further wishes are flattened into the scope around them.

* :mod:`paths`: what a step's children are called, and which part of the definition a path means;
* :mod:`rows`: what is put for a step; :mod:`compile`: a scope of steps as rows;
* :mod:`snapshot`: what a decision sees; :mod:`failures`: how a step ends when something in it failed;
* one module for each kind, none of which knows another: :mod:`group`, :mod:`task`, :mod:`root`, ….

:func:`taskengine.core.decide_step.decide_step` asks the module of a step's kind.
"""
