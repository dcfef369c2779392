-- What queries see: the tables of the Dashboard as typed views, limited to the chosen project.
-- Reads typed.<table>, which views.py makes: instants as UTC TIMESTAMP, NULL for what is not there.
-- Variables: project (BIGINT, NULL = all), as_of (TIMESTAMP, UTC), unsized_points (BIGINT). Table: sizes.

CREATE MACRO chosen(project_id) AS getvariable('project') IS NULL OR project_id = getvariable('project');

-- Days from an instant to as_of, never below 0.
CREATE MACRO age_days(instant) AS
    CASE WHEN instant < getvariable('as_of')
         THEN (epoch_us(getvariable('as_of')) - epoch_us(instant)) / 86400000000.0::DOUBLE
         WHEN instant IS NOT NULL THEN 0.0::DOUBLE END;

-- The first line that says something; NULL where none does.
CREATE MACRO first_line(text) AS nullif(rtrim(regexp_extract(text, '\S[^\r\n]*')), '');

CREATE VIEW projects AS
SELECT id, name, description, status, created_at
FROM typed.projects
WHERE chosen(id);
COMMENT ON VIEW projects IS 'One row per project.';

CREATE VIEW phases AS
SELECT f.id, f.project_id, p.name AS project, f.name, f.position
FROM typed.phases AS f LEFT JOIN typed.projects AS p ON p.id = f.project_id
WHERE chosen(f.project_id);
COMMENT ON VIEW phases IS 'One row per phase of a project.';

CREATE VIEW tasks AS
SELECT
    t.id, t.project_id, p.name AS project, t.phase_id, f.name AS phase, t.title, t.description, t.status, t.priority,
    coalesce(t.checked, false) AS checked,
    coalesce(t.status = 'blocked', false) AND NOT coalesce(t.checked, false) AS blocked,
    coalesce(t.status = 'cancelled', false) AND NOT coalesce(t.checked, false) AS cancelled,
    t.blocked_reason, t.complexity,
    coalesce(s.points, getvariable('unsized_points')) AS size,
    s.points IS NOT NULL AS sized,
    t.created_at, t.completed_at, t.updated_at, t.external_id, t.kind, t.parent_id, t.labels,
    coalesce(t.updated_at_text = t.created_at_text, false) AS untouched
FROM typed.tasks AS t
LEFT JOIN typed.projects AS p ON p.id = t.project_id
LEFT JOIN typed.phases AS f ON f.id = t.phase_id
LEFT JOIN sizes AS s ON s.complexity = t.complexity
WHERE chosen(t.project_id);
COMMENT ON VIEW tasks IS
'One row per task. checked says that it is done, status is workflow: a checked task is neither blocked nor cancelled. size is complexity in points (sized: whether it has one), untouched whether updated_at is still a copy of created_at. external_id, kind, parent_id and labels (a JSON array) are known from version 2.1 on.';

CREATE VIEW dependencies AS
SELECT d.task_id, d.depends_on_id
FROM typed.task_dependencies AS d LEFT JOIN typed.tasks AS t ON t.id = d.task_id
WHERE chosen(t.project_id);
COMMENT ON VIEW dependencies IS 'One row per pair of tasks of which the first depends on the second.';

CREATE VIEW repos AS
SELECT r.id, r.project_id, p.name AS project, r.path, r.name, r.remote_url, r.default_branch, r.created_at
FROM typed.git_repos AS r LEFT JOIN typed.projects AS p ON p.id = r.project_id
WHERE chosen(r.project_id);
COMMENT ON VIEW repos IS 'One row per git repository of a project.';

CREATE VIEW commits AS
SELECT
    c.sha, c.repo_id, r.name AS repo, r.project_id, p.name AS project, c.author, c.author_email,
    first_line(c.message) AS title, c.message, c.timestamp AS committed_at,
    c.authored_at, c.files_changed, c.insertions, c.deletions, c.is_merge
FROM typed.git_commits AS c
LEFT JOIN typed.git_repos AS r ON r.id = c.repo_id
LEFT JOIN typed.projects AS p ON p.id = r.project_id
WHERE chosen(r.project_id);
COMMENT ON VIEW commits IS 'One row per git commit; title is the first line of its message. authored_at and is_merge are known from version 2.1 on.';

CREATE VIEW sessions AS
SELECT
    s.id, s.project_id, p.name AS project, first_line(s.summary) AS title, s.summary, s.message_count,
    s.started_at, s.ended_at
FROM typed.llm_sessions AS s LEFT JOIN typed.projects AS p ON p.id = s.project_id
WHERE chosen(s.project_id);
COMMENT ON VIEW sessions IS 'One row per session with a language model; title is the first line of its summary.';

CREATE VIEW links AS
SELECT
    l.task_id, t.title AS task, t.project_id, p.name AS project, l.kind, l.target, l.title, l.occurred_at,
    l.confidence, l.link_type, l.evidence, l.created_at
FROM (
    SELECT
        k.task_id, 'commit' AS kind, k.commit_sha AS target, first_line(c.message) AS title,
        c.timestamp AS occurred_at, k.confidence, k.link_type, k.evidence, k.created_at
    FROM typed.task_commit_links AS k LEFT JOIN typed.git_commits AS c ON c.sha = k.commit_sha
    UNION ALL
    SELECT
        k.task_id, 'session', k.session_id, first_line(s.summary),
        s.started_at, k.confidence, k.link_type, k.evidence, k.created_at
    FROM typed.task_session_links AS k LEFT JOIN typed.llm_sessions AS s ON s.id = k.session_id
) AS l
LEFT JOIN typed.tasks AS t ON t.id = l.task_id
LEFT JOIN typed.projects AS p ON p.id = t.project_id
WHERE chosen(t.project_id);
COMMENT ON VIEW links IS
'One row per link of a task with a commit (target: its sha) or a session (target: its id).';
