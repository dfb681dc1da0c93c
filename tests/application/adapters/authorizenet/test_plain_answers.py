"""An answer in the gateway's own form is read without a tree, and exactly as its tree would be."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from application.adapters.authorizenet.answers import parse, root_of, said, said_plainly
from tests.application.adapters.authorizenet.wire import APPROVED

NAMES = ("a", "refId", "messages", "message", "code", "transactionResponse", "errors", "error", "errorCode")
TEXTS = (
    "0",
    "1",
    "17",
    " 2 ",
    " ",
    "\n",
    "\n3",
    "x",
    "",
    "/",
    "&amp;",
    "&#49;",
    "é",
    "<!-- 3 -->",
    "<![CDATA[4]]>",
    "<?p 5?>",
)
PIECES = (
    *TEXTS,
    *(f"<{name}>" for name in NAMES),
    *(f"</{name}>" for name in NAMES),
    *("<a/>", '<a x="1">', "<a x='>'>", "<a x='<'>", "<a x=\"1\" x='2'>", '<p:a xmlns:p="u">', "<p:a>", "</p:a>"),
    *('<a xmlns="u">', "</>", "<>", "]]>", ">", "<", "&e;", "\n", "\x00", "\x7f", "\ufffe", "\ufeff"),
    *("<!--", "-->", "<![CDATA[", "<?", "?>", "<!DOCTYPE a>", "<!DOCTYPE a ["),
    *('<?xml version="1.0" encoding="utf-8"?>', '<?xml version="1.0" encoding="utf-7"?>'),
)
ANSWER = APPROVED


@st.composite
def nested(draw: st.DrawFn, depth: int = 4) -> str:
    """Well-formed pieces, most of them plain."""
    name = draw(st.sampled_from(NAMES))
    if depth == 0 or draw(st.booleans()):
        return f"<{name}>{''.join(draw(st.lists(st.sampled_from(TEXTS), max_size=3)))}</{name}>"
    return f"<{name}>{''.join(draw(st.lists(nested(depth - 1), max_size=4)))}</{name}>"


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """An answer with pieces put in and cut out anywhere."""
    text = draw(st.sampled_from([ANSWER]) | nested())
    for _ in range(draw(st.integers(0, 3))):
        at, cut = draw(st.integers(0, len(text))), draw(st.integers(0, 3))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + cut :]
    return text


@given(text=damaged() | nested() | st.lists(st.sampled_from(PIECES)).map("".join))
@example(text=ANSWER)
@example(text=ANSWER + "\n\n")
@example(text="<a>" * 257 + "</a>" * 257)
@example(text='<?xml version="1.0" encoding="utf-7"?><a><refId>+AGE-</refId></a>')
@example(text="<a><refId>1<!-- >2< -->3</refId></a>")
@example(text="<a><refId>6<![CDATA[4]]>0</refId></a>")
@example(text="<a>\n<refId>1&#49;</refId>\n</a>\n")
@example(text="<a>\x00<refId>7</refId></a>")
@example(text="<a><refId>1\n</refId></a>")
@example(text="<a><refId>1]]></refId></a>")
@example(text="<a><refId>1>2</refId><refId x='<'/></a>")
@example(text="<a>" + "<refId>1</refId>" * 700 + "</a>")
def test_what_is_read_plainly_is_what_the_tree_says(text: str) -> None:
    body = text.encode("utf-8", "surrogatepass").removeprefix(b"\xef\xbb\xbf")
    plainly = said_plainly(body)
    if plainly is not None:
        assert plainly == said(root_of(body))


def test_the_gateways_own_answers_are_read_plainly() -> None:
    plainly = said_plainly(ANSWER.removeprefix("\ufeff").encode())
    assert plainly is not None
    assert plainly.transaction["responseCode"] == "1"


def test_more_than_was_read_at_first_is_read_when_it_is_asked_for() -> None:
    answer = parse(APPROVED.encode())
    assert answer.text("transactionResponse/messages/message/code") == answer.reason_codes[0]
