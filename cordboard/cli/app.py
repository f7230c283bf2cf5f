"""The commands and their options. What a command needs is imported when it runs, so that --help comes at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cordboard.cli.backup import app as backup
from cordboard.cli.choices import Level, Output, Wait
from cordboard.cli.looking import app as looking
from cordboard.cli.operators import app as operators
from cordboard.cli.options import TARGET, Account, Host, Ready, Shown, Speed, Target, port
from cordboard.cli.ordering import app as ordering
from cordboard.cli.panels import CALLS, FIRST
from cordboard.cli.preparing import app as preparing
from cordboard.cli.roles import app as roles
from cordboard.cli.target import over_tls

# ruff: noqa: PLC0415 - imports wait for the command that needs them.

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from cordboard.build import VERSION

        typer.echo(f"cordboard {VERSION}")
        raise typer.Exit


@app.callback()
def program(
    *,
    token_file: Annotated[
        Path | None,
        typer.Option(
            envvar="CORDBOARD_TOKEN_FILE",
            help="The token to show to dispatchers; CORDBOARD_TOKEN may hold one instead.",
            metavar="FILE",
        ),
    ] = None,
    token_in_clear: Annotated[
        bool, typer.Option("--token-in-clear", help="Show it without TLS to others than this machine, too.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="Show it and end.", callback=_show_version)] = False,
) -> None:
    """A dispatcher for Telnyx Call Control: ordered, durable, at most once.

    `cordboard dev` is where to begin: everything in one process, with a stand-in for Telnyx. On a terminal all commands
    show text, into a pipe JSON lines. Exit status: 0 it came out right, 1 it did not, 2 what was asked for makes no
    sense, 3 nobody answered. docs/cli.md has each command with an example.
    """
    from cordboard.cli import tokens

    tokens.give(token_file, in_clear=token_in_clear)


SANDBOX = "http://127.0.0.1:8012"


@app.command(rich_help_panel=FIRST, epilog="Example: cordboard dev --demo")
def dev(  # noqa: PLR0913 - each is an option
    *,
    telnyx: Annotated[
        bool, typer.Option("--telnyx", help="The real API, by TELNYX_API_KEY and TELNYX_PUBLIC_KEY.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Run the demonstration first.")] = False,
    data: Annotated[Path, typer.Option(help="Where log and keys are kept.", metavar="DIR")] = Path(".cordboard"),
    host: Host = "127.0.0.1",
    port_grpc: Annotated[int, port("The gRPC door")] = 50051,
    port_ingress: Annotated[int, port("Webhooks")] = 8080,
    port_rest: Annotated[int, port("The REST door")] = 8081,
    port_operations: Annotated[int, port("Metrics and health")] = 9464,
    port_sandbox: Annotated[int, port("The sandbox")] = 8012,
    speed: Speed = 1.0,
    log_level: Annotated[Level, typer.Option(help="What is logged at least.")] = Level.WARNING,
    ready_file: Ready = None,
    output: Shown = Output.TEXT,
) -> None:
    """Everything in one process, with the sandbox for Telnyx. For development."""
    import os
    from random import SystemRandom

    from cordboard.cli.dev import Plan, checked
    from cordboard.cli.dev import dev as serve_all
    from cordboard.cli.running import run
    from cordboard.cli.screen import Screen
    from cordboard.clock import SystemClock

    plan = Plan(
        data=data,
        telnyx=telnyx,
        demo=demo,
        host=host,
        grpc_port=port_grpc,
        ingress_port=port_ingress,
        rest_port=port_rest,
        operations_port=port_operations,
        sandbox_port=port_sandbox,
        speed=speed,
        log_level=log_level,
        ready_file=ready_file,
    )
    checked(plan, os.environ)
    screen = Screen(output)
    raise typer.Exit(run(lambda stopping: serve_all(plan, stopping, SystemClock(), SystemRandom(), screen)))


app.add_typer(roles)
app.add_typer(ordering)
app.add_typer(operators)
app.add_typer(preparing)
app.add_typer(looking)
app.add_typer(backup)


@app.command(
    rich_help_panel=FIRST,
    epilog="Example: cordboard sandbox --speed 10 --webhook-url http://127.0.0.1:8080/webhooks/telnyx",
)
def sandbox(
    *,
    host: Host = "127.0.0.1",
    port: Annotated[int, port("The API and the sandbox's own routes")] = 8012,
    speed: Speed = 1.0,
    webhook_url: Annotated[str | None, typer.Option(help="Where webhooks go for calls that name no address.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same ids every time.")] = None,
    signing_key: Annotated[str | None, typer.Option(help="Base64 of an Ed25519 seed; else a new key.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Send no webhooks.")] = False,
    output: Shown = Output.TEXT,
) -> None:
    """The stand-in for Telnyx, alone."""
    from cordboard.cli.running import run
    from cordboard.cli.sandbox import serve_sandbox
    from cordboard.cli.screen import Screen
    from sandbox.settings import Settings

    settings = Settings(
        host=host, port=port, speed=speed, webhook_url=webhook_url, seed=seed, signing_key=signing_key, quiet=quiet
    )
    raise typer.Exit(run(lambda stopping: serve_sandbox(settings, stopping, Screen(output))))


@app.command(rich_help_panel=FIRST, epilog="Example: cordboard demo --target 127.0.0.1:50051")
@over_tls
def demo(
    *,
    target: Target = TARGET,
    sandbox: Annotated[str, typer.Option(help="The sandbox behind that dispatcher.", metavar="URL")] = SANDBOX,
    output: Shown = Output.TEXT,
) -> None:
    """A call from dial to hangup, a repeat, and numbers out of order. Exit status 0 only if all comes out right."""
    import asyncio

    from cordboard.cli.demo.play import play
    from cordboard.cli.screen import Screen

    raise typer.Exit(asyncio.run(play(target, sandbox, Screen(output))))


@app.command(
    rich_help_panel=CALLS,
    context_settings={"ignore_unknown_options": True},
    epilog="Example: cordboard send dial --to +12025550100 --from +12025550199 --connection-id demo --wait completion",
)
@over_tls
def send(  # noqa: PLR0913 - each is an option
    *,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="What to do, such as dial, speak, hangup.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CALL --FIELD VALUE",
            help="The call, unless it is a dial; then the action's fields, such as --payload or --sound.pitch.",
        ),
    ] = None,
    json: Annotated[str | None, typer.Option(help="The action's fields as a JSON object.", metavar="OBJECT")] = None,
    id: Annotated[str | None, typer.Option(help="The command's id; else a new one.")] = None,  # noqa: A002 - its name
    wait: Annotated[Wait, typer.Option(help="What to wait for.")] = Wait.RESULT,
    timeout: Annotated[str, typer.Option(help="How long to wait.", metavar="DURATION")] = "60s",
    expire: Annotated[str | None, typer.Option(help="Not to be sent after that.", metavar="DURATION")] = None,
    now: Annotated[bool, typer.Option("--now", help="Before all that waits, which is cancelled.")] = False,
    next: Annotated[bool, typer.Option("--next", help="Before all that waits.")] = False,  # noqa: A002 - its name
    sequence: Annotated[int, typer.Option(help="Its number within the call; 0: in order of arrival.", min=0)] = 0,
    after_completion: Annotated[
        bool, typer.Option("--after-completion", help="Not before what the previous one started is in effect.")
    ] = False,
    requires: Annotated[str, typer.Option(help="A command that must have succeeded.", metavar="ID")] = "",
    group: Annotated[str, typer.Option(help="A name for cancelling many at once.")] = "",
    account: Account = "",
    client_state: Annotated[str, typer.Option(help="In Base64; comes back with every later event.")] = "",
    sensitive: Annotated[bool, typer.Option("--sensitive", help="Mask texts and digits wherever people look.")] = False,
    target: Target = TARGET,
    output: Shown = Output.AUTO,
) -> None:
    """Send one command, and show what becomes of it.

    An action, or a field of one, that is not there is answered with all that are: so `cordboard send help` lists the
    actions, and `cordboard send speak CALL --help-me` what may be said of speak.
    """
    import asyncio
    from random import SystemRandom

    from cordboard.cli.durations import milliseconds
    from cordboard.cli.screen import Screen
    from cordboard.cli.send import Order, command_of
    from cordboard.cli.send import send as send_command
    from cordboard.clock import SystemClock

    order = Order(
        action=action,
        words=tuple(words or ()),
        body=json,
        command_id=id,
        account=account,
        group=group,
        expire=expire,
        now=now,
        next=next,
        sequence=sequence,
        after_completion=after_completion,
        requires=requires,
        client_state=client_state,
        sensitive=sensitive,
    )
    command = command_of(order, SystemClock(), SystemRandom())
    wait_ms = milliseconds(timeout, "--timeout")
    raise typer.Exit(asyncio.run(send_command(command, target, wait, wait_ms, Screen(output))))


@app.command(rich_help_panel=CALLS, epilog="Example: cordboard watch --kind results,events")
@over_tls
def watch(
    *,
    call: Annotated[str, typer.Option(help="Only this call.")] = "",
    account: Account = "",
    kind: Annotated[str, typer.Option(help="Some of results, completions, events, with commas; else all.")] = "",
    cursor: Annotated[str, typer.Option(help="Go on after this; as JSON, each line has its own.")] = "",
    count: Annotated[int | None, typer.Option(help="End after so many.", min=1)] = None,
    target: Target = TARGET,
    output: Shown = Output.AUTO,
) -> None:
    """Results, completions and events as they happen. Outlives a restart of the dispatcher."""
    import asyncio
    import contextlib

    from cordboard.cli.screen import Screen
    from cordboard.cli.watch import kinds_of
    from cordboard.cli.watch import watch as watch_all
    from cordboard.v1 import WatchRequest

    request = WatchRequest(account=account, call_control_id=call, kinds=kinds_of(kind), cursor=cursor)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch_all(request, target, Screen(output), count))
