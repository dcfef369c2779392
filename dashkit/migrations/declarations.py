"""Changes by their declarations: the words that the steps of a version are written in."""

from dataclasses import replace
from typing import Any

from dashkit.migrations.changes import AddColumn, CreateIndex, CreateTable, CreateTrigger


def columns(table: str, *declarations: str, **more: Any) -> tuple[AddColumn, ...]:
    """Columns to add to a table: `name TYPE ...` each; `more` is what AddColumn takes on top."""
    found = []
    for declaration in declarations:
        column, rest = declaration.split(" ", 1)
        text = f"{column} column to {table}"
        change = AddColumn(f"{table}.{column}", f"Add {text}", f"Added {text}", table, column, rest)
        found.append(replace(change, untouched=f"{column} IS NULL", **more))
    return tuple(found)


def table(name: str, *lines: str) -> CreateTable:
    """A table by its columns and keys."""
    return CreateTable(name, f"Create {name} table", f"Created {name} table", name, ", ".join(lines))


def index(name: str, of: str, keys: str, where: str = "") -> CreateIndex:
    """An index on columns of a table, or on some of its rows."""
    what = f"{of} ({keys})"
    return CreateIndex(name, f"Index {what}", f"Indexed {what}", name, of, keys, where)


def trigger(name: str, of: str, when: str, body: str, purpose: str) -> CreateTrigger:
    """A trigger that watches a table; the purpose is what the report says it records."""
    return CreateTrigger(name, f"Record {purpose}", f"Recording {purpose}", name, of, f"{when} ON {of} {body}")
