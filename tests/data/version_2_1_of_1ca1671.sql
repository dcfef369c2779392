CREATE TABLE commit_session_links (id TEXT PRIMARY KEY, commit_sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE, session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE, confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0), link_type TEXT NOT NULL, evidence TEXT, created_at TEXT, UNIQUE (commit_sha, session_id));
CREATE TABLE dependency_events (event_id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL, depends_on_id INTEGER NOT NULL, op TEXT NOT NULL, occurred_at TEXT NOT NULL, recorded_at TEXT NOT NULL, not_before TEXT, source TEXT);
INSERT INTO "dependency_events" VALUES(1,3,2,'baseline','2026-02-03T18:20:37.947Z','2026-02-03T18:20:37.947Z',NULL,'baseline');
INSERT INTO "dependency_events" VALUES(2,3,2,'remove','2026-02-03T18:20:39.980Z','2026-02-03T18:20:39.980Z',NULL,'trigger');
CREATE TABLE event_context (id INTEGER PRIMARY KEY CHECK (id = 1), suspended INTEGER NOT NULL DEFAULT 0);
INSERT INTO "event_context" VALUES(1,0);
CREATE TABLE git_commit_paths (sha TEXT PRIMARY KEY REFERENCES git_commits(sha) ON DELETE CASCADE, paths TEXT NOT NULL);
INSERT INTO "git_commit_paths" VALUES('1afd8670c201e641855f75d45d77fcff308e8253','["TODO.md"]');
INSERT INTO "git_commit_paths" VALUES('57d965f5f9e8e10587fd9102a703348812a37b49','["TODO.md"]');
INSERT INTO "git_commit_paths" VALUES('08f1caec45b5f1796cbf1875a8a191e8e309b7ae','["TODO.md"]');
INSERT INTO "git_commit_paths" VALUES('e6ce9421278dce170a8498f487d04ce3c6acd1a6','["TODO.md"]');
CREATE TABLE git_commits (sha TEXT PRIMARY KEY, repo_id TEXT NOT NULL REFERENCES git_repos(id) ON DELETE CASCADE, author TEXT, author_email TEXT, message TEXT, timestamp TEXT, files_changed INTEGER, insertions INTEGER, deletions INTEGER, authored_at TEXT, is_merge BOOLEAN, recorded_at TEXT);
INSERT INTO "git_commits" VALUES('1afd8670c201e641855f75d45d77fcff308e8253','888fb840-1cf3-5737-8c9f-2ea2622989d6','Ann','ann@example.org','Plan the shop','2026-01-05T10:00:00.000Z',1,5,0,'2026-01-05T10:00:00.000Z',0,'2026-02-03T18:20:38.551Z');
INSERT INTO "git_commits" VALUES('57d965f5f9e8e10587fd9102a703348812a37b49','888fb840-1cf3-5737-8c9f-2ea2622989d6','Ann','ann@example.org','Draw it

Closes SHOP-1','2026-01-12T10:00:00.000Z',1,5,1,'2026-01-12T10:00:00.000Z',0,'2026-02-03T18:20:38.551Z');
INSERT INTO "git_commits" VALUES('08f1caec45b5f1796cbf1875a8a191e8e309b7ae','888fb840-1cf3-5737-8c9f-2ea2622989d6','Ann','ann@example.org','Think of the opening (SHOP-5)','2026-01-26T10:00:00.000Z',1,1,0,'2026-01-26T10:00:00.000Z',0,'2026-02-03T18:20:39.530Z');
INSERT INTO "git_commits" VALUES('e6ce9421278dce170a8498f487d04ce3c6acd1a6','888fb840-1cf3-5737-8c9f-2ea2622989d6','Ann','ann@example.org','SHOP-2: order oak','2026-01-19T10:00:00.000Z',1,2,2,'2026-01-19T10:00:00.000Z',0,'2026-02-03T18:20:39.530Z');
CREATE TABLE git_repo_commits (repo_id TEXT NOT NULL REFERENCES git_repos(id) ON DELETE CASCADE, sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE, reachable BOOLEAN NOT NULL DEFAULT TRUE, PRIMARY KEY (repo_id, sha));
INSERT INTO "git_repo_commits" VALUES('888fb840-1cf3-5737-8c9f-2ea2622989d6','1afd8670c201e641855f75d45d77fcff308e8253',1);
INSERT INTO "git_repo_commits" VALUES('888fb840-1cf3-5737-8c9f-2ea2622989d6','57d965f5f9e8e10587fd9102a703348812a37b49',1);
INSERT INTO "git_repo_commits" VALUES('888fb840-1cf3-5737-8c9f-2ea2622989d6','08f1caec45b5f1796cbf1875a8a191e8e309b7ae',1);
INSERT INTO "git_repo_commits" VALUES('888fb840-1cf3-5737-8c9f-2ea2622989d6','e6ce9421278dce170a8498f487d04ce3c6acd1a6',1);
CREATE TABLE git_repos (id TEXT PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE, path TEXT NOT NULL, name TEXT, remote_url TEXT, default_branch TEXT, created_at TEXT, refs TEXT, UNIQUE (project_id, path));
INSERT INTO "git_repos" VALUES('888fb840-1cf3-5737-8c9f-2ea2622989d6',1,'/srv/demo/shop','shop',NULL,'main','2026-02-03T18:20:38.551Z','{"cuts": "", "refs": {"refs/heads/main": "08f1caec45b5f1796cbf1875a8a191e8e309b7ae"}, "since": null, "started": [], "uncounted": 0}');
CREATE TABLE ingest_files (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER, dev INTEGER, offset INTEGER, tail_digest TEXT, head_digest TEXT, bad INTEGER, first_seen TEXT, gone_at TEXT);
INSERT INTO "ingest_files" VALUES('tasks:1:TODO.md',NULL,NULL,NULL,NULL,NULL,'{"commit": "08f1caec45b5f1796cbf1875a8a191e8e309b7ae", "repository": "/srv/demo/shop/.git", "at": "2026-01-26T10:00:00.000Z", "kind": "tasklist"}',NULL,NULL,'2026-02-03T18:20:38.423Z',NULL);
INSERT INTO "ingest_files" VALUES('links:1',NULL,NULL,NULL,NULL,NULL,'{"digest": "6091b668eee55d81889307aaeffdbf7a9083200b3d55694efb79286241277ef9", "read": [4, 4, 81], "links": 3, "unclear": 0}',NULL,NULL,'2026-02-03T18:20:38.641Z',NULL);
CREATE TABLE link_rejections (task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE, commit_sha TEXT, session_id TEXT, rejected_at TEXT NOT NULL, UNIQUE (task_id, commit_sha, session_id));
CREATE TABLE llm_calls (id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE, occurred_at TEXT, model TEXT, branch TEXT, cwd TEXT, is_sidechain BOOLEAN, input_tokens INTEGER, output_tokens INTEGER, cache_write_5m_tokens INTEGER, cache_write_1h_tokens INTEGER, cache_read_tokens INTEGER, web_searches INTEGER, speed TEXT, tier TEXT, geo TEXT, cost_usd REAL, recorded_at TEXT);
CREATE TABLE llm_sessions (id TEXT PRIMARY KEY, project_id INTEGER REFERENCES projects(id) ON DELETE CASCADE, summary TEXT, message_count INTEGER, started_at TEXT, ended_at TEXT, tool TEXT, parent_session_id TEXT, active_seconds REAL, prompt_count INTEGER, call_count INTEGER, tool_count INTEGER, subagent_call_count INTEGER, compaction_count INTEGER, input_tokens INTEGER, output_tokens INTEGER, cache_write_5m_tokens INTEGER, cache_write_1h_tokens INTEGER, cache_read_tokens INTEGER, cost_usd REAL, unpriced_calls INTEGER, price_table TEXT, output_complete BOOLEAN, model TEXT, git_branch TEXT, branch_count INTEGER, cwd TEXT, client_version TEXT, entrypoint TEXT, bad_lines INTEGER, repaired_lines INTEGER, recorded_at TEXT, file_gone_at TEXT);
CREATE TABLE phases (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    position INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "phases" VALUES(1,1,'Shop',1);
INSERT INTO "phases" VALUES(2,1,'Later',2);
CREATE TABLE projects (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    status TEXT DEFAULT 'active',
    created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO "projects" VALUES(1,'shop',NULL,'active','2026-01-02 09:00:00');
CREATE TABLE runs (id TEXT PRIMARY KEY, kind TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, outcome TEXT, details TEXT);
INSERT INTO "runs" VALUES('d0ccc944-93d9-4a24-b191-30d9cd875d3c','ingest tasks','2026-02-03T18:20:38.422Z','2026-02-03T18:20:38.475Z','done','{"added": 4, "files": 1, "project_id": 1, "versions": 3}');
INSERT INTO "runs" VALUES('f0013066-690f-4ac7-84f9-5f0d06ee4a06','ingest git','2026-02-03T18:20:38.551Z','2026-02-03T18:20:38.630Z','done','{"added": 2, "project_id": 1}');
INSERT INTO "runs" VALUES('dbf3a943-620d-4590-999e-91e22bdb78d2','link','2026-02-03T18:20:38.641Z','2026-02-03T18:20:38.643Z','done','{"added": 1, "project_id": 1, "total": 1}');
INSERT INTO "runs" VALUES('b5d5d5d4-a545-4576-8f43-83fb4f0d595b','scan','2026-02-03T18:20:38.422Z','2026-02-03T18:20:38.651Z','done','{"git": {"added": 2, "project_id": 1}, "links": {"added": 1, "project_id": 1, "total": 1}, "project_id": 1, "tasks": {"added": 4, "files": 1, "project_id": 1, "versions": 3}}');
INSERT INTO "runs" VALUES('ebb01fde-2a08-47a8-a60a-798b59444f91','ingest tasks','2026-02-03T18:20:39.418Z','2026-02-03T18:20:39.490Z','done','{"added": 2, "changed": 1, "files": 1, "gone": 1, "notes": 2, "project_id": 1, "versions": 3}');
INSERT INTO "runs" VALUES('40f40a50-31e1-41fb-973b-73d57982a914','ingest git','2026-02-03T18:20:39.530Z','2026-02-03T18:20:39.573Z','done','{"added": 2, "project_id": 1}');
INSERT INTO "runs" VALUES('d21737f4-aff7-4427-8389-d751e18af426','link','2026-02-03T18:20:39.576Z','2026-02-03T18:20:39.578Z','done','{"added": 2, "project_id": 1, "total": 3}');
INSERT INTO "runs" VALUES('90f09595-dedb-49b0-bcd2-65ae42bdf34f','scan','2026-02-03T18:20:39.418Z','2026-02-03T18:20:39.583Z','done','{"git": {"added": 2, "project_id": 1}, "links": {"added": 2, "project_id": 1, "total": 3}, "project_id": 1, "tasks": {"added": 2, "changed": 1, "files": 1, "gone": 1, "notes": 2, "project_id": 1, "versions": 3}}');
INSERT INTO "runs" VALUES('d040c923-b1e1-4f93-825c-fcfeafe9f128','ingest tasks','2026-02-03T18:20:40.498Z','2026-02-03T18:20:40.525Z','done','{"files": 1, "notes": 1, "project_id": 1, "versions": 1}');
INSERT INTO "runs" VALUES('333345aa-fb4f-4cfd-a28d-7ad24ec18683','ingest git','2026-02-03T18:20:40.542Z','2026-02-03T18:20:40.557Z','done','{"project_id": 1}');
INSERT INTO "runs" VALUES('4f43e190-4571-4925-aae2-45c022fe9811','link','2026-02-03T18:20:40.566Z','2026-02-03T18:20:40.585Z','done','{"project_id": 1, "total": 3}');
INSERT INTO "runs" VALUES('4b5d1151-7102-4e20-af74-66b9a7837f1b','scan','2026-02-03T18:20:40.497Z','2026-02-03T18:20:40.609Z','done','{"git": {"project_id": 1}, "links": {"project_id": 1, "total": 3}, "project_id": 1, "tasks": {"files": 1, "notes": 1, "project_id": 1, "versions": 1}}');
INSERT INTO "runs" VALUES('86c72e84-8ec9-43f8-b20c-c5918203522d','ingest tasks','2026-02-03T18:20:40.940Z','2026-02-03T18:20:40.963Z','done','{"files": 1, "notes": 1, "project_id": 1, "versions": 1}');
INSERT INTO "runs" VALUES('f722e1f8-92c8-4f8a-807d-37146e2be01a','ingest git','2026-02-03T18:20:41.011Z','2026-02-03T18:20:41.019Z','done','{"project_id": 1}');
INSERT INTO "runs" VALUES('6530ca6e-11ed-4be8-bac4-44a8a4eec58d','link','2026-02-03T18:20:41.031Z','2026-02-03T18:20:41.033Z','done','{"project_id": 1, "total": 3}');
INSERT INTO "runs" VALUES('8059fd82-e536-4967-82ca-5f97aa8fb7ea','scan','2026-02-03T18:20:40.939Z','2026-02-03T18:20:41.039Z','done','{"git": {"project_id": 1}, "links": {"project_id": 1, "total": 3}, "project_id": 1, "tasks": {"files": 1, "notes": 1, "project_id": 1, "versions": 1}}');
INSERT INTO "runs" VALUES('ecc595a5-4be6-49d2-93f9-06555e581fe1','ingest tasks','2026-02-03T18:20:41.482Z','2026-02-03T18:20:41.521Z','done','{"files": 1, "notes": 1, "project_id": 1, "versions": 1}');
INSERT INTO "runs" VALUES('804856ba-16b7-4730-b02b-927c31e8fc24','ingest git','2026-02-03T18:20:41.555Z','2026-02-03T18:20:41.574Z','done','{"project_id": 1}');
INSERT INTO "runs" VALUES('1f9c2d0e-76da-4c28-acad-7209b62b3241','link','2026-02-03T18:20:41.579Z','2026-02-03T18:20:41.584Z','done','{"project_id": 1, "total": 3}');
INSERT INTO "runs" VALUES('fd6be7fd-f814-4706-bcd8-d4f4777a1ba2','scan','2026-02-03T18:20:41.481Z','2026-02-03T18:20:41.591Z','done','{"git": {"project_id": 1}, "links": {"project_id": 1, "total": 3}, "project_id": 1, "tasks": {"files": 1, "notes": 1, "project_id": 1, "versions": 1}}');
CREATE TABLE schema_migrations (version TEXT NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL, checksum TEXT NOT NULL, duration_ms REAL, tool_version TEXT NOT NULL, backup TEXT, PRIMARY KEY (version, name));
INSERT INTO "schema_migrations" VALUES('2.0','tasks.checked','2026-02-03T18:20:37.947Z','364c2b32a2a7df98',8.52269999995769467204e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','tasks.blocked_reason','2026-02-03T18:20:37.947Z','0dcd7666e2c10a49',5.47310000911238603293e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','tasks.complexity','2026-02-03T18:20:37.947Z','43fb35e5d33dcde3',1.1261800000283983536e-01,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','tasks.updated_at','2026-02-03T18:20:37.947Z','0f4e72dd2ad6785e',5.0996000027225818485e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','git_repos','2026-02-03T18:20:37.947Z','5b2d78a26f046075',0.0413319999097439,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','git_commits','2026-02-03T18:20:37.947Z','32a596aafa611e88',2.78319998869847040623e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','llm_sessions','2026-02-03T18:20:37.947Z','6f9f70412f8005e5',2.67899999926157761365e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','task_commit_links','2026-02-03T18:20:37.947Z','655e0b8d86226024',3.50420000359008554369e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','task_session_links','2026-02-03T18:20:37.947Z','73491f18db68d551',3.14469998556887730956e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','idx_tasks_checked','2026-02-03T18:20:37.947Z','468f2cced5f05102',3.15770002998760901391e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','idx_tasks_status_blocked','2026-02-03T18:20:37.947Z','edae88681e79530d',2.2112999886303441599e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','idx_git_commits_repo_id','2026-02-03T18:20:37.947Z','f1eb9c5fbe4120c9',2.29939996643224731087e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','idx_git_commits_timestamp','2026-02-03T18:20:37.947Z','32f915870537d67d',1.99199998860422056168e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','idx_task_commit_links_task_id','2026-02-03T18:20:37.947Z','d266ba4ccef75e2a',1.66750000971660483628e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','idx_task_commit_links_commit','2026-02-03T18:20:37.947Z','7f7c5cd513623241',1.58729999384377151727e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','idx_task_session_links_task_id','2026-02-03T18:20:37.947Z','c088b31960893d0e',1.56329997480497695505e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','idx_llm_sessions_project_id','2026-02-03T18:20:37.947Z','ba8c56dece1b6c7d',0.0162839996846742,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','populate updated_at','2026-02-03T18:20:37.947Z','fb411f86b20c032c',1.6758999981902888976e-01,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.0','sync checked','2026-02-03T18:20:37.947Z','c1d4e1cc6d6c872e',1.6758999981902888976e-01,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','tasks.external_id','2026-02-03T18:20:37.947Z','110c6ebc9c24e7c2',1.0329399992770049721e-01,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','tasks.kind','2026-02-03T18:20:37.947Z','c35548109e95daa4',8.6830000327609013766e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','tasks.parent_id','2026-02-03T18:20:37.947Z','c83893081c99e0b3',8.1480999597260961309e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','tasks.labels','2026-02-03T18:20:37.947Z','fc76d2a353a2b2ff',8.05099998615332879126e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','idx_tasks_parent_id','2026-02-03T18:20:37.947Z','f366bb8b0234e601',3.39910002367105334997e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','task_sources','2026-02-03T18:20:37.947Z','5dbdf317afa7a8b7',5.74949999645468778908e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','task_events','2026-02-03T18:20:37.947Z','cc70c8a7946cce4f',3.05260000459384173154e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','dependency_events','2026-02-03T18:20:37.947Z','5f5b3e50180f15ca',2.28750000133004505187e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','event_context','2026-02-03T18:20:37.947Z','dc0390368895434d',2.26140000449959188699e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','idx_task_events_task','2026-02-03T18:20:37.947Z','be9d77c5c7f38bba',2.42769997385039459913e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','idx_dependency_events_task','2026-02-03T18:20:37.947Z','88d5607fbf488d93',2.01799998649221379309e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','event_context at rest','2026-02-03T18:20:37.947Z','bf8a71666309fd68',2.00499998754821717739e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','backfill arrivals','2026-02-03T18:20:37.947Z','2aa762c52bf51111',5.30289999005617573857e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','backfill completions','2026-02-03T18:20:37.947Z','d67438486200c9f8',1.25177000427356688305e-01,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','baseline of tasks','2026-02-03T18:20:37.947Z','5397691ddcb6a27d',2.26840002142125740647e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','baseline of dependencies','2026-02-03T18:20:37.947Z','c58a499e661f1034',1.76369999280723277479e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','dashkit_task_insert','2026-02-03T18:20:37.947Z','32544502715dbd80',6.17619998592999763786e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','dashkit_task_update','2026-02-03T18:20:37.947Z','9defce67307d1132',9.00939999155525583773e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','dashkit_task_delete','2026-02-03T18:20:37.947Z','6ea6a63781b4b336',4.74910002594697289168e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','dashkit_dependency_insert','2026-02-03T18:20:37.947Z','65288ea0d4d5eebe',2.93039997814048547297e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','dashkit_dependency_delete','2026-02-03T18:20:37.947Z','a1f477fd3bb6c0ea',2.69500001195410732179e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','git_commits.authored_at','2026-02-03T18:20:37.947Z','20d8addd66b48b8c',0.0776150000092457,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','git_commits.is_merge','2026-02-03T18:20:37.947Z','b9b3db50b0d34ed3',7.64740002523467410355e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','git_commits.recorded_at','2026-02-03T18:20:37.947Z','4d188f0acb9ba863',7.57530001465056557208e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','git_repos.refs','2026-02-03T18:20:37.947Z','ce75c6d62c11cd81',7.53829999666777439415e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','git_repo_commits','2026-02-03T18:20:37.947Z','16c020ec82894c43',3.76359998881525825709e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','git_commit_paths','2026-02-03T18:20:37.947Z','6370866836f35a82',2.43869999394519254565e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','idx_git_repo_commits_sha','2026-02-03T18:20:37.947Z','97b591d4ad4d9e43',1.80269998963922262191e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','dashkit_repo_delete','2026-02-03T18:20:37.947Z','d5823e4bfb5ebf8b',3.35199997607560362666e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.tool','2026-02-03T18:20:37.947Z','7ff131d59f1cd057',7.71849995544471312314e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.parent_session_id','2026-02-03T18:20:37.947Z','5fda198ef3fbf212',7.53319995965284761041e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.active_seconds','2026-02-03T18:20:37.947Z','e441ffdddda00bef',7.4892000156978610903e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.prompt_count','2026-02-03T18:20:37.947Z','cd2eecb9b436dad8',7.53519998397678136825e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.call_count','2026-02-03T18:20:37.947Z','afdf5fceff46a9e7',7.51719999243505299091e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.tool_count','2026-02-03T18:20:37.947Z','14e7e2ba3925caf2',7.43509999665548093616e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.subagent_call_count','2026-02-03T18:20:37.947Z','7e721aba79cc531f',7.39399997655709739774e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.compaction_count','2026-02-03T18:20:37.947Z','8095cfdff764b9cc',7.56429999455576762557e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.input_tokens','2026-02-03T18:20:37.947Z','4810096b89bc461f',7.63640000513987615704e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.output_tokens','2026-02-03T18:20:37.947Z','69dd0a3dd3b844b3',7.63640000513987615704e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.cache_write_5m_tokens','2026-02-03T18:20:37.947Z','b4eae0c51036f870',0.0791679999565531,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.cache_write_1h_tokens','2026-02-03T18:20:37.947Z','0ce6f695530624be',0.0773960000515217,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.cache_read_tokens','2026-02-03T18:20:37.947Z','db40544e448454d7',7.76649999352230224758e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.cost_usd','2026-02-03T18:20:37.947Z','3672d42f5b1c9311',7.75849998717603739351e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.unpriced_calls','2026-02-03T18:20:37.947Z','eff3da05ebc9c15e',7.73849997131037525832e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.price_table','2026-02-03T18:20:37.947Z','674aa8fbe259d438',7.76859997131396085023e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.output_complete','2026-02-03T18:20:37.947Z','706784326be9e36d',0.0775550001890224,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.model','2026-02-03T18:20:37.947Z','5ff9c121afc3cf6f',7.89169998824945650994e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.git_branch','2026-02-03T18:20:37.947Z','81546ccb5d504044',7.89280002209125086665e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.branch_count','2026-02-03T18:20:37.947Z','a7ea99fbeb3fc4ec',0.0789480000094045,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.cwd','2026-02-03T18:20:37.947Z','4b3208aa5d569690',7.8907999977673171088e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.client_version','2026-02-03T18:20:37.947Z','7fda8de2d4870588',8.04299997980706393718e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.entrypoint','2026-02-03T18:20:37.947Z','18d9be831bb0242e',7.96190001892682630568e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.bad_lines','2026-02-03T18:20:37.947Z','06e925a72f8727ca',0.0793280000834784,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.repaired_lines','2026-02-03T18:20:37.947Z','f15215b78ff1abe6',8.14410000202769879251e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.recorded_at','2026-02-03T18:20:37.947Z','df85085c93f63ea4',8.03500001893553417176e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_sessions.file_gone_at','2026-02-03T18:20:37.947Z','d76b29f80155b229',4.19917600038388627581e+00,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','llm_calls','2026-02-03T18:20:37.947Z','14592e5cc65066c0',3.47619998137815855443e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','session_evidence','2026-02-03T18:20:37.947Z','750291c5cad692e2',2.66699998974218033254e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','commit_session_links','2026-02-03T18:20:37.947Z','eb4a52b67ac5690d',8.28040001579211093485e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','idx_llm_calls_session_id','2026-02-03T18:20:37.947Z','d27f061238c3ed88',1.73759999597677960991e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','idx_commit_session_links_session','2026-02-03T18:20:37.947Z','5726629967d06864',2.18830000449088402092e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','ingest_files','2026-02-03T18:20:37.947Z','8086dfd84ad76e38',0.0538210001650441,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','link_rejections','2026-02-03T18:20:37.947Z','c8ba976c5b4b0241',6.6681299995252629742e-01,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','settings','2026-02-03T18:20:37.947Z','0b18827147bb2e60',4.4656000227405456826e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
INSERT INTO "schema_migrations" VALUES('2.1','runs','2026-02-03T18:20:37.947Z','b12b16f4a08fd013',2.85020000774238724261e-02,'0.1.0','dash.backup_20260203_182037_0001.db');
CREATE TABLE session_evidence (session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE, kind TEXT NOT NULL, value TEXT NOT NULL, occurred_at TEXT, PRIMARY KEY (session_id, kind, value));
CREATE TABLE settings (scope TEXT NOT NULL, key TEXT NOT NULL, value TEXT, updated_at TEXT, PRIMARY KEY (scope, key));
INSERT INTO "settings" VALUES('','time_zone','Europe/Zurich','2026-02-03T18:20:40.103Z');
CREATE TABLE task_commit_links (id TEXT PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE, commit_sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE, confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0), link_type TEXT NOT NULL, evidence TEXT, created_at TEXT, UNIQUE (task_id, commit_sha));
INSERT INTO "task_commit_links" VALUES('818f709a-edf5-5f62-931a-e69e45817810',4,'57d965f5f9e8e10587fd9102a703348812a37b49',1.0,'explicit','{"role": "closes", "rule": "id", "where": "message, line 3", "words": "SHOP-1"}','2026-02-03T18:20:38.641Z');
INSERT INTO "task_commit_links" VALUES('6b1bb2e4-d4ac-5a61-b385-3f6ed3515b59',9,'08f1caec45b5f1796cbf1875a8a191e8e309b7ae',1.0,'explicit','{"role": "refs", "rule": "id", "where": "message, line 1", "words": "SHOP-5"}','2026-02-03T18:20:39.575Z');
INSERT INTO "task_commit_links" VALUES('719aa666-3d7c-5c4a-a25f-a865f24e2ad9',5,'e6ce9421278dce170a8498f487d04ce3c6acd1a6',1.0,'explicit','{"role": "refs", "rule": "id", "where": "message, line 1", "words": "SHOP-2"}','2026-02-03T18:20:39.575Z');
CREATE TABLE task_dependencies (
    task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
    depends_on_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
    PRIMARY KEY (task_id, depends_on_id)
);
CREATE TABLE task_events (event_id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL, occurred_at TEXT NOT NULL, recorded_at TEXT NOT NULL, not_before TEXT, op TEXT NOT NULL, project_id INTEGER, status TEXT, checked BOOLEAN, blocked_reason TEXT, complexity TEXT, title TEXT, source TEXT);
INSERT INTO "task_events" VALUES(1,1,'2026-01-02T09:00:00.000Z','2026-02-03T18:20:37.947Z',NULL,'backfill',1,'pending',0,'','','Find a house','column:created_at');
INSERT INTO "task_events" VALUES(2,2,'2026-01-02T09:05:00.000Z','2026-02-03T18:20:37.947Z',NULL,'backfill',1,'pending',0,'','','Ask the council','column:created_at');
INSERT INTO "task_events" VALUES(3,3,'2026-01-02T09:06:00.000Z','2026-02-03T18:20:37.947Z',NULL,'backfill',1,'pending',0,'','','Print the cards','column:created_at');
INSERT INTO "task_events" VALUES(4,1,'2026-01-03T17:30:00.000Z','2026-02-03T18:20:37.947Z',NULL,'backfill',NULL,'completed',1,NULL,NULL,NULL,'column:completed_at');
INSERT INTO "task_events" VALUES(5,1,'2026-02-03T18:20:37.947Z','2026-02-03T18:20:37.947Z',NULL,'baseline',1,'completed',1,'','','Find a house','baseline');
INSERT INTO "task_events" VALUES(6,2,'2026-02-03T18:20:37.947Z','2026-02-03T18:20:37.947Z',NULL,'baseline',1,'blocked',0,'','','Ask the council','baseline');
INSERT INTO "task_events" VALUES(7,3,'2026-02-03T18:20:37.947Z','2026-02-03T18:20:37.947Z',NULL,'baseline',1,'pending',0,'','','Print the cards','baseline');
INSERT INTO "task_events" VALUES(8,4,'2026-01-05T10:00:00.000Z','2026-02-03T18:20:38.423Z',NULL,'baseline',1,'pending',0,'','','SHOP-1 Draw the plan','git:1afd8670c201e641855f75d45d77fcff308e8253');
INSERT INTO "task_events" VALUES(9,5,'2026-01-05T10:00:00.000Z','2026-02-03T18:20:38.423Z',NULL,'baseline',1,'pending',0,'','','SHOP-2 Order the wood','git:1afd8670c201e641855f75d45d77fcff308e8253');
INSERT INTO "task_events" VALUES(10,6,'2026-01-05T10:00:00.000Z','2026-02-03T18:20:38.423Z',NULL,'baseline',1,'pending',0,'','','Sweep the floor','git:1afd8670c201e641855f75d45d77fcff308e8253');
INSERT INTO "task_events" VALUES(11,4,'2026-01-12T10:00:00.000Z','2026-02-03T18:20:38.423Z','2026-01-05T10:00:00.000Z','update',NULL,'completed',1,NULL,NULL,NULL,'git:57d965f5f9e8e10587fd9102a703348812a37b49');
INSERT INTO "task_events" VALUES(12,7,'2026-01-12T10:00:00.000Z','2026-02-03T18:20:38.423Z','2026-01-05T10:00:00.000Z','insert',1,'pending',0,'','','SHOP-3 Paint the door','git:57d965f5f9e8e10587fd9102a703348812a37b49');
INSERT INTO "task_events" VALUES(13,3,'2026-02-03T18:20:38.816Z','2026-02-03T18:20:38.816Z',NULL,'update',NULL,NULL,1,NULL,NULL,NULL,'trigger');
INSERT INTO "task_events" VALUES(14,3,'2026-02-03T18:20:38.978Z','2026-02-03T18:20:38.978Z',NULL,'update',NULL,NULL,0,NULL,NULL,NULL,'trigger');
INSERT INTO "task_events" VALUES(15,7,'2026-02-03T18:20:39.116Z','2026-02-03T18:20:39.116Z',NULL,'update',NULL,'blocked',NULL,'no paint',NULL,NULL,'trigger');
INSERT INTO "task_events" VALUES(16,5,'2026-01-19T10:00:00.000Z','2026-02-03T18:20:39.419Z','2026-01-12T10:00:00.000Z','update',NULL,'completed',1,NULL,NULL,NULL,'git:e6ce9421278dce170a8498f487d04ce3c6acd1a6');
INSERT INTO "task_events" VALUES(17,8,'2026-01-19T10:00:00.000Z','2026-02-03T18:20:39.419Z','2026-01-12T10:00:00.000Z','insert',1,'pending',0,'','','SHOP-4 Hang the sign','git:e6ce9421278dce170a8498f487d04ce3c6acd1a6');
INSERT INTO "task_events" VALUES(18,6,'2026-01-19T10:00:00.000Z','2026-02-03T18:20:39.419Z','2026-01-12T10:00:00.000Z','gone',NULL,NULL,NULL,NULL,NULL,NULL,'git:e6ce9421278dce170a8498f487d04ce3c6acd1a6');
INSERT INTO "task_events" VALUES(19,9,'2026-01-26T10:00:00.000Z','2026-02-03T18:20:39.419Z','2026-01-19T10:00:00.000Z','insert',1,'pending',0,'','','SHOP-5 Open the shop','git:08f1caec45b5f1796cbf1875a8a191e8e309b7ae');
INSERT INTO "task_events" VALUES(20,8,'2026-02-03T18:20:39.678Z','2026-02-03T18:20:39.678Z',NULL,'update',NULL,NULL,NULL,NULL,'M',NULL,'trigger');
INSERT INTO "task_events" VALUES(21,8,'2026-02-03T18:20:39.770Z','2026-02-03T18:20:39.770Z',NULL,'update',NULL,'blocked',NULL,'no ladder',NULL,NULL,'trigger');
INSERT INTO "task_events" VALUES(22,8,'2026-02-03T18:20:39.932Z','2026-02-03T18:20:39.932Z',NULL,'update',NULL,'pending',NULL,'',NULL,NULL,'trigger');
INSERT INTO "task_events" VALUES(23,2,'2026-02-03T18:20:39.980Z','2026-02-03T18:20:39.980Z',NULL,'delete',1,'blocked',0,'','','Ask the council','trigger');
CREATE TABLE task_session_links (id TEXT PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE, session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE, confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0), link_type TEXT NOT NULL, evidence TEXT, created_at TEXT, UNIQUE (task_id, session_id));
CREATE TABLE task_sources (task_id INTEGER PRIMARY KEY REFERENCES tasks(id) ON DELETE CASCADE, source TEXT NOT NULL, external_id TEXT, heading_path TEXT, title_norm TEXT, ordinal INTEGER, image TEXT, seen_at TEXT, gone_at TEXT);
INSERT INTO "task_sources" VALUES(4,'TODO.md','SHOP-1','["Shop"]','shop-1 draw the plan',0,'{"title": "SHOP-1 Draw the plan", "status": "completed", "checked": 1, "blocked_reason": null, "phase": "Shop", "description": null, "priority": null, "kind": null, "labels": [], "parent": null, "depends_on": [], "accepted_at": null, "created_at": null}','2026-02-03T18:20:38.423Z',NULL);
INSERT INTO "task_sources" VALUES(5,'TODO.md','SHOP-2','["Shop"]','shop-2 order the wood',1,'{"title": "SHOP-2 Order the wood", "status": "completed", "checked": 1, "blocked_reason": null, "phase": "Shop", "description": null, "priority": null, "kind": null, "labels": [], "parent": null, "depends_on": [], "accepted_at": null, "created_at": null}','2026-02-03T18:20:39.419Z',NULL);
INSERT INTO "task_sources" VALUES(6,'TODO.md',NULL,'["Shop"]','sweep the floor',2,'{"title": "Sweep the floor", "status": "pending", "checked": 0, "blocked_reason": null, "phase": "Shop", "description": null, "priority": null, "kind": null, "labels": [], "parent": null, "depends_on": [], "accepted_at": null, "created_at": null, "committed": null}','2026-02-03T18:20:39.419Z','2026-01-19T10:00:00.000Z');
INSERT INTO "task_sources" VALUES(7,'TODO.md','SHOP-3','["Shop", "Later"]','shop-3 paint the door',2,'{"title": "SHOP-3 Paint the door", "status": "pending", "checked": 0, "blocked_reason": null, "phase": "Later", "description": null, "priority": null, "kind": null, "labels": [], "parent": null, "depends_on": [], "accepted_at": null, "created_at": null}','2026-02-03T18:20:39.419Z',NULL);
INSERT INTO "task_sources" VALUES(8,'TODO.md','SHOP-4','["Shop", "Later"]','shop-4 hang the sign',3,'{"title": "SHOP-4 Hang the sign", "status": "pending", "checked": 0, "blocked_reason": null, "phase": "Later", "description": null, "priority": null, "kind": null, "labels": [], "parent": null, "depends_on": [], "accepted_at": null, "created_at": null}','2026-02-03T18:20:39.419Z',NULL);
INSERT INTO "task_sources" VALUES(9,'TODO.md','SHOP-5','["Shop", "Later"]','shop-5 open the shop',4,'{"title": "SHOP-5 Open the shop", "status": "pending", "checked": 0, "blocked_reason": null, "phase": "Later", "description": null, "priority": null, "kind": null, "labels": [], "parent": null, "depends_on": [], "accepted_at": null, "created_at": null}','2026-02-03T18:20:39.419Z',NULL);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    phase_id INTEGER REFERENCES phases(id) ON DELETE SET NULL,
    title TEXT NOT NULL,
    description TEXT,
    status TEXT DEFAULT 'pending',
    priority TEXT DEFAULT 'medium',
    created_at TEXT DEFAULT CURRENT_TIMESTAMP,
    completed_at TEXT
, checked BOOLEAN DEFAULT FALSE, blocked_reason TEXT, complexity TEXT CHECK (complexity IS NULL OR complexity IN ('S', 'M', 'L', 'XL')), updated_at TEXT, external_id TEXT, kind TEXT, parent_id INTEGER REFERENCES tasks(id) ON DELETE SET NULL, labels TEXT);
INSERT INTO "tasks" VALUES(1,1,NULL,'Find a house',NULL,'completed','medium','2026-01-02 09:00:00','2026-01-03 17:30:00',1,NULL,NULL,'2026-01-02 09:00:00',NULL,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(3,1,NULL,'Print the cards',NULL,'pending','medium','2026-01-02 09:06:00',NULL,0,NULL,NULL,'2026-02-03T18:20:38.977Z',NULL,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(4,1,1,'SHOP-1 Draw the plan',NULL,'completed','medium','2026-01-05T10:00:00.000Z','2026-01-12T10:00:00.000Z',1,NULL,NULL,'2026-02-03T18:20:38.423Z','SHOP-1',NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(5,1,1,'SHOP-2 Order the wood',NULL,'completed','medium','2026-01-05T10:00:00.000Z','2026-01-19T10:00:00.000Z',1,NULL,NULL,'2026-02-03T18:20:39.419Z','SHOP-2',NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(6,1,1,'Sweep the floor',NULL,'pending','medium','2026-01-05T10:00:00.000Z',NULL,0,NULL,NULL,'2026-02-03T18:20:38.423Z',NULL,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(7,1,2,'SHOP-3 Paint the door',NULL,'blocked','medium','2026-01-12T10:00:00.000Z',NULL,0,'no paint',NULL,'2026-02-03T18:20:39.115Z','SHOP-3',NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(8,1,2,'SHOP-4 Hang the sign',NULL,'pending','medium','2026-01-19T10:00:00.000Z',NULL,0,NULL,'M','2026-02-03T18:20:39.927Z','SHOP-4',NULL,NULL,NULL);
INSERT INTO "tasks" VALUES(9,1,2,'SHOP-5 Open the shop',NULL,'pending','medium','2026-01-26T10:00:00.000Z',NULL,0,NULL,NULL,'2026-02-03T18:20:39.419Z','SHOP-5',NULL,NULL,NULL);
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
CREATE INDEX idx_dependency_events_task ON dependency_events (task_id, occurred_at, event_id);
CREATE INDEX idx_git_repo_commits_sha ON git_repo_commits (sha);
CREATE INDEX idx_llm_calls_session_id ON llm_calls (session_id);
CREATE INDEX idx_commit_session_links_session ON commit_session_links (session_id);
CREATE TRIGGER dashkit_task_insert AFTER INSERT ON tasks WHEN coalesce((SELECT suspended FROM event_context), 0) = 0 BEGIN INSERT INTO task_events (task_id, occurred_at, recorded_at, op, project_id, status, checked, blocked_reason, complexity, title, source) VALUES (NEW.id, max(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), coalesce((SELECT max(occurred_at) FROM task_events WHERE task_id = NEW.id), '')), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'insert', NEW.project_id, coalesce(NEW.status, ''), coalesce(NEW.checked, 0), coalesce(NEW.blocked_reason, ''), coalesce(NEW.complexity, ''), coalesce(NEW.title, ''), 'trigger'); END;
CREATE TRIGGER dashkit_task_update AFTER UPDATE OF project_id, status, checked, blocked_reason, complexity, title ON tasks WHEN (OLD.project_id IS NOT NEW.project_id COLLATE BINARY OR OLD.status IS NOT NEW.status COLLATE BINARY OR OLD.checked IS NOT NEW.checked COLLATE BINARY OR OLD.blocked_reason IS NOT NEW.blocked_reason COLLATE BINARY OR OLD.complexity IS NOT NEW.complexity COLLATE BINARY OR OLD.title IS NOT NEW.title COLLATE BINARY) AND coalesce((SELECT suspended FROM event_context), 0) = 0 BEGIN INSERT INTO task_events (task_id, occurred_at, recorded_at, op, project_id, status, checked, blocked_reason, complexity, title, source) VALUES (NEW.id, max(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), coalesce((SELECT max(occurred_at) FROM task_events WHERE task_id = NEW.id), '')), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'update', CASE WHEN OLD.project_id IS NOT NEW.project_id COLLATE BINARY THEN NEW.project_id END, CASE WHEN OLD.status IS NOT NEW.status COLLATE BINARY THEN coalesce(NEW.status, '') END, CASE WHEN OLD.checked IS NOT NEW.checked COLLATE BINARY THEN coalesce(NEW.checked, 0) END, CASE WHEN OLD.blocked_reason IS NOT NEW.blocked_reason COLLATE BINARY THEN coalesce(NEW.blocked_reason, '') END, CASE WHEN OLD.complexity IS NOT NEW.complexity COLLATE BINARY THEN coalesce(NEW.complexity, '') END, CASE WHEN OLD.title IS NOT NEW.title COLLATE BINARY THEN coalesce(NEW.title, '') END, 'trigger'); END;
CREATE TRIGGER dashkit_task_delete AFTER DELETE ON tasks WHEN coalesce((SELECT suspended FROM event_context), 0) = 0 BEGIN INSERT INTO task_events (task_id, occurred_at, recorded_at, op, project_id, status, checked, blocked_reason, complexity, title, source) VALUES (OLD.id, max(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), coalesce((SELECT max(occurred_at) FROM task_events WHERE task_id = OLD.id), '')), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'delete', OLD.project_id, coalesce(OLD.status, ''), coalesce(OLD.checked, 0), coalesce(OLD.blocked_reason, ''), coalesce(OLD.complexity, ''), coalesce(OLD.title, ''), 'trigger'); END;
CREATE TRIGGER dashkit_dependency_insert AFTER INSERT ON task_dependencies WHEN coalesce((SELECT suspended FROM event_context), 0) = 0 BEGIN INSERT INTO dependency_events (task_id, depends_on_id, op, occurred_at, recorded_at, source) VALUES (NEW.task_id, NEW.depends_on_id, 'add', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'trigger'); END;
CREATE TRIGGER dashkit_dependency_delete AFTER DELETE ON task_dependencies WHEN coalesce((SELECT suspended FROM event_context), 0) = 0 BEGIN INSERT INTO dependency_events (task_id, depends_on_id, op, occurred_at, recorded_at, source) VALUES (OLD.task_id, OLD.depends_on_id, 'remove', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'trigger'); END;
CREATE TRIGGER dashkit_repo_delete BEFORE DELETE ON git_repos BEGIN UPDATE git_commits SET repo_id = (SELECT repo_id FROM git_repo_commits WHERE sha = git_commits.sha AND repo_id <> OLD.id LIMIT 1) WHERE repo_id = OLD.id AND EXISTS (SELECT repo_id FROM git_repo_commits WHERE sha = git_commits.sha AND repo_id <> OLD.id); END;
