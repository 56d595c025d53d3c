# A sandbox's life: made, found, paused and resumed, copied, ended, and the errors by class.
import time

import pytest
from e2b import NotFoundException, SandboxQuery
from e2b_code_interpreter import AsyncSandbox, Sandbox


def ids(paginator):
    found = []
    while paginator.has_next:
        found += [info.sandbox_id for info in paginator.next_items()]
    return found


def test_made_with_metadata_and_found_by_it(sandbox):
    info = sandbox.get_info()
    assert info.metadata == {"made": "by python"}
    assert info.sandbox_id == sandbox.sandbox_id
    assert sandbox.is_running()
    assert sandbox.sandbox_id in ids(Sandbox.list(query=SandboxQuery(metadata={"made": "by python"})))
    assert sandbox.sandbox_id not in ids(Sandbox.list(query=SandboxQuery(metadata={"made": "otherwise"})))


def test_connect_reaches_the_same_files(sandbox):
    sandbox.files.write("shared.txt", "from the first handle")
    assert Sandbox.connect(sandbox.sandbox_id).files.read("shared.txt") == "from the first handle"


def test_pause_and_resume_keep_files_and_variables(fresh):
    fresh.run_code("kept = 41")
    fresh.files.write("kept.txt", "still here")
    fresh.pause()
    assert not fresh.is_running()
    resumed = Sandbox.connect(fresh.sandbox_id)
    assert resumed.files.read("kept.txt") == "still here"
    assert resumed.run_code("kept + 1").text == "42"


def test_a_sandbox_made_of_a_snapshot_has_its_files(fresh):
    fresh.files.write("origin.txt", "from the snapshot")
    snapshot = fresh.create_snapshot()
    with Sandbox.create(snapshot.snapshot_id) as copy:
        assert copy.files.read("origin.txt") == "from the snapshot"
        copy.files.write("origin.txt", "changed in the copy")
    assert fresh.files.read("origin.txt") == "from the snapshot"
    assert Sandbox.delete_snapshot(snapshot.snapshot_id)


def test_metrics_have_times_and_numbers(fresh):
    for _ in range(100):
        metrics = fresh.get_metrics()
        if metrics:
            break
        time.sleep(0.1)
    assert metrics[0].cpu_count > 0 and metrics[0].mem_total > 0


def test_killed_twice_is_true_then_false(fresh):
    assert fresh.kill()
    assert not fresh.kill()
    assert not fresh.is_running()


def test_an_unknown_sandbox_is_not_found():
    with pytest.raises(NotFoundException):
        Sandbox.connect("i" + "0" * 20)


def test_a_new_timeout_moves_the_end(fresh):
    before = fresh.get_info().end_at
    fresh.set_timeout(3_000)
    assert fresh.get_info().end_at > before


def test_the_async_sandbox_works_as_well():
    import asyncio

    async def life():
        made = await AsyncSandbox.create()
        await made.files.write("a.txt", "async")
        ran = await made.commands.run("cat a.txt")
        code = await made.run_code("1 + 1")
        return ran.stdout, code.text, await made.kill()

    assert asyncio.run(life()) == ("async", "2", True)
