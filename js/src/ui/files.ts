/** Files dropped on the widget and pictures pasted into it: refused in words, where the browser would open them or say nothing. */

const REFUSAL =
  "Files and pictures cannot be attached. Name the file's path, or a variable that holds it, in your message.";

const hasFiles = (data: DataTransfer | null): boolean => !!data && Array.from(data.types).includes("Files");

/** Calls `refuse` with a sentence for each attempt, until `signal` ends. */
export function refuseFiles(element: HTMLElement, refuse: (text: string) => void, signal: AbortSignal): void {
  element.addEventListener(
    "dragover",
    (event) => {
      // Without this the browser takes the drop for itself.
      if (hasFiles(event.dataTransfer)) event.preventDefault();
    },
    { signal },
  );
  element.addEventListener(
    "drop",
    (event) => {
      if (!hasFiles(event.dataTransfer)) return;
      event.preventDefault();
      event.stopPropagation();
      refuse(REFUSAL);
    },
    { signal },
  );
  element.addEventListener(
    "paste",
    (event) => {
      // What was copied from a table has a picture beside its text, and the text is what is meant.
      const isText = event.clipboardData?.types.includes("text/plain");
      if (hasFiles(event.clipboardData) && !isText) refuse(REFUSAL);
    },
    { signal },
  );
}
