"""Reading git repositories: everything that git can throw."""

import os
import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import commit, damage, git, history, raw_commit, remove, repository

from dashkit.errors import RefusedError, UsageError
from dashkit.sources import git as source
from dashkit.sources.git import parse


def read(path, **wanted):
    """All commits below HEAD, newest first."""
    repo = source.find(path)
    shas = source.walk(repo, source.choose(repo, source.refs(repo), **wanted).values())
    return [found for chunk in source.read(repo, [shas]) for found in chunk]


@pytest.fixture
def repo(tmp_path):
    """A repository without a commit."""
    return repository(tmp_path / "repo")


def test_what_a_commit_tells(repo):
    """Author, times in UTC, the whole message, counts and paths."""
    sha = commit(repo, "Say it\n\nWith a body\n", {"a.txt": "1\n2\n", "deep/b.txt": "1\n"})
    (found,) = read(repo)
    assert (found.sha, found.author, found.author_email) == (sha, "Ann", "ann@example.org")
    assert found.message == "Say it\n\nWith a body"
    assert (found.authored_at, found.committed_at) == ("2023-11-14T22:13:20.000Z", "2023-11-14T22:15:00.000Z")
    assert (found.files_changed, found.insertions, found.deletions, found.is_merge) == (2, 3, 0, False)
    assert found.paths == ("a.txt", "deep/b.txt")


def test_the_counts_are_those_of_git_log(repo):
    """Empty commits, renames (removed and added), binary files, deletions and merges count as git log has them."""
    commit(repo, "root", {"a": "1\n2\n3\n", "bin": b"\0\1"})
    commit(repo, "empty")
    git(repo, "mv", "a", "renamed")
    commit(repo, "rename", {"bin": b"\0\2"})
    for name in ("one", "two", "three"):
        git(repo, "checkout", "-q", "-b", name, "main")
        commit(repo, name, {name: "x\n"})
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "-m", "merge", "one")
    git(repo, "merge", "-q", "-m", "octopus", "two", "three")
    (repo / "renamed").unlink()
    commit(repo, "delete")
    log = git(repo, "log", "--no-renames", "--numstat", "--format=%x01%H")
    told = {}
    for entry in log.split("\x01")[1:]:
        sha, *lines = entry.split()
        counts = [(lines[at], lines[at + 1]) for at in range(0, len(lines), 3)]
        told[sha] = (len(counts), *(sum(int(c[side]) for c in counts if c[side] != "-") for side in (0, 1)))
    found = read(repo)
    assert {c.sha: (c.files_changed, c.insertions, c.deletions) for c in found} == told
    assert {c.message: c.files_changed for c in found if c.is_merge} == {"merge": 0, "octopus": 0}
    assert {c.message: c.paths for c in found}["rename"] == ("a", "bin", "renamed")


def test_a_submodule_is_one_path(repo):
    """A change of a submodule is one line removed and one added, also where the repository ignores it."""
    for sha in ("1" * 40, "2" * 40):
        git(repo, "update-index", "--add", "--cacheinfo", f"160000,{sha},sub")
        git(repo, "commit", "-q", "-m", "sub")
    git(repo, "config", "diff.ignoreSubmodules", "all")
    assert [(c.insertions, c.deletions, c.paths) for c in read(repo)] == [(1, 1, ("sub",)), (1, 0, ("sub",))]


EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def raw(headers, message=b"m\n", author=b"A <a@x> 1 +0000", committer=b"A <a@x> 1 +0000"):
    """A commit object of the empty tree."""
    return b"tree %b\nauthor %b\ncommitter %b\n%b\n%b" % (EMPTY_TREE.encode(), author, committer, headers, message)


