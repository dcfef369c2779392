import pytest

pytest.register_assert_rewrite("trends_oracle")  # its asserts tell what they saw, as those of a test module do
