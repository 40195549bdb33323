"""Web pages: what a reader of the page reads, as Markdown; menus, scripts and what is hidden is left out."""

from markdownify import ATX, markdownify
from selectolax.lexbor import LexborHTMLParser

from agent.knowledge.document import Part, Reading
from agent.knowledge.readers.text import decode

LEFT_OUT = (
    "script,style,noscript,template,iframe,svg,nav,header nav,footer,aside,form,button,[hidden],[aria-hidden=true],"
    '[role=navigation],[role=banner],[role=contentinfo],[style*="display:none"],[style*="display: none"]'
)


def read(data: bytes, suffix: str) -> Reading:
    """The main part of the page where it names one, else its body."""
    page = LexborHTMLParser(decode(data))
    title = page.css_first("title")
    link = page.css_first('link[rel="canonical"]')
    for node in page.css(LEFT_OUT):
        node.decompose()
    body = page.css_first("main") or page.css_first("article") or page.body
    html = (body.html or "") if body else ""
    text = markdownify(
        html,
        heading_style=ATX,
        bullets="-",
        strip=["a", "img"],
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
    )
    url = (link.attributes.get("href") or "") if link else ""
    return Reading(title.text(strip=True) if title else "", (Part(text),), url)
