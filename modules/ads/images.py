"""Photos of ads: decoded within bounds, turned upright, made smaller, written again without what a camera adds."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageCms, ImageOps

from core.errors import InvalidInput

MOST_PIXELS: Final = 50_000_000
"""Of a photo as it is sent: telephones make 12 to 50 million, a bomb billions."""
LONGEST_SIDE: Final = 2000
THUMB: Final = (480, 360)
_QUALITY: Final = 82
_UNREADABLE: Final = "Cette photo est illisible ou incomplète : enregistrez-la de nouveau en JPEG ou en PNG."

_HUGE: Final = "Cette photo a trop de pixels : réduisez-la, par exemple à 4000 × 3000."


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is kept: its content, that of its small picture, its size in pixels."""

    content: bytes
    thumb: bytes
    width: int
    height: int


def photo(content: bytes) -> Photo:
    """Make of a JPEG or a PNG the photo that is kept; blocking, so call it in a thread from a page.

    Raises:
        InvalidInput: it cannot be decoded, or has too many pixels; says so in French.
    """
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise InvalidInput(_HUGE)
            # JPEG can be decoded at a half, a quarter or an eighth: a large photo costs no more than a small one.
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(opened)
            seen = _plain(upright)
    except InvalidInput:
        raise
    except Image.DecompressionBombError as error:
        raise InvalidInput(_HUGE) from error
    # Pillow's decoders raise many kinds of errors on what they cannot read.
    except Exception as error:
        raise InvalidInput(_UNREADABLE) from error
    seen.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    small = seen.copy()
    small.thumbnail(THUMB, Image.Resampling.LANCZOS)
    return Photo(_written(seen), _written(small), seen.width, seen.height)


def _plain(image: Image.Image) -> Image.Image:
    """Return the picture in the colours of screens, over white where it is transparent."""
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        under = Image.new("RGBA", clear.size, "white")
        image = Image.alpha_composite(under, clear)
    elif image.mode.startswith("I;16"):
        # Sixteen bits of grey: Pillow cuts them off instead of scaling them.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            changed = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            image = changed or image
        except (ImageCms.PyCMSError, OSError):
            # A profile that says nothing usable: the colours stay as they are.
            pass
    plain = image.convert("RGB")
    # Nothing of the file goes along: neither place, nor camera, nor comment.
    return Image.frombytes("RGB", plain.size, plain.tobytes())


def _written(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return out.getvalue()
