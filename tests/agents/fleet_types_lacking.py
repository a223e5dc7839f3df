"""An agent type whose client is not installed."""

import no_such_client  # noqa: F401
