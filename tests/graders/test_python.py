"""Python graders run in a process of their own: what one does wrong, or does to the machine, costs its row alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import ftbridge
from ftbridge.errors import SpecError
from ftbridge.graders import (
    Grade,
    GradingContext,
    Multi,
    PythonGrader,
    PythonLimits,
    StringCheck,
    check_runnable,
    run_grader,
    sample_of,
)

LIMITS = PythonLimits(seconds=1.5, memory_bytes=512 << 20, disk_bytes=8 << 20, printed_characters=1 << 20)
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's walls are Linux's")


@pytest.fixture(scope="module")
def context() -> Iterator[GradingContext]:
    with GradingContext(limits=LIMITS) as context:
        yield context


def grader(source: str) -> PythonGrader:
    return PythonGrader(type="python", name="own", source=source)


def attempt(body: str) -> PythonGrader:
    """A grader that grades 0.5, but for the row {"attack": true}, in which it does what `body` says."""
    inside = textwrap.indent(textwrap.dedent(body), " " * 8)
    return grader(
        "import os, sys, ctypes\nlibc = ctypes.CDLL(None)\n"
        f"def grade(sample, item):\n    if item['attack']:\n{inside}\n    return 0.5\n"
    )


def both(one: PythonGrader, context: GradingContext) -> Grade:
    """The grade of the row with the attack. The row after it is graded as if nothing had happened."""
    grade = run_grader(one, {"attack": True}, sample_of("x"), context)
    assert run_grader(one, {"attack": False}, sample_of("x"), context).score == 0.5
    return grade


def message(grade: Grade) -> str:
    assert (grade.score, grade.passed) == (0, None)
    assert grade.error is not None
    assert grade.error.code == "python_grader_runtime_error"
    return grade.error.message


def test_the_guides_grader(context: GradingContext) -> None:
    """The guide to graders, "Python graders"."""
    fuzz, utils = pytest.importorskip("rapidfuzz.fuzz"), pytest.importorskip("rapidfuzz.utils")
    source = """
from rapidfuzz import fuzz, utils

def grade(sample, item) -> float:
    output_text = sample["output_text"]
    reference_answer = item["reference_answer"]
    return fuzz.WRatio(output_text, reference_answer, processor=utils.default_process) / 100.0
"""
    item, answer = {"reference_answer": "fuzzy wuzzy had no hair"}, "fuzzy wuzzy was a bear"
    expected = fuzz.WRatio(answer, item["reference_answer"], processor=utils.default_process) / 100.0
    assert run_grader(grader(source), item, sample_of(answer), context) == Grade(score=expected)


def test_it_gets_the_sample_and_the_row(context: GradingContext) -> None:
    source = """
def grade(sample, item):
    assert sample["output_json"] == {"a": 1}, sample
    assert sample["output_tools"] == [] and sample["choices"][0]["message"]["role"] == "assistant"
    assert item == {"text": "é \\U0001f600 \\x00", "deep": [{"x": None}]}, item
    return 1
