"""Analytics over a project Dashboard in SQLite: migrate it safely, ask it, report on it.

`dashkit.migrate(db)` is a dry run and prints as one; `.execute()` does it, `dashkit.rollback(db)` takes it back.
`dashkit.open(db)` gives pandas DataFrames over a snapshot. The functions of a Dashboard are in `dashkit.database`.
"""

from typing import TYPE_CHECKING, Any

from dashkit.version import __version__

if TYPE_CHECKING:
    from dashkit import charts
    from dashkit.dashboard import Dashboard, open  # noqa: A004 - dashkit.open is the name that users meet
    from dashkit.errors import DashkitError
    from dashkit.migrations import migrate, rollback, status
    from dashkit.reports import check_parameters, hand_on, key_figures, require
    from dashkit.sample import write_sample
    from dashkit.scanning import scan
    from dashkit.verification import verify_migration

# Where each name lives: loaded when it is asked for, so that `import dashkit` costs nothing.
_HOMES = {
    "Dashboard": "dashkit.dashboard",
    "DashkitError": "dashkit.errors",
    "charts": "dashkit.charts",
    "check_parameters": "dashkit.reports",
    "hand_on": "dashkit.reports",
    "key_figures": "dashkit.reports",
    "migrate": "dashkit.migrations",
    "open": "dashkit.dashboard",
    "require": "dashkit.reports",
    "rollback": "dashkit.migrations",
    "scan": "dashkit.scanning",
    "status": "dashkit.migrations",
    "verify_migration": "dashkit.verification",
    "write_sample": "dashkit.sample",
}

__all__ = [
    "Dashboard",
    "DashkitError",
    "__version__",
    "charts",
    "check_parameters",
    "hand_on",
    "key_figures",
    "migrate",
    "open",
    "require",
    "rollback",
    "scan",
    "status",
    "verify_migration",
    "write_sample",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dashkit' has no attribute {name!r}")
    from importlib import import_module

    home = import_module(_HOMES[name])
    return home if name == "charts" else getattr(home, name)


def __dir__() -> list[str]:
    return __all__
