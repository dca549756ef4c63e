"""What runners of scripted languages say when something is missing in the environment: data.

The words were taken from runs of the tools themselves; of those that are marked with their
source, from what others reported. A pattern is searched for line by line, in text without colours.
"""

from __future__ import annotations

from director.model.testing.symptoms import NameKind, Remedy, Symptom

_PYTHON_PROJECT = (
    r"pyproject\.toml|setup\.(?:py|cfg)|.*requirements.*\.(?:txt|in)|Pipfile|uv\.lock|poetry\.lock"
    r"|environment\.ya?ml|conftest\.py|sitecustomize\.py|pytest\.ini|tox\.ini"
)
_NODE_PROJECT = (
    r"package(?:-lock)?\.json|pnpm-.*\.yaml|yarn\.lock|(?:t|j)sconfig.*\.json"
    r"|(?:jest|vitest|vite|babel)\..*|\.babelrc.*"
)
_PYTEST_SETTINGS = r"conftest\.py|pyproject\.toml|setup\.cfg|\.?pytest\.(?:ini|toml)|tox\.ini"

SYMPTOMS = (
    # Python. The statement stands in the traceback: what a program looks for by itself, a plugin
    # by its name for one, may be missing on purpose.
    Symptom(
        "ModuleNotFoundError: No",
        r"^(?:(?:E|>)?[ \t]+)(?:import|from)[ \t].*\n(?:[ \t~^]*\n|E?[ \t]+[~^]+\n)?"
        r"(?:E[ \t]+)?(?P<said>ModuleNotFoundError: No module named '(?P<name>[\w.]+)')",
        named=NameKind.PYTHON,
        fixed_by=_PYTHON_PROJECT,
        beside_tests=True,
        avoidable=True,
    ),
    Symptom(
        ": No module named",
        r"^(?P<said>\S*python[\w.]*(?:\.exe)?: No module named (?P<name>[\w.]+))$",
        named=NameKind.PYTHON,
    ),
    Symptom(
        ": cannot open shared object",
        r"^(?:E[ \t]+)?(?P<said>ImportError: \S+\.so[\d.]*: cannot open shared object file\b.*)",
        Remedy.PROGRAM,
    ),
    # pytest
    Symptom(
        'Error importing plugin "',
        r"^(?P<said>(?:ERROR: )?Error importing plugin \"[^\"]+\": No module named "
        r"'(?P<name>[\w.]+)')",
        named=NameKind.PYTHON,
        fixed_by=_PYTHON_PROJECT,
    ),
    Symptom(
        "ERROR: Missing required",
        r"^(?P<said>ERROR: Missing required plugins: .*)",
        fixed_by=_PYTEST_SETTINGS,
    ),
    Symptom(
        ": error: unrecognized",
        r"^.*pytest.*: error: (?P<said>unrecognized arguments: .*)",
        fixed_by=_PYTEST_SETTINGS,
    ),
    Symptom(
        "INTERNALERROR>",
        r"^INTERNALERROR> +(?P<said>(?!SystemExit)[A-Za-z_][\w.]*(?:Error|Exception|Warning)\b.*)",
        fixed_by=_PYTHON_PROJECT,
    ),
    Symptom(
        "async def functions are not",
        r"^(?:E[ \t]+)?(?P<said>async def functions are not natively supported)",
        fixed_by=_PYTHON_PROJECT,
        beside_tests=True,
        avoidable=True,
    ),
    Symptom(  # fixtures of well-known plugins
        "' not found",
        r"^E +(?P<said>fixture '(?:mocker|httpx_mock|requests_mock|respx_mock|aiohttp_client|faker"
        r"|benchmark|freezer|django_user_model|live_server|qtbot|event_loop|unused_tcp_port"
        r"|httpserver|datadir|shared_datadir|data_regression|file_regression)' not found)",
        fixed_by=_PYTHON_PROJECT,
        beside_tests=True,
        avoidable=True,
    ),
    Symptom(
        "ERROR:",
        r"^(?P<said>ERROR: (?:file or directory not found|not found): (?P<name>\S+))",
        Remedy.COMMAND,
        NameKind.PATH,
    ),
    # uv, poetry, pip, pipenv, tox
    Symptom(
        "error: Failed to spawn:",
        r"^(?P<said>error: Failed to spawn: `?(?P<name>[\w.-]+)`?)$",
        Remedy.PROGRAM,
        NameKind.MODULE,
    ),
    Symptom(
        "error: No interpreter found",
        r"^(?P<said>error: No interpreter found for .*)",
        Remedy.PROGRAM,
    ),
    Symptom(
        "hint: Packages were",
        r"^(?P<said>hint: Packages were unavailable because the network was disabled)",
        Remedy.NETWORK,
    ),
    Symptom(
        "ailed to fetch: `",
        r"^\s*(?:error: |× |cause: |Caused by: )*(?P<said>[Ff]ailed to fetch: `.*)",
        Remedy.NETWORK,
    ),
    Symptom(
        "Command not found:",
        r"^(?P<said>Command not found: (?P<name>[\w.-]+))$",
        Remedy.PROGRAM,
        NameKind.MODULE,
    ),
    Symptom(
        "ERROR: No matching",
        r"^(?P<said>ERROR: No matching distribution found for .*)",
        Remedy.NETWORK,
    ),
    # node and npm. A relative path, or one outside of node_modules, is the project's own.
    Symptom(
        "Cannot find",
        r"^(?:# )?\s*(?:Uncaught )?(?P<said>(?:Error(?: \[ERR_MODULE_NOT_FOUND\])?: )?"
        r"Cannot find (?:module|package) '(?P<name>[^'\s]+)')(?: (?:from|imported from)\b.*)?$",
        named=NameKind.MODULE,
        fixed_by=_NODE_PROJECT,
        avoidable=True,
    ),
    Symptom(
        "Failed to",
        r"(?P<said>Failed to (?:resolve import|load url) \"?(?P<name>[^\s\"]+)\"?)",
        named=NameKind.MODULE,
        fixed_by=_NODE_PROJECT,
        avoidable=True,
    ),
    Symptom(
        " found",
        r"^\s*(?P<said>(?:Preset|Module|Test environment) \S+ (?:in the \w+ option )?"
        r"(?:not found|was not found|cannot be found)\b)",
        fixed_by=_NODE_PROJECT,
    ),
    Symptom(
        "Cannot find dependency '",
        r"^\s*(?P<said>MISSING DEPENDENCY\s+Cannot find dependency '.*')",
        fixed_by=_NODE_PROJECT,
    ),
    Symptom(
        " due to missing packages",
        r"^npm (?:error|ERR!) (?P<said>(?:npx canceled|canceled) due to missing packages.*)",
        fixed_by=_NODE_PROJECT,
    ),
    Symptom(
        " could not determine",
        r"^npm (?:error|ERR!) (?P<said>could not determine executable to run)",
    ),
    Symptom(
        "This is not the tsc command",
        r"^\s*(?P<said>This is not the tsc command you are looking for)",
    ),
    Symptom(
        " code E",
        r"^npm (?:error|ERR!) (?P<said>code (?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET"
        r"|ETIMEDOUT|ENOTCACHED))",
        Remedy.NETWORK,
    ),
    Symptom(
        " Missing script:",
        r"^npm (?:error|ERR!) (?P<said>Missing script: .*)",
        Remedy.COMMAND,
        fixed_by=r"package\.json",
    ),
    Symptom(
        " The `npm ci` command can",
        r"^npm (?:error|ERR!) (?P<said>The `npm ci` command can only install with an existing "
        r"package-lock\.json)",
        Remedy.COMMAND,
        fixed_by=r"package-lock\.json",
    ),
    Symptom(
        "Could not read package.json",
        r"^npm (?:error|ERR!) (?:enoent )?(?P<said>Could not read package\.json)",
        Remedy.COMMAND,
        fixed_by=r"package\.json",
    ),
    Symptom(
        "Missing script:",
        r"^\s*(?:×|ERR_PNPM_NO_SCRIPT)\s+(?P<said>Missing script: .*)",
        Remedy.COMMAND,
        fixed_by=r"package\.json",
    ),
    Symptom(  # pnpm; older ones: https://github.com/pnpm/pnpm/issues/4146
        '" not found',
        r"^(?:\s*×|.*ERR_PNPM_RECURSIVE_EXEC_FIRST_FAIL\S*)\s+"
        r"(?P<said>Command \"[^\"]+\" not found)",
        fixed_by=_NODE_PROJECT,
    ),
    Symptom(
        "Local package.json exists,",
        r"(?P<said>Local package\.json exists, but node_modules missing)",
        fixed_by=_NODE_PROJECT,
    ),
    Symptom(
        " Error:",
        r"^(?:Internal Error|Usage Error): (?P<said>.*(?:doesn't seem to be present in your lock"
        r"file|[Cc]ouldn't find the node_modules state file|is not present in your lockfile).*)",
        fixed_by=_NODE_PROJECT,
    ),
    Symptom(
        'error Command "',
        r"^(?P<said>error Command \"[^\"]+\" not found\.)",
        fixed_by=_NODE_PROJECT,
    ),  # yarn 1
    Symptom(  # https://github.com/nodejs/corepack/issues/332
        "Error when performing the",
        r"(?P<said>Error when performing the request to https?://\S+)",
        Remedy.NETWORK,
    ),
    # TypeScript
    Symptom(
        "error TS2688: Cannot find",
        r"(?P<said>error TS2688: Cannot find type definition file for '(?P<name>[^']+)')",
        named=NameKind.MODULE,
        fixed_by=_NODE_PROJECT,
    ),
    Symptom(
        "error TS",
        r"(?P<said>error TS(?:2307|7016): (?:Cannot find module|Could not find a declaration "
        r"file for module) '(?P<name>[^']+)')",
        named=NameKind.MODULE,
        fixed_by=_NODE_PROJECT,
        avoidable=True,
    ),
    Symptom(
        "'. Do you need to install",
        r"(?P<said>error TS(?:258[0-2]|2591|2593): Cannot find name '[^']+'\. Do you need to "
        r"install type definitions)",
        fixed_by=_NODE_PROJECT,
        avoidable=True,
    ),
    # Ruby: https://github.com/danielwestendorf/specwrk/pull/128 (require),
    # https://github.com/microverseinc/linters-config/issues/94 (rspec),
    # https://github.com/rubygems/bundler/issues/3839 (bundler)
    Symptom(
        "cannot load such file --",
        r"^(?:.*|\s*LoadError:\n\s*)(?P<said>cannot load such file -- (?P<name>[^\s/.][^\s()]*))"
        r"(?: \(LoadError\)|$)",
        named=NameKind.MODULE,
        fixed_by=r"Gemfile(?:\.lock)?|.*\.gemspec",
        avoidable=True,
    ),
    Symptom(
        "Could not find",
        r"(?P<said>Could not find (?:gem )?'?\S+'?.* in (?:locally installed gems"
        r"|any of the sources|cached gems).*)",
        fixed_by=r"Gemfile(?:\.lock)?|.*\.gemspec",
    ),
    Symptom("bundler: command not found:", r"^(?P<said>bundler: command not found: \S+)"),
    Symptom(
        "Could not locate Gemfile",
        r"^(?P<said>Could not locate Gemfile)",
        Remedy.COMMAND,
        fixed_by=r"Gemfile",
    ),
    Symptom(
        ", but your Gemfile specified",
        r"(?P<said>Your Ruby version is \S+, but your Gemfile specified .*)",
        Remedy.PROGRAM,
    ),
    Symptom(
        "ruby: No such file or",
        r"^ruby: (?P<said>No such file or directory -- (?P<name>[\w-]+) \(LoadError\))",
        Remedy.PROGRAM,
        NameKind.MODULE,
    ),
    # PHP: https://github.com/4x99/code6/issues/235
    Symptom(
        "vendor/autoload.php'",
        r"^(?:PHP )?.*(?P<said>(?:[Ff]ailed opening required|Failed to open) "
        r"'[^']*vendor/autoload\.php')",
    ),
    Symptom("Could not open input file:", r"^(?P<said>Could not open input file: \S*vendor/\S+)"),
    Symptom(
        "Composer could not find a",
        r"^(?P<said>Composer could not find a composer\.json file)",
        Remedy.COMMAND,
        fixed_by=r"composer\.json",
    ),
    # programs that tests start
    Symptom(
        "Cannot connect to the",
        r"(?P<said>Cannot connect to the Docker daemon)",
        Remedy.PROGRAM,
        avoidable=True,
    ),
    Symptom(  # https://github.com/microsoft/playwright/issues/27421
        "Executable doesn't exist at",
        r"(?P<said>Executable doesn't exist at \S*ms-playwright\S*)",
        Remedy.PROGRAM,
        avoidable=True,
    ),
)
