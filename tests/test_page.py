"""What reaches a page, and what does not: cleaned HTML, pictures, and the page itself in a real browser."""

import base64
import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import nbformat.v4 as nb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.display import HTML, Markdown
from matplotlib.figure import Figure

from dashkit import charts
from dashkit.charts.picture import MOST_ROWS, Picture, plain, table_html
from dashkit.charts.style import BLUE, DARK, LABEL, PAPER, SERIES, STYLE
from dashkit.reports.figures import MIME
from dashkit.reports.page import Facts, render
from dashkit.reports.sanitize import _ATTRIBUTES, _EVERYWHERE, _KEPT, clean

PAYLOAD = (
    "<img src=x onerror=\"document.title='PWNED'\"><script>document.title='PWNED'</script>"
    "<svg onload=\"document.title='PWNED'\"></svg>[x](javascript:alert(1)) $\\href{javascript:alert(1)}{x}$"
    " <a href=\"javascript:document.title='PWNED'\">y</a> \u202egnp.exe \x1b[31m"
)
CHROMIUM = shutil.which("chromium")
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class _Tags(HTMLParser):
    """Each element of a text and its attributes, as a browser would be told them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def _picture(title="Three tasks wait", rows=3):
    with mpl.rc_context(STYLE):
        figure = Figure()
        axes = figure.subplots()
        axes.plot([1, 2, 3], [3, 1, 2], color=BLUE)
        axes.set_title(title[:60])
    return Picture(figure, title, f"A line: {title}", pd.DataFrame({"day": range(rows), "title": title}))


def _page(*outputs, prose="# Title\n\nWhat is asked?", **facts):
    cells = [nb.new_markdown_cell(prose)]
    cells += [nb.new_code_cell("secret_code()", outputs=[output]) for output in outputs]
    return render(nb.new_notebook(cells=cells), Facts(title="Title", **facts))


def _html(value):
    return nb.new_output("display_data", {"text/html": value, "text/plain": "plain"})


def _hostile_page(**facts):
    frame = pd.DataFrame({PAYLOAD: [PAYLOAD]}, index=[PAYLOAD])
    return _page(
        _html(frame._repr_html_()),
        _html(frame.to_html(escape=False)),
        _html(frame.style.set_caption(PAYLOAD).to_html()),
        _html(HTML(PAYLOAD)._repr_html_()),
        _html(_picture(PAYLOAD)._repr_html_()),
        nb.new_output("display_data", {"text/markdown": Markdown(PAYLOAD)._repr_markdown_()}),
        nb.new_output("display_data", {"image/svg+xml": f'<svg xmlns="http://www.w3.org/2000/svg">{PAYLOAD}</svg>'}),
        nb.new_output("stream", name="stdout", text=PAYLOAD),
        prose=f"# Title\n\n{PAYLOAD}",
        **facts,
    )


def _title_in_browser(page, tmp_path, *more):
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    profile = tmp_path / "profile"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}", *more]
    command = [CHROMIUM, *flags, "--virtual-time-budget=2000", "--dump-dom", path.as_uri()]
    dom = subprocess.run(command, capture_output=True, check=True, timeout=120).stdout.decode("utf-8", "replace")
    shutil.rmtree(profile, ignore_errors=True)
    return re.search(r"<title>(.*?)</title>", dom, re.DOTALL)[1]


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("<script>a()</script>b", "b"),
        ("<style>p{}</style>b", "b"),
        ("<iframe src='data:text/html,x'>a</iframe>b", "b"),
        ("<svg><a href='javascript:x'>a</a></svg>b", "b"),
        ("<a href='javascript:x'>text</a>", "text"),
        ("<a href='https://example.org'>text</a>", "text"),
        ("<img src='https://example.org/a.png' alt='words'>", "words"),
        ("<img src='data:text/html;base64,AAAA' alt='words'>", "words"),
        ("<img alt='x' src='data:image/png;base64,AAAA'>", '<img alt="x" src="data:image/png;base64,AAAA"/>'),
        ("<p style='background:url(//x)'>a</p>", "<p>a</p>"),
        ("<!-- <b>a</b> -->b<![CDATA[c]]><?php d ?>", "b"),
        ("a & b &lt;script&gt;", "a &amp; b &lt;script&gt;"),
        ("<form action='/'><input name='a'>a</form>", "a"),
        ("<input type='radio' name='x-0' value='1' onclick='x()'>a", "a"),
        ("<input type='radio' name='form'>a", "a"),
        ("<input type='image' name='links-0123abcd' src='//x'>a", "a"),
        (
            "<label for='x'><input type='radio' name='links-0123abcd' formaction='//x'> a</label>",
            '<label><input name="links-0123abcd" type="radio"/> a</label>',
        ),
        ("</div></main><b>a", "<b>a</b>"),
        (
            "<details><summary>a</summary>b</details>",
            "<details><summary>a</summary>b</details>",
        ),
        ("a\x00\x1b\u202eb", "ab"),
        ("readme.html", "readme.html"),
    ],
)
def test_clean_keeps_structure_and_text_alone(dirty, expected):
    """What can run, fetch, restyle or leave the page is gone; what says something stays."""
    assert clean(dirty) == expected


@given(st.lists(st.sampled_from([*"<>/'\"=&; -!ax", "<p ", "<img", "src=", "onload=", "<svg", "<!--", "]]>", "<td"])))
def test_whatever_the_text_clean_leaves_known_elements_alone(pieces):
    """No text, however broken, leaves an element or an attribute that is not on the list."""
    for tag, attributes in _Tags(clean("".join(pieces))).seen:
        assert tag in _KEPT
        assert set(attributes) <= _ATTRIBUTES.get(tag, set()) | _EVERYWHERE | {"scope", "tabindex"}


def test_a_frame_becomes_a_table_with_scopes_and_without_row_numbers():
    """Each header says what it heads, numbers stand to the right, and the row numbers of pandas are gone."""
    html = clean(pd.DataFrame({"project": ["a<b", "c"], "tasks": [1200, None]})._repr_html_())
    heads = [attributes for tag, attributes in _Tags(html).seen if tag == "th"]
    assert heads == [{"scope": "col"}, {"scope": "col", "class": "number"}]
    assert re.findall(r"<td[^>]*>[^<]*</td>", html) == [
        "<td>a&lt;b</td>",
        '<td class="number">1200.0</td>',
        "<td>c</td>",
        '<td class="missing number">NaN</td>',
    ]
    assert '<div class="scroll" tabindex="0"><table' in html


def _cells(frame):
    html = clean(frame._repr_html_())
    return re.findall(r"<th[^>]*>([^<]*)</th>", html), re.findall(r"<td[^>]*>([^<]*)</td>", html)


def test_whole_numbers_have_their_thousands_apart_but_names_have_not():
    """Counts of four digits and more are written for people; ids, hashes and text stay as they are."""
    frame = pd.DataFrame(
        {
            "tasks": pd.array([1234567, -1500, 999, None], dtype="Int64"),
            "project_id": [123456] * 4,
            "id": [9999] * 4,
            "hash_before": ["4827193056"] * 4,
            "share": [1234.5] * 4,
            "title": ["2025", "Ship 1500", "007", "x"],
        }
    )
    _, cells = _cells(frame)
    assert cells[:6] == ["1,234,567", "123456", "9999", "4827193056", "1234.5", "2025"]
    assert cells[6] == "-1,500"
    assert cells[12] == "999"
    assert cells[18] == "&lt;NA&gt;"


def test_instants_are_minutes_and_the_zone_is_said_once():
    """A column of instants says UTC in its header, each cell ends with its minute; text in a column of texts stays."""
    instants = pd.to_datetime(pd.Series(["2025-11-20T09:04:36.5Z", None])).astype("datetime64[us, UTC]")
    frame = pd.DataFrame({"occurred_at": instants, "title": ["2025-11-20 09:04:36+00:00", "x"]})
    heads, cells = _cells(frame)
    assert heads == ["occurred_at (UTC)", "title"]
    assert cells == ["2025-11-20 09:04", "2025-11-20 09:04:36+00:00", "NaT", "x"]


def test_a_title_of_any_length_leaves_room_for_the_next_row():
    """A title is cut after so many letters as say which it is, also without a space; a reason may be a paragraph."""
    frame = pd.DataFrame({"title": ["word " * 2000, "x" * 10_000, "a " * 60], "blocked_reason": ["why " * 2000] * 3})
    with pd.option_context("display.max_colwidth", None):
        _, cells = _cells(frame)
    titles, reasons = cells[::2], cells[1::2]
    assert titles == [
        ("word " * 24).strip() + "\N{HORIZONTAL ELLIPSIS}",
        "x" * 120 + "\N{HORIZONTAL ELLIPSIS}",
        titles[2],
    ]
    assert titles[2].split() == ["a"] * 60
    assert {len(reason) for reason in reasons} == {500}  # 499 without the space at the end, and the ellipsis


def test_a_named_index_stays_as_row_headers():
    """An index that says something heads its rows."""
    frame = pd.DataFrame({"tasks": [3, 4]}, index=pd.Index(["alpha", "beta"], name="project"))
    assert re.findall(r'<th[^>]*scope="row"[^>]*>(\w+)</th>', clean(frame._repr_html_())) == ["alpha", "beta"]


def test_plain_drops_what_no_reader_sees():
    """Control characters, surrogates and bidi orders go; letters, joiners of emoji and line breaks stay."""
    assert plain("a\x00\x1b[1m\u202e\ud800\ufffe b\n\t日本 👩\u200d💻") == "a[1m b\n\t日本 👩\u200d💻"


def test_a_picture_is_the_same_bytes_each_time():
    """Two drawings of the same data are one text, without date, maker or address of anything to fetch."""
    first, second = _picture().svg, _picture().svg
    assert first == second
    assert set(re.findall(r"https?://[^\"\s]+", first)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_a_picture_follows_a_dark_screen():
    """Every colour of the palette has its dark counterpart in the drawing's own style."""
    svg = _picture().svg
    assert "@media (prefers-color-scheme:dark)" in svg
    assert {*SERIES, *LABEL.values(), PAPER} <= set(DARK)
    assert len(set(DARK.values())) == len(DARK)
    for light, dark in DARK.items():
        assert f'[style*="fill: {light}"]{{fill:{dark}!important}}' in svg


