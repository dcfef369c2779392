"""Findings about what the database is made of: damage, our own tables, indexes and triggers, and names of tables."""

import re
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import suppress

from dashkit import connection, migrations
from dashkit.doctor.findings import Finding, State, sql
from dashkit.doctor.promises import Promises
from dashkit.errors import DashkitError
from dashkit.migrations import engine, inherited, mends, names, obstacles, requirements, shape, texts, verify
from dashkit.migrations.changes import AddColumn, CreateIndex, CreateTable, CreateTrigger
from dashkit.migrations.lost import Lost
from dashkit.migrations.names import Misnamed
from dashkit.migrations.obstacles import Choice, Way
from dashkit.migrations.surveys import Item, Survey
from dashkit.store import orphans, values
from dashkit.texts import by_sqlite3

_NAMED = 4  # changes of a version that came later
_NOTES = {
    "in other words": "It means the same. ",
    " refuses ": "Where somebody gives such a value, that is refused, and the message names the condition. ",
    " is there already, ": "dashkit itself writes no other values. ",
    " has default ": "Rows that another program adds have that value. ",
}
Obstacle = tuple[str, str]  # why something is in the way, and what people have to do about it
_OF_ROWS = re.compile(r"(?:CHECK constraint failed in|NULL value in) (\S+?)(?:\.(\S+))?")


def integrity(conn: sqlite3.Connection, promises: Promises) -> Iterator[Finding]:
    """Damage; and rows that break the conditions of their table, which another program can write at will."""
    lines = verify.damage_of(conn)
    of_rows = {line: match for line in lines if (match := _OF_ROWS.fullmatch(line))}
    damage = [line for line in lines if line not in of_rows]
    if damage:
        yield Finding("integrity", "wrong", "; ".join(damage), _of_damage(promises))
        return
    yield Finding("integrity", "good", "every page and index is sound")
    if of_rows:
        remedies = dict.fromkeys(one for match in of_rows.values() for one in _of_rows(conn, match[1], match[2] or ""))
        yield Finding("conditions", "wrong", "; ".join(of_rows), " ".join(remedies))


def _of_damage(promises: Promises) -> str:
    """Where the rows are sound their indexes can be made anew; else what can be read is saved."""
    with suppress(DashkitError, sqlite3.Error), promises.copy() as trial:
        trial.execute("REINDEX")
        if not verify.damage_of(trial):
            return "Run this SQL: `REINDEX;`. It makes all indexes anew from the rows. Then look again for the rest."
    new = promises.path.with_name(f"{promises.path.stem}.saved.db")
    return (
        f"Stop what writes to it. Run `{by_sqlite3(promises.path, 'clone', new)}`, which saves what can be read into "
        f"another file, and look at that: `dashkit doctor --db {shlex.quote(str(new))}`. Compare it with the newest "
        "backup."
    )


def _of_rows(conn: sqlite3.Connection, table: str, column: str) -> Iterator[str]:
    """What to do about rows that break a condition of their table: what is ours has a statement of its own."""
    _, _, text = shape.owner(conn, table) or ("", "", "")
    ours = {rule.where: rule for rule in values.RULES}
    conditions = [f"{shape.quoted(column)} IS NULL"] if column else []
    conditions += [] if column else [f"NOT ({condition})" for condition in texts.checks(text or "")]
    for condition in conditions:
        listing = f"SELECT * FROM {shape.quoted(table)} WHERE {condition}"  # noqa: S608 - of the schema
        if not conn.execute(f"{listing} LIMIT 1").fetchall():
            continue
        columns = [word.name for word in texts.words(condition) if f"{table}.{word.name}" in ours]
        if columns:
            yield f"Run this SQL: {sql(ours[f'{table}.{columns[0]}'].statement)}."
        else:
            yield f"This SQL shows the rows: {sql(listing)}. Give each of them a value that the table allows."


