-- The complete schema of version 2.0, as v1.0 plus the steps of migrations/v2_0.py leave it (a test compares the two).
-- 10 tables, 8 indexes. `tasks.checked` is the source of truth for completion; `status` is workflow state.
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
    updated_at TEXT
);
CREATE TABLE task_dependencies (
    task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
    depends_on_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
    PRIMARY KEY (task_id, depends_on_id)
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
    deletions INTEGER
);
CREATE TABLE llm_sessions (
    id TEXT PRIMARY KEY,
    project_id INTEGER REFERENCES projects(id) ON DELETE CASCADE,
    summary TEXT,
    message_count INTEGER,
    started_at TEXT,
    ended_at TEXT
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
