"""The commands. Each imports what it needs when it runs, so that `--help` answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    name="proxy-guard",
    help="Keeps personal data out of chat APIs: inline, on the wire, by rules that a security team edits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Rules = Annotated[Path | None, typer.Option("--rules", help="Folder of rule files; without it, the shipped rules.")]
Policy = Annotated[str | None, typer.Option("--policy", help="A policy for all traffic, in place of the routes' own.")]
Folder = Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Folder of rule files; else the shipped rules.")]
Json = Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output.")]


@app.command()
def run(
    upstream: Annotated[str, typer.Option("--upstream", help="The chat API: http(s)://host[:port].")],
    rules: Rules = None,
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT.")] = "127.0.0.1:8080",
    policy: Policy = None,
    door: Annotated[
        Literal["mitmproxy", "asgi"],
        typer.Option("--door", help="What serves: mitmproxy with the addon, or uvicorn with the middleware."),
    ] = "mitmproxy",
) -> None:
    """Run the sidecar in front of a chat API: a reverse proxy."""
    from proxy_guard.cli import run as command

    command.run(upstream, rules, listen, policy, door)


@app.command()
def apply(
    url: Annotated[str, typer.Option("--url", help="The URL of the request, which decides what rules apply.")],
    rules: Rules = None,
    policy: Policy = None,
    method: Annotated[str, typer.Option("--method", help="The method of the request.")] = "POST",
    response: Annotated[bool, typer.Option("--response", help="Standard input is the body of a response.")] = False,
    header: Annotated[
        list[str] | None, typer.Option("--header", help="A header of the message, as `Name: value`.")
    ] = None,
) -> None:
    """Put one message (its body on standard input) through the guard, and show the verdict as JSON."""
    from proxy_guard.cli import apply as command

    command.apply(url, rules, policy, method, response, header or [])


@app.command()
def detect(
    profile: Annotated[str, typer.Option("--profile", help="proxy-guard or presidio.")] = "proxy-guard",
    entities: Annotated[
        str | None, typer.Option("--entities", help="Names, separated by commas; else those on by default.")
    ] = None,
    language: Annotated[str, typer.Option("--language")] = "en",
    min_score: Annotated[float | None, typer.Option("--min-score", min=0, max=1)] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="For names: a spaCy package or path, stanza:en, transformers:NAME.")
    ] = None,
    phone_regions: Annotated[
        str | None,
        typer.Option("--phone-regions", help="Where numbers without a country code may be from; else IN,US,GB."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="Folder of rule files, whose custom recognizers take part.")
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Each line in is a JSON string; each line out its findings.")
    ] = False,
) -> None:
    """Show what the local engine finds in a text on standard input."""
    from proxy_guard.cli import detect as command

    command.detect(profile, entities, language, min_score, model, jsonl, rules, phone_regions)


@app.command()
def scrub(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures, documents, texts.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the clean files go.")],
    rules: Rules = None,
    policy: Policy = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="For each picture one of before and after, too: it shows what was found.")
    ] = False,
    json: Json = False,
) -> None:
    """Write files without what the policy finds in them, and show what was found where."""
    from proxy_guard.cli import scrub as command

    command.scrub(files, output, rules, policy, preview, json)


@app.command()
def lint(folder: Folder = None, json: Json = False) -> None:
    """Check rule files; every mistake with file, line, column and a hint."""
    from proxy_guard.cli import rules as command

    command.lint(folder, json)


@app.command()
def test(folder: Folder = None, json: Json = False) -> None:
    """Run the proofs that lie beside rule files (NAME.test.yaml), and tell which files have none."""
    from proxy_guard.cli import rules as command

    command.test(folder, json)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Lay the starter rules down in a folder, for editing."""
    from proxy_guard.cli import rules as command

    command.init(folder)


@app.command("addon-path")
def addon_path() -> None:
    """Print the file that `mitmdump -s` wants."""
    from proxy_guard import resources

    typer.echo(resources.addon_path())


@app.command()
def demo(
    security_api: Annotated[
        bool, typer.Option("--security-api", help="With an organisation's own Security API, and references.")
    ] = False,
) -> None:
    """See it work: a chat server, the sidecar before it, and a few chats through both."""
    from proxy_guard.cli import demo as command

    command.demo(security_api)


vaults = typer.Typer(help="The vaults of guard.yaml: what they hold, erasure, keys.", no_args_is_help=True)
app.add_typer(vaults, name="vault")
Vault = Annotated[str | None, typer.Option("--vault", help="The vault's name; else all that outlive the guard.")]
RulesOfVault = Annotated[
    Path | None, typer.Option("--rules", help="Folder of rule files, whose guard.yaml names them.")
]


@vaults.command("list")
def vault_list(rules: RulesOfVault = None, json: Json = False) -> None:
    """List the vaults, their kinds, files and keys."""
    from proxy_guard.cli import vault as command

    command.show(rules, json)


@vaults.command("stats")
def vault_stats(rules: RulesOfVault = None, vault: Vault = None, json: Json = False) -> None:
    """Count what they hold, by entity and by key."""
    from proxy_guard.cli import vault as command

    command.stats(rules, vault, json)


@vaults.command("forget")
def vault_forget(
    value: Annotated[
        str | None,
        typer.Argument(metavar="[VALUE]", help="Without it: a prompt, or one on each line of standard input."),
    ] = None,
    rules: RulesOfVault = None,
    vault: Vault = None,
    entity: Annotated[str | None, typer.Option("--entity", help="Only as this entity.")] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="Only in this account or conversation.")] = None,
    json: Json = False,
) -> None:
    """Erase a value and its pseudonyms, which then resolve no more."""
    from proxy_guard.cli import vault as command

    command.forget(value, rules, vault, entity, scope, json)


@vaults.command("expire")
def vault_expire(rules: RulesOfVault = None, vault: Vault = None, json: Json = False) -> None:
    """Erase what has expired."""
    from proxy_guard.cli import vault as command

    command.expire(rules, vault, json)


@vaults.command("rotate")
def vault_rotate(rules: RulesOfVault = None, vault: Vault = None, json: Json = False) -> None:
    """Put everything under the current key; if it is ended, start it again."""
    from proxy_guard.cli import vault as command

    command.rotate(rules, vault, json)


@app.command("security-api")
def security_api(
    rules: Rules = None,
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT.")] = "127.0.0.1:8090",
    policy: Policy = None,
    token: Annotated[
        str | None, typer.Option("--token", help="What clients have to show: ${env:NAME} or ${file:PATH}.")
    ] = None,
) -> None:
    """Run the reference Security API: the local engine, as an endpoint that guards and LiteLLM can ask."""
    from proxy_guard.cli import security_api as command

    command.serve(rules, listen, policy, token)


connection = typer.Typer(no_args_is_help=True, help="Look at connections to remote APIs, and try them.")
app.add_typer(connection, name="connection")


@connection.command("list")
def connection_list(rules: Rules = None, json: Json = False) -> None:
    """Show the connections that there are."""
    from proxy_guard.cli import connection as command

    command.list_(rules, json)


@connection.command("test")
def connection_test(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connection.")],
    rules: Rules = None,
    reference: Annotated[str | None, typer.Option("--reference", help="The reference to look up.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="The text to judge; for a store, the value.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="The file to judge.")] = None,
    json: Json = False,
) -> None:
    """Make one call: the request as sent, the answer, the time, and what was taken from it."""
    from proxy_guard.cli import connection as command

    command.test(name, rules, reference, text, file, json)
