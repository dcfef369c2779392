"""The ways into DuckDB, of which one is there only with the extra `attach`."""

import pytest

from dashkit import loading

attaches = pytest.mark.skipif(loading.extension() is None, reason="the extra `attach` is not installed")
LOADS = ["copy", pytest.param("attach", marks=attaches)]
