"""The virtual environment itself, before any package: what makes a directory a thin venv of one interpreter.

Layout (POSIX)::

    pyvenv.cfg                  read by Python at every start (PEP 405); its key `pyvstore` says that the venv is ours
    bin/python                  → the interpreter's real binary
    bin/python3, bin/python3.12 → python
    bin/activate*               for sh, bash, zsh, dash, ksh; fish; csh; PowerShell
    lib/python3.12/site-packages/
    lib64                       → lib, only where the interpreter looks for its packages there
    .gitignore                  so that no repository takes the environment in
    CACHEDIR.TAG                so that backups leave it out: everything here can be made again

No pip: packages come from the lockfile. The names of the shell variables are those of every other venv, because editors
and prompts know them, and because activating one environment while another is active must undo the other first.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pyvstore import __version__
from pyvstore.model.environment import Interpreter
from pyvstore.model.farm import Directory, Edits, File, Image, Item, Link

_CACHE_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This environment can be made again with `pyvstore sync`.\n"


def plan_prefix(interpreter: Interpreter, prefix: str, prompt: str) -> Image:
    """Return the files and links of an empty environment, by path relative to ``prefix``; pyvenv.cfg comes first.

    Args:
        interpreter: the Python that the environment is for.
        prefix: the environment's absolute path, which the activation scripts carry.
        prompt: what a shell shows while the environment is active; characters that some shell would interpret are
            replaced.

    Raises:
        ValueError: when the interpreter's path has a line break, which pyvenv.cfg cannot express.
    """
    layout, prompt = interpreter.layout, safe_prompt(prompt)
    scripts = PurePosixPath(layout.scripts)
    items: dict[str, Item] = {"pyvenv.cfg": File(_configuration(interpreter, prompt))}
    items[str(scripts / "python")] = Link(interpreter.real_executable)
    for name in _interpreter_names(interpreter):
        items[str(scripts / name)] = Link("python")
    for name, template, quote in (
        ("activate", _ACTIVATE, _quote_sh),
        ("activate.fish", _ACTIVATE_FISH, _quote_fish),
        ("activate.csh", _ACTIVATE_CSH, _quote_csh),
        ("Activate.ps1", _ACTIVATE_POWERSHELL, str),
    ):
        text = template.replace("@PROMPT@", prompt).replace("@SCRIPTS@", layout.scripts)
        data = text.replace("@PREFIX@", quote(prefix)).encode("utf-8", "surrogateescape")
        items[str(scripts / name)] = File(data, edits=Edits.KEEP_UNTIL_NEW)
    items[layout.site_packages] = Directory()
    if layout.lib64_link:
        items["lib64"] = Link("lib")
    items[".gitignore"] = File(b"*\n", edits=Edits.KEEP_UNTIL_NEW)
    items["CACHEDIR.TAG"] = File(_CACHE_TAG.encode(), edits=Edits.KEEP_UNTIL_NEW)
    return items


def safe_prompt(prompt: str) -> str:
    """Return ``prompt`` without anything that a shell, when it prints or stores it, could take for more than text."""
    # bash runs `$(...)` that it finds in PS1, zsh and csh expand `%`, and a project's folder may come from a stranger.
    return re.sub(r"[^\w.+ -]+", "_", prompt).strip() or "venv"


def _configuration(interpreter: Interpreter, prompt: str) -> bytes:
    values = {
        "home": interpreter.home,
        "include-system-site-packages": "false",
        "version": interpreter.version,
        "executable": interpreter.real_executable,
        "prompt": prompt,
        "pyvstore": __version__,
    }
    for key, value in values.items():
        if "\n" in value or "\r" in value:
            raise ValueError(f"{key} must not have a line break: {value!r}")
    return "".join(f"{key} = {value}\n" for key, value in values.items()).encode("utf-8", "surrogateescape")


def _interpreter_names(interpreter: Interpreter) -> list[str]:
    """Return the names besides ``python``: those with versions, and the binary's own (``python3.13t``)."""
    minor = interpreter.environment.python_minor
    names = ["python3", f"python{minor}"]
    if interpreter.implementation == "PyPy":
        names += ["pypy", "pypy3", f"pypy{minor}"]
    own = re.split(r"[\\/]", interpreter.real_executable)[-1]
    # A binary may be called anything; only a name that says "Python" is expected in a venv.
    if re.fullmatch(r"(?:python|pypy)[0-9.]*[a-z]*", own) and own != "python":
        names.append(own)
    return list(dict.fromkeys(names))


