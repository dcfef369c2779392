"""The trends by hand, for analytics.py: SQL for DuckDB and SQLite, and pandas; weeks in UTC, all projects."""

import hashlib
import re

import numpy as np
import pandas as pd

# Each trend, and what of it is compared.
TRENDS = {
    "throughput": ["period_on", "finished", "finished_size"],
    "arrivals": ["period_on", "arrived", "finished", "left", "net_flow"],
    "cumulative_flow": ["period_on", "arrived", "started", "finished", "left"],
    "wip": ["period_on", "wip", "open"],
    "progress_over_time": ["period_on", "tasks", "checked", "size_total", "size_checked"],
    "blocked_over_time": ["period_on", "cause", "blocked", "entered", "left"],
    "cycle_times": ["task_id", "finished_at", "cycle_time_days"],
}
POINTS = "CASE complexity WHEN 'S' THEN 1 WHEN 'L' THEN 3 WHEN 'XL' THEN 5 ELSE 2 END"
WAITING_EVENTS = """
    SELECT *, lead(occurred_at) OVER (PARTITION BY task_id, life, depends_on_id, on_life ORDER BY occurred_at, event_id)
        AS ended_at
    FROM (
        SELECT
            *, (SELECT count(*) FROM deletions AS d WHERE d.task_id = e.task_id AND (d.recorded_at < e.recorded_at
                OR d.recorded_at = e.recorded_at AND e.op <> 'remove')) AS life,
            (SELECT count(*) FROM deletions AS d WHERE d.task_id = e.depends_on_id AND (d.recorded_at < e.recorded_at
                OR d.recorded_at = e.recorded_at AND e.op <> 'remove')) AS on_life
        FROM DEPENDENCY_EVENTS AS e WHERE occurred_at <= as_of()
    )
"""

