"""Agents plant code and settings where a later gate, or director itself, would find them.

With it: ``processes.installed``.
"""

from __future__ import annotations

import os
import shutil
import sys
import venv
from pathlib import Path

from tests.faults.cases import good
from tests.faults.test_confinement import ConfinedCase
from tests.support.jobs import SOURCE, node


class PlantedCase(ConfinedCase):
    def setUp(self) -> None:
        super().setUp()
        self.user = Path(self.env["HOME"])

    def make(self, *names: str) -> None:
        """Make files in the home folder; a name that ends with "/" is a folder."""
        for name in names:
            path = self.user / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.write_text("")
                path.chmod(0o755)

    def link(self, name: str, target: str) -> None:
        path = self.user / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(self.user / target)

    def on_path(self, *names: str) -> None:
        for name in names:
            (self.user / name).mkdir(parents=True, exist_ok=True)
            self.env["PATH"] += f":{self.user / name}"

    def cannot_write(self, *names: str) -> None:
        """Let an agent append to files of the home folder, or make them, where they are not."""
        tried = {f"[{name}]": f"mkdir -p $(dirname ~/{name}); echo x >> ~/{name}" for name in names}
        if not (self.home / "plan.json").exists():
            self.plan(node("a"))
        self.implement("a", *good(self.asks(**tried)))
        self.ends(0, "run")
        self.assertEqual(len(self.answered()), len(names))
        self.all_denied()


class TestCodeOfDirector(ConfinedCase):
    """It is confined by nothing, and what it has not imported yet it reads while agents work."""

    def test_its_environment_its_package_and_where_it_is_imported_from(self) -> None:
        home = Path(self.env["HOME"])
        own, checkout = home / ".local/share/pipx/venvs/director", home / "src"
        venv.create(own, symlinks=True)
        shutil.copytree(SOURCE / "director", checkout / "director")
        site = next(own.glob("lib/python*/site-packages"))
        (site / "director.pth").write_text(f"{checkout}\n")
        self.plan(node("a"))
        tried = {
            "module": f"echo x >> {checkout}/director/__init__.py",
            "beside": f"echo x > {checkout}/sitecustomize.py",
            "package": f"echo x > {site}/x.pth",
            "settings": f"echo x >> {own}/pyvenv.cfg",
            "interpreter": f"ln -sf /bin/true {own}/bin/python3",
        }
        self.implement("a", *good(self.asks(**tried)))
        done = self.command(f"{own}/bin/python3", "-m", "director", "run", env=self.env)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(len(self.answered()), len(tried))
        self.all_denied()

    def test_files_with_other_names_are_told_of(self) -> None:
        """As uv installs them: what is in its cache is the same file."""
        own = Path(self.env["HOME"]) / "own"
        shutil.copytree(SOURCE / "director", self.tmp / "director")
        shutil.copytree(self.tmp / "director", own / "director", copy_function=os.link)
        self.plan(node("a"))
        self.implement("a")
        env = {**self.env, "PYTHONPATH": str(own)}
        done = self.command(sys.executable, "-m", "director", "run", env=env)
        self.assertIn("agents can write director's own code: its files are hard links", done.err)

    def test_bytecode_in_a_place_of_its_own(self) -> None:
        cache = Path(self.env["HOME"]) / ".cache/pyc"
        cache.mkdir()
        self.env["PYTHONPYCACHEPREFIX"] = str(cache)
        self.plan(node("a"))
        self.implement("a", *good(self.asks(code=f"echo x > {cache}/x.pyc")))
        self.ends(0, "run")
        self.all_denied()


