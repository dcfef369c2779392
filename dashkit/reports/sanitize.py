"""HTML from a notebook, brought down to what a page may hold: structure, text, and pictures within it."""

import re
import warnings
from typing import TYPE_CHECKING

from dashkit.charts.picture import plain

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_KEPT = frozenset(
    "abbr b blockquote br caption code dd del details div dl dt em fieldset figcaption figure h1 h2 h3 h4 h5 h6"  # noqa: SIM905  a list would take a line each
    " hr i img input kbd label legend li mark meter ol p pre progress s section small span strong sub summary sup"
    " table tbody td tfoot th thead time tr u ul".split()
)
_GONE_WITH_CONTENT = frozenset(
    "applet base embed frame frameset head iframe link math meta noembed noframes noscript object script"  # noqa: SIM905  likewise
    " style svg template title".split()
)
_ATTRIBUTES = {
    "img": {"alt", "src", "width", "height"},
    "input": {"checked", "name", "type"},
    "td": {"colspan", "data-head", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "meter": {"min", "max", "low", "high", "optimum", "value"},
    "progress": {"max", "value"},
    "details": {"open"},
    "ol": {"start"},
}
_EVERYWHERE = {"aria-label", "class", "role", "title"}
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+")
_GROUP = re.compile(r"[a-z]+-[0-9a-f]{8}")  # the name of radio buttons of which one is chosen
_NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?[\d,\N{NARROW NO-BREAK SPACE}]*\.?\d+(?:e[-+]?\d+)?\s?%?", re.IGNORECASE)
_WHOLE = re.compile(r"([-+\N{MINUS SIGN}]?)([1-9]\d{3,})")
_NAMES = re.compile(r"id$|(?:^|_)(?:sha|hash)(?:_|$)", re.IGNORECASE)  # columns whose digits are no quantity
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d):\d\d(?:\.\d+)?\+00:00")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LONGEST = 500  # characters of a cell: one text of a megabyte would be all of the page
_NAMING = frozenset({"title", "task", "commit", "session", "commit or session"})  # columns that say which thing it is
_LONGEST_NAME = 120  # characters of a cell there: by then everybody knows which; a paragraph in each row hides the rest
_MISSING = frozenset({"", "NaN", "NaT", "None", "<NA>", "..."})


def clean(html: str) -> str:
    """The HTML with known elements and attributes alone: no script, handler, style, link or address.

    The content of unknown elements stays; each table gets scopes for its headers and a box of its own.
    """
    from bs4 import BeautifulSoup
    from bs4.element import PreformattedString

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "this looks like a file name": then it is that text
        soup = BeautifulSoup(html, "html.parser")
    for text in soup.find_all(string=True):
        if isinstance(text, PreformattedString):  # comments, CDATA, processing instructions
            text.extract()
    for tag in soup.find_all(True):
        if tag.decomposed:
            continue
        if tag.name in _GONE_WITH_CONTENT:
            tag.decompose()
        elif tag.name in _KEPT:
            _bare(tag)
        else:
            tag.unwrap()
    for table in soup.find_all("table"):
        if not table.find("td"):
            _say_none(table, soup)
            continue
        _dress(table)
        table.wrap(soup.new_tag("div", attrs={"class": "scroll", "tabindex": "0"}))
    return plain(soup.decode(formatter="minimal"))


def _bare(tag: "Tag") -> None:
    allowed = _ATTRIBUTES.get(tag.name, set()) | _EVERYWHERE
    tag.attrs = {name: value for name, value in tag.attrs.items() if name in allowed}
    if tag.name == "img" and not _PICTURE.fullmatch(str(tag.get("src", ""))):
        tag.replace_with(str(tag.get("alt", "")))
    # A choice that the page's own style follows; no other input has anything to do on a page.
    if tag.name == "input" and not (tag.get("type") == "radio" and _GROUP.fullmatch(str(tag.get("name", "")))):
        tag.decompose()


def _say_none(table: "Tag", soup: "BeautifulSoup") -> None:
    """A table without a row is a row of headers above nothing: say so in a word."""
    word = soup.new_tag("p", attrs={"class": "none"})
    word.string = "None."
    table.replace_with(word)


def _dress(table: "Tag") -> None:
    """Say what each header heads, drop pandas' row numbers, and write numbers and instants as people do."""
    rows = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    _drop_row_numbers(rows)
    for row in rows:
        in_head = row.parent is not None and row.parent.name == "thead"
        for cell in row.find_all(["th", "td"], recursive=False):
            text = cell.get_text().strip()
            _shorten(cell, _LONGEST)
            if cell.name == "th":
                cell["scope"] = cell.get("scope") or ("col" if in_head else "row")
            elif text in _MISSING:
                cell["class"] = "missing"
            elif _NUMBER.fullmatch(text):
                cell["class"] = "number"
            elif _INSTANT.fullmatch(text):
                cell["class"] = "instant"
            elif _DAY.fullmatch(text):
                cell["class"] = "day"
    _dress_columns(rows)


def _shorten(cell: "Tag", longest: int) -> None:
    text = cell.get_text().strip()
    if len(text) > longest:
        cell.string = f"{text[:longest].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _drop_row_numbers(rows: "list[Tag]") -> None:
    """The column 0, 1, 2 ... under an empty header says nothing about a row."""
    firsts = [row.find(["th", "td"], recursive=False) for row in rows]
    if len(firsts) < 2 or any(cell is None or cell.name != "th" for cell in firsts):
        return
    head, *body = [cell.get_text().strip() for cell in firsts if cell is not None]
    numbers = [text for text in body if text != "..."]
    if head or not numbers or numbers[0] != "0" or not all(text.isdecimal() for text in numbers):
        return
    for cell in firsts:
        if cell is not None:
            cell.decompose()


def _dress_columns(rows: "list[Tag]") -> None:
    """What holds for every cell of a column; where cells span others, there are no columns to speak of."""
    grid = [row.find_all(["th", "td"], recursive=False) for row in rows]
    if len({len(cells) for cells in grid}) != 1 or any(c.has_attr("colspan") for cells in grid for c in cells):
        return
    for head, *cells in zip(*grid, strict=True):
        if head.get_text().strip() == "id":
            for cell in cells:
                cell["class"] = "id"
        if head.get_text().strip() in _NAMING:
            for cell in cells:
                _shorten(cell, _LONGEST_NAME)
        kinds = {str(cell.get("class", "")) for cell in cells} - {"missing"}
        if head.name == "th" and kinds == {"number"}:
            _dress_numbers(head, cells)
        elif head.name == "th" and kinds == {"instant"}:
            _dress_instants(head, cells)


def _dress_numbers(head: "Tag", cells: "list[Tag]") -> None:
    """The header stands over its numbers, and whole ones have their thousands apart: not those that are names."""
    head["class"] = "number"
    named = _NAMES.search(head.get_text().strip())
    for cell in cells:
        if cell["class"] == "missing":
            cell["class"] = "missing number"
        elif not named and (whole := _WHOLE.fullmatch(cell.get_text().strip())):
            cell.string = f"{whole[1]}{int(whole[2]):,}"


def _dress_instants(head: "Tag", cells: "list[Tag]") -> None:
    """Minutes are enough to read, and the time zone is said once, in the header."""
    for cell in cells:
        if found := _INSTANT.fullmatch(cell.get_text().strip()):
            cell.string = found[1]
        if cell.has_attr("data-head"):
            cell["data-head"] = f"{cell['data-head']} (UTC)"
    head.append(" (UTC)")