# What was true of each task, from when to when.
DUCKDB = {
    "deletions": "SELECT task_id, event_id, recorded_at, row_number() OVER (PARTITION BY task_id ORDER BY event_id)"
    " AS lives FROM typed.task_events WHERE op = 'delete'",
    "states": """
        SELECT
            e.task_id, coalesce(d.lives, 0) AS life, e.op, e.occurred_at AS started_at,
            lead(e.occurred_at) OVER w AS ended_at, last_value(e.status IGNORE NULLS) OVER w AS status,
            coalesce(last_value(e.checked IGNORE NULLS) OVER w, false) AS checked,
            last_value(e.complexity IGNORE NULLS) OVER w AS complexity,
            coalesce(last_value(CASE e.op WHEN 'gone' THEN true WHEN 'back' THEN false END IGNORE NULLS) OVER w, false)
                AS away
        FROM typed.task_events AS e
        ASOF LEFT JOIN deletions AS d ON d.task_id = e.task_id AND d.event_id < e.event_id
        WHERE e.occurred_at <= as_of()
        WINDOW w AS (PARTITION BY e.task_id, coalesce(d.lives, 0) ORDER BY e.occurred_at, e.event_id)""",
}
SQLITE = {
    "deletions": "SELECT task_id, event_id, recorded_at FROM task_events WHERE op = 'delete'",
    "states": """
        SELECT
            task_id, life, op, occurred_at AS started_at, lead(occurred_at) OVER w AS ended_at,
            substr(max(place || status) OVER w, 37) AS status,
            coalesce(substr(max(place || checked) OVER w, 37), '0') = '1' AS checked,
            substr(max(place || complexity) OVER w, 37) AS complexity,
            coalesce(substr(max(place || CASE op WHEN 'gone' THEN '1' WHEN 'back' THEN '0' END) OVER w, 37), '0') = '1'
                AS away
        FROM (
            SELECT
                *, occurred_at || printf('%012d', event_id) AS place,
                (SELECT count(*) FROM deletions AS d WHERE d.task_id = e.task_id AND d.event_id < e.event_id) AS life
            FROM task_events AS e WHERE occurred_at <= as_of()
        )
        WINDOW w AS (PARTITION BY task_id, life ORDER BY occurred_at, event_id)""",
}
COMMON = {
    "intervals": """
        SELECT
            *, away AND NOT checked AS gone, status = 'blocked' AND NOT checked AND NOT away AS blocked,
            status = 'cancelled' AND NOT checked AND NOT away AS cancelled,
            NOT checked AND NOT away AND status <> 'cancelled' AS is_open
        FROM states WHERE op <> 'delete' AND started_at IS DISTINCT FROM ended_at""",
    "told": """
        SELECT
            *, checked OR status IN ('in_progress', 'review') AS is_started, cancelled OR gone AS has_left,
            coalesce(lag(checked) OVER w, false) AS was_checked,
            coalesce(lag(cancelled OR gone) OVER w, false) AS had_left,
            coalesce(lag(blocked) OVER w, false) AS was_blocked, coalesce(lag(is_open) OVER w, false) AS was_open,
            lead(started_at) OVER w IS NULL AS is_last
        FROM intervals WINDOW w AS (PARTITION BY task_id, life ORDER BY started_at)""",
    "flow": """
        SELECT
            task_id, life, min(started_at) AS arrived_at, min(started_at) FILTER (WHERE is_started) AS started_at,
            max(CASE WHEN is_last THEN complexity END) AS complexity,
            CASE WHEN max(is_last AND checked) THEN max(started_at) FILTER (WHERE checked AND NOT was_checked) END
                AS finished_at,
            CASE WHEN max(is_last AND has_left) THEN max(started_at) FILTER (WHERE has_left AND NOT had_left)
                 WHEN max(is_last AND ended_at IS NOT NULL AND NOT checked) THEN max(ended_at) END AS left_at
        FROM told GROUP BY task_id, life""",
    # Each change of what is open and of what is in work; a finish that did not last is one that left.
    "turns": """
        SELECT
            *, lag(started_at) OVER w IS NULL AS is_first, coalesce(lag(is_open) OVER w, false) AS was_open,
            coalesce(lag(is_final) OVER w, false) AS was_final, coalesce(lag(in_work) OVER w, false) AS was_in_work
        FROM (
            SELECT
                t.task_id, t.life, t.started_at, t.ended_at, t.is_open, t.is_last,
                t.is_open AND coalesce(f.started_at <= t.started_at, false) AS in_work,
                coalesce(t.started_at >= f.finished_at, false) AS is_final
            FROM told AS t JOIN flow AS f ON f.task_id = t.task_id AND f.life = t.life
        ) AS x WINDOW w AS (PARTITION BY task_id, life ORDER BY started_at)""",
    "steps": """
        SELECT 'arrived' AS kind, started_at AS instant FROM turns
        WHERE is_first OR (is_open OR is_final) AND NOT (was_open OR was_final)
        UNION ALL
        SELECT 'started', started_at FROM turns
        WHERE NOT was_in_work AND (
            in_work OR is_final AND NOT was_final OR (is_first OR was_open) AND NOT (is_open OR is_final))
        UNION ALL
        SELECT 'finished', started_at FROM turns WHERE is_final AND NOT was_final
        UNION ALL
        SELECT 'left', started_at FROM turns WHERE (is_first OR was_open) AND NOT (is_open OR is_final)
        UNION ALL
        SELECT 'started', ended_at FROM turns WHERE is_last AND is_open AND NOT in_work AND ended_at IS NOT NULL
        UNION ALL
        SELECT 'left', ended_at FROM turns WHERE is_last AND is_open AND ended_at IS NOT NULL""",
    "needs": f"SELECT * FROM ({WAITING_EVENTS}) AS e WHERE op <> 'remove'",
    "opened": """
        SELECT
            task_id, life, min(started_at) AS started_at,
            coalesce(CASE WHEN count(ended_at) = count(*) THEN max(ended_at) END, '9999-12-31') AS ended_at
        FROM (
            SELECT
                *, sum(CASE WHEN was_open THEN 0 ELSE 1 END) OVER (PARTITION BY task_id, life ORDER BY started_at) AS n
            FROM told
            WHERE is_open AND task_id IN (SELECT task_id FROM needs UNION ALL SELECT depends_on_id FROM needs)
        ) AS o GROUP BY task_id, life, n""",
    "waits": """
        SELECT task_id, life, min(started_at) AS started_at, max(ended_at) AS ended_at
        FROM (
            SELECT *, sum(starts) OVER (PARTITION BY task_id, life ORDER BY started_at, ended_at) AS island
            FROM (
                SELECT *, CASE WHEN started_at <= max(ended_at) OVER (
                    PARTITION BY task_id, life ORDER BY started_at, ended_at
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS starts
                FROM (
                    SELECT
                        t.task_id, t.life, greatest(p.occurred_at, t.started_at, d.started_at) AS started_at,
                        least(coalesce(p.ended_at, '9999-12-31'), t.ended_at, d.ended_at) AS ended_at
                    FROM needs AS p
                    JOIN opened AS t ON t.task_id = p.task_id AND t.life = p.life
                    JOIN opened AS d ON d.task_id = p.depends_on_id AND d.life = p.on_life
                ) AS x WHERE started_at < ended_at
            ) AS x
        ) AS x GROUP BY task_id, life, island""",
}
QUERIES = {
    "throughput": f"""
        SELECT w.week AS period_on, coalesce(n, 0) AS finished, coalesce(points, 0) AS finished_size
        FROM weeks AS w LEFT JOIN (
            SELECT week(finished_at) AS week, count(*) AS n, sum({POINTS}) AS points
            FROM flow WHERE finished_at IS NOT NULL GROUP BY 1
        ) AS f ON f.week = w.week ORDER BY 1""",
    "arrivals": """
        SELECT
            w.week AS period_on, coalesce(s.a, 0) AS arrived, coalesce(s.f, 0) AS finished, coalesce(s.l, 0) AS "left",
            coalesce(s.a - s.f - s.l, 0) AS net_flow
        FROM weeks AS w LEFT JOIN (
            SELECT week(instant) AS week, count(*) FILTER (WHERE kind = 'arrived') AS a,
                count(*) FILTER (WHERE kind = 'finished') AS f, count(*) FILTER (WHERE kind = 'left') AS l
            FROM steps GROUP BY 1
        ) AS s ON s.week = w.week ORDER BY 1""",
    "cumulative_flow": """
        SELECT
            w.week AS period_on, sum(s.a) OVER w AS arrived, coalesce(sum(s.b) OVER w, 0) AS started,
            coalesce(sum(s.f) OVER w, 0) AS finished, coalesce(sum(s.l) OVER w, 0) AS "left"
        FROM weeks AS w LEFT JOIN (
            SELECT week(instant) AS week, count(*) FILTER (WHERE kind = 'arrived') AS a,
                count(*) FILTER (WHERE kind = 'started') AS b, count(*) FILTER (WHERE kind = 'finished') AS f,
                count(*) FILTER (WHERE kind = 'left') AS l
            FROM steps GROUP BY 1
        ) AS s ON s.week = w.week WINDOW w AS (ORDER BY w.week) ORDER BY 1""",
    "wip": """
        SELECT w.week AS period_on, coalesce(sum(sum(s.wip)) OVER (ORDER BY w.week), 0) AS wip,
            coalesce(sum(sum(s.n)) OVER (ORDER BY w.week), 0) AS open
        FROM weeks AS w LEFT JOIN (
            SELECT
                week(i.started_at) AS week, count(*) AS n, count(*) FILTER (WHERE f.started_at <= i.started_at) AS wip
            FROM intervals AS i JOIN flow AS f ON f.task_id = i.task_id AND f.life = i.life WHERE i.is_open GROUP BY 1
            UNION ALL
            SELECT week(i.ended_at), -count(*), -count(*) FILTER (WHERE f.started_at <= i.started_at)
            FROM intervals AS i JOIN flow AS f ON f.task_id = i.task_id AND f.life = i.life
            WHERE i.is_open AND i.ended_at IS NOT NULL GROUP BY 1
        ) AS s ON s.week = w.week GROUP BY w.week ORDER BY 1""",
    "progress_over_time": f"""
        SELECT
            w.week AS period_on, coalesce(sum(sum(s.n)) OVER w, 0) AS tasks,
            coalesce(sum(sum(s.done)) OVER w, 0) AS checked,
            coalesce(sum(sum(s.points)) OVER w, 0) AS size_total, coalesce(sum(sum(s.made)) OVER w, 0) AS size_checked
        FROM weeks AS w LEFT JOIN (
            SELECT week(started_at) AS week, count(*) AS n, count(*) FILTER (WHERE checked) AS done,
                sum({POINTS}) AS points, coalesce(sum({POINTS}) FILTER (WHERE checked), 0) AS made
            FROM intervals WHERE is_open OR checked GROUP BY 1
            UNION ALL
            SELECT week(ended_at), -count(*), -count(*) FILTER (WHERE checked), -sum({POINTS}),
                -coalesce(sum({POINTS}) FILTER (WHERE checked), 0)
            FROM intervals WHERE (is_open OR checked) AND ended_at IS NOT NULL GROUP BY 1
        ) AS s ON s.week = w.week GROUP BY w.week WINDOW w AS (ORDER BY w.week) ORDER BY 1""",
    "blocked_over_time": """
        SELECT
            w.week AS period_on, c.cause, coalesce(sum(sum(s.entered - s.gone)) OVER w, 0) AS blocked,
            coalesce(sum(s.entered), 0) AS entered, coalesce(sum(s.gone), 0) AS "left"
        FROM weeks AS w CROSS JOIN (SELECT 'reported' AS cause UNION ALL SELECT 'waiting') AS c
        LEFT JOIN (
            SELECT 'reported' AS cause, week(started_at) AS week, count(*) FILTER (WHERE blocked) AS entered,
                count(*) FILTER (WHERE was_blocked) AS gone
            FROM told WHERE blocked <> was_blocked GROUP BY 2
            UNION ALL
            SELECT 'reported', week(ended_at), 0, count(*) FROM told
            WHERE is_last AND blocked AND ended_at IS NOT NULL GROUP BY 2
            UNION ALL
            SELECT 'waiting', week(started_at), count(*), 0 FROM waits GROUP BY 2
            UNION ALL
            SELECT 'waiting', week(ended_at), 0, count(*) FROM waits WHERE ended_at < '9999-01-01' GROUP BY 2
        ) AS s ON s.week = w.week AND s.cause = c.cause
        GROUP BY w.week, c.cause WINDOW w AS (PARTITION BY c.cause ORDER BY w.week) ORDER BY 1, 2""",
    "cycle_times": """
        SELECT
            f.task_id, t.project_id, p.name AS project, t.title, f.complexity, f.started_at, f.finished_at,
            CASE WHEN f.started_at < f.finished_at THEN days(f.finished_at, f.started_at) END AS cycle_time_days
        FROM flow AS f
        LEFT JOIN TASKS AS t ON t.id = f.task_id LEFT JOIN PROJECTS AS p ON p.id = t.project_id
        WHERE f.finished_at IS NOT NULL ORDER BY f.finished_at, f.task_id""",
}
DUCKDB_MACROS = """
    CREATE MACRO as_of() AS getvariable('as_of');
    CREATE MACRO week(x) AS CAST(date_trunc('week', x) AS DATE);
    CREATE MACRO days(a, b) AS (epoch_us(a) - epoch_us(b)) / 86400000000.0::DOUBLE
"""
DUCKDB_WEEKS = (
    "SELECT CAST(unnest(generate_series((SELECT date_trunc('week', min(arrived_at)) FROM flow), as_of(),"
    " INTERVAL 7 DAY)) AS DATE) AS week"
)
SQLITE_WEEKS = """
    SELECT week(min(arrived_at)) FROM flow
    UNION ALL SELECT date(week, '+7 days') FROM weeks WHERE date(week, '+7 days') <= week(as_of())
"""


