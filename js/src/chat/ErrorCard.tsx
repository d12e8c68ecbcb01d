import type { ErrorView } from "../protocol";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import type { MessageProps } from "./Message";

/** Why there is no answer, and what can be done. */
export function ErrorCard({ error, message, isLast, isBusy, actions }: MessageProps & { error: ErrorView }) {
  return (
    <section class="rb-error" aria-label="Error">
      <div class="rb-error-text">
        <Icon name="error" />
        <span dir="auto">{error.text}</span>
      </div>
      {error.detail !== "" && (
        <details>
          <summary>What the provider said{error.status === null ? "" : ` (status ${error.status})`}</summary>
          <pre class="rb-plain">{error.detail}</pre>
        </details>
      )}
      {isLast && (
        <div class="rb-error-buttons">
          {error.type === "AuthenticationFailed" && (
            <Button label="Open settings" icon="key" kind="primary" onClick={actions.openKeySetting} />
          )}
          {error.type === "ContextTooLong" && (
            <>
              <Button
                label="Leave out older messages"
                icon="retry"
                kind="primary"
                isDisabled={isBusy}
                onClick={() => actions.shorten(message.id)}
              />
              <Button
                label="Start a new chat"
                icon="plus"
                isDisabled={isBusy}
                onClick={actions.newConversation}
              />
            </>
          )}
          <Button
            label="Retry"
            icon="retry"
            isDisabled={isBusy}
            onClick={() => actions.regenerate(message.id)}
          />
          {error.suggestions.map((model) => (
            <Button
              key={model}
              label={`Use ${model}`}
              isDisabled={isBusy}
              onClick={() => actions.retryWith(message.id, model)}
            />
          ))}
        </div>
      )}
    </section>
  );
}
