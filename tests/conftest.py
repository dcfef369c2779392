"""What holds for every test: a marker tells what it starts, so that `make quick` can leave it out."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("trends_oracle")  # its asserts tell what they saw, as those of a test module do

# A word of a command line -> the marker of a test that runs it.
MARKERS = {"ipykernel_launcher": "kernel", "papermill": "kernel", "chromium": "browser", "strace": "crash"}
_started: set[str] = set()


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "subprocess.Popen":
        _, words, *_ = arguments
        names = {Path(os.fsdecode(word)).name for word in words}  # type: ignore[attr-defined]
        _started.update(MARKERS[name] for name in names & MARKERS.keys())


sys.addaudithook(_watch)


def pytest_collection_finish() -> None:
    """What a module starts when it is imported, to see whether it can, is of no test."""
    _started.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that started a kernel, Chromium or strace, itself or by its fixtures, has the marker that says so."""
    try:
        yield
    finally:
        unsaid = {name for name in _started if item.get_closest_marker(name) is None}
        _started.clear()
    assert not unsaid, f"what starts such a thing has the marker: {', '.join(sorted(unsaid))}"
