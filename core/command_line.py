"""What an operator reads when a command is misused or helped, in French: Typer speaks English of itself."""

import re
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer import rich_utils
from typer._click.core import Command
from typer._click.exceptions import ClickException, NoArgsIsHelpError, UsageError

from core.errors import DomainError

PROGRAM = "./repere"
_PANELS = {
    "ARGUMENTS_PANEL_TITLE": "Arguments",
    "OPTIONS_PANEL_TITLE": "Options",
    "COMMANDS_PANEL_TITLE": "Commandes",
    "ERRORS_PANEL_TITLE": "Erreur",
    "DEFAULT_STRING": "[par défaut\u00a0: {}]",
    "ENVVAR_STRING": "[variable\u00a0: {}]",
    "REQUIRED_LONG_STRING": "[obligatoire]",
    "ABORTED_TEXT": "Interrompu.",
}
_SENTENCES = [
    (r"No such command '(.+?)'\.", r"La commande «\u00a0\1\u00a0» est inconnue."),
    (r"No such option: (\S+)", r"L’option \1 est inconnue."),
    (r"\(Possible options: (.+)\)", r"Vouliez-vous dire \1\u00a0?"),
    (r"Did you mean (.+?)\?", r"Vouliez-vous dire \1\u00a0?"),
    (r"Missing command\.", "Il manque une commande."),
    (r"Missing argument '(.+?)'\.", r"Il manque l’argument \1."),
    (r"Missing option '(.+?)'\.", r"Il manque l’option \1."),
    (r"Invalid value for (.+?): ", r"Valeur refusée pour \1\u00a0: "),
    (r"Invalid value: ", "Valeur refusée\u00a0: "),
    (r"Got unexpected extra argument\(s\) \((.+)\)", r"Arguments en trop\u00a0: \1."),
    (r"Option '(\S+)' requires an argument\.", r"L’option \1 attend une valeur."),
    (r"Option '(\S+)' does not take a value\.", r"L’option \1 n’attend pas de valeur."),
    (r"(?:File|Path) '(.+?)' does not exist\.", r"le fichier «\u00a0\1\u00a0» n’existe pas."),
    (r"Directory '(.+?)' does not exist\.", r"le dossier «\u00a0\1\u00a0» n’existe pas."),
    (r"\w+ '(.+?)' is a file\.", r"«\u00a0\1\u00a0» est un fichier, un dossier est attendu."),
    (r"\w+ '(.+?)' is a directory\.", r"«\u00a0\1\u00a0» est un dossier, un fichier est attendu."),
    (r"\w+ '(.+?)' is not (?:readable|writable)\.", r"vous n’avez pas accès à «\u00a0\1\u00a0»."),
    (r"[Ii]nput should be a valid integer.*", "un nombre entier est attendu."),
    (r"[Ii]nput should be a valid number.*", "un nombre est attendu."),
    (r"[Ii]nput should be greater than or equal to (\S+)", r"la valeur doit être au moins \1."),
    (r"[Ii]nput should be less than or equal to (\S+)", r"la valeur doit être au plus \1."),
    (r"'(.+?)' is not one of (.+)\.", r"«\u00a0\1\u00a0» n’est pas l’une des valeurs \2."),
]
_COMPILED = [(re.compile(pattern), replacement.replace(r"\u00a0", "\u00a0")) for pattern, replacement in _SENTENCES]


def in_french(message: str) -> str:
    """Return Typer's sentence in French; one that is not known stays as it is."""
    for pattern, replacement in _COMPILED:
        message = pattern.sub(replacement, message)
    return message


def speak_french() -> None:
    """Give the help pages their French titles, for every command of the process."""
    for name, text in _PANELS.items():
        setattr(rich_utils, name, text)
    own = Command.get_help_option

    def get_help_option(self: Command, ctx: Any) -> Any:
        option = own(self, ctx)
        if option is not None:
            option.help = "Affiche cette aide."
        return option

    setattr(Command, "get_help_option", get_help_option)  # noqa: B010 - mypy refuses a plain assignment


def run(cli: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return 0, 1 when a rule of the domain was not met, 2 on bad use, 130 on Ctrl-C."""
    speak_french()
    command = typer.main.get_command(cli)
    try:
        result = command.main(
            args=list(arguments) if arguments is not None else None, prog_name=PROGRAM, standalone_mode=False
        )
    except NoArgsIsHelpError as error:
        error.show()
        return 2
    except UsageError as error:
        _complain(in_french(error.format_message()))
        path = error.ctx.command_path if error.ctx else PROGRAM
        print(f"Aide\u00a0: {path} --help", file=sys.stderr)
        return 2
    except ClickException as error:
        _complain(in_french(error.format_message()))
        return 1
    except DomainError as error:
        _complain(error.detail)
        for field, message in error.fields.items():
            print(f"  {field}\u00a0: {message}", file=sys.stderr)
        return 1
    except (typer.Abort, KeyboardInterrupt):
        _complain("Interrompu.")
        return 130
    except BrokenPipeError:
        return 141
    return result if isinstance(result, int) else 0


def _complain(sentence: str) -> None:
    typer.secho(sentence, err=True, fg="red" if sys.stderr.isatty() else None)
