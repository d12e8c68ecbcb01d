/** The frame around the tabs: tab bar, state badge, the open panel. */

import type { TargetedKeyboardEvent } from "preact";
import { useRef } from "preact/hooks";
import { UnaskedMark } from "./approvals/ApproveMode";
import { NewChat } from "./chat/NewChat";
import type { AgentState } from "./protocol";
import { stateLabel } from "./state/selectors";
import { TABS, type TabProps } from "./tabs";
import { Badge } from "./ui/Badge";
import { useSelect } from "./ui/hooks";
import { Icon } from "./ui/Icon";

const TONES: Partial<Record<AgentState, "busy" | "warning" | "error">> = {
  processing: "busy",
  responding: "busy",
  running_tools: "busy",
  waiting_approval: "warning",
  waiting_kernel: "warning",
  waiting_retry: "warning",
  error: "error",
};

const CONNECTION_TONES = {
  loading: "neutral",
  offline: "warning",
  silent: "warning",
  gone: "error",
} as const;

export function Frame({ store, view }: TabProps) {
  const state = useSelect(store, (it) => it.agent.state);
  const connection = useSelect(store, (it) => it.connection);
  return (
    <section
      class="rb-root"
      data-state={state}
      data-connection={connection}
      aria-label="Rustbot"
      tabIndex={-1}
    >
      <header class="rb-header">
        <TabBar store={store} view={view} />
        <UnaskedMark store={store} />
        <StateBadge store={store} view={view} />
        <NewChat store={store} view={view} />
      </header>
      {TABS.map((tab) => {
        const isOpen = view.tab.value === tab.id;
        return (
          <div
            key={tab.id}
            class={`rb-panel rb-panel-${tab.id}`}
            role="tabpanel"
            id={`${view.id}-panel-${tab.id}`}
            aria-labelledby={`${view.id}-tab-${tab.id}`}
            tabIndex={-1}
            hidden={!isOpen}
          >
            {(isOpen || tab.isKept) && <tab.component store={store} view={view} />}
          </div>
        );
      })}
    </section>
  );
}

function TabBar({ view }: TabProps) {
  const bar = useRef<HTMLDivElement>(null);
  const move = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    const at = TABS.findIndex((tab) => tab.id === view.tab.value);
    const targets: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const next = TABS[(target + TABS.length) % TABS.length];
    if (!next) return;
    view.tab.value = next.id;
    bar.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <div class="rb-tabs" role="tablist" aria-label="Rustbot" ref={bar} onKeyDown={move}>
      {TABS.map((tab) => {
        const isOpen = view.tab.value === tab.id;
        return (
          <button
            key={tab.id}
            type="button"
            role="tab"
            class="rb-tab"
            id={`${view.id}-tab-${tab.id}`}
            data-tab={tab.id}
            aria-selected={isOpen}
            aria-controls={`${view.id}-panel-${tab.id}`}
            tabIndex={isOpen ? 0 : -1}
            onClick={() => {
              view.tab.value = tab.id;
            }}
          >
            <Icon name={tab.icon} />
            <span>{tab.label}</span>
          </button>
        );
      })}
    </div>
  );
}

function StateBadge({ store }: TabProps) {
  const label = useSelect(store, stateLabel);
  const tone = useSelect(store, (state) => {
    if (state.connection === "live") return TONES[state.agent.state] ?? "good";
    return CONNECTION_TONES[state.connection];
  });
  return (
    <Badge tone={tone} hint={label}>
      {label}
    </Badge>
  );
}
