"""A newer version of the engine in all but its number: ``python -m newer MODULE WORD …`` runs it.

It writes form 2 of what is stored, and reads form 1.
"""

import runpy
import sys

from taskengine.store import schema

schema.FORMS = {**schema.FORMS, 2: "nothing, it is a test"}
schema.SCHEMA = 2

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