@pytest.mark.parametrize(
    ("content", "author", "message"),
    [
        (raw(b"", b"Gr\xc3\xbc\xc3\x9fe\n", b"J\xc3\xbcrgen <j@x> 1 +0000"), "Jürgen", "Grüße"),
        (raw(b"", b"Gr\xfc\xdfe\n", b"J\xfcrgen <j@x> 1 +0000"), "Jürgen", "Grüße"),
        (raw(b"encoding ISO-8859-2\n", b"\xb1\n", b"\xb1 <j@x> 1 +0000"), "ą", "ą"),
        (raw(b"encoding shift_jis\n", b"\x93\xfa\n"), "A", "日"),
        (raw(b"encoding nonsense\n", b"\xfc\n"), "A", "ü"),
        (raw(b"encoding punycode\n", b"a-b\n"), "A", "a-b"),
        (raw(b"encoding utf-16\n", b"\x00\xd8\n\n"), "A", "\u2400Ø"),
        (raw(b"", b"before\0after\n", b"A\0B <j@x> 1 +0000"), "A\u2400B", "before\u2400after"),
        (raw(b"", b""), "A", ""),
        (raw(b"gpgsig -----BEGIN\n author Eve <e@x> 5 +0000\n -----END\n"), "A", "m"),
        (raw(b"", b"m\n", b"No address 1 +0000"), "No address", "m"),
        (raw(b"", b"m\n", b"No time"), "No time", "m"),
        (raw(b"", b"m\n", b"Half <of 1 +0000"), "Half", "m"),
        (raw(b"", b"m\n", b"<> 1 +0000"), "", "m"),
    ],
)
def test_any_bytes_become_text(repo, content, author, message):
    """Declared encodings, undeclared Latin-1, NULs and broken headers are decoded, and nothing is cut off."""
    git(repo, "hash-object", "-t", "tree", "-w", "--stdin")
    raw_commit(repo, content)
    (found,) = read(repo)
    assert (found.author, found.message) == (author, message)
    found.message.encode()


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        (b"0 +0000", "1970-01-01T00:00:00.000Z"),
        (b"-5 +0000", "1970-01-01T00:00:00.000Z"),
        (b"4102444800 -0730", "2100-01-01T00:00:00.000Z"),
        (b"1700000000 +051800", "2023-11-14T22:13:20.000Z"),
        (b"18446744073709551615 +0000", "9999-12-31T23:59:59.000Z"),
        (b"1e9 +0000", "1970-01-01T00:00:00.000Z"),
        (b"", "1970-01-01T00:00:00.000Z"),
    ],
)
@pytest.mark.parametrize("who", [b"A <a@x> ", b"A "])
def test_any_date_is_a_date(repo, who, written, instant):
    """Dates of 1970, of the far future, with odd zones and without a number are read as git reads them."""
    git(repo, "hash-object", "-t", "tree", "-w", "--stdin")
    raw_commit(repo, raw(b"", author=who + written))
    assert read(repo)[0].authored_at == instant


def test_a_huge_message(repo):
    """A message of 5 MB arrives whole."""
    git(repo, "hash-object", "-t", "tree", "-w", "--stdin")
    raw_commit(repo, raw(b"", b"x" * 5_000_000))
    assert len(read(repo)[0].message) == 5_000_000


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_no_object_crashes_the_parser(content):
    """Whatever a commit object holds, a record comes out whose texts can be stored."""
    found = parse.commit("0" * 40, content, None, lambda name: name)
    assert "\0" not in f"{found.author}{found.author_email}{found.message}"
    f"{found.author}{found.author_email}{found.message}".encode()


def test_paths_are_any_bytes(repo):
    """Tabs, line breaks, quotes, and bytes that are no UTF-8 in a path."""
    names = [b"a\tb", b"c\nd", b'e"f', b"gr\xfc\xdf", b"-x", b"end", b":100644"]
    for name in names:
        (os.fsencode(repo) + b"/" + name).decode("utf-8", "surrogateescape")
        with open(os.path.join(os.fsencode(repo), name), "wb") as file:  # noqa: PTH118, PTH123 - a name of bytes
            file.write(b"1\n")
    commit(repo)
    (found,) = read(repo)
    assert sorted(found.paths) == sorted(["a\tb", "c\nd", 'e"f', "grüß", "-x", "end", ":100644"])
    assert found.insertions == len(names)