"""
    item = {"text": "é 😀 \0", "deep": [{"x": None}]}
    assert run_grader(grader(source), item, sample_of('{"a": 1}'), context) == Grade(score=1)


def test_one_process_grades_many_rows_of_any_size(context: GradingContext) -> None:
    one = grader("import os\ndef grade(sample, item):\n    print(os.getpid())\n    return len(item['text'])")
    grades = [run_grader(one, {"text": "x" * size}, sample_of(""), context) for size in (0, 10, 3_000_000, 1)]
    assert [grade.score for grade in grades] == [0, 10, 3_000_000, 1]
    assert len({grade.details["printed"] for grade in grades}) == 1


@pytest.mark.parametrize("value", ["1", "True", "1.0", "__import__('fractions').Fraction(1)"])
def test_any_real_number_is_a_score(value: str, context: GradingContext) -> None:
    assert run_grader(grader(f"def grade(sample, item): return {value}"), {}, sample_of(""), context).score == 1


NO_SCORE = {
    "return None": "it returned None, which is no number",
    "return '1'": "it returned '1', which is no number",
    "return [1]": "it returned [1], which is no number",
    "return 1j": "it returned 1j, which is no number",
    "return float('nan')": "it returned nan, which is no finite number",
    "return float('inf')": "it returned inf, which is no finite number",
    "raise KeyError('name')": "line 5: KeyError: 'name'",
    "return item['missing']": "line 5: KeyError: 'missing'",
    "sys.exit(3)": "line 5: SystemExit: 3",
    "raise KeyboardInterrupt": "line 5: KeyboardInterrupt",
    "def deeper(): return deeper()\ndeeper()": "line 5: RecursionError: maximum recursion depth",
    "return 10 ** 400": "OverflowError",
    "class Hostile(Exception):\n    def __str__(self): raise self\nraise Hostile": "an exception that cannot be shown",
    "return type('Hostile', (float,), {'__repr__': lambda self: 1 / 0, '__float__': lambda self: 'x'})('nan')": "Error",
}


@pytest.mark.parametrize("body", NO_SCORE)
def test_what_is_no_score_is_an_error_of_that_row(body: str, context: GradingContext) -> None:
    assert NO_SCORE[body] in message(both(attempt(body), context))


ENDED = {
    "loops": ("while True: pass", "the python grader was ended: it took longer than 1.5 seconds"),
    "loops and catches": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "the python grader was ended: it took longer than 1.5 seconds",
    ),
    "calls os._exit": ("os._exit(0)", "the python grader was ended: it ended its process with status 0"),
    "crashes": ("libc.abort()", "the python grader was ended: its process died of SIGABRT"),
    "allocates 10 GB": ("x = bytearray(10 << 30)", "it needs more than 512 MiB of memory"),
    "allocates bit by bit": ("x = []\nwhile True: x.append(bytes(1 << 24))", "it needs more than 512 MiB of memory"),
    "prints megabytes": ("for _ in range(5): print('x' * (1 << 20))", "it printed more than 1,048,576 characters"),
    "prints and catches": (
        "for _ in range(5):\n    try: print('x' * (1 << 20))\n    except BaseException: pass\nreturn 1",
        "it printed more than 1,048,576 characters",
    ),
    "fills the disk": (
        "import itertools\nfor n in itertools.count():\n    open(str(n), 'wb').write(bytes(1 << 20))",
        "the python grader was ended: it wrote more than 8 MiB",
    ),
    "closes its connection": (
        "os.closerange(0, 64)\nwhile True: pass",
        "the python grader was ended: it closed its connection",
    ),
    "answers at length": ("os.write(4, b'x' * (2 << 20))", "its answer has more than 1 MiB"),
    "answers nonsense": ("os.write(4, b'hello\\n')", "its answer cannot be read: "),
    "answers for others": (
        "os.write(4, b'{\"id\": 99, \"score\": 1, \"error\": null, \"printed\": \"\"}\\n')",
        "it answered for another row",
    ),
    "forks": ("os.fork()", "a grader may not start another process"),
    "starts a program": ("__import__('subprocess').run(['/bin/ls'])", "a grader may not start another process"),
    "starts a shell": ("os.system('ls')", "a grader may not start another process"),
    "becomes a program": ("os.execv('/bin/ls', ['ls'])", "a grader may not start another process"),
    "kills": ("os.kill(os.getppid(), 9)", "a grader may not send signals"),
    "opens a socket": ("__import__('socket').create_connection(('127.0.0.1', 9))", "a grader has no network"),
    "asks for a name": ("__import__('socket').getaddrinfo('localhost', 80)", "a grader has no network"),
    "reads our environment": ("open(f'/proc/{os.getppid()}/environ').read()", "a grader may not read /proc/"),
    "reads a file": ("open('/etc/passwd').read()", "a grader may not read /etc/passwd"),
    "lists a folder": ("os.listdir('/')", "a grader may not list /"),
    "writes outside its folder": ("open('/tmp/ftbridge-escaped', 'w')", "a grader may not write /tmp/ftbridge-escaped"),
    "leaves its folder by dots": ("open('../ftbridge-escaped', 'w')", "ftbridge-escaped"),
    "removes": ("os.remove('/tmp/ftbridge-victim')", "a grader may not change /tmp/ftbridge-victim"),
    "moves into its folder": ("os.rename('/tmp/ftbridge-victim', 'x')", "a grader may not change"),
    "links": ("os.symlink('/etc/passwd', 'x')\nopen('x').read()", "a grader may not read /etc/passwd"),
    "changes modes": ("os.chmod('/tmp', 0o700)", "a grader may not change /tmp"),
}  # fmt: skip
"""What a grader does, and what is said of it."""


@pytest.mark.parametrize("name", ENDED)
def test_a_hostile_row_ends_with_a_sentence_and_the_next_is_graded(name: str, context: GradingContext) -> None:
    if name == "allocates bit by bit" and sys.platform != "linux":
        pytest.skip("macOS has no limit of address space")
    body, sentence = ENDED[name]
    said = message(both(attempt(body), context))
    assert sentence in said
    assert len(said) < 700


def test_its_environment_is_its_own(context: GradingContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with GradingContext(limits=LIMITS) as new:
        grade = run_grader(attempt("print(*os.environ)\nreturn 1"), {"attack": True}, sample_of(""), new)
    names = set(grade.details["printed"].split())
    assert "HOME" in names
    assert names <= {"PATH", "LANG", "LC_CTYPE", "HOME", "TMPDIR", "__CF_USER_TEXT_ENCODING"} | {
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
    }


def test_it_may_write_in_its_own_folder_which_is_gone_afterwards() -> None:
    own = attempt(
        "import tempfile\nwith tempfile.NamedTemporaryFile('w') as f: f.write('x')\nprint(os.getcwd())\nreturn 1"
    )
    with GradingContext(limits=LIMITS) as new:
        grade = run_grader(own, {"attack": True}, sample_of(""), new)
        folder = Path(grade.details["printed"].strip())
        assert grade.score == 1
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


BENEATH_PYTHON = {
    "fork": "return libc.fork() != -1",
    "vfork by number": "return libc.syscall(58 if os.uname().machine == 'x86_64' else 220, 17, 0, 0, 0, 0) != -1",
    "execve": "return libc.execve(b'/bin/true', None, None) != -1",
    "socket": "return libc.socket(2, 1, 0) != -1",
    "unix socket": "return libc.socket(1, 1, 0) != -1",
    "io_uring": "return libc.syscall(425, 1, ctypes.create_string_buffer(120)) != -1",
    "kill": "return libc.kill(os.getppid(), 0) != -1",
    "prlimit of others": "return libc.prlimit(os.getppid(), 7, None, ctypes.create_string_buffer(16)) != -1",
    "ptrace": "return libc.ptrace(16, os.getppid(), None, None) != -1",
    "our environment": "return libc.open(b'/proc/%d/environ' % os.getppid(), 0) != -1",
    "our memory": "return libc.open(b'/proc/%d/mem' % os.getppid(), 2) != -1",
    "read": "return libc.open(b'/etc/passwd', 0) != -1",
    "write": "return libc.open(b'/tmp/ftbridge-escaped', 0o101, 0o600) != -1",
    "unlink": "return libc.unlink(b'/tmp/ftbridge-victim') != -1",
    "mkdir": "return libc.mkdir(b'/tmp/ftbridge-escaped', 0o700) != -1",
    "chmod": "return libc.chmod(b'/tmp/ftbridge-victim', 0o777) != -1",
    "chown": "return libc.chown(b'/tmp/ftbridge-victim', 1, 1) != -1",
    "truncate": "return libc.truncate(b'/tmp/ftbridge-victim', 0) != -1",
    "mount": "return libc.mount(b'none', b'/mnt', b'tmpfs', 0, None) != -1",
    "unshare": "return libc.unshare(0x10000000) != -1",
    "memfd": "return libc.memfd_create(b'x', 0) != -1",
}
"""What code does that goes around Python, and so around its audit hooks: 0 where the kernel refuses it."""


ATTEMPTS = "\n".join(f"    {name!r}: lambda: {body.removeprefix('return ')}," for name, body in BENEATH_PYTHON.items())
SUCCEEDED = f"""
import ctypes, json, os
libc = ctypes.CDLL(None)
attempts = {{
{ATTEMPTS}
}}
def succeeded():
    return [name for name, attempt in attempts.items() if attempt()]