def query(name, dialect):
    """The query of a trend: for DuckDB with all that it needs, for SQLite over the tables that are made once."""
    if dialect == "duckdb":
        parts = {**DUCKDB, **COMMON, "weeks": DUCKDB_WEEKS}
        made = ", ".join(f"{key} AS ({text})" for key, text in parts.items())
        sql = f"WITH {made} {QUERIES[name]}"
        for table in ("tasks", "projects", "dependency_events"):
            sql = sql.replace(table.upper(), f"typed.{table}")
        return sql
    return _sqlite(f"WITH RECURSIVE weeks(week) AS ({SQLITE_WEEKS}) {QUERIES[name]}")


def _sqlite(sql):
    sql = sql.replace("IS DISTINCT FROM", "IS NOT").replace("greatest(", "max(").replace("least(", "min(")
    sql = re.sub(r"days\(([\w.]+), ([\w.]+)\)", r"(julianday(\1) - julianday(\2))", sql)
    sql = re.sub(r"\bweek\((CASE .*? END|min\(\w+\)|as_of\(\)|[\w.]+)\)", r"date(\1, 'weekday 0', '-6 days')", sql)
    return (
        sql.replace("DEPENDENCY_EVENTS", "dependency_events").replace("TASKS", "tasks").replace("PROJECTS", "projects")
    )


