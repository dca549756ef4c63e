"""What shells, compilers and build tools say when something is missing in the environment: data.

The words were taken from runs of the tools themselves; of those that are marked with their
source, from what others reported. A pattern is searched for line by line, in text without colours.
"""

from __future__ import annotations

from director.model.testing.signs import Lack, Named, Sign

_MAKEFILES = r"(?:GNU)?[Mm]akefile.*|.*\.mk|CMakeLists\.txt|configure.*|meson\.build"
_CMAKE = r"CMakeLists\.txt|.*\.cmake|CMakePresets\.json"
_OF_SHELLS = r"^(?:\S*/)?(?:sh|bash|dash|zsh): (?:line \d+: |\d+: )?"

SIGNS = (
    # Go
    Sign(
        r"(?P<said>no required module provides package (?P<name>[^\s;:]+))",
        named=Named.MODULE,
        cure=r"go\.(?:mod|work)",
        avoidable=True,
    ),
    Sign(
        r"(?P<said>cannot find module providing package (?P<name>[^\s;:]+))",
        named=Named.MODULE,
        cure=r"go\.(?:mod|work)",
        avoidable=True,
    ),
    Sign(
        r"(?P<said>missing go\.sum entry for module providing package \S+)",
        cure=r"go\.(?:mod|sum|work)",
    ),
    Sign(
        r"^(?:go: |\S+\.go:\d+:\d+: )\S+@\S+: (?P<said>.*"
        r"(?:dial tcp|proxyconnect|no such host|i/o timeout|TLS handshake|unexpected EOF"
        r"|\b50\d [A-Z]).*)",
        Lack.NETWORK,
    ),
    Sign(
        r"^(?:go: |\S+\.go:\d+:\d+: |.*@\S+: )(?P<said>module lookup disabled by GOPROXY=off)",
        Lack.NETWORK,
    ),
    Sign(r"^(?P<said>cgo: C compiler \"[^\"]+\" not found)", Lack.PROGRAM, beside_tests=True),
    Sign(
        r"^(?P<said>go: (?:cannot find main module|go\.mod file not found)\b.*"
        r"|pattern \S+: directory prefix \S+ does not contain main module\b.*)",
        Lack.COMMAND,
        cure=r"go\.(?:mod|work)",
    ),
    Sign(  # https://github.com/ergochat/ergo/issues/2154
        r"^(?P<said>go: (?:.*requires go >= .*|download go\S+ for \S+: .*))",
        Lack.PROGRAM,
        cure=r"go\.(?:mod|work)",
    ),
    # make, compilers, linkers
    Sign(
        r"^(?:g|mingw32-)?make(?:\[\d+\])?: \*\*\* (?P<said>No rule to make target "
        r"['`](?P<name>[^']+)', needed by .*)",
        Lack.COMMAND,
        Named.PATH,
        cure=_MAKEFILES,
    ),
    Sign(
        r"^(?:g|mingw32-)?make(?:\[\d+\])?: \*\*\* (?P<said>No rule to make target ['`][^']+')\. ",
        Lack.COMMAND,
        cure=_MAKEFILES,
    ),
    Sign(
        r"^(?:g|mingw32-)?make(?:\[\d+\])?: \*\*\* (?P<said>No targets specified and no makefile "
        r"found)",
        Lack.COMMAND,
        cure=_MAKEFILES,
    ),
    Sign(
        r"^make(?:\[\d+\])?: (?P<said>(?P<name>[\w.+-]+): No such file or directory)\n"
        r"make(?:\[\d+\])?: \*\*\* .*\bError 127",
        Lack.PROGRAM,
        Named.MODULE,
    ),
    Sign(
        rf"{_OF_SHELLS}(?P<said>(?P<name>[\w.+-]+): (?:command )?not found)\n(?:.*\n){{0,6}}?"
        r".*\b(?:Error 127|exit(?:ed with)?(?: code| status)? 127|code 127)\b",
        Lack.PROGRAM,
        Named.MODULE,
    ),
    Sign(
        r"^\S+:\d+:\d+: fatal error: (?P<said>(?P<quote>')?(?P<name>[\w./+-]+)"
        r"(?(quote)' file not found|: No such file or directory))",
        Lack.PACKAGE,
        Named.PATH,
        avoidable=True,
    ),
    Sign(
        r"^\S*ld(?:\.\w+)?: (?P<said>(?:cannot find|library not found for|unable to find library) "
        r"-l(?P<name>[\w.+-]+))",
        Lack.PACKAGE,
        Named.PATH,
    ),
    Sign(
        r"(?P<said>error while loading shared libraries: \S+: cannot open shared object file)",
        Lack.PROGRAM,
    ),
    Sign(
        r"^ninja: (?P<said>error: loading 'build\.ninja': No such file or directory)", Lack.COMMAND
    ),
    # CMake
    Sign(r"^\s*(?P<said>No CMAKE_\w+_COMPILER could be found)", Lack.PROGRAM),
    Sign(r"^(?P<said>CMake Error: CMAKE_\w+_COMPILER not set)", Lack.PROGRAM),
    Sign(
        r"^(?:CMake Error: )?(?P<said>CMake was unable to find a build program corresponding to "
        r".*?)\.(?: |$)",
        Lack.PROGRAM,
    ),
    Sign(
        r"^\s*(?P<said>Could not find a package configuration file provided by "
        r"\"(?P<name>[^\"]+)\")",
        named=Named.MODULE,
        cure=_CMAKE,
    ),
    Sign(
        r"^\s*(?P<said>Could NOT find (?P<name>\w+) \(missing: .*)", named=Named.MODULE, cure=_CMAKE
    ),
    Sign(r"^(?P<said>Error: (?:\S+ is not a directory|could not load cache))$", Lack.COMMAND),
    Sign(
        r"^(?P<said>Failed to change working directory to .*: No such file or directory)",
        Lack.COMMAND,
    ),
    # the shell
    Sign(rf"{_OF_SHELLS}cd: (?P<said>can't cd to (?P<name>\S+))", Lack.COMMAND, Named.FOLDER),
    Sign(
        rf"{_OF_SHELLS}(?P<said>cd: (?P<name>\S+): No such file or directory)",
        Lack.COMMAND,
        Named.FOLDER,
    ),
    # Rust
    Sign(
        r"^(?P<said>error: no matching package named `[^`]+` found)\n"
        r"location searched: (?:crates|.*registry|.*index)",
        Lack.NETWORK,
    ),
    Sign(
        r"^\s*(?P<said>(?:failed to download from|unable to update registry|Unable to update) "
        r"`?\S+)",
        Lack.NETWORK,
    ),
    Sign(
        r"^\s*(?P<said>attempting to make an HTTP request, but --(?:offline|frozen) was specified)",
        Lack.NETWORK,
    ),
    Sign(r"^(?P<said>error: linker `[^`]+` not found)", Lack.PROGRAM),
    Sign(r"^(?P<said>error: no such command: `[^`]+`)", Lack.PROGRAM),
    Sign(r"^(?P<said>error: toolchain '[^']+' is not installed)", Lack.PROGRAM),
    Sign(r"^(?P<said>error\[E0463\]: can't find crate for `(?:core|std|test)`)", Lack.PROGRAM),
    Sign(r"^(?P<said>error: could not find `Cargo\.toml` in)", Lack.COMMAND, cure=r"Cargo\.toml"),
    Sign(
        r"(?P<said>use of (?:unresolved module or unlinked crate|undeclared crate or module) "
        r"`(?P<name>\w+)`)",
        named=Named.MODULE,
        cure=r"Cargo\.toml",
        avoidable=True,
    ),
    # Java; Gradle: https://github.com/gradle/gradle/issues/13258
    Sign(
        r"(?P<said>Cannot access \S+ \(\S+\) in offline mode and the artifact \S+ has not been "
        r"downloaded)",
        Lack.NETWORK,
    ),
    Sign(
        r"(?P<said>(?:Could not transfer artifact|Could not resolve) \S+.*(?:Unknown host"
        r"|Connection refused|Connect(?:ion)? timed out|No cached version|Could not GET).*)",
        Lack.NETWORK,
    ),
    Sign(r"(?P<said>No cached version of \S+ available for offline mode)", Lack.NETWORK),
    Sign(r"(?P<said>No compiler is provided in this environment)", Lack.PROGRAM),
    Sign(
        r"(?P<said>The goal you specified requires a project to execute but there is no POM)",
        Lack.COMMAND,
        cure=r"pom\.xml",
    ),
    Sign(
        r"(?P<said>package org\.(?:junit|mockito|assertj|testng|hamcrest)\b\S* does not exist)",
        cure=r"pom\.xml|.*\.gradle(?:\.kts)?|.*\.toml",
        avoidable=True,
    ),
    Sign(r"(?P<said>JAVA_HOME is (?:not set|set to an invalid directory))", Lack.PROGRAM),
    # .NET: https://github.com/dotnet/runtime/issues/45755
    Sign(r"(?P<said>error NU1301: Unable to load the service index)", Lack.NETWORK),
    Sign(
        r"(?P<said>error (?:NU1101: Unable to find package|NETSDK1004: Assets file) \S+)",
        cure=r".*\.\w+proj|Directory\..*|nuget\.config",
    ),
    Sign(r"(?P<said>No \.NET SDKs were found)", Lack.PROGRAM),
)
