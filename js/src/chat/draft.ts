/** What was typed and not sent, kept over a reload of the page. */

const KEY = "rustbot:draft:";

export function loadDraft(conversationId: string): string {
  try {
    return sessionStorage.getItem(KEY + conversationId) ?? "";
  } catch {
    // Storage can be forbidden or full; then a draft lives as long as its view.
    return "";
  }
}

export function saveDraft(conversationId: string, text: string): void {
  try {
    if (text === "") sessionStorage.removeItem(KEY + conversationId);
    else sessionStorage.setItem(KEY + conversationId, text);
  } catch {
    // See above.
  }
}