@pytest.mark.parametrize("title", ["cost $5 and $6", "price $\\frac$", "\x00\x1b[31m", "日本 🎉 ع", "<b>&amp;\"'"])
def test_no_title_breaks_a_picture(title):
    """A title is text: no mathematics, no markup, no character that XML forbids."""
    svg = _picture(title).svg
    nodes = "".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))
    assert plain(title).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in nodes
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", svg)


def test_a_picture_says_in_words_and_numbers_what_it_shows():
    """A figure holds its alternative text, its title, and its data as a table with headers that say what they head."""
    html = _picture('a "quoted" <title>')._repr_html_()
    tags = _Tags(html).seen
    assert dict(tags)["img"]["alt"] == 'A line: a "quoted" <title>'
    assert "<figcaption>a &quot;quoted&quot; &lt;title&gt;</figcaption>" in html
    assert [tag for tag, _ in tags[:4]] == ["figure", "figcaption", "img", "details"]
    assert [attributes["scope"] for tag, attributes in tags if tag == "th"] == ["col", "col"]
    assert clean(html).count("<img") == 1


def test_a_long_table_behind_a_picture_says_that_it_is_cut():
    """Beyond three hundred rows the table shows the first ones and says of how many."""
    html = _picture(rows=MOST_ROWS + 5)._repr_html_()
    assert "the first 300 of 305 rows" in html
    assert html.count("<tr>") == MOST_ROWS


