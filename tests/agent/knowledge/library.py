"""Documents for tests."""

from agent.knowledge.catalogue import Known
from agent.knowledge.chunks import document
from agent.knowledge.document import Document, Part, Reading

SHIPPING = "# 配送说明\n\n标准配送需要三到五个工作日，偏远地区另加两天。\n\n满九十九元免运费，否则运费为八元。\n"
REFUNDS = "# 退货政策\n\n收到商品后七天内可以无理由退货，退款在仓库验收后四十八小时内原路返回。\n"
MEMBERS = "# 会员日\n\n会员日是每个月的第十七天，全场积分翻倍。\n"
SHELF = {"shipping": SHIPPING, "refunds": REFUNDS, "members": MEMBERS}


def made(name: str, text: str) -> tuple[Known, Document]:
    """A document as the archive takes it."""
    one = document(name, f"{name}.md", Reading("", (Part(text),)), name)
    return Known(name, one.source, "read", one.title, "digest", len(text), 1.0, watched=False), one
