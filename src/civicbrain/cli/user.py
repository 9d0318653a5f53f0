"""`civicbrain user add|list|set-role|set-password|disable|enable|remove`: who may come in, as what.

It works on the users' file, whether or not a city runs; what is changed holds from the next request on.
Passwords are asked without echo, or read from the standard input; never from the command line, which other
users of the machine can read.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civicbrain.runtime.login.roles import Role

if TYPE_CHECKING:
    from civicbrain.runtime.login.store import LoginStore

NameArgument = Annotated[str, typer.Argument(help="The log-in: a-z, 0-9 and . _ @ -")]
RoleOption = Annotated[Role, typer.Option(help="What they may do; each may what those before it may.")]
StdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the standard input, for scripts.")
]
RunDirOption = Annotated[
    Path | None,
    typer.Option("--run-dir", metavar="DIR", help="As given to `civicbrain run`, where it was."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="As given to `civicbrain run`: [login] file counts."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    user = typer.Typer(help="Users of the control room, and what they may do.", no_args_is_help=True)
    user.command("add")(add)
    user.command("list")(list_all)
    user.command("set-role")(set_role)
    user.command("set-password")(set_password)
    user.command("disable")(disable)
    user.command("enable")(enable)
    user.command("remove")(remove)
    app.add_typer(user, name="user")


def add(
    name: NameArgument,
    role: RoleOption,
    password_stdin: StdinOption = False,
    run_dir: RunDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Add a user. With the first one, the demo's log-in by itself is over."""
    from civicbrain.runtime.login import users

    name = users.as_name(name)
    users.check_name(name)
    with _open(run_dir, config) as store:
        first = not users.has_users(store)
        users.add_user(store, name, role, _new_password(name, password_stdin), by=_who())
        typer.echo(f"{name} is {role} ({store.path})")
    if first:
        typer.echo("the first user: from now on people log in, on this machine, too")
        if role is not Role.ADMINISTRATOR:
            typer.echo("nobody is administrator yet; this command stays, whoever is")


def list_all(run_dir: RunDirOption = None, config: ConfigOption = None) -> None:
    """List the users, their roles and when they last logged in."""
    from civicbrain.runtime.login import users

    with _open(run_dir, config) as store:
        found = users.list_users(store)
        place = store.path
    for user in found:
        seen = f"{user.seen:%Y-%m-%d %H:%M} UTC" if user.seen else "never"
        marks = "  disabled" if user.disabled else ""
        typer.echo(f"{user.name:<24} {user.role:<14} {user.way:<9} last log-in {seen}{marks}")
    typer.echo(f"{len(found)} in {place}")


def set_role(
    name: NameArgument, role: RoleOption, run_dir: RunDirOption = None, config: ConfigOption = None
) -> None:
    """Give another role; it holds from the next request on."""
    from civicbrain.runtime.login import users

    with _open(run_dir, config) as store:
        users.set_role(store, users.as_name(name), role, by=_who(), keep_one=False)
    typer.echo(f"{name} is {role}")


def set_password(
    name: NameArgument,
    password_stdin: StdinOption = False,
    run_dir: RunDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Give a new password; it ends all sessions of that user."""
    from civicbrain.runtime.login import users

    name = users.as_name(name)
    with _open(run_dir, config) as store:
        users.get_user(store, name)
        users.set_password(store, name, _new_password(name, password_stdin), by=_who())
    typer.echo(f"{name} has a new password; their sessions are ended")


def disable(name: NameArgument, run_dir: RunDirOption = None, config: ConfigOption = None) -> None:
    """Let somebody in no more, at once; their name stays."""
    _switch(name, run_dir, config, disabled=True)


def enable(name: NameArgument, run_dir: RunDirOption = None, config: ConfigOption = None) -> None:
    """Let a disabled user in again."""
    _switch(name, run_dir, config, disabled=False)


def remove(name: NameArgument, run_dir: RunDirOption = None, config: ConfigOption = None) -> None:
    """Remove a user; the record keeps what they did."""
    from civicbrain.runtime.login import users

    with _open(run_dir, config) as store:
        users.remove_user(store, users.as_name(name), by=_who(), keep_one=False)
        left = users.has_users(store)
    typer.echo(f"{name} is removed")
    if not left:
        typer.echo("that was the last user: on this machine everybody is operator again")


def _switch(name: str, run_dir: Path | None, config: Path | None, *, disabled: bool) -> None:
    from civicbrain.runtime.login import users

    with _open(run_dir, config) as store:
        users.set_disabled(store, users.as_name(name), disabled, by=_who(), keep_one=False)
    typer.echo(f"{name} is {'disabled' if disabled else 'enabled'}")


def _open(run_dir: Path | None, config: Path | None) -> LoginStore:
    from civicbrain.runtime.configuration import RunConfiguration, load_configuration
    from civicbrain.runtime.login.store import LoginStore

    found = load_configuration(config) if config else RunConfiguration()
    return LoginStore(found.login.path(run_dir))


def _new_password(name: str, from_stdin: bool) -> str:
    """The hash of a password that was given twice, or once by a script. Raises ConfigurationError."""
    from civicbrain.core.errors import ConfigurationError
    from civicbrain.runtime.login.passwords import check_password, hash_password

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif not sys.stdin.isatty():
        raise ConfigurationError(
            "nobody is there to type a password", place="standard input", remedy="use --password-stdin"
        )
    else:
        password = getpass.getpass(f"password of {name}: ")
        if getpass.getpass("once more: ") != password:
            raise ConfigurationError("the two are not the same", remedy="run the command again")
    check_password(password, name)
    return hash_password(password)


def _who() -> str:
    """As the record names whoever sits at the machine."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
