"""PDF files read with Poppler, as the tests of every package read them."""

import re
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PdfFile:
    """What Poppler says of a document."""

    text: str
    info: dict[str, str]
    structure: bytes
    raw: bytes

    @property
    def pages(self) -> int:
        return int(self.info["Pages"])

    @property
    def words(self) -> str:
        """The text without any space or line end: a name that was cut at the end of a line is found whole."""
        return re.sub(r"\s+", "", self.text)

    @property
    def elements(self) -> set[str]:
        """Kinds of elements of the structure tree."""
        return set(re.findall(r"^ *([A-Z]\w*)", self.structure.decode(errors="replace"), re.MULTILINE))

    @property
    def objects(self) -> bytes:
        """Everything in the file, uncompressed: structure, alternative texts, metadata."""
        streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", self.raw, re.DOTALL)
        return self.raw + b"".join(_inflated(stream) for stream in streams)

    def describes(self, text: str) -> bool:
        """Tell whether the text stands in the file outside of its pages, in a form that PDF strings have."""
        wide = text.encode("utf-16-be")
        return any(form in self.objects for form in (wide, wide.hex().upper().encode(), text.encode()))

    def says(self, text: str) -> bool:
        return re.sub(r"\s+", "", text) in self.words


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def read(content: bytes, folder: Path) -> PdfFile:
    """Read a document, and check what every document of ours must be: tagged, in French, titled, without script."""
    path = folder / "document.pdf"
    path.write_bytes(content)

    def run(*command: str) -> bytes:
        return subprocess.run([*command], capture_output=True, check=True, timeout=60).stdout

    lines = (line.partition(":") for line in run("pdfinfo", str(path)).decode().splitlines())
    found = PdfFile(
        text=run("pdftotext", "-raw", str(path), "-").decode(),
        info={name.strip(): value.strip() for name, _, value in lines},
        structure=run("pdfinfo", "-struct", str(path)),
        raw=content,
    )
    assert found.info["Tagged"] == "yes"
    assert found.info["JavaScript"] == "no"
    assert found.info["Title"]
    assert b"/Lang(fr-FR)" in content
    assert b"pdfuaid" in content
    return found


def right_edge(path: Path) -> float:
    """Return how far to the right the words of a document go, in points."""
    found = subprocess.run(["pdftotext", "-bbox", str(path), "-"], capture_output=True, check=True, timeout=60)
    return max(float(edge) for edge in re.findall(r'xMax="([\d.]+)"', found.stdout.decode()))
