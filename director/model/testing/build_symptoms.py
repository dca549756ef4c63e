"""What shells, compilers and build tools say when something is missing in the environment: data.

The words were taken from runs of the tools themselves; of those that are marked with their
source, from what others reported. A pattern is searched for line by line, in text without colours.
"""

from __future__ import annotations

from director.model.testing.symptoms import NameKind, Remedy, Symptom

_MAKEFILES = r"(?:GNU)?[Mm]akefile.*|.*\.mk|CMakeLists\.txt|configure.*|meson\.build"
_CMAKE = r"CMakeLists\.txt|.*\.cmake|CMakePresets\.json"
_OF_SHELLS = r"^(?:\S*/)?(?:sh|bash|dash|zsh): (?:line \d+: |\d+: )?"

SYMPTOMS = (
    # Go
    Symptom(
        "no required module provides",
        r"(?P<said>no required module provides package (?P<name>[^\s;:]+))",
        named=NameKind.MODULE,
        fixed_by=r"go\.(?:mod|work)",
        avoidable=True,
    ),
    Symptom(
        "cannot find module",
        r"(?P<said>cannot find module providing package (?P<name>[^\s;:]+))",
        named=NameKind.MODULE,
        fixed_by=r"go\.(?:mod|work)",
        avoidable=True,
    ),
    Symptom(
        "missing go.sum entry for",
        r"(?P<said>missing go\.sum entry for module providing package \S+)",
        fixed_by=r"go\.(?:mod|sum|work)",
    ),
    Symptom(
        "@",
        r"^(?:go: |\S+\.go:\d+:\d+: )\S+@\S+: (?P<said>.*"
        r"(?:dial tcp|proxyconnect|no such host|i/o timeout|TLS handshake|unexpected EOF"
        r"|\b50\d [A-Z]).*)",
        Remedy.NETWORK,
    ),
    Symptom(
        "module lookup disabled by",
        r"^(?:go: |\S+\.go:\d+:\d+: |.*@\S+: )(?P<said>module lookup disabled by GOPROXY=off)",
        Remedy.NETWORK,
    ),
    Symptom(
        'cgo: C compiler "',
        r"^(?P<said>cgo: C compiler \"[^\"]+\" not found)",
        Remedy.PROGRAM,
        beside_tests=True,
    ),
    Symptom(
        "mod",
        r"^(?P<said>go: (?:cannot find main module|go\.mod file not found)\b.*"
        r"|pattern \S+: directory prefix \S+ does not contain main module\b.*)",
        Remedy.COMMAND,
        fixed_by=r"go\.(?:mod|work)",
    ),
    Symptom(  # https://github.com/ergochat/ergo/issues/2154
        "go:",
        r"^(?P<said>go: (?:.*requires go >= .*|download go\S+ for \S+: .*))",
        Remedy.PROGRAM,
        fixed_by=r"go\.(?:mod|work)",
    ),
    Symptom(  # what an older Go says of a newer file
        "go: errors parsing go.",
        r"^go: errors parsing go\.(?:mod|work):\n(?:\S.*\n)*?\S*go\.(?:mod|work):\d+: "
        r"(?P<said>invalid go version '.*"
        r"|unknown (?:directive|block type): (?:toolchain|tool|godebug|ignore)\b)",
        Remedy.PROGRAM,
        fixed_by=r"go\.(?:mod|work)",
    ),
    # make, compilers, linkers
    Symptom(
        ": *** No rule to make target",
        r"^(?:g|mingw32-)?make(?:\[\d+\])?: \*\*\* (?P<said>No rule to make target "
        r"['`](?P<name>[^']+)', needed by .*)",
        Remedy.COMMAND,
        NameKind.PATH,
        fixed_by=_MAKEFILES,
    ),
    Symptom(
        ": *** No rule to make target",
        r"^(?:g|mingw32-)?make(?:\[\d+\])?: \*\*\* (?P<said>No rule to make target ['`][^']+')\. ",
        Remedy.COMMAND,
        fixed_by=_MAKEFILES,
    ),
    Symptom(
        ": *** No targets specified",
        r"^(?:g|mingw32-)?make(?:\[\d+\])?: \*\*\* (?P<said>No targets specified and no makefile "
        r"found)",
        Remedy.COMMAND,
        fixed_by=_MAKEFILES,
    ),
    Symptom(
        ": No such file or",
        r"^make(?:\[\d+\])?: (?P<said>(?P<name>[\w.+-]+): No such file or directory)\n"
        r"make(?:\[\d+\])?: \*\*\* .*\bError 127",
        Remedy.PROGRAM,
        NameKind.MODULE,
    ),
    Symptom(
        "not found",
        rf"{_OF_SHELLS}(?P<said>(?P<name>[\w.+-]+): (?:command )?not found)\n(?:.*\n){{0,6}}?"
        r".*\b(?:Error 127|exit(?:ed with)?(?: code| status)? 127|code 127)\b",
        Remedy.PROGRAM,
        NameKind.MODULE,
    ),
    Symptom(
        ": fatal error:",
        r"^\S+:\d+:\d+: fatal error: (?P<said>(?P<quote>')?(?P<name>[\w./+-]+)"
        r"(?(quote)' file not found|: No such file or directory))",
        Remedy.PACKAGE,
        NameKind.PATH,
        avoidable=True,
    ),
    Symptom(
        " -l",
        r"^\S*ld(?:\.\w+)?: (?P<said>(?:cannot find|library not found for|unable to find library) "
        r"-l(?P<name>[\w.+-]+))",
        Remedy.PACKAGE,
        NameKind.PATH,
    ),
    Symptom(
        "error while loading shared",
        r"(?P<said>error while loading shared libraries: \S+: cannot open shared object file)",
        Remedy.PROGRAM,
    ),
    Symptom(
        "ninja: error: loading",
        r"^ninja: (?P<said>error: loading 'build\.ninja': No such file or directory)",
        Remedy.COMMAND,
    ),
    # CMake
    Symptom(
        "_COMPILER could be found",
        r"^\s*(?P<said>No CMAKE_\w+_COMPILER could be found)",
        Remedy.PROGRAM,
    ),
    Symptom(
        "CMake Error: CMAKE_", r"^(?P<said>CMake Error: CMAKE_\w+_COMPILER not set)", Remedy.PROGRAM
    ),
    Symptom(
        "CMake was unable to find a",
        r"^(?:CMake Error: )?(?P<said>CMake was unable to find a build program corresponding to "
        r".*?)\.(?: |$)",
        Remedy.PROGRAM,
    ),
    Symptom(
        "Could not find a package",
        r"^\s*(?P<said>Could not find a package configuration file provided by "
        r"\"(?P<name>[^\"]+)\")",
        named=NameKind.MODULE,
        fixed_by=_CMAKE,
    ),
    Symptom(
        "Could NOT find",
        r"^\s*(?P<said>Could NOT find (?P<name>\w+) \(missing: .*)",
        named=NameKind.MODULE,
        fixed_by=_CMAKE,
    ),
    Symptom(
        "Error:",
        r"^(?P<said>Error: (?:\S+ is not a directory|could not load cache))$",
        Remedy.COMMAND,
    ),
    Symptom(
        "Failed to change working",
        r"^(?P<said>Failed to change working directory to .*: No such file or directory)",
        Remedy.COMMAND,
    ),
    # the shell
    Symptom(
        "cd: can't cd to",
        rf"{_OF_SHELLS}cd: (?P<said>can't cd to (?P<name>\S+))",
        Remedy.COMMAND,
        NameKind.FOLDER,
    ),
    Symptom(
        ": No such file or directory",
        rf"{_OF_SHELLS}(?P<said>cd: (?P<name>\S+): No such file or directory)",
        Remedy.COMMAND,
        NameKind.FOLDER,
    ),
    # Rust
    Symptom(
        "error: no matching package",
        r"^(?P<said>error: no matching package named `[^`]+` found)\n"
        r"location searched: (?:crates|.*registry|.*index)",
        Remedy.NETWORK,
    ),
    Symptom(
        " to ",
        r"^\s*(?P<said>(?:failed to download from|unable to update registry|Unable to update) "
        r"`?\S+)",
        Remedy.NETWORK,
    ),
    Symptom(
        "attempting to make an HTTP",
        r"^\s*(?P<said>attempting to make an HTTP request, but --(?:offline|frozen) was specified)",
        Remedy.NETWORK,
    ),
    Symptom("error: linker `", r"^(?P<said>error: linker `[^`]+` not found)", Remedy.PROGRAM),
    Symptom(
        "error: no such command: `", r"^(?P<said>error: no such command: `[^`]+`)", Remedy.PROGRAM
    ),
    Symptom(
        "error: toolchain '",
        r"^(?P<said>error: toolchain '[^']+' is not installed)",
        Remedy.PROGRAM,
    ),
    Symptom(
        "error[E0463]: can't find",
        r"^(?P<said>error\[E0463\]: can't find crate for `(?:core|std|test)`)",
        Remedy.PROGRAM,
    ),
    Symptom(
        "error: could not find",
        r"^(?P<said>error: could not find `Cargo\.toml` in)",
        Remedy.COMMAND,
        fixed_by=r"Cargo\.toml",
    ),
    Symptom(
        "use of un",
        r"(?P<said>use of (?:unresolved module or unlinked crate|undeclared crate or module) "
        r"`(?P<name>\w+)`)",
        named=NameKind.MODULE,
        fixed_by=r"Cargo\.toml",
        avoidable=True,
    ),
    # Java; Gradle: https://github.com/gradle/gradle/issues/13258
    Symptom(
        ") in offline mode and the",
        r"(?P<said>Cannot access \S+ \(\S+\) in offline mode and the artifact \S+ has not been "
        r"downloaded)",
        Remedy.NETWORK,
    ),
    Symptom(
        "Could not",
        r"(?P<said>(?:Could not transfer artifact|Could not resolve) \S+.*(?:Unknown host"
        r"|Connection refused|Connect(?:ion)? timed out|No cached version|Could not GET).*)",
        Remedy.NETWORK,
    ),
    Symptom(
        " available for offline mode",
        r"(?P<said>No cached version of \S+ available for offline mode)",
        Remedy.NETWORK,
    ),
    Symptom(
        "No compiler is provided in",
        r"(?P<said>No compiler is provided in this environment)",
        Remedy.PROGRAM,
    ),
    Symptom(
        "The goal you specified",
        r"(?P<said>The goal you specified requires a project to execute but there is no POM)",
        Remedy.COMMAND,
        fixed_by=r"pom\.xml",
    ),
    Symptom(
        " does not exist",
        r"(?P<said>package org\.(?:junit|mockito|assertj|testng|hamcrest)\b\S* does not exist)",
        fixed_by=r"pom\.xml|.*\.gradle(?:\.kts)?|.*\.toml",
        avoidable=True,
    ),
    Symptom(
        "JAVA_HOME is",
        r"(?P<said>JAVA_HOME is (?:not set|set to an invalid directory))",
        Remedy.PROGRAM,
    ),
    # .NET: https://github.com/dotnet/runtime/issues/45755
    Symptom(
        "error NU1301: Unable to",
        r"(?P<said>error NU1301: Unable to load the service index)",
        Remedy.NETWORK,
    ),
    Symptom(
        "error N",
        r"(?P<said>error (?:NU1101: Unable to find package|NETSDK1004: Assets file) \S+)",
        fixed_by=r".*\.\w+proj|Directory\..*|nuget\.config",
    ),
    Symptom("No .NET SDKs were found", r"(?P<said>No \.NET SDKs were found)", Remedy.PROGRAM),
)
