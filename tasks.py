"""The runbooks as Invoke tasks; `runbooks.tasks` holds them, a module for each family."""

from __future__ import annotations

import atexit
import gc

from invoke.collection import Collection

from runbooks.tasks import (
    backup,
    checklist,
    hosts,
    lease,
    quarantine,
    release,
    rollback,
    runs,
    sandbox,
    schedule,
    secrets,
    variables,
)

# Commands live for seconds and are mostly imports, which make no garbage worth looking for: a tenth of their time.
gc.set_threshold(100_000)
atexit.register(gc.freeze)

namespace = Collection(
    release.TASKS,
    backup.TASKS,
    quarantine.TASKS,
    variables.TASKS,
    secrets.TASKS,
    runs.TASKS,
    checklist.TASKS,
    lease.TASKS,
    schedule.TASKS,
    hosts.TASKS,
    sandbox.TASKS,
)
namespace.add_task(rollback.rollback)
