"""Every row read or written outside migrations, one file per noun. Values are always bound."""
