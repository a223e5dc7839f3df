"""Everything the API does, written once: generators of Calls that the async and the blocking client both run.

An operation sees no connection and no event loop. It validates its arguments, makes its trips, and raises only
errors of the library's tree.
"""
