"""The operators' orders: an account paused or resumed, commands cancelled, of a call or of a group in all its calls."""

from __future__ import annotations

from typing import Annotated

import typer

from cordboard.cli.choices import Output
from cordboard.cli.options import TARGET, Account, Shown, Target
from cordboard.cli.panels import CALLS, OPERATE
from cordboard.cli.target import over_tls

# ruff: noqa: PLC0415 - imports wait for the command that needs them.

app = typer.Typer()

Paused = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The Telnyx account.")]
Comment = Annotated[str, typer.Option(help="Why, for whoever looks.")]


@app.command(rich_help_panel=OPERATE, epilog='Example: cordboard pause main --comment "number is being ported"')
@over_tls
def pause(*, account: Paused, comment: Comment = "", target: Target = TARGET, output: Shown = Output.AUTO) -> None:
    """Take and keep: send nothing for an account but hangups and rejects, until it is resumed."""
    import asyncio

    from cordboard.cli.orders import pause_account
    from cordboard.cli.screen import Screen

    asyncio.run(pause_account(account, comment, target, Screen(output)))


@app.command(rich_help_panel=OPERATE, epilog="Example: cordboard resume main")
@over_tls
def resume(*, account: Paused, comment: Comment = "", target: Target = TARGET, output: Shown = Output.AUTO) -> None:
    """Send again what an account's senders want, what was kept first."""
    import asyncio

    from cordboard.cli.orders import resume_account
    from cordboard.cli.screen import Screen

    asyncio.run(resume_account(account, comment, target, Screen(output)))


@app.command(rich_help_panel=CALLS, epilog="Example: cordboard cancel --group spring")
@over_tls
def cancel(
    *,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Commands; none: all that wait.")] = None,
    call: Annotated[str, typer.Option(help="The call; none: one dial by its id, or a group.")] = "",
    group: Annotated[str, typer.Option(help="Only of this group; alone: in all its calls.")] = "",
    account: Account = "",
    target: Target = TARGET,
    output: Shown = Output.AUTO,
) -> None:
    """Cancel commands that were not released yet: of a call, one dial, or a whole group."""
    import asyncio

    from cordboard.cli.orders import cancel_commands
    from cordboard.cli.screen import Screen

    asyncio.run(cancel_commands(call, ids or [], group, account, target, Screen(output)))
