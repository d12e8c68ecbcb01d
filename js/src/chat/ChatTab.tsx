/** The chat: messages, what happens now, what waits, and the input. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Approvals } from "../approvals/Approvals";
import { WaitingHint } from "../approvals/WaitingHint";
import { isActive, isShownByCards, lastMessage } from "../state/selectors";
import type { State } from "../state/state";
import type { TabProps } from "../tabs";
import { refuseFiles } from "../ui/files";
import { spelled } from "../ui/hidden";
import { useSelect } from "../ui/hooks";
import { Activity } from "./Activity";
import { makeActions } from "./actions";
import { Banners } from "./Banners";
import { Composer } from "./Composer";
import { EmptyState } from "./EmptyState";
import { LinkPrompt } from "./LinkPrompt";
import { MessageList } from "./MessageList";
import { makeMarkdownContext } from "./markdownContext";
import { Queue } from "./Queue";
import "./chat.css";
import "./markdown.css";

export function ChatTab({ store, view }: TabProps) {
  const [complaint, setComplaint] = useState("");
  const [endRequests, setEndRequests] = useState(0);
  const context = useMemo(() => makeMarkdownContext(store, view), [store, view]);
  useEffect(() => context.loadMarkdown(), [context]);
  const actions = useMemo(() => {
    const made = makeActions(store, view, setComplaint);
    const send = (text: string) => {
      setComplaint("");
      setEndRequests((before) => before + 1);
      return made.send(text);
    };
    return { ...made, send };
  }, [store, view]);
  useEffect(() => {
    const life = new AbortController();
    refuseFiles(view.element, setComplaint, life.signal);
    return () => life.abort();
  }, [view]);
  const isEmpty = useSelect(store, isEmptyChat);
  const model = useSelect(store, (state) => state.model);
  const approvals = useSelect(store, (state) => state.approvals);
  const queue = useSelect(store, (state) => state.queue);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const stop = (event: KeyboardEvent) => {
      if (event.key === "Escape" && isActive(store.state.peek())) actions.stop();
    };
    root.current?.addEventListener("keydown", stop);
    return () => root.current?.removeEventListener("keydown", stop);
  }, [store, actions]);
  return (
    <div class="rb-chat" ref={root}>
      <MessageList store={store} actions={actions} context={context} endRequests={endRequests}>
        {isEmpty && <EmptyState model={model} actions={actions} />}
        <OnTheWay store={store} view={view} />
        <Now store={store} view={view} />
        <Approvals
          store={store}
          items={approvals}
          highlight={context.markdown.value?.highlight ?? null}
          complain={setComplaint}
        />
      </MessageList>
      <div class="rb-dock">
        <Banners store={store} complaint={complaint} onForgetComplaint={() => setComplaint("")} />
        <Queue store={store} view={view} items={queue} complain={setComplaint} />
        <WaitingHint store={store} view={view} />
        <Composer store={store} view={view} actions={actions} complain={setComplaint} />
      </div>
      <LinkPrompt view={view} />
      <Announcer store={store} view={view} />
    </div>
  );
}

const isEmptyChat = (state: State): boolean =>
  state.connection !== "loading" &&
  state.connection !== "gone" &&
  state.messages.length === 0 &&
  !isActive(state) &&
  !state.pending.some(({ name }) => name === "send");

/** What was sent and the kernel has not taken yet. */
function OnTheWay({ store }: TabProps) {
  const pending = useSelect(store, (state) => state.pending);
  const isOffline = useSelect(store, (state) => state.connection === "offline");
  const isSlow = store.isKernelSlow.value;
  const sends = pending.filter(({ name }) => name === "send");
  // Usually it takes milliseconds: then there is nothing to see.
  if (!isSlow) return null;
  return (
    <>
      {sends.map(({ id, text }) => (
        <article key={id} class="rb-message rb-message-user rb-on-the-way" aria-label="Not sent yet">
          <div class="rb-bubble rb-plain" dir="auto">
            {text.slice(0, 2000)}
          </div>
          <footer class="rb-message-foot">
            <span class="rb-message-meta">
              {isOffline ? "waiting for the connection" : "waiting for the kernel"}
            </span>
          </footer>
        </article>
      ))}
    </>
  );
}

/** What the agent does, while there is nothing of the answer to read and no card that says it. */
function Now({ store }: TabProps) {
  const isShown = useSelect(store, (state) => {
    const last = lastMessage(state);
    const isReadable = last?.status === "streaming" && (last.text !== "" || last.reasoning !== "");
    const isAnswering = isReadable && state.agent.state === "responding";
    return state.connection === "live" && isActive(state) && !isAnswering && !isShownByCards(state);
  });
  const state = isShown ? store.state.value : null;
  return state && <Activity state={state} />;
}

/** Tells people who listen that an answer begins and ends, not each word of it, and that something is asked. */
function Announcer({ store }: TabProps) {
  const ending = useSelect(store, (state) => {
    const last = lastMessage(state);
    return last?.role === "assistant" ? `${last.id} ${last.status}` : "";
  });
  const before = useRef(ending);
  const [said, say] = useState("");
  useEffect(() => {
    const isFirst = before.current === "" && !ending.endsWith("streaming");
    if (before.current !== ending && !isFirst) say(ENDINGS[ending.split(" ")[1] ?? ""] ?? "");
    before.current = ending;
  }, [ending]);
  const question = useSelect(store, (state) => state.approvals[state.approvals.length - 1]);
  useEffect(() => {
    if (question) say(`Rustbot asks for your approval: ${spelled(`${question.label} ${question.tool}`)}`);
  }, [question?.id]);
  return (
    <div class="rb-sr-only" role="status" aria-live="polite">
      {said}
    </div>
  );
}

const ENDINGS: Record<string, string> = {
  streaming: "Answer started",
  complete: "Answer finished",
  interrupted: "Answer stopped",
  error: "Answer failed",
};
