/** Colours for the languages that answers in notebooks are written in. */

import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import diff from "highlight.js/lib/languages/diff";
import ini from "highlight.js/lib/languages/ini";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import julia from "highlight.js/lib/languages/julia";
import python from "highlight.js/lib/languages/python";
import r from "highlight.js/lib/languages/r";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { sanitize } from "./sanitize";

const LANGUAGES = { bash, diff, ini, javascript, json, julia, python, r, sql, typescript, xml, yaml };
for (const [name, definition] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, definition);
hljs.registerAliases(["ipython", "python3", "pycon"], { languageName: "python" });

/** `code` coloured, or null for a language that is not here. */
export function highlight(code: string, language: string): DocumentFragment | null {
  if (!hljs.getLanguage(language)) return null;
  return sanitize(hljs.highlight(code, { language, ignoreIllegals: true }).value);
}