def test_a_page_is_one_file_without_code_or_addresses():
    """The page shows prose and outputs, no code, names nothing outside itself, and its own part stays small."""
    page = _page(_html(_picture()._repr_html_()), nb.new_output("stream", name="stderr", text="a warning"))
    assert "secret_code" not in page
    assert "a warning" not in page
    assert not re.search(r"https?:|(?:src|href)\s*=\s*[\"']?//|@import|url\(", page)
    assert {attributes.get("src", "data:")[:5] for tag, attributes in _Tags(page).seen if tag == "img"} == {"data:"}
    assert '<html lang="en">' in page
    assert 'name="viewport"' in page
    assert len(_page().encode()) < 30_000


def test_the_policy_stands_before_anything_else_in_the_page():
    """The page forbids everything but inline style and pictures within itself, before it says anything."""
    page = _page()
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    assert page.index(policy) < min(page.index("<style"), page.index("<title"))


def test_pictures_of_other_libraries_are_shown_within_the_page():
    """A PNG or SVG output becomes an image in the page, with its text form as the alternative."""
    png = base64.b64encode(b"\x89PNG").decode()
    page = _page(
        nb.new_output("display_data", {"image/png": png + "\n", "text/plain": "<Figure size 1>"}),
        nb.new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": "drawing"}),
    )
    images = [attributes for tag, attributes in _Tags(page).seen if tag == "img"]
    assert images == [
        {"alt": "<Figure size 1>", "src": f"data:image/png;base64,{png}"},
        {"alt": "drawing", "src": f"data:image/svg+xml;base64,{base64.b64encode(b'<svg/>').decode()}"},
    ]


