import { useEffect } from "preact/hooks";
import type { TabProps } from "../tabs";
import { useSelect } from "../ui/hooks";

/** The settings in use and where each comes from. */
export function SettingsTab({ store }: TabProps) {
  const settings = useSelect(store, (state) => state.settings);
  useEffect(() => {
    store.command("settings", {}).catch(() => {});
  }, [store]);
  if (!settings) return <p class="rb-hint">Asking the kernel for the settings…</p>;
  return (
    <dl class="rb-plain-list">
      {settings.fields.map((field) => (
        <div key={field.name}>
          <dt>{field.label}</dt>
          <dd>
            {String(field.value ?? "not set")} ({field.layer})
          </dd>
        </div>
      ))}
    </dl>
  );
}
