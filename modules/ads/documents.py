"""PDF of ads: read whole, refused when they act by themselves, written again without what their maker added."""

from io import BytesIO
from typing import Any, Final

import pikepdf

from core.errors import InvalidInput

MOST_PAGES: Final = 50
MOST_OBJECTS: Final = 100_000
_DEEPEST: Final = 40
_ACTIVE: Final = frozenset({"/JS", "/JavaScript", "/Launch", "/XFA", "/RichMedia", "/EF", "/EmbeddedFiles", "/3D"})
"""Names under which a PDF keeps programs, commands, forms that compute, and files."""
_ACTIONS: Final = frozenset({"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/Rendition", "/Movie"})
"""What a PDF may do when it is opened or clicked, beyond going to a page or an address."""
_UNREADABLE: Final = "Ce PDF est illisible ou incomplet : enregistrez-le de nouveau, puis ajoutez-le."
_LOCKED: Final = "Ce PDF est protégé par un mot de passe : ajoutez-en une copie qui ne l’est pas."
_LIVING: Final = (
    "Ce PDF contient un programme, un formulaire actif ou un fichier joint : il est refusé par sécurité. "
    "Imprimez-le vers un nouveau PDF, puis ajoutez celui-ci."
)
_LONG: Final = f"Ce PDF est trop long ({MOST_PAGES} pages au plus)."


def document(content: bytes) -> bytes:
    """Return the PDF that is kept, written anew; blocking, so call it in a thread from a page.

    Raises:
        InvalidInput: it cannot be read, is locked, too long, or acts by itself; says so in French.
    """
    try:
        # Bytes that stand before or after a PDF may be another thing for another reader.
        with pikepdf.open(BytesIO(content), suppress_warnings=True) as pdf:
            if not len(pdf.pages):
                raise InvalidInput(_UNREADABLE)
            if len(pdf.pages) > MOST_PAGES or len(pdf.objects) > MOST_OBJECTS:
                raise InvalidInput(_LONG)
            if any(_acts(thing, 0) for thing in pdf.objects):
                raise InvalidInput(_LIVING)
            for name in ("/Metadata", "/OpenAction", "/AA"):
                if name in pdf.Root:
                    del pdf.Root[name]
            if "/Info" in pdf.trailer:
                del pdf.trailer["/Info"]
            out = BytesIO()
            pdf.save(out, encryption=False, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    except InvalidInput:
        raise
    except pikepdf.PasswordError as error:
        raise InvalidInput(_LOCKED) from error
    except (pikepdf.PdfError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        raise InvalidInput(_UNREADABLE) from error
    return out.getvalue()


def _acts(thing: Any, depth: int) -> bool:
    """Tell whether an object, with those written inside it, holds an action or a file; others are met in their turn."""
    if depth > _DEEPEST:
        return True
    if isinstance(thing, pikepdf.Array):
        return any(_acts(one, depth + 1) for one in thing if not _elsewhere(one))
    if not isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        return False
    for name in thing.keys():  # noqa: SIM118 - iterating over a stream is not iterating over its dictionary
        value = thing.get(name)
        if name in _ACTIVE or (name == "/S" and isinstance(value, pikepdf.Name) and str(value) in _ACTIONS):
            return True
        if name == "/Type" and isinstance(value, pikepdf.Name) and str(value) == "/EmbeddedFile":
            return True
        if not _elsewhere(value) and _acts(value, depth + 1):
            return True
    return False


def _elsewhere(thing: Any) -> bool:
    return bool(getattr(thing, "is_indirect", False))
