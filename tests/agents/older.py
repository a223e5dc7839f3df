"""The release before in all but its code: ``python -m older MODULE WORD …`` writes the form before this one, and reads
no other.
"""

import runpy
import sys

from taskengine.store import schema

schema.SCHEMA -= 1
schema.OLDEST = schema.SCHEMA

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
