/** The second wall: whatever the parser made, only these tags and attributes reach the page. */

import createPurifier from "dompurify";

const TAGS = [
  ..."p br hr h1 h2 h3 h4 h5 h6 strong em b i u s del ins mark small sub sup kbd code pre blockquote".split(
    " ",
  ),
  ..."ul ol li table thead tbody tr th td a span".split(" "),
];
const ATTRIBUTES = ["href", "start", "align", "class"];
const CLASS =
  /^(?:language-[\w+#.-]{1,40}|rb-math|rb-math-block|rb-image|rb-task|rb-box(?:-[a-z]{3,9})?|hljs-[a-z_-]{1,30}|[a-z]{1,20}_)$/;
const LINK = /^(?:https?:\/\/|mailto:)/i;
const IMAGE_DATA = /^data:image\/(?:png|jpeg|gif|webp);base64,[\w+/=\s]*$/i;

const purifier = createPurifier(window);

purifier.addHook("uponSanitizeAttribute", (element, attribute) => {
  if (attribute.attrName === "class") {
    attribute.attrValue = attribute.attrValue
      .split(/\s+/)
      .filter((name) => CLASS.test(name))
      .join(" ");
    attribute.keepAttr = attribute.attrValue !== "";
  }
  if (attribute.attrName === "href") {
    const isImage = element.getAttribute("class") === "rb-image";
    const isAllowed = LINK.test(attribute.attrValue) || (isImage && IMAGE_DATA.test(attribute.attrValue));
    attribute.keepAttr = isAllowed;
    attribute.forceKeepAttr = isAllowed;
  }
});

/** `html` as nodes that can do nothing but be read. */
export function sanitize(html: string): DocumentFragment {
  return purifier.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
}