def test_names_are_those_of_mailmap(repo):
    """The .mailmap of HEAD names authors; one that cannot be taken apart keeps its name."""
    commit(repo, "one", {".mailmap": "Ann Real <real@example.org> <ann@example.org>\n"})
    commit(repo, "two", GIT_AUTHOR_NAME="Ben", GIT_AUTHOR_EMAIL="ben@example.org")
    head = git(repo, "rev-parse", "HEAD")
    raw_commit(
        repo, raw(b"", author=b"No address 1 +0000").replace(b"\nauthor", b"\nparent %b\nauthor" % head.encode())
    )
    assert [(c.author, c.author_email) for c in read(repo)][:2] == [("No address", ""), ("Ben", "ben@example.org")]
    git(repo, "reset", "-q", "--hard", head)
    assert {(c.author, c.author_email) for c in read(repo)} == {
        ("Ben", "ben@example.org"),
        ("Ann Real", "real@example.org"),
    }


def test_a_shallow_clone_does_not_count_its_boundary(repo, tmp_path):
    """The oldest commit of a shallow clone would seem to add every file: it has no counts."""
    for number in range(3):
        commit(repo, str(number), {f"{number}": "x\n"})
    git(tmp_path, "clone", "-q", "--depth", "2", repo.as_uri(), "shallow")
    assert [(c.message, c.files_changed, c.insertions) for c in read(tmp_path / "shallow")] == [
        ("2", 1, 1),
        ("1", None, None),
    ]
    assert source.find(tmp_path / "shallow").cuts
    assert not source.find(repo).cuts


def test_a_partial_clone_fetches_nothing(repo, tmp_path):
    """Files that a partial clone left out are not fetched: paths are known, lines are not."""
    commit(repo, "one", {"a": "1\n", "b": "1\n"})
    commit(repo, "two", {"a": "2\n"})
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", repo.as_uri(), "partial")
    before = sorted(path.name for path in (tmp_path / "partial" / "objects").rglob("*"))
    assert source.find(tmp_path / "partial").is_partial
    assert [(c.paths, c.files_changed, c.insertions) for c in read(tmp_path / "partial")] == [
        (("a",), 1, None),
        (("a", "b"), 2, None),
    ]
    assert sorted(path.name for path in (tmp_path / "partial" / "objects").rglob("*")) == before


def test_configuration_has_no_say(repo, tmp_path, monkeypatch):
    """No configuration, attribute or variable of user or repository changes a number or runs a program."""
    commit(repo, "one", {"a.txt": "1\n2\n3\n", ".gitattributes": "*.txt diff=spy\n", "b": "same\nlines\nhere\n"})
    git(repo, "mv", "b", "c")
    commit(repo, "two", {"a.txt": "1\n2\n4\n"})
    plain = read(repo)
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    spy.chmod(0o755)
    settings = "".join(
        f"[{section}]\n{key} = {value}\n"
        for section, key, value in [
            ("diff", "external", spy), ('diff "spy"', "textconv", spy), ('diff "spy"', "command", spy),
            ("diff", "renames", "copies"), ("diff", "algorithm", "patience"), ("core", "fsmonitor", spy),
            ("core", "pager", spy), ("core", "hooksPath", tmp_path), ("log", "showSignature", "true"),
            ("mailmap", "file", tmp_path / "map"), ("core", "attributesFile", tmp_path / "attributes"),
        ]
    )  # fmt: skip
    (tmp_path / "map").write_text("Eve <eve@example.org> <ann@example.org>\n")
    (tmp_path / "attributes").write_text("* binary\n")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(settings)
    with (repo / ".git" / "config").open("a") as file:
        file.write(settings)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(spy))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert read(repo) == plain
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("i18n.logOutputEncoding", "UTF-16"), ("i18n.commitEncoding", "UTF-16"), ("core.worktree", "/etc")),
        *(("diff.evil.binary", "true"), ("core.bigFileThreshold", "1"), ("diff.orderFile", "/none")),
        *(("log.date", "none"), ("diff.algorithm", "none"), ("diff.colorMoved", "none"), ("log.showRoot", "false")),
        *(("diff.wsErrorHighlight", "none"), ("diff.renames", "none"), ("core.attributesFile", "/none")),
    ],
)
def test_no_key_has_a_say(repo, key, value):
    """No key of a repository's configuration and no attributes of its own change what is read, or stop it."""
    for number in range(3):
        commit(repo, "Grüße", {"a": f"{number}\nx\n"})
    plain = read(repo)
    git(repo, "config", key, value)
    (repo / ".git" / "info" / "attributes").write_text("* diff=evil\n" if "evil" in key else "* -diff\n")
    assert read(repo) == plain
    assert [c.insertions for c in plain] == [1, 1, 2]
    assert source.find(repo).work_tree == repo.resolve()


