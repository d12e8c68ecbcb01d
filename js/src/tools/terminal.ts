// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are driven by them
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/g;

/** What a terminal would show in the end: without colours, and without what a progress bar wrote over. */
export const terminalText = (text: string): string =>
  text
    .replace(ESCAPES, "")
    .replace(/\r+\n/g, "\n")
    .replace(/^.*\r(?=.)/gm, "");
