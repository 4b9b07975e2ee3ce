"""marketers add: an account for the workspace."""

from __future__ import annotations

import sys

import click
from flask import current_app

from leadmagnet import store
from leadmagnet.cli.shell import USAGE, Failure, Group, services

marketers = Group("marketers", help="Accounts for the marketer's workspace.")


@marketers.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(["owner", "editor", "viewer"]), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of a prompt.")
def add(email: str, role: str, password_stdin: bool) -> None:
    """Add the account EMAIL."""
    from leadmagnet.web.marketing.accounts import add_marketer

    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        add_marketer(current_app, email, role, password)
    except ValueError as error:
        raise Failure(str(error), USAGE) from error
    click.echo(f"{email} may sign in as {role}.")


def add_first_owner(email: str, password: str) -> bool:
    """Add an owner if there is no account at all; say whether one was added."""
    from leadmagnet.web.marketing.accounts import Marketer, add_marketer

    with store.reading(services().engine) as session:
        if session.query(Marketer).first() is not None:
            return False
    add_marketer(current_app, email, "owner", password)
    return True
