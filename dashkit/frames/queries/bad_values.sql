-- Stored values that are not what their column promises, and are therefore missing in every view.
-- Columns: table_name, column_name, bad_values (count). Parameters: none.
SELECT table_name, column_name, bad_values
FROM bad_values
WHERE bad_values > 0
ORDER BY table_name, column_name
