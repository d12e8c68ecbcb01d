/** Texts of others that try to be more than text; each is put into every field there is. */

export const HOSTILE = [
  "<script>window.__xss = 1</script>",
  '<img src=x onerror="window.__xss = 1">',
  "<svg onload=window.__xss=1></svg>",
  "</pre></code><b>Allowed</b>",
  '"><button aria-label="Allow once">Allow once</button>',
  "<style>*{display:none}</style>",
  "<a href='javascript:window.__xss=1'>x</a>",
  "[link](javascript:window.__xss=1) **bold** `code`",
  "![x](https://evil.test/pixel.png)",
  "<div data-commandlinker-command='notebook:run-all-cells'>x</div>",
  "<iframe srcdoc='<script>parent.__xss=1</script>'></iframe>",
  "&lt;script&gt;&#60;b&#62;",
  "{{constructor.constructor('window.__xss=1')()}}",
  "__proto__",
  "constructor",
  "\u202edrowssap\u202c \u2066x\u2069 a\u200bb\u00adc\ufeff",
  "\ud800 lone \udc00",
  "\u0000\u0007\u001b[2J\r\n\u2028",
  "🏴\u{e0067}\u{e007f} \u{e0041}\u3164\u115f",
];
