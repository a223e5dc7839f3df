"""Durable task graphs on a Celery fleet."""
