"""Pages made without a kernel: what the cells of a notebook show, and what a browser makes of it."""

import ast
import json
import os
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import nbformat
import nbformat.v4 as nb
import pytest

from dashkit.reports.catalog import bundled, load, read
from dashkit.reports.jobs import all_values
from dashkit.reports.page import Facts, render

NOTEBOOKS = bundled()
ASKING = [path for path in NOTEBOOKS if path.stem != "migrate_verify"]
CHROMIUM = shutil.which("chromium")
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: pages are parsed, but not opened")
_FLAGS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"),
    *("--disable-default-apps", "--disable-extensions", "--allow-file-access-from-files"),
    *("--enable-logging=stderr", "--virtual-time-budget=4000"),
]


def written(path, *code, title="A title", parameters=""):
    """A notebook on disk: a heading, a cell of parameters where there are any, and cells of code."""
    cells = [nb.new_markdown_cell(f"# {title}\n\nWhat?")]
    cells += [nb.new_code_cell(parameters, metadata={"tags": ["parameters"]})] if parameters else []
    cells += [nb.new_code_cell(source) for source in code]
    path.parent.mkdir(parents=True, exist_ok=True)
    kernel = {"name": "python3", "display_name": "x", "language": "python"}
    nbformat.write(nb.new_notebook(cells=cells, metadata={"kernelspec": kernel}), str(path))
    return path


def index_of(out):
    """The text of the index of a folder of pages."""
    return unescape((out / "index.html").read_text(encoding="utf-8"))


def rows_of(out):
    """The rows of its runs."""
    return re.findall(r"<tr.*?</tr>", index_of(out).partition("<tbody>")[2], re.DOTALL)


class Tags(HTMLParser):
    """Each element of a text and its attributes, as a browser would be told them."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.seen = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        """One more."""
        self.seen.append((tag, dict(attrs)))


def executed(path, **given):
    """A notebook with what its cells show, run in this process; `given` are its parameters."""
    names, cells = {}, []
    for cell in load(path).cells:
        outputs = []
        if cell.cell_type == "code":
            tree = ast.parse(cell.source.replace("dashkit.check_parameters()", ""))
            last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, path.name, "exec"), names)
            if "parameters" in cell.metadata.get("tags", []):
                names |= given
            value = eval(compile(last, path.name, "eval"), names) if last else None
            outputs = _outputs(value)
            cell.outputs = outputs
        cells.append(cell)
    return nb.new_notebook(cells=cells)


def _outputs(value):
    if value is None:
        return []
    data = {"text/plain": repr(value)}
    for name in ("_repr_html_", "_repr_mimebundle_"):
        found = getattr(value, name)() if hasattr(value, name) else None
        data |= {"text/html": found} if isinstance(found, str) else found or {}
    return [nb.new_output("display_data", data)]


def page(path, **given):
    """The page of a notebook, as `dashkit report` writes it of a run that passed."""
    report = read(path)
    values = all_values(report, given)
    return render(executed(path, **given), Facts(report.title, lines=[(name, str(values[name])) for name in values]))


class Listener:
    """A proxy on a port of its own that answers nothing, and counts who asks."""

    def __enter__(self):
        asked = self.asked = []

        class Handler(BaseRequestHandler):
            def handle(self):
                asked.append(self.request.recv(200))

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, daemon=True).start()
        self.port = self._server.server_address[1]
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def opened(html, folder, more=()):
    """What a browser makes of a page: its DOM, what it says of it, and what it asks the net for.

    Args:
        html: the page.
        folder: where it is put, and where others lie that it shows in frames.
        more: flags.
    """
    (folder / "outer.html").write_bytes(html.encode("utf-8", "replace"))
    profile = folder / "profile"
    with Listener() as proxy:
        flags = [*_FLAGS, f"--proxy-server=127.0.0.1:{proxy.port}", "--proxy-bypass-list=<-loopback>", *more]
        command = [CHROMIUM, *flags, f"--user-data-dir={profile}", "--dump-dom", (folder / "outer.html").as_uri()]
        environment = {name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
        done = subprocess.run(command, capture_output=True, check=True, timeout=90, env=environment)
        shutil.rmtree(profile, ignore_errors=True)
        said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "CONSOLE" in line]
        return done.stdout.decode("utf-8", "replace"), said, proxy.asked


def text_of(html):
    """What a page says below its style and above its footer."""
    body = html.partition("</head>")[2].partition("<footer>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)).strip()


_LOOK = """<!DOCTYPE html><title>outer</title>FRAMES<pre id="found"></pre><script>
onload = () => {
  const found = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const d = frame.contentDocument, all = [...d.querySelectorAll("*")], counts = {};
    for (const one of all) counts[one.localName] = (counts[one.localName] || 0) + 1;
    found[frame.getAttribute("src")] = {
      title: d.title, counts, width: d.documentElement.scrollWidth,
      handlers: all.filter(one => [...one.attributes].some(a => a.name.startsWith("on"))).length,
      addresses: all.flatMap(one => ["href", "src", "action", "ping", "srcset", "data", "formaction", "xlink:href"]
        .map(name => one.getAttribute(name))).filter(value => value && !value.startsWith("data:image/")),
      broken: [...d.images].filter(one => !one.complete || !one.naturalWidth).length,
      text: d.body.innerText,
    };
  }
  document.getElementById("found").textContent = JSON.stringify(found);
};
</script>"""


def looked_at(pages, folder):
    """What a browser makes of each page, in frames as wide as a phone: its DOM by name, and what ran or asked.

    Args:
        pages: HTML by name.
        folder: where they are put.
    """
    for name, html in pages.items():
        (folder / f"{name}.html").write_bytes(html.encode("utf-8", "replace"))
    frames = "".join(f'<iframe src="{name}.html" width="390" height="800" style="border:0"></iframe>' for name in pages)
    dom, said, asked = opened(_LOOK.replace("FRAMES", frames), folder)
    told = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    return {name.removesuffix(".html"): seen for name, seen in json.loads(unescape(told[1])).items()}, said, asked
