/** What the input completes: prompts of MCP servers after "/", their resources after "@". */

import type { References } from "../protocol";

export interface Completion {
  /** What stands in the text in the end: "/server:prompt", "@server:uri". */
  text: string;
  description: string;
  /** What a prompt wants to be told. */
  arguments: readonly string[];
}

export interface Token {
  sign: "/" | "@";
  words: string;
}

const MOST_SHOWN = 30;

/** The reference that is being typed at the end of `before`; a prompt is one only at the very beginning. */
export function tokenAt(before: string): Token | null {
  const [, prompt] = /^\/(\S*)$/.exec(before) ?? [];
  if (prompt !== undefined) return { sign: "/", words: prompt };
  const [, resource] = /(?:^|\s)@(\S*)$/.exec(before) ?? [];
  return resource === undefined ? null : { sign: "@", words: resource };
}

/** What may be meant by `token`: names that begin with its words first. */
export function completions({ sign, words }: Token, references: References): Completion[] {
  const all: Completion[] =
    sign === "/"
      ? references.prompts.map((it) => ({ ...it, text: `/${it.name}` }))
      : references.resources.map((it) => ({ ...it, text: `@${it.name}`, arguments: [] }));
  const sought = words.toLowerCase();
  const rank = ({ text, description }: Completion) => {
    const name = text.slice(1).toLowerCase();
    if (name.startsWith(sought)) return 0;
    return name.includes(sought) ? 1 : description.toLowerCase().includes(sought) ? 2 : 3;
  };
  return all
    .filter((it) => rank(it) < 3)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MOST_SHOWN);
}

/** What takes the place of the token that ends at `caret`, and where that place ends: one blank follows. */
export function complete(text: string, caret: number, completion: Completion) {
  return { text: `${completion.text} `, end: text[caret] === " " ? caret + 1 : caret };
}
