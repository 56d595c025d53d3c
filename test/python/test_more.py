# What is easily missed: terminals, errors by class and words, streams of input, signed URLs, users, ports, templates.
import httpx
import pytest
from e2b import (
    AuthenticationException,
    BuildException,
    InvalidArgumentException,
    PtySize,
    SandboxException,
    Template,
    Volume,
    wait_for_port,
)
from e2b_code_interpreter import Sandbox


def request(sandbox, port, path="/"):
    """As a browser sends it: the name leads to this machine."""
    host = sandbox.get_host(port)
    return httpx.get(f"http://127.0.0.1:{host.rsplit(':', 1)[1]}{path}", headers={"Host": host})


@pytest.mark.parametrize("use", [lambda each: each.commands.run("id", user="ghost"), lambda each: each.files.read("x", user="ghost")])
def test_an_unknown_user_is_refused_as_such(sandbox, use):
    with pytest.raises(AuthenticationException, match="ghost"):
        use(sandbox)


def test_paths_of_the_wrong_kind(sandbox):
    sandbox.files.write("kind.txt", "x")
    for use in (lambda: sandbox.files.list("kind.txt"), lambda: sandbox.files.make_dir("kind.txt"), lambda: sandbox.files.read(".")):
        with pytest.raises(InvalidArgumentException):
            use()
    with pytest.raises(SandboxException, match="path is a file"):
        sandbox.files.write("kind.txt/below", "x")


def test_root_has_a_home_that_the_user_may_not_read(sandbox):
    assert sandbox.commands.run("whoami; pwd", user="root").stdout == "root\n/root\n"
    sandbox.files.write("/root/secret", "x", user="root")
    assert sandbox.files.get_info("/root/secret", user="root").owner == "root"
    assert sandbox.commands.run("cat /root/secret || echo refused").stdout == "refused\n"


def test_the_environment_is_what_is_exported(sandbox):
    names = [line.split("=")[0] for line in sandbox.commands.run("HERE=no; env").stdout.splitlines()]
    assert "EVERYWHERE" in names and "HERE" not in names and "IFS" not in names


def test_input_is_streamed(sandbox):
    command = sandbox.commands.run("cat", background=True, stdin=True)
    sandbox.commands.stream_input(command.pid, iter(["one\n", b"two\n"]))
    sandbox.commands.close_stdin(command.pid)
    assert command.wait().stdout == "one\ntwo\n"


def test_a_terminal_runs_what_is_typed(sandbox):
    shown = []
    terminal = sandbox.pty.create(PtySize(rows=24, cols=80), envs={"FOO": "bar"})
    sandbox.pty.send_stdin(terminal.pid, b"echo $FOO; tput cols\rexit\r")
    assert terminal.wait(on_pty=shown.append).exit_code == 0
    assert b"bar\r\n80\r\n" in b"".join(shown)


def test_extended_attributes_are_metadata(sandbox):
    sandbox.files.write("attributes.txt", "x", metadata={"one": "1"})
    sandbox.run_code("import os; os.setxattr('attributes.txt', 'user.e2b.two', b'2')")
    assert sandbox.files.get_info("attributes.txt").metadata == {"one": "1", "two": "2"}


def test_signed_urls_read_write_expire_and_are_not_changed(sandbox):
    sandbox.files.write("signed.txt", "hello")
    url = sandbox.download_url("signed.txt", use_signature_expiration=60)
    assert httpx.get(url).text == "hello"
    assert httpx.get(url.replace("signed.txt", "kind.txt")).status_code == 401
    assert httpx.get(sandbox.download_url("signed.txt", use_signature_expiration=-10)).status_code == 401
    assert httpx.post(sandbox.upload_url("up.txt"), files={"file": ("up.txt", "sent")}).status_code == 200
    assert sandbox.files.read("up.txt") == "sent"


def test_a_server_is_reached_from_inside_as_soon_as_it_was_started(sandbox):
    sandbox.commands.run("python3 -m http.server 8100", background=True)
    assert "listing" in sandbox.commands.run("curl -s localhost:8100").stdout
    assert request(sandbox, 8100).status_code == 200
    assert request(sandbox, 8101).status_code == 502
    assert ":8100" in sandbox.commands.run("ss -Htuln sport = :8100").stdout
    assert sandbox.commands.run("ss -Htuln sport = :8101").stdout == ""


def test_a_template_waits_for_its_port_and_its_sandboxes_serve_it():
    template = (
        Template()
        .from_base_image()
        .set_workdir("/app")
        .set_envs({"WHERE": "built"})
        .run_cmd("echo hi > page")
        .set_start_cmd("python3 -m http.server 9100", wait_for_port(9100))
    )
    Template.build(template, "by-python:v1", tags=["second"])
    with Sandbox.create("by-python:second") as made:
        assert made.commands.run("echo $WHERE; pwd; cat page").stdout == "built\n/app\nhi\n"
        assert request(made, 9100, "/page").text == "hi\n"


def test_a_build_fails_with_the_output_of_its_step():
    with pytest.raises(BuildException, match="exit status 4\nout\nerr"):
        Template.build(Template().from_base_image().run_cmd("echo out; echo err >&2; exit 4"), "failing")


def test_a_volume_is_shared_by_sandboxes_code_and_its_own_api():
    volume = Volume.create("by-python")
    volume.write_file("/a.txt", "from the API")
    with Sandbox.create(volume_mounts={"/mnt/shared": volume}) as one:
        assert one.run_code("open('/mnt/shared/a.txt').read()").text == "from the API"
        one.commands.run("echo from a shell > /mnt/shared/b.txt")
        with Sandbox.create(volume_mounts={"/data": "by-python"}) as other:
            assert other.files.read("/data/b.txt") == "from a shell\n"
    assert volume.read_file("/b.txt") == "from a shell\n"
    assert Volume.destroy(volume.volume_id) and not Volume.destroy(volume.volume_id)


def test_shell_lines_in_a_cell(sandbox):
    assert sandbox.run_code("!echo hi").logs.stdout == ["hi\n"]
    assert sandbox.run_code("lines = !printf 'a\\nb'\nlines").text == "['a', 'b']"
