"""Speed and memory of the engine on this machine, beside Celery alone. Never a test: nothing fails.

``python -m benchmarks [figure …] [--quick] [--table] [--peers | --no-peers] [--traces FOLDER] [--listen]
[--server BINARY]``

One JSON object a line for each figure. The clock runs from before the first submit call to the moment when a
waiting client has seen the last terminal state; workers are warm; the server is one of our own with the
embedded server's options; workers send task events. A comparison runs in turns (ours, peer, ours, …) and the
best of each counts, since noise only ever adds. ``--quick`` proves in little time that everything runs: its
numbers mean nothing, so they are held against nothing.
"""
