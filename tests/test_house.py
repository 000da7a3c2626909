"""What no single module can hold: names, sizes, start-up, the wheel, and that the documents tell the truth."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import get_type_hints

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from agent.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
OURS = ("agent", "testroom", "probes", "media_check", "reports", "processes", "dashboards")
HEAVY = ("aiohttp", "numpy", "pyroute2", "dbus_fast", "rich", "psutil", "scapy", "cryptography", "prometheus_client")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
HELP_CPU_SECONDS = 0.15
MOST_LINES = 300


def ships(name: str) -> set[str]:
    """The installed distributions, other than this one, that ship a top-level module or package of that name."""
    return set(importlib.metadata.packages_distributions().get(name, [])) - {"motesklar"}


def files_of_the_tree(pattern: str) -> list[Path]:
    found = (path.relative_to(ROOT) for path in ROOT.rglob(pattern))
    return sorted(p for p in found if not any(part.startswith(".") or part in ("build", "dist") for part in p.parts))


# ---- names and sizes


@pytest.mark.parametrize("name", OURS)
def test_no_dependency_ships_a_package_of_our_name(name: str):
    assert ships(name) == set()


def test_a_dependency_that_ships_a_name_would_be_found():
    assert ships("pytest") == {"pytest"}


def test_no_file_is_too_long():
    lengths = {str(p): len((ROOT / p).read_text("utf-8").splitlines()) for p in files_of_the_tree("*.py")}
    assert "agent/cli.py" in lengths
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}


# ---- the list of versions


def pins() -> dict[str, str]:
    lines = [line.partition(";")[0].strip() for line in LOCK.splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def direct() -> list[Requirement]:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    wanted = [*PROJECT["build-system"]["requires"], *project["dependencies"]]
    for more in (*project["optional-dependencies"].values(), *groups.values()):
        wanted += more
    return [Requirement(text) for text in wanted]


@pytest.mark.parametrize("requirement", direct(), ids=lambda r: r.name)
def test_each_dependency_is_pinned_to_a_version_that_it_allows(requirement: Requirement):
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_the_list_of_versions_is_names_and_versions_only():
    line = re.compile(r"[a-z0-9-]+==(\d+!)?[0-9][0-9a-z.]*(; sys_platform [!=]= '[a-z0-9]+')?")
    assert [text for text in LOCK.splitlines() if text and text[0] != "#" and not line.fullmatch(text)] == []


# ---- the documents


def settings() -> set[str]:
    hints = get_type_hints(Settings)
    return {f"{table}.{f.name}" for table, section in hints.items() for f in dataclasses.fields(section)}


def test_each_setting_is_documented_and_each_documented_setting_exists():
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+\.\w+)` \|", text, re.MULTILINE)) == settings()


def test_the_settings_example_is_valid():
    from agent.settings import parse

    text = (ROOT / "docs/settings.md").read_text("utf-8")
    example = tomllib.loads(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0])
    assert parse(example, "docs/settings.md").room.url.startswith("https://")
    assert {f"{table}.{key}" for table, keys in example.items() for key in keys} == settings()


def test_the_readme_begins_with_exactly_two_commands():
    first_screen = (ROOT / "README.md").read_text("utf-8").split("\n## ")[0]
    commands = [line.split()[0] for line in first_screen.splitlines() if line.startswith("    scripts/")]
    assert commands == ["scripts/motesklar", "scripts/test"]
    assert all(os.access(ROOT / command, os.X_OK) for command in commands)


def test_ci_runs_the_readmes_test_command():
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert (ROOT / ".ci/run").read_text("utf-8").splitlines()[-1] == "exec scripts/test"


@pytest.mark.parametrize("document", files_of_the_tree("*.md"), ids=str)
def test_links_between_documents_lead_somewhere(document: Path):
    text = (ROOT / document).read_text("utf-8")
    targets = [t for t in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in t]
    assert [t for t in targets if not (ROOT / document.parent / t).exists()] == []


def test_the_example_probe_of_contributing_works(tmp_path: Path):
    """One file, one line, and a line in the vocabulary, as the document has them."""
    name, module, registry, test = re.findall(
        r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL
    )
    for package in ("probes", "reports", "agent"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    vocabulary = tmp_path / "reports/vocabulary.py"
    head = "def _call() -> Iterator[Quantity]:\n"
    vocabulary.write_text(vocabulary.read_text("utf-8").replace(head, head + name), "utf-8")
    (tmp_path / "probes/connect.py").write_text(module, "utf-8")
    init = tmp_path / "probes/__init__.py"
    init.write_text(re.sub(r"PROBES: .*?\n}\n", registry, init.read_text("utf-8"), flags=re.DOTALL), "utf-8")
    (tmp_path / "test_connect.py").write_text(test, "utf-8")
    said = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_connect.py", cwd=tmp_path)
    assert "2 passed" in said
    assert "connect" in run("-c", "import probes; print(probes.PROBES, probes.load('connect'))", cwd=tmp_path)


# ---- start-up


def run(*arguments: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cpu_seconds_of_help() -> float:
    process = subprocess.Popen([sys.executable, "-m", "agent", "--help"], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


def test_help_answers_quickly():
    assert min(cpu_seconds_of_help() for _ in range(5)) <= HELP_CPU_SECONDS


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['motesklar', '--help']; from agent import cli; code = cli._run(); "
        "print('loaded:', *{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = run("-c", code).rpartition("loaded:")[2].split()
    assert "agent" in loaded
    assert set(HEAVY) & set(loaded) == set()


# ---- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(
    "name",
    [
        *(f"{package}/__init__.py" for package in OURS),
        "reports/policy.toml",
        "agent/profiles/generic-webrtc.toml",
        "agent/profiles/jonkoping.toml",
        "testroom/guests/web/page.html",
        "testroom/guests/web/texts.sv.json",
        "reports/selftest.schema.json",
        "reports/readiness/style.css",
        "reports/readiness/readiness.typ",
        "reports/receipt/style.css",
        "reports/receipt/receipt.typ",
        "reports/advice/locale/sv/LC_MESSAGES/motesklar.mo",
        "reports/advice/locale/en/LC_MESSAGES/motesklar.mo",
    ],
)
def test_the_wheel_holds(wheel: set[str], name: str):
    assert name in wheel


def test_the_wheel_holds_no_tests(wheel: set[str]):
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(OURS)


def test_the_wheel_carries_the_licence(wheel: set[str]):
    assert any(name.endswith("/licenses/LICENSE") for name in wheel)
    assert "EUROPEAN UNION PUBLIC LICENCE v. 1.2" in (ROOT / "LICENSE").read_text("utf-8")
