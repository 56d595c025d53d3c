# Files: written, read, listed, moved, watched, and the errors by class.
import pytest
from e2b import FileType, NotFoundException
from e2b_code_interpreter import Sandbox


@pytest.mark.parametrize("data", ["grüße", b"\x00\xff\xfe", ""])
def test_what_is_written_is_read(sandbox, data):
    sandbox.files.write("data.bin", data)
    kind = "bytes" if isinstance(data, bytes) else "text"
    assert sandbox.files.read("data.bin", format=kind) == data


def test_several_files_and_their_listing(sandbox):
    sandbox.files.write_files([{"path": f"tree/{name}", "data": name} for name in ("a.txt", "b/c.txt")])
    listed = sandbox.files.list("tree", depth=2)
    assert [(entry.path, entry.type) for entry in listed] == [
        ("/home/user/tree/a.txt", FileType.FILE),
        ("/home/user/tree/b", FileType.DIR),
        ("/home/user/tree/b/c.txt", FileType.FILE),
    ]


def test_make_rename_remove(sandbox):
    assert sandbox.files.make_dir("made")
    assert not sandbox.files.make_dir("made")
    sandbox.files.write("made/old.txt", "x")
    assert sandbox.files.rename("made/old.txt", "made/new.txt").path == "/home/user/made/new.txt"
    assert sandbox.files.exists("made/new.txt") and not sandbox.files.exists("made/old.txt")
    sandbox.files.remove("made")
    assert not sandbox.files.exists("made")


def test_what_is_not_there_is_not_found(sandbox):
    with pytest.raises(NotFoundException):
        sandbox.files.read("missing.txt")
    with pytest.raises(NotFoundException):
        sandbox.files.get_info("missing.txt")


def test_a_watched_directory_reports_a_new_file(sandbox):
    sandbox.files.make_dir("watched")
    handle = sandbox.files.watch_dir("watched")
    sandbox.files.write("watched/new.txt", "x")
    events = []
    for _ in range(100):
        events += handle.get_new_events()
        if events:
            break
    assert "new.txt" in [event.name for event in events]
    handle.stop()