"""


@pytest.fixture
def victim() -> Iterator[Path]:
    """A file that the process must leave as it is."""
    victim = Path("/tmp/ftbridge-victim")
    victim.write_text("kept", "utf-8")
    victim.chmod(0o640)
    yield victim
    assert victim.read_text("utf-8") == "kept"
    assert victim.stat().st_mode & 0o777 == 0o640
    assert not Path("/tmp/ftbridge-escaped").exists()
    victim.unlink()


@linux
@pytest.mark.usefixtures("victim")
def test_the_kernel_refuses_what_goes_around_python(context: GradingContext) -> None:
    source = f"{SUCCEEDED}\ndef grade(sample, item):\n    print(succeeded())\n    return 1\n"
    grade = run_grader(grader(source), {}, sample_of(""), context)
    if not context.python(source).confined:
        pytest.skip("this kernel has no Landlock or no seccomp")
    assert grade == Grade(score=1, details={"printed": "[]\n"})


@linux
@pytest.mark.skipif(sys.platform == "linux" and os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.usefixtures("victim")
def test_the_same_walls_stand_around_root_and_around_a_user(tmp_path: Path) -> None:
    def built(*, become: int) -> dict[str, list[str]]:
        code = f"""
from ftbridge.graders.python.kernel import build_walls
{SUCCEEDED}
if {become}:
    os.setgroups([])
    os.setgid({become})
    os.setuid({become})
