"""Workflows that many need, made of built-in task types: whoever offers those runs them.

Each module says which capabilities its tasks ask for, what they are given, and what they are expected to answer.
"""
