"""The door on the worker side."""