def _quote_sh(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _quote_fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quote_csh(text: str) -> str:
    # csh looks for history references and ends of lines even between single quotes.
    return "'" + text.replace("'", "'\\''").replace("!", "\\!").replace("\n", "\\\n") + "'"


_ACTIVATE = """\
# For sh, bash, zsh, dash and ksh: `. path/to/activate` enters the environment, `deactivate` leaves it.

deactivate () {
    if [ -n "${_OLD_VIRTUAL_PATH+set}" ]; then
        PATH=$_OLD_VIRTUAL_PATH
        export PATH
        unset _OLD_VIRTUAL_PATH
    fi
    if [ -n "${_OLD_VIRTUAL_PYTHONHOME+set}" ]; then
        PYTHONHOME=$_OLD_VIRTUAL_PYTHONHOME
        export PYTHONHOME
        unset _OLD_VIRTUAL_PYTHONHOME
    fi
    if [ -n "${_OLD_VIRTUAL_PS1+set}" ]; then
        PS1=$_OLD_VIRTUAL_PS1
        unset _OLD_VIRTUAL_PS1
    fi
    unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT
    # The shell remembers where it found a program; what it remembers is wrong now.
    hash -r 2>/dev/null || :
    if [ "${1:-}" != nondestructive ]; then
        unset -f deactivate
    fi
}

# Another environment may be active: put back what it changed.
deactivate nondestructive

VIRTUAL_ENV=@PREFIX@
VIRTUAL_ENV_PROMPT='@PROMPT@'
export VIRTUAL_ENV VIRTUAL_ENV_PROMPT

_OLD_VIRTUAL_PATH=$PATH
PATH=$VIRTUAL_ENV/@SCRIPTS@:$PATH
export PATH

if [ -n "${PYTHONHOME+set}" ]; then
    _OLD_VIRTUAL_PYTHONHOME=$PYTHONHOME
    unset PYTHONHOME
fi

if [ -z "${VIRTUAL_ENV_DISABLE_PROMPT:-}" ]; then
    _OLD_VIRTUAL_PS1=${PS1:-}
    PS1="(@PROMPT@) ${PS1:-}"
fi

hash -r 2>/dev/null || :
"""

_ACTIVATE_FISH = """\
# For fish: `source path/to/activate.fish` enters the environment, `deactivate` leaves it.

function deactivate --description 'Leave the virtual environment'
    if set -q _OLD_VIRTUAL_PATH
        set -gx PATH $_OLD_VIRTUAL_PATH
        set -e _OLD_VIRTUAL_PATH
    end
    if set -q _OLD_VIRTUAL_PYTHONHOME
        set -gx PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME
        set -e _OLD_VIRTUAL_PYTHONHOME
    end
    if functions -q _old_fish_prompt
        functions -e fish_prompt
        functions -c _old_fish_prompt fish_prompt
        functions -e _old_fish_prompt
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != nondestructive
        functions -e deactivate
        functions -e _virtual_env_status
    end
end

# Another environment may be active: put back what it changed.
deactivate nondestructive

set -gx VIRTUAL_ENV @PREFIX@
set -gx VIRTUAL_ENV_PROMPT '@PROMPT@'

set -g _OLD_VIRTUAL_PATH $PATH
set -gx PATH $VIRTUAL_ENV/@SCRIPTS@ $PATH

if set -q PYTHONHOME
    set -g _OLD_VIRTUAL_PYTHONHOME $PYTHONHOME
    set -e PYTHONHOME
end

function _virtual_env_status
    return $argv[1]
end

if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    functions -c fish_prompt _old_fish_prompt
    function fish_prompt
        # The prompt below may show the status of the last command.
        set -l last $status
        printf '(%s) ' $VIRTUAL_ENV_PROMPT
        _virtual_env_status $last
        _old_fish_prompt
    end
end
"""

_ACTIVATE_CSH = """\
# For csh and tcsh: `source path/to/activate.csh` enters the environment, `deactivate` leaves it.

alias deactivate 'test $?_OLD_VIRTUAL_PATH != 0 && setenv PATH "$_OLD_VIRTUAL_PATH:q" && unset _OLD_VIRTUAL_PATH; test $?_OLD_VIRTUAL_PYTHONHOME != 0 && setenv PYTHONHOME "$_OLD_VIRTUAL_PYTHONHOME:q" && unset _OLD_VIRTUAL_PYTHONHOME; test $?_OLD_VIRTUAL_PROMPT != 0 && set prompt="$_OLD_VIRTUAL_PROMPT:q" && unset _OLD_VIRTUAL_PROMPT; unsetenv VIRTUAL_ENV; unsetenv VIRTUAL_ENV_PROMPT; rehash; test "\\!:*" != "nondestructive" && unalias deactivate'

# Another environment may be active: put back what it changed.
deactivate nondestructive

setenv VIRTUAL_ENV @PREFIX@
setenv VIRTUAL_ENV_PROMPT '@PROMPT@'

set _OLD_VIRTUAL_PATH="$PATH:q"
setenv PATH "${VIRTUAL_ENV:q}/@SCRIPTS@:${PATH:q}"

if ($?PYTHONHOME) then
    set _OLD_VIRTUAL_PYTHONHOME="$PYTHONHOME:q"
    unsetenv PYTHONHOME
endif

if (! $?VIRTUAL_ENV_DISABLE_PROMPT) then
    if ($?prompt) then
        set _OLD_VIRTUAL_PROMPT="$prompt:q"
        set prompt="(@PROMPT@) $prompt:q"
    endif
endif

rehash
"""  # noqa: E501 - an alias of csh is one line

_ACTIVATE_POWERSHELL = """\
# For PowerShell: `path/to/Activate.ps1` enters the environment, `deactivate` leaves it.

function global:deactivate ([switch]$NonDestructive) {
    if (Test-Path -Path Env:_OLD_VIRTUAL_PATH) {
        $env:PATH = $env:_OLD_VIRTUAL_PATH
        Remove-Item -Path Env:_OLD_VIRTUAL_PATH
    }
    if (Test-Path -Path Env:_OLD_VIRTUAL_PYTHONHOME) {
        $env:PYTHONHOME = $env:_OLD_VIRTUAL_PYTHONHOME
        Remove-Item -Path Env:_OLD_VIRTUAL_PYTHONHOME
    }
    if (Test-Path -Path Function:_OLD_VIRTUAL_PROMPT) {
        Copy-Item -Path Function:_OLD_VIRTUAL_PROMPT -Destination Function:prompt
        Remove-Item -Path Function:_OLD_VIRTUAL_PROMPT
    }
    foreach ($name in 'VIRTUAL_ENV', 'VIRTUAL_ENV_PROMPT') {
        if (Test-Path -Path "Env:$name") { Remove-Item -Path "Env:$name" }
    }
    if (-not $NonDestructive) {
        Remove-Item -Path Function:deactivate
    }
}

# Another environment may be active: put back what it changed.
deactivate -NonDestructive

# Taken from where this file is, so that no path has to be quoted.
$env:VIRTUAL_ENV = [System.IO.Path]::GetDirectoryName($PSScriptRoot)
$env:VIRTUAL_ENV_PROMPT = '@PROMPT@'

$env:_OLD_VIRTUAL_PATH = $env:PATH
$env:PATH = $PSScriptRoot + [System.IO.Path]::PathSeparator + $env:PATH

if (Test-Path -Path Env:PYTHONHOME) {
    $env:_OLD_VIRTUAL_PYTHONHOME = $env:PYTHONHOME
    Remove-Item -Path Env:PYTHONHOME
}

if (-not $env:VIRTUAL_ENV_DISABLE_PROMPT) {
    function global:_OLD_VIRTUAL_PROMPT { '' }
    Copy-Item -Path Function:prompt -Destination Function:_OLD_VIRTUAL_PROMPT
    function global:prompt {
        Write-Host -NoNewline -ForegroundColor Green "($env:VIRTUAL_ENV_PROMPT) "
        _OLD_VIRTUAL_PROMPT
    }
}
"""
