/** What rendered Markdown can ask of the widget around it. */

export interface MarkdownContext {
  /** Puts code into the notebook, or into the clipboard where no notebook listens; says what was done. */
  place(command: "insert-below" | "replace-cell", text: string): Promise<string>;
  /** Shows the whole address and asks before anything is opened. */
  openLink(url: string, anchor: HTMLElement): void;
  /** Draws a formula into `element`, now or when the library is there. */
  drawMath(tex: string, element: HTMLElement, isBlock: boolean): void;
}
