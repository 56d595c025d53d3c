# Code: results, output, contexts, languages, and the errors by class.
import pytest
from e2b import NotFoundException, TimeoutException
from e2b_code_interpreter import Sandbox


def test_state_text_and_output(sandbox):
    sandbox.run_code("x = 41")
    lines = []
    run = sandbox.run_code('print("out"); x + 1', on_stdout=lambda message: lines.append(message.line))
    assert run.text == "42" and run.logs.stdout == ["out\n"] and lines == ["out\n"]
    assert sandbox.run_code("'bare'").text == "bare"


def test_an_error_of_the_code_is_part_of_the_result(sandbox):
    run = sandbox.run_code("1 / 0")
    assert (run.error.name, run.error.value) == ("ZeroDivisionError", "division by zero")
    assert "ZeroDivisionError" in run.error.traceback


@pytest.mark.parametrize("language,code,text", [("js", "[1, 2].length", "2"), ("ts", "const n: number = 3; n", "3")])
def test_other_languages(sandbox, language, code, text):
    assert sandbox.run_code(code, language=language).text == text


def test_contexts_keep_their_own_state(sandbox):
    context = sandbox.create_code_context(cwd="/tmp")
    sandbox.run_code("own = 1", context=context)
    assert sandbox.run_code("import os; os.getcwd()", context=context).text == "/tmp"
    assert sandbox.run_code("own").error.name == "NameError"
    assert context.id in [known.id for known in sandbox.list_code_contexts()]
    sandbox.remove_code_context(context)
    with pytest.raises(NotFoundException):
        sandbox.run_code("1", context=context)


def test_code_past_its_deadline_is_a_timeout_and_the_state_stays(sandbox):
    sandbox.run_code("kept = 7")
    with pytest.raises(TimeoutException):
        sandbox.run_code("while True: pass", timeout=1)
    assert sandbox.run_code("kept").text == "7"


def test_a_killed_sandbox_ends_its_code_with_a_timeout():
    other = Sandbox.create()
    with pytest.raises(TimeoutException):
        other.run_code("print('up', flush=True)\nwhile True: pass", on_stdout=lambda _: other.kill())
