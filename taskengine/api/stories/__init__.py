"""Everything the API does, written once: generators of Calls that the async and the blocking door both run.

A story sees no connection and no event loop. It validates its arguments, makes its trips, and raises only
errors of the library's tree.
"""
