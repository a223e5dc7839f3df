"""The main job on real input: the code analysis of a Python code base as a graph of tasks."""
