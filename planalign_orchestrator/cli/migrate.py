"""`planalign migrate`: a configuration and the files of the legacy runner, made fit for this program."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign_orchestrator.cli.options import JsonOption, VerboseOption, as_path
from planalign_orchestrator.cli.output import note, show, show_json
from planalign_orchestrator.errors import ConfigurationError, PlanAlignError

if TYPE_CHECKING:
    from planalign_orchestrator.migration.draft import Outcome
    from planalign_orchestrator.migration.translation import Translation


def config(
    old: Annotated[
        Path, typer.Argument(help="Configuration of the legacy runner.", show_default=False, parser=as_path)
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the translation to this file.",
            show_default=False,
            parser=as_path,
            metavar="<path>",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the output file if it exists.")] = False,
    census: Annotated[
        Path | None,
        typer.Option(
            "--census",
            help="Census file, instead of the one it names.",
            show_default=False,
            parser=as_path,
            metavar="<path>",
        ),
    ] = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Translate a configuration of the legacy runner, and say what became of every key.

    Only what is certain is translated. A key or value that is not stops it: nothing is written, the exit code is 2.
    Without --output it only reports. The census path of the old file counts from the working directory.
    """
    if output is not None:
        _check_output(old, output, force=force)
    from planalign_orchestrator.migration.translation import translate

    translation = translate(old, census)
    written = output if not translation.problems else None
    if written is not None:
        _write(translation, written)
    if as_json:
        show_json({**translation.to_dict(), "written": written and str(written)})
    else:
        show("\n".join(line for outcome in translation.outcomes for line in _paragraph(outcome)))
        show("\n" + "\n".join(_closing_lines(translation, written)))
    if translation.problems:
        raise ConfigurationError(translation.problems)


def checkpoints(
    directory: Annotated[
        Path,
        typer.Option("--directory", help="Folder of the checkpoint copies.", parser=as_path, metavar="<path>"),
    ] = Path(".navigator_checkpoints"),
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Move stale checkpoint files, such as the legacy runner's, into a subfolder; the database is not touched."""
    from planalign_orchestrator.migration import MigrationManager

    result = MigrationManager(directory).migrate_checkpoints()
    if as_json:
        show_json({"success": result.success, "error": result.error, "completed_steps": result.completed_steps})
    else:
        show("\n".join(result.completed_steps))
    if not result.success:
        raise PlanAlignError(f"stopped: {result.error}; nothing was lost, run the command again after correcting it")


def _check_output(old: Path, output: Path, *, force: bool) -> None:
    """Refuse an output where something would be lost. A configuration is people's work, so none is ours to replace."""
    from planalign_orchestrator.files.replacing import OutputKind, check_replaceable

    if output.suffix.lower() not in (".yaml", ".yml"):
        raise typer.BadParameter(f"{output}: a configuration has the ending .yaml or .yml", param_hint="--output")
    kind = OutputKind("a translated configuration", lambda _: False, is_configuration=True)
    check_replaceable(output, kind, force=force, protected={old: "the file to translate"})


def _write(translation: "Translation", output: Path) -> None:
    from planalign_orchestrator.files.atomic import write_atomically
    from planalign_orchestrator.migration.writing import yaml_text

    write_atomically(output, yaml_text(translation, output.parent))


def _paragraph(item: "Outcome") -> list[str]:
    """What became of a key, in lines that fit a terminal."""
    from planalign_orchestrator.api.text import WIDTH, wrapped
    from planalign_orchestrator.escaping import visible_line

    indent, room = " " * 6, WIDTH - 6
    value, said = visible_line(item.value), wrapped(f"{_became(item)}. {visible_line(item.note)}", room)
    whole = f"{item.key} = {value}"
    first, *others = [whole] if len(whole) <= room else [f"{item.key} =", *wrapped(value, room)]
    return [f"{item.line:>4}  {first}", *(indent + line for line in [*others, *said])]


def _became(outcome: "Outcome") -> str:
    new = ", ".join(outcome.new_keys)
    words = {"renamed": f"renamed to {new}", "merged": f"merged into {new}"}
    if outcome.action == "dropped" and outcome.differs:
        return "dropped, results may differ"
    return words.get(outcome.action, outcome.action)


def _closing_lines(translation: "Translation", written: Path | None) -> list[str]:
    counts: dict[str, int] = {}
    for outcome in translation.outcomes:
        counts[outcome.action] = counts.get(outcome.action, 0) + 1
    lines = [", ".join(f"{count} {action}" for action, count in counts.items()) or "The file states nothing."]
    differing = sum(outcome.differs for outcome in translation.outcomes)
    if differing:
        lines.append(f"{differing} dropped values have no equivalent: results may differ without them.")
    lines += translation.notes
    if written is not None:
        lines.append(f"Written: {written}. Go on with: planalign validate -c {written}")
    elif translation.problems:
        note("Nothing was written.")
    else:
        lines.append("Nothing was written; -o NEW.yaml writes the translation.")
    return lines
