"""The part of version 2.1 that reading fills: git in full, sessions, and how far everything was read."""

from dataclasses import replace

from dashkit.migrations import earlier
from dashkit.migrations.changes import CreateTrigger, Step
from dashkit.migrations.declarations import columns, index, table

_OTHER = "SELECT repo_id FROM git_repo_commits WHERE sha = git_commits.sha AND repo_id <> OLD.id"
_REPO_DELETED = "When a repository is deleted, its commits that also belong to another are kept there"
_SESSION = "session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE"

GIT = Step(
    "Extend git",
    (
        *columns("git_commits", "authored_at TEXT", "is_merge BOOLEAN", "recorded_at TEXT"),
        table(
            "git_repo_commits",
            "repo_id TEXT NOT NULL REFERENCES git_repos(id) ON DELETE CASCADE",
            "sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE",
            "reachable BOOLEAN NOT NULL DEFAULT TRUE",
            "PRIMARY KEY (repo_id, sha)",
        ),
        table(
            "git_commit_paths",
            "sha TEXT PRIMARY KEY REFERENCES git_commits(sha) ON DELETE CASCADE",
            "paths TEXT NOT NULL",
        ),
        index("idx_git_repo_commits_sha", "git_repo_commits", "sha"),
        CreateTrigger(
            "dashkit_repo_delete",
            _REPO_DELETED,
            _REPO_DELETED,
            "dashkit_repo_delete",
            "git_repos",
            f"BEFORE DELETE ON git_repos BEGIN UPDATE git_commits SET repo_id = ({_OTHER} LIMIT 1) "
            f"WHERE repo_id = OLD.id AND EXISTS ({_OTHER}); END",
        ),
    ),
)

_TOKENS = (
    "input_tokens INTEGER",
    "output_tokens INTEGER",
    "cache_write_5m_tokens INTEGER",
    "cache_write_1h_tokens INTEGER",
    "cache_read_tokens INTEGER",
)

SESSIONS = Step(
    "Extend sessions",
    (
        *columns(
            "llm_sessions",
            *["tool TEXT", "parent_session_id TEXT", "active_seconds REAL", "prompt_count INTEGER"],
            *["call_count INTEGER", "subagent_call_count INTEGER"],
            *_TOKENS,
            *["cost_usd REAL", "unpriced_calls INTEGER", "price_table TEXT", "output_complete BOOLEAN", "model TEXT"],
            *["git_branch TEXT", "branch_count INTEGER", "cwd TEXT", "client_version TEXT", "entrypoint TEXT"],
            *["bad_lines INTEGER", "repaired_lines INTEGER", "recorded_at TEXT", "file_gone_at TEXT"],
            "session_kind TEXT",
        ),
        table(
            "llm_calls",
            "id TEXT PRIMARY KEY",
            _SESSION,
            "occurred_at TEXT",
            "model TEXT",
            "branch TEXT",
            "cwd TEXT",
            "is_sidechain BOOLEAN",
            *_TOKENS,
            *["web_searches INTEGER", "speed TEXT", "tier TEXT", "geo TEXT", "cost_usd REAL", "recorded_at TEXT"],
        ),
        table(
            "llm_prompts",
            "id TEXT PRIMARY KEY",
            _SESSION,
            *["occurred_at TEXT", "branch TEXT", "cwd TEXT", "recorded_at TEXT"],
        ),
        replace(
            table(
                "session_evidence",
                _SESSION,
                "kind TEXT NOT NULL",
                "value TEXT NOT NULL",
                "occurred_at TEXT NOT NULL",
                *["role TEXT", "rule TEXT", "branch TEXT"],
                "PRIMARY KEY (session_id, kind, value, occurred_at)",
            ),
            replaces=earlier.WORDS["session_evidence"],
            carried="occurred_at IS NOT NULL",
        ),
        table(
            "commit_session_links",
            "id TEXT PRIMARY KEY",
            "commit_sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE",
            _SESSION,
            "confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0)",
            "link_type TEXT NOT NULL",
            "evidence TEXT",
            "created_at TEXT",
            "UNIQUE (commit_sha, session_id)",
        ),
        index("idx_llm_calls_session_id", "llm_calls", "session_id"),
        index("idx_llm_prompts_session_id", "llm_prompts", "session_id"),
        index("idx_session_evidence_value", "session_evidence", "kind, value"),
        index("idx_task_session_links_session", "task_session_links", "session_id"),
        index("idx_commit_session_links_session", "commit_session_links", "session_id"),
    ),
)

HOUSE = Step(
    "Create what keeps the house",
    (
        table("checkpoints", "key TEXT PRIMARY KEY", "value TEXT", "updated_at TEXT"),
        table(
            "ingest_files",
            *["path TEXT PRIMARY KEY", "size INTEGER", "mtime_ns INTEGER", "inode INTEGER", "dev INTEGER"],
            *["offset INTEGER", "tail_digest TEXT", "head_digest TEXT", "bad INTEGER"],
            *["first_seen TEXT", "gone_at TEXT"],
        ),
        *columns("ingest_files", "session_id TEXT", "repaired INTEGER"),
        table(
            "link_rejections",
            "task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE",
            "commit_sha TEXT",
            "session_id TEXT",
            "rejected_at TEXT NOT NULL",
            "UNIQUE (task_id, commit_sha, session_id)",
        ),
        table(
            "settings",
            *["scope TEXT NOT NULL", "key TEXT NOT NULL", "value TEXT", "updated_at TEXT"],
            "PRIMARY KEY (scope, key)",
        ),
        table(
            "runs",
            *["id TEXT PRIMARY KEY", "kind TEXT NOT NULL", "started_at TEXT NOT NULL"],
            *["finished_at TEXT", "outcome TEXT", "details TEXT"],
        ),
    ),
)