class Objects:
    """Our own objects: what the database's version has and is missing, and what is in the way of it or a later one."""

    def __init__(self, conn: sqlite3.Connection, standing: migrations.Status, promises: Promises) -> None:
        self._conn, self._standing, self._promises = conn, standing, promises
        self._survey, self._wrong = engine.survey(conn, migrations.VERSIONS), names.find(conn)
        self._survey = self._survey._replace(inherited=inherited.find(conn, promises.path))
        self._gone = [
            name
            for number, names_of in standing.pending
            if self._is_reached(number)
            for name in names_of
            if name not in standing.grown
        ]
        self._blocking, self._ways, self._beside = self._in_the_way()
        self._above = ""

    def findings(self) -> Iterator[Finding]:
        """All of them."""
        yield from self._version()
        yield from self._obstacles()
        yield from self._triggers()
        yield from self._missing()
        yield from (self._misnamed(one) for one in self._wrong if one.name.lower() not in self._gone)
        yield from self._declarations()
        if self._standing.unrecorded and self._standing.version != "1.0":
            found = f"there but not recorded: {', '.join(self._standing.unrecorded)}"
            yield Finding("records", "note", found, self._mended("records them"))

    def _is_reached(self, number: str) -> bool:
        return engine.number(number) <= engine.number(self._standing.version)

    def _mended(self, what: str) -> str:
        """What `dashkit migrate --execute` does; behind what is in the way it is said once."""
        return self._above or self._promises.migration(what)

    def _in_the_way(self) -> tuple[list[Item], list[Way], list[Obstacle]]:
        """What is in the way where names of tables are right, the statements for it, and what no statement mends."""
        if any(one.meant for one in self._wrong):
            with suppress(DashkitError, sqlite3.Error), self._promises.copy() as trial:  # without room it is guessed
                with connection.transaction(trial):
                    mends.of_names(trial)
                return _obstacles(trial, engine.survey(trial, migrations.VERSIONS))
        return _obstacles(self._conn, self._survey)

    def _version(self) -> Iterator[Finding]:
        """Which version it is, and which there are."""
        standing = self._standing
        later = [number for number, names_of in standing.pending if names_of and not self._is_reached(number)]
        if standing.newer:
            newest = migrations.VERSIONS[-1].number
            found = f"{standing.version}, newer than this dashkit knows ({newest})"
            yield Finding("version", "wrong", found, "Update dashkit; the database is as it should be.")
        elif later:
            remedy = "Nothing has to be done. "
            if self._blocking or self._beside:
                remedy = "The migration cannot run yet: first do what 'in the way' below says."
                remedy += f" Everything of {standing.version} works without it." if standing.stays else ""
            else:
                look, do = self._promises.command("migrate"), self._promises.command("migrate --execute")
                remedy += f"{look} shows what they would change, and {do} does it."
            yield Finding("version", "note", f"{standing.version}; {' and '.join(later)} to come", remedy)
        else:
            yield Finding("version", "good", f"{standing.version}, the newest")

    @property
    def columns_in_the_way(self) -> set[str]:
        """Columns that a migration cannot use as they are, each as `table.column`."""
        return obstacles.columns(self._blocking) | requirements.unread(self._conn).keys()

    def _obstacles(self) -> Iterator[Finding]:
        """What is in the way; it may stay where the database is complete at an older version, and works so."""
        state: State = "note" if self._standing.stays else "wrong"
        for why, first in self._beside:
            remedy = f"{first} Then {self._promises.command('migrate')} goes on from there."
            yield Finding("in the way", state, why, remedy)
        if not self._blocking:
            return
        mine = [item for item in self._blocking if self._is_reached(item.version)]
        told = "; ".join(item.finding.why for item in self._blocking)
        first = self._first(newest=not mine)
        remedy = self._promises.migration("goes on from there", self._statements(), newest=not mine, first=first)
        yield Finding("in the way", state, told, remedy)
        self._above = "What is said above of what is in the way mends this too." if mine else ""

    def _first(self, *, newest: bool) -> str:
        """What has to be run before a migration, in words; of several ways each is tried, and told if it works."""
        tried = {
            choice.statement
            for way in self._ways
            for choice in way.choices[1:]
            if not self._promises.refusal(self._statements(choice), newest=newest)
        }
        ways = [way.only({way.choices[0].statement, *tried}) for way in self._ways]
        chosen, rest = ([way for way in ways if way.is_open == is_open] for is_open in (True, False))
        said = {way.name for way in ways if way.choices[0].effect}
        owned = dict.fromkeys(item.finding.remedy for item in self._blocking if item.change.name not in said)
        return " ".join([*owned, *map(_choose, chosen), *_run(rest)])

    def _statements(self, instead: Choice | None = None) -> tuple[str, ...]:
        """What gets everything out of the way: the first choice of each, but for one of which another one is taken."""
        chosen = (instead if instead and instead in way.choices else way.choices[0] for way in self._ways)
        return tuple(choice.statement for choice in chosen)

    def _triggers(self) -> Iterator[Finding]:
        """Whether every change is seen."""
        triggers = {one.name for version in migrations.VERSIONS for one in version.changes if _is_trigger(one)}
        silent = [name for name in self._gone if name in triggers]
        reached = [item.change for item in self._blocking if self._is_reached(item.version)]
        others = [change.name for change in reached if _is_trigger(change)]
        told = [f"gone: {', '.join(silent)}"] if silent else []
        told += [f"not as they should be: {', '.join(others)}"] if others else []
        if told:
            what = "puts them back, and takes what changed meanwhile over into the history, as of now"
            yield Finding("triggers", "wrong", "; ".join(told), self._mended(what))
        elif self._is_reached(migrations.VERSIONS[-1].number):
            yield Finding("triggers", "good", "every change is watched")

    def _missing(self) -> Iterator[Finding]:
        """Our other objects; and what came to a version of which an earlier form is here."""
        standing = self._standing
        missing = [item.change for item in self._survey.missing if item.change.name in self._gone]
        tables = {change.table for change in missing if isinstance(change, CreateTable)}
        # With a table its columns and indexes are missing, which goes without saying.
        lost = [
            change.name
            for change in missing
            if not (_is_trigger(change) or (isinstance(change, AddColumn | CreateIndex) and change.table in tables))
        ]
        if lost:
            yield Finding("schema", "wrong", f"missing: {', '.join(lost)}", self._mended("makes them again"))
        elif standing.version != "1.0" and not (standing.grown or self._above):
            yield Finding("schema", "good", "every table, column and index is there")
        if standing.grown:
            listed = ", ".join(standing.grown[:_NAMED]) + (", ..." if len(standing.grown) > _NAMED else "")
            found = f"{standing.version} lacks {len(standing.grown)} changes that came to it later: {listed}"
            yield Finding("schema", "note", found, self._mended("brings them"))

    def _misnamed(self, one: Misnamed) -> Finding:
        """Another program gave a table a new name and made it anew: the rows are sound, the schema is not."""
        kinds = {kind for kind, _ in one.objects}
        sound = "The rows are sound, and none has to be deleted. " if "table" in kinds else ""
        if one.meant:
            remedy = self._mended(f"writes {one.meant} there, and changes no row")
            return Finding("names", "wrong", str(one), sound + remedy)
        drops = "; ".join(f"DROP {kind.upper()} {shape.quoted(name)}" for kind, name in one.objects if kind != "table")
        remedy = f"If it has another name by now, give it back that of {one.name}."
        if made := [text for text in engine.statements("1.0") if text.startswith(f"CREATE TABLE {one.name.lower()} (")]:
            remedy += f" Else run this SQL, which makes it: {sql(' '.join(made[0].split()))}."
        elif drops:
            remedy += f" Else run this SQL, which takes away what cannot work without it: {sql(drops)}."
        return Finding("names", "note" if kinds == {"view"} else "wrong", str(one), sound + remedy)

    def _declarations(self) -> Iterator[Finding]:
        """What another program took away from tables of ours, and what is declared otherwise and means the same."""
        if mendable := self._survey.mendable:
            remedy = self._mended("gives that back, and changes no row")
            yield Finding("declarations", "wrong", "; ".join(map(str, mendable)), remedy)
        for one in self._survey.lost:
            if one.broken:
                is_one = one.broken == 1
                rows = f"{one.broken:,} {'row' if is_one else 'rows'} already {'breaks' if is_one else 'break'} it"
                clearing = one.clearing or _clearing(self._conn, one)
                remedy = self._promises.migration("gives it back", (*self._statements(), clearing))
                yield Finding("declarations", "wrong", f"{one}; {rows}", remedy)
        for note in self._survey.notes:
            remedy = next((told for words, told in _NOTES.items() if words in note), "")
            yield Finding("declarations", "note", note, f"{remedy}Nothing has to be done.")


