"""What the engine is compared with: Celery alone, on the same server, used as its documentation shows."""
