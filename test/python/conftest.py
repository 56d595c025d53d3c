# One sandbox for all that only looks at one; E2B_API_URL, E2B_SANDBOX_URL and E2B_API_KEY lead to local mode.
import pytest
from e2b_code_interpreter import Sandbox


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox.create(metadata={"made": "by python"}, envs={"EVERYWHERE": "yes"}) as made:
        yield made


@pytest.fixture
def fresh():
    made = Sandbox.create()
    yield made
    made.kill()
