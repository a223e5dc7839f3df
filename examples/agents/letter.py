"""A program as an agent: it reads a task as JSON and prints its result as JSON."""

import json
import sys

told = json.load(sys.stdin)
print("writing a letter", file=sys.stderr)  # the task's log
json.dump({"letter": f"Dear {told['input']['name']},\n\n{told['input']['text']}\n"}, sys.stdout)
