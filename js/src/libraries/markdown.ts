/** Markdown to nodes, with its parser, sanitiser and highlighter: half of our code, so that it comes once per page. */

export { highlight } from "../markdown/highlight";
export { MarkdownRenderer } from "../markdown/renderer";
