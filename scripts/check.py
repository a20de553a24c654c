# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the gate.

`check.py PART...` runs some in the foreground, one after the other; `gate.py` runs all in parallel.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import tomli
import yaml

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
OWN_VENV = ROOT / ".venv"
OTHER_CORES = "not slow and (every_core or not integration)"
COLLECTION = Path("ansible_collections/mirrorops/event_streams")
SHIPPED = {
    "CHANGELOG.rst", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md",
    "changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "roles", "tests",
}  # fmt: skip


@dataclass(frozen=True)
class Core:
    """One version of ansible-core to test with, and the Python found for it."""

    release: str
    pythons: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.release.rpartition(".")[0]

    @property
    def python(self) -> str | None:
        """Path of the interpreter, the first found in order of preference."""
        found = (shutil.which(f"python{version}", path=search_path()) for version in self.pythons)
        return next(filter(None, found), None)

    @property
    def is_own(self) -> bool:
        """Whether this is the one in .venv."""
        return own_core().rpartition(".")[0] == self.name

    @property
    def venv(self) -> Path:
        return OWN_VENV if self.is_own else ROOT / f".venv-{self.name}"


@functools.cache
def cores() -> tuple[Core, ...]:
    """The version matrix, oldest first."""
    settings = tomli.loads((ROOT / "pyproject.toml").read_text())
    return tuple(Core(release, tuple(pythons)) for release, pythons in settings["tool"]["gate"]["cores"].items())


@functools.cache
def own_core() -> str:
    """The release in .venv, whose Python runs this."""
    return importlib.metadata.version("ansible-core")


