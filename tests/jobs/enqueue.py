"""A process that only enqueues: `enqueue.py URL COUNT`."""

import sys

from tallystick import NewRecord, open_backend

url, count = sys.argv[1], int(sys.argv[2])
with open_backend(url) as backend:
    for start in range(0, count, 500):
        records = [NewRecord(kind="count", payload=str(n).encode()) for n in range(start, min(start + 500, count))]
        backend.insert(records)
print("done", flush=True)
