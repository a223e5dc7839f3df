"""Why a task is where it is: from what is known around it to facts, the most telling first.

Pure: the caller gathers, here is only checked and said. Sentences are clauses that may follow "is pending:", for a
tired operator: what stands in the way, since or until when, and what to do about it.

* :mod:`inputs`: what is gathered; :mod:`task`: the answer, made of what the modules of its states say;
* :mod:`pending`, :mod:`ready`, :mod:`running`, :mod:`over`: one module for the states of a name, none knows another;
* :mod:`step`: the same for steps of workflows, and for workflows themselves; :mod:`words`: what they share.
"""