@functools.cache
def search_path() -> str:
    """PATH with the real interpreters of pyenv instead of its shims, which ansible-test cannot run."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    kept = [entry for entry in os.get_exec_path() if Path(entry).name != "shims"]
    return os.pathsep.join([*kept, *map(str, sorted(pyenv.glob("versions/*/bin"), reverse=True))])


def environment(venv: Path, extra: dict[str, str] | None = None) -> dict[str, str]:
    """What a tool sees: its own virtual environment first, and this collection."""
    return {
        **os.environ,
        "PATH": f"{venv / 'bin'}{os.pathsep}{search_path()}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cl"),
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "PYTHONUNBUFFERED": "1",
        **(extra or {}),
    }


def run(*command: str | Path, venv: Path = OWN_VENV, cwd: Path = ROOT, extra: dict[str, str] | None = None) -> None:
    """Run one tool; the first that fails ends its part."""
    print("$", *command, flush=True)
    code = subprocess.run(list(map(str, command)), cwd=cwd, env=environment(venv, extra), check=False).returncode
    if code:
        sys.exit(code)


@contextlib.contextmanager
def tree() -> Iterator[Path]:
    """A copy of the working tree where ansible-test and mypy want it; they refuse symbolic links."""
    with tempfile.TemporaryDirectory(prefix="event_streams-") as base:
        target = Path(base).resolve() / COLLECTION
        listed = subprocess.check_output(["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, text=True)
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).exists():  # and not just deleted
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target / name)
        yield target


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Parts that run in parallel take turns to set up what they share."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "set-up.lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield


# Setting up


def set_up(core: Core) -> None:
    """Make the virtual environment of one ansible-core: the packages of the group `test`, pinned as in .venv."""
    if core.is_own:
        return
    pins = [
        line
        for line in (ROOT / "requirements/dev.txt").read_text().splitlines()
        if not line.startswith(("#", "ansible-core==", "resolvelib=="))  # each ansible-core wants its own resolvelib
    ]
    wanted = "\n".join([f"ansible-core=={core.release}", *pins])
    installed = core.venv / "installed.txt"
    with one_at_a_time(), tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        if installed.exists() and installed.read_text() == wanted and (core.venv / "bin/python").exists():
            return
        constraints.write("\n".join(pins))
        constraints.flush()
        run("uv", "venv", "--quiet", "--clear", "--seed", "--python", core.python or "", core.venv)
        install = ["uv", "pip", "install", "--quiet", "--python", str(core.venv / "bin/python")]
        run(*install, "--constraints", constraints.name, "--group", "test", f"ansible-core=={core.release}")
        installed.write_text(wanted)


def set_up_shellcheck() -> None:
    """ansible-test leaves out its shell checks where shellcheck is missing."""
    with one_at_a_time():
        if not shutil.which("shellcheck") and os.geteuid() == 0 and shutil.which("apt-get"):
            for arguments in (["update"], ["install", "--no-install-recommends", "shellcheck"]):
                subprocess.run(
                    ["apt-get", "-qq", *arguments],
                    env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                    stdout=subprocess.DEVNULL,
                    check=False,
                )
    if not shutil.which("shellcheck"):
        print("shellcheck is missing, so shell scripts are not checked (Debian, Ubuntu: apt-get install shellcheck)")


# The parts


def pytest(name: str, *arguments: str, venv: Path = OWN_VENV, workers: int = 1) -> None:
    """Runs tests with so many workers for each processor."""
    report = CACHE / f"gate/{name}.xml"
    options = [f"--junitxml={report}", "-o", f"cache_dir={CACHE / 'pytest' / name}"]
    options += [f"--numprocesses={workers * (os.cpu_count() or 1)}", "--dist=worksteal"]
    own = "" if os.environ.get("GATE_FULL") else "not slow"
    marks = own if venv == OWN_VENV else OTHER_CORES
    run("pytest", *options, "-m", marks, *arguments, venv=venv)


def unit() -> None:
    pytest("unit", "tests/unit")


def contract() -> None:
    run("scripts/prometheus.sh")
    pytest("contract", "tests/contract")


def integration() -> None:
    with one_at_a_time():
        run("scripts/chromium.sh")
    # Half of their time passes while the simulated cloud takes its own.
    pytest("integration", "tests/integration", workers=2)


def faults() -> None:
    # Most of their time passes in connections that hang.
    pytest("faults", "tests/faults", workers=2)


def tests_with(core: Core) -> None:
    set_up(core)
    pytest(f"core-{core.name}", "tests/unit", "tests/integration", venv=core.venv)


def lint() -> None:
    run("ruff", "check")
    run("ruff", "format", "--check")
    run("yamllint", "--strict", ".")
    run("ansible-lint", "--strict", "-q")


def typing() -> None:
    with tree() as copy:
        base = copy.parents[2]
        mypy = ["mypy", "--config-file", str(copy / "pyproject.toml"), "--cache-dir", str(CACHE / "mypy")]
        run(*mypy, COLLECTION / "plugins", cwd=base, extra={"MYPYPATH": str(base)})
        run(*mypy, "extensions/simulator", "scripts", cwd=copy, extra={"MYPYPATH": "extensions:scripts"})


def docs() -> None:
    command = ["antsibull-docs", "lint-collection-docs", ".", "--plugin-docs", "--validate-collection-refs=all"]
    for _dummy in range(5):
        print("$", *command, flush=True)
        done = subprocess.run(command, cwd=ROOT, env=environment(OWN_VENV), capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr)
        # It works in a directory with a random name, and takes one that ends in _ for a link.
        if not re.search('Unknown target name: "antsibull-docs-', done.stdout + done.stderr):
            break
    if done.returncode:
        sys.exit(done.returncode)
    run("antsibull-changelog", "lint")
    site()


def site() -> None:
    """Build the pages of HTML anew, because Sphinx warns only of pages that it reads."""
    pages = CACHE / "docs"
    if pages.exists():
        shutil.rmtree(pages)
    sources = pages / "rst"
    sources.mkdir(parents=True)
    sources.chmod(0o700)  # antsibull-docs insists on a directory that nobody else writes to
    write = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error", "--no-indexes"]
    run(*write, "--no-add-antsibull-docs-version", "--dest-dir", sources, "mirrorops.event_streams")
    run("sphinx-build", "-q", "-n", "-W", "--keep-going", "-c", "docs/docsite", sources, pages / "html")
    print(pages / "html/index.html")


@contextlib.contextmanager
def tarball() -> Iterator[Path]:
    """The collection as it ships, alone in a directory."""
    with tempfile.TemporaryDirectory(prefix="event_streams-") as directory:
        run("ansible-galaxy", "collection", "build", "--output-path", directory)
        (path,) = Path(directory).glob("*.tar.gz")
        yield path


def build() -> None:
    """Look at what is in the tarball, install it elsewhere and read the documentation of everything in it."""
    with tarball() as path:
        with tarfile.open(path) as archive:
            files = {member.name for member in archive if member.isfile()}
        tops = {name.split("/")[0] for name in files}
        tests = {name for name in files if name.startswith("tests/")}
        extensions = {name.split("/")[1] for name in files if name.startswith("extensions/")}
        if tops != SHIPPED or tests != {"tests/config.yml"} or extensions != {"awx", "eda"}:
            sys.exit(f"The tarball should have other contents: {tops ^ SHIPPED} {tests} {extensions}")

        elsewhere = path.parent
        here = {"ANSIBLE_COLLECTIONS_PATH": str(elsewhere)}  # and not where it is installed already
        run("ansible-galaxy", "collection", "install", "--offline", "--collections-path", elsewhere, path, extra=here)
        for kind, folder in {"module": "plugins/modules", "inventory": "plugins/inventory", "role": "roles"}.items():
            names = sorted(f"mirrorops.event_streams.{entry.stem}" for entry in (ROOT / folder).glob("[!_.]*"))
            if not names:
                continue
            command = ["ansible-doc", "--json", "--type", kind, *names]
            known = json.loads(subprocess.check_output(command, cwd=elsewhere, env=environment(OWN_VENV, here)))
            if sorted(known) != names:
                sys.exit(f"ansible-doc finds {sorted(known)} of {names}")
            print(f"ansible-doc --type {kind}: {', '.join(names)}")


def ee() -> None:
    """What ansible-builder makes of the execution environment, and of the tarball that is installed into it."""
    definition = ROOT / "extensions/awx/execution-environment.yml"
    with tarball() as path:
        elsewhere = path.parent
        run("ansible-builder", "create", "--file", definition, "--context", elsewhere / "context", cwd=elsewhere)
        here = {"ANSIBLE_COLLECTIONS_PATH": str(elsewhere)}
        run("ansible-galaxy", "collection", "install", "--offline", "--collections-path", elsewhere, path, extra=here)
        command = ["ansible-builder", "introspect", "--sanitize", str(elsewhere)]
        told = subprocess.check_output(command, cwd=elsewhere, env=environment(OWN_VENV), text=True)
        print("$", *command, told, sep="\n")
        wanted = {"jmespath", "requests"}
        found = yaml.safe_load(told)
        if {line.split()[0] for line in found.get("python", [])} != wanted or found.get("system"):
            sys.exit(f"An execution environment should get {wanted} and no system packages")


def sanity(core: Core) -> None:
    """ansible-test with every Python this machine has. Nothing may be ignored (tests/unit/test_project.py). `make test` looks at everything
    with our own ansible-core, and at what is shipped with the oldest one; `make test-full` at everything with each."""
    set_up(core)
    set_up_shellcheck()
    cache = Path.home() / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in ("23_1_2", "24_2", "25_2"):  # the pip that ansible-test wants depends on its own version
        if not (cache / f"get_pip_{version}.py").exists():
            shutil.copy(ROOT / "tests/utils/get_pip.py", cache / f"get_pip_{version}.py")
    with tree() as copy:
        part = [] if core.is_own or os.environ.get("GATE_FULL") else ["plugins/", "roles/", "playbooks/", "meta/"]
        run("ansible-test", "sanity", "--color", "no", *part, venv=core.venv, cwd=copy)


def importer() -> None:
    """What Galaxy and Automation Hub run on an uploaded tarball."""
    venv = ROOT / ".venv-importer"
    run("uv", "venv", "--quiet", "--clear", venv)
    run("uv", "pip", "sync", "--quiet", "--python", venv / "bin/python", "requirements/importer.txt")
    with tarball() as path:
        command = ["python", "-m", "galaxy_importer.main", str(path)]
        settings = environment(venv, {"GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "1"})
        done = subprocess.run(command, cwd=path.parent, env=settings, capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr)
        if done.returncode or re.search("WARNING|ERROR", done.stdout + done.stderr):
            sys.exit("galaxy-importer complains")


def awx() -> None:
    """Whether the modules that configure AWX have the arguments that they are given, and take the values."""
    venv = ROOT / ".venv-awx"
    run("uv", "venv", "--quiet", "--clear", venv)
    run("uv", "pip", "sync", "--quiet", "--python", venv / "bin/python", "requirements/awx.txt")
    # Elsewhere, because in the working tree there are stand-ins for these modules.
    with tempfile.TemporaryDirectory(prefix="event_streams-") as directory:
        play = subprocess.check_output([sys.executable, "tests/controller.py"], cwd=ROOT, env=environment(OWN_VENV))
        (Path(directory) / "playbook.yml").write_bytes(play)
        lint = [
            "ansible-lint",
            "--offline",
            "--strict",
            "--config-file",
            os.devnull,
            "--enable-list",
            "args",
            "--skip-list",
            "yaml",
        ]
        run(*lint, "playbook.yml", venv=venv, cwd=Path(directory), extra={"ANSIBLE_COLLECTIONS_PATH": directory})


PARTS: dict[str, Callable[[], None]] = {
    **{f"sanity-{core.name}": functools.partial(sanity, core) for core in cores()},
    "integration": integration,
    **{f"core-{core.name}": functools.partial(tests_with, core) for core in cores()},
    "faults": faults,
    "unit": unit,
    "contract": contract,
    "build": build,
    "ee": ee,
    "lint": lint,
    "docs": docs,
    "typing": typing,
    "importer": importer,
    "awx": awx,
}

if __name__ == "__main__":
    for part in sys.argv[1:]:
        {**PARTS, "site": site}[part]()
