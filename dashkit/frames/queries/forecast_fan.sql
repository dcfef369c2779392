-- When tasks were first finished: what each forecast goes by.
-- Columns: occurred_at (UTC). Parameters: none.
SELECT first_finished_at AS occurred_at FROM flow WHERE first_finished_at IS NOT NULL ORDER BY occurred_at