def test_a_text_in_lines_is_one_text():
    """Whatever a notebook holds as a list of lines, as it may, is shown like the text that they are."""
    svg = base64.b64encode(b"<svg></svg>").decode()
    for data, shown in (
        ({"text/html": ["<b>a", "b</b>"]}, "<b>ab</b>"),
        ({"text/markdown": ["*a\n", "b*"]}, "<em>a\nb</em>"),
        ({"text/plain": ["a\n", "b"]}, "<pre>a\nb</pre>"),
        (
            {"image/svg+xml": ["<svg>", "</svg>"], "text/plain": ["a ", "b"]},
            f'alt="a b" src="data:image/svg+xml;base64,{svg}"',
        ),
    ):
        assert shown in _page(nb.new_output("display_data", data)), data
    assert "<pre>a\nb</pre>" in _page(nb.new_output("stream", name="stdout", text=["a\n", "b"]))


def test_a_section_that_has_nothing_to_show_is_not_there():
    """Its heading and prose go where all that its cells show is empty; not where they show nothing, or an error."""
    nothing, error = _html(""), nb.new_output("error", ename="E", evalue="", traceback=[])
    handed = nb.new_output("display_data", {MIME: {}, "text/plain": ""})
    sections = {
        "One": [nothing, nothing], "Two": [nothing, _html("<p>7</p>")], "Three": [], "Four": [error], "Five": [handed],
    }  # fmt: skip
    cells = [nb.new_markdown_cell("# Title"), nb.new_code_cell("", outputs=[nothing])]
    for name, outputs in sections.items():
        cells += [nb.new_markdown_cell(f"## {name}\n\nWords."), nb.new_code_cell("", outputs=outputs)]
    page = render(nb.new_notebook(cells=cells), Facts("Title"))
    assert re.findall(r"<h\d>(\w+)</h\d>", page) == ["Title", "Two", "Three", "Four", "Five"]
    assert page.count("Words.") == 4


def test_failed_checks_stand_in_red_below_the_title():
    """The page of a failed verdict has its numbers, and says first, escaped, what failed."""
    page = _page(_html("<p>numbers</p>"), verdict="failed", error="1 of 2 checks failed: <b>rows</b>")
    assert "<title>Checks failed: Title</title>" in page
    assert page.index("<h1>Title") < page.index("1 of 2 checks failed: &lt;b&gt;rows&lt;/b&gt;") < page.index("numbers")


def test_a_failed_verdict_is_said_once():
    """What the notebook says of it in red is left out where the page has said it; another run's red stays."""
    own = _html('<p class="verdict bad">NOT VERIFIED: rows &lt; 3</p><p>numbers</p>')
    page = _page(own, verdict="failed", error="1 of 2 checks failed: rows")
    assert page.count('class="verdict bad"') == 1
    assert "NOT VERIFIED" not in page
    assert "1 of 2 checks failed: rows" in page
    assert "numbers" in page
    assert "NOT VERIFIED" in _page(own)


def test_a_refused_run_says_so_in_words():
    """Its page is titled Refused, gives the reason as a sentence, escaped, and has neither numbers nor a trace."""
    page = _page(
        _html("<p>half the numbers</p>"),
        verdict="refused",
        error="Cannot open <b>: it is of version 1.0. Run `dashkit migrate`.",
        where="It stopped in code cell 2.",
        latest="latest.html",
    )
    assert "<title>Refused: Title</title>" in page
    assert "<h1>Refused: Title</h1>" in page
    assert "<p>Cannot open &lt;b&gt;: it is of version 1.0. Run `dashkit migrate`.</p>" in page
    assert "half the numbers" not in page
    assert "code cell" not in page
    assert '<a href="latest.html">' in page


def test_failed_checks_are_shown_even_by_a_notebook_without_prose_or_cells():
    """There is no notebook whose failed verdict the page leaves out."""
    facts = Facts("Title", "failed", "the verdict")
    assert "the verdict" in render(nb.new_notebook(), facts)
    assert "the verdict" in render(nb.new_notebook(cells=[nb.new_code_cell("1")]), facts)


def test_a_crash_page_never_looks_like_success():
    """It is titled FAILED, says where and what, escaped, shows no number, and links to the last finished page."""
    page = _page(
        _html("<p>half the numbers</p>"),
        verdict="crashed",
        error="ValueError: <script>",
        where="It stopped in code cell 2.",
        latest="latest.html",
    )
    assert "<title>FAILED: Title</title>" in page
    assert "<h1>FAILED: Title</h1>" in page
    assert "ValueError: &lt;script&gt;" in page
    assert "half the numbers" not in page
    assert '<a href="latest.html">' in page


