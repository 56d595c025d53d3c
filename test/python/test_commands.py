# Commands: results, streams, input, background, and the errors by class.
import pytest
from e2b import CommandExitException, TimeoutException
from e2b_code_interpreter import Sandbox


def test_output_and_environment(sandbox):
    ran = sandbox.commands.run('echo "$EVERYWHERE $HERE"; pwd; echo err >&2', envs={"HERE": "now"}, cwd="/tmp")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "yes now\n/tmp\n", "err\n")


def test_output_is_streamed(sandbox):
    parts = []
    sandbox.commands.run("echo one; sleep 0.2; echo two", on_stdout=parts.append)
    assert "".join(parts) == "one\ntwo\n" and len(parts) > 1


def test_a_failing_command_raises_with_its_output(sandbox):
    with pytest.raises(CommandExitException) as failed:
        sandbox.commands.run("echo half; echo bad >&2; exit 7")
    assert (failed.value.exit_code, failed.value.stdout, failed.value.stderr) == (7, "half\n", "bad\n")


def test_a_command_past_its_deadline_is_a_timeout(sandbox):
    with pytest.raises(TimeoutException):
        sandbox.commands.run("sleep 60", timeout=1)


def test_a_background_command_takes_input_and_is_killed(sandbox):
    command = sandbox.commands.run("while read line; do echo got $line; done", background=True, stdin=True)
    assert command.pid in [process.pid for process in sandbox.commands.list()]
    sandbox.commands.send_stdin(command.pid, "hello\n")
    stdout = next(out for out, _, _ in command if out)
    assert stdout == "got hello\n"
    assert sandbox.commands.kill(command.pid)
    assert not sandbox.commands.kill(command.pid)


def test_a_killed_sandbox_ends_its_command_with_a_timeout():
    other = Sandbox.create()
    command = other.commands.run("sleep 60", background=True)
    other.kill()
    with pytest.raises(TimeoutException):
        command.wait()