class TestPrograms(PlantedCase):
    """What a gate starts by its name, and what that reads of its own installation."""

    def test_what_links_in_a_folder_on_path_lead_to(self) -> None:
        self.make(".local/share/tool/bin/pytest", ".local/share/tool/pyvenv.cfg", "apps/run.sh")
        self.make(".local/share/python/bin/python3.99", ".local/share/python/lib/python3.99/os.py")
        self.link(".local/share/tool/bin/python", ".local/share/python/bin/python3.99")
        self.link("programs/pytest", ".local/share/tool/bin/pytest")
        self.link("programs/run", "apps/run.sh")
        self.on_path("programs")
        self.cannot_write(
            ".local/share/tool/bin/pytest",
            ".local/share/tool/pyvenv.cfg",
            ".local/share/tool/lib/x.py",
            ".local/share/python/bin/python3.99",
            ".local/share/python/lib/python3.99/os.py",
            "apps/run.sh",
        )

    def test_the_versions_that_a_version_manager_chooses_from(self) -> None:
        self.make(".pyenv/versions/3.99/bin/python3", ".pyenv/libexec/pyenv", ".pyenv/version")
        self.make(".asdf/installs/nodejs/22/bin/node", ".rustup/toolchains/x/bin/cargo")
        self.make(".volta/tools/image/node/22/bin/node", "brew/Cellar/git/2/bin/git")
        self.on_path(".pyenv/shims", ".asdf/shims", ".volta/bin", "brew/bin")
        self.cannot_write(
            ".pyenv/versions/3.99/bin/python3",
            ".pyenv/versions/3.99/lib/x.py",
            ".pyenv/libexec/pyenv",
            ".pyenv/version",
            ".asdf/installs/nodejs/22/bin/node",
            ".rustup/toolchains/x/bin/cargo",
            ".rustup/settings.toml",
            ".volta/tools/image/node/22/bin/node",
            "brew/Cellar/git/2/bin/git",
        )

    def test_what_belongs_to_the_programs_of_an_installation(self) -> None:
        self.make("sdk/go/pkg/tool/linux/compile", "sdk/go/src/testing/testing.go")
        self.make("sdk/jdk/lib/modules", "sdk/jdk/conf/net.properties")
        self.on_path("sdk/go/bin", "sdk/jdk/bin")
        self.cannot_write(
            "sdk/go/pkg/tool/linux/compile",
            "sdk/go/src/testing/testing.go",
            "sdk/jdk/lib/modules",
            "sdk/jdk/conf/net.properties",
        )


class TestSettings(PlantedCase):
    """What tools read besides the worktree."""

    def test_files_in_the_home_folder_and_in_folders_above_worktrees(self) -> None:
        names = (".gemrc", ".bash_aliases", ".mavenrc", "package.json", ".local/conftest.py")
        modules = (".local/node_modules/x.js", ".node_modules/x.js", ".local/.mvn/extensions.xml")
        self.make(*names, *modules)
        self.cannot_write(*names, *modules)

    def test_the_folder_of_settings(self) -> None:
        names = [f".config/{name}" for name in ("go/env", "uv/uv.toml", "gh/config.yml", "a")]
        self.make(*names)
        self.cannot_write(*names, ".config/nvim/init.lua")

    def test_settings_in_folders_that_are_caches_as_well(self) -> None:
        self.make(".cargo/", ".gradle/", ".m2/", ".bundle/")
        self.cannot_write(
            ".cargo/config.toml",
            ".gradle/init.d/x.gradle",
            ".gradle/gradle.properties",
            ".m2/settings.xml",
            ".bundle/config",
        )

    def test_files_that_variables_name(self) -> None:
        self.make("own/npmrc", "own/go", "own/ask", "own/template/hooks/post-checkout", "own/a.js")
        self.env["NODE_OPTIONS"] = f"--no-warnings --require={self.user}/own/a.js"
        self.env["RUBYOPT"] = f"-r{self.user}/own/ask"
        for name, value in (
            ("NPM_CONFIG_USERCONFIG", "npmrc"),
            ("GOENV", "go"),
            ("GIT_ASKPASS", "ask"),
            ("GIT_TEMPLATE_DIR", "template"),
        ):
            self.env[name] = str(self.user / "own" / value)
        named = ("own/npmrc", "own/go", "own/ask", "own/a.js", "own/template/hooks/post-checkout")
        self.cannot_write(*named)

    def test_programs_of_the_users_own_commands(self) -> None:
        self.make("own/told", "own/setup.sh", "own/gate", "own/edit")
        (self.user / "own/gate").write_text("#!/bin/sh\n")
        self.env["EDITOR"] = f"{self.user}/own/edit --wait"
        own = f"[notify]\ncommand = '{self.user}/own/told'\n[gates]\nall = '{self.user}/own/gate'\n"
        self.configure(f"{own}[worktree]\nsetup = 'sh {self.user}/own/setup.sh'\n")
        self.cannot_write("own/told", "own/setup.sh", "own/gate", "own/edit")

    def test_what_git_runs_and_includes_by_the_users_settings(self) -> None:
        self.make("own/helper", "own/sign", "own/of-the-repository")
        with (self.user / ".gitconfig").open("a") as stream:
            stream.write(f"[credential]\n\thelper = !{self.user}/own/helper --x\n")
            stream.write("[gpg]\n\tprogram = ~/own/sign\n[include]\n\tpath = own/new\n")
        self.plan(node("a"))
        self.repo.git("config", "include.path", f"{self.user}/own/of-the-repository")
        self.before = self.repo.fingerprint()
        (self.user / "own/of-the-repository").write_text("[a]\n\tb = c\n")
        self.cannot_write("own/helper", "own/sign", "own/new", "own/of-the-repository")


