// What a service worker sees around it (W3C Service Workers, Push API, Notifications API), as far as this one uses it: the library of types has it
// only in place of the page's.

type Waiting = Event & { waitUntil(act: Promise<unknown>): void };
type WindowClient = { focus(): Promise<unknown>, postMessage(message: unknown): void };

export interface ServiceWorkerScope {
  addEventListener(type: "install" | "activate", listener: (event: Waiting) => void): void;
  addEventListener(type: "push", listener: (event: Waiting & { data: { text(): string } | null }) => void): void;
  addEventListener(type: "message", listener: (event: Waiting & { data: { type?: string, isWanted?: boolean } | null }) => void): void;
  addEventListener(type: "notificationclick", listener: (event: Waiting & { notification: { data: { room: string | null } | null, close(): void } }) => void): void;
  skipWaiting(): Promise<void>;
  registration: { showNotification(title: string, options: object): Promise<void> };
  clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window" }): Promise<WindowClient[]>;
    openWindow(path: string): Promise<unknown>;
  };
}
