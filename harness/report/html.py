"""A report as one HTML file without scripts, with its plots inside."""

from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from harness.report.blocks import Document

__all__ = ["to_html"]


def to_html(document: Document) -> str:
    """The document as a page of its own: every text is escaped, and nothing is fetched."""
    source = files("harness.report").joinpath("report.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["kind"] = lambda block: type(block).__name__
    # The plots are drawn by us from numbers, and their texts were escaped where they were drawn.
    environment.filters["drawn"] = lambda svg: Markup(svg)
    return environment.from_string(source).render(report=document)