class TestWhatStaysOpen(PlantedCase):
    def test_caches_beside_settings_that_are_closed(self) -> None:
        for name in ("cargo", "gradle", "mvn", "bundle", "go", "uv", "pnpm"):
            self.make(f"programs/{name}")
        self.on_path("programs")
        caches = {
            "cargo": ".cargo/registry/x",
            "gradle": ".gradle/caches/x",
            "wrapper": ".gradle/wrapper/x",
            "daemon": ".gradle/daemon/x",
            "maven": ".m2/repository/x",
            "bundler": ".bundle/cache/x",
            "go": "go/pkg/mod/x",
            "pnpm": ".local/share/pnpm/store",
            "cypress": ".config/Cypress/x",
        }
        self.make(".config/Cypress/")
        self.plan(node("a"))
        tried = {name: f"mkdir -p ~/{path}" for name, path in caches.items()}
        self.implement("a", *good(self.asks(**tried)))
        self.ends(0, "run")
        self.assertEqual(self.answered(), dict.fromkeys(caches, "yes"))


class TestOddVariables(PlantedCase):
    """Nothing opens, and the checkout stays as it is."""

    def test_relative_folders_count_as_not_set(self) -> None:
        for name in ("CACHE", "CONFIG", "DATA", "STATE"):
            self.env[f"XDG_{name}_HOME"] = f"odd/{name}"
        self.make(".config/git/attributes")
        self.cannot_write(".config/git/attributes", ".bashrc")
        self.assertFalse((self.repo.root / "odd").exists())

    def test_a_home_folder_with_a_slash_at_its_end(self) -> None:
        self.env["HOME"] += "/"
        self.make(".vimrc")
        self.cannot_write(".bashrc", ".vimrc", ".local/bin/x")

    def test_programs_in_many_places_and_in_odd_ones(self) -> None:
        self.link("loop/a", "loop/b")
        self.link("loop/b", "loop/a")
        self.link("odd/loop", "loop/a")
        self.on_path("odd", *(f"many/{number}" for number in range(200)))
        self.env["PATH"] += f":{self.user}/{'long/' * 900}:~/x:::{self.user}"
        self.cannot_write("many/199/x", "odd/x", ".bashrc", "x")

    def test_temporary_files_in_the_folder_of_settings(self) -> None:
        self.make(".config/tmp/", ".config/git/attributes")
        self.env["TMPDIR"] = str(self.user / ".config/tmp")
        self.cannot_write(".config/git/attributes", ".config/opencode/x")

    def test_a_repository_among_caches(self) -> None:
        self.env["XDG_CACHE_HOME"] = str(self.place)
        self.cannot_write("../repo/README", "../repo/.git/config", ".bashrc")

    def test_settings_that_are_the_null_device(self) -> None:
        self.env["NPM_CONFIG_USERCONFIG"] = self.env["BASH_ENV"] = "/dev/null"
        self.repo.git("config", "core.hooksPath", "/dev/null")
        self.before = self.repo.fingerprint()
        self.plan(node("a"))
        self.implement("a", *good(self.asks(null="echo x > /dev/null")))
        self.ends(0, "run")
        self.assertEqual(self.answered(), {"null": "yes"})
