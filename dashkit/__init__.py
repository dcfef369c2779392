"""Analytics over a project Dashboard in SQLite."""
