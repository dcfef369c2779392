"""Which commit worked on which task: pure functions from texts and tasks to links, with their evidence."""
