"""`report.html`: the whole report on one page, which needs no network and no other file."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from analysis.charts.drawing.style import STYLE
from analysis.documents.captions import caption_of
from analysis.documents.description import facts, moment, sheets
from analysis.documents.findings import Findings
from analysis.documents.reproduction import caveat, commands
from analysis.documents.sheet import sheet
from analysis.documents.wording import conclusion, consequence, turned, undetected

WIDTH = slice(16, 20)  # "PNG Specification", third edition, 11.2.1: after the signature, and length and type of IHDR
SCREEN_DPI = 96  # of a CSS pixel, by definition
DPI: float = STYLE["figure.dpi"]
HERE = Path(__file__).parent


def page(findings: Findings) -> str:
    """The report as HTML. Its pictures come from the report directory, and its links to evidence lead there."""
    manifest, end = findings.manifest, findings.manifest.end
    assert end is not None
    script = (HERE / "report.js").read_text(encoding="utf-8")
    template = _templates(findings.directory).get_template("report.html.j2")
    return template.render(
        manifest=manifest,
        verdict=findings.verdict,
        conclusion=conclusion(findings.verdict),
        turned=turned(findings.verdict),
        undetected=undetected(findings.verdict),
        started=moment(manifest.started_at),
        summary=findings.summary,
        pictures=findings.details,
        tables=[sheet(name, caption_of(name), table.reset_index()) for name, table in findings.tables.items()],
        facts=list(facts(manifest, end)),
        parts=list(sheets(manifest, end)),
        commands=commands(manifest, findings.run),
        caveat=caveat(manifest),
        style=(HERE / "report.css").read_text(encoding="utf-8"),
        script=script,
        script_sha256=b64encode(sha256(script.encode()).digest()).decode(),
    )


def _templates(directory: Path) -> Environment:
    """Templates that escape every value and know the files of the report directory."""
    templates = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters["consequence"] = consequence
    templates.filters["foldable"] = _foldable
    templates.filters["png"] = lambda name: (directory / f"{name}.png").read_bytes()
    templates.filters["base64"] = lambda png: b64encode(png).decode()
    templates.filters["width"] = _width
    templates.tests["beside"] = lambda name: (directory / name).is_file()
    return templates


def _foldable(column: str) -> Markup:
    """The name of a column, with a possible line break after each word."""
    return Markup("_<wbr>").join(map(escape, column.split("_")))


def _width(png: bytes) -> int:
    """The shown width of a picture in CSS pixels, read from its header. At this width all texts have the same size."""
    pixels = int.from_bytes(png[WIDTH], "big")
    return round(pixels * SCREEN_DPI / DPI)
