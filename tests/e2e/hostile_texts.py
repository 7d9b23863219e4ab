"""About two hundred texts that try to be more than text; none of them does harm anywhere."""

from __future__ import annotations

from collections.abc import Iterator

ELSEWHERE = "https://elsewhere.invalid/x"
TAGS = (
    "<script>alert(1)</script>",
    "<script src={0}></script>",
    "<img src=x onerror=alert(1)>",
    "<img src={0}>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><use href='{0}#a'/></svg>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></math>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<object data={0}></object>",
    "<embed src={0}>",
    "<link rel=stylesheet href={0}>",
    "<style>@import '{0}';body{{display:none}}</style>",
    "<base href={0}>",
    "<meta http-equiv=refresh content='0;url={0}'>",
    "<form action={0}><button>go</button></form>",
    "<a href=javascript:alert(1)>link</a>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'>",
    "<select><iframe></select><img src=x onerror=alert(1)>",
    "<p style='background:url({0})'>x</p>",
    "<table background={0}>",
    "<portal src={0}>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
)
ATTRIBUTES = (
    '" onmouseover=alert(1) x="',
    "' onfocus=alert(1) autofocus '",
    '"><svg onload=alert(1)>',
    "'--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</bdi><img src=x onerror=alert(1)>",
    "--!><img src=x onerror=alert(1)>",
    "`onerror=alert(1)`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
)
TEMPLATES = (
    "{{7*7}}",
    "{{''.__class__}}",
    "${{alert(1)}}",
    "#{{alert(1)}}",
    "<%= 7*7 %>",
    "[[constructor.constructor('alert(1)')()]]",
    "{{% raw %}}",
    "__proto__",
    "constructor",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "https://elsewhere.invalid/a?b=c#d",
    "www.elsewhere.invalid",
    "mailto:a@elsewhere.invalid",
    "//elsewhere.invalid/x",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "@SUM(1)",
)
HIDDEN = tuple(
    chr(code)
    for code in (
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x206A),
        0xAD,
        0x34F,
        0x61C,
        0x180E,
        0x3164,
        0xFEFF,
        0xE0041,
        0x1B,
        0x7F,
        0x85,
    )
)
SCRIPTS = (
    "نص بالعربية مع <b>English</b> وسطه",
    "טקסט בעברית 123 (abc)",
    "हिन्दी में एक वाक्य",
    "一句没有空格的中文文本",
    "\U0001f469\u200d\U0001f469\u200d\U0001f466 family",
    "Z" + "\u0335\u0321\u0353\u0316" * 60 + "algo",
    "a\r\nb\tc",
)
LONG = 20_000


def hostile_texts() -> list[str]:
    """Each once; every text holds something besides space."""
    return list(dict.fromkeys(_texts()))


def _texts() -> Iterator[str]:
    for tag in TAGS:
        yield tag.format(ELSEWHERE)
        yield tag.format(ELSEWHERE).upper()
        yield f"plain words, then {tag.format(ELSEWHERE)} and more"
    yield from ATTRIBUTES
    yield from (f"before {text} after" for text in ATTRIBUTES)
    yield from TEMPLATES
    for character in HIDDEN:
        yield f"pay{character}load {ord(character):x}"
        yield f"<img {character}src=x onerror{character}=alert(1)>"
    yield from SCRIPTS
    yield "W" * LONG
    yield ("<b>" * LONG)[:LONG]
    yield ("\u202e\u200b" * LONG)[:LONG]
    yield ("مرحبا" * LONG)[:LONG]
