"""The commands of operators: calls found, told and forgotten; dead letters read and written back."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cordboard.cli.choices import Output
from cordboard.cli.options import TARGET, Account, Shown, Target
from cordboard.cli.panels import CALLS, OPERATE
from cordboard.cli.target import over_tls

# ruff: noqa: PLC0415 - imports wait for the command that needs them.

app = typer.Typer()
letters = typer.Typer(help="Records of which nothing could be made: list, show, replay.", no_args_is_help=True)
app.add_typer(letters, name="dead-letters", rich_help_panel=OPERATE)

Letter = Annotated[str, typer.Argument(metavar="LETTER", help="Its number, as the list shows it.")]


@app.command(
    rich_help_panel=CALLS, epilog="Example: cordboard call v3:qSP5AW7YXjSWClDZr6yPQs9rFNXX81DOSLjjyAUqSvxA3k96FIuDYg"
)
@over_tls
def call(
    *,
    call_control_id: Annotated[str, typer.Argument(metavar="CALL")],
    account: Account = "",
    target: Target = TARGET,
    output: Shown = Output.AUTO,
) -> None:
    """What is known of one call, and its story in order; also of one that is over, where it was recorded."""
    from cordboard.cli.page import show_call
    from cordboard.cli.screen import Screen

    asyncio.run(show_call(call_control_id, account, target, Screen(output)))


@app.command(rich_help_panel=CALLS, epilog="Example: cordboard calls --number +12025550199 --since 2h")
@over_tls
def calls(
    *,
    number: Annotated[str, typer.Option(help="The number that called or was called.")] = "",
    account: Account = "",
    outcome: Annotated[str, typer.Option(help="How it ended, such as normal_clearing, busy, FAILED.")] = "",
    since: Annotated[str, typer.Option(help="First seen then or later: 2h ago, or a time.", metavar="TIME")] = "",
    until: Annotated[str, typer.Option(help="First seen before that.", metavar="TIME")] = "",
    count: Annotated[int, typer.Option(help="How many at most.", min=1)] = 50,
    target: Target = TARGET,
    output: Shown = Output.AUTO,
) -> None:
    """Calls that were recorded, the latest first."""
    from cordboard.cli.calls import search_of, show_calls
    from cordboard.cli.screen import Screen
    from cordboard.clock import SystemClock

    request = search_of(number, account, outcome, since, until, SystemClock())
    asyncio.run(show_calls(request, count, target, Screen(output)))


@app.command(
    rich_help_panel=OPERATE,
    epilog="Example: cordboard forget v3:qSP5AW7YXjSWClDZr6yPQs9rFNXX81DOSLjjyAUqSvxA3k96FIuDYg",
)
@over_tls
def forget(
    *,
    call_control_id: Annotated[str, typer.Argument(metavar="CALL")],
    target: Target = TARGET,
    output: Shown = Output.AUTO,
) -> None:
    """Remove a call's contents from what was recorded: bodies, numbers, texts. That it was, stays."""
    from cordboard.cli.calls import forget_call
    from cordboard.cli.screen import Screen

    asyncio.run(forget_call(call_control_id, target, Screen(output)))


@letters.command("list", epilog="Example: cordboard dead-letters list --count 10")
@over_tls
def list_letters(
    *,
    count: Annotated[int, typer.Option(help="How many at most.", min=1)] = 50,
    target: Target = TARGET,
    output: Shown = Output.AUTO,
) -> None:
    """The latest first."""
    from cordboard.cli.letters import show_letters
    from cordboard.cli.screen import Screen

    asyncio.run(show_letters(count, target, Screen(output)))


@letters.command("show", epilog="Example: cordboard dead-letters show 3")
@over_tls
def show_letter(*, letter: Letter, target: Target = TARGET, output: Shown = Output.AUTO) -> None:
    """One of them, with what can be read of it."""
    from cordboard.cli.letters import show_one
    from cordboard.cli.screen import Screen

    asyncio.run(show_one(letter, target, Screen(output)))


@letters.command("replay", epilog="Example: cordboard dead-letters replay 3 4")
@over_tls
def replay_letters(
    *,
    letters: Annotated[list[str] | None, typer.Argument(metavar="LETTER", help="Their numbers.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that can be, and were not yet.")] = False,
    target: Target = TARGET,
    output: Shown = Output.AUTO,
) -> None:
    """Write some back to where they came from, the oldest first, to be judged by their calls as those are now."""
    from cordboard.cli.letters import replay
    from cordboard.cli.screen import Screen

    raise typer.Exit(asyncio.run(replay(letters or [], target, Screen(output), every=every)))
