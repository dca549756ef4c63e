"""The ecosystems that director knows: what marks a project, prepares it, and runs its tests."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from director.model.ecosystems.node import NODE
from director.model.ecosystems.project import Project, Row, always
from director.model.ecosystems.python import PYTHON


def _go_setup(project: Project) -> str:
    vendored = any(path.startswith("vendor/") for path in project.paths)
    return "go mod download" if project.says(r"^require\b", "go.mod") and not vendored else ""


def _go_single(_: Project, test: str) -> str:
    return f"go test -v {shlex.quote('./' + test.rpartition('/')[0]).rstrip('/')}"


def _locked(project: Project) -> str:
    return " --locked" if "Cargo.lock" in project.known else ""


def _cargo_suite(project: Project) -> str:
    if not project.tests and not project.says(r"^\s*#\[(cfg\(test\)|test)\]"):
        return ""
    everything = " --workspace" if project.says(r"^\[workspace\]", "Cargo.toml") else ""
    return f"cargo test{_locked(project)}{everything}"


def _cargo_single(project: Project, test: str) -> str:
    found = re.fullmatch(r"tests/(\w+)\.rs", test)
    return f"cargo test{_locked(project)} --test {found[1]}" if found else ""


def _ruby_suite(project: Project) -> str:
    if not project.tests:
        return ""
    return "bundle exec rspec" if _has_specs(project) else "bundle exec rake test"


def _ruby_single(project: Project, test: str) -> str:
    start = "bundle exec rspec" if _has_specs(project) else "bundle exec ruby -Ilib -Itest"
    return f"{start} {shlex.quote(test)}"


def _has_specs(project: Project) -> bool:
    return project.first_test.endswith("_spec.rb")


def _cmake_build(project: Project) -> str:
    taken = any(path.startswith("build/") for path in project.paths)
    return "cmake-build" if taken else "build"


def _cmake_suite(project: Project) -> str:
    build = _cmake_build(project)
    if not project.says(r"^\s*(enable_testing|include)\s*\(\s*(CTest)?\s*\)", "CMakeLists.txt"):
        return ""
    return (
        f"cmake -B {build} && cmake --build {build} && ctest --test-dir {build} --output-on-failure"
    )


def _make_suite(project: Project) -> str:
    for target in ("test", "check"):
        if project.says(rf"^{target}\s*:(?!=)", *_MAKEFILES):
            return f"make {target}"
    return ""


_MAKEFILES = ("Makefile", "makefile", "GNUmakefile")


def _jvm_class(test: str) -> str:
    return shlex.quote(test.rpartition("/")[2].partition(".")[0])


def _maven(project: Project) -> str:
    return "./mvnw -B" if "mvnw" in project.known else "mvn -B"


def _gradle(project: Project) -> str:
    return "./gradlew" if "gradlew" in project.known else "gradle"


def _folders(project: Project, manifests: Iterable[str], *names: str) -> tuple[str, ...]:
    """Return the build folders beside each of the manifests of a project."""
    places = [path.rpartition("/") for path in project.paths if path.split("/")[-1] in manifests]
    return tuple(f"{folder}{slash}{name}" for folder, slash, _ in places for name in names)


_JVM_TESTS = r"(^|/)src/test/.*(Test|Tests|Spec)\.(java|kt|groovy|scala)$"
_GRADLE = ("build.gradle", "build.gradle.kts")

ROWS: tuple[Row, ...] = (
    *PYTHON,
    *NODE,
    Row(
        name="Go",
        family="go",
        marks=("go.mod",),
        inputs=("go.mod", "go.sum"),
        reads=("go.mod",),
        tests=r"_test\.go$",
        setup=_go_setup,
        suite=lambda project: "go test ./..." if project.tests else "",
        single=_go_single,
        runner=always("go test"),
    ),
    Row(
        name="Rust",
        family="rust",
        marks=("Cargo.toml",),
        inputs=("Cargo.lock", "Cargo.toml"),
        reads=("Cargo.toml", "src/*.rs"),  # unit tests stand beside the code
        tests=r"(^|/)tests/[^/]+\.rs$",
        setup=lambda project: f"cargo fetch{_locked(project)}",
        suite=_cargo_suite,
        single=_cargo_single,
        keep=lambda _: ("target",),
        runner=always("cargo test"),
    ),
    Row(
        name="Ruby, Bundler",
        family="ruby",
        marks=("Gemfile.lock",),
        inputs=("Gemfile.lock", "Gemfile"),
        tests=r"(^|/)spec/.*_spec\.rb$|(^|/)test/(.*/)?(test_[^/]*|[^/]*_test)\.rb$",
        setup=always("bundle config set --local path vendor/bundle && bundle install"),
        suite=_ruby_suite,
        single=_ruby_single,
        runner=lambda project: "Ruby (rspec)" if _has_specs(project) else "Ruby (rake test)",
    ),
    Row(
        name="PHP, Composer",
        family="php",
        marks=("composer.lock",),
        inputs=("composer.lock", "composer.json"),
        tests=r"(^|/)[Tt]ests?/.*Test\.php$",
        setup=always("composer install --no-interaction --no-progress"),
        suite=lambda project: "vendor/bin/phpunit" if project.tests else "",
        single=lambda _, test: f"vendor/bin/phpunit {shlex.quote(test)}",
        runner=always("PHP (PHPUnit)"),
    ),
    Row(
        name="Maven",
        family="jvm",
        marks=("pom.xml",),
        inputs=("pom.xml",),
        tests=_JVM_TESTS,
        suite=lambda project: f"{_maven(project)} test" if project.tests else "",
        single=lambda project, test: f"{_maven(project)} test -Dtest={_jvm_class(test)}",
        keep=lambda project: _folders(project, ("pom.xml",), "target"),
        runner=always("Maven"),
    ),
    Row(
        name="Gradle",
        family="jvm",
        marks=_GRADLE,
        inputs=(*_GRADLE, "settings.gradle", "settings.gradle.kts", "gradle.lockfile"),
        tests=_JVM_TESTS,
        suite=lambda project: f"{_gradle(project)} test" if project.tests else "",
        single=lambda project, test: f"{_gradle(project)} test --tests {_jvm_class(test)}",
        keep=lambda project: (".gradle", *_folders(project, _GRADLE, "build")),
        runner=always("Gradle"),
    ),
    Row(
        name="CMake",
        family="native",
        marks=("CMakeLists.txt",),
        inputs=("CMakeLists.txt",),
        reads=("CMakeLists.txt",),
        tests=r"(^|/)tests?/[^/]+\.(c|cc|cpp|cxx)$",
        suite=_cmake_suite,
        keep=lambda project: (_cmake_build(project),),
        runner=always("ctest"),
    ),
    Row(
        name="make",
        family="make",
        marks=_MAKEFILES,
        inputs=(),
        reads=_MAKEFILES,
        tests=r"(^|/)tests?/[^/]+\.(c|cc|cpp|cxx|sh)$",
        suite=_make_suite,
        runner=always("make"),
        last_resort=True,
    ),
)