SQLITE_INTERVALS = ";".join(
    f"CREATE TEMP TABLE {name} AS {_sqlite(text)}"
    + ("; CREATE INDEX temp.deletions_task ON deletions (task_id)" if name == "deletions" else "")
    + (f"; CREATE INDEX temp.{name}_task ON {name} (task_id, life)" if name in ("flow", "opened") else "")
    for name, text in {**SQLITE, **COMMON}.items()
)


class Pandas:
    """The same in pandas; the rows of a trend come from one reading of the events."""

    def __init__(self, conn, as_of):
        columns = "task_id, event_id, occurred_at, op, status, checked, complexity"
        sql = f"SELECT {columns} FROM task_events WHERE occurred_at <= ?"
        self.events = self._typed(pd.read_sql(sql, conn, params=[as_of]))
        self.needs = self._typed(
            pd.read_sql("SELECT * FROM dependency_events WHERE occurred_at <= ?", conn, params=[as_of])
        )
        self.tasks = pd.read_sql(
            "SELECT t.id AS task_id, t.title, p.name AS project"
            " FROM tasks AS t JOIN projects AS p ON p.id = t.project_id",
            conn,
        )
        self.as_of = pd.Timestamp(as_of).tz_localize(None)

    @staticmethod
    def _typed(frame):
        for column in frame.columns.intersection(["occurred_at", "recorded_at"]):
            frame[column] = pd.to_datetime(frame[column].str.rstrip("Z"), format="ISO8601").astype("datetime64[ms]")
        return frame

    def history(self):
        """Intervals and flow."""
        e = self.events.sort_values("event_id")
        dead = (e["op"] == "delete").astype("int64")
        e["life"] = dead.groupby(e["task_id"]).cumsum() - dead
        self.deletions = e.loc[e["op"] == "delete", ["task_id", "life", "occurred_at"]]
        e = e.sort_values(["task_id", "life", "occurred_at", "event_id"])
        e["away"] = e["op"].map({"gone": 1.0, "back": 0.0})
        life = [e["task_id"], e["life"]]
        carried = ["status", "checked", "complexity", "away"]
        e[carried] = e.groupby(life, sort=False)[carried].ffill()
        e["ended_at"] = e.groupby(life, sort=False)["occurred_at"].shift(-1)
        e = e[(e["op"] != "delete") & (e["occurred_at"] != e["ended_at"])].rename(columns={"occurred_at": "started_at"})
        checked, away = e["checked"] == 1, e["away"] == 1
        e["checked"], e["gone"] = checked, away & ~checked
        e["blocked"] = (e["status"] == "blocked") & ~checked & ~away
        left = ((e["status"] == "cancelled") & ~checked) | e["gone"]
        e["is_open"] = ~checked & ~left
        e["size"] = e["complexity"].map({"S": 1, "L": 3, "XL": 5}).fillna(2).astype("int64")
        key = e["task_id"].to_numpy() * 64 + e["life"].to_numpy()
        first = np.r_[True, key[1:] != key[:-1]]
        last = np.r_[first[1:], True]

        def before(flags):
            return np.r_[False, flags.to_numpy()[:-1]] & ~first

        e["was_blocked"], e["was_open"], e["is_last"] = before(e["blocked"]), before(e["is_open"]), last
        started = e["started_at"].where(e["checked"] | e["status"].isin(["in_progress", "review"]))
        finished = e["started_at"].where(checked & ~before(checked))
        went = e["started_at"].where(left & ~before(left))
        parts = pd.DataFrame({"started_at": started, "finished_at": finished, "left_at": went}).groupby(key, sort=False)
        flow = parts.agg({"started_at": "min", "finished_at": "max", "left_at": "max"})
        flow["arrived_at"] = e["started_at"].to_numpy()[first]
        ends = e[last]
        flow["finished_at"] = flow["finished_at"].where(ends["checked"].to_numpy())
        deleted = ends["ended_at"].where(~ends["checked"]).to_numpy()
        flow["left_at"] = flow["left_at"].where(left.to_numpy()[last], deleted)
        flow["task_id"], flow["size"] = ends["task_id"].to_numpy(), ends["size"].to_numpy()
        e["key"] = key
        is_open, in_work = e["is_open"], e["is_open"] & (e["started_at"] >= flow["started_at"].reindex(key).to_numpy())
        final = e["started_at"] >= flow["finished_at"].reindex(key).to_numpy()
        was_final = before(final)
        leaves = (first | e["was_open"]) & ~(is_open | final)
        self.steps = {
            "arrived": first | ((is_open | final) & ~(e["was_open"] | was_final)),
            "started": (in_work | (final & ~was_final) | leaves) & ~before(in_work),
            "finished": final & ~was_final,
            "left": leaves,
        }
        lost = e["is_last"] & is_open & e["ended_at"].notna()
        self.ends = {"started": lost & ~in_work, "left": lost}
        self.intervals, self.flow = e, flow
        self.weeks = pd.date_range(self._week(flow["arrived_at"]).min(), self.as_of, freq="7D")

    @staticmethod
    def _week(instants):
        days = instants.dropna().dt.normalize()
        return days - pd.to_timedelta(days.dt.dayofweek, unit="D")

    def _counted(self, instants, weights=None):
        weeks = self._week(instants)
        counts = weeks.value_counts() if weights is None else weights.loc[weeks.index].groupby(weeks).sum()
        return counts.reindex(self.weeks, fill_value=0).to_numpy()

    def _frame(self, **columns):
        return pd.DataFrame({"period_on": self.weeks, **columns})

    def throughput(self):
        """Finished in each week."""
        done = self.flow["finished_at"]
        return self._frame(finished=self._counted(done), finished_size=self._counted(done, self.flow["size"]))

    def _steps(self, kind):
        """The steps of a kind in each week."""
        found = [self.intervals.loc[self.steps[kind], "started_at"]]
        if kind in self.ends:
            found.append(self.intervals.loc[self.ends[kind], "ended_at"])
        return self._counted(pd.concat(found))

    def arrivals(self):
        """What came, and what went."""
        arrived, finished, left = map(self._steps, ("arrived", "finished", "left"))
        return self._frame(arrived=arrived, finished=finished, left=left, net_flow=arrived - finished - left)

    def cumulative_flow(self):
        """Up to each week."""
        kinds = ("arrived", "started", "finished", "left")
        return self._frame(**{kind: self._steps(kind).cumsum() for kind in kinds})

    def _standing(self, rows, weights=None):
        return (self._counted(rows["started_at"], weights) - self._counted(rows["ended_at"], weights)).cumsum()

    def wip(self):
        """In work and open at the end of each week."""
        rows = self.intervals[self.intervals["is_open"]]
        begun = self.flow["started_at"].reindex(rows["key"]).to_numpy()
        return self._frame(wip=self._standing(rows[begun <= rows["started_at"].to_numpy()]), open=self._standing(rows))

    def progress_over_time(self):
        """Done and in all, by count and size."""
        rows = self.intervals[self.intervals["is_open"] | self.intervals["checked"]]
        done = rows[rows["checked"]]
        return self._frame(
            tasks=self._standing(rows), checked=self._standing(done), size_total=self._standing(rows, rows["size"]),
            size_checked=self._standing(done, done["size"]),
        )  # fmt: skip

    def _waits(self):
        needs = self.needs.sort_values("event_id")
        for column, life in (("task_id", "life"), ("depends_on_id", "on_life")):
            pairs = needs[[column, "recorded_at", "event_id", "op"]].merge(
                self.deletions.rename(columns={"task_id": column}), on=column
            )
            then = (pairs["occurred_at"] < pairs["recorded_at"]) | (
                (pairs["occurred_at"] == pairs["recorded_at"]) & (pairs["op"] != "remove")
            )
            needs[life] = needs["event_id"].map(then.groupby(pairs["event_id"]).sum()).fillna(0).astype("int64")
        pair = ["task_id", "life", "depends_on_id", "on_life"]
        needs = needs.sort_values([*pair, "occurred_at", "event_id"])
        needs["ended_at"] = needs.groupby(pair)["occurred_at"].shift(-1)
        needs = needs[needs["op"] != "remove"]
        rows = self.intervals[self.intervals["is_open"]]
        rows = rows[rows["task_id"].isin(pd.concat([needs["task_id"], needs["depends_on_id"]]))]
        far = pd.Timestamp("2200-01-01")
        number = (~rows["was_open"]).groupby(rows["key"]).cumsum()
        opened = rows.assign(ended_at=rows["ended_at"].fillna(far)).groupby(["key", number], sort=False)
        opened = opened.agg({"started_at": "min", "ended_at": "max"}).reset_index(level=1, drop=True).reset_index()
        needs = needs.assign(
            key=needs["task_id"] * 64 + needs["life"], on=needs["depends_on_id"] * 64 + needs["on_life"]
        )
        needs["ended_at"] = needs["ended_at"].fillna(far)
        both = needs[["key", "on", "occurred_at", "ended_at"]].merge(opened, on="key", suffixes=("", "_t"))
        both = both.merge(opened.rename(columns={"key": "on"}), on="on", suffixes=("", "_d"))
        both["begun"] = both[["occurred_at", "started_at", "started_at_d"]].max(axis=1)
        both["past"] = both[["ended_at", "ended_at_t", "ended_at_d"]].min(axis=1)
        both = both[both["begun"] < both["past"]].sort_values(["key", "begun", "past"])
        seen = both.groupby("key")["past"].cummax().groupby(both["key"]).shift()
        island = (~(both["begun"] <= seen)).groupby(both["key"]).cumsum()
        return both.groupby(["key", island]).agg(started_at=("begun", "min"), ended_at=("past", "max"))

    def blocked_over_time(self):
        """Reported and waiting."""
        rows, waits = self.intervals, self._waits()
        began = rows["blocked"] & ~rows["was_blocked"]
        ended = rows["was_blocked"] & ~rows["blocked"]
        lost = rows.loc[rows["is_last"] & rows["blocked"], "ended_at"]
        entered = self._counted(rows.loc[began, "started_at"]), self._counted(waits["started_at"])
        left = (
            self._counted(pd.concat([rows.loc[ended, "started_at"], lost])),
            self._counted(waits.loc[waits["ended_at"] < pd.Timestamp("2200-01-01"), "ended_at"]),
        )
        found = [
            self._frame(cause=cause, blocked=(a - b).cumsum(), entered=a, left=b)
            for cause, a, b in zip(("reported", "waiting"), entered, left, strict=True)
        ]
        return pd.concat(found).sort_values(["period_on", "cause"])

    def cycle_times(self):
        """Of each finished task."""
        done = self.flow[self.flow["finished_at"].notna()].merge(self.tasks, on="task_id", how="left")
        took = (done["finished_at"] - done["started_at"]) / pd.Timedelta(days=1)
        done["cycle_time_days"] = took.where(done["started_at"] < done["finished_at"])
        return done.sort_values(["finished_at", "task_id"])


def plain(found):
    """An answer to compare: rows of plain values; of many rows their number and a digest."""
    if isinstance(found, pd.DataFrame):
        columns = [_values(found[name]) for name in found]
    else:  # of SQLite, where cycle_times has more
        columns = [list(values) for values in zip(*found, strict=True)]
        if len(columns) == 8:
            columns = [columns[0], columns[6], [_milliseconds(days) for days in columns[7]]]
    rows = list(zip(*columns, strict=True))
    if len(rows) < 1000:
        return [list(row) for row in rows]
    return [len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()]


def _values(column):
    if column.name == "cycle_time_days":
        return [None if pd.isna(days) else _milliseconds(days) for days in column]
    if column.dtype.kind == "M":
        column = column.dt.tz_localize(None) if getattr(column.dtype, "tz", None) else column
        if column.name == "period_on":
            return column.dt.strftime("%Y-%m-%d").tolist()
        return [f"{text}Z" for text in np.datetime_as_string(column.to_numpy(), unit="ms")]
    if column.name == "period_on":
        return [str(day)[:10] for day in column]
    return column.tolist() if column.name == "cause" else [int(value) for value in column]


def _milliseconds(days):
    return None if days is None else round(days * 86_400_000)