def test_the_other_algorithm_of_names(tmp_path):
    """A repository whose objects have names of SHA-256 is read like any other."""
    repo = tmp_path / "long names"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main", "--object-format=sha256")
    sha = commit(repo, "one", {"a": "1\n", ".mailmap": "Real <real@x> <ann@example.org>\n"})
    git(repo, "replace", "--graft", commit(repo, "two", {"a": "2\n"}))
    assert len(sha) == 64
    assert [(c.author, c.message, c.insertions) for c in read(repo)] == [("Real", "two", 2)]


@pytest.mark.parametrize("name", ["with space", "quo'te\"s", "line\nbreak", "-x", "--git-dir=y", "x.git", "grüß"])
def test_any_folder_name(tmp_path, name):
    """Spaces, quotes, a line break and leading dashes in a folder's name; also from a folder inside."""
    repo = repository(tmp_path / name)
    commit(repo, "one", {"sub/a": "1\n"})
    assert len(read(repo)) == 1
    assert source.find(repo / "sub").path == repo.resolve()
    assert source.find(repo).name == name.removesuffix(".git")


def test_bare_repositories_and_work_trees(repo, tmp_path):
    """A bare one is named by itself; work trees share the main one's name, and each has its own HEAD."""
    commit(repo, "one")
    git(tmp_path, "clone", "-q", "--bare", str(repo), "copy.git")
    assert source.find(tmp_path / "copy.git").path == (tmp_path / "copy.git").resolve()
    assert len(read(tmp_path / "copy.git")) == 1
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    commit(tmp_path / "tree", "two")
    assert source.find(tmp_path / "tree").path == repo.resolve()
    assert (len(read(repo)), len(read(tmp_path / "tree"))) == (1, 2)


def test_the_work_tree_is_the_one_that_was_asked_for(repo, tmp_path):
    """Each work tree, also of a submodule and of a git dir that lies elsewhere, has its folder; a bare one has none."""
    commit(repo, "one")
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    above = repository(tmp_path / "above")
    git(above, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo), "mod")
    (tmp_path / "apart").mkdir()
    git(tmp_path, "init", "-q", "--separate-git-dir", "elsewhere", "apart")
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare")
    git(tmp_path / "bare", "worktree", "add", "-q", str(tmp_path / "of bare"), "main")
    (above / "deep" / ".git").mkdir(parents=True)  # no repository: git looks further up
    for folder in (repo, tmp_path / "tree", above, above / "mod", tmp_path / "apart", tmp_path / "of bare"):
        assert source.find(folder).work_tree == folder.resolve()
    assert source.find(above / "deep").work_tree == above.resolve()
    (tmp_path / "hidden").mkdir()
    (tmp_path / "bare").rename(tmp_path / "hidden" / "bare")
    (tmp_path / "hidden" / ".git").write_text("gitdir: bare\n")
    for folder in (tmp_path / "hidden" / "bare", tmp_path / "hidden", repo / ".git", repo / ".git" / "refs"):
        assert source.find(folder).work_tree is None


