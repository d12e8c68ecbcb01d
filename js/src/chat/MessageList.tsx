/** The conversation, newest at the bottom; follows the answer until the reader scrolls up. */

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { copySource } from "../markdown/copying";
import { canAsk } from "../state/selectors";
import type { Store } from "../state/store";
import { ToolGroups } from "../tools/groups";
import { Button } from "../ui/Button";
import { useSelect } from "../ui/hooks";
import type { ChatActions } from "./actions";
import { Message } from "./Message";
import type { ChatContext } from "./markdownContext";
import { FollowEnd } from "./scroll";

/** Of a long conversation only the end is in the page, until more is asked for. */
const PAGE = 50;
/** While the reader is at the end, the page is emptied down to a page again when it grew beyond this. */
const MOST_IN_PAGE = 200;

interface MessageListProps {
  store: Store;
  actions: ChatActions;
  context: ChatContext;
  /** Changes when the reader wants to see the end: something was sent. */
  endRequests: number;
  children: ComponentChildren;
}

export function MessageList({ store, actions, context, endRequests, children }: MessageListProps) {
  const messages = useSelect(store, (state) => state.messages);
  const toolRuns = useSelect(store, (state) => state.toolRuns);
  const conversationId = useSelect(store, (state) => state.conversation.id);
  const isBusy = !useSelect(store, canAsk);
  const model = useSelect(store, (state) => state.model);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const follow = useMemo(() => new FollowEnd(), []);
  const groups = useMemo(() => new ToolGroups(), []);
  const { hidden, canShowMore, showMore } = useEarlier(store, conversationId, follow.isFollowing.value);

  useEffect(() => {
    if (scroller.current && content.current) return follow.attach(scroller.current, content.current);
  }, [follow]);
  useEffect(() => follow.toEnd(), [follow, endRequests, conversationId]);

  const showEarlier = () => {
    // At the very top browsers do not keep the place when something comes above it.
    if (scroller.current && scroller.current.scrollTop < 2) scroller.current.scrollTop = 2;
    showMore();
  };
  const rows = groups.rows(messages.slice(hidden), toolRuns);
  return (
    <div class="rb-scroll-frame">
      <div
        class="rb-scroll"
        ref={scroller}
        tabIndex={-1}
        onScroll={() => scroller.current && scroller.current.scrollTop < 40 && canShowMore && showEarlier()}
      >
        <div
          class="rb-messages"
          ref={content}
          role="log"
          aria-live="off"
          aria-label="Conversation"
          onCopy={copySource}
        >
          {canShowMore && (
            <Button label="Show earlier messages" kind="quiet" class="rb-earlier" onClick={showEarlier} />
          )}
          {rows.map(({ message, runs, toolsUsed }, index) => (
            <Message
              key={message.id}
              message={message}
              runs={runs}
              toolsUsed={toolsUsed}
              isLast={index === rows.length - 1}
              isBusy={isBusy}
              isLocal={model.is_local && message.model === model.id}
              actions={actions}
              context={context}
            />
          ))}
          {children}
        </div>
      </div>
      {!follow.isFollowing.value && (
        <Button label="Jump to latest" icon="down" class="rb-jump" onClick={() => follow.toEnd()} />
      )}
    </div>
  );
}

/** How much of the conversation is in the page, and how to get more: from memory first, then from the kernel. */
function useEarlier(store: Store, conversationId: string, isAtEnd: boolean) {
  const known = useSelect(store, (state) => state.messages.length);
  const hasEarlier = useSelect(store, (state) => state.hasEarlier);
  const [pages, setPages] = useState({ conversationId: "", hidden: 0 });
  const isNew = pages.conversationId !== conversationId;
  // Known while it is rendered for the first time: thousands of messages must not be in the page even once.
  const hidden = isNew ? Math.max(0, known - PAGE) : Math.min(pages.hidden, Math.max(0, known - 1));
  const setHidden = (count: number) => setPages({ conversationId, hidden: count });
  const isLoading = useRef(false);
  useEffect(() => {
    setPages((before) => (before.conversationId === conversationId ? before : { conversationId, hidden }));
  }, [conversationId, hidden]);
  const isTooMuch = isAtEnd && known - hidden > MOST_IN_PAGE;
  useEffect(() => {
    if (isTooMuch) setHidden(known - PAGE);
  }, [isTooMuch, known]);

  const showMore = async () => {
    if (hidden > 0) return setHidden(Math.max(0, hidden - PAGE));
    const first = store.state.peek().messages[0];
    if (!first || isLoading.current) return;
    isLoading.current = true;
    try {
      const page = await store.command("earlier_messages", { before_id: first.id });
      store.dispatch({
        type: "earlier_messages",
        messages: page.messages,
        toolRuns: page.tool_runs,
        hasEarlier: page.has_earlier,
      });
    } catch {
      // The button stays, and can be pressed again.
    } finally {
      isLoading.current = false;
    }
  };
  return { hidden, canShowMore: hidden > 0 || hasEarlier, showMore };
}
