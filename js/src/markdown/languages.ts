/** The language of a block of code. */

/** Of what stands behind a fence, the name: `python` of "{python}", "{.python #id}" and "Python title=x". */
export function languageOf(info: string): string {
  return /^[\s{]*\.?([\w+#.-]{1,40})/.exec(info)?.[1]?.toLowerCase() ?? "";
}

/** Such code may hold fences of its own. */
export const isMarkdown = (info: string): boolean => /^(?:markdown|md|mdx|rmd|qmd)$/.test(languageOf(info));