walls = build_walls({str(tmp_path)!r}, ["/usr"])
print(json.dumps({{"walls": sorted(walls), "succeeded": succeeded()}}))
"""
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return json.loads(ended.stdout)  # type: ignore[no-any-return]

    for_root, for_user = built(become=0), built(become=65534)
    if "files" not in for_root["walls"] or "system calls" not in for_root["walls"]:
        pytest.skip("this kernel has no Landlock or no seccomp")
    assert for_root["succeeded"] == for_user["succeeded"] == []
    assert {*for_user["walls"]} >= {"files", "system calls"}


HOOKS_ALONE: dict[str, str] = {
    "open('/etc/passwd')": "a grader may not read /etc/passwd",
    "open('/tmp/ftbridge-escaped', 'w')": "a grader may not write",
    "os.listdir('/')": "a grader may not list /",
    "os.fork()": "a grader may not start another process",
    "os.rename('x', '/tmp/ftbridge-escaped')": "a grader may not change",
    "__import__('socket').socket()": "a grader has no network",
    "ctypes.CDLL(None).getpid": "a grader may not use ctypes on this system",
    "ctypes.CDLL('libc.so.6')": "a grader may not use ctypes on this system",
}


def test_pythons_hooks_alone_refuse_with_the_same_sentences(tmp_path: Path) -> None:
    """Where the kernel has no walls, as on macOS."""
    code = f"""
import ctypes, json, os, socket, sys
sys.path.insert(0, {str(Path(ftbridge.__file__).parents[1])!r})
from ftbridge.graders.python.hooks import install_hook
install_hook(os.getcwd(), [sys.prefix, sys.base_prefix], ctypes_too=True)
said = {{}}
for attempt in {list(HOOKS_ALONE)!r}:
    try:
        said[attempt] = repr(eval(attempt))
    except PermissionError as problem:
        said[attempt] = str(problem)
open("own", "w").write("allowed")
print(json.dumps(said))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    said = json.loads(ended.stdout)
    assert {attempt: HOOKS_ALONE[attempt] in said[attempt] for attempt in HOOKS_ALONE} == dict.fromkeys(
        HOOKS_ALONE, True
    )
    assert (tmp_path / "own").read_text("utf-8") == "allowed"


UNLOADABLE = {
    "def grade(sample, item) return 1": "line 1: SyntaxError: expected ':'",
    "x = 1": "the source has no function grade(sample, item)",
    "grade = 1": "the source has no function grade(sample, item)",
    "\nimport a_module_that_is_not_there": "line 2: ModuleNotFoundError: No module named 'a_module_that_is_not_there'",
    "while True: pass": "it took longer than 1.5 seconds",
    "import os\nos._exit(1)": "it ended its process with status 1",
    "x = bytearray(10 << 30)": "it needs more than 512 MiB of memory",
}


@pytest.mark.parametrize("source", UNLOADABLE)
def test_a_source_that_does_not_load_is_refused_before_any_row(source: str, context: GradingContext) -> None:
    with pytest.raises(SpecError) as problem:
        check_runnable(grader(source), context)
    assert problem.value.message.startswith("own: the source of the python grader cannot be loaded: ")
    assert UNLOADABLE[source] in problem.value.message
    before = time.monotonic()
    assert UNLOADABLE[source] in message(run_grader(grader(source), {}, sample_of(""), context))
    assert time.monotonic() - before < 1  # it is not tried again


def test_a_source_that_is_longer_than_openais_limit_is_refused(context: GradingContext) -> None:
    with pytest.raises(SpecError, match="longer than 256,000 bytes"):
        check_runnable(grader("#" * 256_001), context)


def test_a_failed_part_counts_0_and_is_named(context: GradingContext) -> None:
    same = StringCheck(type="string_check", name="same", input="a", reference="a", operation="eq")
    broken = grader("def grade(sample, item): raise ValueError('no')")
    both = Multi(type="multi", graders={"same": same, "own": broken}, calculate_output="0.5 * same + 0.5 * own")
    grade = run_grader(both, {}, sample_of(""), context)
    assert grade.score == 0.5
    assert grade.error is not None
    assert grade.error.message == "own: the python grader failed: line 1: ValueError: no"


def test_threads_share_one_process(context: GradingContext) -> None:
    one = grader("def grade(sample, item): return item['n']")

    def score(number: int) -> Any:
        return run_grader(one, {"n": number}, sample_of(""), context).score

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(score, range(200))) == list(range(200))
