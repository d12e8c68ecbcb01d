/** Colours for the languages that answers in notebooks are written in. */

import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import diff from "highlight.js/lib/languages/diff";
import ini from "highlight.js/lib/languages/ini";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import r from "highlight.js/lib/languages/r";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { sanitize } from "./sanitize";

const LANGUAGES = { bash, diff, ini, javascript, json, python, r, rust, sql, xml, yaml };
for (const [name, definition] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, definition);
hljs.registerAliases(["ipython", "python3", "pycon"], { languageName: "python" });
hljs.registerAliases(["typescript", "ts", "tsx"], { languageName: "javascript" });

/** Longer code stays plain: colouring it would block the page. */
const MOST_CHARACTERS = 20_000;

/** `code` coloured, or null when it stays plain. */
export function highlight(code: string, language: string): DocumentFragment | null {
  if (code.length > MOST_CHARACTERS || !hljs.getLanguage(language)) return null;
  return sanitize(hljs.highlight(code, { language, ignoreIllegals: true }).value);
}
