"""The text of a statement in SQLite's schema: its parts, and how one of them is changed without touching the rest."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from dashkit.migrations import shape

_CONSTRAINTS = ("constraint", "primary", "unique", "check", "foreign")
_ACTIONS = {"set": 2, "no": 2}  # words of an action such as SET NULL; the others have one


@dataclass(frozen=True)
class Word:
    """A word or sign of a statement, and where it stands in it."""

    text: str
    start: int
    end: int

    @property
    def is_quoted(self) -> bool:
        """Whether it is in quotes, and so a name and no word of SQL."""
        return self.text[0] in "\"[`'"

    @property
    def keyword(self) -> str:
        """As a word of SQL; empty for what is in quotes."""
        return "" if self.is_quoted else self.text.lower()

    @property
    def name(self) -> str:
        """As a name: without its quotes, in lower case."""
        inner = self.text[1:-1] if self.is_quoted else self.text
        return inner.replace('""', '"').lower()


Part = list[Word]


def words(sql: str) -> list[Word]:
    """The words of a statement, without its comments."""
    found = (Word(match[0], match.start(), match.end()) for match in shape.TOKEN.finditer(sql))
    return [word for word in found if not word.text.startswith(("--", "/*"))]


def parts(sql: str) -> list[Part]:
    """The columns and conditions of a CREATE TABLE: what stands between commas inside its outermost parentheses."""
    found: list[Part] = []
    depth = 0
    for word in words(sql):
        depth -= word.text == ")"
        if depth == 0 and found:
            break
        if depth == 1 and word.text == ",":
            found.append([])
        elif depth:
            found[-1].append(word)
        elif word.text == "(":
            found.append([])
        depth += word.text == "("
    return found


def checks(sql: str) -> list[str]:
    """The conditions of all CHECKs in a CREATE TABLE."""
    return [sql[inner[0].end : inner[-1].start] for part in parts(sql) for inner in _checks(part)]


def with_clause(sql: str, column: str, clause: str) -> str:
    """A CREATE TABLE in which a column has one clause more.

    Raises:
        LookupError: as for all of these, there is no such column in it, or it has no such key.
    """
    end = _column(sql, column)[-1].end
    return f"{sql[:end]} {clause}{sql[end:]}"


def with_default(sql: str, column: str, default: str) -> str:
    """A CREATE TABLE in which a column has a default, or another one than it had."""
    part = _column(sql, column)
    place = next((at for at, word in enumerate(part) if word.keyword == "default"), None)
    if place is None:
        return with_clause(sql, column, f"DEFAULT {default}")
    last = place + 1
    if part[last].text in "+-":
        last += 1
    elif part[last].text == "(":
        last = _closing(part, last)
    return f"{sql[: part[place].end]} {default}{sql[part[last].end :]}"


def with_action(sql: str, column: str, action: str) -> str:
    """A CREATE TABLE in which the foreign key of a column has another action ON DELETE, such as `SET NULL`."""
    words_of = _reference(sql, column)
    place = 2  # behind REFERENCES and the name
    if words_of[place : place + 1] and words_of[place].text == "(":
        place = _closing(words_of, place) + 1
    start = words_of[place - 1].end
    for at in range(place, len(words_of) - 2):
        if [word.keyword for word in words_of[at : at + 2]] == ["on", "delete"]:
            last = at + 1 + _ACTIONS.get(words_of[at + 2].keyword, 1)
            sql = sql[: words_of[at - 1].end] + sql[words_of[last].end :]
            break
    return f"{sql[:start]} ON DELETE {action}{sql[start:]}"


def renamed(sql: str, old: str, new: str) -> str:
    """A statement in which what names a table names another one: in a CREATE TABLE only behind REFERENCES."""
    found = words(sql)
    is_table = [word.keyword for word in found[:2]] == ["create", "table"]
    for before, word in reversed(list(pairwise(found))):
        if word.name == old.lower() and word.text[0] != "'" and (before.keyword == "references" or not is_table):
            sql = sql[: word.start] + shape.quoted(new) + sql[word.end :]
    return sql


def _column(sql: str, column: str) -> Part:
    for part in parts(sql):
        if _is_column(part) and part[0].name == column:
            return part
    raise LookupError(column)


def _is_column(part: Part) -> bool:
    return bool(part) and part[0].keyword not in _CONSTRAINTS


def _reference(sql: str, column: str) -> Part:
    """The words of a part from REFERENCES on, of the foreign key of one column."""
    for part in parts(sql):
        place = next((at for at, word in enumerate(part) if word.keyword == "references"), None)
        if place is None:
            continue
        names = [part[0].name] if _is_column(part) else [word.name for word in part[:place]][-2:-1]
        is_alone = _is_column(part) or part[place - 3].text == "("
        if is_alone and names == [column]:
            return part[place:]
    raise LookupError(column)


def _checks(part: Part) -> Iterator[Part]:
    """The words of each CHECK of a part, from its opening parenthesis to the closing one."""
    for at, word in enumerate(part):
        if word.keyword == "check" and part[at + 1 : at + 2] and part[at + 1].text == "(":
            yield part[at + 1 : _closing(part, at + 1) + 1]


def _closing(part: Part, opening: int) -> int:
    """The place of the parenthesis that closes one."""
    depth = 0
    for place in range(opening, len(part)):
        depth += (part[place].text == "(") - (part[place].text == ")")
        if not depth:
            return place
    raise LookupError(part[opening].text)
