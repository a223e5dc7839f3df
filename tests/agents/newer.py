"""A newer version of the engine in all but its number: ``python -m newer MODULE WORD …`` runs it.

It writes the next form of what is stored, and reads this one.
"""

import runpy
import sys

from taskengine.store import schema

schema.SCHEMA += 1
schema.FORMS = {**schema.FORMS, schema.SCHEMA: "nothing, it is a test"}

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