def _obstacles(conn: sqlite3.Connection, survey: Survey) -> tuple[list[Item], list[Way], list[Obstacle]]:
    found = [item for item in survey.items if item.finding.state == "in the way"]
    others = (survey.record.finding, requirements.references(conn))
    beside = [(one.why, one.remedy) for one in others if one.state == "in the way"]
    return found, obstacles.ways(conn, found), beside


def _choose(way: Way) -> str:
    """The ways to get something out of the way, of which people choose one."""
    told = (
        f"({letter}) {choice.what}: {sql(choice.statement)}. {choice.effect}".rstrip()
        for letter, choice in zip("abc", way.choices, strict=False)
    )
    return f"Choose one for {way.name}, and run its SQL: {' '.join(told)}"


def _run(ways: list[Way]) -> list[str]:
    """What to run where there is nothing to choose."""
    if not ways:
        return []
    effects = [way.choices[0].effect for way in ways if way.choices[0].effect]
    return [f"Run this SQL: {sql(*(way.choices[0].statement for way in ways))}.", *effects]


def _is_trigger(change: object) -> bool:
    return isinstance(change, CreateTrigger)


def _clearing(conn: sqlite3.Connection, one: Lost) -> str:
    """The statement after which no row breaks a condition or a key that is to come back."""
    if one.kind == "CHECK":
        return values.fix(one.where)
    return "; ".join(next(orphan.statements for orphan in orphans.find(conn) if orphan.table == one.table))