def test_nothing_hostile_is_left_in_a_page():
    """Through no output, prose or fact does text become an element that runs, a handler or a link."""
    page = _hostile_page(lines=[("db_path", PAYLOAD)], verdict="failed", error=PAYLOAD)
    for tag, attributes in _Tags(page).seen:
        assert tag not in {"script", "svg", "iframe", "a"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)


@pytest.mark.browser
@in_browser
def test_hostile_text_does_nothing_in_a_browser(tmp_path: Path):
    """A browser that opens a page full of hostile text runs none of it."""
    assert _title_in_browser(_hostile_page(), tmp_path) == "Title"


def _measured(page, script, tmp_path):
    """What a script finds on the page in a frame as wide as a phone."""
    (tmp_path / "inner.html").write_text(re.sub(r"<meta http-equiv=[^>]*>", "", page), encoding="utf-8")
    outer = (
        '<title>none</title><iframe src="inner.html" width="390" height="800" style="border:0"></iframe><script>'
        f"onload = () => {{ const d = frames[0].document; document.title = JSON.stringify({script}); }}</script>"
    )
    return json.loads(unescape(_title_in_browser(outer, tmp_path, "--allow-file-access-from-files")))


@pytest.mark.browser
@in_browser
def test_a_phone_shows_charts_whole_and_lets_tables_scroll(tmp_path: Path):
    """At 390 pixels a chart fits, a wide table scrolls in a box with shadows, and the page does not scroll aside."""
    wide = pd.DataFrame({f"a_long_column_{n}": ["several words of text"] for n in range(9)})
    page = _page(_html(_picture()._repr_html_()), _html(wide._repr_html_()))
    script = (
        "{chart: d.querySelector('img').getBoundingClientRect().right, page: d.documentElement.scrollWidth,"
        " table: d.querySelector('.scroll').scrollWidth, box: d.querySelector('.scroll').clientWidth,"
        " shadow: getComputedStyle(d.querySelector('.scroll')).backgroundAttachment}"
    )
    script = script.replace("d.querySelector('.scroll')", "[...d.querySelectorAll('.scroll')].at(-1)")
    found = _measured(page, script.replace("getComputedStyle", "frames[0].getComputedStyle"), tmp_path)
    assert found["chart"] <= 390 - 16
    assert found["page"] == 390
    assert found["table"] > found["box"]
    assert found["shadow"] == "local, local, scroll, scroll"


@pytest.mark.browser
@in_browser
def test_a_choice_of_confidence_works_without_a_script(tmp_path: Path):
    """One choice is shown at a time, on a phone too: all links at first, and those of a choice once it is made."""
    links = pd.DataFrame({"task_id": [1, 2, 3], "task": ["a", "b", "c"], "kind": "commit", "title": "fix"})
    days = pd.date_range("2026-01-09", periods=3, freq="-1D", tz="UTC")
    links = links.assign(target="c" * 40, occurred_at=days, confidence=pd.array([0.6, 0.85, 1.0], "Float64"))
    script = (
        "[...d.querySelectorAll('input')].reverse().map(one => {one.click();"
        " return [...d.querySelectorAll('td:first-child')].filter(c => c.getClientRects().length)"
        ".map(cell => cell.textContent).join('')})"
    )
    page = _page(_html(charts.links_table(links, most=2)._repr_html_()))
    assert _measured(page, script, tmp_path) == ["ab", "bc", "c"]


@pytest.mark.browser
@in_browser
@pytest.mark.parametrize(("policy", "title"), [(True, "Title"), (False, "PWNED")])
def test_the_policy_alone_stops_what_would_slip_through(tmp_path: Path, policy, title):
    """Were markup to get past the cleaning, the policy would stop it; without the policy it would run."""
    page = _page().replace("</main>", PAYLOAD + "</main>")
    if not policy:
        page = re.sub(r"<meta http-equiv=[^>]*>", "", page)
    assert _title_in_browser(page, tmp_path) == title


def test_an_id_stays_on_one_line_and_an_empty_cell_is_missing():
    """An id is not broken at its hyphens, and a number that is not known leaves its column one of numbers."""
    frame = pd.DataFrame({"id": ["vc-77aa", "12"], "lines": pd.array([1200, None], dtype="Int64")})
    html = clean(table_html(frame))
    assert re.findall(r"<td[^>]*>[^<]*</td>", html) == [
        '<td class="id">vc-77aa</td>',
        '<td class="number">1,200</td>',
        '<td class="id">12</td>',
        '<td class="missing number"></td>',
    ]
