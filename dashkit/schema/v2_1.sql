-- The complete schema of version 2.1, as v1.0 plus the steps of migrations/v2_0.py and v2_1.py leave it (a test
-- compares the two). 25 tables, 18 indexes, 6 triggers. Changes of tasks and dependencies are recorded by triggers.
CREATE TABLE projects (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    status TEXT DEFAULT 'active',
    created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE phases (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    position INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    phase_id INTEGER REFERENCES phases(id) ON DELETE SET NULL,
    title TEXT NOT NULL,
    description TEXT,
    status TEXT DEFAULT 'pending',
    priority TEXT DEFAULT 'medium',
    created_at TEXT DEFAULT CURRENT_TIMESTAMP,
    completed_at TEXT,
    checked BOOLEAN DEFAULT FALSE,
    blocked_reason TEXT,
    complexity TEXT CHECK (complexity IS NULL OR complexity IN ('S', 'M', 'L', 'XL')),
    updated_at TEXT,
    external_id TEXT,
    kind TEXT,
    parent_id INTEGER REFERENCES tasks(id) ON DELETE SET NULL,
    labels TEXT,
    assignee TEXT,
    due_at TEXT,
    milestone TEXT
);
CREATE TABLE task_dependencies (
    task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
    depends_on_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
    PRIMARY KEY (task_id, depends_on_id)
);
-- Where a task was read from, and the values last read (image, JSON).
CREATE TABLE task_sources (
    task_id INTEGER PRIMARY KEY REFERENCES tasks(id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    external_id TEXT,
    heading_path TEXT,
    title_norm TEXT,
    ordinal INTEGER,
    image TEXT,
    seen_at TEXT,
    gone_at TEXT
);
-- What became of each task: only what changed, NULL = as before, '' = none. No foreign key: events outlive their task.
-- said_*: what the row said of its own times when an event inserted, checked or deleted it, as text.
CREATE TABLE task_events (
    event_id INTEGER PRIMARY KEY,
    task_id INTEGER NOT NULL,
    occurred_at TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    not_before TEXT,
    op TEXT NOT NULL,
    project_id INTEGER,
    status TEXT,
    checked BOOLEAN,
    blocked_reason TEXT,
    complexity TEXT,
    title TEXT,
    source TEXT,
    actor TEXT,
    on_day TEXT,
    said_created_at TEXT,
    said_completed_at TEXT
);
CREATE TABLE dependency_events (
    event_id INTEGER PRIMARY KEY,
    task_id INTEGER NOT NULL,
    depends_on_id INTEGER NOT NULL,
    op TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    not_before TEXT,
    source TEXT
);
-- One row; suspended is 0 at rest, and 1 inside the transaction that records late history. actor is NULL at rest, and
-- inside a transaction of dashkit's who makes the changes.
CREATE TABLE event_context (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    suspended INTEGER NOT NULL DEFAULT 0,
    actor TEXT
);
CREATE TABLE git_repos (
    id TEXT PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    name TEXT,
    remote_url TEXT,
    default_branch TEXT,
    created_at TEXT,
    UNIQUE (project_id, path)
);
CREATE TABLE git_commits (
    sha TEXT PRIMARY KEY,
    repo_id TEXT NOT NULL REFERENCES git_repos(id) ON DELETE CASCADE,
    author TEXT,
    author_email TEXT,
    message TEXT,
    timestamp TEXT,
    files_changed INTEGER,
    insertions INTEGER,
    deletions INTEGER,
    authored_at TEXT,
    is_merge BOOLEAN,
    recorded_at TEXT
);
CREATE TABLE git_repo_commits (
    repo_id TEXT NOT NULL REFERENCES git_repos(id) ON DELETE CASCADE,
    sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE,
    reachable BOOLEAN NOT NULL DEFAULT TRUE,
    PRIMARY KEY (repo_id, sha)
);
CREATE TABLE git_commit_paths (
    sha TEXT PRIMARY KEY REFERENCES git_commits(sha) ON DELETE CASCADE,
    paths TEXT NOT NULL
);
CREATE TABLE llm_sessions (
    id TEXT PRIMARY KEY,
    project_id INTEGER REFERENCES projects(id) ON DELETE CASCADE,
    summary TEXT,
    message_count INTEGER,
    started_at TEXT,
    ended_at TEXT,
    tool TEXT,
    parent_session_id TEXT,
    active_seconds REAL,
    prompt_count INTEGER,
    call_count INTEGER,
    subagent_call_count INTEGER,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_write_5m_tokens INTEGER,
    cache_write_1h_tokens INTEGER,
    cache_read_tokens INTEGER,
    cost_usd REAL,
    unpriced_calls INTEGER,
    price_table TEXT,
    output_complete BOOLEAN,
    model TEXT,
    git_branch TEXT,
    branch_count INTEGER,
    cwd TEXT,
    client_version TEXT,
    entrypoint TEXT,
    bad_lines INTEGER,
    repaired_lines INTEGER,
    recorded_at TEXT,
    file_gone_at TEXT,
    session_kind TEXT
);
CREATE TABLE llm_calls (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE,
    occurred_at TEXT,
    model TEXT,
    branch TEXT,
    cwd TEXT,
    is_sidechain BOOLEAN,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_write_5m_tokens INTEGER,
    cache_write_1h_tokens INTEGER,
    cache_read_tokens INTEGER,
    web_searches INTEGER,
    speed TEXT,
    tier TEXT,
    geo TEXT,
    cost_usd REAL,
    recorded_at TEXT
);
-- When somebody asked: ids and times, and no text.
CREATE TABLE llm_prompts (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE,
    occurred_at TEXT,
    branch TEXT,
    cwd TEXT,
    recorded_at TEXT
);
CREATE TABLE session_evidence (
    session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    role TEXT,
    rule TEXT,
    branch TEXT,
    PRIMARY KEY (session_id, kind, value, occurred_at)
);
CREATE TABLE task_commit_links (
    id TEXT PRIMARY KEY,
    task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
    commit_sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0),
    link_type TEXT NOT NULL,
    evidence TEXT,
    created_at TEXT,
    UNIQUE (task_id, commit_sha)
);
CREATE TABLE task_session_links (
    id TEXT PRIMARY KEY,
    task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
    session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0),
    link_type TEXT NOT NULL,
    evidence TEXT,
    created_at TEXT,
    UNIQUE (task_id, session_id)
);
CREATE TABLE commit_session_links (
    id TEXT PRIMARY KEY,
    commit_sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE,
    session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0),
    link_type TEXT NOT NULL,
    evidence TEXT,
    created_at TEXT,
    UNIQUE (commit_sha, session_id)
);
CREATE TABLE link_rejections (
    task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
    commit_sha TEXT,
    session_id TEXT,
    rejected_at TEXT NOT NULL,
    UNIQUE (task_id, commit_sha, session_id)
);
-- How far each source, repository and linker was read (value, JSON).
CREATE TABLE checkpoints (
    key TEXT PRIMARY KEY,
    value TEXT,
    updated_at TEXT
);
CREATE TABLE ingest_files (
    path TEXT PRIMARY KEY,
    size INTEGER,
    mtime_ns INTEGER,
    inode INTEGER,
    dev INTEGER,
    offset INTEGER,
    tail_digest TEXT,
    head_digest TEXT,
    bad INTEGER,
    first_seen TEXT,
    gone_at TEXT,
    session_id TEXT,
    repaired INTEGER
);
CREATE TABLE settings (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    updated_at TEXT,
    PRIMARY KEY (scope, key)
);
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    outcome TEXT,
    details TEXT
);
CREATE TABLE schema_migrations (
    version TEXT NOT NULL,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    checksum TEXT NOT NULL,
    duration_ms REAL,
    tool_version TEXT NOT NULL,
    backup TEXT,
    PRIMARY KEY (version, name)
);
CREATE INDEX idx_tasks_checked ON tasks (checked);
CREATE INDEX idx_tasks_status_blocked ON tasks (status) WHERE status = 'blocked';
CREATE INDEX idx_git_commits_repo_id ON git_commits (repo_id);
CREATE INDEX idx_git_commits_timestamp ON git_commits (timestamp);
CREATE INDEX idx_task_commit_links_task_id ON task_commit_links (task_id);
CREATE INDEX idx_task_commit_links_commit ON task_commit_links (commit_sha);
CREATE INDEX idx_task_session_links_task_id ON task_session_links (task_id);
CREATE INDEX idx_llm_sessions_project_id ON llm_sessions (project_id);
CREATE INDEX idx_tasks_parent_id ON tasks (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX idx_task_events_task ON task_events (task_id, occurred_at, event_id);
CREATE INDEX idx_task_events_op ON task_events (op, checked, occurred_at);
CREATE INDEX idx_dependency_events_task ON dependency_events (task_id, occurred_at, event_id);
CREATE INDEX idx_git_repo_commits_sha ON git_repo_commits (sha);
CREATE INDEX idx_llm_calls_session_id ON llm_calls (session_id);
CREATE INDEX idx_llm_prompts_session_id ON llm_prompts (session_id);
CREATE INDEX idx_session_evidence_value ON session_evidence (kind, value);
CREATE INDEX idx_task_session_links_session ON task_session_links (session_id);
CREATE INDEX idx_commit_session_links_session ON commit_session_links (session_id);
CREATE TRIGGER dashkit_task_insert
AFTER INSERT ON tasks
WHEN coalesce((SELECT suspended FROM event_context), 0) = 0
    AND NEW.id IS NOT NULL
BEGIN
    INSERT INTO task_events (
        task_id, occurred_at, recorded_at, op, project_id, status, checked, blocked_reason, complexity, title, source,
        actor, said_created_at, said_completed_at
    )
    VALUES (
        NEW.id,
        max(
            strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
            coalesce((SELECT max(occurred_at) FROM task_events WHERE task_id = NEW.id), '')
        ),
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        'insert',
        NEW.project_id,
        coalesce(NEW.status, ''),
        coalesce(NEW.checked, 0),
        coalesce(NEW.blocked_reason, ''),
        coalesce(NEW.complexity, ''),
        coalesce(NEW.title, ''),
        'trigger',
        (SELECT actor FROM event_context),
        CAST(NEW.created_at AS TEXT),
        CAST(NEW.completed_at AS TEXT)
    );
END;
CREATE TRIGGER dashkit_task_update
AFTER UPDATE OF project_id, status, checked, blocked_reason, complexity, title ON tasks
WHEN (OLD.project_id IS NOT NEW.project_id COLLATE BINARY
    OR OLD.status IS NOT NEW.status COLLATE BINARY
    OR OLD.checked IS NOT NEW.checked COLLATE BINARY
    OR OLD.blocked_reason IS NOT NEW.blocked_reason COLLATE BINARY
    OR OLD.complexity IS NOT NEW.complexity COLLATE BINARY
    OR OLD.title IS NOT NEW.title COLLATE BINARY)
    AND coalesce((SELECT suspended FROM event_context), 0) = 0
    AND NEW.id IS NOT NULL
BEGIN
    INSERT INTO task_events (
        task_id, occurred_at, recorded_at, op, project_id, status, checked, blocked_reason, complexity, title, source,
        actor, said_created_at, said_completed_at
    )
    VALUES (
        NEW.id,
        max(
            strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
            coalesce((SELECT max(occurred_at) FROM task_events WHERE task_id = NEW.id), '')
        ),
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        'update',
        CASE WHEN OLD.project_id IS NOT NEW.project_id COLLATE BINARY THEN NEW.project_id END,
        CASE WHEN OLD.status IS NOT NEW.status COLLATE BINARY THEN coalesce(NEW.status, '') END,
        CASE WHEN OLD.checked IS NOT NEW.checked COLLATE BINARY THEN coalesce(NEW.checked, 0) END,
        CASE WHEN OLD.blocked_reason IS NOT NEW.blocked_reason COLLATE BINARY THEN coalesce(NEW.blocked_reason, '') END,
        CASE WHEN OLD.complexity IS NOT NEW.complexity COLLATE BINARY THEN coalesce(NEW.complexity, '') END,
        CASE WHEN OLD.title IS NOT NEW.title COLLATE BINARY THEN coalesce(NEW.title, '') END,
        'trigger',
        (SELECT actor FROM event_context),
        CASE WHEN NEW.checked IS TRUE AND OLD.checked IS NOT TRUE THEN CAST(NEW.created_at AS TEXT) END,
        CASE WHEN NEW.checked IS TRUE AND OLD.checked IS NOT TRUE THEN CAST(NEW.completed_at AS TEXT) END
    );
END;
CREATE TRIGGER dashkit_task_delete
AFTER DELETE ON tasks
WHEN coalesce((SELECT suspended FROM event_context), 0) = 0
    AND OLD.id IS NOT NULL
BEGIN
    INSERT INTO task_events (
        task_id, occurred_at, recorded_at, op, project_id, status, checked, blocked_reason, complexity, title, source,
        actor, said_created_at, said_completed_at
    )
    VALUES (
        OLD.id,
        max(
            strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
            coalesce((SELECT max(occurred_at) FROM task_events WHERE task_id = OLD.id), '')
        ),
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        'delete',
        OLD.project_id,
        coalesce(OLD.status, ''),
        coalesce(OLD.checked, 0),
        coalesce(OLD.blocked_reason, ''),
        coalesce(OLD.complexity, ''),
        coalesce(OLD.title, ''),
        'trigger',
        (SELECT actor FROM event_context),
        CAST(OLD.created_at AS TEXT),
        CAST(OLD.completed_at AS TEXT)
    );
END;
CREATE TRIGGER dashkit_dependency_insert
AFTER INSERT ON task_dependencies
WHEN coalesce((SELECT suspended FROM event_context), 0) = 0
    AND NEW.task_id IS NOT NULL
    AND NEW.depends_on_id IS NOT NULL
BEGIN
    INSERT INTO dependency_events (task_id, depends_on_id, op, occurred_at, recorded_at, source)
    VALUES (
        NEW.task_id,
        NEW.depends_on_id,
        'add',
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        'trigger'
    );
END;
CREATE TRIGGER dashkit_dependency_delete
AFTER DELETE ON task_dependencies
WHEN coalesce((SELECT suspended FROM event_context), 0) = 0
    AND OLD.task_id IS NOT NULL
    AND OLD.depends_on_id IS NOT NULL
BEGIN
    INSERT INTO dependency_events (task_id, depends_on_id, op, occurred_at, recorded_at, source)
    VALUES (
        OLD.task_id,
        OLD.depends_on_id,
        'remove',
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
        'trigger'
    );
END;
CREATE TRIGGER dashkit_repo_delete
BEFORE DELETE ON git_repos
BEGIN
    UPDATE git_commits
    SET repo_id = (SELECT repo_id FROM git_repo_commits WHERE sha = git_commits.sha AND repo_id <> OLD.id LIMIT 1)
    WHERE repo_id = OLD.id
        AND EXISTS (SELECT repo_id FROM git_repo_commits WHERE sha = git_commits.sha AND repo_id <> OLD.id);
END;
