import type { ModelView } from "../protocol";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import type { ChatActions } from "./actions";

/** Questions that the offline demo answers well, too. */
const SUGGESTIONS = [
  "What can you do?",
  "Show me Markdown, code and a table",
  "How do the magics work?",
  "What variables do I have?",
];

export function EmptyState({ model, actions }: { model: ModelView; actions: ChatActions }) {
  return (
    <div class="rb-empty">
      <h2>What shall we look at?</h2>
      <p class="rb-empty-lead">
        Rustbot answers here, in <code>%%rustbot</code> cells and from Python. Answers stream; you can stop
        one at any time.
      </p>
      <div class="rb-suggestions">
        {SUGGESTIONS.map((text) => (
          <button type="button" class="rb-suggestion" key={text} onClick={() => actions.send(text)}>
            {text}
          </button>
        ))}
      </div>
      {model.is_demo && (
        <p class="rb-demo-note">
          <Icon name="offline" />
          <span>
            You are talking to the <strong>offline demo</strong>: free, without a key, and nothing leaves your
            machine. For a real model, add a key or choose a local server.{" "}
            <Button
              label="Open settings"
              kind="quiet"
              class="rb-inline-button"
              onClick={actions.openKeySetting}
            />
          </span>
        </p>
      )}
    </div>
  );
}
