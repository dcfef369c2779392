"""The ways into DuckDB, of which one is there only with the extra `attach`."""

import pytest

from dashkit import snapshot

attaches = pytest.mark.skipif(snapshot._extension() is None, reason="the extra `attach` is not installed")
LOADS = ["copy", pytest.param("attach", marks=attaches)]
