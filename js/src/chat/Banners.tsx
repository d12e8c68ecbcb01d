/** What the user should know before writing: notices, a busy kernel, a kernel that is gone. */

import type { Store } from "../state/store";
import { Banner } from "../ui/Banner";
import { useSelect } from "../ui/hooks";

interface BannersProps {
  store: Store;
  /** What the kernel refused last. */
  complaint: string;
  onForgetComplaint(): void;
}

export function Banners({ store, complaint, onForgetComplaint }: BannersProps) {
  const notices = useSelect(store, (state) => state.notices);
  const connection = useSelect(store, (state) => state.connection);
  const isSlow = store.isKernelSlow.value;
  return (
    <div class="rb-banners">
      {notices.map(({ id, level, text }) => (
        <Banner
          key={id}
          level={level}
          onDismiss={() => store.command("dismiss_notice", { notice_id: id }).catch(() => {})}
        >
          {text}
        </Banner>
      ))}
      {complaint !== "" && (
        <Banner level="error" onDismiss={onForgetComplaint}>
          {complaint}
        </Banner>
      )}
      {connection === "gone" && (
        <Banner level="error">
          <strong>Kernel restarted: run the cell again.</strong> What you typed is kept here, so that you can
          copy it.
        </Banner>
      )}
      {connection !== "gone" && isSlow && <BusyBanner store={store} />}
    </div>
  );
}

function BusyBanner({ store }: { store: Store }) {
  const connection = useSelect(store, (state) => state.connection);
  const hasSubshells = useSelect(store, (state) => state.hasSubshells);
  const interrupt = (
    <>
      To interrupt it, press <kbd>I</kbd> <kbd>I</kbd> outside this box, or the ■ button of the notebook.
    </>
  );
  if (connection === "loading") {
    return (
      <Banner level="warning">
        <strong>Waiting for the kernel.</strong> It may be busy with a cell, or was restarted: then run the
        cell again. {interrupt}
      </Banner>
    );
  }
  return (
    <Banner level="warning">
      <strong>Kernel busy, queued.</strong>{" "}
      {hasSubshells
        ? "Your message is sent as soon as the kernel listens again."
        : "This kernel reads messages only between cells: yours is sent when the running cell ends (ipykernel 7 has no such wait)."}{" "}
      {interrupt}
    </Banner>
  );
}
