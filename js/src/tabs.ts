/** The tabs, in their order. A new tab is a new line here. */

import type { ComponentType } from "preact";
import { ChatTab } from "./chat/ChatTab";
import { EventsTab } from "./events/EventsTab";
import { SettingsTab } from "./settings/SettingsTab";
import type { Store } from "./state/store";
import type { IconName } from "./ui/Icon";
import type { View } from "./view";

export interface TabProps {
  store: Store;
  view: View;
}

export interface Tab {
  id: string;
  label: string;
  icon: IconName;
  component: ComponentType<TabProps>;
  /** Stays in the page while another tab is open; the others are made anew each time. */
  isKept?: boolean;
}

export const TABS: readonly Tab[] = [
  { id: "chat", label: "Chat", icon: "chat", component: ChatTab, isKept: true },
  { id: "events", label: "Events", icon: "events", component: EventsTab },
  { id: "settings", label: "Settings", icon: "settings", component: SettingsTab },
];
