"""Examples: small directed tests for cases that generated programs do not reach. Importing a module registers them.

The examples of a clause family such as CLAIM are in `claim.py`. A large family has several modules: `time.py`,
`time_zones.py`.
"""

from . import (  # noqa: F401 - importing them registers their examples
    batch,
    call,
    cancel,
    cap,
    cap_commit,
    cap_rollback,
    claim,
    close,
    cost,
    delete,
    durable,
    filter,  # noqa: A004 - the name of the clause family
    insert,
    lease,
    name,
    payload,
    purge,
    query,
    queue,
    record,
    refuse,
    requeue,
    rescue,
    settle,
    setup,
    setup_clients,
    setup_foreign,
    setup_namespaces,
    stats,
    time,
    time_clock,
    time_zones,
    unique,
    wait,
    wait_wake,
)
