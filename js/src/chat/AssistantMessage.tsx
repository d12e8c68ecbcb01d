import { useState } from "preact/hooks";
import type { MessageView } from "../protocol";
import { ToolCards } from "../tools/ToolCards";
import { Button } from "../ui/Button";
import { CopyButton } from "../ui/CopyButton";
import { clockTime, compact, cost, count, duration } from "../ui/format";
import { Icon } from "../ui/Icon";
import { ErrorCard } from "./ErrorCard";
import { Markdown } from "./Markdown";
import type { MessageProps } from "./Message";

export function AssistantMessage(props: MessageProps) {
  const { message, runs, context, actions } = props;
  const isStreaming = message.status === "streaming";
  // An answer that goes on with tools has its figures at the end.
  const isEnd = !isStreaming && (runs.length === 0 || (props.isLast && !props.isBusy));
  return (
    <>
      {message.reasoning !== "" && <Reasoning {...props} />}
      {message.text.trim() !== "" && (
        <div class="rb-answer" dir="auto">
          <Markdown text={message.text} isStreaming={isStreaming} context={context} />
        </div>
      )}
      <Citations {...props} />
      {runs.length > 0 && <ToolCards runs={runs} actions={actions} />}
      {message.error && <ErrorCard {...props} error={message.error} />}
      {!isStreaming && <Ending {...props} />}
      {isEnd && <Foot {...props} />}
    </>
  );
}

function Reasoning({ message, context }: MessageProps) {
  const [isOpen, setOpen] = useState(false);
  const isThinking = message.status === "streaming" && message.text === "";
  return (
    <details class="rb-reasoning" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="thought" />
        {isThinking ? "Thinking" : "Thoughts"}
        {isThinking && <span class="rb-dots" aria-hidden="true" />}
      </summary>
      {isOpen && (
        <Markdown text={message.reasoning} isStreaming={message.status === "streaming"} context={context} />
      )}
    </details>
  );
}

function Citations({ message, context }: MessageProps) {
  const links = message.citations.filter(({ url }) => /^https?:\/\//i.test(url));
  if (links.length === 0) return null;
  return (
    <nav class="rb-citations" aria-label="Sources">
      {links.map(({ url, title }, index) => (
        <a
          key={url}
          class="rb-citation"
          href={url}
          title={url}
          target="_blank"
          rel="noopener noreferrer nofollow"
          onClick={(event) => {
            event.preventDefault();
            context.openLink(url, event.currentTarget);
          }}
          onAuxClick={(event) => {
            event.preventDefault();
            context.openLink(url, event.currentTarget);
          }}
        >
          <span class="rb-citation-number">{index + 1}</span>
          <bdi>{title || host(url)}</bdi>
        </a>
      ))}
    </nav>
  );
}

const host = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);

/** What is to be said of an answer that is not whole. */
const ENDINGS: Record<string, string> = {
  length: "The answer reached its length limit.",
  content_filter: "The provider cut the answer off by its content filter.",
};

function Ending({ message, runs, isLast, isBusy, actions }: MessageProps) {
  const isBlank = message.text !== "" && message.text.trim() === "" && runs.length === 0;
  const ending = ENDINGS[message.finish_reason ?? ""] ?? (isBlank ? "The answer is nothing but blanks." : "");
  const text = message.status === "interrupted" ? "Stopped" : ending;
  if (!text) return null;
  return (
    <div class="rb-ending">
      <span>{text}</span>
      {isLast && (
        <Button
          label="Continue"
          icon="play"
          isDisabled={isBusy}
          onClick={() => actions.continueAnswer(message.id)}
        />
      )}
    </div>
  );
}

function Foot({ message, toolsUsed, isLast, isBusy, isLocal, actions }: MessageProps) {
  return (
    <footer class="rb-message-foot">
      {toolsUsed > 0 && (
        <span class="rb-used-tools" title="This answer was made with tools">
          <Icon name="tool" />
          {toolsUsed}
          <span>{toolsUsed === 1 ? "tool" : "tools"}</span>
        </span>
      )}
      <Facts message={message} isLocal={isLocal} />
      <span class="rb-message-actions">
        {message.text !== "" && <CopyButton label="Copy answer" text={message.text} />}
        {isLast && message.error === null && (
          <Button
            label="Regenerate"
            icon="retry"
            isIconOnly
            kind="quiet"
            isDisabled={isBusy}
            onClick={() => actions.regenerate(message.id)}
          />
        )}
      </span>
    </footer>
  );
}

/** Model, tokens, cost, time. */
function Facts({ message, isLocal }: { message: MessageView; isLocal: boolean }) {
  const { usage } = message;
  const facts = [
    message.model_is_demo ? "offline demo" : message.model,
    usage?.input_tokens != null && `${compact(usage.input_tokens)} in`,
    usage?.output_tokens != null && `${compact(usage.output_tokens)} out`,
    message.model_is_demo ? "free demo" : isLocal && usage?.cost_usd === 0 ? "local" : usage && cost(usage),
    message.duration_s !== null && duration(message.duration_s),
    clockTime(message.created_at),
  ].filter(Boolean);
  return (
    <span class="rb-message-meta" title={details(message)}>
      {facts.map((fact) => (
        <bdi key={fact}>{fact}</bdi>
      ))}
    </span>
  );
}

function details({ usage, ttft_s, created_at }: MessageView): string {
  const known = (label: string, value: number | null | undefined) =>
    value == null ? "" : `${label}: ${count(value)}`;
  return [
    new Date(created_at).toLocaleString(),
    known("Input tokens", usage?.input_tokens),
    known("Output tokens", usage?.output_tokens),
    known("of them reasoning", usage?.reasoning_tokens),
    known("Read from cache", usage?.cache_read_tokens),
    ttft_s === null ? "" : `First token after ${duration(ttft_s)}`,
    usage?.cost_is_estimate && usage.cost_usd !== null ? "The cost is an estimate" : "",
  ]
    .filter(Boolean)
    .join("\n");
}
