"""`proxy-guard scrub`: files without what a policy finds in them, in another folder."""

from __future__ import annotations

import io
import json
import mimetypes
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import anyio
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from proxy_guard.errors import ProxyGuardError
from proxy_guard.guard import Guard
from proxy_guard.media import Redacted
from proxy_guard.media.asked import Refused

_REFUSED = 3
"""The exit code where a file could not be made clean."""
Result = Redacted | Refused


def scrub(
    files: Sequence[Path], output: Path, rules: Path | None, policy: str | None, preview: bool, as_json: bool
) -> None:
    """Writes each file that can be made clean into `output`, and tells what was found where."""
    _check(files, output)
    guard = Guard.from_rules(rules, policy=policy)
    results = anyio.run(_scrubbed, guard, files, output, preview)
    if as_json:
        typer.echo(json.dumps([_shown(file, result) for file, result in results], ensure_ascii=False))
    else:
        _table(results)
    if any(isinstance(result, Refused) for _, result in results):
        raise typer.Exit(_REFUSED)


def _check(files: Sequence[Path], output: Path) -> None:
    """Raises ProxyGuardError for what can't be read, or would write one file over another."""
    twice = [name for name, count in Counter(file.name for file in files).items() if count > 1]
    if twice:
        raise ProxyGuardError(f"several files are named {twice[0]}, and would be one in {output}")
    for file in files:
        if not file.is_file():
            raise ProxyGuardError(f"{file} is no file")
        if (output / file.name).exists():
            raise ProxyGuardError(f"{output / file.name} is there already")
    output.mkdir(parents=True, exist_ok=True)


async def _scrubbed(guard: Guard, files: Sequence[Path], output: Path, preview: bool) -> list[tuple[Path, Result]]:
    results: list[tuple[Path, Result]] = []
    errors = Console(stderr=True)
    for file in track(files, "Scrubbing", console=errors, transient=True, disable=not errors.is_terminal):
        data = file.read_bytes()
        result = await guard.media.one(data, mimetypes.guess_type(file.name)[0] or "")
        results.append((file, result))
        if isinstance(result, Redacted):
            (output / file.name).write_bytes(result.data)
            if preview and result.media_type.startswith("image/"):
                (output / f"{file.name}.preview.png").write_bytes(side_by_side(data, result.data))
    await guard.aclose()
    return results


def side_by_side(before: bytes, after: bytes) -> bytes:
    """A PNG of two pictures next to each other; of one with several frames the first."""
    from PIL import Image, ImageOps

    pictures = [ImageOps.exif_transpose(Image.open(io.BytesIO(each))).convert("RGB") for each in (before, after)]
    width = sum(picture.width for picture in pictures)
    both = Image.new("RGB", (width + 10, max(picture.height for picture in pictures)), "white")
    both.paste(pictures[0], (0, 0))
    both.paste(pictures[1], (pictures[0].width + 10, 0))
    out = io.BytesIO()
    both.save(out, "PNG")
    return out.getvalue()


def _shown(file: Path, result: Result) -> dict[str, Any]:
    if isinstance(result, Refused):
        return {"file": str(file), "action": "block", "cause": result.cause, "reason": result.why, "findings": []}
    findings = [
        {"entity": each.entity, "score": each.score, "page": each.page, "box": each.box, "where": each.where}
        for each in result.findings
    ]
    action = "rewrite" if result.changed else "allow"
    return {"file": str(file), "action": action, "media_type": result.media_type, "findings": findings}


def _table(results: Iterable[tuple[Path, Result]]) -> None:
    table = Table("file", "what became of it", "entity", "where", "count")
    for file, result in results:
        if isinstance(result, Refused):
            table.add_row(str(file), f"refused: {result.why}", "", "", "")
            continue
        became = "scrubbed" if result.changed else "as it came"
        counts = Counter((each.entity, each.where or f"page {each.page + 1}") for each in result.findings)
        if not counts:
            table.add_row(str(file), became, "", "", "")
        for number, ((entity, where), count) in enumerate(sorted(counts.items())):
            table.add_row(*([str(file), became] if number == 0 else ["", ""]), entity, where, str(count))
    Console().print(table)
