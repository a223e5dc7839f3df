"""What the watchdog finds to do, done: ``python -m taskengine.embedded.repair HOME``."""

from __future__ import annotations

import sys
from pathlib import Path

from taskengine.embedded.users import repair
from taskengine.errors import EmbeddedServerError

if __name__ == "__main__":
    try:
        repair(Path(sys.argv[1]))
    except (EmbeddedServerError, OSError) as exc:
        sys.exit(f"taskengine: {exc}")