def test_commits_of_other_work_trees_are_reached(repo, tmp_path):
    """A commit that only the HEAD of another work tree has is among the refs, seen from either."""
    first = commit(repo, "one")
    git(repo, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    second = commit(tmp_path / "tree", "two")
    assert source.refs(source.find(repo)) == {"refs/heads/main": first, "worktrees/tree/HEAD": second}
    assert source.refs(source.find(tmp_path / "tree")) == {"refs/heads/main": first, "HEAD": second}
    git(repo, "checkout", "-q", "--detach")
    third = commit(repo, "three")
    assert source.refs(source.find(tmp_path / "tree"))["main-worktree/HEAD"] == third


def test_how_far_up_is_the_users_to_say(repo, tmp_path, monkeypatch):
    """GIT_CEILING_DIRECTORIES stops the search; what else of git's variables is set does not count."""
    commit(repo, "one", {"sub/a": "1\n"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert source.find(repo / "sub").path == repo.resolve()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repo.resolve()))
    with pytest.raises(RefusedError, match="neither it nor a folder above it is one"):
        source.find(repo / "sub")


def test_remote_addresses_keep_no_secret(repo):
    """User and password of origin's address are left away."""
    git(repo, "remote", "add", "origin", "https://ann:secret@example.org/x.git")
    assert source.find(repo).remote_url == "https://example.org/x.git"


def test_branches_and_tags(repo):
    """One branch or tag by its name, in short or in full; an unknown one is refused, whatever it looks like."""
    commit(repo, "one")
    git(repo, "tag", "-a", "v1", "-m", "tagged")
    git(repo, "branch", "side/line")
    commit(repo, "two")
    found = source.find(repo)
    assert set(source.refs(found)) == {"refs/heads/main", "refs/heads/side/line", "refs/tags/v1"}
    assert [len(read(repo, branch=name)) for name in ("main", "side/line", "v1", "refs/heads/main")] == [2, 1, 1, 2]
    for name in ("nope", "--all", "-n1", "main~1", ""):
        with pytest.raises(UsageError, match=r"no such branch.*main, side/line"):
            read(repo, branch=name)
    git(repo, "checkout", "-q", "--detach", "HEAD~1")
    assert source.choose(found, source.refs(found)) == {"HEAD": git(repo, "rev-parse", "HEAD")}


def test_no_commit_yet(repo):
    """A repository without a commit has none, and is no error."""
    assert source.refs(source.find(repo)) == {}
    assert read(repo) == []


@pytest.mark.parametrize("name", ["missing", "x" * 5000, "nul\0"])
def test_a_path_that_is_none(tmp_path, name):
    """A folder that is not there is refused."""
    with pytest.raises(RefusedError, match=r"no such folder. Name the folder of a clone"):
        source.find(tmp_path / name)


def test_a_folder_that_is_no_repository(tmp_path):
    """A folder outside of any repository is refused, and so is a file."""
    with pytest.raises(RefusedError, match="neither it nor a folder above it is one"):
        source.find(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RefusedError, match="no such folder"):
        source.find(tmp_path / "file")


def test_no_git_on_the_machine(repo, monkeypatch):
    """Without git the message says so."""
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(RefusedError, match=r"no `git` on this machine's PATH. Install git"):
        source.find(repo)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user(repo, tmp_path, monkeypatch):
    """One that belongs to another user is refused, with the command that trusts it; and read once that was said."""
    commit(repo, "one")
    for path in (repo, *repo.rglob("*")):
        os.chown(path, 12345, 12345)
    monkeypatch.setenv("HOME", str(tmp_path))
    (repo / "sub").mkdir()
    for folder in (repo, repo / "sub"):
        with pytest.raises(RefusedError) as error:
            source.find(folder)
        assert str(error.value).endswith(f"git config --global --add safe.directory {repo}")
    git(tmp_path, "config", "--file", str(tmp_path / ".gitconfig"), "safe.directory", str(repo))
    assert len(read(repo)) == 1


def test_a_file_that_is_gone_costs_its_lines_and_no_more(repo):
    """Commits whose files are missing or damaged have paths and no lines, those without a folder have neither."""
    for number in range(1, 9):
        commit(repo, str(number), {"a": f"{number}\n", f"deep/{number}": "x\n"})
    plain = read(repo)
    remove(repo, git(repo, "rev-parse", "HEAD~2:a"))
    found = read(repo)
    assert [c.message for c in found if c != plain[found.index(c)]] == ["7", "6"]
    assert [(c.paths, c.files_changed, c.insertions, c.deletions) for c in found[1:3]] == [
        (("a", "deep/7"), 2, None, None),
        (("a", "deep/6"), 2, None, None),
    ]
    damage(repo, git(repo, "rev-parse", "HEAD~4:a"))
    remove(repo, git(repo, "rev-parse", "HEAD~5:deep"))
    found = read(repo)
    uncounted = {c.message: c.files_changed for c in found if c.insertions is None}
    assert uncounted == {"7": 2, "6": 2, "5": 2, "4": None, "3": None}
    assert [c.message for c in found] == list("87654321")


def test_a_commit_that_is_gone(repo):
    """Where git comes no further, the error has the commits before."""
    shas = [commit(repo, str(number)) for number in range(6)]
    remove(repo, shas[2])
    found = source.find(repo)
    with pytest.raises(source.UnreadableError, match=r"git says: .*git fsck") as error:
        source.walk(found, [shas[-1]])
    assert error.value.answer.decode().split() == shas[:3:-1]


def test_two_reads_leave_nothing_behind(repo, tmp_path, monkeypatch):
    """The git dir that the past is read from goes with the repository's record."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "made"))
    (tmp_path / "made").mkdir()
    commit(repo, "one")
    assert len(read(repo)) == 1
    assert list((tmp_path / "made").iterdir()) == []


def test_many_chunks_come_in_order(tmp_path):
    """Chunks that were read side by side come back in their order, with every commit; unknown ids are left out."""
    shas = history(tmp_path / "long", 3000)
    repo = source.find(tmp_path / "long")
    chunks = [[*shas[start : start + 70], "0" * 40] for start in range(0, len(shas), 70)]
    found = list(source.read(repo, chunks))
    assert [c.sha for chunk in found for c in chunk] == shas
    assert [int(c.message) for chunk in found for c in chunk] == list(range(2999, -1, -1))
    assert [len(chunk) for chunk in found][:2] == [70, 70]


def test_an_empty_chunk_starts_no_process(repo, monkeypatch):
    """Nothing to read costs nothing, and keeps its place."""
    sha = commit(repo, "one")
    assert [len(chunk) for chunk in source.read(source.find(repo), [[], [sha], []])] == [0, 1, 0]


def test_a_reader_that_stops_leaves_no_process(tmp_path):
    """Who stops in the middle leaves no git process behind."""
    shas = history(tmp_path / "long", 2000)
    reading = source.read(source.find(tmp_path / "long"), ([sha] for sha in shas))
    next(reading)
    reading.close()
    children = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, text=True, check=False
    )
    assert "git" not in children.stdout.split()


def test_walks(tmp_path):
    """What is below one commit and not below another, or not older than an instant; missing exclusions are ignored."""
    shas = history(tmp_path / "long", 20)
    repo = source.find(tmp_path / "long")
    assert source.walk(repo, [shas[0]], [shas[5], "0" * 40]) == shas[:5]
    assert source.walk(repo, [shas[0]], since=datetime.fromtimestamp(1700000000 + 15, UTC)) == shas[:5]
    assert source.walk(repo, []) == []
    there = source.refs(repo)
    assert source.still_reachable(repo, [shas[3]], there)
    assert not source.still_reachable(repo, ["0" * 40], there)
    assert source.reachable(repo, there) == set(shas)
